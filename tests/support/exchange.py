"""A small firm whose Ajera and DPS are exchanged on the real stack: both captured,
with a log of every write in either.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from deploy.demo.consumers import EXCHANGE, Consumer, running
from deploy.local.stack import Stack
from deploy.sample import databases, dps
from deploy.sample.naming import Naming
from tests.faults import audit
from tests.faults.exchange import AJERA_TABLES, DPS_TABLES
from tests.support.live import Live, live_firm, wait_until


@dataclass
class Exchanged:
    """Both databases under two pairs of hands: people's and ours."""

    live: Live
    dps: psycopg.Connection
    dps_url: str
    forgiven: list[Consumer] = field(default_factory=list)

    @property
    def ajera(self) -> psycopg.Connection:
        return self.live.ajera

    @contextmanager
    def consumers(self, count: int = 1) -> Iterator[list[Consumer]]:
        """Consumer processes of the exchange."""
        logs = self.live.stack.logs / self.live.name / str(time.monotonic_ns())
        logs.mkdir(parents=True)
        with running(self.live.config, logs, count, EXCHANGE) as members:
            yield members
            for member in members:
                if member not in self.forgiven:
                    member.check()

    def command(self, *words: str, expect: int | None = 0) -> dict[str, Any]:
        return self.live.command(*words, expect=expect)

    def lag(self) -> dict[str, Any]:
        """How far the exchange is behind."""
        (found,) = self.command("lag", "--route", "dps")["data"]["routes"]
        return dict(found)

    # -- what people do ----------------------------------------------------------------------------

    def in_ajera(self, statement: str, *values: object) -> Any:
        """One statement, committed; the one value that it answers."""
        return _run(self.ajera, statement, values)

    def in_dps(self, statement: str, *values: object) -> Any:
        return _run(self.dps, statement, values)

    def client(self, key: int, name: str, **others: Any) -> None:
        row = {
            "vecKey": key,
            "vecDescription": name,
            "vecIsClient": True,
            "vecIsVendor": False,
            "vecIsEmployee": False,
        }
        self.live.insert("AxVec", {**row, "vecSyncToCRM": True, **others})

    def firm(self, key: str, name: str, **others: Any) -> None:
        row = {
            "ClientID": key,
            "Name": name,
            "Status": "A",
            "ClientInd": "Y",
            "VendorInd": "N",
            "AjeraSync": "Y",
        }
        self.insert("Clendor", {**row, **others})

    def insert(self, table: str, row: dict[str, Any]) -> None:
        """A row in DPS."""
        names = sql.SQL(", ").join(sql.Identifier(name) for name in row)
        values = sql.SQL(", ").join(sql.Placeholder() for _ in row)
        self.dps.execute(
            sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(sql.Identifier(table), names, values),
            list(row.values()),
        )

    # -- what can be seen --------------------------------------------------------------------------

    def writes(self, side: str) -> list[audit.Write]:
        """Every write of ours since `audited`, as that database itself saw it."""
        return audit.writes(self.ajera if side == "ajera" else self.dps)

    def audited(self) -> None:
        """Begin to log our writes in both databases, or begin anew."""
        audit.begin(self.ajera, AJERA_TABLES, ours=True)
        audit.begin(self.dps, DPS_TABLES, ours=True)

    def wait_until_stopped(self) -> None:
        """The group has no members any more: also not those that were killed."""
        wait_until(
            lambda: self.lag()["members"] == 0,
            "nobody is left",
        )

    def forgive(self, member: Consumer) -> None:
        """This consumer was killed by us."""
        self.forgiven.append(member)

    def wait_for_a_write(self) -> None:
        """Our consumers have begun to write since `audited`."""
        wait_until(
            lambda: self.writes("dps") or self.writes("ajera"),
            "something of ours was written",
        )

    def wait_until_read(self) -> None:
        """Both captures were read beyond what stands in the databases now:
        an echo would have been answered.
        """
        lag = self.lag()
        assert lag["state"] != "stopped"
        markers = {
            "ajera": self.ended_of(f"{self.live.name}.AxVec"),
            "dps": self.ended_of(f"{self.live.name}_dps.EM"),
        }
        self.in_ajera('INSERT INTO "AxVec" ("vecDescription") VALUES (%s)', "marker")
        self.insert(
            "EM",
            {
                "Employee": f"m{time.monotonic_ns()}"[:20],
                "LastName": "marker",
            },
        )
        wait_until(
            lambda: (
                self.ended_of(f"{self.live.name}.AxVec") > markers["ajera"]
                and self.ended_of(f"{self.live.name}_dps.EM") > markers["dps"]
            ),
            "both captures were read to their ends",
        )

    def ended_of(self, topic: str) -> int:
        return int(
            self.in_dps(
                "SELECT COALESCE(sum(events_read), 0) FROM sync.progress WHERE topic = %s",
                topic,
            )
        )

    def wait_seconds_pass(self, seconds: float) -> None:
        """By the databases' clock: two edits are to be apart by more than the tolerance."""
        self.in_dps("SELECT pg_sleep(%s)", seconds)

    def events_read(self) -> int:
        found = self.in_dps("SELECT COALESCE(sum(events_read), 0) FROM sync.progress")
        return int(found)


def _run(
    connection: psycopg.Connection,
    statement: str,
    values: tuple[object, ...],
) -> Any:
    cursor = connection.execute(sql.SQL(statement), values)
    row = cursor.fetchone() if cursor.description is not None else None
    return None if row is None else row[0]


@contextmanager
def live_exchange(
    stack: Stack,
    name: str,
    *,
    version: str = "9.08",
    captured: bool = True,
    **settings: Any,
) -> Iterator[Exchanged]:
    """A firm without PIM: empty tables on both sides, our schemas,
    both connectors running if `captured`.
    """
    dps_url = stack.create_database(f"{name}_dps")
    dps.create_dps(dps_url, Naming())
    with (
        live_firm(stack, name) as live,
        databases.connect(dps_url) as connection,
    ):
        live.configure(
            sources={
                "ajera": {"version": version},
                "dps": {
                    "database": dps_url,
                    "topic_prefix": f"{name}_dps",
                    "connector_name": f"{name}_dps",
                    "slot_name": f"{name}_dps".replace("-", "_"),
                },
            },
            routes={
                "dps": {
                    "group": f"{name}-exchange",
                    "dead_letter_topic": f"{name}.exchange.dead",
                    "employees": "all",
                    "consultants": "all",
                    **settings,
                }
            },
            kafka={
                "client": {
                    "session.timeout.ms": "6000",
                    "heartbeat.interval.ms": "1500",
                }
            },  # who was killed is soon missed
            run={"parked_retry_seconds": 2.0},
        )
        live.without_route("pim")
        live.command("schema", "upgrade")
        firm = Exchanged(live, connection, dps_url)
        if captured:
            firm.command("connectors", "apply")
            firm.command("connectors", "apply", "--source", "dps")
        try:
            yield firm
        finally:
            live.command("connectors", "remove", "--source", "dps", "--yes")
