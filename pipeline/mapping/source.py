"""Source tables as data: the columns we rely on, what is remembered of them, and which rows they belong to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pipeline.mapping.site import Site
from pipeline.model.event import Row, Value


class Kind(StrEnum):
    """Kinds of column, in the mirror and in targets."""

    INTEGER = "integer"
    FLAG = "flag"
    TEXT = "text"  # any length
    SHORT_TEXT = "short_text"  # at most 450 characters: can be indexed everywhere
    INSTANT = "instant"  # aware UTC


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """A column that mappings rely on, by its canonical name."""

    name: str
    kind: Kind


class Fold(StrEnum):
    """How a remembered value follows the events of its row, whatever batches they come in."""

    EVER = "ever"  # true from the first event in which it was true
    LAST = "last"  # the newest value that was not null


@dataclass(frozen=True, slots=True)
class Remembered:
    """A value kept beside the mirrored columns because the newest image alone does not tell it."""

    name: str
    kind: Kind
    fold: Fold
    of: Callable[[Row, Site], Value]
    note: str


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A captured table.

    `owners` maps a reference column to the table whose rows are built from this one (an invoice group belongs to its
    project): a change marks the owner named before and after it. `groups` names columns whose rows are decided
    together: a change marks the group left and the group entered. `shared` columns are read by mappings of other
    tables: a change of one marks the rows that refer to this one. `indexed` columns are looked up by value.
    """

    name: str
    key: str
    columns: tuple[SourceColumn, ...]
    remembered: tuple[Remembered, ...] = ()
    owners: tuple[tuple[str, str], ...] = ()
    groups: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    indexed: tuple[str, ...] = ()

    def mirrored(self) -> tuple[SourceColumn, ...]:
        """Every column of the mirror: those of the source, then the remembered ones."""
        return self.columns + tuple(SourceColumn(r.name, r.kind) for r in self.remembered)


def shared_kind(table: str) -> str:
    """The kind of a mark that says: what refers to this row must be recomputed."""
    return f"{table}.shared"


def group_kind(table: str, group: str) -> str:
    """The kind of a mark that says: the rows of this group must be recomputed."""
    return f"{table}.{group}"
