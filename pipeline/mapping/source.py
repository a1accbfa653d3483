"""Source tables as data: what a table of a captured system is, and nothing of what a route needs of
it (`mapping/mirror.py` has that of a projection, `pairing/entity.py` that of the exchange).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from pipeline.model.event import Value

DECIMAL_PLACES = 10  # of a mirrored decimal


class ColumnType(StrEnum):
    """Kinds of column, in the mirror and in targets."""

    INTEGER = "integer"
    FLAG = "flag"
    TEXT = "text"  # any length
    SHORT_TEXT = "short_text"  # at most 450 characters: can be indexed everywhere
    INSTANT = "instant"  # aware UTC
    DATE = "date"
    DECIMAL = "decimal"  # 28 digits before the point, DECIMAL_PLACES after it


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """A column that mappings rely on, by its canonical name."""

    name: str
    kind: ColumnType

    def value_of(self, text: str) -> Value:
        """The value whose text a key is."""
        return _value(self.kind, text)


def columns(kind: ColumnType, *names: str) -> tuple[SourceColumn, ...]:
    """Columns of one kind."""
    return tuple(SourceColumn(name, kind) for name in names)


@dataclass(frozen=True)
class SourceTable:
    """A table of a source system: its name, key and columns, by their canonical names.

    Each is declared once, with all columns that any route uses; a route takes a `pick` of it.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[SourceColumn, ...]

    @cached_property
    def key_columns(self) -> tuple[SourceColumn, ...]:
        """The columns of the key, in its order."""
        by_name = {column.name: column for column in self.columns}
        return tuple(by_name[name] for name in self.key)

    def pick(self, *names: str) -> SourceTable:
        """The table with its key and these columns alone. Raises ValueError for one it lacks."""
        lacking = {*names} - {column.name for column in self.columns}
        if lacking:
            raise ValueError(f"{self.name} has no columns {', '.join(sorted(lacking))}")
        kept = {*self.key, *names}
        return replace(
            self,
            columns=tuple(one for one in self.columns if one.name in kept),
        )

    def key_text(self, values: Sequence[Value]) -> str:
        """A row's key as one text: its values, with a bar between them where there are several."""
        return key_text(values)

    def key_values(self, text: str) -> tuple[Value, ...]:
        """The values of a key that `key_text` made."""
        if len(self.key) == 1:
            return (_value(self.key_columns[0].kind, text),)
        parts = [part.replace("%7C", "|").replace("%25", "%") for part in text.split("|")]
        return tuple(
            _value(column.kind, part) for column, part in zip(self.key_columns, parts, strict=True)
        )


def key_text(values: Sequence[Value]) -> str:
    """Key values as one text, with a bar between them where there are several."""
    if len(values) == 1:
        return str(values[0])
    return "|".join(str(value).replace("%", "%25").replace("|", "%7C") for value in values)


def _value(kind: ColumnType, text: str) -> Value:
    match kind:
        case ColumnType.INTEGER:
            return int(text)
        case ColumnType.FLAG:
            return text == str(True)
        case _:
            return text


def union(*of: Sequence[SourceTable]) -> tuple[SourceTable, ...]:
    """Every table of these lists once, with the columns that any of them has."""
    found: dict[str, SourceTable] = {}
    for table in (table for tables in of for table in tables):
        known = found.setdefault(table.name, table)
        further = tuple(one for one in table.columns if one not in known.columns)
        found[table.name] = replace(known, columns=known.columns + further)
    return tuple(found.values())
