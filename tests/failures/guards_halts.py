"""The guards of what is halted and skipped, in the form of tests/failures/without.py."""

from __future__ import annotations

from tests.failures.guard import Guard

HALTING, INTAKE = "pipeline/engine/consumer/halting.py", "pipeline/engine/consumer/intake.py"
TEST = "tests/failures/test_halting.py"
CONTRACT = "tests/contracts/test_halts.py"

HALT_GUARDS = (
    Guard(
        "a halt is lifted where its partition is beyond it",
        HALTING,
        "there.incarnation != one.incarnation or there.next_offset > (one.offset or 0)",
        "False",
        f"{TEST}::test_what_a_consumer_left_behind_ends_where_the_new_owner_goes_on",
    ),
    Guard(
        "a halt of another consumer is not lifted while it lasts",
        HALTING,
        "there.incarnation != one.incarnation or there.next_offset > (one.offset or 0)",
        "True",
        f"{TEST}::test_who_takes_a_halted_partition_over_tells_of_it_with_the_same_age",
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
        INTAKE,
        "transaction.halts.note_skipped(batch.skipped, self._clock.now())",
        "pass",
        f"{TEST}::test_a_message_that_may_be_skipped_is_skipped_while_the_consumer_runs",
    ),
    Guard(
        "a halt keeps its age",
        "tests/twins/halts.py",
        "if there and _why(there) == _why(one):",
        "if False:",
        f"{CONTRACT}::test_a_halt_keeps_its_age_as_long_as_it_is_the_same",
    ),
)
