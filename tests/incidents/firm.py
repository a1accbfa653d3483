"""A small firm with both routes on the real stack, under edits, and what a person on call sees of
it: status, lag, /health and metrics.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import psycopg

from deploy.demo.consumers import EXCHANGE, TO_PIM, Consumer, ask
from deploy.local.stack import Stack
from deploy.sample import agreement, databases, dps
from deploy.sample.naming import Naming
from pipeline.config.sources import Source
from tests.faults.verdict import meanwhile
from tests.incidents.seen import Sample, Seen, scraped
from tests.support.live import Live, client, employee, live_firm, project, wait_until
from tests.support.runbook import OnCall

CLIENTS, PROJECTS = 12, 4
EDITS_A_SECOND = 15.0
# From the cause until everything says so: whoever looks ten seconds after it, sees it. How long a
# look itself takes is another matter: it shares two cores with the whole stack, and with the other
# lane of `make test` (tests/unit/operations/test_swallowed.py bounds it where services are silent).
# Heartbeats come as often as by default: `lag`, `/health` and the metrics say after three of them
# that a source is silent; `status` names Connect at once.
HEARTBEAT_SECONDS: float = Source.model_fields["heartbeat_seconds"].default
TOLD_SECONDS = 10.0
LEAST_LOOKS = 8  # a machine so busy that so many take longer is given them
HEALED_SECONDS = 45.0
NAMING = Naming()
NUMBERS = itertools.count(1)


@dataclass
class Firm:
    """Both databases and both targets; one consumer process of each route."""

    live: Live
    dps: psycopg.Connection
    consumers: dict[str, Consumer] = field(default_factory=dict)
    edited: int = 0

    # -- people ------------------------------------------------------------------------------------

    def person(self, code: str) -> OnCall:
        """Somebody who was told this code."""
        return OnCall(self.live.config, code)

    @contextmanager
    def edits(self) -> Iterator[None]:
        """People type into Ajera and DPS while the block runs."""
        with meanwhile(self._edit):
            yield

    def _edit(self, ended: threading.Event) -> None:
        with (
            databases.connect_like(self.live.ajera) as ajera,
            databases.connect_like(self.dps) as in_dps,
        ):
            while not ended.wait(1 / EDITS_A_SECOND):
                self.edited += 1
                with suppress(psycopg.OperationalError, psycopg.errors.UndefinedColumn):
                    self._one_edit(ajera, in_dps, self.edited)

    def _one_edit(self, ajera: psycopg.Connection, in_dps: psycopg.Connection, number: int) -> None:
        key = number % CLIENTS + 1
        if number % 3 == 0:
            in_dps.execute(
                'UPDATE "Clendor" SET "Memo" = %s WHERE "ClientID" ='
                ' (SELECT "ClientID" FROM "Clendor" ORDER BY "ClientID" OFFSET %s LIMIT 1)',
                [f"memo {number}", key - 1],
            )
        else:
            ajera.execute(
                'UPDATE "AxVec" SET "vecWebsite" = %s WHERE "vecKey" = %s',
                [f"w{number}.example", key],
            )
            ajera.execute(
                'UPDATE "AxVec" SET "vecPhone1" = %s WHERE "vecKey" = %s', [str(number), key]
            )

    # -- the program -------------------------------------------------------------------------------

    def begin(self, *routes: str) -> None:
        """A consumer process of each route."""
        for route in routes:
            log = self.live.stack.logs / f"{self.live.name}-{route}-{next(NUMBERS)}.log"
            self.consumers[route] = Consumer(self.live.config, log, route)

    def start(self, *routes: str) -> None:
        """The same, and wait until they are ready."""
        self.begin(*routes)
        for route in routes:
            wait_until(partial(_is_ready, self.consumers[route]), f"{route} is ready")

    def stop(self, *routes: str) -> None:
        for route in routes:
            self.consumers.pop(route).stop()

    def start_ended(self) -> None:
        """Start the consumers that have ended, as the pages say, and as a supervisor does."""
        for route, one in list(self.consumers.items()):
            if one.process.poll() is not None:
                self.begin(route)

    def restart(self, *routes: str) -> None:
        """As a platform team does after a correction."""
        self.stop(*routes)
        self.start(*routes)

    def has_ended(self, route: str) -> bool:
        """Has the process of a route's consumer ended by itself."""
        return self.consumers[route].process.poll() is not None

    def has_begun(self, route: str) -> bool:
        """Does a route's consumer answer, or has it ended already."""
        return self.has_ended(route) or bool(_health(self.consumers[route]))

    def said(self, route: str) -> str:
        """What a route's consumer has logged, and says of its health."""
        one = self.consumers[route]
        return "\n".join([*one.log_lines(), *one.waits_for()])

    @contextmanager
    def other_settings(self, route: str, **sections: Mapping[str, Any]) -> Iterator[None]:
        """While the block runs; the route's consumer is restarted for them."""
        before = self.live.config.read_text()
        self.live.configure(**sections)
        self.restart(route)
        try:
            yield
        finally:
            self.live.config.write_text(before)
            self.restart(route)

    # -- what can be seen --------------------------------------------------------------------------

    def look(self) -> Seen:
        """Everything at once. A consumer that does not answer has no health and no metrics."""
        with ThreadPoolExecutor() as pool:
            health = {name: pool.submit(_health, one) for name, one in self.consumers.items()}
            metrics = {name: pool.submit(_metrics, one) for name, one in self.consumers.items()}
            return Seen(
                *self._command("status"),
                self._command("lag")[0],
                {route: one.result() for route, one in health.items()},
                {route: one.result() for route, one in metrics.items()},
            )

    def _command(self, name: str) -> tuple[dict[str, Any], int]:
        answered = self.person("").type_(f"ajera-cdc {name} --json")
        found: dict[str, Any] = json.loads(answered.shown)
        return found.get("data", found), answered.exit_code

    def shows(self, claim: Callable[[Seen], object], what: str) -> Seen:
        """Look until it is so; fails with what was seen by a look after TOLD_SECONDS."""
        deadline = time.monotonic() + TOLD_SECONDS
        for number in itertools.count(1):
            begun = time.monotonic()
            seen = self.look()
            if claim(seen):
                return seen
            assert begun < deadline or number < LEAST_LOOKS, (
                f"not within {TOLD_SECONDS:.0f} s: {what}\nstatus {seen.status_code}:"
                f" {seen.problems}\nhealth: {dict(seen.health)}\nlag: {seen.lag}"
            )
        raise AssertionError("one looks until the time is over")

    def is_healthy(self) -> bool:
        """Status is 0 and every consumer is ok; those that have ended are started again."""
        self.start_ended()
        seen = self.look()
        return seen.status_code == 0 and all(
            one.get("state") == "ok" for one in seen.health.values()
        )

    def wait_until_healthy(self) -> None:
        """Status is 0, and every consumer is ok."""
        try:
            wait_until(self.is_healthy, "healthy again", HEALED_SECONDS)
        except AssertionError as error:
            seen = self.look()
            raise AssertionError(
                f"{error}\n{seen.problems}\n{dict(seen.health)}\n"
                + "\n".join(one.tail() for one in self.consumers.values())
            ) from None

    def differences(self) -> list[str]:
        """What differs from plain SQL, in PIM and between Ajera and DPS."""
        both = agreement.judged(self.live.ajera, self.dps, NAMING).differences
        return [*self.live.differences(), *map(str, both)]

    def wait_until_right(self) -> None:
        """No row differs."""
        try:
            wait_until(lambda: not self.differences(), "no row differs", HEALED_SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.differences()[:5]}") from None


def _is_ready(consumer: Consumer) -> bool:
    with suppress(httpx.HTTPError):
        return ask(f"{consumer.address}/ready").status_code == httpx.codes.OK
    return False


def _health(consumer: Consumer) -> dict[str, Any]:
    with suppress(httpx.HTTPError):
        found: dict[str, Any] = ask(f"{consumer.address}/health").json()
        return found
    return {}


def _metrics(consumer: Consumer) -> tuple[Sample, ...]:
    with suppress(httpx.HTTPError):
        return scraped(ask(f"{consumer.address}/metrics").text)
    return ()


@contextmanager
def founded(stack: Stack) -> Iterator[Firm]:
    """A firm that is captured and loaded, linked, and without a difference."""
    name = f"incident-{next(NUMBERS)}"
    with live_firm(stack, name, partitions=1) as live:
        dps_url = stack.create_database(f"{name}_dps")
        dps.create_dps(dps_url, NAMING)
        _with_exchange(live, dps_url)
        _rows(live)
        live.command("schema", "upgrade")
        for source in ("ajera", "dps"):
            live.command("connectors", "apply", "--source", source)
        with databases.connect(dps_url) as in_dps:
            firm = Firm(live, in_dps)
            try:
                firm.start(TO_PIM, EXCHANGE)
                firm.wait_until_right()
                firm.wait_until_healthy()
                yield firm
            finally:
                firm.stop(*list(firm.consumers))
                for one in (live.pim, firm.dps):  # they may be others by now
                    one.close()
                with suppress(AssertionError):
                    live.command("connectors", "remove", "--source", "dps", "--yes")


def _with_exchange(live: Live, dps_url: str) -> None:
    slot = live.name.replace("-", "_")
    impatient = {"session.timeout.ms": "6000", "heartbeat.interval.ms": "1000"}
    live.configure(
        sources={
            "ajera": {"version": "9.08", "heartbeat_seconds": HEARTBEAT_SECONDS},
            "dps": {
                "database": dps_url,
                "topic_prefix": f"{live.name}-dps",
                "connector_name": f"{live.name}-dps",
                "slot_name": f"{slot}_dps",
                "heartbeat_seconds": HEARTBEAT_SECONDS,
            },
        },
        routes={
            "dps": {
                "group": f"{live.name}-exchange",
                "dead_letter_topic": f"{live.name}.dead-exchange",
                "employee_number": "E{key}",
                "employees": "all",
                "consultants": "all",
                "status_coding": "one_is_active",
            }
        },
        kafka={"client": impatient},
        run={"halted_retry_seconds": 5.0},
    )


def _rows(live: Live) -> None:
    synced = {"vecSyncToCRM": True}
    live.insert("AxVec", *(client(key, f"Client {key}", **synced) for key in range(1, CLIENTS + 1)))
    live.insert("AxVec", employee(CLIENTS + 1, "Keeper"))
    live.insert("AxProject", *(project(key, f"Project {key}") for key in range(1, PROJECTS + 1)))
    groups = [{"igKey": key, "igProject": key, "igClient": key} for key in range(1, PROJECTS + 1)]
    live.insert("AxInvoiceGroup", *groups)
