"""Source tables as data: the columns we rely on, what is remembered of them,
and which rows they belong to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from pipeline.mapping.site import Site
from pipeline.model.event import Row, Value


class ColumnType(StrEnum):
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
    kind: ColumnType


class Fold(StrEnum):
    """How a remembered value follows the events of its row, whatever batches they come in."""

    EVER = "ever"  # true from the first event in which it was true
    LAST = "last"  # the newest value that was not null
    LEFT = "left"  # the value before the newest one, where that was another and not null


@dataclass(frozen=True, slots=True)
class StickyColumn:
    """A value kept beside the mirrored columns because the newest image alone does not tell it."""

    name: str
    kind: ColumnType
    fold: Fold
    of: Callable[[Row, Site], Value]
    note: str


@dataclass(frozen=True)
class SourceTable:
    """A captured table.

    `owners` maps a reference column to the table whose rows are built from this one (an invoice
    group belongs to its project): a change marks the owner named before and after it. `groups`
    names columns whose rows are decided together: a change of the column, or of whether the row is
    a member, marks the group left and the group entered.
    `shared` columns are read by mappings of other tables:
    a change of one marks the rows that refer to this one.
    `indexed` columns are looked up by value. `further_key`: the rest of a key of several columns.

    `member` names the remembered flag without which a row gives no target row and belongs to no
    group. A row that had it, and whose newest image would not give it, is retired:
    it keeps the values it had, as a deleted one does.
    """

    name: str
    key: str
    columns: tuple[SourceColumn, ...]
    remembered: tuple[StickyColumn, ...] = ()
    owners: tuple[tuple[str, str], ...] = ()
    groups: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    indexed: tuple[str, ...] = ()
    further_key: tuple[str, ...] = ()
    member: str = ""

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
    def key_columns(self) -> tuple[SourceColumn, ...]:
        """The columns of the key, in its order."""
        by_name = {column.name: column for column in self.columns}
        return tuple(by_name[name] for name in (self.key, *self.further_key))

    def key_text(self, values: Sequence[Value]) -> str:
        """A row's key as one text: its values, with a bar between them where there are several."""
        if len(values) == 1:
            return str(values[0])
        return "|".join(str(value).replace("%", "%25").replace("|", "%7C") for value in values)

    def key_values(self, text: str) -> tuple[Value, ...]:
        """The values of a key that `key_text` made."""
        parts = [text]
        if self.further_key:
            parts = [part.replace("%7C", "|").replace("%25", "%") for part in text.split("|")]
        return tuple(
            int(part) if column.kind is ColumnType.INTEGER else part
            for column, part in zip(self.key_columns, parts, strict=True)
        )

    def mirrored(self) -> tuple[SourceColumn, ...]:
        """Every column of the mirror: those of the source, then the remembered ones."""
        return self.columns + tuple(SourceColumn(r.name, r.kind) for r in self.remembered)


def shared_kind(table: str) -> str:
    """The kind of a mark that says: what refers to this row must be recomputed."""
    return f"{table}.shared"


def group_kind(table: str, group: str) -> str:
    """The kind of a mark that says: the rows of this group must be recomputed."""
    return f"{table}.{group}"
