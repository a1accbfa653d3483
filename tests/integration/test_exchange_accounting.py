"""The accounting route with its real maps beside the exchange, on PostgreSQL: what people type over
Ajera's figures in DPS's own tables is put back, as their columns hold it, with their times and
places; and what comes back of our own writing costs nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa

from pipeline.conflicts.rules import Side
from pipeline.database.sql.engine import create_engine
from pipeline.database.state.migrate import upgrade
from pipeline.database.systems.live import describe_target
from pipeline.database.target import DatabaseTarget
from pipeline.domain.routes import ACCOUNTING
from pipeline.mapping.site import Site
from pipeline.mapping.source import ColumnType, SourceColumn
from pipeline.model.event import Event, Operation, Value
from pipeline.model.position import TopicOffset
from pipeline.telemetry.health import Health
from pipeline.telemetry.prometheus import PrometheusTelemetry
from pipeline.wiring.projection import apply_maps
from tests.support.captured import read_back
from tests.support.engine import Consumer, Ticking, topic_of
from tests.support.events import NOON, position
from tests.support.outbox import World

AJERA, DPS = Side.AJERA, Side.DPS
OWN = "accounts"  # the projection's schema
ROUTE = ACCOUNTING.only(frozenset(ACCOUNTING.entities))
PREPARED = (
    'DELETE FROM "EMProjectAssoc"',
    "DELETE FROM sync.link_reader",
    "DELETE FROM sync.link_change",
    (
        'CREATE OR REPLACE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE ON "EMProjectAssoc"'
        " FOR EACH ROW EXECUTE FUNCTION outbox.note()"
    ),
    f"DROP SCHEMA IF EXISTS {OWN} CASCADE",
)
DAY = date(2026, 3, 2)
MORNING = datetime.fromisoformat("2026-03-02T00:00")  # as a column without a time zone has it
ACTIVITY, LABOR = 10, 1


@dataclass
class Accounts:
    """The exchange at work, the accounting route beside it, and people in DPS."""

    firm: World
    engine: sa.Engine
    target: DatabaseTarget
    clock: Ticking = field(default_factory=Ticking)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    seen: int = 0
    edits: Counter[tuple[str, str]] = field(default_factory=Counter)

    def ajera(self, table: str, key: int, **values: Value) -> Event:
        source, at = ROUTE.source(table), next(self.numbers)
        row: dict[str, Value] = dict.fromkeys(one.name for one in source.columns)
        row |= {source.columns[0].name: key} | values
        return Event(
            table=table,
            key=str(key),
            operation=Operation.UPDATE,
            row=row,
            position=position(at),
            place=TopicOffset(1, 0, at),
            committed_at=NOON,
            epoch=1,
        )

    def charge(self, key: int, spent: str, **values: Value) -> Event:
        usual: dict[str, Value] = {
            "tIsCurrent": True,
            "tProject": 1,
            "tActivity": ACTIVITY,
            "tDate": DAY,
            "tSpentAmount": Decimal(spent),
        }
        return self.ajera("AxTransaction", key, **usual | values)

    def take(self, *events: Event) -> Counter[tuple[str, str]]:
        consumer = Consumer(self.target, events, clock=self.clock, route=ROUTE)
        consumer.take(events)
        consumer.drain()
        self.edits += consumer.telemetry.edits
        return Counter(consumer.telemetry.ended)

    def read_back(self, *, again: bool = False) -> Counter[tuple[str, str]]:
        """What DPS's connector makes of everything that was committed there."""
        events = [one for one in self.captured() if again or one.place.offset > self.seen]
        self.seen = max([self.seen, *(one.place.offset for one in events)])
        return self.take(*events)

    def captured(self) -> list[Event]:
        return read_back(self.engine, (one.table for one in ROUTE.observed), decoded)

    def held(self, columns: str, table: str = "PR") -> tuple[Any, ...]:
        with self.engine.connect() as connection:
            where = " WHERE \"WBS1\" = 'P-1' AND \"WBS2\" = ' '"
            return tuple(
                connection.execute(sa.text(f'SELECT {columns} FROM "{table}"{where}')).one()
            )


def decoded(column: SourceColumn, value: Any) -> Value:
    """As the decoder gives it, of what PostgreSQL has as JSON."""
    match column.kind:
        case ColumnType.DECIMAL if value is not None:
            return Decimal(str(value))
        case ColumnType.DATE if value is not None:
            return datetime.fromisoformat(str(value)).date()
        case _:
            found: Value = value
            return found


@pytest.fixture
def accounts(firm: World) -> Iterator[Accounts]:
    """Project 1 is P-1 in DPS, employee 5 E5; labor of both is entered."""
    engine = create_engine(firm.urls[DPS])
    with engine.begin() as connection:
        for statement in PREPARED:
            connection.execute(sa.text(statement))
    upgrade(engine, OWN, mirrored=ROUTE.sources)
    target = DatabaseTarget(engine, ROUTE, Site(), OWN, None, "sync")
    apply_maps(target, ROUTE, Site(), PrometheusTelemetry(Health()))
    with target.transaction() as transaction:
        for source in ROUTE.sources:
            transaction.set_load_ends(topic_of(source.name), source.name, 1, {0: 0})
            transaction.set_loaded(source.name, 1)
    firm.project(AJERA, 1, "Harbour", prjID="P-1")
    ann: dict[str, object] = {"vecFirstName": "Ann", "vecLastName": "Hill", "vecIsEmployee": True}
    firm.insert(AJERA, "AxVec", vecKey=5, **ann)
    firm.settle()
    found = Accounts(firm, engine, target)
    found.take(
        found.ajera("AxActivity", ACTIVITY, actType=LABOR),
        found.ajera("AxEmployeeType", 3, etDescription="Designer"),
        found.ajera(
            "AxProject",
            1,
            prjBillingType="FixedFee",
            prjStatus=1,
            prjPercentComplete=Decimal("12.5"),
            prjActualStartDate=DAY,
        ),
        found.charge(1, "100.25", tEmployee=5, tEmployeeType=3, tUnits=Decimal("7.5")),
    )
    found.read_back()
    yield found
    engine.dispose()


SHOWN = '"AjeraSpentLabor", "PctComp", "StartDate"'
FIRST = (Decimal("100.2500"), Decimal("12.5000"), MORNING)


def test_the_tabs_are_written_into_dps_own_tables_and_their_echo_writes_nothing(
    accounts: Accounts,
) -> None:
    """Amounts and dates are as DPS holds them, and compare equal when they come back."""
    assert len(describe_target(accounts.engine, ROUTE, Site())) == 2
    assert accounts.held(SHOWN) == FIRST
    log = len(accounts.captured())
    ended = accounts.read_back(again=True)
    assert {reason for _, reason in ended} <= {"echo", "filtered", "superseded", ""}
    accounts.take(accounts.charge(2, "1"), accounts.charge(3, "2"))
    assert accounts.read_back() == {("skipped", "echo"): 1}
    assert len(accounts.captured()) == log + 1
    assert accounts.edits == {}


def test_what_people_type_over_ajeras_figures_is_put_back_and_their_own_columns_stay(
    accounts: Accounts,
) -> None:
    """Each column is counted; the memo is theirs."""
    accounts.firm.edit(
        DPS, "PR", "P-1", AjeraSpentLabor=1, StartDate=date(2020, 1, 1), Memo="theirs"
    )
    accounts.read_back()
    assert accounts.held(SHOWN) == FIRST
    assert accounts.held('"Memo"') == ("theirs",)
    assert accounts.edits == {("PR", "AjeraSpentLabor"): 1, ("PR", "StartDate"): 1}
    assert accounts.read_back() == {("skipped", "echo"): 1}


def test_the_team_is_put_back_too_and_goes_with_its_hours(accounts: Accounts) -> None:
    """Role, hours and first day; a row that a person deleted is made again."""
    shown = '"Employee", "Role", "Hours", "StartDate"'
    row = ("E5", "Designer", Decimal("7.5000"), MORNING)
    assert accounts.held(shown, "EMProjectAssoc") == row
    accounts.firm.do(DPS, 'UPDATE "EMProjectAssoc" SET "Hours" = 1, "Role" = %s', "Boss")
    accounts.read_back()
    assert accounts.held(shown, "EMProjectAssoc") == row
    accounts.firm.do(DPS, 'DELETE FROM "EMProjectAssoc"')
    accounts.read_back()
    assert accounts.held(shown, "EMProjectAssoc") == row
    assert accounts.edits == {
        ("EMProjectAssoc", "Hours"): 1,
        ("EMProjectAssoc", "Role"): 1,
        ("EMProjectAssoc", "RecordID"): 1,
    }
    accounts.take(accounts.charge(1, "100.25", tIsDeleted=True, tEmployee=5, tEmployeeType=3))
    assert accounts.firm.do(DPS, 'SELECT count(*) FROM "EMProjectAssoc"') == 0
    assert accounts.edits.total() == 3
