"""`make bench`: how many committed events a second consumers apply, on this machine, by ratios that its noise cannot hide.

Each contender reads the same topics from the start into an empty PIM; contenders take turns, and the first one runs
twice a round, so that the table shows how far apart two equal runs are.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import psycopg
import tomli_w
from rich.console import Console
from rich.table import Table

from deploy.bench.produce import Change, Topic
from deploy.demo.consumers import running
from deploy.local.stack import Stack, running_stack
from pipeline.config import Settings
from pipeline.database.engine import create_engine
from pipeline.database.live import create_target_tables
from pipeline.database.migrate import upgrade
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.kafka.admin import KafkaAdmin
from pipeline.mapping.site import Site
from pipeline.operations.connectors import topics_of

PARTS = ("postgres", "kafka", "registry")
LIMIT_SECONDS = 300.0
console = Console()


@dataclass(frozen=True, slots=True)
class Contender:
    """What is compared."""

    name: str
    consumers: int
    batch_size: int


CONTENDERS = (
    Contender("1 consumer, batch 2000", 1, 2_000),
    Contender("1 consumer, batch 500", 1, 500),
    Contender("2 consumers, batch 2000", 2, 2_000),
)


@click.command()
@click.option("--rows", default=30_000, show_default=True, help="Rows of AxVec: each is inserted, then updated.")
@click.option("--rounds", default=3, show_default=True, help="How often each contender runs.")
@click.option("--seed", default=1, show_default=True)
def main(*, rows: int, rounds: int, seed: int) -> None:
    """Print a table of events a second, counted at the target in committed rows."""
    events = 2 * rows
    rates: dict[str, list[float]] = {}
    with running_stack(console.print, parts=PARTS) as stack:
        settings = _settings(stack, stack.create_database("ajera"), stack.create_database("unused"), CONTENDERS[0], 0)
        admin = KafkaAdmin(stack.bootstrap, {})
        admin.ensure_topics(topics_of(settings, Site()))
        console.print(f"Producing {events:,} events ...")
        source = AJERA_TO_PIM.source("AxVec")
        Topic(source, "ajera.AxVec", stack.bootstrap, stack.registry).send(_changes(rows, random.Random(seed)))
        for number in range(rounds):
            for again, contender in [(" (again)", CONTENDERS[0]), *(("", contender) for contender in CONTENDERS)]:
                seconds = _run(stack, contender, f"{number}{len(rates.get(contender.name, []))}", events, rows)
                rates.setdefault(contender.name + again, []).append(events / seconds)
                console.print(f"round {number + 1}: {contender.name}{again}: {events / seconds:,.0f} events/s")
        admin.close()
    _print(rates)


def _changes(rows: int, rng: random.Random) -> Iterator[Change]:
    words = ["Acme", "Harbour", "Miller", "North", "Studio", "Bridge", "Σ", "Ōsaka"]
    for number, operation in enumerate(["c"] * rows + ["u"] * rows):
        key = number % rows + 1
        yield Change(operation, _row(key, number, rng, words), number + 1)


def _row(key: int, number: int, rng: random.Random, words: list[str]) -> dict[str, object]:
    texts = ("vecFirstName", "vecLastName", "vecTitle", "vecEmail", "vecPhone1", "vecPhone2", "vecFax", "vecWebsite")
    places = ("vecAddress1", "vecAddress2", "vecAddress3", "vecCity", "vecState", "vecZip")
    kind = rng.randrange(3)
    return {
        "vecKey": key,
        "vecDescription": f"{rng.choice(words)} {number}",
        **{name: f"{rng.choice(words)} {rng.randrange(10_000)}" for name in (*texts, *places)},
        "vecIsClient": kind == 0,
        "vecIsVendor": kind == 1,
        "vecIsEmployee": kind == 2,
    }


def _settings(stack: Stack, ajera: str, pim: str, contender: Contender, number: int | str) -> Settings:
    return Settings.model_validate(_raw(stack, ajera, pim, contender, number))


def _raw(stack: Stack, ajera: str, pim: str, contender: Contender, number: int | str) -> dict[str, dict[str, object]]:
    return {
        "ajera": {"database": ajera},
        "pim": {"database": pim},
        "kafka": {"bootstrap": stack.bootstrap, "group": f"bench-{number}-{contender.name.replace(' ', '-')}"},
        "registry": {"url": stack.registry},
        "connect": {"url": "http://127.0.0.1:1"},
        "run": {"batch_size": contender.batch_size, "metrics_port": 0},
        "log": {"level": "WARNING"},
    }


def _run(stack: Stack, contender: Contender, number: str, events: int, rows: int) -> float:
    """Seconds from the first committed event to the last. An empty PIM, a group of its own."""
    pim = stack.create_database(f"pim_{time.monotonic_ns()}")
    engine = create_engine(pim)
    create_target_tables(engine, AJERA_TO_PIM, Site())
    upgrade(engine)
    engine.dispose()
    raw = _raw(stack, pim, pim, contender, f"{number}-{time.monotonic_ns()}")
    config = Path(stack.directory) / "bench.toml"
    config.write_text(tomli_w.dumps(raw))
    with psycopg.connect(pim.replace("+psycopg", ""), autocommit=True) as connection:
        with running(config, stack.logs, contender.consumers) as members:
            first: tuple[float, int] | None = None
            deadline = time.monotonic() + LIMIT_SECONDS
            while True:
                for member in members:
                    member.check()
                read, now = _events_read(connection), time.monotonic()
                if read and first is None:
                    first = now, read
                if first is not None and read >= events:
                    break
                if now > deadline:
                    raise TimeoutError(f"{contender.name}: {read} of {events} events after {LIMIT_SECONDS:.0f} s")
                time.sleep(0.02)
        (held,) = connection.execute(
            'SELECT count(*) FROM "Organization" WHERE "Organization ID" <> \'Internal\''
        ).fetchone() or (0,)
        (people,) = connection.execute('SELECT count(*) FROM "Contact"').fetchone() or (0,)
    if held + people < rows:
        raise ValueError(f"{contender.name}: {held + people} PIM rows, at least {rows} expected")
    return (now - first[0]) * events / (events - first[1])


def _events_read(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT COALESCE(SUM(events_read), 0)::bigint FROM sync.progress").fetchone()
    return int(row[0]) if row else 0


def _print(rates: dict[str, list[float]]) -> None:
    base = statistics.median(rates[CONTENDERS[0].name])
    table = Table(
        "contender", "events/s, median", "min", "max", "ratio to the first", title="Ajera to PIM, consumers only"
    )
    for name, figures in rates.items():
        middle = statistics.median(figures)
        table.add_row(name, f"{middle:,.0f}", f"{min(figures):,.0f}", f"{max(figures):,.0f}", f"{middle / base:.2f}")
    console.print(table)
    console.print("The first contender and its (again) are equal: their distance is the noise.")


if __name__ == "__main__":
    main()
