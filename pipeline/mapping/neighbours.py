"""Rows read from the mirror, and one root among them as mapping lines see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar, cast

from pipeline.mapping.known import ValueUnknown, known
from pipeline.mapping.mirror import MirroredTable
from pipeline.mapping.path import Path
from pipeline.mapping.site import Site
from pipeline.mapping.source import key_text
from pipeline.mapping.table import (
    ChangedSince,
    Derived,
    Groups,
    Kept,
    LinkedKey,
    RelatedRows,
    RowMissing,
    TableMapping,
)
from pipeline.model.event import Row, Value
from pipeline.model.frozen import light
from pipeline.model.ledger import LedgerRow

T = TypeVar("T")
LineOf = Callable[["GraphNeighbours"], Value | Kept]
# target column, the root's columns without which it cannot be known, and its value
ReadyLine = tuple[str, frozenset[str], LineOf]
Children = tuple[Path, Mapping[str, Sequence[LedgerRow]]]
_NOBODY: Final = tuple[LedgerRow, ...]()


@dataclass
class Graph:
    """Rows read from the mirror after the roots were locked."""

    site: Site
    tables: Mapping[str, MirroredTable]
    rows: dict[str, dict[str, LedgerRow]] = field(default_factory=dict)
    by_column: dict[tuple[str, str], dict[str, list[LedgerRow]]] = field(default_factory=dict)
    # Table and column where some row's value is unknown: no row can be said not to hold a value.
    unknown_columns: frozenset[tuple[str, str]] = frozenset()
    # by mapping, root key and target column; without those that cannot be known
    aggregated: dict[str, Mapping[str, Row]] = field(default_factory=dict)
    # likewise by the name of `grouped`
    grouped: dict[str, Mapping[str, Mapping[str, Groups]]] = field(default_factory=dict)
    # by mapping and root key the target rows' keys that links give
    linked: dict[str, Mapping[str, str]] = field(default_factory=dict)
    # by mapping, name of `grouped` and key what its link gives
    group_links: dict[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    # by mapping and tables that are loaded its lines, made ready
    lines: dict[tuple[str, frozenset[str]], list[ReadyLine]] = field(default_factory=dict)
    # by mapping and child table what `children` gives
    by_root: dict[tuple[str, str], Children] = field(default_factory=dict)

    def children(self, mapping: TableMapping, child: str) -> Children:
        """By which path rows of this table belong to the mapping's roots; and these, by root, in
        the order of their keys. Raises ValueUnknown where some row's root is unknown.
        """
        found = self.by_root.get((mapping.name, child))
        if found is None:
            ways = (one for one in mapping.paths if one.to == mapping.source)
            path = next(one for one in ways if one.table == child)
            self.refuse_unknown(child, path.column)
            found = path, self.by_column.setdefault((child, path.column), {})
            self.by_root[mapping.name, child] = found
        return found

    def refuse_unknown(self, table: str, column: str) -> None:
        """Raises ValueUnknown where no row can be said not to hold a value."""
        if (table, column) in self.unknown_columns:
            raise ValueUnknown

    def add(self, rows: Iterable[LedgerRow]) -> None:
        for row in rows:
            self.rows.setdefault(row.table, {})[row.key] = row

    def add_by_column(self, column: str, table: str, rows: Iterable[LedgerRow]) -> None:
        """By the text of what the column holds: of a reference, that is the key of its row."""
        index = self.by_column.setdefault((table, column), {})
        for row in rows:
            value = str(row.values[column])
            found = index.get(value)
            if found is None:
                index[value] = [row]
            elif all(row.key != other.key for other in found):
                index[value] = self.by_key(table, [*found, row])

    def by_key(self, table: str, rows: list[LedgerRow]) -> list[LedgerRow]:
        """In the order of their keys: of numbers, not of their text."""
        if len(rows) < 2:
            return rows
        described = self.tables[table].table
        return sorted(rows, key=lambda row: described.key_values(row.key))


@light(frozen=True, slots=True)
class GraphNeighbours:
    """One root in the graph (port `RelatedRows` of mapping lines)."""

    root: LedgerRow
    graph: Graph
    mapping: TableMapping
    _once: dict[Callable[[RelatedRows], object], object] = field(default_factory=dict)

    @property
    def site(self) -> Site:
        return self.graph.site

    @property
    def key(self) -> str:
        match self.mapping.key:
            case Derived(expression=expression):
                return str(expression.of(self.root.values, self.site))
            case LinkedKey():
                return self.graph.linked[self.mapping.name][self.root.key]

    @property
    def aggregated(self) -> Row:
        """The values of aggregates that are known."""
        return self.graph.aggregated.get(self.mapping.name, {}).get(self.root.key, {})

    def children(self, table: str) -> Iterator[LedgerRow]:
        path, by_root = self.graph.children(self.mapping, table)
        found = by_root.get(self.root.key, _NOBODY)
        if self.root.retired_at:
            return self._when_retired(table, path, found)
        return (known(row) for row in found if not row.deleted) if found else iter(_NOBODY)

    def _when_retired(
        self, table: str, path: Path, found: Sequence[LedgerRow]
    ) -> Iterator[LedgerRow]:
        """Its children then: `found`, and those that have left it since."""
        key, retired_at = self.root.key, self.root.retired_at
        if path.left:
            self.graph.refuse_unknown(table, path.left)
        left = self.graph.by_column.get((table, path.left), {}).get(key, [])
        late = (one for one in left if one.changed_at > retired_at)
        found = [*found, *(one for one in late if one not in found)]
        for row in self.graph.by_key(table, found):
            self._refuse_changed(row)
            if not row.deleted or row.retired_at > retired_at:
                yield known(row)

    def row(self, table: str, *key: Value) -> LedgerRow:
        text_of = key_text(key)
        found = self.graph.rows.get(table, {}).get(text_of)
        if found is None:
            raise RowMissing(table, text_of)
        self._refuse_changed(found)
        return known(found)

    def once(self, of: Callable[[RelatedRows], T]) -> T:
        """Several lines ask: what is worked out for one is kept for the others."""
        if of not in self._once:
            self._once[of] = of(self)
        return cast("T", self._once[of])

    def totals(self, name: str) -> Groups:
        found = self.graph.grouped.get(self.mapping.name, {}).get(self.root.key, {})
        if name not in found:
            raise ValueUnknown
        return found[name]

    def linked(self, name: str, value: Value) -> str | None:
        return self.graph.group_links.get((self.mapping.name, name), {}).get(str(value))

    def members(self, group: str, value: str) -> Sequence[LedgerRow]:
        self.graph.refuse_unknown(self.mapping.source, group)
        found = self.graph.by_column.get((self.mapping.source, group), {}).get(value, [])
        return [known(row) for row in found]

    def _refuse_changed(self, row: LedgerRow) -> None:
        if self.root.retired_at and row.changed_at > self.root.retired_at:
            raise ChangedSince
