"""The loop on the twins: what is transient is waited for wherever it comes, what is not ends it, and a stop is a stop."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import pytest

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.engine.loading import Loading
from pipeline.engine.loop import Loop, Pace
from pipeline.errors import ParkedTooMany, PipelineError, TargetBusy, TargetRefused, TargetRestored
from pipeline.model.ledger import Progress
from pipeline.model.position import TopicPartition
from pipeline.testing.messages import MemoryBroker, MemoryMessages
from pipeline.testing.target import MemoryTarget
from tests.support.engine import TOPICS, Clock, Consumer, Counted
from tests.support.events import event

VEC = TopicPartition(TOPICS["AxVec"], 0)
GROUP = "loop"


class Busy:
    """Fails so many times, then gives 1."""

    def __init__(self, times: int, error: PipelineError) -> None:
        self._left, self._error = times, error

    def __call__(self, topic: str) -> int:
        del topic
        self._left -= 1
        if self._left >= 0:
            raise self._error
        return 1


class Member:
    """A loop whose topics are empty until they are given the message of one client; it stops when `stop` says so."""

    def __init__(
        self, stop: Callable[[], bool], *, incarnation: Callable[[str], int], pace: Pace | None = None
    ) -> None:
        self.broker, self.target, self.telemetry = MemoryBroker(), MemoryTarget(AJERA_TO_PIM), Counted()
        for topic in TOPICS.values():
            self.broker.create_topic(topic)
        self.consumer = Consumer(self.target, [event("AxVec", 1, at=0, vecIsClient=True, vecDescription="one")])
        messages = MemoryMessages(
            self.broker,
            group=GROUP,
            topics=list(TOPICS.values()),
            stored_offsets=self.stored,
            on_assigned=lambda _: None,
            on_revoked=lambda _: None,
        )
        self.loop = Loop(
            route=AJERA_TO_PIM,
            messages=messages,
            processor=self.consumer.processor,
            target=self.target,
            loading=Loading(route=AJERA_TO_PIM, topics=TOPICS, messages=messages, target=self.target, clock=Clock()),
            incarnation=incarnation,
            telemetry=self.telemetry,
            clock=Clock(),
            pace=pace or Pace(retry_first_seconds=0.001, retry_most_seconds=0.001),
            stop=stop,
        )

    def with_a_message(self) -> Member:
        self.broker.produce(VEC.topic, b"")
        return self

    def stored(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        with self.target.transaction() as transaction:
            return {one: held.next_offset for one, held in transaction.progress(partitions).items()}


def never() -> bool:
    return False


def test_a_database_that_is_away_when_a_batch_begins_is_waited_for() -> None:
    """What a topic's incarnation is, the database is asked: also that may fail, and must not end the process."""
    member = Member(never, incarnation=Busy(3, TargetBusy("away"))).with_a_message()
    assert member.loop.step() == 1
    assert member.broker.committed(GROUP) == {VEC: 1}


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
    member = Member(lambda: next(asked, True), incarnation=Busy(1_000, TargetBusy("away"))).with_a_message()
    member.loop.run()
    assert member.broker.committed(GROUP) == {}
    assert member.stored([VEC]) == {}


def test_a_quiet_loop_sees_that_its_target_was_restored() -> None:
    """No message comes; it looks all the same."""
    member = Member(never, incarnation=Busy(0, TargetBusy("")))
    member.consumer.processor.take_over({VEC: Progress(1, 7, events_read=7)})
    with pytest.raises(TargetRestored):
        member.loop.run()
    assert member.broker.committed(GROUP) == {}


def test_too_many_rows_that_wait_end_the_loop() -> None:
    """Something is wrong that no single row explains."""
    member = Member(never, incarnation=Busy(0, TargetBusy("")), pace=Pace(parked_limit=-1))
    with pytest.raises(ParkedTooMany):
        member.loop.run()
