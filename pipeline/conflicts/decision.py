"""What a decision asks of its caller, and what the caller reports back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pipeline.conflicts.conflict import Conflict
from pipeline.conflicts.link import Link, Values
from pipeline.conflicts.rules import Side
from pipeline.model.event import Row
from pipeline.model.frozen import light
from pipeline.model.outcome import Outcome


@light(frozen=True, slots=True)
class Write:
    """A compare-and-set, by line and null-safe: only where the row, under lock,
    still holds `expected`.

    `key` None: create the row. `intention` is unique over all links:
    the number in Ajera's table of intentions.
    """

    link: str
    side: Side
    number: int
    key: str | None
    values: Values = field(repr=False)
    expected: Values = field(repr=False)

    @property
    def intention(self) -> str:
        return f"{self.link}/{self.number}"


@light(frozen=True, slots=True)
class Applied:
    """Carried out, in the lines of `held`, which gives what the row holds there now, as read back.

    `after`: epoch and change part of the log position read after the write in its transaction;
    None if unknown.
    `at`: that database's own clock, read in the transaction once the row was locked. `key`:
    of the created row.
    `epoch`: the newest that is known of the capture of that side, 0 if none is.
    """

    number: int
    held: Values = field(repr=False)
    after: str | None
    at: datetime
    key: str | None = None
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Never carried out, and fenced: nobody can carry it out any more."""

    number: int


@dataclass(frozen=True, slots=True)
class RowGone:
    """The row to be changed is not there."""

    number: int
    at: datetime


@dataclass(frozen=True, slots=True)
class KeyTaken:
    """The row to be created is there already and is not ours."""

    number: int
    at: datetime


WriteOutcome = Applied | GivenUp | RowGone | KeyTaken


@light(frozen=True, slots=True)
class Recorded:
    """What Ajera's table holds of an intention. No lines and no key: it was given up (fenced)."""

    held: Values = field(repr=False)
    after: str | None
    at: datetime
    key: str | None = None
    epoch: int = 0


@light(frozen=True, slots=True)
class LockedRow:
    """A row as read under lock, None if it is not there. `at`: that database's own clock,
    read in the same transaction.
    """

    row: Row | None = field(repr=False)
    at: datetime


class Reason(StrEnum):
    """Why an event ended as it did."""

    STALE = "stale"  # not newer than what was seen
    ECHO = "echo"  # our own write coming back, or an image older than it
    UNCHANGED = "unchanged"  # no line changed
    SNAPSHOT = "snapshot"  # a row read again; its edits come, or came, by their own events
    ENDED = "ended"  # the link has ended
    EDITED = "edited"  # a person edited
    DECIDED = "decided"  # a person decided a conflict
    LINKED = "linked"  # two rows were linked
    CREATED = "created"  # a row is created on the other side
    RETRIED = "retried"  # parked work was tried again


@light(frozen=True, slots=True)
class Decision:
    """The link as it must be stored with `conflicts` before any of `writes` is carried out;
    at most one write a side.

    A write to DPS belongs into the transaction that stores the link, settled there.
    One to Ajera follows it.
    """

    link: Link
    writes: tuple[Write, ...]
    outcome: Outcome
    reason: Reason
    conflicts: tuple[Conflict, ...] = ()

    @property
    def is_done_in_dps(self) -> bool:
        """Nothing of it is left to be done in Ajera."""
        return all(write.side is Side.DPS for write in self.writes)
