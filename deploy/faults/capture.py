"""One huge transaction in the source, through Debezium: the consumer's memory stays bounded, and every row arrives."""

from __future__ import annotations

import time
from collections.abc import Iterator

from deploy.demo import settings
from deploy.demo.consumers import command, running
from deploy.faults.messages import LIMIT_MB, resident_mb
from deploy.faults.verdict import Verdict, wait
from deploy.local.stack import Stack
from deploy.sample import databases
from deploy.sample.naming import Naming

INSERT = """INSERT INTO "AxVec" ("vecKey", "vecDescription", "vecCity", "vecIsClient")
    SELECT number, 'client ' || number, repeat('Portland ', 5), true FROM generate_series(1, %s) AS number"""


def one_transaction(stack: Stack, rows: int) -> Iterator[Verdict]:
    """So many rows inserted by one transaction."""
    verdict = Verdict(f"one transaction of {rows:,} rows, captured")
    ajera_url, pim_url = stack.create_database("huge_ajera"), stack.create_database("huge_pim")
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
        wait(lambda: "partitions assigned" in member.tail(), "the consumer has joined")
        ajera.execute(INSERT, [rows])
        peak, deadline = 0.0, time.monotonic() + 120 + rows / 200
        while (found := databases.counts(pim, Naming())["Organization"] - 1) < rows and time.monotonic() < deadline:
            peak = max(peak, resident_mb(member.process.pid))
            time.sleep(0.2)
        query = """SELECT count(*) FROM "Organization" WHERE "Name" = 'client ' || substr("Organization ID", 4)"""
        ((right,),) = pim.execute(query).fetchall()
    verdict.tried, verdict.lost = rows, rows - found
    verdict.wrong = rows - int(right)
    verdict.remarks.append(f"peak {peak:.0f} MB")
    if peak > LIMIT_MB:
        verdict.fail(f"over {LIMIT_MB} MB")
    yield verdict
