"""The incident of a target that was restored from a backup."""

from __future__ import annotations

from contextlib import suppress

import psycopg
import pytest
from psycopg import sql

from deploy.demo.consumers import TO_PIM
from deploy.sample import databases
from tests.incidents.firm import Firm
from tests.support.live import wait_until

pytestmark = pytest.mark.stack
REWINDS = "pipeline_rewinds_total"


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
