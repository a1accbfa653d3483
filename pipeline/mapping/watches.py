"""What aggregate lines ask of the rows that they read: which changes mark which roots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.mapping.aggregate import Aggregate, AggregateGroups, is_look_up
from pipeline.mapping.convert import names_row
from pipeline.mapping.path import Path
from pipeline.mapping.table import TableMapping
from pipeline.model.ledger import LedgerRow


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


def watches(mappings: Iterable[TableMapping]) -> frozenset[Watch]:
    """Everything that aggregates watch."""
    return frozenset(
        watch
        for mapping in mappings
        for line in aggregating(mapping)
        for watch in _watches(mapping.source, line)
    )


def _watches(root: str, line: Aggregate | AggregateGroups) -> Iterator[Watch]:
    first, last = line.along[0], line.along[-1]
    for where in line.related:
        kind = way_kind((*line.along, where.path))
        yield Watch(where.path.to, kind, "", frozenset({where.column}))
    if len(line.along) == 1:
        yield Watch(first.table, root, first.column, line.reads | {first.column})
    elif is_look_up(line.along):
        yield Watch(
            first.table,
            root,
            first.column,
            frozenset({first.column, last.column}),
        )
        yield Watch(line.table, way_kind(line.along), "", line.reads)
    else:
        yield Watch(first.table, root, first.column, frozenset({first.column}))
        yield Watch(
            line.table,
            way_kind(line.along),
            last.column,
            line.reads | {last.column},
        )


def way_kind(along: tuple[Path, ...]) -> str:
    """The kind of a mark that says: the roots that this way leads to must be recomputed.

    Its key is that of the row that is looked up, or of the row between the root and those that
    are aggregated. Where the way goes on to a row of a condition, it is that row's.
    """
    return ">".join(f"{path.table}.{path.column}" for path in along)
