"""How far the consumers are behind: in messages and in seconds, for each topic and partition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.config.settings import Settings
from pipeline.kafka.admin import KafkaAdmin
from pipeline.model.position import TopicPartition
from pipeline.wiring.clients import kafka_admin
from pipeline.wiring.route import RouteHandle

MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """`next_offset` None: nothing was committed yet. `delay_seconds`:
    age of the oldest message not applied, 0 when caught up.
    """

    topic: str
    partition: int
    next_offset: int | None
    end: int
    lag: int
    delay_seconds: float
    member: str | None


@dataclass(frozen=True, slots=True)
class Lag:
    """A group: `state` is Kafka's word, or "stopped" where messages wait and nobody reads."""

    group: str
    state: str
    members: int
    lag: int
    delay_seconds: float
    partitions: tuple[PartitionLag, ...]


def lag(settings: Settings, route: RouteHandle) -> Lag:
    """Raises ServiceUnreachable."""
    admin = kafka_admin(settings)
    try:
        topics, group = list(route.topics), route.group
        state = admin.group_state(group)
        marks, committed = (
            admin.watermarks(topics),
            admin.committed(group, topics),
        )
        partitions = tuple(
            _of_partition(admin, one, low, high, committed.get(one), state.assignment)
            for one, (low, high) in marks.items()
        )
    finally:
        admin.close()
    behind = sum(one.lag for one in partitions)
    return Lag(
        group=group,
        state="stopped" if behind and not state.members else state.state,
        members=state.members,
        lag=behind,
        delay_seconds=max((one.delay_seconds for one in partitions), default=0.0),
        partitions=partitions,
    )


def _of_partition(
    admin: KafkaAdmin,
    one: TopicPartition,
    low: int,
    high: int,
    next_offset: int | None,
    assignment: Mapping[TopicPartition, str],
) -> PartitionLag:
    start = low if next_offset is None else max(next_offset, low)
    behind = max(high - start, 0)
    written_ms = admin.message_time_ms(one.topic, one.partition, start) if behind else None
    delay = 0.0 if written_ms is None else datetime.now(UTC).timestamp() - written_ms / MILLISECONDS
    return PartitionLag(
        one.topic,
        one.partition,
        next_offset,
        high,
        behind,
        round(max(delay, 0.0), 1),
        assignment.get(one),
    )
