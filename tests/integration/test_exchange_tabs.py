"""Columns of DPS's projects and rows of their teams that a projection owns, beside the exchange
that writes the same tables, on PostgreSQL: what people change there is put back, each write of the
exchange and of people comes to both, and neither undoes the other's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import tomli_w

from pipeline.config.load import load
from pipeline.config.settings import Settings
from pipeline.conflicts.rules import Side
from pipeline.database.sql.engine import create_engine
from pipeline.database.state.migrate import upgrade
from pipeline.database.systems.grants import missing_rights, rights_on_target
from pipeline.database.systems.live import describe_target
from pipeline.database.target import DatabaseTarget
from pipeline.domain.routes import ROUTES
from pipeline.mapping.site import Site
from pipeline.model.event import Event
from pipeline.telemetry.health import Health
from pipeline.telemetry.prometheus import PrometheusTelemetry
from pipeline.wiring.projection import apply_maps, target_of
from tests.support.captured import read_back
from tests.support.engine import Consumer, Ticking, topic_of
from tests.support.outbox import World
from tests.support.tabs import LEAD, OBSERVED, PROJECT, TABS, TEAM

AJERA, DPS = Side.AJERA, Side.DPS
OWN = "tabs"  # the projection's schema
PREPARED = (
    'ALTER TABLE "PR" ADD COLUMN IF NOT EXISTS "AjeraName" varchar(40)',
    'ALTER TABLE "PR" ADD COLUMN IF NOT EXISTS "AjeraGroups" integer',
    'DELETE FROM "EMProjectAssoc"',
    "DELETE FROM sync.link_reader",
    "DELETE FROM sync.link_change",
    (
        'CREATE OR REPLACE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE ON "EMProjectAssoc"'
        " FOR EACH ROW EXECUTE FUNCTION outbox.note()"
    ),
    f"DROP SCHEMA IF EXISTS {OWN} CASCADE",
)


def settings_of(folder: Path, database: str) -> Settings:
    found: dict[str, Any] = {
        "sources": {
            "ajera": {"database": "postgresql://nobody@localhost/ajera", "version": "9.08"},
            "dps": {"database": database},
        },
        "routes": {
            "tabs": {"database": database, "sync_schema": OWN},
            "dps": {"employees": "none", "consultants": "none"},
        },
    }
    file = folder / "settings.toml"
    file.write_text(tomli_w.dumps(found))
    return load(file, {}, (*ROUTES, TABS))


@dataclass
class Tabs:
    """The exchange at work, the projection beside it, and people in DPS."""

    firm: World
    engine: sa.Engine
    target: DatabaseTarget
    clock: Ticking = field(default_factory=Ticking)
    taken: int = 0
    seen: int = 0
    edits: Counter[tuple[str, str]] = field(default_factory=Counter)
    ended: Counter[tuple[str, str]] = field(default_factory=Counter)

    def settle(self) -> None:
        """The exchange becomes quiet; the projection reads what happened in Ajera, then in DPS."""
        self.firm.settle()
        mirrored = {source.name for source in TABS.sources}
        events = [one for one in self.firm.events[AJERA] if one.table in mirrored]
        self._take(events[self.taken :])
        self.taken = len(events)
        self.read_back()

    def read_back(self, start: int | None = None) -> None:
        """What DPS's connector makes of everything that was committed there."""
        events = [one for one in self.captured() if one.place.offset > (start or self.seen)]
        self.seen = max([self.seen, *(one.place.offset for one in events)])
        self._take(events)

    def _take(self, events: list[Event]) -> None:
        consumer = Consumer(self.target, events, clock=self.clock, route=TABS)
        consumer.take(events)
        consumer.drain()
        self.edits += consumer.telemetry.edits
        self.ended = Counter(consumer.telemetry.ended)

    def captured(self) -> list[Event]:
        return read_back(self.engine, (one.table for one in OBSERVED))

    def team(self) -> list[tuple[Any, ...]]:
        """Project, employee, hours and description of each row."""
        columns = '"WBS1", "Employee", "Hours", "RoleDescription"'
        with self.engine.connect() as connection:
            return [
                tuple(row)
                for row in connection.execute(
                    sa.text(f'SELECT {columns} FROM "{TEAM.name}" ORDER BY 1, 2, 3')
                )
            ]

    def project(self, number: str) -> tuple[Any, ...]:
        """Names in Ajera and in DPS, groups and memo of the whole project."""
        columns = '"AjeraName", "Name", "AjeraGroups", "Memo"'
        with self.engine.connect() as connection:
            found = connection.execute(
                sa.text(
                    f'SELECT {columns} FROM "{PROJECT.name}"'
                    ' WHERE "WBS1" = :number AND "WBS2" = \' \''
                ),
                {"number": number},
            )
            return tuple(found.one())


@pytest.fixture
def tabs(firm: World, tmp_path: Path) -> Iterator[Tabs]:
    """Nothing is there yet but two schemas in DPS's database: the exchange's and the route's."""
    engine = create_engine(firm.urls[DPS])
    with engine.begin() as connection:
        for statement in PREPARED:
            connection.execute(sa.text(statement))
    upgrade(engine, OWN, mirrored=TABS.sources)
    target = target_of(settings_of(tmp_path, firm.urls[DPS]), TABS, engine)
    apply_maps(target, TABS, Site(), PrometheusTelemetry(Health()))
    with target.transaction() as transaction:
        for source in TABS.sources:
            transaction.set_load_ends(topic_of(source.name), source.name, 1, {0: 0})
            transaction.set_loaded(source.name, 1)
    yield Tabs(firm, engine, target)
    engine.dispose()


def test_the_exchange_and_the_projection_write_one_row_and_neither_undoes_the_other(
    tabs: Tabs,
) -> None:
    """A name that is edited in DPS goes to Ajera and comes back in the column that is Ajera's."""
    firm = tabs.firm
    firm.project(AJERA, 1, "Harbour", prjID="P-1")
    firm.insert(AJERA, "AxInvoiceGroup", igKey=5, igProject=1, igClient=8)
    tabs.settle()
    tabs.settle()
    assert tabs.project("P-1") == ("Harbour", "Harbour", 1, None)
    assert tabs.team() == [("P-1", "5", Decimal(8), None)]
    firm.edit(DPS, "PR", "P-1", Name="Depot", Memo="theirs", AjeraGroups=9)
    tabs.settle()
    tabs.settle()
    assert tabs.project("P-1") == ("Depot", "Depot", 1, "theirs")
    assert tabs.edits == Counter({("PR", "AjeraGroups"): 1})


def test_what_people_change_in_ours_is_put_back_and_what_comes_back_of_it_costs_nothing(
    tabs: Tabs,
) -> None:
    """Also after everything is read again."""
    firm = tabs.firm
    firm.project(AJERA, 1, "Harbour", prjID="P-1")
    firm.insert(AJERA, "AxInvoiceGroup", igKey=5, igProject=1, igClient=8)
    firm.insert(AJERA, "AxInvoiceGroup", igKey=6, igProject=1, igClient=9)
    tabs.settle()
    phase = {"WBS1": "P-1", "WBS2": "1", "WBS3": " ", "Name": "Phase", "AjeraName": "theirs"}
    firm.insert(DPS, "PR", **phase)
    made = TEAM.made_id(("P-1", "5", LEAD))
    firm.do(DPS, 'UPDATE "EMProjectAssoc" SET "Hours" = 1, "RoleDescription" = %s', "theirs")
    firm.do(DPS, 'DELETE FROM "EMProjectAssoc" WHERE "RecordID" = %s', made)
    tabs.read_back()
    assert tabs.team() == [("P-1", "5", Decimal(8), None), ("P-1", "6", Decimal(9), "theirs")]
    assert tabs.edits == Counter({(TEAM.name, "Hours"): 1, (TEAM.name, TEAM.row_id): 1})
    tabs.read_back()
    assert {reason for _, reason in tabs.ended} == {"echo"}
    log = len(tabs.captured())
    tabs.read_back(start=-1)
    tabs.settle()
    assert len(tabs.captured()) == log
    assert tabs.edits.total() == 2
    assert firm.do(DPS, 'SELECT "AjeraName" FROM "PR" WHERE "WBS2" = \'1\'') == "theirs"


def test_a_team_row_of_an_older_sync_is_taken_over_and_given_back(tabs: Tabs) -> None:
    """With a person's description; the project's own rows go when it has none."""
    firm = tabs.firm
    firm.project(AJERA, 1, "Harbour", prjID="P-1")
    firm.insert(AJERA, "AxInvoiceGroup", igKey=5, igProject=1, igClient=8)
    whole = {"WBS1": "P-1", "WBS2": " ", "WBS3": " ", "Employee": "5", "Role": LEAD}
    for one in ("f" * 32, "e" * 32):
        row = {"RecordID": one, **whole, "Hours": 3, "RoleDescription": one[0]}
        firm.insert(DPS, TEAM.name, **row)
    tabs.settle()
    assert sorted(tabs.team(), key=str) == [
        ("P-1", "5", Decimal(3), "f"),
        ("P-1", "5", Decimal(8), "e"),
    ]
    firm.delete(AJERA, "AxInvoiceGroup", 5)
    tabs.settle()
    assert sorted(tabs.team(), key=str) == [("P-1", "5", Decimal(3), "f"), ("P-1", "5", None, "e")]
    assert tabs.edits == {}


def test_a_project_whose_link_ended_is_peoples(tabs: Tabs) -> None:
    """What they type there stays."""
    firm = tabs.firm
    firm.project(AJERA, 1, "Harbour", prjID="P-1")
    firm.insert(AJERA, "AxInvoiceGroup", igKey=5, igProject=1, igClient=8)
    tabs.settle()
    firm.edit(DPS, "PR", "P-1", AjeraSync="N")
    tabs.settle()
    firm.edit(DPS, "PR", "P-1", AjeraName="theirs")
    tabs.settle()
    assert tabs.project("P-1")[0] == "theirs"
    firm.edit(DPS, "PR", "P-1", AjeraSync="Y")
    tabs.settle()
    assert tabs.project("P-1")[0] == "Harbour"
    assert tabs.edits == {}


def test_the_rights_on_the_real_tables_are_those_that_the_route_needs(tabs: Tabs) -> None:
    """And every column is there."""
    assert len(describe_target(tabs.engine, TABS, Site())) == len(TABS.targets)
    assert missing_rights(tabs.engine, None, rights_on_target(TABS, Site())) == []
