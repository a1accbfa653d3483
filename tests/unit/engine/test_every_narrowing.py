"""Whatever entities of a route are switched on, and whatever an earlier configuration left in the
state: an event of any table that is read ends, and raises nothing that is no error of ours.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest

from pipeline.conflicts.link import Link, LinkSide, State
from pipeline.domain import dps
from pipeline.domain.routes import ACCOUNTING, AJERA_TO_PIM
from pipeline.engine.projection import following
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.mapping.source import ColumnType, SourceTable
from pipeline.model.event import Event, Operation, Value
from pipeline.model.ledger import Mark
from tests.support.engine import Consumer, Ticking, ready
from tests.support.events import NOON, event_at
from tests.twins.clock import Ticks
from tests.twins.systems import both_systems
from tests.twins.target import MemoryTarget

OTHER_NAMES = Site.model_validate(tomllib.loads(Path("deploy/sample/other-names.toml").read_text()))
ROUTES = {
    f"{route.name}, {what}": (route, route.only(frozenset(entities)), site)
    for route in (AJERA_TO_PIM, ACCOUNTING)
    for what, entities, site in (
        ("all", route.entities, Site()),
        ("all, other names", route.entities, OTHER_NAMES),
        ("none", (), Site()),
        *((f"only {one}", (one,), OTHER_NAMES) for one in route.entities),
        *((f"without {one}", {*route.entities} - {one}, Site()) for one in route.entities),
    )
}
SAMPLES: dict[ColumnType, Value] = {
    ColumnType.INTEGER: 1,
    ColumnType.FLAG: True,
    ColumnType.DATE: date(2026, 3, 2),
    ColumnType.DECIMAL: Decimal(1),
    ColumnType.TEXT: "1",
    ColumnType.SHORT_TEXT: "1",
}
OPERATIONS = ("r", "u", "d", "c")


def rows_of(table: SourceTable) -> Iterator[dict[str, Value]]:
    """One with everything, and one with its key alone."""
    key = {one.name: SAMPLES[one.kind] for one in table.key_columns}
    yield {one.name: SAMPLES.get(one.kind) for one in table.columns}
    yield {**dict.fromkeys(one.name for one in table.columns), **key}


def events_of(route: Route, operation: str, numbers: Iterator[int]) -> Iterator[Event]:
    """Of rows of each table that is read, whether it is mirrored or read back."""
    tables = [table for tables in route.reads.values() for table in tables]
    for table in tables:
        for row in rows_of(table):
            key = table.key_text([row[one.name] for one in table.key_columns])
            yield event_at(table.name, key, row, Operation(operation), next(numbers))


def linked(target: MemoryTarget) -> None:
    """The project and the employee of the sample rows."""
    keys = {
        "project": ("AxProject", "PR", dps.PR.key_text(("1", " ", " "))),
        "employee": ("AxVec", "EM", "1"),
    }
    pairs = target.beside
    assert pairs is not None
    for entity, (ours, theirs, key) in keys.items():
        link = Link(entity, entity, LinkSide(ours, "1"), LinkSide(theirs, key), state=State.LINKED)
        with pairs.transaction() as transaction:
            transaction.store([(link, None)])


@pytest.mark.parametrize(("whole", "narrow", "site"), ROUTES.values(), ids=list(ROUTES))
def test_every_event_ends_whatever_is_switched_on(whole: Route, narrow: Route, site: Site) -> None:
    """After the whole route left its marks."""
    beside = both_systems(Ticks(NOON)) if whole.followed else None
    target = ready(MemoryTarget(whole, beside=beside))
    numbers = count(1)
    if beside is not None:
        linked(target)
    for route in (whole, narrow):
        clock = Ticking()
        with target.transaction() as transaction:
            following.follow(transaction, route, clock.now())
            transaction.mark([Mark(kind, "1", 1) for kind in sorted(whole.kinds())], clock.now())
            transaction.mark([Mark("a kind of before", "1", 1)], clock.now())
        for operation in OPERATIONS:
            events = [*events_of(whole, operation, numbers)]
            consumer = Consumer(target, events, clock=clock, route=route, site=site)
            consumer.take(events)
            consumer.drain()
            assert sum(consumer.telemetry.ended.values()) == len(events)
