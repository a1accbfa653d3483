"""What a consumer shows of itself to those who ask now: by partition, how old the oldest change is
that was not applied, and how long ago each source was seen.

Kafka is asked when somebody asks us, beside the loop: so it is true also while the loop is blocked,
and right after a start. What is not known is left out, and never zero.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pipeline.config.settings import Settings
from pipeline.decoding.source_time import SourceTimes
from pipeline.errors import PipelineError
from pipeline.model.held import HeldPartitions
from pipeline.model.position import TopicPartition
from pipeline.operations.backlog import (
    Backlog,
    Freshness,
    Topics,
    backlogs,
    freshness,
    kafka_topics,
    seconds_since,
    source_times,
)
from pipeline.operations.group_state import GroupVerdict, verdict
from pipeline.telemetry.metrics import METRICS, Name
from pipeline.wiring.route import RouteHandle
from pipeline.wiring.source import Source, source_of

PATIENCE_SECONDS = 0.8  # a scrape waits no longer
FRESH_SECONDS = 0.5  # who asks again so soon gets the same answer
MEANINGS = {metric.name: metric for metric in METRICS}
# The states of a group that somebody is in: who is asked runs.
WITH_MEMBERS = (GroupVerdict.OK, GroupVerdict.WARN, GroupVerdict.STALLED, GroupVerdict.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Figures:
    """What Kafka said at one time: of the partitions that the consumer has, and of its sources.
    `gone`: those of them that are not in Kafka.
    """

    backlogs: Mapping[TopicPartition, Backlog]
    sources: Mapping[str, Freshness]
    source_of: Mapping[str, str]  # topic -> source
    gone: frozenset[TopicPartition] = frozenset()

    def delay_seconds(self, tp: TopicPartition, now: datetime) -> float | None:
        """None where nothing waits of a source that is silent, too."""
        one, source = self.backlogs[tp], self.sources.get(self.source_of.get(tp.topic, ""))
        if one.lag == 0 and (source is None or source.is_silent):
            return None
        return one.delay_seconds(now)

    def worst_delay_seconds(self, now: datetime) -> float | None:
        """Of all its partitions; None if one is unknown, or if it has none."""
        delays = [self.delay_seconds(tp, now) for tp in self.backlogs]
        known = [one for one in delays if one is not None]
        return max(known) if known and len(known) == len(delays) else None

    def waiting_seconds(self, now: datetime) -> float | None:
        """Age of the oldest change that waits, as far as known; None if there is none."""
        ages = [one.delay_seconds(now) for one in self.backlogs.values() if one.lag]
        return max((age for age in ages if age is not None), default=None)

    def lag(self) -> int | None:
        """Of all its partitions, in messages; None if that of one is unknown."""
        counts = [one.lag for one in self.backlogs.values()]
        known = [one for one in counts if one is not None]
        return None if self.gone or len(known) < len(counts) else sum(known)


class IdleTimes:
    """Since when each partition stands still: as far as its consumer was asked."""

    def __init__(self) -> None:
        self._since: dict[TopicPartition, tuple[int | None, datetime]] = {}

    def seconds(self, found: Figures, now: datetime) -> float | None:
        """Of the partition in which messages wait that stands still for longest; None if none
        waits.
        """
        before = self._since
        self._since = {
            tp: before[tp]
            if tp in before and before[tp][0] == one.next_offset
            else (one.next_offset, now)
            for tp, one in found.backlogs.items()
            if one.lag
        }
        since = [at for _, at in self._since.values()]
        return (now - min(since)).total_seconds() if since else None


class Lookout:
    """Asks at most once at a time, in a thread of its own."""

    def __init__(
        self,
        look: Callable[[], Figures],
        patience_seconds: float = PATIENCE_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = look
        self._patience = patience_seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._begun = float("-inf")
        self._found: Figures | None = None

    def figures(self) -> Figures | None:
        """None if Kafka does not say in time."""
        with self._lock:
            if self._thread is None or (
                not self._thread.is_alive() and self._monotonic() - self._begun >= FRESH_SECONDS
            ):
                self._begun, self._found = self._monotonic(), None
                self._thread = threading.Thread(target=self._ask, name="lookout", daemon=True)
                self._thread.start()
            thread = self._thread
        thread.join(self._patience)
        return None if thread.is_alive() else self._found

    def wait(self) -> None:
        """Until nothing is being asked: before what is asked is closed."""
        if self._thread is not None:
            self._thread.join()

    def _ask(self) -> None:
        try:
            self._found = self._look()
        except PipelineError:  # Kafka or the registry does not answer: that is what unknown means
            self._found = None


class FigureCollector(Collector):
    """The figures as gauges, computed when they are scraped. Changes that wait for longer than
    `objective_seconds` are late.
    """

    def __init__(
        self,
        lookout: Lookout,
        group: str,
        objective_seconds: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._lookout = lookout
        self._group = group
        self._objective_seconds = objective_seconds
        self._now = now
        self._idle = IdleTimes()

    def collect(self) -> Iterator[Metric]:
        """A figure that is not known has no sample."""
        found, now = self._lookout.figures(), self._now()
        known = _gauge("pipeline_figures_known_state")
        known.add_metric([], 0 if found is None else 1)
        yield known
        delays = _gauge("pipeline_delay_oldest_seconds")
        left = _gauge("pipeline_retention_left_seconds")
        seen = _gauge("pipeline_source_seen_seconds")
        if found is not None:
            for tp, one in found.backlogs.items():
                labels = [tp.topic, str(tp.partition)]
                _add(delays, labels, found.delay_seconds(tp, now))
                _add(left, labels, one.retention_left_seconds(now))
            for name, source in found.sources.items():
                _add(seen, [name], seconds_since(source.seen_at, now))
        yield from (delays, left, seen, self._states(found, now))

    def _states(self, found: Figures | None, now: datetime) -> GaugeMetricFamily:
        states = _gauge("pipeline_group_state")
        state = self._state(found, now)
        if state is not None:
            for one in WITH_MEMBERS:
                states.add_metric([self._group, one], 1 if one is state else 0)
        return states

    def _state(self, found: Figures | None, now: datetime) -> GroupVerdict | None:
        """None while it has no partition to say it of."""
        if found is None:
            return GroupVerdict.UNKNOWN
        if not found.backlogs and not found.gone:
            return None
        return verdict(
            members=1,
            has_committed=True,
            lag=found.lag(),
            rewound=0,
            delay_seconds=found.waiting_seconds(now),
            idle_seconds=self._idle.seconds(found, now),
            objective_seconds=self._objective_seconds,
        )

    def health(self) -> dict[str, object]:
        """For `/health`: null is unknown."""
        found, now = self._lookout.figures(), self._now()
        if found is None:
            return {"delay_seconds": None, "sources": None}
        return {
            "delay_seconds": found.worst_delay_seconds(now),
            "sources": {
                name: {
                    "seen_seconds": seconds_since(source.seen_at, now),
                    "is_silent": source.is_silent,
                }
                for name, source in found.sources.items()
            },
        }


def _gauge(name: Name) -> GaugeMetricFamily:
    metric = MEANINGS[name]
    return GaugeMetricFamily(name, metric.meaning, labels=metric.labels)


def _add(family: GaugeMetricFamily, labels: list[str], value: float | None) -> None:
    if value is not None:
        family.add_metric(labels, value)


def look_at(
    topics: Topics,
    times: SourceTimes,
    sources: Sequence[Source],
    held: HeldPartitions,
    now: datetime,
) -> Figures:
    """Of the sources' topics. Raises ServiceUnreachable."""
    source_of_topic = {topic: one.system for one in sources for topic in one.topics}
    next_offsets = {tp: at for tp, at in held.next_offsets().items() if tp.topic in source_of_topic}
    found = backlogs(
        topics,
        times,
        sorted({tp.topic for tp in next_offsets}),
        next_offsets,
        only=next_offsets.keys(),
    )
    return Figures(
        backlogs=found,
        sources={one.system: freshness(topics, one, now) for one in sources},
        source_of=source_of_topic,
        gone=frozenset(next_offsets.keys() - found.keys()),
    )


@contextmanager
def collector(
    settings: Settings, route: RouteHandle, held: HeldPartitions
) -> Iterator[FigureCollector]:
    """Of a consumer that has these partitions."""
    with ExitStack() as resources:
        times = resources.enter_context(source_times(settings))
        topics = resources.enter_context(kafka_topics(settings))
        sources = [source_of(settings, system) for system in route.systems]
        lookout = Lookout(lambda: look_at(topics, times, sources, held, datetime.now(UTC)))
        resources.callback(lookout.wait)
        objective = settings.run.delay_objective_seconds
        yield FigureCollector(lookout, route.group, objective)
