"""Pages of work that a process left undone when it was killed: whoever runs next ends it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from deploy.local.stack import Stack
from deploy.sample import databases
from pipeline.conflicts.rules import Rule, Side
from tests.support.live import wait_until
from tests.support.outbox import World, world
from tests.support.runbook import OnCall

pytestmark = pytest.mark.postgres
AJERA, DPS = Side.AJERA, Side.DPS
PROGRAM = [sys.executable, "-m", "pipeline.cli.main"]


def test_a_decision_whose_command_was_killed_is_carried_out_by_a_consumer(
    postgres: Stack, tmp_path: Path
) -> None:
    """It is durable before Ajera is written, and listed until it is done."""
    with world(postgres, rules={"firm.website": Rule.MANUAL}) as firm:
        profile = '[rules]\n"firm.website" = "manual"\n'
        person = OnCall(firm.settings_file(tmp_path, profile=profile), "exchange.decided")
        firm.client(1, "Hill", vecWebsite="hill.example")
        firm.settle()
        firm.edit(AJERA, "AxVec", vecWebsite="north.example")
        firm.edit(DPS, "Clendor", WebSite="south.example")
        firm.settle()
        (link,) = firm.links()
        words = ["conflicts", "resolve", link.id, "website", "--take", "dps"]
        with waiting_for_ajera(firm) as admin:
            command = subprocess.Popen([*PROGRAM, "--config", str(person.config), *words])
            try:
                wait_until(lambda: is_waiting(admin), "the command waits for Ajera")
            finally:
                command.kill()
                command.wait(10)
        assert person.code in person.look()
        assert not person.is_over()
        person.heal()
        firm.wait()
        assert person.is_over()
        assert firm.rows(AJERA, "AxVec", "vecWebsite") == ["south.example"]
        assert firm.rows(DPS, "Clendor", "WebSite") == ["south.example"]


@contextmanager
def waiting_for_ajera(firm: World) -> Iterator[psycopg.Connection]:
    """While the block runs, nobody gets the number under which Ajera is written."""
    with databases.connect_like(firm.ajera) as admin, admin.transaction():
        admin.execute("LOCK TABLE ajera_cdc.intention")
        yield admin


def is_waiting(admin: psycopg.Connection) -> bool:
    """Does somebody wait for a lock of this connection."""
    blocked = """
        SELECT count(*) FROM pg_locks
        WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))
    """
    return admin.execute(blocked).fetchone() != (0,)


def test_a_row_whose_counterpart_was_deleted_gets_the_next_one(
    postgres: Stack, tmp_path: Path
) -> None:
    """A project of DPS, whose client comes from an invoice group: the next group gets it. Between
    the two the consumer was killed.
    """
    with world(postgres) as firm:
        person = OnCall(firm.settings_file(tmp_path), "exchange.counterpart_deleted")
        firm.firm("A", "Hill")
        firm.project(DPS, "P-1", "Harbour", ClientID="A")
        firm.settle()
        (client,) = firm.rows(AJERA, "AxVec", "vecKey")
        (project,) = firm.projects("prjKey")
        firm.insert(AJERA, "AxInvoiceGroup", igProject=project)
        firm.settle()
        firm.do(AJERA, 'DELETE FROM "AxInvoiceGroup" WHERE "igClient" IS NOT NULL')
        firm.deliver(AJERA)
        firm.restart()
        assert person.code in person.look()
        assert not person.is_over()
        person.heal()
        firm.settle()
        assert person.is_over()
        assert firm.rows(AJERA, "AxInvoiceGroup", "igClient") == [client]
