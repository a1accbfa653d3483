"""A halted partition, from its first message to its last: what other processes see of it, when it
is tried again, and what a person can do.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.engine.consumer.batch import Batch
from pipeline.engine.consumer.loop import CHECK_INTERVAL_SECONDS, LoopSettings
from pipeline.engine.consumer.skipped import SkippedMessages
from pipeline.errors import (
    ContractBroken,
    PartitionsChanged,
    SchemaLost,
    SchemaUnknown,
    TargetBusy,
    TargetRefused,
)
from pipeline.model.event import Decoded, Message, Undecodable
from pipeline.model.halt import Halt, Skip, SkippedMessage, place_of
from pipeline.model.outcome import SkipReason
from pipeline.model.position import TopicPartition
from tests.failures.test_loop import GROUP, VEC, Busy, Member, loaded, never, stored_in
from tests.support.engine import TOPICS
from tests.support.events import NOON, event
from tests.twins.clock import Ticks
from tests.twins.turns import FreeTurns

BROKEN = Undecodable(ContractBroken("column vecName"))
UNKNOWN = Undecodable(SchemaUnknown("no schema 7"))
RETRY, TIMEOUT = 4.0, 300.0
CONTACT = TopicPartition(TOPICS["AxContact"], 0)
PACE = LoopSettings(retry_first_seconds=0.001, retry_most_seconds=0.001, halted_retry_seconds=RETRY)


def halts(member: Member) -> list[Halt]:
    with member.target.transaction() as transaction:
        return transaction.halts.halted()


def skipped(member: Member) -> list[SkippedMessage]:
    with member.target.transaction() as transaction:
        return transaction.halts.skipped()


def allow(member: Member, first: int, last: int, incarnation: int = 1) -> None:
    """What `ajera-cdc skip` does, in another process."""
    with member.target.transaction() as transaction:
        transaction.halts.skip([Skip(VEC, incarnation, first, last, "somebody", NOON)])


def seen(member: Member, topic_id: str) -> int:
    """The number of this incarnation of the topic."""
    with member.target.transaction() as transaction:
        return transaction.incarnation(VEC.topic, topic_id, 1)


def skip(member: Member, offset: int) -> None:
    """A person let this one message be skipped, and it was."""
    allow(member, offset, offset)
    for _ in range(2):
        after(member, CHECK_INTERVAL_SECONDS)
    assert [one.offset for one in skipped(member)] == [offset]


def heal(member: Member, offset: int) -> None:
    """The message at this offset can be decoded from now on."""
    member.consumer.prepare(VEC, offset, event("AxVec", 7, at=7, vecIsClient=True))


def after(member: Member, seconds: float) -> None:
    """This much later, the loop has gone round."""
    assert isinstance(member.clock, Ticks)
    member.clock.wait(timedelta(seconds=seconds))
    for _ in range(3):
        member.loop.step()


@pytest.fixture
def member() -> Member:
    return Member(never, pace=PACE, clock=Ticks(NOON))


def with_messages(member: Member, *decoded: Decoded | None) -> Member:
    for one in decoded:
        member.with_a_message(one)
    return member


# -- what others see -------------------------------------------------------------------------------


def test_a_halt_is_in_the_state_when_the_batch_that_met_it_is_over(member: Member) -> None:
    """Another process sees where, why and with whom, without asking the consumer."""
    with_messages(member, None, BROKEN).loop.step()
    (halt,) = halts(member)
    assert (halt.place, halt.partition, halt.incarnation, halt.offset) == (
        *(place_of(VEC), VEC),
        *(1, 1),
    )
    assert (halt.code, halt.sentence, halt.consumer) == (
        "decode.contract",
        BROKEN.error.sentence,
        "member",
    )
    assert member.telemetry.standing == {place_of(VEC): "decode.contract"}


def test_a_halt_ends_for_everybody_when_its_partition_goes_on(member: Member) -> None:
    """In the state, and in what the consumer itself tells."""
    with_messages(member, BROKEN).loop.step()
    heal(member, 0)
    after(member, RETRY)
    assert halts(member) == []
    assert member.telemetry.standing == {}
    assert member.broker.committed(GROUP) == {VEC: 1}


def test_who_takes_a_halted_partition_over_tells_of_it_with_the_same_age(member: Member) -> None:
    """It crashed, and left its word behind; the new owner met the same message."""
    with_messages(member, BROKEN).loop.step()
    (before,) = halts(member)
    member.messages.close()
    other = Member(never, pace=PACE, clock=Ticks(NOON), after=member, name="other")
    other.consumer.prepare(VEC, 0, BROKEN)
    other.loop.step()
    assert halts(other) == [replace(before, consumer="other")]


def test_what_a_consumer_left_behind_ends_where_the_new_owner_goes_on(member: Member) -> None:
    """It was put right in between, and nobody is told of a halt that is none any more."""
    with_messages(member, BROKEN).loop.step()
    member.messages.close()
    other = Member(never, pace=PACE, clock=Ticks(NOON), after=member)
    heal(other, 0)
    for _ in range(2):
        after(other, CHECK_INTERVAL_SECONDS)
    assert halts(other) == []


def test_a_consumer_that_lost_a_halted_partition_tells_no_more_of_it(member: Member) -> None:
    """Its gauge falls; the state stays as it is until somebody goes on."""
    with_messages(member, BROKEN).loop.step()
    other = Member(never, pace=PACE, clock=Ticks(NOON), after=member)
    other.consumer.prepare(VEC, 0, BROKEN)
    member.broker.leave(GROUP, member.messages)
    member.broker.join(GROUP, member.messages)  # behind the other one now
    after(member, 1)
    after(other, 1)
    after(member, 1)
    assert member.telemetry.standing == {}
    assert [halt.place for halt in halts(member)] == [place_of(VEC)]


def test_a_state_that_is_away_when_a_partition_halts_is_waited_for(member: Member) -> None:
    """As for everything else; then it says so."""
    with_messages(member, BROKEN)
    member.keeper.fails(3, TargetBusy("away"))
    member.loop.step()
    assert len(halts(member)) == 1


# -- trying again ----------------------------------------------------------------------------------


def test_a_halted_partition_is_tried_again_after_the_stated_time_and_not_before(
    member: Member,
) -> None:
    """And tells nothing new as long as it is the same."""
    with_messages(member, BROKEN, None).loop.step()
    (first,) = halts(member)
    heal(member, 0)
    after(member, RETRY / 2)
    assert halts(member) == [first]
    assert member.messages.polled == [0, 1]
    after(member, RETRY / 2)
    assert member.messages.polled == [0, 1, 0, 1]
    assert member.broker.committed(GROUP) == {VEC: 2}


def test_a_partition_that_is_tried_in_vain_stands_where_it_stood(member: Member) -> None:
    """Nothing is committed, and its age stays."""
    with_messages(member, BROKEN).loop.step()
    first = halts(member)
    for _ in range(3):
        after(member, RETRY)
    assert halts(member) == first
    assert member.telemetry.halts == 1
    assert member.broker.committed(GROUP) == {}


# -- a schema id that the registry does not know ---------------------------------------------------


def test_an_unknown_schema_id_stops_its_own_partition_only(member: Member) -> None:
    """The other tables go on at once: the whole loop waited for five minutes."""
    with_messages(member, None, UNKNOWN)
    member.broker.produce(CONTACT.topic, b"")
    member.consumer.prepare(CONTACT, 0, event("AxContact", 1, at=1))
    member.loop.step()
    assert member.broker.committed(GROUP) == {VEC: 1, CONTACT: 1}
    (halt,) = halts(member)
    assert (halt.code, halt.offset) == ("registry.unknown", 1)
    assert f"{VEC.topic} partition 0 offset 1: no schema 7" in halt.sentence


def test_a_schema_id_that_becomes_known_is_read_within_seconds(member: Member) -> None:
    """No person has to come."""
    with_messages(member, UNKNOWN).loop.step()
    heal(member, 0)
    after(member, 5)
    assert halts(member) == []
    assert member.broker.committed(GROUP) == {VEC: 1}


def test_a_schema_id_unknown_for_too_long_halts_its_partition(member: Member) -> None:
    """From when it was first met, through all tries."""
    with_messages(member, UNKNOWN).loop.step()
    for _ in range(9):
        after(member, TIMEOUT / 10)
    assert [halt.code for halt in halts(member)] == [SchemaUnknown.code]
    after(member, TIMEOUT / 10 + 1)
    assert [halt.code for halt in halts(member)] == [SchemaLost.code]


# -- skipping --------------------------------------------------------------------------------------


def test_a_message_that_may_be_skipped_is_skipped_while_the_consumer_runs(member: Member) -> None:
    """It ends with an outcome, and is noted with its row's key for a backfill."""
    member.with_a_message(BROKEN).with_a_message(key=8).loop.step()
    allow(member, 0, 0)
    after(member, CHECK_INTERVAL_SECONDS)
    assert member.broker.committed(GROUP) == {VEC: 2}
    assert member.telemetry.ended["skipped", "operator"] == 1
    assert skipped(member) == [
        SkippedMessage(VEC, 1, 0, '{"vecKey":7}', "decode.contract", SkipReason.OPERATOR)
    ]
    assert halts(member) == []


def test_what_can_be_applied_is_applied_though_it_may_be_skipped(member: Member) -> None:
    """A range up to where a table is good again loses nothing that it need not."""
    for key, decoded in enumerate((BROKEN, None, BROKEN, None)):
        member.with_a_message(decoded, key)
    member.loop.step()
    allow(member, 0, 3)
    after(member, CHECK_INTERVAL_SECONDS)
    assert [one.offset for one in skipped(member)] == [0, 2]
    assert member.telemetry.ended["written", ""] == 2


def test_what_was_not_named_halts(member: Member) -> None:
    """Nor what has the same offset in a topic that was made anew."""
    with_messages(member, BROKEN, BROKEN).loop.step()
    allow(member, 1, 9)
    allow(member, 0, 0, incarnation=2)
    after(member, CHECK_INTERVAL_SECONDS)
    assert [halt.offset for halt in halts(member)] == [0]
    assert skipped(member) == []


def test_what_may_be_skipped_is_forgotten_once_the_partition_is_beyond_it(member: Member) -> None:
    """It says nothing of what comes later."""
    with_messages(member, BROKEN).loop.step()
    allow(member, 0, 0)
    for _ in range(3):
        after(member, CHECK_INTERVAL_SECONDS)
    with member.target.transaction() as transaction:
        assert transaction.halts.skips() == []


def test_a_row_is_marked_for_a_backfill_until_a_later_event_of_it_is_handled(
    member: Member,
) -> None:
    """One that stands before the message, or is of another row, brings nothing."""
    assert seen(member, "id") == 1
    member.with_a_message().with_a_message(BROKEN).with_a_message(key=8).loop.step()
    skip(member, 1)
    member.with_a_message(key=8).loop.step()
    assert [one.offset for one in skipped(member)] == [1]
    member.with_a_message().loop.step()
    assert skipped(member) == []


def test_an_earlier_event_that_is_read_again_does_not_bring_a_skipped_row(member: Member) -> None:
    """A replay, say: it is as old as it was."""
    assert seen(member, "id") == 1
    with_messages(member, None, BROKEN).loop.step()
    skip(member, 1)
    member.messages.seek({VEC: 0})
    member.loop.step()
    assert member.telemetry.ended["skipped", "stale"] == 1
    assert [one.offset for one in skipped(member)] == [1]


def test_an_event_that_will_be_read_again_does_not_bring_a_skipped_row(member: Member) -> None:
    """It had ended when its partition stopped before it: what the offsets do not hold is open."""
    noted = SkippedMessage(VEC, 1, 3, '{"vecKey":7}', "decode.contract", SkipReason.OPERATOR)
    skipping, batch = (
        SkippedMessages(member.target, Ticks(NOON)),
        Batch(incarnations={VEC.topic: 1}),
    )
    with member.target.transaction() as transaction:
        transaction.halts.note_skipped([noted], NOON)
    skipping.read(lambda call: call())
    ended = event("AxVec", 7, offset=7)
    batch.add([ended], [Message(VEC.topic, 0, 7, b'{"vecKey":7}', b"")])
    skipping.handled(batch, ended)
    for end, left in ((7, [noted]), (8, [])):
        batch.handled.next_offsets[VEC] = end
        with member.target.transaction() as transaction:
            skipping.store(transaction, batch)
        assert skipped(member) == left


def test_a_later_event_in_the_batch_of_a_skipped_message_brings_its_row(member: Member) -> None:
    """Nothing is left to be read again."""
    with_messages(member, BROKEN, None).loop.step()
    allow(member, 0, 0)
    for _ in range(2):
        after(member, CHECK_INTERVAL_SECONDS)
    assert member.telemetry.ended["skipped", "operator"] == 1
    assert skipped(member) == []


def test_a_row_stays_marked_while_its_later_event_is_not_handled(member: Member) -> None:
    """That one cannot be decoded either."""
    with_messages(member, BROKEN, BROKEN).loop.step()
    skip(member, 0)


def test_who_takes_a_partition_over_knows_what_was_skipped_of_it(member: Member) -> None:
    """Also in a topic that was made again, whose offsets begin anew."""
    assert seen(member, "id") == 1
    with_messages(member, None, BROKEN).loop.step()
    skip(member, 1)
    member.messages.close()
    assert seen(member, "again") == 2
    other = Member(never, pace=PACE, clock=Ticks(NOON), after=member, incarnation=lambda _: 2)
    again = event("AxVec", 7, at=9, offset=2, incarnation=2, vecIsClient=True)
    other.with_a_message(again).loop.step()
    assert skipped(other) == []


class Refusing(FreeTurns):
    """A state that refuses one statement."""

    def reached(self, point: str) -> None:
        if point == "forget_skipped":
            raise TargetRefused(point)


def test_a_mark_for_a_backfill_ends_with_the_offset_of_the_event_that_ends_it(
    member: Member,
) -> None:
    """Both or neither."""
    with_messages(member, BROKEN).loop.step()
    skip(member, 0)
    member.target.turns = Refusing()
    with pytest.raises(TargetRefused):
        member.with_a_message().loop.step()
    assert stored_in(member.target, [VEC]) == {VEC: 1}
    assert [one.offset for one in skipped(member)] == [0]


# -- a newer snapshot ------------------------------------------------------------------------------


def of_epoch(epoch: int) -> Undecodable:
    return Undecodable(ContractBroken("column vecName"), "AxVec", epoch)


def snapshot_over(member: Member, epoch: int, incarnation: int = 1) -> None:
    """Somebody saw that the snapshot of this epoch has ended."""
    with member.target.transaction() as transaction:
        number = transaction.incarnation(VEC.topic, "id", 1)
        assert number == 1
        if incarnation != number:
            transaction.incarnation(VEC.topic, "again", 1)
        transaction.set_load_ends(VEC.topic, "AxVec", epoch, {0: 9})


def test_a_message_that_a_newer_snapshot_has_replaced_is_skipped_by_itself(
    member: Member,
) -> None:
    """Its row was read again behind it: putting the column right was not enough before."""
    with_messages(member, of_epoch(1), None).loop.step()
    assert [halt.offset for halt in halts(member)] == [0]
    snapshot_over(member, 2)
    after(member, RETRY)
    assert halts(member) == []
    assert member.telemetry.ended["skipped", "reloaded"] == 1
    assert member.telemetry.ended["written", ""] == 1
    assert skipped(member) == []


@pytest.mark.parametrize(("epoch", "over", "incarnation"), [(2, 2, 1), (0, 2, 1), (1, 2, 2)])
def test_a_message_that_no_newer_snapshot_has_replaced_halts(
    member: Member, epoch: int, over: int, incarnation: int
) -> None:
    """Of the snapshot's own epoch, of one that cannot be told, or in an older topic."""
    with_messages(member, of_epoch(epoch)).loop.step()
    snapshot_over(member, over, incarnation)
    after(member, RETRY)
    assert [halt.offset for halt in halts(member)] == [0]


# -- offsets that are gone -------------------------------------------------------------------------


def lose(member: Member, count: int) -> None:
    """Retention deletes so many messages that nobody has read."""
    member.broker.delete_before(VEC.topic, VEC.partition, count)


def test_messages_that_retention_has_deleted_halt_their_partition_only(member: Member) -> None:
    """The others are read on."""
    loaded(with_messages(member, None)).loop.step()
    member.messages.close()
    with_messages(member, None, None, None)
    lose(member, 3)
    other = Member(never, pace=PACE, clock=Ticks(NOON), after=member)
    other.broker.produce(CONTACT.topic, b"")
    other.consumer.prepare(CONTACT, 0, event("AxContact", 1, at=1))
    for _ in range(2):
        other.loop.step()
    (halt,) = halts(other)
    assert (halt.place, halt.offset, halt.code) == (place_of(VEC), 1, "kafka.offset_lost")
    assert other.broker.committed(GROUP) == {VEC: 1, CONTACT: 1}


def test_what_is_lost_is_skipped_once_a_person_says_so(member: Member) -> None:
    """The partition is read from the oldest message that is left."""
    loaded(with_messages(member, None)).loop.step()
    member.messages.close()
    with_messages(member, None, None, None)
    lose(member, 3)
    other = Member(never, pace=PACE, clock=Ticks(NOON), after=member)
    heal(other, 3)
    other.loop.step()
    allow(other, 1, 2)
    after(other, CHECK_INTERVAL_SECONDS)
    assert other.broker.committed(GROUP) == {VEC: 4}
    assert halts(other) == []


def test_a_topic_with_more_partitions_halts_and_no_other(member: Member) -> None:
    """Its rows have moved between partitions; those of other tables have not."""
    grown = PartitionsChanged("ajera.AxVec had 1 partitions, and has 2")
    other = Member(
        never,
        pace=PACE,
        clock=Ticks(NOON),
        incarnation=lambda topic: Busy(1, grown)(topic) if topic == VEC.topic else 1,
    )
    with_messages(other, None)
    other.broker.produce(CONTACT.topic, b"")
    other.consumer.prepare(CONTACT, 0, event("AxContact", 1, at=1))
    other.loop.step()
    assert [halt.code for halt in halts(other)] == ["kafka.partitions"]
    assert other.broker.committed(GROUP) == {CONTACT: 1}


# -- a target that was restored --------------------------------------------------------------------


def names(member: Member) -> int:
    return len(member.target.rows("Organization"))


def until_quiet(member: Member) -> None:
    for _ in range(4):
        after(member, CHECK_INTERVAL_SECONDS)


def test_a_restored_target_gets_what_it_lacks_without_a_person_and_without_an_end(
    member: Member,
) -> None:
    """The process runs on, says once that it was rewound, and when it has caught up."""
    loaded(with_messages(member, None)).loop.step()
    restore = member.target.backup()
    with_messages(member, None, None).loop.step()
    assert names(member) == 3
    restore()
    after(member, CHECK_INTERVAL_SECONDS)
    assert member.telemetry.rewinds == 1
    until_quiet(member)
    assert names(member) == 3
    assert stored_in(member.target, [VEC]) == {VEC: 3}
    assert member.telemetry.standing == {}


def test_a_target_restored_to_before_its_first_message_is_read_from_the_beginning(
    member: Member,
) -> None:
    """Whatever the group has committed: what was committed there is what the target has lost."""
    restore = member.target.backup()
    loaded(with_messages(member, None, None)).loop.step()
    restore()
    until_quiet(member)
    assert names(member) == 2
    assert member.telemetry.standing == {}


def test_a_target_that_is_restored_in_the_middle_of_a_batch_is_filled_again(
    member: Member,
) -> None:
    """What comes first to the copy stores nothing in it."""
    loaded(with_messages(member, None)).loop.step()
    restore = member.target.backup()
    with_messages(member, None).loop.step()
    restore()
    with_messages(member, None).loop.step()
    assert member.telemetry.standing == {"rewound": "target.restored"}
    until_quiet(member)
    assert names(member) == 3


def test_a_halted_partition_is_rewound_with_the_others(member: Member) -> None:
    """And halts again where it must."""
    loaded(with_messages(member, None)).loop.step()
    restore = member.target.backup()
    with_messages(member, None, BROKEN).loop.step()
    restore()
    until_quiet(member)
    assert [(halt.place, halt.offset) for halt in halts(member)] == [(place_of(VEC), 2)]
    assert names(member) == 2
