"""How far the consumers of a route are behind, in messages and in seconds,
and when its sources were seen last. What cannot be known is None, and never zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from pipeline.config.settings import Settings
from pipeline.errors import ExitCode
from pipeline.kafka.groups import GroupState
from pipeline.model.position import TopicPartition
from pipeline.operations.backlog import (
    Backlog,
    Freshness,
    backlogs,
    freshness,
    seconds_since,
    source_times,
)
from pipeline.operations.group_state import GroupVerdict, verdict
from pipeline.operations.side_by_side import side_by_side
from pipeline.wiring.clients import kafka_admin
from pipeline.wiring.route import RouteHandle, route_named, routes_of
from pipeline.wiring.source import source_of


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """`next_offset` None: nothing was committed yet. `delay_seconds`: age of the oldest change
    that was not applied, 0 when none waits. `lost`: messages that retention deleted unread.
    `rewound`: messages that were applied, and are read again by whoever starts.
    `member` reads it; `client`: its client id, by which `status` knows it, too.
    """

    topic: str
    partition: int
    next_offset: int | None
    end: int
    lag: int | None
    lost: int
    rewound: int
    delay_seconds: float | None
    member: str | None
    client: str | None


@dataclass(frozen=True, slots=True)
class Lag:
    """A route's group. `lag` in messages. `applied_until`: everything that the sources committed
    up to then is applied. `missing`: topics that are not in Kafka. `retention_left_seconds`: until
    Kafka may delete the first message that waits; `is_expiring`: less than a quarter is left.
    """

    route: str
    group: str
    state: GroupVerdict
    members: int
    lag: int | None
    delay_seconds: float | None
    applied_until: datetime | None
    retention_left_seconds: float | None
    is_expiring: bool
    sources: tuple[Freshness, ...]
    missing: tuple[str, ...]
    partitions: tuple[PartitionLag, ...]

    @property
    def rewound(self) -> int:
        return sum(one.rewound for one in self.partitions)

    @property
    def lost(self) -> int:
        return sum(one.lost for one in self.partitions)


def probe(found: Sequence[Lag], most_seconds: float) -> ExitCode:
    """Whether each route's delay is known, and not more than so much."""
    delays = [one.delay_seconds for one in found]
    if any(delay is None for delay in delays):
        return ExitCode.ENVIRONMENT
    is_late = any(delay is not None and delay > most_seconds for delay in delays)
    return ExitCode.DEGRADED if is_late else ExitCode.OK


@dataclass(frozen=True, slots=True)
class Stored:
    """What a route's state says of a partition: its next offset, and when that was stored."""

    next_offset: int
    moved_at: datetime


AllStored = Mapping[TopicPartition, Stored]


def lags(settings: Settings, name: str | None) -> tuple[Lag, ...]:
    """Of the route of this name, or of every route. Raises ServiceUnreachable."""
    routes = routes_of(settings) if name is None else (route_named(settings, name),)
    require_kafka(settings)
    return tuple(side_by_side([partial(lag, settings, route) for route in routes]))


def require_kafka(settings: Settings) -> None:
    """Raises ServiceUnreachable, or what refuses us, within three seconds where nobody
    listens, and five where the network swallows what is sent.
    """
    admin = kafka_admin(settings)
    try:
        admin.require_answer()
    finally:
        admin.close()


def lag(settings: Settings, route: RouteHandle, stored: AllStored | None = None) -> Lag:
    """`stored`: what the state of the route says, if it answered. A consumer starts at the smaller
    of its offset and Kafka's. Raises ServiceUnreachable.
    """
    admin = kafka_admin(settings)
    try:
        with source_times(settings) as times:
            topics, group = list(route.topics), route.group
            state = admin.group_state(group)
            committed = admin.committed(group, topics)
            starts = starts_of(committed, stored or {})
            found = backlogs(admin, times, topics, starts)
            now = datetime.now(UTC)
            sources = tuple(
                freshness(admin, source_of(settings, system), now) for system in route.systems
            )
    finally:
        admin.close()
    return lag_of(
        route, state, found, sources, now, stored or {}, settings.run.delay_objective_seconds
    )


def lag_of(
    route: RouteHandle,
    group: GroupState,
    found: Mapping[TopicPartition, Backlog],
    sources: Sequence[Freshness],
    now: datetime,
    stored: AllStored,
    objective_seconds: float,
) -> Lag:
    """What these figures of Kafka come to."""
    missing = tuple(sorted(frozenset(route.topics) - {tp.topic for tp in found}))
    total = _total(missing, [one.lag for one in found.values()])
    has_committed = any(one.next_offset is not None for one in found.values())
    has_run = has_committed or group.members > 0
    until = None if total is None else _applied_until(found.values(), sources, has_run=has_run)
    delay = _delay(total, until, sources, now)
    state = verdict(
        members=group.members,
        has_committed=has_committed,
        lag=total,
        rewound=sum(_rewound(tp, one, stored) for tp, one in found.items()),
        delay_seconds=delay,
        idle_seconds=_idle_seconds(found, stored, now),
        objective_seconds=objective_seconds,
    )
    return Lag(
        route=route.name,
        group=route.group,
        state=state,
        members=group.members,
        lag=total,
        delay_seconds=delay,
        applied_until=until,
        retention_left_seconds=_left(found.values(), now),
        is_expiring=any(one.is_expiring(now) for one in found.values()),
        sources=tuple(sources),
        missing=missing,
        partitions=tuple(_partition(*each, now, group, stored) for each in sorted(found.items())),
    )


def _left(found: Iterable[Backlog], now: datetime) -> float | None:
    left = [one.retention_left_seconds(now) for one in found]
    return min((one for one in left if one is not None), default=None)


def _total(missing: Sequence[str], counts: Sequence[int | None]) -> int | None:
    return None if missing or None in counts else sum(one for one in counts if one is not None)


def _idle_seconds(
    found: Mapping[TopicPartition, Backlog], stored: AllStored, now: datetime
) -> float | None:
    """Since the partition in which messages wait for longest was moved on."""
    moved = [stored[tp].moved_at for tp, one in found.items() if one.lag and tp in stored]
    return (now - min(moved)).total_seconds() if moved else None


def starts_of(
    committed: Mapping[TopicPartition, int], stored: AllStored
) -> dict[TopicPartition, int]:
    """Where a consumer would start: at the smaller of both. An offset that only the state has may
    be of an earlier topic of that name.
    """
    return {
        tp: min(at, stored[tp].next_offset) if tp in stored else at for tp, at in committed.items()
    }


def _rewound(tp: TopicPartition, one: Backlog, stored: AllStored) -> int:
    """Messages before the state's offset that are read again."""
    known = stored.get(tp)
    if known is None or one.next_offset is None or not one.lag:
        return 0
    return max(min(known.next_offset, one.end) - one.next_offset, 0)


def _partition(
    tp: TopicPartition, one: Backlog, now: datetime, group: GroupState, stored: AllStored
) -> PartitionLag:
    member = group.assignment.get(tp)
    return PartitionLag(
        topic=tp.topic,
        partition=tp.partition,
        next_offset=one.next_offset,
        end=one.end,
        lag=one.lag,
        lost=one.lost,
        rewound=_rewound(tp, one, stored),
        delay_seconds=one.delay_seconds(now),
        member=member,
        client=None if member is None else group.clients.get(member),
    )


def _applied_until(
    found: Iterable[Backlog], sources: Sequence[Freshness], *, has_run: bool
) -> datetime | None:
    """The oldest that waits ends what was applied; if none waits, when the source was seen last."""
    waiting = [one.oldest_at for one in found if one.lag]
    times = waiting or ([one.seen_at for one in sources] if has_run else [])
    known = [one for one in times if one is not None]
    return min(known) if known and len(known) == len(times) else None


def _delay(
    lag: int | None, applied_until: datetime | None, sources: Sequence[Freshness], now: datetime
) -> float | None:
    """Nothing waits of a source that is silent: that is not zero, since its newest changes may not
    have come.
    """
    if lag is None or applied_until is None:
        return None
    if lag:
        return seconds_since(applied_until, now)
    return None if any(one.is_silent for one in sources) else 0.0
