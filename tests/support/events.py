"""Events and ledger rows for tests, with only what a test cares about."""

from __future__ import annotations

from datetime import UTC, datetime

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.engine.projection import guard
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.model import applied
from pipeline.model.event import Event, Operation, Row, Value
from pipeline.model.ledger import LedgerRow
from pipeline.model.position import TopicOffset, postgres_position

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SITE = Site()


def position(number: int, epoch: int = 1) -> str:
    """The position of the number-th commit."""
    return postgres_position(epoch, f'["{number}","{number}"]')


def event(
    table: str,
    key: int,
    operation: str = "u",
    *,
    at: int = 1,
    offset: int | None = None,
    partition: int = 0,
    incarnation: int = 1,
    **columns: Value,
) -> Event:
    """An event whose row holds every column of its table: null, but for those given and the key."""
    source = AJERA_TO_PIM.source(table)
    row: dict[str, Value] = (
        {c.name: None for c in source.columns} | {source.table.key[0]: key} | columns
    )
    kind = Operation(operation)
    return Event(
        table=table,
        key=str(key),
        operation=kind,
        row={} if kind is Operation.DELETE else row,
        position="" if kind is Operation.READ else position(at),
        place=TopicOffset(incarnation, partition, at if offset is None else offset),
        committed_at=NOON,
        epoch=1,
        snapshot_ended=kind is not Operation.READ,
    )


def ledger(*events: Event, site: Site = SITE) -> LedgerRow:
    """The ledger row after these events, none of which may be stale."""
    row: LedgerRow | None = None
    for one in events:
        assert row is None or not applied.is_stale(row, one)
        row = guard.apply(AJERA_TO_PIM.source(one.table), site, row, one)
    assert row is not None
    return row


def event_of(
    route: Route,
    table: str,
    key: int,
    operation: str = "u",
    *,
    at: int = 1,
    without: tuple[str, ...] = (),
    **columns: Value,
) -> Event:
    """An event of a route of the tests' own; it lacks the columns `without`."""
    source = route.source(table)
    names = [column.name for column in source.columns if column.name not in without]
    row: dict[str, Value] = dict.fromkeys(names) | {source.columns[0].name: key} | columns
    return event_at(table, str(key), row, Operation(operation), at)


def event_at(table: str, key: str, row: Row, operation: Operation, at: int) -> Event:
    """An event of the first epoch, at this place of the source's log; a deletion has no row."""
    return Event(
        table=table,
        key=key,
        operation=operation,
        row={} if operation is Operation.DELETE else row,
        position=position(at),
        place=TopicOffset(1, 0, at),
        committed_at=NOON,
        epoch=1,
    )


def ledger_of(route: Route, *events: Event) -> LedgerRow:
    """The ledger row after these events of the route."""
    row: LedgerRow | None = None
    for one in events:
        row = guard.apply(route.source(one.table), SITE, row, one)
    assert row is not None
    return row
