"""Where a batch is cut,
so that a row that is retired leaves its target row as it was (docs/explanation/order.md).

The mirror holds what rows are now, not what they were. What a project showed when it was deleted is
read before what was committed later is staged over it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.engine.consumer.ports import Transaction
from pipeline.engine.projection import guard
from pipeline.mapping.mirror import MirroredTable
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.mapping.table import TableMapping
from pipeline.mapping.watches import aggregating
from pipeline.model import applied
from pipeline.model.event import Event, Operation

Cut = tuple[Sequence[Event], Sequence[Event]]


def until_retired(
    transaction: Transaction,
    route: Route,
    site: Site,
    events: Sequence[Event],
) -> Cut:
    """The events up to those of another row that were committed after a retirement, and the rest.

    Deletes that follow one need no cut: a deleted row keeps what it held, and where it was deleted.
    """
    read_by = {
        mapping.source: _read_by(mapping) for mapping in route.mappings if _reads_others(mapping)
    }
    totalled = {mapping.source for mapping in route.mappings if [*aggregating(mapping)]}
    cuts = []
    for table, others in read_by.items():
        retired = [
            *_retirements(
                transaction,
                route.source(table),
                site,
                [e for e in events if e.table == table],
            )
        ]
        if retired:
            later = [
                e.position for e in events if _may_be_read(e, others) and e.position > min(retired)
            ]
            cuts.extend(later)
            if table in totalled:  # what was summed up until then is written first
                cuts.append(min(retired))
    for position in sorted(set(cuts)):
        now, rest = _cut(events, position)
        if now:
            return now, rest
    return events, ()


def _reads_others(mapping: TableMapping) -> bool:
    return bool(mapping.children or mapping.groups or [*aggregating(mapping)]) or any(
        not path.prefixes for path in mapping.paths
    )


def _read_by(mapping: TableMapping) -> frozenset[str]:
    tables = {name for path in mapping.paths for name in (path.table, path.to)}
    tables |= {table for line in aggregating(mapping) for table in line.needs}
    return frozenset(tables | {mapping.source})


def _may_be_read(event: Event, tables: frozenset[str]) -> bool:
    return event.table in tables and event.operation is not Operation.DELETE


def _retirements(
    transaction: Transaction,
    table: MirroredTable,
    site: Site,
    events: Sequence[Event],
) -> Iterator[str]:
    """Where rows are retired by these events."""
    keys = {event.key for event in events if guard.may_retire(table, site, event)}
    if not keys:
        return
    rows = {row.key: row for row in transaction.rows_by_key(table.name, sorted(keys))}
    for event in events:
        before = rows.get(event.key)
        if event.key in keys and not (before is not None and applied.is_stale(before, event)):
            after = rows[event.key] = guard.apply(table, site, before, event)
            if after.retired_at and not (before is not None and before.retired_at):
                yield after.retired_at


def _cut(events: Sequence[Event], position: str) -> Cut:
    """Each partition keeps its order: what follows an event that is left is left, too."""
    reached: dict[tuple[str, int], str] = {}
    now: list[Event] = []
    rest: list[Event] = []
    for event in events:
        partition = (event.table, event.place.partition)
        reached[partition] = max(reached.get(partition, ""), event.position)
        (rest if reached[partition] >= position else now).append(event)
    return now, rest
