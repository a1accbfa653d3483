"""What aggregate lines ask of the rows that they read: which changes mark which roots."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from pipeline.mapping.aggregate import Aggregate, AggregateGroups, GroupLink, is_look_up
from pipeline.mapping.convert import names_row
from pipeline.mapping.path import Path
from pipeline.mapping.table import LinkedKey, TableMapping
from pipeline.model.ledger import LedgerRow

Along = tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Watch:
    """A change of one of `reads`, or of whether the row is there, marks what `column` named before
    and what it names now; without a column, the row itself.
    """

    table: str
    kind: str
    column: str
    reads: frozenset[str]

    def marks(self, before: LedgerRow | None, after: LedgerRow) -> Iterator[tuple[str, str]]:
        was = None if before is None or before.retired_at else before
        now = None if after.retired_at else after
        if was and now and all(_is_alike(was, now, column) for column in self.reads):
            return
        for row in (one for one in (was, now) if one is not None):
            named = row.values[self.column] if self.column else row.key
            if names_row(named):
                yield self.kind, str(named)


def _is_alike(before: LedgerRow, after: LedgerRow, column: str) -> bool:
    return (before.values.get(column), column in before.unknown) == (
        after.values.get(column),
        column in after.unknown,
    )


def aggregates(mapping: TableMapping) -> Iterator[Aggregate]:
    return (line for line in mapping.lines if isinstance(line, Aggregate))


def aggregating(mapping: TableMapping) -> Iterator[Aggregate | AggregateGroups]:
    """Everything that the database computes."""
    yield from aggregates(mapping)
    yield from mapping.grouped


def group_links(mapping: TableMapping) -> Iterator[tuple[AggregateGroups, GroupLink]]:
    """The links of its groups."""
    return ((groups, link) for groups in mapping.grouped for link in groups.linked)


def link_kinds(mapping: TableMapping) -> Iterator[tuple[str, str]]:
    """The entities of the exchange whose links it follows, each with the kind of mark that a change
    sets.
    """
    if isinstance(mapping.key, LinkedKey):
        yield mapping.key.entity, mapping.source
    for groups, link in group_links(mapping):
        yield link.entity, link_kind(groups, link)


def followed(mapping: TableMapping) -> frozenset[str]:
    """The entities whose links give keys to it or to its groups."""
    return frozenset(entity for entity, _ in link_kinds(mapping))


def watches(
    mappings: Iterable[TableMapping], loaded: Collection[str] | None = None
) -> frozenset[Watch]:
    """Everything that aggregates watch; `loaded`: those that can be computed, as these tables are
    loaded.
    """
    return frozenset(
        watch
        for mapping in mappings
        for line in aggregating(mapping)
        if loaded is None or line.needs.issubset(loaded)
        for watch in _watches(mapping.source, line)
    )


def _watches(root: str, line: Aggregate | AggregateGroups) -> Iterator[Watch]:
    first, last = line.along[0], line.along[-1]
    for path, columns in line.asked:
        yield Watch(path.to, asked_kind(root, line.along, path), "", columns)
    if is_look_up(line.along):
        followed = frozenset({first.column, last.column})
        yield Watch(first.table, root, first.column, followed)
        yield Watch(line.table, way_kind(line.along), "", line.reads)
        return
    if len(line.along) > 1:
        between = tree_kind(first) if first.levels else root
        yield Watch(first.table, between, first.column, frozenset({first.column}))
    yield Watch(line.table, named_kind(root, line.along), last.column, line.reads | {last.column})


def way_kind(along: Along) -> str:
    """The kind of a mark that says: the roots that this way leads to must be recomputed.

    Its key is that of the row that is looked up, or of the row between the root and those that
    are aggregated. Where the way goes on to a row of a condition, it is that row's.
    """
    return ">".join(f"{path.table}.{path.column}" for path in along)


def tree_kind(path: Path) -> str:
    """The kind of a mark that says: the row of this key, and those above it, must be recomputed."""
    return f"{way_kind((path,))}>above"


def named_kind(root: str, along: Along) -> str:
    """The kind of a mark whose key is that of the row that aggregated rows refer to."""
    if along[0].levels:
        return tree_kind(along[0])
    return root if len(along) == 1 else way_kind(along)


def asked_kind(root: str, along: Along, path: Path) -> str:
    """The kind of a mark of a row that aggregated rows refer to by `path`. Where that is the row
    through which they belong to their root, it leads there without them.
    """
    return named_kind(root, along) if leads_up(along, path) else way_kind((*along, path))


def leads_up(along: Along, path: Path) -> bool:
    """Is it by this reference that aggregated rows belong to their root."""
    last = along[-1]
    return not is_look_up(along) and (path.table, path.column) == (last.table, last.column)


def link_kind(groups: AggregateGroups, link: GroupLink) -> str:
    """The kind of a mark that says: the roots of rows that hold this key, whose link changed, must
    be recomputed.
    """
    return f"{way_kind(groups.along)}>{groups.table}.{link.column}@{link.entity}"
