"""The exchange between Ajera and DPS under faults: both captured, people edit both,
the judge is plain SQL over both.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
import tomli_w

from deploy.demo.consumers import EXCHANGE, Consumer, command
from deploy.demo.settings import AJERA_VERSION
from deploy.local.stack import Stack
from deploy.sample import agreement, crm, crm_day, databases, day, dps, firm
from deploy.sample.naming import Naming
from tests.faults import audit
from tests.faults.firm import messages_in, raw_settings, through
from tests.faults.proxy import Mode, Proxy
from tests.faults.verdict import NotReached, Verdict, meanwhile, wait

NAMING = Naming()
MEMBERS = 2
EDITS_A_SECOND = 20.0
AGREED_SECONDS = 180.0
AJERA_TABLES = (
    "AxVec",
    "AxContact",
    "AxProject",
    "AxInvoiceGroup",
    "AxProjectContact",
)
DPS_TABLES = (
    "Clendor",
    "CLAddress",
    "Contacts",
    "PR",
    "PRContactAssoc",
    "EM",
)


@dataclass
class Both:
    """The sample firm in both systems. Consumers reach the databases through the proxy,
    people and Debezium do not.
    """

    stack: Stack
    name: str
    config: Path
    ajera: psycopg.Connection
    dps: psycopg.Connection
    proxy: Proxy
    rng: random.Random

    def consumer(self) -> Consumer:
        return Consumer(
            self.config,
            self.stack.logs / f"{self.name}-{time.monotonic_ns()}.log",
            EXCHANGE,
        )

    def differences(self) -> Sequence[agreement.Difference]:
        return agreement.judged(self.ajera, self.dps, NAMING).differences

    def dead_letters(self) -> int:
        return messages_in(self.stack, f"{self.name}.dead-exchange")


def exchange(stack: Stack, seed: int, times: int) -> Iterator[Verdict]:
    """Consumers are killed while the two systems are linked and edited;
    then their databases are cut off, halved, delayed.
    """
    with _both(stack, seed) as both:
        for verdict, bring_about in (
            (
                Verdict("exchange: SIGKILL under edits in Ajera and DPS"),
                _killed,
            ),
            (Verdict("exchange: databases refuse, halve and delay"), _cut),
        ):
            audit.begin(both.ajera, AJERA_TABLES, ours=True)
            audit.begin(both.dps, DPS_TABLES, ours=True)
            with _members(both) as members:
                with meanwhile(partial(_edit, both, both.rng.randrange(10**6))):
                    bring_about(both, members, times, verdict)
                both.proxy.mode = Mode.PASS
                with suppress(NotReached):
                    wait(
                        lambda: not both.differences(),
                        "the two systems agree",
                        AGREED_SECONDS,
                    )
                for member in members:
                    member.check()
            _judge(both, verdict)
            yield verdict


def _killed(both: Both, members: list[Consumer], times: int, verdict: Verdict) -> None:
    for _ in range(times):
        time.sleep(both.rng.uniform(0.5, 2.5))
        number = both.rng.randrange(MEMBERS)
        members[number].process.kill()
        members[number].process.wait(10)
        members[number] = both.consumer()
        verdict.tried += 1


def _cut(both: Both, members: list[Consumer], times: int, verdict: Verdict) -> None:
    del members
    for _ in range(times):
        for mode in (Mode.REFUSE, Mode.HALVE, Mode.DELAY):
            both.proxy.mode = mode
            time.sleep(both.rng.uniform(0.4, 1.4))  # at twenty edits a second
            both.proxy.mode = Mode.PASS
            time.sleep(both.rng.uniform(0.4, 1.4))
            verdict.tried += 1


def _judge(both: Both, verdict: Verdict) -> None:
    """What differs and is not parked was lost;
    a write of ours that changed nothing was repeated.
    """
    found = both.differences()
    verdict.lost += len(found)
    verdict.remarks += [str(one) for one in found[:3]]
    for connection in (both.ajera, both.dps):
        verdict.repeated += audit.repeated(audit.writes(connection))
    verdict.dead += both.dead_letters()


# -- the firm --------------------------------------------------------------------------------------


@contextmanager
def _members(both: Both) -> Iterator[list[Consumer]]:
    members = [both.consumer() for _ in range(MEMBERS)]
    try:
        yield members
    finally:
        for member in members:
            member.stop()


def _edit(both: Both, seed: int, ended: threading.Event) -> None:
    """People type into both systems, one transaction each."""
    rng, in_ajera, in_dps = (
        random.Random(seed),
        day.Day(seed, NAMING),
        crm_day.CrmDay(seed, NAMING),
    )
    with (
        databases.connect_like(both.ajera) as ajera,
        databases.connect_like(both.dps) as dps_side,
    ):
        while not ended.wait(rng.expovariate(EDITS_A_SECOND)):
            if rng.random() < 0.5:
                in_ajera.next_edit(ajera)
            else:
                in_dps.next_edit(dps_side)


@contextmanager
def _both(stack: Stack, seed: int) -> Iterator[Both]:
    name = f"both-{seed}-{time.monotonic_ns() % 100_000}"
    urls = {system: stack.create_database(f"{name}-{system}") for system in ("ajera", "pim", "dps")}
    databases.create_ajera(urls["ajera"], NAMING)
    dps.create_dps(urls["dps"], NAMING)
    with ExitStack() as resources:
        ajera, in_dps = (
            resources.enter_context(databases.connect(urls[system])) for system in ("ajera", "dps")
        )
        firm.load(ajera, seed, NAMING)
        crm.load(ajera, in_dps, seed, NAMING)
        plain = _config(stack, name, urls)
        command(plain, "schema", "upgrade")
        command(plain, "connectors", "apply")
        command(plain, "connectors", "apply", "--source", "dps")
        proxy = resources.enter_context(Proxy(stack.postgres_port, seed))
        proxied = plain.with_suffix(".proxied.toml")
        proxied.write_text(through(plain.read_text(), stack, proxy.port))
        try:
            yield Both(
                stack,
                name,
                proxied,
                ajera,
                in_dps,
                proxy,
                random.Random(seed),
            )
        finally:
            for source in ("ajera", "dps"):
                command(
                    plain,
                    "connectors",
                    "remove",
                    "--source",
                    source,
                    "--yes",
                )


def _config(stack: Stack, name: str, urls: dict[str, str]) -> Path:
    slot = name.replace("-", "_")
    raw = raw_settings(
        stack,
        name,
        urls["pim"],
        sources={
            "ajera": {
                "database": urls["ajera"],
                "version": AJERA_VERSION,
                "connector_name": name,
                "slot_name": slot,
                "heartbeat_seconds": 1.0,
            },
            "dps": {
                "database": urls["dps"],
                "topic_prefix": f"{name}-dps",
                "connector_name": f"{name}-dps",
                "slot_name": f"{slot}_dps",
            },
        },
        routes={
            "dps": {
                "group": f"{name}-exchange",
                "dead_letter_topic": f"{name}.dead-exchange",
                "employee_number": "E{key}",
                "employees": "all",
                "consultants": "all",
                "status_coding": "one_is_active",
            }
        },
        registry={"converter_url": stack.registry_native},
        connect={"url": stack.connect},
    )
    path = stack.directory / f"{name}.toml"
    path.write_text(tomli_w.dumps(raw))
    return path
