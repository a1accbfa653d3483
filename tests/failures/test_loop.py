"""The loop on the twins: what is transient is waited for wherever it comes, what is not ends it,
and a stop is a stop.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.engine.consumer.loop import CHECK_INTERVAL_SECONDS, PARKED, Loop, LoopSettings
from pipeline.engine.consumer.start import progress_of, stored_starts
from pipeline.engine.projection.loading import Loading
from pipeline.errors import (
    ContractBroken,
    ParkedTooMany,
    PipelineError,
    TargetBusy,
    TargetRefused,
)
from pipeline.model.event import Decoded, Message, Undecodable
from pipeline.model.ledger import Mark, Waiting
from pipeline.model.position import TopicPartition
from tests.support.engine import TOPICS, Clock, Consumer
from tests.support.events import NOON, event
from tests.twins.clock import Ticks
from tests.twins.messages import MemoryBroker, MemoryMessages
from tests.twins.target import MemoryTarget, MemoryTransaction

VEC = TopicPartition(TOPICS["AxVec"], 0)
GROUP = "loop"


class Busy:
    """Fails so many times, then gives 1."""

    def __init__(self, times: int, error: PipelineError) -> None:
        self._left = times
        self._error = error

    def __call__(self, topic: str) -> int:
        del topic
        self._left -= 1
        if self._left >= 0:
            raise self._error
        return 1


class Failing:
    """A target some of whose transactions fail as they begin."""

    def __init__(self, target: MemoryTarget) -> None:
        self._target = target
        self._left = 0
        self._error: PipelineError = TargetBusy("")

    def fails(self, times: int, error: PipelineError) -> None:
        self._left, self._error = times, error

    @contextmanager
    def transaction(self) -> Iterator[MemoryTransaction]:
        self._left -= 1
        if self._left >= 0:
            raise self._error
        with self._target.transaction() as transaction:
            yield transaction


class Watched(MemoryMessages):
    """A membership that notes its waits, what it handed out,
    and how the target stood at each commit.
    """

    def __init__(self, broker: MemoryBroker, target: MemoryTarget, **named: Any) -> None:
        super().__init__(broker, **named)
        self._target = target
        self.waits = 0
        self.polled: list[int] = []
        self.timeouts: list[float] = []
        self.commits: list[tuple[dict[TopicPartition, int], dict[TopicPartition, int], int]] = []

    def poll(self, limit: int, timeout_seconds: float) -> Sequence[Message]:
        self.timeouts.append(timeout_seconds)
        messages = super().poll(limit, timeout_seconds)
        self.polled += [message.offset for message in messages]
        return messages

    def wait(self, seconds: float) -> None:
        self.waits += 1
        super().wait(seconds)

    def commit(self, next_offsets: Mapping[TopicPartition, int]) -> None:
        stored = stored_in(self._target, next_offsets)
        self.commits.append(
            (
                dict(next_offsets),
                stored,
                len(self._target.rows("Organization")),
            )
        )
        super().commit(next_offsets)


def stored_in(
    target: MemoryTarget, partitions: Collection[TopicPartition]
) -> dict[TopicPartition, int]:
    with target.transaction() as transaction:
        return {one: held.next_offset for one, held in transaction.progress(partitions).items()}


class Member:
    """A loop whose topics are empty until they are given messages: clients,
    unless others are named. It stops when told.
    """

    def __init__(
        self,
        stop: Callable[[], bool],
        *,
        incarnation: Callable[[str], int] | None = None,
        pace: LoopSettings | None = None,
        clock: Ticks | None = None,
        after: Member | None = None,
        name: str = "member",
        restored: Callable[[], object] = lambda: None,
        renewed: Callable[[], Collection[str]] = tuple,
        forget: Callable[[], object] | None = None,
    ) -> None:
        """`after`: another one whose topics and target it takes over. `renewed`: topics that were
        made again. `forget`: what is known of incarnations, which count where it is given.
        """
        self.incarnation, self.forget = incarnation, forget
        self.broker: MemoryBroker = MemoryBroker() if after is None else after.broker
        self.target: MemoryTarget = MemoryTarget(AJERA_TO_PIM) if after is None else after.target
        self.clock = clock
        self.keeper = Failing(self.target)
        for topic in TOPICS.values() if after is None else ():
            self.broker.create_topic(topic)
        self.consumer = Consumer(self.target, [], clock=clock)
        self.telemetry = self.consumer.telemetry
        self.messages = Watched(
            self.broker,
            self.target,
            group=GROUP,
            topics=list(TOPICS.values()),
            stored_offsets=self.stored,
            on_assigned=lambda _: None,
            on_revoked=lambda _: None,
        )
        loading = Loading(
            route=AJERA_TO_PIM,
            topics=TOPICS,
            messages=self.messages,
            target=self.target,
            telemetry=self.consumer.telemetry,
            clock=clock or Clock(),
        )
        self.loop = Loop(
            messages=self.messages,
            processor=self.consumer.processor,
            keeper=self.keeper,
            loading=loading,
            incarnation=incarnation or Busy(0, TargetBusy("")),
            telemetry=self.telemetry,
            clock=clock or Clock(),
            pace=pace or LoopSettings(retry_first_seconds=0.001, retry_most_seconds=0.001),
            stop=stop,
            consumer=name,
            restored=restored,
            renewed=renewed,
        )

    def with_a_message(self, decoded: Decoded | None = None, key: int = 7) -> Member:
        offset = self.broker.produce(VEC.topic, b"", key=b'{"vecKey":%d}' % key)
        client = event(
            "AxVec",
            offset + 1,
            at=offset,
            vecIsClient=True,
            vecDescription="one",
        )
        self.consumer.prepare(VEC, offset, decoded or client)
        return self

    def stored(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        with self.target.transaction() as transaction:
            held = transaction.progress(partitions)
        self.consumer.processor.on_assigned(progress_of(partitions, held))
        if self.forget is not None and self.incarnation is not None:
            self.forget()
            return stored_starts(held, {one.topic: self.incarnation(one.topic) for one in held})
        return {one: of.next_offset for one, of in held.items()}


def never() -> bool:
    return False


def test_offsets_are_committed_after_rows_and_progress() -> None:
    """A crash at any point in between repeats a batch and loses none."""
    member = Member(never).with_a_message()
    member.loop.step()
    assert member.messages.commits == [({VEC: 1}, {VEC: 1}, 1)]


def test_a_database_that_is_away_when_a_batch_begins_is_waited_for() -> None:
    """What a topic's incarnation is, the database is asked: also that may fail,
    and must not end the process.
    """
    member = Member(never, incarnation=Busy(3, TargetBusy("away"))).with_a_message()
    assert member.loop.step() == 1
    assert member.broker.committed(GROUP) == {VEC: 1}


def test_who_waits_stays_a_member() -> None:
    """Each pause between two tries is spent in the membership, which answers the group."""
    member = Member(never, incarnation=Busy(3, TargetBusy("away"))).with_a_message()
    member.loop.step()
    assert member.messages.waits > 0


def test_what_trying_again_does_not_change_ends_the_loop_with_nothing_committed() -> None:
    """The group is left, so that somebody else may try."""
    member = Member(never, incarnation=Busy(1, TargetRefused("no"))).with_a_message()
    with pytest.raises(TargetRefused):
        member.loop.run()
    assert member.broker.committed(GROUP) == {}
    assert not member.broker.is_held(GROUP, VEC)


def test_a_stop_while_a_batch_waits_abandons_it() -> None:
    """Its offsets stay where they were, in the group and in the target."""
    asked = iter([False, True])
    member = Member(
        lambda: next(asked, True),
        incarnation=Busy(1_000, TargetBusy("away")),
    ).with_a_message()
    member.loop.run()
    assert member.broker.committed(GROUP) == {}
    assert member.stored([VEC]) == {}


def test_a_halted_partition_is_not_read_on() -> None:
    """Its messages stay where the next process finds them."""
    member = Member(never).with_a_message(Undecodable(ContractBroken("column")))
    member.loop.step()
    member.with_a_message().loop.step()
    assert member.messages.polled == [0]
    assert member.broker.committed(GROUP) == {}


def test_a_halted_partition_that_leaves_and_comes_back_is_still_halted() -> None:
    """Whoever had it meanwhile halted too, and a rebalance forgets who was paused."""
    member = Member(never).with_a_message(Undecodable(ContractBroken("column")))
    member.loop.step()
    member.messages.resume([VEC])
    member.with_a_message().loop.step()
    assert member.messages.polled == [0, 1]
    member.with_a_message().loop.step()
    assert member.messages.polled == [0, 1], "it is paused again"
    assert member.broker.committed(GROUP) == {}
    assert member.target.rows("Organization") == []


def loaded(member: Member) -> Member:
    """Every table was read to the end of its snapshot."""
    with member.target.transaction() as transaction:
        for table, topic in TOPICS.items():
            transaction.set_load_ends(topic, table, 1, {0: 0})
            transaction.set_loaded(table, 1)
    return member


def parked(member: Member, count: int) -> None:
    """So many rows wait for something."""
    with member.target.transaction() as transaction:
        marks = [Mark("AxVec", str(number), 1) for number in range(count)]
        transaction.wait([Waiting(mark, "target.taken", "taken") for mark in marks], NOON)


def test_while_too_many_rows_wait_nothing_more_is_read_and_no_process_ends() -> None:
    """Something is wrong that no single row explains; once it is put right, it continues."""
    clock = Ticks(NOON)
    pace = LoopSettings(parked_limit=2, waiting_retry_seconds=1e6)
    member = loaded(Member(never, pace=pace, clock=clock))
    parked(member, 3)
    member.loop.step()
    member.with_a_message().loop.step()
    assert member.messages.polled == []
    assert member.telemetry.standing == {PARKED: ParkedTooMany.code}
    with member.target.transaction() as transaction:
        assert [halt.place for halt in transaction.halts.halted()] == [PARKED]
        transaction.clear(transaction.marks_of([("AxVec", "0")]))
    clock.wait(timedelta(seconds=CHECK_INTERVAL_SECONDS))
    for _ in range(3):
        member.loop.step()
    assert member.messages.polled == [0]
    assert member.telemetry.standing == {}
    with member.target.transaction() as transaction:
        assert transaction.halts.halted() == []


def test_how_far_a_first_load_is_is_told_until_every_table_is_loaded() -> None:
    """Also while batches are full; a consumer that starts after it tells nothing."""
    clock = Ticks(NOON)
    member = Member(never, pace=LoopSettings(batch_size=1), clock=clock)
    for _ in range(2):
        member.with_a_message()
    member.loop.step()
    told = [(one.read, one.there) for one in member.telemetry.loads]
    assert told == [(1, 2)]
    later = loaded(Member(never, clock=clock, after=member, name="later"))
    later.loop.step()
    assert later.telemetry.loads == []


def test_rows_that_wait_while_a_table_is_first_read_do_not_end_the_loop() -> None:
    """Contacts are read before the clients that they refer to:
    10,001 of them stopped the consumer.
    """
    member = Member(never, pace=LoopSettings(parked_limit=-1))
    with member.target.transaction() as transaction:
        for table, topic in TOPICS.items():
            transaction.set_load_ends(topic, table, 1, {0: 0})
            if table != "AxVec":
                transaction.set_loaded(table, 1)
    assert member.loop.step() == 0
