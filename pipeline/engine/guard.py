"""The guard: may this event be applied to this ledger row, and what does the row hold then. Pure.

Two things are compared. A streamed event must have a greater position than the ledger and, within one incarnation
and partition, a greater offset. A row read by a snapshot has no position worth comparing: it must stand at a later
place, and it leaves the position as it is. So a replay, a duplicate or a backfill never moves a row backwards, and
nothing that committed during a snapshot is lost (docs/explanation/order.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from pipeline.mapping.site import Site
from pipeline.mapping.source import Fold, SourceTable, group_kind, shared_kind
from pipeline.model.event import Event, Operation, Row, Value
from pipeline.model.ledger import LedgerRow, Mark
from pipeline.model.position import EPOCH_WIDTH


def is_stale(ledger: LedgerRow, event: Event) -> bool:
    """Has the ledger this event, or a newer one, already."""
    if event.epoch < ledger.epoch:
        return True
    if event.is_snapshot:
        if not event.place.is_comparable_with(ledger.place):
            return bool(ledger.position)  # a streamed event of the row is known; whether the read is newer is not
        return not event.place.is_later_than(ledger.place)
    if event.position <= ledger.position:
        return True
    return event.place.shares_partition_with(ledger.place) and event.place.offset <= ledger.place.offset


def apply(table: SourceTable, site: Site, ledger: LedgerRow | None, event: Event) -> LedgerRow:
    """The ledger row after an event that is not stale.

    A delete keeps the last image, since its own columns are placeholders. A column that the event lacks keeps its
    value, and stays unknown if it was never sent.
    """
    before = ledger or empty(table, event.key)
    position = before.position if event.is_snapshot else event.position
    if event.operation is Operation.DELETE:
        return _moved(before, event, position, before.values, before.unknown, deleted=True)
    values: dict[str, Value] = dict(before.values)
    for column in table.columns:
        if column.name in event.row:
            values[column.name] = event.row[column.name]
    unknown = before.unknown - event.row.keys()
    for remembered in table.remembered:
        found = remembered.of(values, site)
        was = before.values.get(remembered.name)
        if remembered.fold is Fold.EVER:
            values[remembered.name] = bool(was) or bool(found)
        else:
            values[remembered.name] = was if found is None else found
    return _moved(before, event, position, values, unknown, deleted=False)


def empty(table: SourceTable, key: str) -> LedgerRow:
    """The ledger row of a source row that was never seen."""
    names = [column.name for column in table.mirrored()]
    return LedgerRow(table.name, key, dict.fromkeys(names), unknown=frozenset(c.name for c in table.columns))


def _moved(
    before: LedgerRow, event: Event, position: str, values: Row, unknown: frozenset[str], *, deleted: bool
) -> LedgerRow:
    return LedgerRow(
        table=before.table,
        key=before.key,
        values=values,
        position=position,
        place=event.place,
        deleted=deleted,
        unknown=unknown,
        epoch=max(before.epoch, event.epoch),
        committed_at=before.committed_at if event.is_snapshot else event.committed_at,
        revision=before.revision,
    )


def is_rewound(ledger: LedgerRow, event: Event, tolerance: timedelta) -> bool:
    """Is this event stale by its position though it committed well after the newest one applied.

    Positions of one epoch sort in commit order, so then the source's log is not the one that was read before.
    """
    if event.is_snapshot or ledger.committed_at is None or event.epoch != ledger.epoch:
        return False
    return event.position <= ledger.position and event.committed_at > ledger.committed_at + tolerance


def swept(row: LedgerRow, epoch: int) -> LedgerRow:
    """The row after a snapshot of this epoch that did not hold it: deleted while nobody captured. Older events are stale."""
    return replace(row, deleted=True, epoch=epoch, position=f"{epoch:0{EPOCH_WIDTH}x}")


def marks(table: SourceTable, before: LedgerRow | None, after: LedgerRow) -> Iterator[tuple[str, str]]:
    """Kind and key of everything that must be recomputed, seen from this row's own two images. None if nothing changed."""
    old: Row = {} if before is None else before.values
    if before is not None and (old, before.deleted) == (after.values, after.deleted):
        return
    if before is None and after.unknown.issuperset(column.name for column in table.columns):
        return  # a delete of a row that was never seen; one created and deleted in one batch was
    yield table.name, after.key
    if any(before is None or old.get(column) != after.values.get(column) for column in table.shared):
        yield shared_kind(table.name), after.key
    for column, owner in table.owners:
        for value in {old.get(column), after.values.get(column)} - {None, 0}:
            yield owner, str(value)
    for group in table.groups:
        if old.get(group) != after.values.get(group):
            for value in {old.get(group), after.values.get(group)} - {None}:
                yield group_kind(table.name, group), str(value)


def numbered(pairs: set[tuple[str, str]], number: int) -> list[Mark]:
    return [Mark(kind, key, number) for kind, key in sorted(pairs)]
