"""Through Debezium: one huge transaction in the source,
and edits under a consumer that is killed again and again.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import psycopg
import tomli_w

from deploy.demo import settings
from deploy.demo.consumers import command, running
from deploy.local.stack import Stack
from deploy.sample import databases, oracle
from deploy.sample.naming import Naming
from tests.faults import audit, ways
from tests.faults.firm import CLIENTS, raw_settings
from tests.faults.messages import LIMIT_MB, resident_mb
from tests.faults.processes import AT_THE_END, ONE_MEMBER, run_until_killed
from tests.faults.runner import POINTS
from tests.faults.verdict import PROGRAM, NotReached, Verdict, meanwhile, wait

INSERT = """INSERT INTO "AxVec" ("vecKey", "vecDescription", "vecCity", "vecIsClient")
    SELECT number, 'client ' || number, repeat('Portland ', 5), true
        FROM generate_series(1, %s) AS number"""


def one_transaction(stack: Stack, rows: int) -> Iterator[Verdict]:
    """So many rows inserted by one transaction."""
    verdict = Verdict(f"one transaction of {rows:,} rows, captured")
    ajera_url, pim_url = (
        stack.create_database("huge_ajera"),
        stack.create_database("huge_pim"),
    )
    databases.create_ajera(ajera_url, Naming())
    databases.create_pim(pim_url, Naming())
    config = settings.write(stack, ajera_url, pim_url)
    command(config, "schema", "upgrade")
    command(config, "connectors", "apply")
    logs = stack.logs / "huge"
    logs.mkdir()
    with (
        databases.connect(ajera_url) as ajera,
        databases.connect(pim_url) as pim,
        running(config, logs, 1) as (member,),
    ):
        wait(
            lambda: "partitions assigned" in member.tail(),
            "the consumer has joined",
        )
        ajera.execute(INSERT, [rows])
        peak, deadline = 0.0, time.monotonic() + 120 + rows / 200
        while (
            found := databases.counts(pim, Naming())["Organization"] - 1
        ) < rows and time.monotonic() < deadline:
            peak = max(peak, resident_mb(member.process.pid))
            time.sleep(0.2)
        query = """SELECT count(*) FROM "Organization"
            WHERE "Name" = 'client ' || substr("Organization ID", 4)"""
        ((right,),) = pim.execute(query).fetchall()
    verdict.tried = rows
    verdict.lost = rows - found
    verdict.wrong = rows - int(right)
    verdict.remarks.append(f"peak {peak:.0f} MB")
    if peak > LIMIT_MB:
        verdict.fail(f"over {LIMIT_MB} MB")
    yield verdict


def killed_while_captured(stack: Stack, seed: int, times: int) -> Iterator[Verdict]:
    """Somebody edits Ajera all the while; the judge is plain SQL over both databases,
    and PIM's own log.
    """
    verdict, rng = (
        Verdict("SIGKILL under edits that Debezium captures"),
        random.Random(seed),
    )
    name = f"captured-{seed}-{time.monotonic_ns() % 100_000}"
    ajera_url, pim_url = (
        stack.create_database(f"{name}-ajera"),
        stack.create_database(f"{name}-pim"),
    )
    databases.create_ajera(ajera_url, Naming())
    databases.create_pim(pim_url, Naming())
    config = _config(stack, name, ajera_url, pim_url)
    command(config, "schema", "upgrade")
    with (
        databases.connect(ajera_url) as ajera,
        databases.connect(pim_url) as pim,
    ):
        ajera.execute(INSERT, [CLIENTS])
        audit.begin(pim)
        ways.watch(pim, audit.TABLES)
        command(config, "connectors", "apply")
        try:
            with meanwhile(partial(_edit, ajera, random.Random(seed))):
                for _ in range(times):
                    point = rng.choice([point for point in POINTS if point != AT_THE_END])
                    verdict.tried += run_until_killed(
                        config, point, 1, verdict, is_done=lambda: False
                    )
            (logs := stack.logs / name).mkdir()
            with running(config, logs, 1, program=PROGRAM), suppress(NotReached):
                wait(
                    lambda: not oracle.compare(ajera, pim, Naming()),
                    "PIM is right",
                )
            verdict.lost = len(oracle.compare(ajera, pim, Naming()))
            log = audit.writes(pim)
            verdict.repeated = audit.repeated(log)
            verdict.backwards = audit.backwards(log)
            verdict.went(ways.taken(pim))
        finally:
            command(config, "connectors", "remove", "--yes")
    yield verdict


def _edit(ajera: psycopg.Connection, rng: random.Random, ended: threading.Event) -> None:
    """Edits, one transaction each."""
    with databases.connect_like(ajera) as connection:
        number = 0
        while not ended.wait(0.005):
            number += 1
            values = (f"n-{number:08}", rng.randint(1, CLIENTS))
            connection.execute(
                'UPDATE "AxVec" SET "vecDescription" = %s WHERE "vecKey" = %s',
                values,
            )


def _config(stack: Stack, name: str, ajera_url: str, pim_url: str) -> Path:
    raw = raw_settings(
        stack,
        name,
        pim_url,
        sources={
            "ajera": {
                "database": ajera_url,
                "connector_name": name,
                "slot_name": name.replace("-", "_"),
                "heartbeat_seconds": 1.0,
            }
        },
        kafka={"client": ONE_MEMBER},
        registry={"converter_url": stack.registry_native},
        connect={"url": stack.connect},
    )
    path = stack.directory / f"{name}.toml"
    path.write_text(tomli_w.dumps(raw))
    return path
