"""The guards around capture: what restarts a connector, and what a backfill rests on."""

from __future__ import annotations

from tests.failures.guard import Guard

WATCH, WATCHED = "pipeline/connect/watch.py", "tests/unit/connect/test_watch.py"
FOLLOW, FOLLOWED = "pipeline/connect/backfill.py", "tests/unit/connect/test_backfill.py"
ASK, ASKED = "pipeline/operations/backfill.py", "tests/unit/operations/test_backfill.py"

CAPTURE_GUARDS = (
    Guard(
        "a failed task is restarted",
        WATCH,
        "            self.connectors.restart(one.name)\n",
        "",
        f"{WATCHED}::test_a_task_that_failed_is_restarted_after_the_first_pause_and_health_comes_back",
    ),
    Guard(
        "the pause grows until it ran steadily",
        WATCH,
        "if now - one.runs_since >= STEADY_SECONDS:",
        "if True:",
        f"{WATCHED}::test_the_pause_begins_anew_only_after_the_connector_ran_steadily",
    ),
    Guard(
        "what a removed connector left over is ended",
        "pipeline/operations/slots.py",
        "            if time.monotonic() >= ends:\n",
        "            if False:\n",
        "tests/integration/test_connector_states.py::test_an_open_transaction_that_capture_waits_for_is_named_and_the_connector_can_be_removed",
    ),
    Guard(
        "what is held by a person is not restarted",
        WATCH,
        "if not status.is_failed:",
        "if status.is_running:",
        f"{WATCHED}::test_a_connector_that_somebody_holds_is_told_and_never_restarted",
    ),
    Guard(
        "no backfill during a first snapshot",
        ASK,
        "    if is_in_snapshot:\n",
        "    if False:\n",
        f"{ASKED}::test_a_connector_that_reads_its_first_snapshot_is_not_asked",
    ),
    Guard(
        "a backfill that was stopped is not read",
        FOLLOW,
        "return replace(one, state=BackfillState.STOPPED)",
        "return replace(one, state=BackfillState.READ)",
        f"{FOLLOWED}::test_an_end_without_a_scan_that_succeeded_is_a_stop",
    ),
    Guard(
        "a backfill whose scan failed is not read",
        FOLLOW,
        'case "TABLE_SCAN_COMPLETED" if notice.status in SUCCEEDED:',
        'case "TABLE_SCAN_COMPLETED" if True:',
        f"{FOLLOWED}::test_a_scan_that_did_not_succeed_is_a_failure_with_debeziums_word",
    ),
    Guard(
        "a failure from before a restart is not a new one",
        "pipeline/connect/client.py",
        "and (is_settled or not is_as_before)",
        "",
        "tests/unit/connect/test_client.py::test_the_failure_from_before_a_restart_is_not_taken_for_a_new_one",
    ),
)
