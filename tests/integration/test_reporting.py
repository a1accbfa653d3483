"""A third target on the real stack: captured, projected, replayed, checked and shown, by a program
that has one route more than ours.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import psycopg
import pytest

from deploy.local.stack import Stack
from deploy.sample import databases
from pipeline.errors import ExitCode
from tests.faults import audit
from tests.support.commands import Typed
from tests.support.live import Live, client, live_firm, project, wait_until
from tests.support.reporting.__main__ import main

pytestmark = pytest.mark.stack

PROGRAM = Typed(main, "tests.support.reporting")
TABLE = "Client Report"
CREATE = f"""
CREATE TABLE "{TABLE}" (
    "Client" varchar(20) PRIMARY KEY,
    "Name" varchar(100),
    "Place" varchar(100),
    "Active Projects" bigint,
    "Newest Project" date
)
"""
# What the table must hold, from the source itself.
WANTED = """
SELECT 'cl-' || v."vecKey", v."vecDescription",
       nullif(concat_ws(', ', nullif(v."vecCity", ''), nullif(v."vecState", '')), ''),
       count(p."prjKey") FILTER (WHERE p."prjStatus" = 1),
       max(p."prjOpened")::date
FROM "AxVec" v
LEFT JOIN (SELECT DISTINCT "igClient", "igProject" FROM "AxInvoiceGroup") g
    ON g."igClient" = v."vecKey"
LEFT JOIN "AxProject" p ON p."prjKey" = g."igProject"
WHERE v."vecIsClient" GROUP BY v."vecKey" ORDER BY 1
"""


@dataclass
class Reporting:
    """A firm with PIM and Reporting, and what Reporting holds."""

    live: Live
    target: psycopg.Connection

    def rows(self) -> list[tuple[object, ...]]:
        return self.target.execute(f'SELECT * FROM "{TABLE}" ORDER BY 1').fetchall()

    def wanted(self) -> list[tuple[object, ...]]:
        return self.live.ajera.execute(WANTED).fetchall()

    def wait_until_right(self) -> None:
        wait_until(lambda: self.rows() == self.wanted(), "Reporting holds what plain SQL says")

    def typed(self, *words: str, expect: int = 0) -> str:
        """What a person who types the command sees."""
        done = subprocess.run(
            [sys.executable, "-m", PROGRAM.module, "--config", str(self.live.config), *words],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={"COLUMNS": "400", "PATH": ""},
        )
        assert done.returncode == expect, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def one(self, statement: str) -> object:
        row = self.target.execute(statement).fetchone()
        return None if row is None else row[0]


@pytest.fixture(scope="module")
def firm(stack: Stack) -> Iterator[Reporting]:
    """Two clients with three projects, there before anybody captured."""
    with live_firm(stack, "reporting", program=PROGRAM) as live:
        url = stack.create_database("reporting_target")
        live.configure(
            routes={
                "reporting": {
                    "database": url,
                    "group": "reporting-clients",
                    "dead_letter_topic": "reporting.clients.dead",
                }
            }
        )
        live.ajera.execute('ALTER TABLE "AxProject" ADD COLUMN "prjOpened" timestamp')
        live.insert(
            "AxVec", client(1, "Hill", vecCity="Bergen"), client(2, "Bay"), client(3, "Cape")
        )
        live.insert(
            "AxProject",
            project(10, "Library", prjOpened="2026-03-02"),
            project(11, "Bridge", prjOpened="2026-01-15"),
            project(12, "Harbour", prjStatus=5, prjOpened="2025-07-01"),
        )
        live.insert(
            "AxInvoiceGroup",
            {"igKey": 100, "igProject": 10, "igClient": 1},
            {"igKey": 101, "igProject": 11, "igClient": 1},
            {"igKey": 102, "igProject": 12, "igClient": 2},
        )
        with databases.connect(url) as target:
            target.execute(CREATE)
            yield Reporting(live, target)


def test_its_schema_is_made_and_its_databases_are_checked(firm: Reporting) -> None:
    """Before anything runs: what lacks is named, then made."""
    assert "schema upgrade" in firm.typed("check", "--only", "Reporting", expect=3)
    assert "reporting: version" in firm.typed("schema", "upgrade")
    found = firm.typed("check", "--only", "Reporting")
    assert "1 tables, every mapped column is there" in found
    assert "at this program's version" in found
    mirrors = firm.target.execute(
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_schema = 'sync' AND table_name LIKE 'mirror%' ORDER BY 1"
    ).fetchall()
    assert mirrors == [("mirror_AxInvoiceGroup",), ("mirror_AxProject",), ("mirror_AxVec",)]


def test_the_snapshot_is_projected_beside_pims(firm: Reporting) -> None:
    """One connector captures what both routes read; each route has a consumer of its own."""
    firm.live.command("connectors", "apply")
    with firm.live.consumers(route="reporting"), firm.live.consumers():
        firm.wait_until_right()
        firm.live.wait_until_right()
    assert [row[3] for row in firm.rows()] == [2, 0, 0]


def test_edits_reach_every_row_that_they_touch(firm: Reporting) -> None:
    """A renamed client, a closed project, a group that moves to another client,
    a deleted project.
    """
    edit = firm.live.edit
    with firm.live.consumers(2, route="reporting"):
        edit(
            'UPDATE "AxVec" SET "vecDescription" = %s, "vecState" = %s WHERE "vecKey" = 1', "H", "N"
        )
        firm.wait_until_right()
        edit('UPDATE "AxProject" SET "prjStatus" = 5 WHERE "prjKey" = 10')
        firm.wait_until_right()
        edit('UPDATE "AxInvoiceGroup" SET "igClient" = 3 WHERE "igKey" = 101')
        firm.wait_until_right()
        firm.live.insert("AxProject", project(13, "Tower", prjOpened="2026-11-24"))
        firm.live.insert("AxInvoiceGroup", {"igKey": 103, "igProject": 13, "igClient": 3})
        firm.wait_until_right()
        assert firm.rows()[2][3:] == (2, date(2026, 11, 24))
        edit('DELETE FROM "AxProject" WHERE "prjKey" = 13')
        firm.wait_until_right()
        assert firm.rows()[2][3:] == (1, date(2026, 1, 15))


def test_what_happens_while_it_is_stopped_is_applied_when_it_starts_again(
    firm: Reporting,
) -> None:
    """From the place at which it was stopped, in order."""
    for number in range(50):
        firm.live.edit('UPDATE "AxVec" SET "vecDescription" = %s WHERE "vecKey" = 2', f"n-{number}")
    with firm.live.consumers(route="reporting") as (member,):
        firm.wait_until_right()
        member.stop()
        assert member.process.returncode == 0


def test_a_replay_from_the_beginning_writes_nothing(firm: Reporting) -> None:
    """The target's own log shows no write at all."""
    audit.begin(firm.target, (TABLE,))
    read = "SELECT sum(events_read) FROM sync.progress WHERE topic = 'reporting.AxVec'"
    before = firm.one(read)
    words = ("replay", "--route", "reporting", "--topic", "reporting.AxVec", "--to-beginning")
    planned = firm.live.command(*words, "--yes")["data"]
    assert planned["done"]
    assert planned["again"] > 50
    with firm.live.consumers(route="reporting"):
        wait_until(lambda: firm.one(read) >= before + planned["again"], "everything was read again")
    assert audit.writes(firm.target) == []


def test_status_lag_and_mappings_tell_of_it(firm: Reporting) -> None:
    """As a person who types them sees them, and with PIM beside it."""
    status = firm.typed("status", expect=ExitCode.HALTED)  # nobody reads now
    assert "Ajera to Reporting: group" in status
    assert "Ajera to PIM: group" in status
    found = {one["name"]: one for one in firm.live.command("status", expect=None)["data"]["routes"]}
    assert {(one["name"], one["state"]) for one in found["reporting"]["state"]["tables"]} == {
        (table, "loaded") for table in ("AxVec", "AxProject", "AxInvoiceGroup")
    }
    assert found["reporting"]["group"]["lag"] == 0
    lag = firm.typed("lag", "--route", "reporting")
    assert "reporting-clients" in lag
    assert "reporting.AxInvoiceGroup" in lag
    both = firm.live.command("lag")["data"]["routes"]
    assert {one["route"] for one in both} == {"pim", "reporting"}
    shown = firm.typed("mappings", "show", "reporting")
    assert "AxVec -> Client Report" in shown
    assert "count of rows of AxProject where prjStatus is 1" in shown


def test_everything_is_as_it_should_be(firm: Reporting) -> None:
    """Sources, targets, topics and connector, for both routes together."""
    lines = firm.live.command("check")["data"]["lines"]
    assert {line["area"] for line in lines} == {
        *("Ajera", "PIM", "Reporting", "Kafka", "registry", "Connect")
    }
    assert "reporting.clients.dead" in {line["name"] for line in lines}
