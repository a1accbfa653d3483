"""What a projection needs of a source table: the columns that it mirrors, what is remembered of its
rows beside them, and which other rows they belong to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from pipeline.mapping.site import Site
from pipeline.mapping.source import (
    ColumnType,
    SourceColumn,
    SourceTable,
    key_text,
)
from pipeline.model.event import Row, Value


class Fold(StrEnum):
    """How a remembered value follows the events of its row, whatever batches they come in."""

    EVER = "ever"  # true from the first event in which it was true
    LAST = "last"  # the newest value that was not null
    LEFT = "left"  # the value before the newest one, where that was another and not null
    NEWEST = "newest"  # what the newest image gives: kept in order to be looked up


@dataclass(frozen=True, slots=True)
class StickyColumn:
    """A value kept beside the mirrored columns because the newest image alone does not tell it."""

    name: str
    kind: ColumnType
    fold: Fold
    of: Callable[[Row, Site], Value]
    note: str


def reference_of(name: str, *columns: str) -> StickyColumn:
    """A reference of several columns as one, which holds the key of the row that they name."""

    def of(row: Row, _: Site) -> Value:
        values = [row.get(column) for column in columns]
        return key_text(values) if None not in values else None

    return StickyColumn(
        name=name,
        kind=ColumnType.SHORT_TEXT,
        fold=Fold.NEWEST,
        of=of,
        note=f"{', '.join(columns)} as one: the key of a row",
    )


@dataclass(frozen=True)
class MirroredTable:
    """A source table as one route mirrors it: `table` with the columns that the route picks.

    `owners` maps a reference column to the table whose rows are built from this one (an invoice
    group belongs to its project): a change marks the owner named before and after it. `groups`
    names columns whose rows are decided together: a change of the column, or of whether the row is
    a member, marks the group left and the group entered.
    `shared` columns are read by mappings of other tables:
    a change of one, and a delete, marks the rows that refer to this one.
    `indexed` columns are looked up by value. Where rows of this table refer to a key of several
    columns, a `reference_of` these is the column that owners and paths name.

    `member` names the remembered flag without which a row gives no target row and belongs to no
    group. A row that had it, and whose newest image would not give it, is retired:
    it keeps the values it had, as a deleted one does.
    """

    table: SourceTable
    remembered: tuple[StickyColumn, ...] = ()
    owners: tuple[tuple[str, str], ...] = ()
    groups: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    indexed: tuple[str, ...] = ()
    member: str = ""

    @property
    def name(self) -> str:
        return self.table.name

    @property
    def columns(self) -> tuple[SourceColumn, ...]:
        """The source's own columns."""
        return self.table.columns

    @cached_property
    def read_by_others(self) -> tuple[str, ...]:
        """The columns whose change changes target rows of other source rows."""
        columns = (
            *self.shared,
            *self.groups,
            *((self.member,) if self.member else ()),
        )
        return columns if not self.owners else tuple(column.name for column in self.mirrored())

    @cached_property
    def sendable(self) -> frozenset[str]:
        """The names of the source's own columns."""
        return frozenset(column.name for column in self.columns)

    @cached_property
    def nothing(self) -> Row:
        """The values of a row that was never seen."""
        return dict.fromkeys(column.name for column in self.mirrored())

    @cached_property
    def as_reference(self) -> Callable[[str], Value]:
        """What a column that refers to the row of a key holds: of several columns the text."""
        if len(self.table.key) > 1:
            return str
        (column,) = self.table.key_columns
        return int if column.kind is ColumnType.INTEGER else column.value_of

    def column(self, name: str) -> SourceColumn:
        """One of the mirror's columns."""
        return next(one for one in self.mirrored() if one.name == name)

    def mirrored(self) -> tuple[SourceColumn, ...]:
        """Every column of the mirror: those of the source, then the remembered ones."""
        return self._mirrored

    @cached_property
    def _mirrored(self) -> tuple[SourceColumn, ...]:
        return self.columns + tuple(SourceColumn(r.name, r.kind) for r in self.remembered)


def shared_kind(table: str) -> str:
    """The kind of a mark that says: what refers to this row must be recomputed."""
    return f"{table}.shared"


def group_kind(table: str, group: str) -> str:
    """The kind of a mark that says: the rows of this group must be recomputed."""
    return f"{table}.{group}"
