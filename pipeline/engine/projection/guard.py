"""What a ledger row holds after an event that may be applied (`model/applied.py` says which may),
and which marks follow. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipeline.mapping.convert import names_row
from pipeline.mapping.known import KnownValues, ValueUnknown
from pipeline.mapping.mirror import (
    Fold,
    MirroredTable,
    StickyColumn,
    group_kind,
    shared_kind,
)
from pipeline.mapping.site import Site
from pipeline.model.applied import position_after
from pipeline.model.event import Event, Operation, Row, Value
from pipeline.model.ledger import LedgerRow, Mark
from pipeline.model.position import start_of


def apply(table: MirroredTable, site: Site, ledger: LedgerRow | None, event: Event) -> LedgerRow:
    """The ledger row after an event that is not stale.

    A delete keeps the last image, since its own columns are placeholders; so does an image that
    retires the row. A column that the event lacks keeps its value,
    and stays unknown if it was never sent, or not since the row retired.
    """
    before = with_sticky(table, site, ledger) if ledger else empty(table, event.key)
    moment = max(before.position, start_of(event.epoch)) if event.is_snapshot else event.position
    if event.operation is Operation.DELETE:
        return _moved(before, event, deleted=True, retired_at=before.retired_at or moment)
    values = _values(table, site, before, event)
    if table.member and before.values[table.member] and not _is_member(table, site, values):
        return _moved(before, event, retired_at=before.retired_at or moment)
    comes_back = bool(before.retired_at) or ledger is None
    was_unknown = table.sendable if comes_back else before.unknown
    unknown = was_unknown - event.row.keys()
    if unknown:
        unknown -= {one.name for one in table.remembered if _value(one, site, values, unknown)}
    is_read = comes_back or any(
        _differs(column, (before.values, before.unknown), (values, unknown))
        for column in table.read_by_others
    )
    changed_at = moment if is_read else before.changed_at
    return _moved(before, event, values=values, unknown=unknown, changed_at=changed_at)


def _values(table: MirroredTable, site: Site, before: LedgerRow, event: Event) -> Row:
    values: dict[str, Value] = dict(before.values)
    if len(event.row) == len(table.columns):
        values.update(event.row)
    else:
        values.update((name, event.row[name]) for name in event.row.keys() & table.sendable)
    for remembered in table.remembered:
        found = remembered.of(values, site)
        was = before.values.get(remembered.name)
        match remembered.fold:
            case Fold.EVER:
                values[remembered.name] = bool(was) or bool(found)
            case Fold.LAST:
                values[remembered.name] = was if found is None else found
            case Fold.LEFT:
                old = remembered.of(before.values, site)
                values[remembered.name] = was if old is None or old == found else old
            case Fold.NEWEST:
                values[remembered.name] = found
    return values


def with_sticky(table: MirroredTable, site: Site, row: LedgerRow) -> LedgerRow:
    """The row with what its last image tells for certain of sticky columns that were added since it
    was written: a flag that is set, a value that is not null.
    """
    found: dict[str, Value] = {}
    for one in table.remembered:
        if one.name in row.unknown and one.fold is not Fold.LEFT:
            computed = _value(one, site, row.values, row.unknown - {one.name})
            if computed and computed[0] not in (None, False):
                found[one.name] = computed[0]
    if not found:
        return row
    return replace(
        row,
        values={**row.values, **found},
        unknown=row.unknown - found.keys(),
    )


def _value(
    column: StickyColumn, site: Site, values: Row, unknown: frozenset[str]
) -> tuple[Value] | None:
    """What an image alone gives, None where that hangs on an unknown value."""
    try:
        return (column.of(KnownValues(values, unknown), site),)
    except ValueUnknown:
        return None


def _differs(
    column: str,
    before: tuple[Row, frozenset[str]],
    after: tuple[Row, frozenset[str]],
) -> bool:
    """Another value, or the same one that was not known before."""
    return before[0].get(column) != after[0].get(column) or (column in before[1]) != (
        column in after[1]
    )


def may_retire(table: MirroredTable, site: Site, event: Event) -> bool:
    """Could this event retire its row, whatever was before."""
    is_delete = event.operation is Operation.DELETE
    return is_delete or (bool(table.member) and not _is_member(table, site, event.row))


def _is_member(table: MirroredTable, site: Site, values: Row) -> bool:
    """Would the newest image alone give the flag."""
    return any(one.name == table.member and one.of(values, site) for one in table.remembered)


def empty(table: MirroredTable, key: str) -> LedgerRow:
    """The ledger row of a source row that was never seen."""
    return LedgerRow(table.name, key, table.nothing, unknown=table.sendable)


def _moved(
    before: LedgerRow,
    event: Event,
    *,
    values: Row | None = None,
    unknown: frozenset[str] | None = None,
    deleted: bool = False,
    retired_at: str = "",
    changed_at: str | None = None,
) -> LedgerRow:
    """The row as far as this event; what is not given stays as it was."""
    position, committed_at = position_after(before, event)
    return LedgerRow(
        table=before.table,
        key=before.key,
        values=before.values if values is None else values,
        position=position,
        place=event.place,
        deleted=deleted,
        unknown=before.unknown if unknown is None else unknown,
        epoch=max(before.epoch, event.epoch),
        committed_at=committed_at,
        revision=before.revision,
        retired_at=retired_at,
        changed_at=before.changed_at if changed_at is None else changed_at,
    )


def swept(row: LedgerRow, epoch: int) -> LedgerRow:
    """The row after a snapshot of this epoch that did not hold it: deleted while nobody captured.
    Older events are stale.
    """
    position = start_of(epoch)
    return replace(
        row,
        deleted=True,
        epoch=epoch,
        position=position,
        retired_at=row.retired_at or position,
    )


def marks(
    table: MirroredTable, before: LedgerRow | None, after: LedgerRow
) -> Iterator[tuple[str, str]]:
    """Kind and key of everything that must be recomputed, seen from this row's own two images.
    None if nothing changed.
    """
    old: Row = {} if before is None else before.values
    was = (before.deleted, before.retired_at) if before else (False, "")
    unknown: frozenset[str] = before.unknown if before else frozenset()
    if before is not None and (old, unknown, *was) == (
        after.values,
        after.unknown,
        after.deleted,
        after.retired_at,
    ):
        return
    if before is None and after.unknown.issuperset(column.name for column in table.columns):
        return  # a delete of a row that was never seen; one created and deleted in one batch was
    yield table.name, after.key
    if table.shared and (
        was[0] != after.deleted
        or any(
            before is None or _differs(column, (old, unknown), (after.values, after.unknown))
            for column in table.shared
        )
    ):
        yield shared_kind(table.name), after.key
    for column, owner in table.owners:
        for value in {old.get(column), after.values.get(column)}:
            if names_row(value):
                yield owner, str(value)
    joins = (
        bool(old.get(table.member)) != bool(after.values.get(table.member))
        or was[1] != after.retired_at
    )
    for group in table.groups:
        if joins or _differs(group, (old, unknown), (after.values, after.unknown)):
            for value in {old.get(group), after.values.get(group)} - {None}:
                yield group_kind(table.name, group), str(value)


def numbered(pairs: set[tuple[str, str]], number: int) -> list[Mark]:
    return [Mark(kind, key, number) for kind, key in sorted(pairs)]
