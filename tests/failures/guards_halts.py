"""The guards of what is halted and skipped, in the form of tests/failures/without.py."""

from __future__ import annotations

from tests.failures.guard import Guard

HALTING, INTAKE = "pipeline/engine/consumer/halting.py", "pipeline/engine/consumer/intake.py"
RENEWED = "tests/failures/test_renewed.py"
SKIPPED = "pipeline/engine/consumer/skipped.py"
TEST = "tests/failures/test_halting.py"
CONTRACT = "tests/contracts/test_halts.py"
LOOP, REFUSALS = "pipeline/engine/consumer/loop.py", "pipeline/engine/projection/refusals.py"
REFUSED, EXCHANGE = (
    "tests/unit/engine/test_refused_tables.py",
    "tests/integration/test_exchange_refused.py",
)

HALT_GUARDS = (
    Guard(
        "a halt is lifted where its partition is beyond it",
        HALTING,
        "there.incarnation != one.incarnation or there.next_offset > (one.offset or 0)",
        "False",
        f"{TEST}::test_what_a_consumer_left_behind_ends_where_the_new_owner_goes_on",
    ),
    Guard(
        "a halted partition is tried again where it was halted",
        HALTING,
        "            self._messages.seek(again)\n",
        "",
        f"{TEST}::test_a_halted_partition_is_tried_again_after_the_stated_time_and_not_before",
    ),
    Guard(
        "a skip names an incarnation of its topic",
        "pipeline/model/halt.py",
        "return incarnation == self.incarnation and self.first <= offset <= self.last",
        "return self.first <= offset <= self.last",
        f"{TEST}::test_what_was_not_named_halts",
    ),
    Guard(
        "a skipped message is recorded with its row's key",
        SKIPPED,
        "transaction.halts.note_skipped(batch.skipped, self._clock.now())",
        "pass",
        f"{TEST}::test_a_message_that_may_be_skipped_is_skipped_while_the_consumer_runs",
    ),
    Guard(
        "a row needs a backfill until a later event of it is handled",
        SKIPPED,
        "transaction.halts.forget_skipped(over)",
        "pass",
        f"{TEST}::test_a_row_is_marked_for_a_backfill_until_a_later_event_of_it_is_handled",
    ),
    Guard(
        "an event before a skipped message does not bring its row",
        SKIPPED,
        "return partition == one.partition and offset > one.offset",
        "return partition == one.partition",
        f"{TEST}::test_an_earlier_event_that_is_read_again_does_not_bring_a_skipped_row",
    ),
    Guard(
        "an event behind where its partition stopped does not bring a skipped row",
        SKIPPED,
        "if offset >= batch.handled.next_offsets[partition]:",
        "if False:",
        f"{TEST}::test_an_event_that_will_be_read_again_does_not_bring_a_skipped_row",
    ),
    Guard(
        "a mark for a backfill ends with the offset",
        INTAKE,
        "                self.skipping.store(transaction, batch)\n",
        "            with self._keeper.transaction() as transaction:\n"
        "                self.skipping.store(transaction, batch)\n",
        f"{TEST}::test_a_mark_for_a_backfill_ends_with_the_offset_of_the_event_that_ends_it",
    ),
    Guard(
        "a topic that is made again is noticed while it is read",
        LOOP,
        "        self._looked_at = self._clock.monotonic()\n        self._read_renewed()\n",
        "        self._looked_at = self._clock.monotonic()\n",
        f"{RENEWED}::test_a_topic_that_is_made_again_is_read_from_its_beginning",
    ),
    Guard(
        "an offset that is not in a topic that was made again is no loss",
        LOOP,
        "if lost and self._read_renewed():",
        "if False:",
        f"{RENEWED}::test_a_topic_that_is_made_again_with_fewer_messages_halts_nothing",
    ),
    Guard(
        "a topic that is missing is none that was made again",
        "pipeline/engine/consumer/start.py",
        "present.get(topic, one) != one",
        "present.get(topic) != one",
        f"{RENEWED}::test_a_topic_that_is_missing_is_waited_for",
    ),
    Guard(
        "a halt keeps its age",
        "tests/twins/halts.py",
        "if there and _why(there) == _why(one):",
        "if False:",
        f"{CONTRACT}::test_a_halt_keeps_its_age_as_long_as_it_is_the_same",
    ),
    Guard(
        "a partition that cannot be read halts alone",
        LOOP,
        "                one: HaltedAt(at.offset, numbers.get(one.topic, NEVER_SEEN), at.error)\n"
        "                for one, at in lost.items()\n",
        "",
        f"{TEST}::test_messages_that_retention_has_deleted_halt_their_partition_only",
    ),
    Guard(
        "a restored target is read again",
        LOOP,
        "        self._attempt(self._messages.restart)\n",
        "",
        f"{TEST}::test_a_restored_target_gets_what_it_lacks_without_a_person_and_without_an_end",
    ),
    Guard(
        "what a restored target does not know had no message",
        "pipeline/engine/consumer/start.py",
        "stored.get(one, Progress(NEVER_SEEN, BEGINNING)) for one in partitions}",
        "stored[one] for one in partitions if one in stored}",
        f"{TEST}::test_a_target_restored_to_before_its_first_message_is_read_from_the_beginning",
    ),
    Guard(
        "a message of the newest snapshot's epoch is not replaced by it",
        "pipeline/engine/consumer/reloads.py",
        "return self._known[key] > epoch",
        "return self._known[key] >= epoch",
        f"{TEST}::test_a_message_that_no_newer_snapshot_has_replaced_halts",
    ),
    Guard(
        "rows that need a table that refuses wait for it",
        REFUSALS,
        "            table = self.blocks(one)\n",
        "            table = None\n",
        f"{REFUSED}::test_a_right_that_is_missing_on_one_table_stops_no_other",
    ),
    Guard(
        "what waits for a table is tried again",
        REFUSALS,
        "if not self._is_trying and self._clock.monotonic() >= self._retry_at:",
        "if False:",
        f"{REFUSED}::test_what_waits_for_a_table_is_written_as_it_is_now_once_the_right_is_granted",
    ),
    Guard(
        "a table that refuses is not asked by every batch",
        REFUSALS,
        "if not self._is_trying and self._clock.monotonic() >= self._retry_at:",
        "if not self._is_trying:",
        f"{REFUSED}::test_a_table_that_refuses_is_asked_once_in_a_while",
    ),
    Guard(
        "links that are older than Ajera are not worked on",
        LOOP,
        "return self._step() if self._unsafe is None else self._stand(self._unsafe)",
        "return self._step()",
        "tests/failures/test_links_restored.py"
        "::test_links_that_are_older_than_ajera_halt_every_partition_and_no_process",
    ),
    Guard(
        "an event that a table refuses halts its partition before it",
        "pipeline/engine/exchange/processor.py",
        "            events = self._intake.halt_before(batch, event, error, events)\n",
        "            pass\n",
        f"{EXCHANGE}::test_a_renamed_column_halts_its_own_topics_and_no_process",
    ),
    Guard(
        "what no event would bring again is kept",
        "pipeline/engine/exchange/reconciler.py",
        "            self._kept.keep(self._kept.item_of(linked[0]), error, attempt)\n",
        "",
        f"{EXCHANGE}::test_what_belongs_to_a_row_that_is_linked_is_kept_while_its_table_refuses",
    ),
    Guard(
        "other tables of Ajera are written",
        "pipeline/engine/exchange/ajera_writer.py",
        "        if len(parts) > 1:\n",
        "        if False:\n",
        f"{EXCHANGE}::test_a_right_that_is_missing_on_a_table_of_ajera_stops_no_other",
    ),
    Guard(
        "what was lost before a partition was placed no longer counts",
        "pipeline/kafka/kept_error.py",
        "        self._lost = {**before, **lost}\n",
        "        self._lost = {**self._lost, **lost}\n",
        (
            "tests/contracts/test_messages.py"
            "::test_a_partition_that_was_set_in_vain_is_not_lost_once_it_is_set_where_it_can"
        ),
    ),
)
