"""`make bench`: our consumers beside Debezium's JDBC sink on this machine, as one table."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from deploy.local.stack import running_stack
from deploy.sample import databases
from pipeline.kafka.admin import KafkaAdmin
from tests.bench import delay, exchange, exchange_delay, linking, machine, sample_load, workloads
from tests.bench.contenders import Arena
from tests.bench.contest import (
    AGAIN_ONE,
    BUFFERED,
    COPY,
    FASTEST,
    MEMBERS,
    ONE,
    PLAIN,
    TWO,
    Contest,
    grown,
)
from tests.bench.report import WIDTH, Line, Say, draw, save
from tests.bench.sink import VERSION, worker

console = Console() if Console().is_terminal else Console(width=WIDTH)


@dataclass(frozen=True)
class Sizes:
    """How much of everything: rows of AxVec, projects, transactions, edits of the exchange; changes
    of a burst, and for how many seconds a steady load lasts; how many times the sample firm; the
    fewest rows of each workload that grows a hundredfold; projects a side that are linked.
    """

    rounds: int
    clients: int
    projects: int
    transactions: int
    edits: int
    burst: int
    seconds: int
    firms: int
    growth: Mapping[str, int]
    linked: int


LONG = Sizes(
    rounds=3,
    clients=75_000,
    projects=10_000,
    transactions=100_000,
    edits=10_000,
    burst=50_000,
    seconds=10,
    firms=25,
    growth={"clients": 5_000, "projects": 100, "transactions": 1_000, "exchange": 200},
    linked=10_000,
)
SHORT = Sizes(
    rounds=1,
    clients=3_000,
    projects=500,
    transactions=3_000,
    edits=1_000,
    burst=2_000,
    seconds=4,
    firms=1,
    growth={"clients": 20, "projects": 4, "transactions": 20, "exchange": 4},
    linked=500,
)
RATES = (100, 1_000)  # changes a second
OF_CLIENTS = (ONE, PLAIN, MEMBERS, FASTEST, TWO, AGAIN_ONE, COPY)
OF_PROJECTS = (ONE, PLAIN, FASTEST, AGAIN_ONE)
OF_TRANSACTIONS = (ONE, PLAIN, BUFFERED, AGAIN_ONE)
MADE: Mapping[str, workloads.Made] = {
    "clients": workloads.clients,
    "projects": workloads.projects,
    "transactions": workloads.transactions,
}


@dataclass(frozen=True)
class Run:
    """What each part is given."""

    arena: Arena
    sizes: Sizes
    seed: int
    say: Say

    def contest(self, contest: Contest, size: int) -> list[Line]:
        return contest.run(self.arena, size, self.sizes.rounds, self.seed, self.say)


def _clients(run: Run) -> list[Line]:
    return run.contest(Contest(workloads.clients, OF_CLIENTS), run.sizes.clients)


def _projects(run: Run) -> list[Line]:
    return [
        line
        for made in (workloads.projects, workloads.projects_last)
        for line in run.contest(Contest(made, OF_PROJECTS), run.sizes.projects)
    ]


def _transactions(run: Run) -> list[Line]:
    return run.contest(Contest(workloads.transactions, OF_TRANSACTIONS), run.sizes.transactions)


def _exchange(run: Run) -> list[Line]:
    sizes = run.sizes
    return exchange.measure(run.arena, sizes.edits, sizes.rounds, run.seed, run.say)


def _delay(run: Run) -> list[Line]:
    sizes = run.sizes
    loads = [delay.Load(rate * sizes.seconds, rate) for rate in RATES]
    loads.append(delay.Load(sizes.burst, None))
    return delay.measure(run.arena, loads, sizes.rounds, run.say)


def _both_ways(run: Run) -> list[Line]:
    return exchange_delay.measure(run.arena.stack, run.sizes.seconds, run.say)


def _first_load(run: Run) -> list[Line]:
    return sample_load.measure(run.arena, run.sizes.firms, 2, run.say)


def _growth(run: Run) -> list[Line]:
    lines: list[Line] = []
    for name, least in run.sizes.growth.items():
        if name == exchange.WHAT:
            lines += exchange.grown(run.arena, least, run.say)
        else:
            lines += grown(run.arena, MADE[name], least, run.seed, run.say)
    return lines


def _link(run: Run) -> list[Line]:
    return linking.measure(run.arena.stack, run.sizes.linked, run.say)


PARTS: Mapping[str, Callable[[Run], list[Line]]] = {
    "clients": _clients,
    "projects": _projects,
    "transactions": _transactions,
    "exchange": _exchange,
    "delay": _delay,
    "both-ways": _both_ways,
    "link": _link,
    "first-load": _first_load,
    "growth": _growth,
}
ELSEWHERE = ("clients", "projects")  # parts that can write to a server of another place


@click.command()
@click.option("--short", is_flag=True, help="A few rows of everything: proves that it runs.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(list(PARTS)),
    help="Only this part; may be given several times. Default: all.",
)
@click.option("--rounds", type=click.IntRange(min=1), help="How often contenders take turns.")
@click.option("--firms", type=click.IntRange(min=1), help="How many times the firm, first-load.")
@click.option("--seed", default=1, show_default=True)
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write all figures there.")
@click.option(
    "--target",
    help="URL of a server that our consumers write to, as in the settings (mssql://...): a database"
    " is made there for each run, and dropped. Without the sink, which stays here.",
)
def main(
    *,
    short: bool,
    only: Sequence[str],
    rounds: int | None,
    firms: int | None,
    seed: int,
    file: Path | None,
    target: str | None,
) -> None:
    """Print rates, CPU, WAL, memory and delays, counted at the target in committed rows.

    A part that breaks off is said, and the others go on; then the exit code is 1.
    """
    sizes = _sizes(short=short, rounds=rounds, firms=firms)
    chosen = list(only) or list(PARTS if target is None else ELSEWHERE)
    if target is not None and (unfit := sorted({*chosen} - {*ELSEWHERE})):
        raise click.UsageError(f"--target: {', '.join(unfit)} cannot be measured on another server")
    load = os.getloadavg()[0]
    lines: list[Line] = []
    broken: list[str] = []
    with _arena(target) as arena:
        here = machine.looked_at(arena.watching, VERSION, load)
        run = Run(arena, sizes, seed, partial(console.print, highlight=False))
        for name in chosen:
            began = time.monotonic()
            try:
                lines += PARTS[name](run)
            except Exception:
                broken.append(name)
                console.print_exception()
            run.say(f"{name}: {(time.monotonic() - began) / 60:.1f} minutes")
            if file is not None:
                save(file, lines, here)
        draw(console, lines, here)
    if broken:
        console.print(f"Broken off: {', '.join(broken)}; the errors are above.")
        sys.exit(1)


def _sizes(*, short: bool, rounds: int | None, firms: int | None) -> Sizes:
    sizes = SHORT if short else LONG
    return replace(sizes, rounds=rounds or sizes.rounds, firms=firms or sizes.firms)


@contextmanager
def _arena(target: str | None) -> Iterator[Arena]:
    with (
        running_stack(console.print) as stack,
        worker(stack, console.print) as peer,
        closing(KafkaAdmin(stack.bootstrap, {})) as admin,
        databases.connect(stack.postgres_url("postgres")) as watching,
    ):
        yield Arena(stack, peer, admin, watching, target)


if __name__ == "__main__":
    main()
