"""Which ways of aggregates a route may have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from pipeline.mapping.aggregate import Aggregate, AggregateGroups
from pipeline.mapping.mirror import MirroredTable
from pipeline.mapping.path import Path
from pipeline.mapping.source import ColumnType
from pipeline.mapping.table import TableMapping
from pipeline.mapping.watches import aggregating, asked_kind, link_kinds

LONGEST_KIND = 100  # characters of a mark's kind, as the state holds it
KEYS = (ColumnType.INTEGER, ColumnType.SHORT_TEXT)


def refuse_ways(mapping: TableMapping, source: Callable[[str], MirroredTable]) -> None:
    """Raises ValueError where
    - a tree is not the first of two paths, each of which leads back to the root's table, or where
      that table keeps rows as they were that lost its flag `member`;
    - rows are found by a column that is not indexed;
    - rows are grouped by a long text, of which one database takes two for the same;
    - what groups look up, or their link, is of a column that they are not grouped by, or there are
      two links;
    - a mark's kind would be too long.
    """
    for problem in chain(_problems(mapping, source), _long_kinds(mapping)):
        raise ValueError(f"{mapping.name}: {problem}")


def _problems(mapping: TableMapping, source: Callable[[str], MirroredTable]) -> Iterator[str]:
    for groups in mapping.grouped:
        yield from _groups(groups, source(groups.table))
    for line in aggregating(mapping):
        yield from _tree(source(mapping.source), line.along)
        for table, column in _found_by(line):
            if column not in source(table).indexed:
                yield f"aggregates find rows by {column}, which is not indexed in {table}"


def _tree(root: MirroredTable, along: tuple[Path, ...]) -> Iterator[str]:
    first, last = along[0], along[-1]
    if not any(path.levels for path in along):
        return
    leads_back = {first.table, first.to, last.to} == {root.name}
    if len(along) != 2 or last.levels or last.table == root.name or not leads_back:
        yield f"a tree of {first.table} leads to rows of another table that refer to its rows"
    if root.member:
        yield f"a tree has rows of {root.name} that are no members, which would keep old references"


def _found_by(line: Aggregate | AggregateGroups) -> Iterator[tuple[str, str]]:
    """Table and column of each look-up by value, down to the rows, or up to the root."""
    yield from ((path.table, path.column) for path in line.along)
    yield from ((line.table, path.column) for path, _ in line.asked)
    if isinstance(line, AggregateGroups):
        yield from ((line.table, link.column) for link in line.linked)


def _groups(groups: AggregateGroups, table: MirroredTable) -> Iterator[str]:
    if any(table.column(name).kind is ColumnType.TEXT for name in groups.by):
        yield f"{groups.name} is grouped by a long text"
    named = [one.path.column for one in groups.looks_up]
    for column in (*named, *(link.column for link in groups.linked)):
        if column not in groups.by:
            yield f"{groups.name} is not grouped by {column}"
    if any(one.path.table != groups.table for one in groups.looks_up):
        yield f"{groups.name} looks up what rows of another table name"
    if any(table.column(link.column).kind not in KEYS for link in groups.linked):
        yield f"{groups.name} has a link of a column that holds no keys"
    if len(groups.linked) > 1:
        yield f"{groups.name} has two links"


def _long_kinds(mapping: TableMapping) -> Iterator[str]:
    root = mapping.source
    kinds = {
        asked_kind(root, one.along, path) for one in aggregating(mapping) for path, _ in one.asked
    }
    kinds |= {kind for _, kind in link_kinds(mapping)}
    yield from (
        f"the kind of mark {kind} is too long" for kind in kinds if len(kind) > LONGEST_KIND
    )
