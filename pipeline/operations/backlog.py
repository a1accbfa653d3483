"""What waits in a topic's partitions, and since when; and when each source was seen last.
All of it as Kafka has it now, so that it is true also while nothing moves.

What cannot be known is None, and never zero.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Protocol

from pipeline.config.settings import Settings
from pipeline.decoding.source_time import SourceTimes, at_ms, produced_at
from pipeline.kafka.topics import TopicDescription
from pipeline.model.event import Message
from pipeline.model.position import TopicPartition
from pipeline.wiring.clients import kafka_admin, registry_client
from pipeline.wiring.source import Source

if TYPE_CHECKING:
    from pipeline.decoding.avro import Schemas

PERIODS_OF_SILENCE = 3  # so many heartbeats may be missing
SHARE_LEFT = 0.25
LEAST_SILENCE_SECONDS = 6.0  # a connector that is busy with a commit is not silent


class Topics(Protocol):
    """What is asked of Kafka."""

    def watermarks(self, topics: Sequence[str]) -> Mapping[TopicPartition, tuple[int, int]]: ...
    def newest_ms(self, topics: Sequence[str]) -> Mapping[TopicPartition, int]: ...
    def messages_at(
        self, offsets: Mapping[TopicPartition, int]
    ) -> Mapping[TopicPartition, Message]: ...
    def topic_description(self, topic: str) -> TopicDescription | None: ...


@dataclass(frozen=True, slots=True)
class Backlog:
    """A partition from its next offset to its end. `next_offset` None: nothing was committed yet,
    it begins at its oldest message. `lag` None: the next offset lies behind the end, so the topic
    is another one than was read. `lost`: messages from the next offset on that retention deleted.
    `oldest_at`: when the oldest that waits was committed in the source; None also if unknown.
    `produced_at`: when Kafka got that one; after `retention` from then on (None: never) it goes.
    """

    next_offset: int | None
    end: int
    lag: int | None
    lost: int = 0
    oldest_at: datetime | None = None
    produced_at: datetime | None = None
    retention: timedelta | None = None

    def delay_seconds(self, now: datetime) -> float | None:
        """Age of the oldest that waits; 0 if none does."""
        if self.lag == 0:
            return 0.0
        return seconds_since(self.oldest_at, now)

    def retention_left_seconds(self, now: datetime) -> float | None:
        """Until the oldest that waits may be deleted unread; None if none waits, or it never is."""
        if self.produced_at is None or self.retention is None:
            return None
        return round((self.produced_at + self.retention - now).total_seconds(), 1)

    def is_expiring(self, now: datetime) -> bool:
        """Is little of the topic's retention left for what waits."""
        left = self.retention_left_seconds(now)
        return (
            left is not None
            and self.retention is not None
            and left < SHARE_LEFT * self.retention.total_seconds()
        )


def backlogs(
    topics: Topics,
    times: SourceTimes,
    names: Sequence[str],
    next_offsets: Mapping[TopicPartition, int],
    only: Collection[TopicPartition] | None = None,
) -> dict[TopicPartition, Backlog]:
    """For each partition of these topics, or only for these of them; missing topics are left out.
    Raises ServiceUnreachable.
    """
    marks = {
        tp: ends for tp, ends in topics.watermarks(names).items() if only is None or tp in only
    }
    starts = {tp: max(next_offsets.get(tp, low), low) for tp, (low, _) in marks.items()}
    oldest = topics.messages_at({tp: start for tp, start in starts.items() if start < marks[tp][1]})
    kept = {topic: _retention(topics, topic) for topic in {tp.topic for tp in oldest}}
    found = {}
    for tp, (low, end) in marks.items():
        known, first = next_offsets.get(tp), oldest.get(tp)
        found[tp] = Backlog(
            next_offset=known,
            end=end,
            lag=None if starts[tp] > end else end - starts[tp],
            lost=0 if known is None else max(low - known, 0),
            oldest_at=None if first is None else times.of(first),
            produced_at=None if first is None else produced_at(first),
            retention=kept.get(tp.topic),
        )
    return found


def _retention(topics: Topics, topic: str) -> timedelta | None:
    found = topics.topic_description(topic)
    if found is None or found.retention_ms < 0:
        return None
    return timedelta(milliseconds=found.retention_ms)


@dataclass(frozen=True, slots=True)
class Freshness:
    """A source, and when its log was seen last: the newest row of its heartbeat table, or change,
    in Kafka. Where no such row ever came, its newest heartbeat, which says less.
    `seen_seconds` None: never, or not since retention. After `limit_seconds` it is silent.
    """

    source: str
    seen_at: datetime | None
    seen_seconds: float | None
    limit_seconds: float
    is_silent: bool


def freshness(topics: Topics, source: Source, now: datetime) -> Freshness:
    """Raises ServiceUnreachable."""
    rows = topics.newest_ms([source.row_topic]) if source.row_topic else {}
    alive = rows or topics.newest_ms([source.heartbeat_topic])
    newest = {**topics.newest_ms(source.topics), **alive}
    seen_at = at_ms(max(newest.values())) if newest else None
    period = source.settings.heartbeat_seconds
    seen, limit = (
        seconds_since(seen_at, now),
        max(PERIODS_OF_SILENCE * period, LEAST_SILENCE_SECONDS),
    )
    return Freshness(source.system, seen_at, seen, limit, is_silent=seen is None or seen > limit)


def seconds_since(at: datetime | None, now: datetime) -> float | None:
    """To a tenth; a clock that runs ahead of ours gives 0."""
    return None if at is None else round(max((now - at).total_seconds(), 0.0), 1)


@contextmanager
def source_times(settings: Settings) -> Iterator[SourceTimes]:
    """Commit times of messages, by the schemas of the registry: its client and the decoder are
    made for the first message.
    """
    with ExitStack() as resources:

        @cache
        def schemas() -> Schemas:
            from pipeline.decoding.avro import Schemas

            registry = registry_client(settings)
            resources.callback(registry.close)
            return Schemas(registry.writer_schema)

        yield SourceTimes(lambda schema_id: schemas().find(schema_id))


@contextmanager
def kafka_topics(settings: Settings) -> Iterator[Topics]:
    """Kafka, to be asked."""
    admin = kafka_admin(settings)
    try:
        yield admin
    finally:
        admin.close()
