"""A projection into DPS beside the exchange, on PostgreSQL: rows with the keys that its links give,
in a program with one route more than ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import tomli_w

from deploy.local.stack import Stack
from pipeline.config.load import load
from pipeline.config.settings import Settings
from pipeline.conflicts.rules import Side
from pipeline.database.sql.engine import create_engine
from pipeline.database.state.migrate import upgrade
from pipeline.database.systems.live import create_target_tables
from pipeline.database.target import DatabaseTarget
from pipeline.domain.routes import ROUTES
from pipeline.errors import SyncSchemaOutdated
from pipeline.mapping.site import Site
from pipeline.telemetry.health import Health
from pipeline.telemetry.prometheus import PrometheusTelemetry
from pipeline.wiring.projection import apply_maps, target_of
from tests.support.engine import Consumer, Ticking, topic_of
from tests.support.linked import LINKED, REPORT, REPORT_GROUP
from tests.support.outbox import World

AJERA, DPS = Side.AJERA, Side.DPS
OWN = "reports"  # the projection's schema


def settings_of(folder: Path, database: str, **dps: object) -> Settings:
    found: dict[str, Any] = {
        "sources": {
            "ajera": {"database": "postgresql://nobody@localhost/ajera", "version": "9.08"}
        },
        "routes": {
            "reports": {"database": database, "sync_schema": OWN},
            "dps": {"employees": "none", "consultants": "none", **dps},
        },
    }
    found["sources"]["dps"] = {"database": database}
    file = folder / "settings.toml"
    file.write_text(tomli_w.dumps(found))
    return load(file, {}, (*ROUTES, LINKED))


@dataclass
class Reports:
    """The exchange at work, and the projection beside it."""

    firm: World
    engine: sa.Engine
    target: DatabaseTarget
    clock: Ticking = field(default_factory=Ticking)
    taken: int = 0

    def settle(self) -> None:
        """The exchange becomes quiet, and the projection reads what happened in Ajera."""
        self.firm.settle()
        mirrored = {source.name for source in LINKED.sources}
        events = [one for one in self.firm.events[AJERA] if one.table in mirrored]
        consumer = Consumer(self.target, events, clock=self.clock, route=LINKED)
        consumer.take(events[self.taken :])
        self.taken = len(events)
        consumer.drain()

    def rows(self) -> list[tuple[Any, ...]]:
        """Number, name and groups, and the groups' own rows."""
        with self.engine.connect() as connection:
            rows = connection.execute(sa.text(f'SELECT * FROM "{REPORT.name}" ORDER BY 1')).all()
            below = connection.execute(sa.text(f'SELECT "WBS1" FROM "{REPORT_GROUP.name}"'))
            numbers = [number for (number,) in below]
        return [(*row, numbers.count(row[0])) for row in rows]


@pytest.fixture
def reports(firm: World, tmp_path: Path) -> Iterator[Reports]:
    """Nothing is there yet but two schemas in DPS's database: the exchange's and the route's."""
    url = firm.urls[DPS]
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text(f"DROP SCHEMA IF EXISTS {OWN} CASCADE"))
        for table in (REPORT_GROUP, REPORT):
            connection.execute(sa.text(f'DROP TABLE IF EXISTS "{table.name}"'))
        for ours in ("link_reader", "link_change"):
            connection.execute(sa.text(f"DELETE FROM sync.{ours}"))
    upgrade(engine, OWN, mirrored=LINKED.sources)
    create_target_tables(engine, LINKED, Site())
    target = target_of(settings_of(tmp_path, url), LINKED, engine)
    apply_maps(target, LINKED, Site(), PrometheusTelemetry(Health()))
    with target.transaction() as transaction:
        for source in LINKED.sources:
            transaction.set_load_ends(topic_of(source.name), source.name, 1, {0: 0})
            transaction.set_loaded(source.name, 1)
    yield Reports(firm, engine, target)
    engine.dispose()


def test_a_project_has_a_report_from_when_it_is_linked_until_its_link_ends(
    reports: Reports,
) -> None:
    """Whichever side it came from; what is edited after that is nobody's."""
    firm = reports.firm
    firm.project(AJERA, 1, "Harbour", prjID="P-1")
    firm.project(AJERA, 2, "Depot", prjID="P-2", prjSyncToCRM=False, prjCreateInCRM=False)
    firm.project(DPS, "P-7", "Airport")
    reports.settle()
    reports.settle()
    assert [row[:2] for row in reports.rows()] == [("P-1", "Harbour"), ("P-7", "Airport")]
    firm.edit(AJERA, "AxProject", 1, prjDescription="Harbour 2")
    reports.settle()
    assert reports.rows()[0][:2] == ("P-1", "Harbour 2")
    firm.delete(DPS, "PR", "P-1")
    reports.settle()
    firm.edit(AJERA, "AxProject", 1, prjDescription="Harbour 3")
    reports.settle()
    assert reports.rows()[0][:2] == ("P-1", "Harbour 2")
    assert firm.do(DPS, "SELECT count(*) FROM sync.link_change") == 0


def test_a_project_that_is_unticked_keeps_its_report_until_it_is_ticked_again(
    reports: Reports,
) -> None:
    """As its edits wait in the exchange."""
    firm = reports.firm
    firm.project(AJERA, 1, "Harbour", prjID="P-1")
    reports.settle()
    firm.edit(DPS, "PR", "P-1", AjeraSync="N")
    reports.settle()
    firm.edit(AJERA, "AxProject", 1, prjDescription="Harbour 2")
    reports.settle()
    assert [row[:2] for row in reports.rows()] == [("P-1", "Harbour")]
    firm.edit(DPS, "PR", "P-1", AjeraSync="Y")
    reports.settle()
    assert [row[:2] for row in reports.rows()] == [("P-1", "Harbour 2")]


def test_a_route_whose_database_is_not_the_exchanges_is_refused(
    reports: Reports, postgres: Stack, tmp_path: Path
) -> None:
    """Before anything is taken for a row without a link."""
    engine = create_engine(postgres.create_database("elsewhere"))
    settings = settings_of(tmp_path, reports.firm.urls[DPS])
    with pytest.raises(SyncSchemaOutdated, match="sync"):
        target_of(settings, LINKED, engine)
    engine.dispose()
