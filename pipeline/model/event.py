"""What a message becomes: a row change as committed,
or one of the few other things a topic can carry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from pipeline.errors import PipelineError
from pipeline.model.frozen import light
from pipeline.model.position import TopicOffset

Value = str | int | bool | Decimal | datetime | date | None
Row = Mapping[str, Value]


@light(frozen=True, slots=True)
class Message:
    """What Kafka carries, as polled. `timestamp_ms` is the broker's or producer's,
    in milliseconds since 1970 UTC.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int = 0
    headers: tuple[tuple[str, bytes | None], ...] = ()


class Operation(StrEnum):
    """Debezium's letters for what happened to a row."""

    CREATE = "c"
    UPDATE = "u"
    DELETE = "d"
    READ = "r"  # by a snapshot, initial or incremental


_READ = Operation.READ  # to find a member takes as long as a call

EventOrigin = tuple[str, TopicOffset]


@light(frozen=True, slots=True)
class Event:
    """One row change as committed.

    `table`, `key` and the columns of `row` are the canonical names and forms of `domain.ajera`,
    whatever this site calls them. A column that the source did not send (unavailable,
    or not in the writer schema) is absent from
    `row`; null is a value. `position` sorts in commit order within the source;
    a row read by a snapshot has "".
    """

    table: str
    key: str
    operation: Operation
    row: Row
    position: str
    place: TopicOffset
    committed_at: datetime
    epoch: int
    snapshot_ended: bool = True  # evidence that the source's initial snapshot is over
    captured_ms: int = 0  # when the connector read it, since 1970 UTC; 0: it does not say

    @property
    def origin(self) -> EventOrigin:
        """What distinguishes it from every other event: its table and the place of its message."""
        return self.table, self.place

    @property
    def is_snapshot(self) -> bool:
        """Was this row read by a snapshot, so that its position has no meaning."""
        return self.operation is _READ


@dataclass(frozen=True, slots=True)
class Tombstone:
    """The null message after a delete. It is never a delete by itself."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The connector is alive and streams, though no captured row changed. `epoch` 0:
    it does not say of which epoch.
    """

    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A message that gives no event, with the error that says why; its source table and epoch
    where these are known ("" and 0: not).
    """

    error: PipelineError
    table: str = field(default="", compare=False)
    epoch: int = field(default=0, compare=False)


Decoded = Event | Tombstone | Heartbeat | Undecodable
