"""What Debezium's notifications say about the backfills that were asked for. Pure.

A backfill is one incremental snapshot of one table: read in chunks beside the stream, resumed after
an outage from the last chunk. A signal that comes while one is read joins it: all of its
notifications then have the newer id, so tables are followed as well as ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

INCREMENTAL: Final = "Incremental Snapshot"
SUCCEEDED: Final = ("SUCCEEDED", "EMPTY")


class BackfillState(StrEnum):
    """How far a backfill is."""

    WAITING = "waiting"  # the connector has not begun it
    READING = "reading"
    PAUSED = "paused"
    READ = "read"  # every row is in Kafka
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        return self in (BackfillState.READ, BackfillState.STOPPED, BackfillState.FAILED)


@dataclass(frozen=True, slots=True)
class Requested:
    """A backfill as it was asked for. `rows`: how many there were to read then; `collection` is
    Debezium's name of the table; `what` says which rows, without a value of them.
    """

    id: str
    table: str
    collection: str
    what: str
    rows: int
    chunk_rows: int
    at: datetime
    who: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification about an incremental snapshot; a text that it lacks is empty."""

    id: str
    kind: str
    current: str
    scanned: str
    status: str
    rows: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Backfill:
    """A backfill and how far it is. `rows_read` counts whole chunks, and after an outage those that
    were read again; None before it began. `why`: of a failure, Debezium's word.
    """

    requested: Requested
    state: BackfillState
    rows_read: int | None = None
    changed_at: datetime | None = None
    why: str = ""


def signal_data(source: str, asked: Requested, condition: str) -> dict[str, Any]:
    """What asks for it, in Debezium's words; below `request` are ours."""
    found: dict[str, Any] = {"type": "incremental", "data-collections": [asked.collection]}
    if condition:
        found["additional-conditions"] = [
            {"data-collection": asked.collection, "filter": condition}
        ]
    names = ("table", "collection", "what", "rows", "chunk_rows", "who")
    ours = {name: getattr(asked, name) for name in names}
    return {**found, "request": {**ours, "source": source, "at": asked.at.isoformat()}}


def notice_of(value: Mapping[str, Any]) -> Notice | None:
    """A notification's fields; None for one that is about something else."""
    if value.get("aggregate_type") != INCREMENTAL:
        return None
    more = value.get("additional_data") or {}
    return Notice(
        id=str(value.get("id", "")),
        kind=str(value.get("type", "")),
        current=str(more.get("current_collection_in_progress", "")),
        scanned=str(more.get("scanned_collection", "")),
        status=str(more.get("status", "")),
        rows=int(more.get("total_rows_scanned") or 0),
        at=datetime.fromtimestamp(int(value.get("timestamp") or 0) / 1000, UTC),
    )


def follow(requested: Sequence[Requested], notices: Iterable[Notice]) -> list[Backfill]:
    """How far each is, in the order in which they were asked for."""
    found = {one.id: Backfill(one, BackfillState.WAITING) for one in requested}
    begun: list[str] = []
    for notice in notices:
        if notice.id in found and notice.id not in begun:
            begun.append(notice.id)
            found[notice.id] = replace(
                found[notice.id], state=BackfillState.READING, rows_read=0, changed_at=notice.at
            )
        for key in _concerned(notice, [found[one] for one in begun]):
            found[key] = _after(found[key], notice)
    return list(found.values())


def _concerned(notice: Notice, begun: Sequence[Backfill]) -> list[str]:
    """The oldest of the table that is meant, or, of a notice without a table, all."""
    active = [one for one in begun if not one.state.is_over]
    table = notice.scanned or notice.current
    if table:
        active = [one for one in active if one.requested.collection == table][:1]
    return [one.requested.id for one in active]


def _after(one: Backfill, notice: Notice) -> Backfill:
    one = replace(one, changed_at=notice.at)
    match notice.kind:
        case "IN_PROGRESS":
            rows = (one.rows_read or 0) + one.requested.chunk_rows
            return replace(
                one, state=BackfillState.READING, rows_read=min(rows, one.requested.rows)
            )
        case "TABLE_SCAN_COMPLETED" if notice.status in SUCCEEDED:
            rows = max(one.rows_read or 0, notice.rows)
            return replace(one, state=BackfillState.READ, rows_read=rows)
        case "TABLE_SCAN_COMPLETED":
            return replace(one, state=BackfillState.FAILED, why=notice.status)
        case "PAUSED":
            return replace(one, state=BackfillState.PAUSED)
        case "RESUMED":
            return replace(one, state=BackfillState.READING)
        case "COMPLETED" | "ABORTED":
            return replace(one, state=BackfillState.STOPPED)
        case _:
            return one
