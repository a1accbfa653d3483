"""Values over many rows: a line that the database computes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from pipeline.mapping.convert import added
from pipeline.mapping.path import Path
from pipeline.mapping.source import SourceTable
from pipeline.model.event import Value


class Function(StrEnum):
    """What an aggregate makes of its rows."""

    COUNT = "count"
    SUM = "sum"
    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class Where:
    """Rows whose mirrored column holds one of these values."""

    column: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class WhereRelated:
    """Rows that refer by `path` to a row that exists and whose mirrored column holds one of these
    values. `is_not`: all others, also those that refer to no row, or to one that is not there.
    """

    path: Path
    column: str
    values: tuple[Value, ...]
    is_not: bool = False


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A target column that the database computes over the rows of a large table that belong to the
    root.

    `along` leads from the root to these rows: one path to the root's table, or a second one after
    it, over the rows that refer to the root: a look-up from them, or rows that refer to them. Where
    the first is a tree (`Path.levels`), the second leads to rows that refer to the root or to a row
    below it. A row counts once, however often it is reached; a deleted one does not. Of no rows,
    count and sum are 0, and the others null; nulls are left out. While a column that it reads is
    unknown in one of the rows, or a table is not loaded, the target column stays as it is; so does
    a retired root's. A row whose reference is unknown belongs to nothing.
    """

    target: str
    function: Function
    along: tuple[Path, ...]
    column: str = ""
    where: tuple[Where | WhereRelated, ...] = ()
    note: str = ""

    @property
    def table(self) -> str:
        """Whose rows they are."""
        first, last = self.along[0], self.along[-1]
        return last.to if len(self.along) > 1 and last.table == first.table else last.table

    @property
    def needs(self) -> frozenset[str]:
        """The tables that must be loaded."""
        related = (one.path.to for one in self.related)
        return frozenset({self.table, *(path.table for path in self.along), *related})

    @property
    def related(self) -> tuple[WhereRelated, ...]:
        """The conditions on rows that the aggregated ones refer to."""
        return tuple(one for one in self.where if isinstance(one, WhereRelated))

    @property
    def asked(self) -> tuple[tuple[Path, frozenset[str]], ...]:
        """Ways from the aggregated rows to rows that decide about the value, each with the columns
        that are read there.
        """
        return tuple((one.path, frozenset({one.column})) for one in self.related)

    @property
    def reads(self) -> frozenset[str]:
        """The columns of the rows themselves that decide about the value."""
        held = (one.column for one in self.where if isinstance(one, Where))
        return frozenset({self.column, *held, *(one.path.column for one in self.related)} - {""})

    @property
    def columns(self) -> frozenset[tuple[str, str]]:
        """Table and name of each mirrored column that decides about the value."""
        ways = {(path.table, path.column) for path in self.along}
        ways |= {(one.path.to, one.column) for one in self.related}
        return frozenset(ways | {(self.table, column) for column in self.reads})

    @property
    def words(self) -> str:
        """What the reference shows, as in: sum of tHours of AxTransaction, by tProject of it."""
        of = "rows" if self.function is Function.COUNT else self.column
        where = f" where {' and '.join(map(_condition, self.where))}" if self.where else ""
        return f"{self.function} of {of} of {self.table}{where}, by {self._way}"

    @property
    def _way(self) -> str:
        return " and ".join(map(_step, self.along))


@dataclass(frozen=True, slots=True)
class GroupLookUp:
    """Rows that one of the columns `by` names (`path` begins with it), of which these mirrored
    columns are read with the groups: `RelatedRows.row`.
    """

    path: Path
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupLink:
    """Pairs of the exchange with the rows whose keys one of the columns `by` holds.

    `entity`: the pair's, as the exchange calls it. `table`: the counterpart's, and `key_column` the
    part of its key that `RelatedRows.linked` gives: of a pair that is exchanged.
    """

    column: str
    entity: str
    table: SourceTable
    key_column: str

    def of(self, key: str) -> str:
        """The part that is meant, from the counterpart's key."""
        return str(self.table.key_values(key)[self.table.key.index(self.key_column)])


@dataclass(frozen=True, slots=True)
class AggregateGroups:
    """Values over the rows that belong to the root, for each group of them: the rows that hold the
    same in the columns `by`.

    `along` and `where` say which rows, as in `Aggregate`; `lines` go along the same way, and name
    their values by `target`. Rows with a null in one of the columns `by` are in no group. These are
    no long texts, of which one database takes two for the same. Without columns `by` there is one
    group, `()`: of all rows, also where there are none. Where a value could not be known,
    nothing is: no group is left out because one row lacks a value.

    `looks_up` and `linked`: what is read of rows that the columns `by` name; at most one link.
    """

    name: str
    along: tuple[Path, ...]
    by: tuple[str, ...]
    lines: tuple[Aggregate, ...]
    where: tuple[Where | WhereRelated, ...] = ()
    looks_up: tuple[GroupLookUp, ...] = ()
    linked: tuple[GroupLink, ...] = ()

    @property
    def whole(self) -> tuple[Aggregate, ...]:
        """The number of a group's rows, and then the lines over these rows."""
        count = Aggregate("", Function.COUNT, self.along, where=self.where)
        lines = (replace(line, where=(*self.where, *line.where)) for line in self.lines)
        return count, *lines

    @property
    def table(self) -> str:
        return self.whole[0].table

    @property
    def needs(self) -> frozenset[str]:
        looked_up = {one.path.to for one in self.looks_up}
        return frozenset(looked_up).union(*(line.needs for line in self.whole))

    @property
    def asked(self) -> tuple[tuple[Path, frozenset[str]], ...]:
        looked_up = ((one.path, frozenset(one.columns)) for one in self.looks_up)
        return (*(one for line in self.whole for one in line.asked), *looked_up)

    @property
    def reads(self) -> frozenset[str]:
        return frozenset(self.by).union(*(line.reads for line in self.whole))

    @property
    def columns(self) -> frozenset[tuple[str, str]]:
        grouped = {(self.table, column) for column in self.by}
        grouped |= {(one.path.to, column) for one in self.looks_up for column in one.columns}
        return frozenset(grouped).union(*(line.columns for line in self.whole))


def _step(path: Path) -> str:
    below = f" down to {path.levels} levels" if path.levels else ""
    return f"{path.column} of {path.table}{below}"


def _condition(where: Where | WhereRelated) -> str:
    values = " or ".join(map(_shown, where.values))
    if isinstance(where, Where):
        return f"{where.column} is {values}"
    verb = "is not" if where.is_not else "is"
    return f"{where.column} of its {where.path.to} ({where.path.column}) {verb} {values}"


def _shown(value: Value) -> str:
    if value is None:
        return "blank"
    if isinstance(value, bool):
        return "set" if value else "not set"
    return str(value)


def is_look_up(along: tuple[Path, ...]) -> bool:
    """Does the second path lead on from the rows that refer to the root, not back to them."""
    return len(along) > 1 and along[-1].table == along[0].table


def combined(function: Function, values: Iterable[Value]) -> Value:
    """The value over several groups of rows from those of each; None means no value."""
    some = [value for value in values if value is not None]
    numbers = [value for value in some if isinstance(value, int | Decimal)]
    days = [value for value in some if isinstance(value, date)]
    match function:
        case Function.MIN:
            return min(numbers) if numbers else min(days, default=None)
        case Function.MAX:
            return max(numbers) if numbers else max(days, default=None)
        case _:
            return added(numbers)
