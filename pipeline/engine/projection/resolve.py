"""From marks to root rows, and from root rows to the rows around them. Only reads,
always in statements of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.engine.consumer.ports import Transaction
from pipeline.engine.projection.above import roots_above
from pipeline.mapping.aggregate import AggregateGroups
from pipeline.mapping.apply import applies, is_taken
from pipeline.mapping.convert import names_row
from pipeline.mapping.mirror import group_kind, shared_kind
from pipeline.mapping.neighbours import Graph
from pipeline.mapping.path import Path
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.mapping.table import Group, LinkedKey, TableMapping
from pipeline.mapping.watches import aggregates, aggregating
from pipeline.model.event import Value
from pipeline.model.ledger import LedgerRow, Mark

Roots = dict[str, set[str]]
# by the table that they refer to, and the prefixes, what columns hold that refer to marked rows
Held = dict[tuple[str, tuple[str, ...]], list[Value]]


def resolve(
    transaction: Transaction,
    route: Route,
    site: Site,
    marks: Iterable[Mark],
) -> Roots:
    """The keys of the root rows, by source table, whose target rows these marks may change."""
    keys: dict[str, list[str]] = {}
    for mark in marks:
        keys.setdefault(mark.kind, []).append(mark.key)
    referring: Held = {}
    roots: Roots = {}
    for mapping in route.mappings:
        found = roots.setdefault(mapping.source, set())
        found.update(keys.get(mapping.source, ()))
        for path in mapping.paths:
            referred = keys.get(shared_kind(path.to))
            if not referred or path.to == mapping.source:
                continue
            if path.prefixes and not transaction.has_marks(mapping.source):
                continue  # nobody waits
            held = referring.get((path.to, path.prefixes))
            if held is None:
                held = path.values_of(route.source(path.to), referred)
                referring[path.to, path.prefixes] = held
            keys_of = _referring(transaction, mapping, path, held)
            found |= _waiting(transaction, mapping, keys_of) if path.prefixes else keys_of
        found |= roots_above(transaction, route, mapping, keys)
        for group in mapping.groups:
            values = keys.get(group_kind(mapping.source, group.column))
            if values:
                members = transaction.values_where(mapping.source, "", group.column, values)
                found |= {str(key) for key in members}
                further = {key for value in values for key in group.roots(value, site)} - found
                found |= {
                    row.key for row in transaction.rows_by_key(mapping.source, sorted(further))
                }
    return roots


def _referring(
    transaction: Transaction, mapping: TableMapping, path: Path, values: list[Value]
) -> set[str]:
    """Roots of which the path's column, or that of a child, holds one of these."""
    if path.table == mapping.source:
        return {str(key) for key in transaction.values_where(path.table, "", path.column, values)}
    owner = _child_path(mapping, path.table).column
    found = transaction.values_where(path.table, owner, path.column, values)
    return {str(value) for value in found if names_row(value)}


def _waiting(transaction: Transaction, mapping: TableMapping, keys: set[str]) -> set[str]:
    """Those that have a mark:
    a row whose arrival alone matters is nothing to those that do not wait for it.
    """
    return {
        mark.key for mark in transaction.marks_of((mapping.source, key) for key in sorted(keys))
    }


def _child_path(mapping: TableMapping, table: str) -> Path:
    return next(path for path in mapping.paths if path.table == table and path.to == mapping.source)


def fetch(
    transaction: Transaction,
    route: Route,
    site: Site,
    locked: Mapping[str, Mapping[str, LedgerRow]],
    loaded: frozenset[str],
    unknown_columns: frozenset[tuple[str, str]],
) -> Graph:
    """The rows around the locked roots: children, rows looked up, and peers of a group;
    the keys that links give, and the values of aggregates.
    """
    tables = {table.name: table for table in route.sources}
    graph = Graph(site, tables, unknown_columns=unknown_columns)
    for mapping in route.mappings:
        roots = list(locked.get(mapping.source, {}).values())
        if not roots:
            continue
        if isinstance(mapping.key, LinkedKey):
            taken = [root.key for root in roots if is_taken(mapping, root)]
            linked = transaction.linked_keys(mapping.key.entity, taken)
            graph.linked[mapping.name] = {root: mapping.key.of(key) for root, key in linked.items()}
        _fetch_children(transaction, mapping, roots, graph)
        for group in mapping.groups:
            _fetch_members(transaction, mapping, group, roots, graph)
        _fetch_lookups(transaction, mapping, roots, graph)
        _fetch_totals(transaction, mapping, roots, graph, loaded)
    return graph


def _fetch_totals(
    transaction: Transaction,
    mapping: TableMapping,
    roots: list[LedgerRow],
    graph: Graph,
    loaded: frozenset[str],
) -> None:
    """What the database computes, of roots that have a target row and are not retired."""
    if not any(aggregating(mapping)):
        return
    keys = [root.key for root in roots if not root.retired_at and applies(mapping, root, graph)]
    if not keys:
        return
    unknown_columns = graph.unknown_columns
    lines = [
        line
        for line in aggregates(mapping)
        if loaded >= line.needs and unknown_columns.isdisjoint(line.columns)
    ]
    if lines:
        graph.aggregated[mapping.name] = transaction.aggregated(lines, keys)
    groups = [
        one
        for one in mapping.grouped
        if loaded >= one.needs and unknown_columns.isdisjoint(one.columns)
    ]
    if groups:
        graph.grouped[mapping.name] = transaction.grouped(groups, keys)
        for one in groups:
            _fetch_named(transaction, mapping, one, graph)


def _fetch_named(
    transaction: Transaction, mapping: TableMapping, groups: AggregateGroups, graph: Graph
) -> None:
    """What is asked of rows that groups name: the rows themselves, and what their links give. Links
    are not locked: who changes one keeps the change, and the groups are recomputed after it.
    """
    held = [
        dict(zip(groups.by, group, strict=True))
        for of in graph.grouped[mapping.name].values()
        for group in of.get(groups.name, {})
    ]
    for look_up in groups.looks_up:
        keys = {str(one) for of in held if names_row(one := of[look_up.path.column])}
        if keys:
            graph.add(transaction.rows_by_key(look_up.path.to, sorted(keys), placed=False))
    for link in groups.linked:
        keys = {str(one) for of in held if names_row(one := of[link.column])}
        given = transaction.linked_keys(link.entity, sorted(keys), is_locked=False)
        graph.group_links[mapping.name, groups.name] = {
            key: link.of(whole) for key, whole in given.items()
        }


def _fetch_children(
    transaction: Transaction,
    mapping: TableMapping,
    roots: list[LedgerRow],
    graph: Graph,
) -> None:
    as_reference = graph.tables[mapping.source].as_reference
    keys = [as_reference(root.key) for root in roots] if mapping.paths else []
    for path in mapping.paths:
        if path.to == mapping.source:
            rows = transaction.rows_where(path.table, path.column, keys)
            graph.add_by_column(path.column, path.table, rows)
            retired = [as_reference(root.key) for root in roots if root.retired_at]
            if retired and path.left:
                graph.add_by_column(
                    path.left,
                    path.table,
                    transaction.rows_where(path.table, path.left, retired),
                )


def _fetch_members(
    transaction: Transaction,
    mapping: TableMapping,
    group: Group,
    roots: list[LedgerRow],
    graph: Graph,
) -> None:
    """The members of the groups that decide about each root: of the first one, and of further ones
    while there are others in them.
    """
    index: dict[str, list[LedgerRow]] = {}
    locked = {root.key: root for root in roots}  # most members of most groups
    pending = [(root, group.values(root, graph.site)) for root in roots]
    while pending:
        asked = [(root, values, next(values, None)) for root, values in pending]
        wanted = {value for _, _, value in asked if value is not None} - index.keys()
        if wanted:
            keys = transaction.values_where(mapping.source, "", group.column, sorted(wanted))
            members = {*map(str, keys)}
            rows = [locked[key] for key in members if key in locked]
            if others := members - locked.keys():
                rows += transaction.rows_by_key(mapping.source, sorted(others), placed=False)
            graph.add_by_column(group.column, mapping.source, rows)
            found = graph.by_column[mapping.source, group.column]
            index |= {value: found.get(value, []) for value in wanted}
        pending = [
            (root, values)
            for root, values, value in asked
            if value is not None and (held := index[value]) and held != [root]
        ]


def _fetch_lookups(
    transaction: Transaction,
    mapping: TableMapping,
    roots: list[LedgerRow],
    graph: Graph,
) -> None:
    wanted: dict[str, set[Value]] = {}
    for path in mapping.paths:
        if path.to == mapping.source or path.prefixes:
            continue
        if path.table == mapping.source:
            holders = roots
        else:
            index = graph.by_column.get((path.table, _child_path(mapping, path.table).column), {})
            holders = [row for rows in index.values() for row in rows]
        wanted.setdefault(path.to, set()).update(row.values[path.column] for row in holders)
    for table, values in wanted.items():
        keys = sorted(str(value) for value in values if names_row(value))
        if keys:
            graph.add(transaction.rows_by_key(table, keys, placed=False))
