"""The exchange when the DPS database was restored: Ajera knows writes that its links do not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta

from pipeline.engine.consumer.circuit import Limits
from pipeline.engine.consumer.loop import CHECK_INTERVAL_SECONDS, Loop, LoopSettings
from pipeline.engine.consumer.start import progress_of
from pipeline.engine.exchange.processor import Exchange
from pipeline.errors import LinksRestored
from pipeline.model.halt import Halt
from pipeline.model.ledger import Progress
from pipeline.model.position import TopicPartition
from tests.failures.test_loop import never
from tests.support.engine import Counted
from tests.support.events import NOON
from tests.support.two_systems import setup_of
from tests.support.writers import reconciler_with
from tests.twins.clock import Ticks
from tests.twins.messages import MemoryBroker, MemoryDeadLetters, MemoryMessages
from tests.twins.pairs import MemoryPairs
from tests.twins.systems import both_systems
from tests.twins.topics import Topics

VEC = TopicPartition("AxVec", 0)
OTHER = TopicPartition("AxContact", 0)
GROUP = "links"


class Member:
    """A consumer of the exchange, over two empty systems. `after`: another one, whose topics and
    systems it takes over.
    """

    def __init__(self, after: Member | None = None) -> None:
        self.clock: Ticks = Ticks(NOON) if after is None else after.clock
        self.pairs: MemoryPairs = both_systems(self.clock) if after is None else after.pairs
        self.broker: MemoryBroker = MemoryBroker() if after is None else after.broker
        for partition in (VEC, OTHER) if after is None else ():
            self.broker.create_topic(partition.topic)
        setup, telemetry = setup_of(timedelta(0)), Counted()
        self.exchange = Exchange(
            setup=setup,
            pairs=self.pairs,
            reconciler=reconciler_with(setup, self.pairs, telemetry, self.clock),
            sides={},
            decoder=Topics(self.pairs),
            dead_letters=MemoryDeadLetters(),
            telemetry=telemetry,
            clock=self.clock,
            limits=Limits(),
        )
        self.messages = MemoryMessages(
            self.broker,
            group=GROUP,
            topics=[VEC.topic, OTHER.topic],
            stored_offsets=self.stored,
            on_assigned=lambda _: None,
            on_revoked=lambda _: None,
        )
        self.loop = Loop(
            messages=self.messages,
            processor=self.exchange,
            keeper=self.pairs,
            loading=self.exchange.sweep,
            incarnation=lambda _: 1,
            telemetry=telemetry,
            clock=self.clock,
            pace=LoopSettings(),
            stop=never,
        )

    def stored(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        with self.pairs.transaction() as transaction:
            held = transaction.progress(partitions)
        self.exchange.on_assigned(progress_of(partitions, held))
        return {one: of.next_offset for one, of in held.items()}

    def halts(self) -> list[Halt]:
        with self.pairs.transaction() as transaction:
            return transaction.halts.halted()

    def later(self) -> None:
        self.clock.wait(timedelta(seconds=CHECK_INTERVAL_SECONDS))
        self.loop.step()


def test_links_that_are_older_than_ajera_halt_every_partition_and_no_process() -> None:
    """Nothing is read, written or tried until a person decided; the state says so."""
    member = Member()
    member.loop.step()
    member.exchange.on_assigned({VEC: Progress(1, 7, events_read=7)})
    for _ in range(3):
        member.later()
    member.broker.produce(OTHER.topic, None)
    member.later()
    halts = member.halts()
    assert {halt.code for halt in halts} == {LinksRestored.code}
    assert {halt.partition for halt in halts} == {VEC, OTHER}
    assert member.broker.committed(GROUP) == {}


def test_who_starts_after_the_decision_lifts_every_halt_also_of_a_topic_without_a_message() -> None:
    """No message of it will ever tell that it is read on."""
    member = Member()
    member.loop.step()
    member.exchange.on_assigned({VEC: Progress(1, 7, events_read=7)})
    for _ in range(3):
        member.later()
    assert {halt.partition for halt in member.halts()} == {VEC, OTHER}
    member.messages.close()
    other = Member(after=member)
    other.loop.step()
    other.later()
    assert other.halts() == []
