"""How an event ends: in exactly one outcome, and how target rows are counted, apart from events."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """The end of an event. The four counts plus those in flight equal the events read."""

    WRITTEN = "written"
    SKIPPED = "skipped"
    PARKED = "parked"
    DEAD_LETTERED = "dead_lettered"

    __hash__ = str.__hash__  # which takes no call


class SkipReason(StrEnum):
    """Why an event was skipped."""

    STALE = "stale"  # the ledger has a newer one
    SUPERSEDED = "superseded"  # a newer event of the same row is in the same batch
    UNCHANGED = "unchanged"  # no mirrored column changed
    TOMBSTONE = "tombstone"
    FILTERED = "filtered"  # no mapping is interested in this row
    HEARTBEAT = "heartbeat"
    ECHO = "echo"  # our own write coming back
    OPERATOR = "operator"  # it could not be applied, and a person said that it may be skipped
    RELOADED = "reloaded"  # it could not be applied, and a newer snapshot of its table was read


@dataclass(frozen=True, slots=True)
class RowCounts:
    """Target rows, counted by what the database did with them."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: RowCounts) -> RowCounts:
        return RowCounts(
            self.created + other.created,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
        )
