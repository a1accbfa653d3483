"""Tables of the target that a route reads back: what people changed there of what it owns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

from pipeline.mapping.source import ColumnType, SourceTable
from pipeline.mapping.target import TargetTable
from pipeline.model.event import Row, Value

Root = tuple[str, str]  # a source table, and a row's key


@dataclass(frozen=True, slots=True)
class Observed:
    """A target table as its system captures it. `table`: its key, and every column that the route
    writes, by the same names as in `target`.
    """

    system: str
    table: SourceTable
    target: str

    def row_key(self, target: TargetTable, key: str) -> str | None:
        """What tells a row in the target, from the key of an event; None for a row that has another
        value in a fixed column.
        """
        values = dict(zip(self.table.key, self.table.key_values(key), strict=True))
        if target.row_id:
            return str(values[target.row_id])
        if any(str(values[name]).rstrip(" ") != one.rstrip(" ") for name, one in target.fixed):
            return None
        (name,) = target.key
        return str(values[name])


@dataclass(frozen=True, slots=True)
class Written:
    """What a row of the target held after we wrote it last, of the columns that we write: each as
    `as_text` gives it. `root`: for which row it was written.
    """

    root: Root
    texts: Mapping[str, str | None]

    def differing(self, table: TargetTable, row: Row) -> frozenset[str]:
        """The columns that a row holds otherwise; one that it does not have is none of them, nor is
        one that nothing writes any more, since it was switched off.
        """
        columns = table.by_name()
        return frozenset(
            name
            for name, text in self.texts.items()
            if name in row and name in columns and as_text(columns[name].kind, row[name]) != text
        )


@dataclass(frozen=True, slots=True)
class PutBackValue:
    """A value that a person typed over one of ours, and what is written back: for which root, and
    in which column, as Table.Column. `typed` is null where the row was deleted.
    """

    root: Root
    column: str
    typed: Value = field(repr=False)
    given: Value = field(repr=False)


def as_text(kind: ColumnType, value: Value) -> str | None:
    """A value of a column in the one form in which a database, an event and we ourselves give it:
    a decimal without trailing zeros, an instant in UTC, a date without time.
    """
    match value:
        case None:
            return None
        case datetime() if kind is ColumnType.DATE:
            return value.date().isoformat()
        case datetime():
            aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
            return aware.isoformat()
        case date():
            return value.isoformat()
        case bool():
            return str(value)
        case _ if kind in (ColumnType.DECIMAL, ColumnType.INTEGER):
            return _number(Decimal(str(value)))
        case _:
            return str(value)


def _number(value: Decimal) -> str:
    return format(value.normalize() + 0, "f")
