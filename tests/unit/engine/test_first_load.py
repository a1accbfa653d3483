"""What is told of a first load while it lasts."""

from __future__ import annotations

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.engine.projection.first_load import TELL_SECONDS, FirstLoad
from pipeline.model.ledger import Progress
from pipeline.model.load import LoadProgress
from pipeline.model.position import TopicPartition
from tests.support.engine import TOPICS, Counted, patiently
from tests.support.events import NOON
from tests.twins.clock import SimulatedClock
from tests.twins.messages import MemoryBroker, MemoryMessages
from tests.twins.target import MemoryTarget


class Load:
    """A topic of 1,000 messages in two partitions, an empty one, and a clock."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        for table in ("AxVec", "AxContact"):
            self.broker.create_topic(TOPICS[table], 2)
        for number in range(1_000):
            self.broker.produce(TOPICS["AxVec"], None, partition=number % 2)
        self.target = MemoryTarget(AJERA_TO_PIM)
        self.clock = SimulatedClock()
        self.telemetry = Counted()
        messages = MemoryMessages(
            self.broker,
            group="g",
            topics=[],
            stored_offsets=lambda _: {},
            on_assigned=lambda _: None,
            on_revoked=lambda _: None,
        )
        self.first_load = FirstLoad(TOPICS, messages, self.target, self.telemetry, self.clock)

    def read(self, partition: int, next_offset: int) -> None:
        with self.target.transaction() as transaction:
            place = TopicPartition(TOPICS["AxVec"], partition)
            transaction.advance({place: Progress(1, next_offset)}, NOON)

    def tell(self, *tables: str) -> list[LoadProgress]:
        self.first_load.tell(tables, patiently)
        return self.telemetry.loads


def test_how_far_all_tables_together_are_read_is_told_with_how_long_the_rest_takes() -> None:
    """How fast it goes is known from the second time on; messages that no partition has are none
    that are left.
    """
    load = Load()
    load.read(0, 100)
    assert load.tell("AxVec", "AxContact") == [LoadProgress(("AxContact", "AxVec"), 100, 1_000)]
    load.read(1, 150)
    load.clock.advance(TELL_SECONDS)
    found = load.tell("AxVec", "AxContact")[-1]
    assert (found.read, found.there, found.percent) == (250, 1_000, 25)
    assert found.a_second == 150 / TELL_SECONDS
    assert found.seconds_left == 750 / (150 / TELL_SECONDS)


def test_it_is_told_every_half_minute_and_not_with_every_batch() -> None:
    """A first load has thousands."""
    load = Load()
    load.tell("AxVec")
    load.clock.advance(TELL_SECONDS - 1)
    assert len(load.tell("AxVec")) == 1
    load.clock.advance(1)
    assert len(load.tell("AxVec")) == 2


def test_where_nothing_was_read_meanwhile_nobody_knows_how_long_it_takes() -> None:
    """Nor when a table became loaded meanwhile: what is left is of others."""
    load = Load()
    load.tell("AxVec", "AxContact")
    load.clock.advance(TELL_SECONDS)
    assert load.tell("AxVec", "AxContact")[-1].seconds_left is None
    load.read(0, 100)
    load.clock.advance(TELL_SECONDS)
    assert load.tell("AxVec")[-1].a_second is None


def test_only_a_load_of_which_nothing_is_left_is_at_a_hundred_percent() -> None:
    """Of six million, sixty are no percent."""
    assert LoadProgress(("AxVec",), 5_999_940, 6_000_000).percent == 99
    assert LoadProgress(("AxVec",), 0, 0).percent == 100
