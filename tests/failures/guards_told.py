"""The guards of what a person on call is told; in the form of tests/failures/without.py."""

from __future__ import annotations

from tests.failures.guard import Guard

OPERATIONS, UNIT = "pipeline/operations", "tests/unit/operations"
GAUGES = f"{UNIT}/test_gauges.py"
LAG, PROBLEMS = f"{UNIT}/test_lag.py", f"{UNIT}/test_problems.py"

TOLD_GUARDS = (
    Guard(
        "a topic that is gone makes lag unknown",
        f"{OPERATIONS}/lag.py",
        "None if missing or None in counts else",
        "None if None in counts else",
        f"{LAG}::test_a_topic_that_is_gone_makes_the_whole_unknown_and_never_zero",
    ),
    Guard(
        "a next offset behind a topic's end makes lag unknown",
        f"{OPERATIONS}/backlog.py",
        "lag=None if starts[tp] > end else end - starts[tp]",
        "lag=max(end - starts[tp], 0)",
        f"{LAG}::test_a_topic_that_was_made_anew_is_unknown_and_never_zero",
    ),
    Guard(
        "a silent source has no delay of zero",
        f"{OPERATIONS}/lag.py",
        "return None if any(one.is_silent for one in sources) else 0.0",
        "return 0.0",
        f"{LAG}::test_a_silent_source_has_no_known_delay_when_nothing_waits",
    ),
    Guard(
        "a heartbeat is no row that came back through the log",
        f"{OPERATIONS}/backlog.py",
        "alive = rows or topics.newest_ms([source.heartbeat_topic])",
        "alive = rows | topics.newest_ms([source.heartbeat_topic])",
        f"{LAG}::test_a_log_that_is_not_read_to_its_end_is_silent_though_heartbeats_come",
    ),
    Guard(
        "nobody who listens is not waited for",
        "pipeline/kafka/admin.py",
        "is_over = self._is_down or time.monotonic() > deadline",
        "is_over = time.monotonic() > deadline",
        "tests/unit/kafka/test_faults.py"
        "::test_a_broker_that_takes_no_connection_is_told_before_a_requests_time_is_over",
    ),
    Guard(
        "a group that never ran has applied nothing",
        f"{OPERATIONS}/lag.py",
        "([one.seen_at for one in sources] if has_run else [])",
        "[one.seen_at for one in sources]",
        f"{LAG}::test_a_group_that_never_ran_has_applied_nothing",
    ),
    Guard(
        "the delay is measured from the commit in the source",
        "pipeline/decoding/source_time.py",
        "return self._committed_at(message) or produced_at(message)",
        "return produced_at(message)",
        f"{LAG}::test_the_delay_is_the_age_of_the_commit_in_the_source_not_of_the_message",
    ),
    Guard(
        "a gauge of a silent source is absent",
        f"{OPERATIONS}/gauges.py",
        "if one.lag == 0 and (source is None or source.is_silent):",
        "if one.lag == 0 and source is None:",
        f"{GAUGES}::test_nothing_is_zero_that_is_not_known",
    ),
    Guard(
        "a partition that left has no gauge",
        "pipeline/model/held.py",
        " if tp in self._next}",
        "}",
        f"{GAUGES}::test_a_partition_that_left_shows_nothing_and_its_new_owner_does",
    ),
    Guard(
        "a wait that ends with another error is over",
        "pipeline/engine/consumer/retry.py",
        "            raise\n        finally:\n",
        "            raise\n        else:\n",
        (
            "tests/unit/engine/test_retry.py"
            "::test_what_was_waited_for_is_over_too_when_another_error_comes"
        ),
    ),
    Guard(
        "a hop that nobody timed is left out",
        "pipeline/engine/consumer/hops.py",
        "if start > NEVER and end > NEVER:",
        "if end > NEVER:",
        "tests/unit/engine/test_hops.py::test_a_hop_without_both_ends_is_left_out",
    ),
    Guard(
        "a failed task needs a person",
        f"{OPERATIONS}/problems.py",
        "    elif one.state == FAILED:\n",
        "    elif one.state == FAILED and not one.tasks:\n",
        f"{PROBLEMS}::test_a_failed_task_is_said_first_with_its_cause_and_what_to_type",
    ),
    Guard(
        "a halt needs a person",
        f"{OPERATIONS}/problems.py",
        "Severity.DEGRADED if _is_retried(code) else Severity.HALTED,",
        "Severity.DEGRADED,",
        f"{PROBLEMS}::test_a_halt_is_said_with_its_place_cause_and_page",
    ),
    Guard(
        "topics that a group reads are not deleted",
        f"{OPERATIONS}/connector_removal.py",
        "if not state.is_empty:",
        "if False:",
        f"{UNIT}/test_connector_removal.py::test_topics_that_a_group_reads_are_refused[state0]",
    ),
    Guard(
        "a late partition is not hidden by a silent source",
        f"{OPERATIONS}/gauges.py",
        "delay_seconds=found.waiting_seconds(now),",
        "delay_seconds=found.worst_delay_seconds(now),",
        f"{GAUGES}::test_a_late_partition_is_not_hidden_by_a_silent_source",
    ),
    Guard(
        "a partition whose topic is gone makes the group's state unknown",
        f"{OPERATIONS}/gauges.py",
        "return None if self.gone or len(known) < len(counts) else sum(known)",
        "return sum(known)",
        f"{GAUGES}::test_a_topic_that_is_gone_makes_the_state_of_the_group_unknown",
    ),
    Guard(
        "halts of another cause are told apart",
        f"{OPERATIONS}/problems.py",
        "causes.setdefault((one.code, one.sentence), []).append(one)",
        'causes.setdefault((one.code, ""), []).append(one)',
        f"{PROBLEMS}::test_halts_of_one_cause_are_one_problem_with_every_place",
    ),
    Guard(
        "a consumer that died is reported",
        f"{OPERATIONS}/problems.py",
        "if not one.is_seen(now):",
        "if False:",
        f"{PROBLEMS}::test_a_consumer_that_died_is_told",
    ),
    Guard(
        "what a restored target lost waits again",
        f"{OPERATIONS}/lag.py",
        "min(at, stored[tp].next_offset) if tp in stored else at",
        "at",
        (
            f"{LAG}"
            "::test_a_group_that_was_set_back_is_rewound_and_starts_at_the_smaller_offset[9-3-0]"
        ),
    ),
    Guard(
        "parking is over after a minute",
        "pipeline/engine/consumer/parking.py",
        "while self._seen[0][0] < monotonic - WINDOW_SECONDS:",
        "while False:",
        "tests/unit/engine/test_parking.py::test_what_was_parked_longer_ago_is_not",
    ),
    Guard(
        "the worst is said first",
        f"{OPERATIONS}/problems.py",
        "return tuple(sorted(found, key=lambda one: -one.severity))",
        "return tuple(reversed(found))",
        f"{PROBLEMS}::test_a_failed_task_is_said_first_with_its_cause_and_what_to_type",
    ),
    Guard(
        "a process ends at once where a thread still waits",
        "pipeline/cli/start.py",
        "any(each.daemon for each in threading.enumerate())",
        "False",
        (
            "tests/unit/cli/test_start.py"
            "::test_a_command_that_ends_while_a_thread_still_waits_does_not_tear_python_down"
        ),
    ),
)
