"""From the rows that aggregates read up to the roots that they belong to. Only reads, of references
alone, always in statements of their own: so whoever commits a change last, and looks up after that,
finds the roots of what is there then (docs/explanation/order.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pipeline.engine.consumer.ports import Transaction
from pipeline.mapping.aggregate import is_look_up
from pipeline.mapping.convert import names_row
from pipeline.mapping.path import Path
from pipeline.mapping.route import Route
from pipeline.mapping.table import TableMapping
from pipeline.mapping.watches import (
    Along,
    aggregating,
    asked_kind,
    group_links,
    leads_up,
    link_kind,
    named_kind,
    way_kind,
)
from pipeline.model.event import Value

KEY = ""  # of a row, where a column may be named


def roots_above(
    transaction: Transaction, route: Route, mapping: TableMapping, keys: Mapping[str, list[str]]
) -> set[str]:
    """Roots of this mapping whose aggregates read rows that these marks name, by kind."""
    found: set[str] = set()
    trees: dict[Path, set[str]] = {}
    for along, named in _named(transaction, route, mapping, keys):
        if along[0].levels:
            trees.setdefault(along[0], set()).update(named)
        else:
            found |= _reached(transaction, route, along, named)
    for path, rows in trees.items():
        found |= _climbed(transaction, path, rows)
    return found


def _named(
    transaction: Transaction, route: Route, mapping: TableMapping, keys: Mapping[str, list[str]]
) -> Iterator[tuple[Along, set[str]]]:
    """By way what aggregated rows refer to, or, of those that are looked up, their own keys."""
    root = mapping.source
    for along in dict.fromkeys(line.along for line in aggregating(mapping)):
        kind = way_kind(along) if is_look_up(along) else named_kind(root, along)
        if kind != root and kind in keys:
            yield along, set(keys[kind])
    for along, path in _asked(mapping):
        if related := keys.get(asked_kind(root, along, path)):
            to = route.source(path.to)
            values = path.values_of(to, related)
            yield along, _holding(transaction, along, path.table, path.column, values)
    for groups, link in group_links(mapping):
        if linked := keys.get(link_kind(groups, link)):
            column = route.source(groups.table).column(link.column)
            values = [column.value_of(key) for key in linked]
            yield (
                groups.along,
                _holding(transaction, groups.along, groups.table, link.column, values),
            )


def _asked(mapping: TableMapping) -> Iterator[tuple[Along, Path]]:
    """Ways from aggregated rows to others that their roots can be found by alone."""
    asked = ((line.along, path) for line in aggregating(mapping) for path, _ in line.asked)
    return (one for one in dict.fromkeys(asked) if not leads_up(*one))


def _holding(
    transaction: Transaction, along: Along, table: str, column: str, values: Iterable[Value]
) -> set[str]:
    """What aggregated rows that hold these values refer to, or the keys of those looked up."""
    reference = KEY if is_look_up(along) else along[-1].column
    return _texts(transaction.distinct_values(table, reference, column, [*values]))


def _reached(transaction: Transaction, route: Route, along: Along, named: set[str]) -> set[str]:
    """Roots to which a way that is no tree leads from what `_named` gives."""
    first, last = along[0], along[-1]
    if len(along) == 1 or not named:
        return named
    column, values = KEY, list[Value](sorted(named))
    if is_look_up(along):
        to, column = route.source(last.to), last.column
        values = last.values_of(to, sorted(named))
    return _texts(transaction.distinct_values(first.table, first.column, column, values))


def _climbed(transaction: Transaction, path: Path, rows: set[str]) -> set[str]:
    """These rows and those above them in the tree, a level at a time. A row that is not there leads
    nowhere; a circle ends where it began.
    """
    found, level = set(rows), set(rows)
    for _ in range(path.levels):
        keys = list[Value](sorted(level))
        above = _texts(transaction.distinct_values(path.table, path.column, KEY, keys))
        level = above - found
        if not level:
            break
        found |= level
    return found


def _texts(references: Iterable[Value]) -> set[str]:
    return {str(value) for value in references if names_row(value)}
