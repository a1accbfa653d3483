"""µs a stage: what each part of a batch costs, in CPU time of this process and of PostgreSQL.

The real engine over the embedded PostgreSQL, fed with encoded messages instead of a topic. CPU time
is counted, not time that passes: the figures hold on a machine that others use, too.
Alone: `python -m tests.bench.stages`.
"""

from __future__ import annotations

import cProfile
import gc
import hashlib
import random
import statistics
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click
import fastavro
import orjson
from rich.console import Console
from rich.table import Table

from deploy.local.stack import Stack, running_stack
from deploy.sample import databases
from pipeline.database.target import DatabaseTarget
from pipeline.decoding.avro import Schemas
from pipeline.decoding.contract import Contract
from pipeline.decoding.event import Decoder
from pipeline.decoding.needs import needed_by
from pipeline.decoding.wire import join
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.engine.projection.processor import Processor
from pipeline.engine.projection.recompute import Recompute
from pipeline.mapping.site import Site
from pipeline.mapping.source import SourceTable
from pipeline.model.event import Message
from pipeline.operations.run import COLLECTED_AFTER
from pipeline.resources import schemas_directory
from pipeline.telemetry.health import Health
from pipeline.telemetry.prometheus import PrometheusTelemetry
from tests.bench import rows
from tests.bench.measuring import server_seconds, wal_position
from tests.bench.produce import Change, encoded, writer_schema
from tests.support.engine import fresh_target, pim_rows, topic_of
from tests.twins.messages import MemoryDeadLetters

PARTITIONS = 4
STAGES = ("decode", "stage", "recompute")
WORKLOADS: dict[str, Callable[[int, random.Random], Sequence[tuple[str, Change]]]] = {
    "clients and contacts (AxVec)": rows.of_clients,
    "projects with clients and groups": rows.of_projects,
}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one run: µs of CPU an event by stage, of PostgreSQL in all, WAL bytes an event;
    and a hash of what PIM holds at the end.
    """

    stages: dict[str, float]
    postgres: float
    wal_bytes: float
    digest: str


class CpuClock:
    """A clock whose seconds are those of this process's CPU."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.process_time()


class StepTimes(PrometheusTelemetry):
    """The real telemetry, and what the steps took by the clock of the processor."""

    def __init__(self) -> None:
        super().__init__(Health())
        self.seconds = dict.fromkeys(STAGES, 0.0)

    def step(self, name: str, seconds: float) -> None:
        self.seconds[name] += seconds
        super().step(name, seconds)


def messages_of(changes: Sequence[tuple[str, Change]]) -> tuple[list[Message], dict[int, str]]:
    """The changes as messages over four partitions a topic; and the writer schemas by id."""
    tables = sorted({table for table, _ in changes})
    schemas = {name: writer_schema(_table(name), topic_of(name)) for name in tables}
    parsed = {
        name: fastavro.parse_schema(dict(schema), named_schemas={})
        for name, schema in schemas.items()
    }
    offsets: dict[tuple[str, int], int] = {}
    messages = []
    for name, change in changes:
        key, body = encoded(_table(name), parsed[name], change)
        partition = int(change.row[_table(name).key[0]]) % PARTITIONS
        offset = offsets.get((name, partition), 0)
        offsets[name, partition] = offset + 1
        value = join(1 + tables.index(name), body)
        messages.append(Message(topic_of(name), partition, offset, key, value))
    return messages, {
        1 + number: orjson.dumps(schemas[name]).decode() for number, name in enumerate(tables)
    }


def measure(
    stack: Stack, changes: Sequence[tuple[str, Change]], batch_size: int, profile: Path | None
) -> Costs:
    """One run into an empty PIM, all of whose source tables are loaded; garbage is collected as
    seldom as in a consumer.
    """
    gc.set_threshold(*COLLECTED_AFTER)
    messages, schemas = messages_of(changes)
    engine, target = fresh_target(stack.create_database(f"stages-{uuid.uuid4().hex[:8]}"))
    telemetry = StepTimes()
    processor = _processor(target, telemetry, schemas)
    incarnations = {topic_of(table.name): 1 for table in AJERA_TO_PIM.sources}
    profiler = cProfile.Profile(time.process_time) if profile else None
    with databases.connect(stack.postgres_url("postgres")) as watching:
        gc.collect()
        server, wal, begun = server_seconds(watching), wal_position(watching), time.process_time()
        if profiler:
            profiler.enable()
        for start in range(0, len(messages), batch_size):
            batch = messages[start : start + batch_size]
            assert not processor.process(batch, incarnations, _once).halted
        if profiler:
            profiler.disable()
            profiler.dump_stats(str(profile))
        spent = time.process_time() - begun
        server, wal = server_seconds(watching) - server, wal_position(watching) - wal
    seconds = telemetry.seconds | {"other": spent - sum(telemetry.seconds.values())}
    digest = hashlib.sha256(repr(pim_rows(engine)).encode()).hexdigest()[:12]
    engine.dispose()
    each = 1e6 / len(messages)
    stages = {name: spent * each for name, spent in seconds.items()}
    return Costs(stages, server * each, wal / len(messages), digest)


def _processor(
    target: DatabaseTarget, telemetry: PrometheusTelemetry, schemas: dict[int, str]
) -> Processor:
    route, site = AJERA_TO_PIM, Site()
    decoder = Decoder(
        sources=route.reads["ajera"],
        needs=needed_by(route.sources, route.mappings, site),
        site=site,
        contract=Contract.load(schemas_directory() / "ajera"),
        schemas=Schemas(schemas.__getitem__),
        topic_prefix="ajera",
    )
    targets = {table.name: table for table in route.targets}
    return Processor(
        route=route,
        site=site,
        decoder=decoder,
        target=target,
        recompute=Recompute(route, site, targets, target.counts_utf16),
        dead_letters=MemoryDeadLetters(),
        telemetry=telemetry,
        clock=CpuClock(),
    )


def _once(call: Callable[[], T]) -> T:
    return call()


def _table(name: str) -> SourceTable:
    return AJERA_TO_PIM.source(name).table


def table_of(costs: dict[str, list[Costs]]) -> Table:
    """Medians, and how far apart the runs are."""
    heads = ("workload", *STAGES, "other", "Python", "PostgreSQL", "both", "spread", "WAL bytes")
    table = Table(*heads, title="µs of CPU an event")
    for name, runs in costs.items():
        sums = [sum(one.stages.values()) for one in runs]
        both = [ours + one.postgres for ours, one in zip(sums, runs, strict=True)]
        middle = statistics.median
        table.add_row(
            name,
            *(f"{middle(one.stages[stage] for one in runs):.1f}" for stage in (*STAGES, "other")),
            f"{middle(sums):.1f}",
            f"{middle(one.postgres for one in runs):.1f}",
            f"{middle(both):.1f}",
            f"{min(both):.0f}-{max(both):.0f}",
            f"{middle(one.wal_bytes for one in runs):,.0f}",
        )
    return table


def run(
    stack: Stack,
    console: Console,
    rows: int,
    rounds: int,
    batch_size: int = 2_000,
    profile: Path | None = None,
) -> None:
    """Print the table; every run of a workload must leave the same PIM."""
    costs: dict[str, list[Costs]] = {}
    for _ in range(rounds):
        for name, changes_of in WORKLOADS.items():
            changes = changes_of(rows, random.Random(1))
            costs.setdefault(name, []).append(measure(stack, changes, batch_size, profile))
    for name, runs in costs.items():
        digests = {one.digest for one in runs}
        assert len(digests) == 1, f"{name}: equal runs left PIMs that differ: {digests}"
        console.print(f"{name}: {len(runs)} runs, PIM {digests.pop()}")
    console.print(table_of(costs))


@click.command()
@click.option("--rows", default=10_000, show_default=True)
@click.option("--rounds", default=3, show_default=True)
@click.option("--batch-size", default=2_000, show_default=True)
@click.option("--profile", type=click.Path(path_type=Path), help="Where to leave a cProfile.")
def main(*, rows: int, rounds: int, batch_size: int, profile: Path | None) -> None:
    """Print µs of CPU a stage."""
    console = Console(width=120)
    with running_stack(console.print, parts=("postgres",)) as stack:
        run(stack, console, rows, rounds, batch_size, profile)


if __name__ == "__main__":
    main()
