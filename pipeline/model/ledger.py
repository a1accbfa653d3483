"""The state of a source row: how far it was applied (ledger) and its last values (mirror), in one
row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipeline.model.event import Row
from pipeline.model.frozen import light
from pipeline.model.position import NOWHERE, TopicOffset

NOTHING: frozenset[str] = frozenset()


@light(frozen=True, slots=True)
class LedgerRow:
    """One source row as `sync` knows it.

    `epoch` is that of the newest event applied: after a new snapshot, a row of an older epoch is
    not in the source any more. `committed_at` is the commit time of the
    newest streamed event applied, in UTC, None before the first.
    `values` holds every contract column and every remembered one; a column in `unknown` was never
    sent by the source (its null means nothing). `position` is that of the newest streamed event
    applied, "" before the first. Deleted rows stay. `revision` counts our writes of this row and
    guards them: 0 is a row that does not exist yet.

    `retired_at` is where in the log the row was deleted, or stopped being what gives a target row
    (a project that became a phase); "" while it is one. `values` are then those it had last before.
    `changed_at` is where anything changed last that target rows of other source rows read.
    Both compare with positions.
    """

    table: str
    key: str
    values: Row
    position: str = ""
    place: TopicOffset = NOWHERE
    deleted: bool = False
    unknown: frozenset[str] = NOTHING
    epoch: int = 0
    committed_at: datetime | None = None
    revision: int = 0
    retired_at: str = ""
    changed_at: str = ""


@light(frozen=True, slots=True, order=True)
class Mark:
    """A durable mark: what depends on a source row must be recomputed.

    `kind` is a source table, or the name of a group of its rows (`AxProject.code_group`); `key` the
    row's key, or the group's value. `number` is drawn afresh each time the mark is set, so that a
    newer one is never cleared by a process that read an older one.
    """

    kind: str
    key: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why a mark stays: what it waits for, by table and key, and the error code to show."""

    mark: Mark
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Incarnation:
    """A topic as it was first seen: Kafka's id of it, which changes when it is re-created,
    and its number of partitions.
    """

    topic_id: str
    partitions: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one partition of one topic incarnation was handled, and how its events ended.

    `dead_in_a_row`: how many of its newest messages were dead-lettered, one after the other.
    """

    incarnation: int
    next_offset: int
    events_read: int = 0
    written: int = 0
    skipped: int = 0
    parked: int = 0
    dead_lettered: int = 0
    dead_in_a_row: int = 0
