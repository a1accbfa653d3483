"""The guards of what was made faster, in the form of tests/failures/without.py."""

from __future__ import annotations

from tests.failures.guard import Guard

COMPILED = "tests/unit/decoding/test_compiled.py"
DECODER = "pipeline/decoding/compiled.py"
RUNS, OF_RUNS = "pipeline/decoding/runs.py", "tests/unit/decoding/test_runs.py"
DIRECT = "pipeline/engine/projection/direct.py"
LINES, OF_LINES = "pipeline/mapping/lines.py", "tests/unit/mapping/test_lines.py"
AT_ONCE = "pipeline/engine/projection/at_once.py"
BOTH_WAYS = (
    "tests/properties/test_any_at_once.py"
    "::test_what_one_statement_stages_is_what_the_row_by_row_way_stages"
)
PLAIN = "tests/contracts/test_plain.py"
SESSION = "pipeline/database/sql/session.py"
PLAIN_ROWS = "pipeline/database/state/plain_rows.py"
RECOMPUTING = "pipeline/engine/projection/recomputing.py"
STAGE = "pipeline/engine/projection/stage.py"
TOGETHER = "tests/unit/engine/test_together.py"
PROCESSOR, OFFSETS = (
    "pipeline/engine/projection/processor.py",
    "tests/unit/engine/test_stored_offsets.py",
)
PARKED = (
    "tests/unit/engine/test_processor.py"
    "::test_a_batch_whose_last_row_is_refused_stores_its_offset_after_that_was_parked"
)
COMMITS = "tests/unit/kafka/test_commits.py"
POSTPONED, UNDONE = (
    "pipeline/engine/projection/postponed.py",
    "pipeline/engine/consumer/undone.py",
)
OF_POSTPONED = "tests/unit/engine/test_postponed.py"
OF_TOTALS = "tests/unit/engine/test_postponed_totals.py"

SPEED_GUARDS = (
    Guard(
        "compiled reader: bytes left over",
        DECODER,
        '[*lines, "if p != len(b): raise ValueError"]',
        "lines",
        f"{COMPILED}::test_random_bodies_are_read_as_fastavro_reads_them",
    ),
    Guard(
        "compiled reader: a number of more than 64 bits",
        DECODER,
        "            if n >> _BITS:\n                raise ValueError\n",
        "",
        f"{COMPILED}::test_random_bodies_are_read_as_fastavro_reads_them",
    ),
    Guard(
        "compiled reader: a negative length",
        DECODER,
        "        raise ValueError  # below zero\n",
        "        return b[p - 1] >> 1, p\n",
        f"{COMPILED}::test_random_bodies_are_read_as_fastavro_reads_them",
    ),
    Guard(
        "compiled reader: a branch whose number takes two bytes",
        DECODER,
        "if not 0 < len(branches) <= _MOST_BRANCHES:",
        "if not branches:",
        f"{COMPILED}::test_a_branch_whose_number_takes_two_bytes_is_not_taken_for_another",
    ),
    Guard(
        "compiled reader: what is odd is asked of fastavro",
        "pipeline/decoding/avro.py",
        "                pass  # fastavro says what it is\n",
        "                raise\n",
        "tests/unit/decoding/test_totality.py::test_every_cut_of_a_good_message_is_set_aside",
    ),
    Guard(
        "the message's key is compared with the row's, also of many at once",
        RUNS,
        "yield f\"if m.key != {whole!r} % ({', '.join(given)},): return\"",
        'yield ""',
        f"{OF_RUNS}::test_a_key_that_is_not_the_rows_own_byte_for_byte_is_left_to_decode",
    ),
    Guard(
        "many messages at once: a key in which JSON writes a text in another way",
        RUNS,
        """ or '\\\\\\\\' in {name} or '\\"' in {name}""",
        "",
        f"{OF_RUNS}::test_keys_of_several_texts_are_those_that_decode_gives",
    ),
    Guard(
        "many messages at once: a text that was left unchanged",
        RUNS,
        "UNDERSCORE in b and UNAVAILABLE in b",
        "False",
        f"{OF_RUNS}::test_random_messages_are_read_together_as_each_is_read_alone",
    ),
    Guard(
        "many messages at once: what is odd is left to be read alone",
        RUNS,
        "        except (*ODD, PipelineError):\n",
        "        except PipelineError:\n",
        f"{OF_RUNS}::test_random_messages_are_read_together_as_each_is_read_alone",
    ),
    Guard(
        "many messages at once: messages under another schema",
        RUNS,
        " or b[:{HEADER.size}] != head",
        "",
        f"{OF_RUNS}::test_random_messages_are_read_together_as_each_is_read_alone",
    ),
    Guard(
        "direct: a row whose parent is missing is left to the marks",
        DIRECT,
        "    result.left.update((root.table, root.key) for root in left)\n",
        "",
        "tests/properties/test_any_direct.py",
    ),
    Guard(
        "direct: a row with an unknown column is left to the marks",
        DIRECT,
        "        if root.unknown:\n",
        "        if False:\n",
        "tests/unit/engine/test_direct.py"
        "::test_a_column_that_was_never_sent_is_not_written_as_null",
    ),
    Guard(
        "direct: what is left keeps its mark",
        "pipeline/engine/projection/stage.py",
        " - written.left\n",
        "\n",
        "tests/properties/test_any_direct.py",
    ),
    Guard(
        "direct: a table that gives rows of another kind, too, is marked",
        DIRECT,
        "if kept and len(kept) == len(ours) and not source.member:",
        "if kept and not source.member:",
        "tests/unit/engine/test_direct.py"
        "::test_a_table_that_also_gives_rows_that_hang_on_others_is_marked",
    ),
    Guard(
        "direct: a value that would have to be cut is left to the marks",
        "pipeline/mapping/plain.py",
        'if {name} is not None and len({name}) > {longest}: return None"',
        'if False: return None"',
        "tests/unit/mapping/test_plain.py::test_a_plain_row_is_what_build_and_fit_give",
    ),
    Guard(
        "lines at once: a root of which a column is unknown is left to the general way",
        LINES,
        "if root.retired_at or root.unknown:",
        "if root.retired_at:",
        f"{OF_LINES}::test_a_root_of_which_a_column_is_unknown_is_left_to_the_general_way",
    ),
    Guard(
        "lines at once: a value that would have to be cut is left to the general way",
        LINES,
        'yield f" if len({value}) > {most}: return None" if most != UNLIMITED else " pass"',
        'yield " pass"',
        f"{OF_LINES}::test_a_root_is_built_at_once_as_the_general_way_builds_it",
    ),
    Guard(
        "lines at once: a value for the making of a row is left to the general way",
        LINES,
        'yield f"if type(v{number}) is Kept: return None"',
        'yield "pass"',
        f"{OF_LINES}::test_a_value_for_the_making_of_a_row_is_left_to_the_general_way",
    ),
    Guard(
        "direct: what is read back is left to the marks",
        DIRECT,
        "                if one.target not in observed\n",
        "",
        "tests/unit/engine/test_direct.py::test_what_is_read_back_is_not_written_directly",
    ),
    Guard(
        "at once: an event that is not after its row is left out",
        PLAIN_ROWS,
        "{new('position')} > {old('position')} AND ",
        "",
        f"{PLAIN}::test_what_is_applied_is_what_the_guard_says",
    ),
    Guard(
        "at once: an event before its row's offset is left out",
        PLAIN_ROWS,
        " AND {new('offset')} <= {old('offset')})",
        " AND false)",
        f"{PLAIN}::test_what_is_applied_is_what_the_guard_says",
    ),
    Guard(
        "at once: an event of an older epoch is left out",
        PLAIN_ROWS,
        "{new('epoch')} >= {old('epoch')}",
        "true",
        f"{PLAIN}::test_what_is_applied_is_what_the_guard_says",
    ),
    Guard(
        "at once: a row that is partly unknown is left out",
        PLAIN_ROWS,
        " AND {old('unknown')} = ''",
        "",
        f"{PLAIN}::test_what_is_applied_is_what_the_guard_says",
    ),
    Guard(
        "at once: a row that is retired is left out",
        PLAIN_ROWS,
        " AND {old('retired_at')} = '' AND NOT {old('deleted')}",
        "",
        f"{PLAIN}::test_what_is_applied_is_what_the_guard_says",
    ),
    Guard(
        "at once: a row whose writer did not know a column is left out",
        PLAIN_ROWS,
        "only_if=lambda images: _guard(images, version)",
        'only_if=lambda images: _guard(images, "")',
        "tests/contracts/test_added_columns.py"
        "::test_a_row_whose_writer_did_not_know_a_column_is_staged_row_by_row",
    ),
    Guard(
        "at once: a row's next event does not move where others saw it change last",
        PLAIN_ROWS,
        " THEN {images.old('position')} ELSE",
        " THEN '{AT_POSITION}' ELSE",
        f"{PLAIN}::test_what_is_applied_is_what_the_guard_says",
    ),
    Guard(
        "at once: what was true once stays",
        PLAIN_ROWS,
        "COALESCE({images.old(name)}, false) OR ",
        "",
        f"{PLAIN}::test_what_is_applied_is_what_the_guard_says",
    ),
    Guard(
        "a row that is read of which a column is unknown is no plain one",
        "pipeline/database/state/ledger_reader.py",
        "other(answer) if {at['unknown']} else {made}",
        "{made}",
        "tests/contracts/test_target.py::test_a_row_that_is_read_without_its_place_holds_all_else",
    ),
    Guard(
        "at once: an event without a whole image is staged row by row",
        AT_ONCE,
        "if len(event.row) != width or event.operation is Operation.DELETE:",
        "if event.operation is Operation.DELETE:",
        BOTH_WAYS,
    ),
    Guard(
        "at once: what the statement left out is staged row by row",
        AT_ONCE,
        "or one.key not in changes]",
        "]",
        BOTH_WAYS,
    ),
    Guard(
        "at once: a further event of a row keeps the marks of the first",
        AT_ONCE,
        "StagedEvent(event, None, tuple(sorted({*one.pairs, *pairs})))",
        "StagedEvent(event, None, one.pairs)",
        BOTH_WAYS,
    ),
    Guard(
        "a value that cannot be copied is refused like a row",
        SESSION,
        "except (*_NO_SUCH_VALUE, ",
        "except (",
        f"{PLAIN}::test_a_value_that_cannot_be_copied_is_refused_like_a_row",
    ),
    Guard(
        "rows of other columns get a staging table of their own",
        SESSION,
        "','.join((place, *types))",
        "place",
        f"{PLAIN}::test_rows_of_other_columns_get_a_staging_table_of_their_own",
    ),
    Guard(
        "together: a mark that others look for is a row of its own",
        STAGE,
        "        if any(path.prefixes for path in mapping.paths)\n",
        "        if False\n",
        f"{TOGETHER}::test_a_row_that_waits_for_a_parent_keeps_a_mark_of_its_own",
    ),
    Guard(
        "together: a stale event takes what a large batch left",
        STAGE,
        "        fresh |= transaction.take_together()\n",
        "        pass\n",
        f"{TOGETHER}::test_a_stale_event_finishes_what_a_large_batch_left",
    ),
    Guard(
        "together: an idle process takes what a large batch left",
        RECOMPUTING,
        "                taken = transaction.take_together(now - timedelta(seconds=1))\n",
        "                taken = None\n",
        f"{TOGETHER}::test_an_idle_process_finishes_what_a_large_batch_left",
    ),
    Guard(
        "together: what was taken is marked in the same transaction",
        RECOMPUTING,
        "                    transaction.mark(marks, now)\n",
        "",
        f"{TOGETHER}::test_who_took_what_was_left_and_dies_leaves_marks",
    ),
    Guard(
        "together: the row is gone when all is recomputed",
        RECOMPUTING,
        "    _clear(transaction, together)\n    if store",
        "    if store",
        f"{TOGETHER}::test_many_marks_are_one_row_and_gone_when_all_is_recomputed",
    ),
    Guard(
        "together: the row is gone also when the last of them is refused",
        RECOMPUTING,
        "            attempt(partial(self._clear_together, together))\n",
        "            pass\n",
        PARKED,
    ),
    Guard(
        "offsets with the events: after the recompute",
        PROCESSOR,
        "            if store is not None and (staged.is_postponed or not staged.marks):\n",
        "            if store is not None:\n",
        f"{OFFSETS}::test_who_dies_before_the_recompute_has_not_stored_the_offset",
    ),
    Guard(
        "postponed: no event whose end depends on it",
        POSTPONED,
        " or not kinds <= direct.shared_kinds):",
        "):",
        f"{OF_POSTPONED}::test_rows_whose_own_target_rows_are_left_to_a_mark_are_not_postponed",
    ),
    Guard(
        "postponed: before the row changes again",
        POSTPONED,
        " or (shared_kind(event.table), event.key) in self._marks\n",
        "\n",
        f"{OF_POSTPONED}::test_a_row_that_changes_again_was_shown_as_it_was_before",
    ),
    Guard(
        "postponed: before other tables",
        POSTPONED,
        "            not (taken.takes(event.table) or event.table in self._retire_nothing)\n",
        "            False\n",
        f"{OF_POSTPONED}::test_events_of_other_tables_are_staged_after_what_was_postponed",
    ),
    Guard(
        "postponed totals: before a root is retired",
        POSTPONED,
        "            not (taken.takes(event.table) or event.table in self._retire_nothing)\n",
        "            False\n",
        f"{OF_TOTALS}::test_a_root_that_is_retired_shows_what_was_summed_up_until_then",
    ),
    Guard(
        "postponed totals: no event whose root decides how it ends",
        POSTPONED,
        " - {one.source for one in route.mappings}\n",
        "\n",
        f"{OF_TOTALS}::test_an_event_that_marks_a_root_is_not_postponed",
    ),
    Guard(
        "postponed totals: each row of marks is removed",
        POSTPONED,
        "            self._together.add(staged.together)\n",
        "            self._together = {staged.together}\n",
        f"{OF_TOTALS}::test_what_several_batches_marked_is_gone_when_it_is_summed_up",
    ),
    Guard(
        "postponed totals: a mark of its own is cleared",
        POSTPONED,
        " or pair not in self._marks:",
        " or pair:",
        f"{OF_TOTALS}::test_what_several_batches_marked_is_gone_when_it_is_summed_up",
    ),
    Guard(
        "postponed totals: no sooner than the last ones took",
        POSTPONED,
        "self._wait = max(self._seconds, min(seconds, MOST_SECONDS))",
        "self._wait = self._seconds",
        f"{OF_TOTALS}::test_a_recompute_waits_as_long_as_the_one_before_took",
    ),
    Guard(
        "postponed: bounded in time",
        UNDONE,
        "        if is_due:\n",
        "        if is_due and not messages:\n",
        f"{OF_POSTPONED}::test_while_messages_come_what_was_postponed_is_done_in_its_time",
    ),
    Guard(
        "postponed: a poll that ended for it is not an idle one",
        "pipeline/engine/consumer/undone.py",
        "if (messages or is_due) and",
        "if messages and",
        f"{OF_POSTPONED}::test_a_poll_that_ended_for_what_was_postponed_is_not_taken_for_an_idle_one",
    ),
    Guard(
        "postponed: what a process left that died, in a backlog",
        UNDONE,
        "BACKLOG_INTERVAL_SECONDS if is_backlog else INTERVAL_SECONDS",
        "_NEVER_SECONDS if is_backlog else INTERVAL_SECONDS",
        f"{OF_POSTPONED}::test_a_backlog_does_not_hide_what_a_process_left_that_died",
    ),
    Guard(
        "postponed: not at a stop",
        "pipeline/engine/consumer/loop.py",
        "            self._processor.finish(self._attempt)\n",
        "",
        f"{OF_POSTPONED}::test_a_stop_leaves_nothing_postponed",
    ),
    Guard(
        "offsets with the events: the last recompute",
        RECOMPUTING,
        "ending = None if queue else partial(",
        "ending = partial(",
        f"{OFFSETS}::test_of_several_recomputes_the_last_one_stores_the_offset",
    ),
    Guard(
        "offsets with the events: the last part",
        PROCESSOR,
        "            staged.is_last = is_last and not staged.rest\n",
        "            staged.is_last = is_last\n",
        f"{OFFSETS}::test_a_batch_that_is_cut_stores_its_offset_with_the_last_part",
    ),
    Guard(
        "offsets with the events: not where the last row was refused",
        RECOMPUTING,
        "                ending = None\n",
        "                pass\n",
        PARKED,
    ),
    Guard(
        "offsets with the events: not where a message was set aside",
        "pipeline/engine/consumer/intake.py",
        "        if self.skipping.concerns(batch):\n            return {}\n",
        "",
        "tests/failures/test_halting.py"
        "::test_a_message_that_may_be_skipped_is_skipped_while_the_consumer_runs",
    ),
    Guard(
        "offsets with the events: not in a target that went back",
        "pipeline/engine/consumer/intake.py",
        "        self.history.advance(transaction, progress, self._clock.now())\n        return",
        "        transaction.advance(progress, self._clock.now())\n        return",
        "tests/failures/test_restored.py"
        "::test_a_target_that_went_back_is_refused_before_its_next_offset_moves",
    ),
    Guard(
        "no dead letter by a target that went back",
        PROCESSOR,
        "                    attempt(partial(self._refuse_restored, batch))\n",
        "",
        "tests/failures/test_restored.py"
        "::test_an_event_that_a_target_refuses_which_went_back_is_no_dead_letter",
    ),
    Guard(
        "a batch that stores no offset is not staged in a target that went back",
        PROCESSOR,
        "            if not staged.stored:\n",
        "            if False:\n",
        "tests/failures/test_restored.py"
        "::test_a_target_that_went_back_is_refused_before_its_events_are_staged",
    ),
    Guard(
        "a commit that failed is repeated and raised",
        "pipeline/kafka/commits.py",
        "            self._has_failed = True\n",
        "            pass\n",
        f"{COMMITS}::test_a_request_that_failed_is_repeated_waited_for_and_raised",
    ),
    Guard(
        "a commit that is under way is waited for before partitions leave",
        "pipeline/kafka/commits.py",
        "        self._sent, self._given = self._sent | self._given, {}\n        if not",
        "        self._sent, self._given = self._given, {}\n        if not",
        f"{COMMITS}::test_what_is_under_way_is_waited_for_before_partitions_leave",
    ),
    Guard(
        "an idle connection is asked before it is used",
        "pipeline/database/sql/idle.py",
        "engine.dialect.do_ping(connection)",
        "pass",
        "tests/integration/test_idle_connections.py"
        "::test_an_idle_connection_that_was_ended_is_replaced_before_it_is_used",
    ),
    Guard(
        "who may not make temporary tables goes row by row",
        SESSION,
        "    return copying if may else None\n",
        "    return copying if may is not None else None\n",
        "tests/integration/test_bulk.py::test_who_may_not_make_temporary_tables_stages_row_by_row",
    ),
    Guard(
        "members of one process have lasting names of their own",
        "pipeline/wiring/clients.py",
        "    if member > 1 and LASTING_NAME in found:\n",
        "    if False:\n",
        "tests/unit/wiring/test_membership.py"
        "::test_members_of_one_process_have_lasting_names_of_their_own",
    ),
    Guard(
        "marks that lead to too many rows are recomputed a part at a time",
        "pipeline/engine/projection/recomputing.py",
        "if not queue.bisect(marks):",
        "if True:",
        (
            "tests/unit/engine/test_stored_offsets.py"
            "::test_rows_that_lead_to_too_many_others_are_recomputed_a_part_at_a_time"
        ),
    ),
    Guard(
        "what is kept of a missing row does not keep what it came through",
        "pipeline/mapping/apply.py",
        "missing.append(error.kept())",
        "missing.append(error)",
        "tests/unit/engine/test_garbage.py::test_rows_that_wait_for_others_leave_nothing_behind",
    ),
)
