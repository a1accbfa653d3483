"""How far a source row was applied, and the one guard of every route: may this event be applied
after that. Pure.

Two things are compared. A streamed event must have a greater position than the newest one applied
and, within one incarnation and partition, a greater offset. A row read by a snapshot has no
position worth comparing: its place must be later, and it leaves the position as it is. So a
replay, a duplicate or a backfill never moves a row backwards, and nothing that committed during a
snapshot is lost (docs/explanation/order.md).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from pipeline.model.event import Event
from pipeline.model.position import TopicOffset


class Applied(Protocol):
    """The newest event of a row that was applied: `position` and `committed_at` of the newest
    streamed one ("" and None before the first), place and epoch of the newest of all.
    """

    @property
    def position(self) -> str: ...

    @property
    def place(self) -> TopicOffset: ...

    @property
    def epoch(self) -> int: ...

    @property
    def committed_at(self) -> datetime | None: ...


def is_stale(applied: Applied, event: Event) -> bool:
    """Was this event applied already, or a newer one."""
    if event.epoch < applied.epoch:
        return True
    if event.is_snapshot:
        if not event.place.is_comparable_with(applied.place):
            # Whether the read is newer than a streamed event of the row is not known.
            return bool(applied.position)
        return not event.place.is_later_than(applied.place)
    if event.position <= applied.position:
        return True
    return (
        event.place.shares_partition_with(applied.place)
        and event.place.offset <= applied.place.offset
    )


def is_rewound(applied: Applied, event: Event, tolerance: timedelta) -> bool:
    """Is this event stale by its position though it committed well after the newest one applied.

    Positions of one epoch sort in commit order,
    so then the source's log is not the one that was read before.
    """
    if event.is_snapshot or applied.committed_at is None or event.epoch != applied.epoch:
        return False
    return (
        event.position <= applied.position and event.committed_at > applied.committed_at + tolerance
    )


def position_after(applied: Applied, event: Event) -> tuple[str, datetime | None]:
    """Position and commit time once this event is applied: a row read by a snapshot leaves both."""
    if event.is_snapshot:
        return applied.position, applied.committed_at
    return event.position, event.committed_at
