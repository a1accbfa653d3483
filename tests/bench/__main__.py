"""`make bench`: how many committed events a second consumers apply, on this machine,
by ratios that its noise cannot hide.

Each contender reads the same events into an empty PIM; contenders take turns, and the first one
runs twice a round, so that the table shows how far apart two equal runs are.
"""

from __future__ import annotations

import random
import signal
import statistics
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import click
import psycopg
import tomli_w
from rich.console import Console
from rich.table import Table

from deploy.demo.consumers import running
from deploy.local.stack import Stack, running_stack
from pipeline.config.settings import settings_for
from pipeline.domain.routes import AJERA_TO_PIM, ROUTES
from pipeline.kafka.admin import KafkaAdmin
from pipeline.operations.connectors import topics_of
from tests.bench import accounting, delay, exchange, linking, peers, pim, stages
from tests.bench.produce import Change, Topic
from tests.bench.rows import changes_of
from tests.bench.sink import worker
from tests.bench.waiting import events_read, is_settled, split, wait

PARTITIONS = 5 * pim.PARTITIONS + 1  # of five tables, and of the heartbeat
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
@click.option(
    "--rows",
    default=30_000,
    show_default=True,
    help="Rows of AxVec: each is inserted, then updated.",
)
@click.option(
    "--rounds",
    default=3,
    show_default=True,
    help="How often each contender runs.",
)
@click.option(
    "--edits",
    default=400,
    show_default=True,
    help="Edits each way whose delay is measured.",
)
@click.option(
    "--projects",
    default=10_000,
    show_default=True,
    help="Projects a side that a first run links.",
)
@click.option(
    "--transactions",
    default=600_000,
    show_default=True,
    help="The most transactions beside which accounting is measured; also a tenth, a hundredth.",
)
@click.option(
    "--beside",
    default=75_000,
    show_default=True,
    help="Rows that we and Debezium's JDBC sink insert, then update.",
)
@click.option("--seed", default=1, show_default=True)
def main(
    *, rows: int, rounds: int, edits: int, projects: int, transactions: int, beside: int, seed: int
) -> None:
    """Print events a second, counted at the target in committed rows; delays of the exchange;
    a first run; what the accounting tabs cost; and our rate beside that of Debezium's JDBC sink.
    """
    rates: dict[str, list[float]] = {}
    with running_stack(console.print) as stack:
        stages.run(stack, console, rows // 3, rounds)
        with worker(stack, console.print) as peer:
            peers.run(stack, peer, beside, rounds, seed)
        for number in range(rounds):
            for again, contender in [
                (" (again)", CONTENDERS[0]),
                *(("", contender) for contender in CONTENDERS),
            ]:
                rate = (
                    2
                    * rows
                    / _run(
                        stack,
                        contender,
                        list(changes_of(rows, random.Random(seed))),
                    )
                )
                rates.setdefault(contender.name + again, []).append(rate)
                console.print(f"round {number + 1}: {contender.name}{again}: {rate:,.0f} events/s")
            of_exchange = exchange.measure(stack, rows // 3)
            for name, rate in (
                ("exchange: edits in Ajera to DPS", of_exchange.edits),
                ("exchange: echoes of DPS", of_exchange.echoes),
                ("exchange: each edit with its echo", of_exchange.together),
                (
                    "exchange: first run, rows created in DPS",
                    of_exchange.linked,
                ),
            ):
                rates.setdefault(name, []).append(rate)
                console.print(f"round {number + 1}: {name}: {rate:,.0f} a second")
        _print(rates)
        for direction, delays in delay.measure(stack, edits).items():
            middle, late, worst = delay.summary(delays)
            console.print(
                f"{direction}: {len(delays)} edits, {delay.EDITS_A_SECOND:.0f} a second each way:"
                f" p50 {middle:.2f} s, p99 {late:.2f} s, longest {worst:.2f} s"
            )
        found = linking.measure(stack, projects)
        console.print(
            f"link: {found.projects:,} projects a side linked in {found.seconds:.1f} s"
            f" (rehearsed in {found.rehearsed:.1f} s); a tenth of them differ in a line without "
            "an owner"
        )
        accounting.report(stack, transactions, transactions // 10)


def _run(stack: Stack, contender: Contender, changes: list[Change]) -> float:
    """Seconds from the first message to the last event committed: an empty PIM,
    and topics and a group of its own.

    The members hold their partitions already when the topic fills, and sleep while it does.
    """
    name = f"bench-{uuid.uuid4().hex[:8]}"
    target = pim.empty(stack, name)
    raw = pim.settings(stack, target, name, name, batch_size=contender.batch_size)
    admin = KafkaAdmin(stack.bootstrap, {})
    admin.ensure_topics(topics_of(settings_for(ROUTES).model_validate(raw)))
    topic = Topic(
        AJERA_TO_PIM.source("AxVec").table,
        f"{name}.AxVec",
        stack.bootstrap,
        stack.registry,
    )
    config = Path(stack.directory) / f"{name}.toml"
    config.write_text(tomli_w.dumps(raw))
    with (
        psycopg.connect(target.replace("+psycopg", ""), autocommit=True) as connection,
        running(config, stack.logs, contender.consumers) as members,
    ):
        wait(
            members,
            lambda: is_settled(admin, name, contender.consumers, PARTITIONS),
        )
        if contender.consumers > 1:
            shares = split(admin.group_state(name).assignment, topic.name)
            console.print(f"{contender.name}: partitions of {topic.name} by consumer: {shares}")
        for member in members:
            member.process.send_signal(signal.SIGSTOP)
        topic.send(changes)
        started = time.monotonic()
        for member in members:
            member.process.send_signal(signal.SIGCONT)
        wait(members, lambda: events_read(connection) >= len(changes))
        seconds = time.monotonic() - started
    admin.close()
    return seconds


def _print(rates: dict[str, list[float]]) -> None:
    base = statistics.median(rates[CONTENDERS[0].name])
    table = Table(
        "contender",
        "events/s, median",
        "min",
        "max",
        "ratio to the first",
        title="consumers only: Ajera to PIM, and the exchange with DPS",
    )
    for name, figures in rates.items():
        middle = statistics.median(figures)
        table.add_row(
            name,
            f"{middle:,.0f}",
            f"{min(figures):,.0f}",
            f"{max(figures):,.0f}",
            f"{middle / base:.2f}",
        )
    console.print(table)
    console.print("The first contender and its (again) are equal: their distance is the noise.")


if __name__ == "__main__":
    main()
