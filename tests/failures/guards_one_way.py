"""The guards of the consumer's loop and of the projection, in the form of
tests/failures/without.py.
"""

from __future__ import annotations

from tests.failures.guard import Guard
from tests.failures.guards_accounting import ACCOUNTING_GUARDS
from tests.failures.guards_added import ADDED_GUARDS
from tests.failures.guards_errors import ERROR_GUARDS
from tests.failures.guards_halts import HALT_GUARDS
from tests.failures.guards_linked import LINKED_GUARDS
from tests.failures.guards_owned import OWNED_GUARDS
from tests.failures.guards_pim import PIM_GUARDS
from tests.failures.guards_speed import SPEED_GUARDS
from tests.failures.guards_totals import TOTALS_GUARDS
from tests.failures.guards_trees import TREES_GUARDS

ENGINE, UNIT = "pipeline/engine", "tests/unit/engine"
LOOP, TARGET = (
    "tests/failures/test_loop.py",
    "tests/contracts/test_target.py",
)
PROCESSOR, ANY_ORDER = (
    f"{UNIT}/test_processor.py",
    "tests/properties/test_any_order.py",
)
FAULT = (
    "tests/failures/test_faults.py"
    "::test_a_fault_loses_nothing_repeats_nothing_and_moves_nothing_backwards"
)

ONE_WAY_GUARDS = (
    # -- what comes before what --------------------------------------------------------------------
    Guard(
        "position",
        "pipeline/model/applied.py",
        "    if event.position <= applied.position:\n        return True\n",
        "",
        f"{UNIT}/test_guard.py::test_an_older_position_is_stale",
    ),
    Guard(
        "offset within an incarnation and partition",
        "pipeline/model/applied.py",
        (
            "    return (\n"
            "        event.place.shares_partition_with(applied.place)\n"
            "        and event.place.offset <= applied.place.offset\n"
            "    )\n"
        ),
        "    return False\n",
        (
            f"{UNIT}/test_guard.py"
            "::test_a_newer_position_at_an_earlier_offset_of_the_same_partition_is_stale"
        ),
    ),
    Guard(
        "epoch",
        "pipeline/model/applied.py",
        "    if event.epoch < applied.epoch:\n        return True\n",
        "",
        f"{UNIT}/test_guard_epochs.py::test_an_event_of_an_older_epoch_is_stale_wherever_it_stands",
    ),
    Guard(
        "place of a row read by a snapshot",
        "pipeline/model/applied.py",
        "return not event.place.is_later_than(applied.place)",
        "return False",
        f"{UNIT}/test_guard.py::test_a_row_read_by_a_snapshot_is_applied_only_at_a_later_place",
    ),
    Guard(
        "a snapshot leaves the position",
        "pipeline/model/applied.py",
        "return applied.position, applied.committed_at",
        "return applied.position[:4], applied.committed_at",
        f"{UNIT}/test_guard.py::test_a_snapshot_read_leaves_the_position_as_it_is",
    ),
    Guard(
        "stale, as PIM's log shows it",
        f"{ENGINE}/projection/stage.py",
        "if before is not None and applied.is_stale(before, event):",
        "if False:",
        f"{ANY_ORDER}::test_a_replay_never_moves_a_row_backwards",
    ),
    Guard(
        "ledger revision",
        "pipeline/database/state/ledger_statements.py",
        "match=(LEDGER_KEY, LEDGER_REVISION),\n            fields=LEDGER + values,",
        "match=(LEDGER_KEY,),\n            fields=(LEDGER_REVISION, *LEDGER, *values),",
        f"{TARGET}::test_a_ledger_row_that_changed_meanwhile_is_not_overwritten",
    ),
    Guard(
        "lock before read",
        f"{ENGINE}/projection/recompute.py",
        "transaction.lock_rows(source.name, sorted(keys), placed=False)",
        "{r.key: r for r in transaction.rows_by_key(source.name, sorted(keys))}",
        f"{UNIT}/test_lock_before_read.py",
    ),
    # -- nothing lost between two steps ------------------------------------------------------------
    Guard(
        "offset after the transaction",
        f"{ENGINE}/consumer/loop.py",
        "        handled = self._processor.process(",
        "        self._messages.commit({TopicPartition(m.topic, m.partition): "
        "m.offset + 1 for m in going})\n"
        "        handled = self._processor.process(",
        f"{LOOP}::test_offsets_are_committed_after_rows_and_progress",
    ),
    Guard(
        "durable marks",
        f"{ENGINE}/projection/stage.py",
        "        transaction.mark(alone, now)\n",
        "        pass\n",
        f"{ANY_ORDER}::test_who_dies_between_its_two_transactions_leaves_marks_that_others_finish",
    ),
    Guard(
        "a stale event finishes marks",
        f"{ENGINE}/projection/stage.py",
        "    if left - fresh:\n",
        "    if False:\n",
        f"{ANY_ORDER}::test_who_dies_between_its_two_transactions_leaves_marks_that_others_finish",
    ),
    Guard(
        "a newer mark is not cleared",
        "pipeline/database/state/marks.py",
        (
            "        sql = self._session.dialect.delete(self._table, (*_KEY, _NUMBER))\n"
            "        self._session.run(\n"
            '            "due",\n'
            "            sql,\n"
            "            sorted({(mark.kind, mark.key, mark.number) for mark in marks}),\n"
        ),
        (
            "        sql = self._session.dialect.delete(self._table, _KEY)\n"
            "        self._session.run(\n"
            '            "due",\n'
            "            sql,\n"
            "            sorted({(mark.kind, mark.key) for mark in marks}),\n"
        ),
        f"{TARGET}::test_a_newer_mark_is_never_cleared_by_whoever_read_an_older",
    ),
    Guard(
        "start at the smaller offset",
        "pipeline/kafka/starts.py",
        "min(starts[tp], offset)",
        "max(starts[tp], offset)",
        (
            "tests/contracts/test_messages.py"
            "::test_a_partition_starts_at_the_smaller_of_the_stored_and_the_committed_offset"
        ),
    ),
    Guard(
        "an offset that is gone",
        "pipeline/kafka/starts.py",
        "        refuse_lost_start(tp, start, *present.get(tp, (0, 0)))\n",
        "        starts[tp] = min(max(start, present[tp][0]), present[tp][1])\n",
        (
            "tests/contracts/test_messages.py"
            "::test_an_offset_that_retention_has_passed_is_told_and_never_jumped_over"
        ),
    ),
    Guard(
        "sweep",
        f"{ENGINE}/projection/loading.py",
        "            while self._sweep(table, epoch):\n                pass\n",
        "            pass\n",
        (
            "tests/integration/test_capture.py"
            "::test_rows_deleted_while_nobody_captured_are_swept_by_the_next_snapshot"
        ),
    ),
    # -- what is not known is not written ----------------------------------------------------------
    Guard(
        "unavailable value",
        "pipeline/decoding/event.py",
        "if _UNAVAILABLE_BYTES in body:",
        "if False:",
        (
            "tests/unit/decoding/test_event.py"
            "::test_a_value_that_the_connector_could_not_read_is_absent"
        ),
    ),
    Guard(
        "unknown stays unknown",
        f"{ENGINE}/projection/guard.py",
        "unknown = was_unknown - event.row.keys()",
        "unknown = frozenset[str]()",
        f"{UNIT}/test_guard.py::test_a_column_that_was_never_sent_stays_unknown",
    ),
    Guard(
        "not loaded is unknown",
        f"{ENGINE}/projection/recompute.py",
        "loaded = transaction.loaded()",
        "loaded = frozenset(source.name for source in self.route.sources)",
        f"{PROCESSOR}::test_a_pim_that_is_filled_is_not_blanked_while_the_mirror_fills",
    ),
    Guard(
        "not loaded, until the transaction ends",
        "pipeline/database/state/loads.py",
        (
            '        self._session.tell("source_table", '
            "self._session.dialect.hold_table(self._table))\n"
        ),
        "",
        (
            "tests/contracts/test_twin.py"
            "::test_what_was_found_not_loaded_stays_so_until_the_transaction_ends"
        ),
    ),
    Guard(
        "not loaded, until the transaction ends, in memory",
        "tests/twins/progress.py",
        '        self._session.lock("source_table", (), Strength.HOLD)\n',
        "",
        f"{UNIT}/test_loaded_meanwhile.py",
    ),
    Guard(
        "write only what differs",
        "pipeline/database/systems/target_tables.py",
        "        only_if=lambda images: dialect.differs(images, written),\n",
        "",
        f"{TARGET}::test_an_upsert_creates_changes_and_leaves_alone_and_tells_them_apart",
    ),
    Guard(
        "write only what differs, as PIM's log shows it",
        "pipeline/database/systems/target_tables.py",
        "        only_if=lambda images: dialect.differs(images, written),\n",
        "",
        f"{FAULT}[two groups]",
    ),
    # -- waiting and ending ------------------------------------------------------------------------
    Guard(
        "a failed transaction takes no statement",
        "pipeline/database/sql/session.py",
        "        if self._failure is not None:\n            raise",
        "        if False:\n            raise",
        "tests/unit/database/test_session.py::test_a_session_whose_statement_failed_sends_no_other",
    ),
    Guard(
        "an answer is read to its end",
        "pipeline/database/sql/statements.py",
        "            while cursor.nextset():\n                pass\n",
        "",
        "tests/unit/database/test_session.py::test_every_answer_is_read_to_its_end",
    ),
    Guard(
        "trailing blanks are a difference",
        "pipeline/database/sql/tsql.py",
        "(CAST({column} AS nvarchar(max)) + N'|')",
        "CAST({column} AS nvarchar(max))",
        "tests/unit/database/test_tsql.py::test_a_change_of_trailing_blanks_is_a_change",
    ),
    Guard(
        "a number in a row's value is no error number",
        "pipeline/database/sql/errors.py",
        '    if state.startswith(("22", "23")):',
        "    if False:",
        (
            "tests/unit/database/test_classify.py"
            "::test_a_rows_value_in_the_text_is_neither_a_number_nor_a_name"
        ),
    ),
    Guard(
        "retry",
        f"{ENGINE}/consumer/retry.py",
        "return retrying(call)",
        "return call()",
        f"{LOOP}::test_a_database_that_is_away_when_a_batch_begins_is_waited_for",
    ),
    Guard(
        "a waiting member stays in its group",
        f"{ENGINE}/consumer/retry.py",
        "            self._rest(min(left, 0.5))\n",
        "            pass\n",
        f"{LOOP}::test_who_waits_stays_a_member",
    ),
    Guard(
        "a stop while waiting",
        f"{ENGINE}/consumer/retry.py",
        "            if self._stop():\n                raise Stopped\n",
        "",
        f"{LOOP}::test_a_stop_while_a_batch_waits_abandons_it",
    ),
    Guard(
        "an error of one member ends the others",
        "pipeline/operations/run.py",
        "            failed.set()\n",
        "",
        "tests/unit/operations/test_run.py"
        "::test_an_error_of_one_member_ends_the_others_and_is_raised",
    ),
    Guard(
        "a start waits, too",
        "pipeline/operations/run.py",
        (
            "            loop = patience.attempt(\n"
            "                lambda: resources.enter_context(\n"
            "                    route.consumer(settings, telemetry, health, ending, number)\n"
            "                )\n"
            "            )\n"
        ),
        (
            "            loop = resources.enter_context(\n"
            "                route.consumer(settings, telemetry, health, ending, number)\n"
            "            )\n"
        ),
        f"{FAULT}[started without database]",
    ),
    Guard(
        "SIGTERM drains",
        "pipeline/cli/run.py",
        "        signal.signal(number, lambda *_: stop.set())\n",
        "        pass\n",
        f"{FAULT}[drained]",
    ),
    Guard(
        "commit what is ours alone",
        "pipeline/kafka/consumer.py",
        "{tp: at for tp, at in next_offsets.items() if tp in self._buffer.assigned}",
        "dict(next_offsets)",
        "tests/contracts/test_messages.py::"
        "test_offsets_of_our_partitions_are_committed_where_the_standard_tools_see_them",
    ),
    Guard(
        "a partition that comes back is read",
        "pipeline/kafka/consumer.py",
        "        (self._consumer.pause if self._waiting else self._consumer.resume)(placed)\n",
        "        if self._waiting:\n            self._consumer.pause(placed)\n",
        (
            "tests/contracts/test_messages.py"
            "::test_a_partition_that_left_while_it_was_not_read_and_comes_back_is_read"
        ),
    ),
    Guard(
        "revoke drops what was held back",
        "pipeline/kafka/buffer.py",
        "[m for m in self._messages if (m.topic, m.partition) not in partitions]",
        "[*self._messages]",
        (
            "tests/unit/kafka/test_revoked.py"
            "::test_what_was_held_back_of_a_partition_that_left_is_dropped"
        ),
    ),
    Guard(
        "revoke drops what comes after it",
        "pipeline/kafka/buffer.py",
        "        if (message.topic, message.partition) in self.assigned:",
        "        if True:",
        (
            "tests/unit/kafka/test_revoked.py"
            "::test_a_message_that_comes_after_its_partition_left_is_dropped"
        ),
    ),
    Guard(
        "a halted partition is paused",
        f"{ENGINE}/consumer/halting.py",
        "        if halted:\n            self.pause()\n",
        "",
        f"{LOOP}::test_a_halted_partition_is_not_read_on",
    ),
    Guard(
        "a halted partition stays halted",
        f"{ENGINE}/consumer/loop.py",
        "[m for m in messages if (m.topic, m.partition) not in self._halting]",
        "list(messages)",
        f"{LOOP}::test_a_halted_partition_that_leaves_and_comes_back_is_still_halted",
    ),
    # -- what cannot be processed ------------------------------------------------------------------
    Guard(
        "a rejected batch is bisected",
        f"{ENGINE}/projection/recomputing.py",
        "                if queue.bisect(roots):\n                    continue\n",
        "",
        (
            f"{PROCESSOR}"
            "::test_rows_that_the_target_rejects_wait_alone_and_the_rest_of_the_batch_is_written"
        ),
    ),
    Guard(
        "dead letter before the offset",
        f"{ENGINE}/consumer/intake.py",
        "        self._dead_letters.send(message, error)\n",
        (
            "        try:\n            self._dead_letters.send(message, error)\n        except "
            "PipelineError:\n            pass\n"
        ),
        f"{PROCESSOR}::test_a_dead_letter_that_cannot_be_written_halts_its_partition",
    ),
    Guard(
        "dead letter acknowledged",
        "pipeline/kafka/dead_letters.py",
        "        if answers[0] is not None:\n",
        "        if False:\n",
        f"{FAULT}[letters unwritable]",
    ),
    Guard(
        "a table that joins a connector needs a snapshot",
        "pipeline/operations/connectors.py",
        "    if captured and new:\n",
        "    if False:\n",
        (
            "tests/unit/operations/test_connectors.py"
            "::test_a_table_that_joins_a_connector_without_a_snapshot_is_refused_by_name"
        ),
    ),
    Guard(
        "circuit: in a row",
        f"{ENGINE}/consumer/circuit.py",
        "if self.in_a_row[partition] >= self.limits.in_a_row:",
        "if False:",
        f"{UNIT}/test_circuit.py::test_too_many_in_a_row_open_it_and_a_good_one_closes_the_row",
    ),
    Guard(
        "circuit: share",
        f"{ENGINE}/consumer/circuit.py",
        (
            "        if (\n"
            "            len(window) == self.limits.window\n"
            "            and sum(window) >= self.limits.share * self.limits.window\n"
            "        ):\n"
        ),
        "        if False:\n",
        f"{UNIT}/test_circuit.py::test_a_share_of_the_last_messages_opens_it",
    ),
    Guard(
        "circuit outlives the process",
        f"{ENGINE}/consumer/intake.py",
        "            self._circuit.in_a_row[partition] = stored.dead_in_a_row\n",
        "            pass\n",
        f"{PROCESSOR}::test_a_circuit_that_opens_stops_before_the_message_that_would_be_too_many",
    ),
    Guard(
        "a schema id that is unknown for too long",
        f"{ENGINE}/consumer/unknown_schemas.py",
        "SchemaLost if now - since > self._lost_after_seconds else SchemaUnknown",
        "SchemaUnknown",
        f"{PROCESSOR}::test_a_schema_id_unknown_for_too_long_halts_and_is_never_set_aside",
    ),
    Guard(
        "a registry that is down is waited for",
        f"{ENGINE}/consumer/intake.py",
        "        decoded = attempt(once)\n",
        "        decoded = found\n",
        "tests/unit/engine/test_registry_away.py::test_a_registry_that_is_away_is_waited_for",
    ),
    Guard(
        "contract",
        "pipeline/decoding/contract.py",
        "        if broken:\n",
        "        if False:\n",
        (
            "tests/unit/decoding/test_contract.py"
            "::test_a_missing_column_halts_naming_column_line_and_schema"
        ),
    ),
    # -- wrong ground ------------------------------------------------------------------------------
    Guard(
        "source rewound",
        f"{ENGINE}/projection/stage.py",
        "                raise Rewound(event)\n",
        "                pass\n",
        (
            f"{PROCESSOR}"
            "::test_a_source_that_was_rewound_halts_and_writes_nothing_of_its_partition_from_there"
        ),
    ),
    Guard(
        "target restored",
        f"{ENGINE}/consumer/restore_detection.py",
        "        if there < before:\n",
        "        if False:\n",
        (
            "tests/failures/test_restored.py"
            "::test_a_target_that_went_back_is_refused_before_its_next_offset_moves"
        ),
    ),
    Guard(
        "topic made anew",
        f"{ENGINE}/consumer/start.py",
        "progress.next_offset if progress.incarnation == present[one.topic] else BEGINNING",
        "progress.next_offset",
        f"{UNIT}/test_start.py::test_a_topic_made_anew_starts_at_its_beginning_whatever_is_stored",
    ),
    Guard(
        "more partitions",
        f"{ENGINE}/consumer/start.py",
        "if before.topic_id == present.topic_id and before.partitions != present.partitions:",
        "if False:",
        f"{UNIT}/test_start.py::test_a_topic_with_another_number_of_partitions_is_refused",
    ),
    *HALT_GUARDS,
    *PIM_GUARDS,
    *ADDED_GUARDS,
    *TOTALS_GUARDS,
    *TREES_GUARDS,
    *LINKED_GUARDS,
    *OWNED_GUARDS,
    *ACCOUNTING_GUARDS,
    *ERROR_GUARDS,
    *SPEED_GUARDS,
)
