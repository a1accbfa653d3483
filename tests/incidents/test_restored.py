"""Incidents of a database that was restored from a backup under running consumers: PIM, and DPS."""

from __future__ import annotations

import json
from contextlib import suppress

import psycopg
import pytest
from confluent_kafka.admin import AdminClient
from psycopg import sql

from deploy.demo.consumers import EXCHANGE, TO_PIM
from deploy.sample import databases
from pipeline.cli.explain import page
from pipeline.errors import ExitCode
from tests.docs.runbook import TYPE
from tests.incidents.firm import Firm
from tests.support.live import wait_until
from tests.support.runbook import OnCall, commands, sections

pytestmark = pytest.mark.stack
REWINDS, HALTED = "pipeline_rewinds_total", "pipeline_halted_partitions"


def test_a_target_is_restored(firm: Firm) -> None:
    """Everything arrives again, and nobody replays anything: also a project that the backup lacks,
    of whose table nobody edits anything meanwhile.
    """
    person = firm.person("target.restored")
    live = firm.live
    place = live.pim_url.rsplit("/", 1)[1]
    copy, gone = f"{place}-copy", f"{place}-gone"
    firm.stop(TO_PIM)
    live.pim.close()
    with databases.connect(live.stack.postgres_url("postgres")) as admin:
        wait_until(lambda: copied(admin, place, copy), "a backup of PIM")
        firm.start(TO_PIM)
        live.pim = databases.connect(live.pim_url)
        with firm.edits():
            before = firm.edited
            live.edit('UPDATE "AxProject" SET "prjDescription" = %s WHERE "prjKey" = 2', "Lacked")
            wait_until(lambda: live.project(2, "Name") == "Lacked", "PIM has the project")
            wait_until(lambda: firm.edited > before + 30, "edits that the backup lacks")
            live.pim.close()
            wait_until(lambda: swapped(admin, place, copy, gone), "the backup is in its place")
            live.pim = databases.connect(live.pim_url)
            seen = firm.shows(
                lambda seen: seen.metric(TO_PIM, REWINDS, code=person.code),
                "the metric of rewinds, which stays when it is over",
            )
            assert seen.health[TO_PIM]["state"] in ("ok", "degraded")
            assert person.code in firm.said(TO_PIM)
            person.heal()
            firm.wait_until_healthy()
    assert person.is_over()


def test_dps_is_restored(firm: Firm) -> None:
    """Ajera knows what the restored links do not: nothing is exchanged until a person has formed
    the pairs again, as the page says. What people type in Ajera meanwhile is not lost.
    """
    person, live = firm.person("exchange.restored"), firm.live
    url = live.settings()["sources"]["dps"]["database"]
    place = url.rsplit("/", 1)[1]
    copy, gone = f"{place}-copy", f"{place}-gone"
    firm.stop(EXCHANGE)
    firm.dps.close()
    with databases.connect(live.stack.postgres_url("postgres")) as admin:
        wait_until(lambda: copied(admin, place, copy), "a backup of DPS")
        firm.start(EXCHANGE)
        firm.dps = databases.connect(url)
        website(firm, 3, "lacked.example")
        wait_until(lambda: in_dps(firm, 3) == "lacked.example", "an edit that the backup lacks")
        firm.dps.close()
        wait_until(lambda: swapped(admin, place, copy, gone), "the backup is in its place")
        firm.dps = databases.connect(url)
    partitions = len(firm.look().route(EXCHANGE)["partitions"])
    seen = firm.shows(
        lambda seen: (
            person.code in seen.problems
            and seen.metric(EXCHANGE, HALTED, code=person.code) == partitions
        ),
        "status names the code, the metric every partition",
    )
    assert seen.status_code == ExitCode.HALTED
    assert person.code in seen.reasons(EXCHANGE)
    assert person.code in person.look()
    website(firm, 4, "meanwhile.example")
    assert in_dps(firm, 4) != "meanwhile.example"
    firm.stop(EXCHANGE)
    first, *others = commands(sections(page(person.code))[TYPE])
    assert person.type_(first).exit_code == 0
    forget(firm)
    for command in others:
        answered = person.type_(command)
        assert answered.exit_code == 0, answered.shown
    firm.start(EXCHANGE)
    for link, line in to_decide(person):
        resolve = "ajera-cdc conflicts resolve LINK LINE --take ajera"
        taken = person.type_(resolve, LINK=link, LINE=line)
        assert taken.exit_code == 0, taken.shown
    firm.wait_until_healthy()
    assert person.is_over()
    assert in_dps(firm, 3) == "lacked.example"


def website(firm: Firm, key: int, name: str) -> None:
    firm.live.edit('UPDATE "AxVec" SET "vecWebsite" = %s WHERE "vecKey" = %s', name, key)


def in_dps(firm: Firm, key: int) -> object:
    """The website of Ajera's client, as DPS has it."""
    query = 'SELECT "WebSite" FROM "Clendor" WHERE "Name" = %s'
    row = firm.dps.execute(query, [f"Client {key}"]).fetchone()
    return None if row is None else row[0]


def forget(firm: Firm) -> None:
    """What the page says that no command does: the topics of DPS go, and the pairs."""
    kafka = AdminClient({"bootstrap.servers": firm.live.stack.bootstrap})
    prefix = firm.live.settings()["sources"]["dps"]["topic_prefix"]
    topics = [name for name in kafka.list_topics(timeout=10).topics if f"{prefix}." in f"{name}."]
    for deleted in kafka.delete_topics(topics).values():
        deleted.result(10)
    for table in ("link", "parked", "unlinked"):
        firm.dps.execute(sql.SQL("DELETE FROM sync.{}").format(sql.Identifier(table)))


def to_decide(person: OnCall) -> list[tuple[str, str]]:
    """Link and line of what is left to a person."""
    listed = json.loads(person.type_("ajera-cdc conflicts list --json").shown)["data"]
    return [(one["link"], one["line"]) for one in listed["parked"]]


def copied(admin: psycopg.Connection, place: str, copy: str) -> bool:
    return alone(admin, place, sql.SQL("CREATE DATABASE {1} TEMPLATE {0}"), place, copy)


def swapped(admin: psycopg.Connection, place: str, copy: str, gone: str) -> bool:
    rename = sql.SQL("ALTER DATABASE {0} RENAME TO {1}")
    return alone(admin, place, rename, place, gone) and alone(admin, place, rename, copy, place)


def alone(admin: psycopg.Connection, place: str, statement: sql.SQL, *names: str) -> bool:
    """Run a statement on a database that nobody is connected to; False if somebody was faster."""
    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    admin.execute(query, [place])
    with suppress(psycopg.errors.ObjectInUse):
        admin.execute(statement.format(*map(sql.Identifier, names)))
        return True
    return False
