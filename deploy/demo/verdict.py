"""The judges at the end of a run: is every PIM row right, do Ajera and DPS agree or is what differs
parked, and does DPS show what Ajera's books say.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import sql

from deploy.demo.consumers import Consumer
from deploy.demo.people import Run
from deploy.sample import accounts, agreement, databases, oracle

SETTLE_SECONDS = 120.0
SHOWN = 20


def verified(run: Run, members: Sequence[Consumer], say: Callable[[str], None]) -> int:
    """Wait until all three judges are content, or for two minutes; the exit code."""
    say(
        "Comparing every PIM row, and every project's accounts in DPS, with what plain SQL over "
        "Ajera says they should be, and every pair of Ajera and DPS ..."
    )
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        for member in members:
            member.check()
        of_pim = oracle.compare(run.ajera, run.pim, run.naming)
        exchange = agreement.judged(run.ajera, run.dps, run.naming)
        of_dps = exchange.differences
        books = accounts.judged(run.ajera, run.dps, run.naming)
        if not (of_pim or of_dps or books.differences) or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    for difference in (*of_pim[:SHOWN], *of_dps[:SHOWN], *books.differences[:SHOWN]):
        say(f"[red]{difference}[/red]")
    rows = sum(databases.counts(run.pim, run.naming).values())
    say(
        f"{rows:,} PIM rows compared after {run.edits.total():,} edits: {len(of_pim):,} "
        "differences."
    )
    say(
        f"{exchange.pairs:,} pairs of Ajera and DPS compared, {exchange.values:,} values: "
        f"{len(of_dps):,} differences. Parked: {exchange.parked_values:,} values, "
        f"{exchange.parked_rows:,} rows."
    )
    say(
        f"{books.projects:,} projects' accounts compared ({books.columns} columns), "
        f"{books.team_rows:,} team rows: {len(books.differences):,} differences. Closed: "
        f"{books.closed:,} projects."
    )
    if of_pim:
        _explain(run.pim, say)
    if books.differences:
        _explain(run.dps, say, "sync_accounting")
    return 1 if of_pim or of_dps or books.differences else 0


def _explain(
    connection: psycopg.Connection, say: Callable[[str], None], schema: str = "sync"
) -> None:
    """What our own tables show of rows that are not right: what is marked or waits, and how far
    each topic was read.
    """
    marks = (
        "SELECT kind, COALESCE(code, 'marked'), count(*), min(set_at) FROM <sync>.due"
        " GROUP BY 1, 2 ORDER BY 1, 2"
    )
    read = "SELECT topic, partition, next_offset, updated_at FROM <sync>.progress ORDER BY 1, 2"
    for kind, code, count, since in _rows(connection, marks, schema):
        say(f"{kind}: {count} {code} since {since:%H:%M:%S}")
    for topic, partition, offset, at in _rows(connection, read, schema):
        say(f"{topic}/{partition}: read to {offset} at {at:%H:%M:%S}")


def _rows(connection: psycopg.Connection, text: str, schema: str) -> list[tuple[Any, ...]]:
    return list(connection.execute(sql.SQL(text.replace("<sync>", schema))))
