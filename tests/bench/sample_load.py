"""A first load of PIM: the sample firm many times over, from the connector's snapshot to a PIM that
plain SQL over Ajera's tables says is right.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial

import psycopg

from deploy.demo import settings
from deploy.demo.consumers import command, running
from deploy.sample import databases, firm, oracle
from deploy.sample.naming import Naming
from pipeline.domain.routes import AJERA_TO_PIM
from tests.bench.contenders import Arena, discard
from tests.bench.measuring import Meter, Result, peak_mb, resident_mb, wait_until
from tests.bench.report import Line, Say
from tests.bench.targets import apart
from tests.bench.waiting import check

NAME = "first-load"
MOST_SECONDS = 3_600.0
MINUTE = 60.0
LEFT = """SELECT (SELECT count(*) FROM sync.due WHERE reason IS NULL)
    + (SELECT count(*) FROM sync.due_together), (SELECT count(*) FROM sync.source_table
    WHERE epoch > 0), (SELECT COALESCE(sum(events_read), 0) FROM sync.progress)::bigint"""


@dataclass
class Minutes:
    """Events and memory in MB of all consumers, at each minute."""

    since: float = field(default_factory=time.monotonic)
    noted: list[str] = field(default_factory=list)

    def note(self, events: int, pids: list[int]) -> None:
        """If another minute has passed."""
        if time.monotonic() - self.since >= MINUTE * (len(self.noted) + 1):
            memory = sum(map(resident_mb, pids))
            self.noted.append(f"{len(self.noted) + 1} min: {events:,} events, {memory:,.0f} MB")


def measure(arena: Arena, times: int, processes: int, say: Say) -> list[Line]:
    """Raises AssertionError if a row of PIM is not what it should be."""
    stack = arena.stack
    ajera_url, pim_url = (stack.create_database(f"{NAME}-{one}") for one in ("ajera", "pim"))
    databases.create_ajera(ajera_url, Naming())
    databases.create_pim(pim_url, Naming())
    config = apart(settings.write(stack, ajera_url, pim_url), NAME)
    with databases.connect(ajera_url) as ajera, databases.connect(pim_url) as pim:
        say(f"first load: {times} times the sample firm ...")
        firm.load(ajera, 1, Naming(), times)
        command(config, "schema", "upgrade")
        with running(config, stack.logs, processes) as members:
            pids, meter, minutes = (
                [one.process.pid for one in members],
                Meter(arena.watching),
                Minutes(),
            )
            first = meter.sample(pids)
            command(config, "connectors", "apply")
            try:
                wait_until(
                    lambda: _is_loaded(pim, minutes, pids),
                    partial(check, members),
                    MOST_SECONDS,
                )
            finally:
                command(config, "connectors", "remove", "--yes")
            events = _left(pim)[2]
            used = meter.sample(pids).since(first, events)
            memory = sum(map(peak_mb, pids))
        say(f"first load: {events:,} events in {used.seconds:,.0f} s; comparing ...")
        wrong = oracle.compare(ajera, pim, Naming())
        if wrong:
            raise AssertionError(f"{len(wrong):,} differences in PIM, the first: {wrong[0]}")
        rows = databases.counts(pim, Naming())
    for kind in ("ajera", "pim"):
        discard(arena, f"{NAME}-{kind}")
    return [
        Line(
            f"first load, firm x {times}",
            f"ours, {processes} processes",
            events,
            [Result.of(used, memory)],
            remarks=[
                *minutes.noted,
                f"{sum(rows.values()):,} rows of PIM compared, all as they should be",
            ],
        )
    ]


def _left(pim: psycopg.Connection) -> tuple[int, int, int]:
    """Marks, tables that are loaded, events read."""
    ((marks, loaded, events),) = pim.execute(LEFT).fetchall()
    return int(marks), int(loaded), int(events)


def _is_loaded(pim: psycopg.Connection, minutes: Minutes, pids: list[int]) -> bool:
    marks, loaded, events = _left(pim)
    minutes.note(events, pids)
    return marks == 0 and loaded == len(AJERA_TO_PIM.sources)
