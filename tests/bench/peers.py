"""Beside the peer: our consumers, Debezium's JDBC sink, and COPY with one upsert, by turns.

`python -m tests.bench.peers`. Ours of one process runs twice a round, so that the table shows how
far apart two equal runs are. A rate is taken between the first commit that is
seen and the last one, so starting counts for nobody; rows are counted at the target.
"""

from __future__ import annotations

import os
import random
import statistics
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click
import psycopg
import tomli_w
from psycopg import sql
from rich.console import Console
from rich.table import Table

from deploy.demo.consumers import running
from deploy.local.stack import Stack, running_stack
from deploy.sample import databases
from pipeline.config.settings import settings_for
from pipeline.domain.routes import AJERA_TO_PIM, ROUTES
from pipeline.kafka.admin import KafkaAdmin
from pipeline.operations.connectors import topics_of
from tests.bench import pim
from tests.bench.produce import Change, Topic
from tests.bench.rows import changes_of
from tests.bench.sink import Worker, worker
from tests.bench.stages import cpu_seconds, server_seconds, wal_position
from tests.bench.waiting import events_read

VEC = AJERA_TO_PIM.source("AxVec").table
POLL_SECONDS = 0.1
MOST_SECONDS = 600.0
UPSERT_ROWS = 2_000
console = Console() if Console().is_terminal else Console(width=120)


@dataclass(frozen=True, slots=True)
class Sample:
    """At a moment: events that are committed, CPU seconds of the client and of PostgreSQL so far,
    and bytes of WAL.
    """

    at: float
    events: int
    client: float
    server: float
    wal: int


@dataclass(frozen=True, slots=True)
class Result:
    """Events a second, µs of CPU an event of client and of PostgreSQL, bytes of WAL an event, and
    the client's largest memory in MB.
    """

    rate: float
    client: float
    server: float
    wal: float
    memory: float

    @classmethod
    def between(cls, first: Sample, last: Sample, memory: float) -> Result:
        events = last.events - first.events
        return cls(
            events / (last.at - first.at),
            (last.client - first.client) / events * 1e6,
            (last.server - first.server) / events * 1e6,
            (last.wal - first.wal) / events,
            memory,
        )


@dataclass(frozen=True)
class Field:
    """What every contender reads, and where."""

    stack: Stack
    worker: Worker
    admin: KafkaAdmin
    watching: psycopg.Connection
    prefix: str
    changes: Sequence[Change]
    rows: int

    def sample(self, events: int, pids: Sequence[int]) -> Sample:
        server, wal = server_seconds(self.watching), wal_position(self.watching)
        return Sample(time.monotonic(), events, sum(map(cpu_seconds, pids)), server, wal)

    def measured(
        self, pids: Sequence[int], committed: Callable[[], int], check: Callable[[], None]
    ) -> Result:
        """From the first commit that is seen to the last. Raises TimeoutError, and of `check`."""
        first: Sample | None = None
        deadline = time.monotonic() + MOST_SECONDS
        while (events := committed()) < len(self.changes):
            if first is None and events:
                first = self.sample(events, pids)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{events:,} of {len(self.changes):,} within {MOST_SECONDS} s")
            check()
            time.sleep(POLL_SECONDS)
        if first is None:
            raise TimeoutError("all was committed at once: more rows are needed")
        return Result.between(first, self.sample(events, pids), sum(map(peak_mb, pids)))


def ours(field: Field, processes: int) -> Result:
    """Guards, mirror and maps are on, as in every run of the product."""
    name = new_name()
    url = pim.empty(field.stack, name)
    config = Path(field.stack.directory) / f"{name}.toml"
    config.write_text(tomli_w.dumps(pim.settings(field.stack, url, field.prefix, name)))
    with (
        psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection,
        running(config, field.stack.logs, processes) as members,
    ):

        def check() -> None:
            for member in members:
                if member.process.poll() is not None:
                    member.check()

        pids = [member.process.pid for member in members]
        result = field.measured(pids, lambda: events_read(connection), check)
        ((mirrored,),) = connection.execute('SELECT count(*) FROM sync."mirror_AxVec"').fetchall()
        require(mirrored, field.rows)
    return result


def sink(field: Field, mode: str) -> Result:
    """The sink writes one table as the topic has it: no maps, no guard, no mirror."""
    name = new_name()
    url = field.stack.create_database(name)
    topic = f"{field.prefix}.AxVec"
    with field.worker.sinking(name, topic, VEC.key[0], name, mode) as group:
        result = field.measured(
            [field.worker.pid],
            lambda: sum(field.admin.committed(group, [topic]).values()),
            lambda: field.worker.check(name),
        )
    with databases.connect(url) as connection:
        ((written,),) = connection.execute("SELECT count(*) FROM bench").fetchall()
        require(written, field.rows)
    return result


def copied(field: Field) -> Result:
    """The limit: rows that are ready, by COPY to a staging table and one upsert a batch; no Kafka,
    no decoding.
    """
    url = field.stack.create_database(new_name())
    columns = [column.name for column in VEC.columns]
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    kinds = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(c)) for c in columns[1:])
    sets = sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(c)) for c in columns[1:]
    )
    key = sql.Identifier(columns[0])
    copy = sql.SQL("COPY stage ({}) FROM STDIN").format(names)
    upsert = sql.SQL(
        "INSERT INTO bench ({0}) SELECT {0} FROM stage ON CONFLICT ({1}) DO UPDATE SET {2}"
    ).format(names, key, sets)
    rows = [[change.row.get(column) for column in columns] for change in field.changes]
    with databases.connect(url) as connection:
        table = sql.SQL("TABLE {} ({} bigint PRIMARY KEY, {})")
        connection.execute(sql.SQL("CREATE ") + table.format(sql.Identifier("bench"), key, kinds))
        connection.execute(
            sql.SQL("CREATE TEMP ") + table.format(sql.Identifier("stage"), key, kinds)
        )
        first = field.sample(0, [os.getpid()])
        for start in range(0, len(rows), UPSERT_ROWS):
            with connection.transaction():
                connection.execute("TRUNCATE stage")
                with connection.cursor().copy(copy) as writer:
                    for row in rows[start : start + UPSERT_ROWS]:
                        writer.write_row(row)
                connection.execute(upsert)
        last = field.sample(len(rows), [os.getpid()])
    return Result.between(first, last, 0.0)


def new_name() -> str:
    return f"peers-{uuid.uuid4().hex[:8]}"


def require(found: int, wanted: int) -> None:
    """Raises AssertionError: a rate of rows that are not there is none."""
    if found != wanted:
        raise AssertionError(f"{found:,} rows at the target, {wanted:,} were sent")


def peak_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


AGAIN = "ours, one process (again)"
CONTENDERS: dict[str, Callable[[Field], Result]] = {
    "ours, one process": lambda field: ours(field, 1),
    "sink, plain": lambda field: sink(field, "plain"),
    "ours, two processes": lambda field: ours(field, 2),
    "sink, fastest mode": lambda field: sink(field, "fastest"),
    AGAIN: lambda field: ours(field, 1),
    "COPY and one upsert (the limit)": copied,
}
WARMED = ("sink, plain", "sink, fastest mode")


@click.command()
@click.option("--rows", default=75_000, show_default=True, help="Each is inserted, then updated.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--only", default="", help="Only contenders whose name holds this.")
def main(*, rows: int, rounds: int, seed: int, only: str) -> None:
    """Print rates, CPU, WAL and memory of each contender, and ratios to the sink's best mode."""
    with running_stack(console.print) as stack, worker(stack, console.print) as peer:
        run(stack, peer, rows, rounds, seed, only)


def run(stack: Stack, peer: Worker, rows: int, rounds: int, seed: int, only: str = "") -> None:
    """Fill the topic, warm the sink, and let the contenders take turns."""
    prefix = f"bench-{uuid.uuid4().hex[:8]}"
    chosen = {name: contender for name, contender in CONTENDERS.items() if only in name}
    results: dict[str, list[Result]] = {name: [] for name in chosen}
    changes = list(changes_of(rows, random.Random(seed)))
    with ExitStack() as resources:
        admin = KafkaAdmin(stack.bootstrap, {})
        resources.callback(admin.close)
        watching = resources.enter_context(databases.connect(stack.postgres_url("postgres")))
        settings = pim.settings(stack, stack.postgres_url("postgres"), prefix, prefix)
        admin.ensure_topics(topics_of(settings_for(ROUTES).model_validate(settings)))
        console.print(f"Filling a topic with {len(changes):,} events ...")
        Topic(VEC, f"{prefix}.AxVec", stack.bootstrap, stack.registry).send(changes)
        field = Field(stack, peer, admin, watching, prefix, changes, rows)
        for name in WARMED:
            if name in chosen:
                chosen[name](field)
        for number in range(rounds):
            for name, contender in chosen.items():
                results[name].append(found := contender(field))
                console.print(
                    f"round {number + 1}: {name}: {found.rate:,.0f} events/s,"
                    f" {found.client:.0f} + {found.server:.0f} µs"
                )
    console.print(table_of(results))


def table_of(results: dict[str, list[Result]]) -> Table:
    """Medians; the ratio is that of a round, to the sink's best mode in it."""
    table = Table(
        *("contender", "events/s", "min", "max", "x sink", "client µs", "PostgreSQL µs"),
        *("WAL bytes", "RSS MB"),
        title="AxVec, 26 columns, half inserts and half updates; medians",
    )
    best = [
        max(rates)
        for rates in zip(
            *([one.rate for one in results[name]] for name in WARMED if name in results),
            strict=True,
        )
    ]
    for name, runs in results.items():
        rates = [one.rate for one in runs]
        ratios = [rate / by for rate, by in zip(rates, best, strict=False)]
        table.add_row(
            name,
            f"{statistics.median(rates):,.0f}",
            f"{min(rates):,.0f}",
            f"{max(rates):,.0f}",
            f"{statistics.median(ratios):.2f}" if ratios else "-",
            f"{statistics.median(one.client for one in runs):.0f}",
            f"{statistics.median(one.server for one in runs):.0f}",
            f"{statistics.median(one.wal for one in runs):,.0f}",
            f"{max(one.memory for one in runs):,.0f}",
        )
    return table


if __name__ == "__main__":
    main()
