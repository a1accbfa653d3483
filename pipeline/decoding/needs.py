"""Which mapping lines need which source column: what a broken contract names,
and what it may ignore.

A line of the root row declares which columns it reads. For a line of related rows or a sticky
column they are found by computing it on generated rows that record which columns are read: once
with every column filled, once with all of them null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeVar

from pipeline.errors import PipelineError
from pipeline.mapping.aggregate import Aggregate
from pipeline.mapping.mirror import MirroredTable
from pipeline.mapping.site import Site
from pipeline.mapping.source import ColumnType, key_text
from pipeline.mapping.table import (
    Column,
    Derived,
    Groups,
    Related,
    RelatedRows,
    RowMissing,
    TableMapping,
)
from pipeline.mapping.watches import aggregating
from pipeline.model.event import Value
from pipeline.model.ledger import LedgerRow

T = TypeVar("T")

Pair = tuple[str, str]  # table, column
_SAMPLES: Mapping[ColumnType, Value] = {
    ColumnType.INTEGER: 1,
    ColumnType.FLAG: True,
    ColumnType.TEXT: "x",
    ColumnType.SHORT_TEXT: "x",
    ColumnType.INSTANT: datetime(2000, 1, 1, tzinfo=UTC),
    ColumnType.DATE: date(2000, 1, 1),
    ColumnType.DECIMAL: Decimal(1),
}


def needed_by(
    sources: Sequence[MirroredTable],
    mappings: Sequence[TableMapping],
    site: Site,
) -> dict[str, dict[str, str]]:
    """By table and column the mapping lines that need it, as "client -> Organization.Name,
    vendor -> …".
    """
    tables = {table.name: table for table in sources}
    lines: dict[Pair, list[str]] = {}
    for mapping in (part for one in mappings for part in one.parts or (one,)):
        for words, pairs in _lines(tables, mapping, site):
            for pair in sorted(_columns(tables, pairs, site)):
                known = lines.setdefault(pair, [])
                if words not in known:
                    known.append(words)
    found: dict[str, dict[str, str]] = {}
    for (table, column), words_of in lines.items():
        found.setdefault(table, {})[column] = ", ".join(words_of)
    return found


def _lines(
    tables: Mapping[str, MirroredTable], mapping: TableMapping, site: Site
) -> Iterator[tuple[str, set[Pair]]]:
    """Each line of a mapping in words, with the columns, also remembered ones, that it reads."""
    root, name = mapping.source, mapping.name
    if isinstance(mapping.key, Derived):
        yield (
            f"{name} -> {mapping.target}.{mapping.key.target}",
            {(root, c) for c in mapping.key.expression.columns},
        )
    for line in mapping.lines:
        words = f"{name} -> {mapping.target}.{line.target}"
        if isinstance(line, Column):
            yield words, {(root, line.source)}
        elif isinstance(line, Derived):
            yield (
                words,
                {(root, column) for column in line.expression.columns},
            )
        elif isinstance(line, Related):
            yield words, _read_by(tables, mapping, site, line.of)
        elif isinstance(line, Aggregate):
            yield words, {*line.columns}
    for child in mapping.children:
        yield f"{name} -> {child.target}", _read_by(tables, mapping, site, child.of)
    for grouped in mapping.grouped:
        unread = {*grouped.columns} - _read_of_groups(tables, mapping, site)
        if unread:
            yield f"{name} -> {grouped.name}", unread
    yield f"{name} -> {mapping.target}, which rows", _deciding(tables, mapping)


def _deciding(tables: Mapping[str, MirroredTable], mapping: TableMapping) -> set[Pair]:
    """The columns that decide which rows are read, and which give a target row."""
    flags = (mapping.only_if, *(group.column for group in mapping.groups))
    rows = {(mapping.source, name) for name in flags if name is not None}
    rows |= {(path.table, path.column) for path in mapping.paths}
    read = {name for path in mapping.paths for name in (path.table, path.to)}
    read = read.union(*(one.needs for one in aggregating(mapping)))
    return rows | {(table, key) for table in read for key in tables[table].table.key}


def _read_of_groups(
    tables: Mapping[str, MirroredTable], mapping: TableMapping, site: Site
) -> set[Pair]:
    """The columns behind the values over groups that lines and child rows read."""
    reading = [line.of for line in mapping.lines if isinstance(line, Related)]
    found: set[Pair] = set()
    for compute in (*reading, *(child.of for child in mapping.children)):
        found |= _read_by(tables, mapping, site, compute)
    return found


def _columns(tables: Mapping[str, MirroredTable], pairs: set[Pair], site: Site) -> set[Pair]:
    """The source's own columns behind these: of a remembered one, what it is computed from."""
    found: set[Pair] = set()
    for table, column in pairs:
        remembered = next((r for r in tables[table].remembered if r.name == column), None)
        if remembered is None:
            found.add((table, column))
            continue
        for filled in (True, False):
            row = _Noting(tables[table], found, filled=filled)
            remembered.of(row, site)
    return found


def _read_by(
    tables: Mapping[str, MirroredTable],
    mapping: TableMapping,
    site: Site,
    compute: Callable[[RelatedRows], object],
) -> set[Pair]:
    found: set[Pair] = set()
    for filled in (True, False):
        with suppress(PipelineError, RowMissing):
            compute(_NotingNeighbours(tables, mapping, site, found, filled))
    return found


class _Noting(Mapping[str, Value]):
    """A generated row that records which columns are read."""

    def __init__(self, table: MirroredTable, noted: set[Pair], *, filled: bool) -> None:
        self._table = table
        self._noted = noted
        self._values = {
            column.name: _SAMPLES[column.kind] if filled or column.name in table.table.key else None
            for column in table.mirrored()
        }

    def __getitem__(self, name: str) -> Value:
        value = self._values[name]
        self._noted.add((self._table.name, name))
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@dataclass(frozen=True, slots=True)
class _NotingTotals(Mapping[str, Value]):
    """A group's values, which records the columns behind those that are read."""

    values_of: Mapping[str, Value]
    columns: Mapping[str, frozenset[Pair]]
    grouped: set[Pair]
    noted: set[Pair]

    def __getitem__(self, name: str) -> Value:
        self.noted.update(self.columns[name], self.grouped)
        return self.values_of[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_of)

    def __len__(self) -> int:
        return len(self.values_of)


@dataclass(frozen=True, slots=True)
class _NotingNeighbours:
    """A generated root with one related row wherever one is read."""

    tables: Mapping[str, MirroredTable]
    mapping: TableMapping
    site: Site
    noted: set[Pair] = field(default_factory=set)
    filled: bool = True

    @property
    def root(self) -> LedgerRow:
        return self._row(self.mapping.source, "2")

    @property
    def key(self) -> str:
        return "2"

    def children(self, table: str) -> Iterator[LedgerRow]:
        yield self._row(table, "1")

    def row(self, table: str, *key: Value) -> LedgerRow:
        return self._row(table, key_text(key))

    def once(self, of: Callable[[RelatedRows], T]) -> T:
        return of(self)

    def totals(self, name: str) -> Groups:
        (one,) = (one for one in self.mapping.grouped if one.name == name)
        kinds = {column.name: column.kind for column in self.tables[one.table].mirrored()}
        held = tuple(_SAMPLES[kinds[column]] for column in one.by)
        values = {line.target: _SAMPLES[kinds[line.column]] for line in one.lines if line.column}
        counts = {line.target: 1 for line in one.lines if not line.column}
        columns = {line.target: line.columns for line in one.whole}
        grouped = {(one.table, column) for column in one.by}
        return {held: _NotingTotals({**values, **counts}, columns, grouped, self.noted)}

    def linked(self, name: str, value: Value) -> str | None:
        del name
        return None if value is None else "1"

    def members(self, group: str, value: str) -> Sequence[LedgerRow]:
        del group, value
        return [self._row(self.mapping.source, "1"), self.root]

    def _row(self, table: str, key: str) -> LedgerRow:
        return LedgerRow(
            table,
            key,
            _Noting(self.tables[table], self.noted, filled=self.filled),
        )
