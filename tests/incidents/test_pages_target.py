"""Pages of a target that does not take what it is given: one value, one table, or anything for a
while; and of too many rows that wait.
"""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from deploy.demo.consumers import TO_PIM
from deploy.sample import databases
from tests.incidents.firm import Firm
from tests.support.live import client, project, wait_until

pytestmark = pytest.mark.stack
CODE = "B-7"
TWICE = "B-8"
WAITS = """
    SELECT pg_cancel_backend(pid) FROM pg_stat_activity
    WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))
"""


def test_pim_does_not_take_what_it_is_given(firm: Firm) -> None:
    """Each page heals its own fault; then so many rows wait that nothing is read any more."""
    with firm.other_settings(TO_PIM, run={"parked_retry_seconds": 1.0, "parked_limit": 2}):
        a_value_is_taken(firm)
        a_table_refuses(firm)
        it_is_busy(firm)
        two_write_the_same(firm)
        keys = too_many_wait(firm)
    person = firm.person("park.limit")
    person.heal()
    firm.live.insert("AxVec", *(client(key, f"Came late {key}") for key in keys))
    wait_until(person.is_over, "no row waits")


def a_value_is_taken(firm: Firm) -> None:
    """Somebody else's project has the code; it gets another one."""
    person, pim = firm.person("target.taken"), firm.live.pim
    insert_theirs(pim, "theirs", CODE)
    firm.live.insert("AxProject", project(50, "Bridge", prjID=CODE))
    wait_until(lambda: person.code in person.look(), "status shows the row")
    pim.execute("""UPDATE "Project" SET "Project Code" = 'T-1' WHERE "Project ID" = 'theirs'""")
    person.heal()
    wait_until(person.is_over, "the row is no longer listed")
    assert firm.live.project(50, "Project Code") == CODE
    pim.execute("""DELETE FROM "Project" WHERE "Project ID" = 'theirs'""")


def insert_theirs(pim: psycopg.Connection, key: str, code: str) -> None:
    """A project that is nobody's of ours."""
    theirs = {"Project ID": key, "Name": "Theirs", "Project Code": code, "Status": "Active"}
    row = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier("Project"),
        sql.SQL(", ").join(map(sql.Identifier, theirs)),
        sql.SQL(", ").join(sql.Placeholder() for _ in theirs),
    )
    pim.execute(row, list(theirs.values()))


def a_table_refuses(firm: Firm) -> None:
    """Somebody gave a column another type; other tables continue."""
    person, pim = firm.person("target.refused"), firm.live.pim
    kind = 'ALTER TABLE "Organization" ALTER "Phone Number" TYPE {} USING {}'
    pim.execute(kind.format("integer", '"Phone Number"::integer'))
    firm.live.edit('UPDATE "AxVec" SET "vecPhone1" = \'555\' WHERE "vecKey" = 4')
    wait_until(
        lambda: person.code in (shown := person.look()) and "Organization" in shown,
        "status shows the table",
    )
    pim.execute(kind.format("varchar(50)", '"Phone Number"::text'))
    person.heal()
    wait_until(person.is_over, "the table is written again")


def it_is_busy(firm: Firm) -> None:
    """Somebody holds a lock, and ends whoever waits for it."""
    person = firm.person("target.busy")
    with databases.connect_like(firm.live.pim) as admin, admin.transaction():
        admin.execute('LOCK TABLE "Organization" IN EXCLUSIVE MODE')
        firm.live.edit('UPDATE "AxVec" SET "vecPhone1" = \'556\' WHERE "vecKey" = 4')
        wait_until(lambda: told(admin, firm), "status says that PIM is busy")
        assert "PIM at" in person.look()
    person.heal()
    wait_until(person.is_over, "PIM is written again")
    assert firm.live.organization(4, "Phone Number") == "556"


def told(admin: psycopg.Connection, firm: Firm) -> bool:
    """End whoever waits; does status name the code."""
    admin.execute(WAITS)
    return firm.person("target.busy").code in firm.person("target.busy").look()


def two_write_the_same(firm: Firm) -> None:
    """Another consumer gives a project's code to a row just before ours does, which read that no
    row has it: ours tries again. By then the other one's row is gone.
    """
    person, key = firm.person("target.concurrent"), 51
    before = concurrent_writes(firm)
    with databases.connect_like(firm.live.pim) as other:
        with other.transaction():
            insert_theirs(other, "twice", TWICE)
            firm.live.insert("AxProject", project(key, "Known twice", prjID=TWICE))
            pid = other.info.backend_pid
            wait_until(lambda: waits_for(firm, pid), "ours waits for the other's transaction")
            assert firm.live.project(key, "Name") is None
        wait_until(lambda: concurrent_writes(firm) > before, "it is counted")
        other.execute("""DELETE FROM "Project" WHERE "Project ID" = 'twice'""")
    assert "1 member" in person.look()
    person.heal()
    wait_until(person.is_over, "the route is not degraded")
    wait_until(lambda: firm.live.project(key, "Project Code") == TWICE, "the code is ours")


def waits_for(firm: Firm, pid: int) -> bool:
    """Does a connection to PIM wait for what this one has locked."""
    asked = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"
    return firm.live.pim.execute(asked, [pid]).fetchone() != (0,)


def concurrent_writes(firm: Firm) -> float:
    """What the metrics of the consumer have counted."""
    counted = firm.look().metric(TO_PIM, "pipeline_retries_total", code="target.concurrent")
    return counted or 0.0


def too_many_wait(firm: Firm) -> range:
    """More contacts of clients that are not there than may wait."""
    person, keys = firm.person("park.limit"), range(95, 98)
    contacts = [
        {"cntKey": key, "cntClient": key, "cntFirstName": "Kari", "cntLastName": f"Moe {key}"}
        for key in keys
    ]
    firm.live.insert("AxContact", *contacts)
    wait_until(lambda: person.code in person.look(), "status says that nothing is read")
    assert "row.missing" in person.look()
    assert not person.is_over()
    return keys
