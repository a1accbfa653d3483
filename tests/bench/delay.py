"""From the commit of a change in Ajera to the commit of the row that shows it, through Debezium and
Kafka: ours and the sink by turns, at a steady rate and after a burst.

Each row is changed once a load, so the transactions that wrote it last, on both sides, tell when:
by PostgreSQL's own clock of commits, which source and target share.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

from deploy.demo import settings
from deploy.demo.consumers import Consumer, command, running
from deploy.sample import databases
from deploy.sample.naming import Naming
from pipeline.kafka.admin import KafkaAdmin
from tests.bench.contenders import Arena
from tests.bench.hops import Hops, hop_sums, passed, stamped_by_broker
from tests.bench.measuring import wait_until
from tests.bench.report import Delays, Line, Say
from tests.bench.targets import apart
from tests.bench.waiting import check, has_joined

NAME = "late"
TOPIC = f"{NAME}-ajera.AxVec"
OURS, SINK = "ours", "sink"
WARM = 200  # changes that are not counted: the first ones after a start
IN_A_TRANSACTION = 1_000  # changes of a burst
CAUGHT_UP_SECONDS = 300.0
INSERT = """INSERT INTO "AxVec" ("vecKey", "vecDescription", "vecIsClient")
    SELECT number, 'client ' || number, true FROM generate_series(1, %s) AS number"""
UPDATE = """UPDATE "AxVec" SET "vecDescription" = %s || "vecKey" WHERE "vecKey" BETWEEN %s AND %s"""
COMMITTED = """SELECT "vecKey", pg_xact_commit_timestamp(xmin) FROM "AxVec"
    WHERE "vecKey" BETWEEN %s AND %s"""
SHOWN: Mapping[str, str] = {
    OURS: """SELECT CAST(substr("Organization ID", 4) AS bigint), "Name",
        pg_xact_commit_timestamp(xmin) FROM "Organization" WHERE "Organization ID" LIKE 'cl-%'""",
    SINK: """SELECT "vecKey", "vecDescription", pg_xact_commit_timestamp(xmin)
        FROM "late-ajera_AxVec" """,
}


@dataclass(frozen=True)
class Load:
    """So many changes, at a rate a second; all at once where it is None."""

    changes: int
    a_second: int | None

    @property
    def name(self) -> str:
        return (
            f"delay, burst of {self.changes:,}"
            if self.a_second is None
            else f"delay, {self.a_second:,}/s"
        )


@dataclass
class Found:
    """Of one contender and load: seconds of every change, in all and by hop."""

    seconds: list[float] = field(default_factory=list)
    hops: Hops = field(default_factory=Hops)


@dataclass(frozen=True)
class Course:
    """The way that changes go. `words` makes each load's values new."""

    arena: Arena
    config: Path
    ajera: psycopg.Connection
    targets: Mapping[str, psycopg.Connection]
    sink_database: str
    words: Iterator[int]

    @contextmanager
    def taking(self, who: str) -> Iterator[Callable[[], Mapping[str, tuple[float, float]]]]:
        """This contender reads, and has caught up; what its hops took until now, where it says."""
        stack = self.arena.stack
        if who == OURS:
            with running(self.config, stack.logs, 1) as members:
                self._catch_up(partial(_read_by_us, self.targets[OURS]), members)
                yield lambda: hop_sums(members[0].address)
        else:
            name = self.sink_database
            with self.arena.worker.sinking(name, [TOPIC], ["vecKey"], name, "plain") as group:
                wait_until(
                    lambda: has_joined(self.arena.admin, group, 1),
                    lambda: self.arena.worker.check(name),
                )
                self._catch_up(lambda: sum(self.arena.admin.committed(group, [TOPIC]).values()), [])
                yield dict

    def _catch_up(self, read: Callable[[], int], members: list[Consumer]) -> None:
        ends = self.arena.admin.watermarks([TOPIC])
        wait_until(
            lambda: read() >= sum(high for _, high in ends.values()),
            partial(check, members),
            CAUGHT_UP_SECONDS,
        )

    def take(self, who: str, load: Load, found: Found) -> None:
        """Change the first rows, and wait until all are shown."""
        word = f"{next(self.words):06} "
        began = time.time()
        _change(self.ajera, load, word)
        target = self.targets[who]
        wait_until(
            lambda: _shown(target, who, word) == load.changes, lambda: None, CAUGHT_UP_SECONDS
        )
        committed: dict[int, datetime] = dict(
            self.ajera.execute(COMMITTED, [1, load.changes]).fetchall()
        )
        shown = {key: at for key, name, at in target.execute(SHOWN[who]) if name.startswith(word)}
        found.seconds += [(shown[key] - at).total_seconds() for key, at in committed.items()]
        found.hops.add(passed(self.arena.stack, TOPIC, began), committed, shown)


def measure(arena: Arena, loads: list[Load], rounds: int, say: Say) -> list[Line]:
    """Of each load and contender."""
    found = {(load.name, who): Found() for load in loads for who in (OURS, SINK)}
    with _course(arena, max(load.changes for load in loads)) as course:
        for number in range(1, rounds + 1):
            for who in (OURS, SINK):
                with course.taking(who) as sums:
                    course.take(who, Load(WARM, 100), Found())
                    for load in loads:
                        before = sums()
                        course.take(who, load, kept := found[load.name, who])
                        kept.hops.told(before, sums())
                        delays = Delays.of(kept.seconds)
                        say(f"round {number}: {load.name}: {who}: p50 {delays.p50:,.0f} ms")
    return [
        line
        for load in loads
        for who in (OURS, SINK)
        for line in _lines(load, who, found[load.name, who])
    ]


def _lines(load: Load, who: str, found: Found) -> Iterator[Line]:
    yield Line(
        load.name,
        who,
        len(found.seconds),
        delays=Delays.of(found.seconds),
        remarks=found.hops.remarks(),
    )
    for hop, seconds in found.hops.seconds.items():
        yield Line(load.name, f"{who}: {hop}", len(seconds), delays=Delays.of(seconds))


@contextmanager
def _course(arena: Arena, rows: int) -> Iterator[Course]:
    stack = arena.stack
    ajera_url, pim_url = stack.create_database("late_ajera"), stack.create_database("late_pim")
    sink_url = stack.create_database("late_sink")
    databases.create_ajera(ajera_url, Naming())
    databases.create_pim(pim_url, Naming())
    config = apart(settings.write(stack, ajera_url, pim_url), NAME)
    with (
        databases.connect(ajera_url) as ajera,
        databases.connect(pim_url) as pim,
        databases.connect(sink_url) as of_sink,
    ):
        ajera.execute(INSERT, [rows])
        command(config, "schema", "upgrade")
        command(config, "connectors", "apply")
        stamped_by_broker(stack, TOPIC)
        _wait_captured(arena.admin, rows)
        try:
            targets = {OURS: pim, SINK: of_sink}
            yield Course(arena, config, ajera, targets, "late_sink", count(1))
        finally:
            command(config, "connectors", "remove", "--yes")


def _wait_captured(admin: KafkaAdmin, rows: int) -> None:
    def captured() -> bool:
        return sum(high for _, high in admin.watermarks([TOPIC]).values()) >= rows

    wait_until(captured, lambda: None, CAUGHT_UP_SECONDS)


def _change(ajera: psycopg.Connection, load: Load, word: str) -> None:
    started = time.monotonic()
    at_once = IN_A_TRANSACTION if load.a_second is None else 1
    for first in range(1, load.changes + 1, at_once):
        if load.a_second is not None:
            time.sleep(max(0.0, started + first / load.a_second - time.monotonic()))
        ajera.execute(UPDATE, [word, first, min(first + at_once - 1, load.changes)])


def _shown(target: psycopg.Connection, who: str, word: str) -> int:
    name, table = (
        ("Name", "Organization") if who == OURS else ("vecDescription", "late-ajera_AxVec")
    )
    query = sql.SQL("SELECT count(*) FROM {} WHERE starts_with({}, %s)")
    found = target.execute(query.format(sql.Identifier(table), sql.Identifier(name)), [word])
    ((count_,),) = found.fetchall()
    return int(count_)


def _read_by_us(pim: psycopg.Connection) -> int:
    query = "SELECT COALESCE(sum(next_offset), 0)::bigint FROM sync.progress WHERE topic = %s"
    ((found,),) = pim.execute(query, [TOPIC]).fetchall()
    return int(found)
