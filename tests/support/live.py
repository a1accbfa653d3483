"""A small firm on the real stack: both databases, the connector, and consumers as processes;
names of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import tomli_w
from psycopg import sql

from deploy.demo.consumers import TO_PIM, Consumer, running
from deploy.demo.settings import merge
from deploy.local.stack import Stack
from deploy.sample import databases, firm, oracle
from deploy.sample.naming import Naming
from tests.faults import audit
from tests.support.commands import AJERA_CDC, Typed, answer

DEADLINE_SECONDS = 45.0


def wait_until(
    reached: Callable[[], object],
    what: str,
    seconds: float = DEADLINE_SECONDS,
) -> None:
    """Ask again and again; fails with `what` when the time is over."""
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, f"not reached within {seconds:.0f} s: {what}"
        time.sleep(0.1)


@dataclass
class Live:
    """One firm. `config` is the settings file that every command and consumer gets."""

    stack: Stack
    name: str
    config: Path
    ajera: psycopg.Connection
    pim: psycopg.Connection
    ajera_url: str
    pim_url: str
    naming: Naming
    program: Typed = AJERA_CDC

    # -- what a person does ------------------------------------------------------------------------

    def command(self, *words: str, expect: int | None = 0) -> dict[str, Any]:
        """Run `ajera-cdc … --json`; its answer. `expect` None: whatever the exit code is."""
        return answer(self.config, *words, expect=expect, program=self.program)

    @contextmanager
    def consumers(self, count: int = 1, route: str = TO_PIM) -> Iterator[list[Consumer]]:
        """Consumer processes; those still running are stopped at the end."""
        logs = self.stack.logs / self.name / str(time.monotonic_ns())
        logs.mkdir(parents=True)
        with running(self.config, logs, count, route, self.program.module) as members:
            yield members

    def configure(self, **sections: Mapping[str, Any]) -> None:
        """Change settings of the file."""
        raw = self.settings()
        merge(raw, sections)
        self.config.write_text(tomli_w.dumps(raw))

    def without_route(self, name: str) -> None:
        """Take a route out of the settings."""
        raw = self.settings()
        del raw["routes"][name]
        self.config.write_text(tomli_w.dumps(raw))

    def settings(self) -> dict[str, Any]:
        import tomllib

        return tomllib.loads(self.config.read_text())

    # -- databases ---------------------------------------------------------------------------------

    def insert(self, table: str, *rows: Mapping[str, Any]) -> None:
        with self.ajera.transaction():
            firm.insert(self.ajera, self.naming, table, list(rows))

    def edit(self, statement: str, *values: object) -> None:
        """One statement in Ajera, committed."""
        self.ajera.execute(sql.SQL(statement), values)

    def one(self, statement: str, *values: object) -> Any:
        """The one value that PIM answers; None for no row."""
        row = self.pim.execute(sql.SQL(statement), values).fetchone()
        return None if row is None else row[0]

    def organization(self, key: int, column: str = "Name") -> Any:
        return self.one(
            f'SELECT "{column}" FROM "Organization" WHERE "Organization ID" = %s',
            f"cl-{key}",
        )

    def project(self, key: int, column: str) -> Any:
        return self.one(
            f'SELECT "{column}" FROM "Project" WHERE "Project ID" = %s',
            str(key),
        )

    def differences(self) -> list[str]:
        return [str(found) for found in oracle.compare(self.ajera, self.pim, self.naming)]

    def wait_until_right(self, seconds: float = DEADLINE_SECONDS) -> None:
        wait_until(lambda: not self.differences(), "PIM holds what plain SQL says", seconds)

    def writes(self) -> list[audit.Write]:
        """Every write to PIM's tables since `audited`, as the database itself saw it."""
        return audit.writes(self.pim)

    def audited(self) -> None:
        """Begin to log writes to PIM, or begin anew."""
        audit.begin(
            self.pim,
            tuple(self.naming.table(table) for table in databases.PIM_NAMES),
        )


@contextmanager
def live_firm(
    stack: Stack,
    name: str,
    *,
    naming: Naming | None = None,
    profile: Path | None = None,
    partitions: int = 2,
    program: Typed = AJERA_CDC,
) -> Iterator[Live]:
    """A firm with empty tables, the sync schema, and no connector yet;
    what it started is removed at the end.
    """
    naming = naming or Naming()
    ajera_url, pim_url = (
        stack.create_database(f"{name}_ajera"),
        stack.create_database(f"{name}_pim"),
    )
    databases.create_ajera(ajera_url, naming)
    databases.create_pim(pim_url, naming)
    config = stack.directory / f"{name}.toml"
    raw: dict[str, Any] = {} if profile is None else {"profile": str(profile)}
    raw |= {
        "sources": {
            "ajera": {
                "database": ajera_url,
                "topic_prefix": name,
                "connector_name": name,
                "slot_name": name.replace("-", "_"),
                "heartbeat_seconds": 1.0,
            }
        },
        "routes": {
            "pim": {
                "database": pim_url,
                "group": f"{name}-group",
                "dead_letter_topic": f"{name}.dead",
            }
        },
        "kafka": {
            "bootstrap_servers": stack.bootstrap,
            "partitions": partitions,
        },
        "registry": {
            "url": stack.registry,
            "converter_url": stack.registry_native,
        },
        "connect": {"url": stack.connect},
        "run": {"metrics_port": 0, "retry_max_seconds": 2.0},
    }
    config.write_text(tomli_w.dumps(raw))
    with (
        databases.connect(ajera_url) as ajera,
        databases.connect(pim_url) as pim,
    ):
        live = Live(stack, name, config, ajera, pim, ajera_url, pim_url, naming, program)
        live.command("schema", "upgrade")
        try:
            yield live
        finally:
            live.command("connectors", "remove", "--yes")


def client(key: int, name: str, **others: Any) -> dict[str, Any]:
    """A row of AxVec that is a client."""
    kinds = {
        "vecIsClient": True,
        "vecIsVendor": False,
        "vecIsEmployee": False,
    }
    return {"vecKey": key, "vecDescription": name, **kinds, **others}


def employee(key: int, last_name: str) -> dict[str, Any]:
    """A row of AxVec that is an employee."""
    return client(
        key,
        last_name,
        vecIsClient=False,
        vecIsEmployee=True,
        vecLastName=last_name,
    )


def project(key: int, name: str, **others: Any) -> dict[str, Any]:
    """A row of AxProject that is a project."""
    return {"prjKey": key, "prjDescription": name, "prjStatus": 1, **others}
