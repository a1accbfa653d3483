"""What a consumer shows when it is scraped: the delay as it is then, also while nothing moves."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings as how
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from prometheus_client import CollectorRegistry, generate_latest

from pipeline.model.held import HeldPartitions
from pipeline.model.position import TopicPartition
from pipeline.operations.gauges import FigureCollector, Figures, Lookout, look_at
from pipeline.wiring.source import Source, source_of
from tests.support.lags import change, milliseconds, settings_in, times
from tests.twins.kafka_topics import KafkaTopics

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
VEC = TopicPartition("ajera.AxVec", 0)
HEARTBEAT = "__debezium-heartbeat.ajera"
GROUP = "ajera-cdc.ajera-to-pim"
OBJECTIVE_SECONDS = 60.0


@dataclass
class Scraped:
    """A consumer's gauges over topics in memory, and a clock that the test moves."""

    source: Source
    topics: KafkaTopics = field(default_factory=KafkaTopics)
    held: HeldPartitions = field(default_factory=HeldPartitions)
    now: datetime = NOON

    def __post_init__(self) -> None:
        self.topics.create(HEARTBEAT)
        self.topics.create(VEC.topic, 2)
        self.beat()
        self.registry = CollectorRegistry()
        self.collector = FigureCollector(
            Lookout(self._look, monotonic=self._ever_later),
            GROUP,
            OBJECTIVE_SECONDS,
            lambda: self.now,
        )
        self.registry.register(self.collector)
        self._asked = 0.0

    def beat(self) -> None:
        self.topics.append(HEARTBEAT, None, milliseconds(self.now))

    def commit(self) -> None:
        """In the source, now; Kafka has it at once."""
        self.topics.append(VEC.topic, change(self.now), milliseconds(self.now))

    def samples(self) -> dict[str, float]:
        text = generate_latest(self.registry).decode()
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}

    def delay(self, partition: int = 0) -> float | None:
        labels = f'{{partition="{partition}",topic="{VEC.topic}"}}'
        return self.samples().get(f"pipeline_delay_oldest_seconds{labels}")

    def states(self) -> dict[str, float]:
        """Of the group, by state; empty where the consumer cannot say."""
        begin = f'pipeline_group_state{{group="{GROUP}",state="'
        return {
            name.removeprefix(begin).removesuffix('"}'): value
            for name, value in self.samples().items()
            if name.startswith(begin)
        }

    def state(self) -> str:
        return ",".join(name for name, value in self.states().items() if value)

    def _look(self) -> Figures:
        return look_at(self.topics, times(), [self.source], self.held, self.now)

    def _ever_later(self) -> float:
        self._asked += 1.0
        return self._asked


@pytest.fixture
def scraped(tmp_path: Path) -> Scraped:
    return Scraped(source_of(settings_in(tmp_path), "ajera"))


def test_the_delay_is_there_right_after_a_start_before_anything_is_polled(
    scraped: Scraped,
) -> None:
    """From where the partition starts, by the source's clock."""
    scraped.commit()
    scraped.now += timedelta(seconds=7)
    scraped.held.assigned({VEC: 0})
    assert scraped.delay() == 7.0


def test_the_delay_grows_while_the_consumer_is_blocked(scraped: Scraped) -> None:
    """A batch that is tried again and again ends in no histogram."""
    scraped.commit()
    scraped.held.assigned({VEC: 0})
    for seconds in (3, 30, 3000):
        scraped.now = NOON + timedelta(seconds=seconds)
        assert scraped.delay() == float(seconds)
    scraped.held.applied({VEC: 1})
    scraped.beat()
    assert scraped.delay() == 0.0


def test_a_partition_that_left_shows_nothing_and_its_new_owner_does(scraped: Scraped) -> None:
    """Also where its last batch ends after it left."""
    scraped.commit()
    scraped.held.assigned({VEC: 0, TopicPartition(VEC.topic, 1): 0})
    scraped.held.revoked([VEC])
    scraped.held.applied({VEC: 1})
    assert (scraped.delay(0), scraped.delay(1)) == (None, 0.0)


def test_nothing_is_zero_that_is_not_known(scraped: Scraped) -> None:
    """A source that is silent, Kafka that does not answer."""
    scraped.held.assigned({VEC: 0})
    assert scraped.delay() == 0.0
    scraped.now += timedelta(seconds=16)
    assert scraped.delay() is None
    assert scraped.samples()['pipeline_source_seen_seconds{source="ajera"}'] == 16.0
    assert scraped.collector.health() == {
        "delay_seconds": None,
        "sources": {"ajera": {"seen_seconds": 16.0, "is_silent": True}},
    }
    scraped.topics.is_away = True
    known = {name: value for name, value in scraped.samples().items() if "group" not in name}
    assert known == {"pipeline_figures_known_state": 0.0}
    assert scraped.states() == {"ok": 0.0, "warn": 0.0, "stalled": 0.0, "unknown": 1.0}
    assert scraped.collector.health() == {"delay_seconds": None, "sources": None}


def test_the_state_of_the_group_is_that_of_what_this_consumer_has(scraped: Scraped) -> None:
    """Late is warn while it moves, and stalled once it stood still for as long as the objective."""
    assert scraped.state() == ""  # it has no partition
    scraped.held.assigned({VEC: 0})
    assert scraped.state() == "ok"
    scraped.commit()
    scraped.commit()
    scraped.now += timedelta(seconds=61)
    assert scraped.state() == "warn"
    scraped.now += timedelta(seconds=61)
    assert scraped.state() == "stalled"
    scraped.held.applied({VEC: 1})
    assert scraped.state() == "warn"
    scraped.now += timedelta(seconds=50)
    assert scraped.state() == "warn"
    scraped.held.applied({VEC: 2})
    assert scraped.state() == "ok"
    scraped.held.revoked([VEC])
    assert scraped.state() == ""


def test_a_late_partition_is_not_hidden_by_a_silent_source(scraped: Scraped) -> None:
    """Nothing waits in the other partition, whose delay is unknown while its source is silent."""
    scraped.held.assigned({VEC: 0, TopicPartition(VEC.topic, 1): 0})
    scraped.commit()
    scraped.now += timedelta(seconds=61)
    assert scraped.delay(1) is None
    assert scraped.state() == "warn"


def test_a_topic_that_is_gone_makes_the_state_of_the_group_unknown(scraped: Scraped) -> None:
    """As do offsets behind its end: it is another topic."""
    scraped.held.assigned({VEC: 7})
    assert scraped.state() == "unknown"
    scraped.held.assigned({VEC: 0, TopicPartition("ajera.AxProject", 0): 0})
    assert scraped.state() == "unknown"


def test_a_scrape_does_not_wait_for_kafka_and_asks_once_at_a_time() -> None:
    """Who asks meanwhile gets the same answer: unknown."""
    answers, asked = threading.Event(), []

    def look() -> Figures:
        asked.append(1)
        answers.wait(30)
        return Figures({}, {}, {})

    lookout = Lookout(look, patience_seconds=0.01)
    assert [lookout.figures(), lookout.figures()] == [None, None]
    assert len(asked) == 1
    answers.set()
    lookout.wait()
    assert lookout.figures() == Figures({}, {}, {})


class AnyHistory(RuleBasedStateMachine):
    """Commits, batches, pauses, replays and rebalances in any order: the gauge is what a person
    with the source's log would say, at every moment.
    """

    @initialize(folder=st.just(None))
    def begin(self, folder: None) -> None:
        del folder
        self.scraped = Scraped(SOURCE)
        self.committed: list[datetime] = []
        self.at: int | None = None  # the next offset; None: another consumer has it

    @rule(seconds=st.integers(0, 5000))
    def wait(self, seconds: int) -> None:
        self.scraped.now += timedelta(seconds=seconds)
        self.scraped.beat()

    @rule(count=st.integers(1, 4))
    def commit(self, count: int) -> None:
        for _ in range(count):
            self.scraped.commit()
            self.committed.append(self.scraped.now)

    @precondition(lambda self: self.at is not None)
    @rule(data=st.data())
    def apply(self, data: st.DataObject) -> None:
        assert self.at is not None
        self.at = data.draw(st.integers(self.at, len(self.committed)))
        self.scraped.held.applied({VEC: self.at})

    @rule(data=st.data())
    def restart(self, data: st.DataObject) -> None:
        """At what was committed, or, for a replay, anywhere before."""
        self.at = data.draw(st.integers(0, self.at or 0))
        self.scraped.held.assigned({VEC: self.at})

    @rule()
    def leave(self) -> None:
        self.at = None
        self.scraped.held.revoked([VEC])

    @invariant()
    def the_delay_is_true(self) -> None:
        if not hasattr(self, "scraped"):
            return
        found = self.scraped.delay()
        if self.at is None:
            assert found is None
        elif self.at == len(self.committed):
            assert found == 0.0
        else:
            truth = (self.scraped.now - self.committed[self.at]).total_seconds()
            assert found is not None
            assert abs(found - truth) <= 1.0


@pytest.fixture(scope="module", autouse=True)
def source(tmp_path_factory: pytest.TempPathFactory) -> None:
    global SOURCE
    SOURCE = source_of(settings_in(tmp_path_factory.mktemp("gauges")), "ajera")


SOURCE: Source
TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = how(max_examples=60, stateful_step_count=20, deadline=None)
