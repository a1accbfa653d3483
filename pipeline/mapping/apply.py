"""Applying a mapping to rows read from the mirror: pure, and the same for every target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar, cast

from pipeline.mapping.aggregate import Aggregate
from pipeline.mapping.convert import text
from pipeline.mapping.known import ValueUnknown, known
from pipeline.mapping.mirror import MirroredTable
from pipeline.mapping.site import Site
from pipeline.mapping.source import key_text
from pipeline.mapping.table import (
    ChangedSince,
    Column,
    CreateOnly,
    Derived,
    Groups,
    Kept,
    LinkedKey,
    Related,
    RelatedRows,
    RowMissing,
    TableMapping,
)
from pipeline.mapping.target import TargetRow
from pipeline.model.event import Row, Value
from pipeline.model.frozen import light
from pipeline.model.ledger import LedgerRow

T = TypeVar("T")
LineOf = Callable[["GraphNeighbours"], Value | Kept]
# target column, the root's columns without which it cannot be known, and its value
ReadyLine = tuple[str, frozenset[str], LineOf]


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

    def add(self, rows: Iterable[LedgerRow]) -> None:
        for row in rows:
            self.rows.setdefault(row.table, {})[row.key] = row

    def add_by_column(self, column: str, table: str, rows: Iterable[LedgerRow]) -> None:
        """By the text of what the column holds: of a reference, that is the key of its row."""
        index = self.by_column.setdefault((table, column), {})
        for row in self.by_key(table, rows):
            found = index.setdefault(str(row.values[column]), [])
            if all(row.key != other.key for other in found):
                found.append(row)

    def by_key(self, table: str, rows: Iterable[LedgerRow]) -> list[LedgerRow]:
        """In the order of their keys: of numbers, not of their text."""
        described = self.tables[table].table
        return sorted(rows, key=lambda row: described.key_values(row.key))


@light(frozen=True, slots=True)
class GraphNeighbours:
    """One root in the graph (port `RelatedRows` of mapping lines)."""

    root: LedgerRow
    graph: Graph
    mapping: TableMapping
    _children: dict[str, list[LedgerRow]] = field(default_factory=dict)  # of a root that is there
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
        if self.root.retired_at:
            return self._read_children(table)
        if table not in self._children:  # several lines ask
            self._children[table] = [*self._read_children(table)]
        return iter(self._children[table])

    def _read_children(self, table: str) -> Iterator[LedgerRow]:
        path = next(
            p for p in self.mapping.paths if p.table == table and p.to == self.mapping.source
        )
        self._refuse_unknown(path.table, path.column)
        if self.root.retired_at and path.left:
            self._refuse_unknown(path.table, path.left)
        key = self.root.key
        found = list(self.graph.by_column.get((table, path.column), {}).get(key, []))
        if self.root.retired_at:
            left = self.graph.by_column.get((table, path.left), {}).get(key, [])
            found += [
                row for row in left if row.changed_at > self.root.retired_at and row not in found
            ]
        for row in self.graph.by_key(table, found):
            self._refuse_changed(row)
            if not row.deleted or (self.root.retired_at and row.retired_at > self.root.retired_at):
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
        self._refuse_unknown(self.mapping.source, group)
        found = self.graph.by_column.get((self.mapping.source, group), {}).get(value, [])
        return [known(row) for row in found]

    def _refuse_unknown(self, table: str, column: str) -> None:
        if (table, column) in self.graph.unknown_columns:
            raise ValueUnknown

    def _refuse_changed(self, row: LedgerRow) -> None:
        if self.root.retired_at and row.changed_at > self.root.retired_at:
            raise ChangedSince


@light(frozen=True, slots=True)
class Built:
    """What one root gives under one mapping: its target row, its child rows by child mapping,
    and what is missing.
    """

    mapping: TableMapping
    root: LedgerRow
    row: TargetRow
    children: Mapping[str, Sequence[TargetRow]]
    missing: Sequence[RowMissing]


def is_taken(mapping: TableMapping, root: LedgerRow) -> bool:
    """Does the mapping take this root, by what the root itself holds."""
    return mapping.only_if is None or bool(root.values.get(mapping.only_if))


def applies(mapping: TableMapping, root: LedgerRow, graph: Graph) -> bool:
    """Has this root a target row under this mapping. One whose delete alone was seen has none,
    nor has one whose key a link would give that is not there.
    """
    match mapping.key:
        case Derived(expression=expression) if not root.unknown.isdisjoint(expression.columns):
            return False
        case LinkedKey() if not root.unknown.isdisjoint(graph.tables[mapping.source].table.key):
            return False
        case LinkedKey() if root.key not in graph.linked[mapping.name]:
            return False
    return is_taken(mapping, root)


def build(
    mapping: TableMapping,
    root: LedgerRow,
    graph: Graph,
    loaded: frozenset[str],
) -> Built:
    """The target row of one root. A column is left out where it cannot be known: its source column,
    or one of a related row, was never sent or was added since; a table it needs was not read to its
    end, a row it needs is missing (then that row is named), or changed after the root was retired.

    Raises ValueRefused when a rule refuses a source value.
    """
    lines = graph.lines.get((mapping.name, loaded))
    if lines is None:
        lines = graph.lines[mapping.name, loaded] = [*_ready(mapping, loaded)]
    neighbours = GraphNeighbours(known(root), graph, mapping)
    values: dict[str, Value] = {}
    prefill: dict[str, Value] = {
        line.target: line.of(graph.site) for line in mapping.lines if isinstance(line, CreateOnly)
    }
    missing: list[RowMissing] = []
    for target, columns, of in lines:
        if root.unknown and not root.unknown.isdisjoint(columns):
            continue
        try:
            value = of(neighbours)
        except (ChangedSince, ValueUnknown):
            continue
        except RowMissing as error:
            missing.append(error)
            continue
        if isinstance(value, Kept):
            prefill[target] = value.value
        else:
            values[target] = value
    children, lacking = _children(mapping, neighbours, loaded)
    row = TargetRow(mapping.target, (neighbours.key,), values, prefill)
    return Built(mapping, root, row, children, [*missing, *lacking])


def _children(
    mapping: TableMapping, neighbours: GraphNeighbours, loaded: frozenset[str]
) -> tuple[dict[str, Sequence[TargetRow]], list[RowMissing]]:
    """The child rows that can be known, by target table, and the rows that they lack."""
    found: dict[str, Sequence[TargetRow]] = {}
    missing: list[RowMissing] = []
    for child in mapping.children:
        if loaded.issuperset(child.needs):
            with suppress(ChangedSince, ValueUnknown):
                found[child.target], lacking = child.of(neighbours)
                missing.extend(lacking)
    return found, missing


def _ready(mapping: TableMapping, loaded: frozenset[str]) -> Iterator[ReadyLine]:
    """The lines that follow a row's events, without those that need a table that is not loaded."""
    for line in mapping.lines:
        match line:
            case Column(target=target, source=source):
                yield target, frozenset({source}), _text_of(source)
            case Derived(target=target, expression=expression):
                yield target, frozenset(expression.columns), _of_root(expression.of)
            case Aggregate(target=target):
                yield target, frozenset(), _aggregated(target)
            case Related(target=target, needs=needs, of=of):
                if loaded.issuperset(needs):
                    yield target, frozenset(), of
            case CreateOnly():
                pass


def _text_of(source: str) -> LineOf:
    return lambda neighbours: text(neighbours.root.values[source])


def _of_root(of: Callable[[Row, Site], Value]) -> LineOf:
    return lambda neighbours: of(neighbours.root.values, neighbours.site)


def _aggregated(target: str) -> LineOf:
    def value(neighbours: GraphNeighbours) -> Value:
        found = neighbours.aggregated
        if target not in found:
            raise ValueUnknown
        return found[target]

    return value
