"""Letting consumers leave out messages that they cannot apply: looked at first, then said in the
route's state, where a running consumer sees it within seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pipeline.config.settings import Settings
from pipeline.errors import UsageError
from pipeline.kafka.admin import KafkaAdmin
from pipeline.mapping.source import SourceTable
from pipeline.model.event import Message, Undecodable
from pipeline.model.halt import Skip, SkippedMessage
from pipeline.model.position import TopicPartition
from pipeline.operations.audit import who
from pipeline.operations.skipped_rows import backfill_of, key_names, key_of
from pipeline.wiring.clients import kafka_admin
from pipeline.wiring.decoders import decoder_for
from pipeline.wiring.route import RouteHandle
from pipeline.wiring.source import topics_in

MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class Offsets:
    """Which messages, both included; `last` None: up to the last one that cannot be decoded."""

    first: int
    last: int | None


@dataclass
class Skipping:
    """What a skip leaves out, or would. `gone`: offsets of the range that retention has deleted.

    `messages`: those that are there; `undecodable` of them by code, and `keys`, of these the rows'
    keys as `ajera-cdc backfill` takes them. Times are those of Kafka, aware UTC.
    """

    topic: str
    partition: int
    first: int
    last: int
    incarnation: int
    source: str
    table: str
    gone: int = 0
    messages: int = 0
    undecodable: dict[str, int] = field(default_factory=dict)
    first_time: datetime | None = None
    last_time: datetime | None = None
    keys: list[str] = field(default_factory=list)
    without_key: int = 0

    @property
    def backfill(self) -> str:
        """The command that brings the rows that are left out."""
        is_whole = self.without_key or self.gone
        return backfill_of(self.source, self.table, () if is_whole else self.keys)

    def take(self, message: Message, table: SourceTable, names: Mapping[str, str]) -> None:
        """One that cannot be decoded: its row is left out."""
        self.last = max(self.last, message.offset)
        key = key_of(message.key or b"", table, names)
        if key is None:
            self.without_key += 1
        else:
            self.keys.append(key)


def plan(
    settings: Settings, route: RouteHandle, topic: str, partition: int, offsets: Offsets
) -> Skipping:
    """What would be left out now. Changes nothing.

    Raises UsageError, ServiceUnreachable, RegistryUnavailable, SyncSchemaOutdated, TargetBusy.
    """
    with closing(kafka_admin(settings)) as admin:
        return _plan(settings, route, TopicPartition(topic, partition), offsets, admin)


def _plan(
    settings: Settings,
    route: RouteHandle,
    tp: TopicPartition,
    offsets: Offsets,
    admin: KafkaAdmin,
) -> Skipping:
    topic, partition = tp.topic, tp.partition
    source, table = _table(settings, route, topic)
    marks = admin.watermarks([topic])
    if tp not in marks:
        raise UsageError(f"{topic} has no partition {partition}.")
    incarnation, applied = _applied(settings, route, tp)
    if offsets.first < applied:
        raise UsageError(
            f"Offset {offsets.first} was applied already: {topic} partition {partition} is read "
            f"from offset {applied} on."
        )
    low, high = marks[tp]
    if offsets.first >= high or (offsets.last is not None and offsets.last >= high):
        raise UsageError(f"{topic} partition {partition} ends at offset {high - 1}.")
    found = Skipping(
        topic, partition, offsets.first, offsets.first, incarnation, source, table.name
    )
    found.gone = max(0, min(low, high if offsets.last is None else offsets.last + 1) - found.first)
    _look(settings, route, admin, found, table, max(offsets.first, low), high, offsets.last)
    return found


def carry_out(settings: Settings, route: RouteHandle, planned: Skipping) -> None:
    """Say it in the route's state. Raises SyncSchemaOutdated, TargetBusy."""
    skip = Skip(
        TopicPartition(planned.topic, planned.partition),
        planned.incarnation,
        planned.first,
        planned.last,
        who(),
        datetime.now(UTC),
    )
    with route.keeper(settings) as keeper, keeper.transaction() as transaction:
        transaction.halts.skip([skip])


def noted(
    settings: Settings, route: RouteHandle, tp: TopicPartition, offsets: Offsets
) -> list[SkippedMessage]:
    """Messages of this range that were skipped, and whose rows are marked for a backfill. `last`
    None: up to the last of them. Raises UsageError, SyncSchemaOutdated, TargetBusy.
    """
    _table(settings, route, tp.topic)
    last = offsets.last
    with route.keeper(settings) as keeper, keeper.transaction() as transaction:
        return [
            one
            for one in transaction.halts.skipped()
            if one.partition == tp
            and offsets.first <= one.offset
            and (last is None or one.offset <= last)
        ]


def forget(settings: Settings, route: RouteHandle, skipped: Sequence[SkippedMessage]) -> None:
    """Their rows are as the source has them: somebody has looked. Raises as `noted`."""
    with route.keeper(settings) as keeper, keeper.transaction() as transaction:
        transaction.halts.forget_skipped(skipped)


def _look(
    settings: Settings,
    route: RouteHandle,
    admin: KafkaAdmin,
    found: Skipping,
    table: SourceTable,
    start: int,
    high: int,
    last: int | None,
) -> None:
    tp = TopicPartition(found.topic, found.partition)
    names = key_names(settings, table)
    if last is not None:
        found.last = last
    elif found.gone:
        found.last = start - 1
    until = high - 1 if last is None else last
    if start > until:
        return
    with decoder_for(settings, route) as decoder:
        for message in admin.messages(tp, start, until):
            decoded = decoder.decode(message, found.incarnation)
            at = datetime.fromtimestamp(message.timestamp_ms / MILLISECONDS, UTC)
            if isinstance(decoded, Undecodable):
                code = decoded.error.code
                found.undecodable[code] = found.undecodable.get(code, 0) + 1
                found.take(message, table, names)
                found.first_time, found.last_time = found.first_time or at, at
            if last is not None or isinstance(decoded, Undecodable):
                found.messages += 1


def _table(settings: Settings, route: RouteHandle, topic: str) -> tuple[str, SourceTable]:
    for system, tables in route.of.reads.items():
        for table, name in zip(tables, topics_in(settings, system, tables), strict=True):
            if name == topic:
                return system, table
    raise UsageError(f"{topic} is not a topic of this route: {', '.join(route.topics)}.")


def _applied(settings: Settings, route: RouteHandle, tp: TopicPartition) -> tuple[int, int]:
    """The incarnation that is read, and the next offset in it."""
    with route.keeper(settings) as keeper, keeper.transaction() as transaction:
        stored = transaction.progress([tp]).get(tp)
        newest = max(transaction.incarnations(tp.topic), default=0)
    if stored is None or stored.incarnation != newest:
        return newest, 0
    return newest, stored.next_offset
