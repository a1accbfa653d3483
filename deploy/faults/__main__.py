"""`make faults`: every fault, tried many times, and a table of what came of it. Exit code 1 unless every count is 0."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator

import click
from rich.console import Console
from rich.table import Table

from deploy.faults import capture, ground, messages, processes, services
from deploy.faults.verdict import NotReached, Verdict
from deploy.local.stack import Stack, running_stack

console = Console() if Console().is_terminal else Console(width=150)


@click.command()
@click.option("--long/--short", default=True, help="How often each fault is tried.")
@click.option("--only", default="", help="Only scenarios whose name holds this.")
@click.option("--seed", default=1, show_default=True)
def main(*, long: bool, only: str, seed: int) -> None:
    """Print a table of faults: tried, lost, wrong, repeated, backwards, parked or dead-lettered by mistake."""
    console.print(f"seed {seed}, {'long' if long else 'short'} form")
    verdicts: list[Verdict] = []
    with running_stack(console.print) as stack:
        for name, found in chosen(stack, seed, only, long=long):
            started = time.monotonic()
            try:
                for verdict in found:
                    verdicts.append(verdict)
                    say(verdict, time.monotonic() - started)
                    started = time.monotonic()
            except NotReached as error:
                verdicts.append(Verdict(name, other=1, remarks=[str(error)]))
                say(verdicts[-1], time.monotonic() - started)
    draw(verdicts)
    sys.exit(0 if verdicts and all(verdict.is_clean for verdict in verdicts) else 1)


def chosen(stack: Stack, seed: int, only: str, *, long: bool) -> Iterator[tuple[str, Iterable[Verdict]]]:
    """Every scenario that is asked for, with its number of tries."""
    every: tuple[tuple[str, Callable[[], Iterable[Verdict]]], ...] = (
        ("killed", lambda: processes.killed(stack, seed, 50 if long else 1)),
        ("members classic", lambda: processes.members_come_and_go(stack, seed, 20 if long else 1, "classic")),
        ("members consumer", lambda: processes.members_come_and_go(stack, seed, 20 if long else 1, "consumer")),
        ("two groups", lambda: processes.two_groups(stack, seed)),
        ("database", lambda: services.database_proxied(stack, seed, 10 if long else 1)),
        ("ended", lambda: services.connections_ended(stack, seed, 10 if long else 1)),
        ("registry", lambda: services.registry_sick(stack, seed)),
        ("schema", lambda: services.schema_lost(stack, seed)),
        ("malformed", lambda: messages.malformed(stack, seed, 100_000 if long else 1_000)),
        ("circuit", lambda: messages.circuit_opens(stack, seed)),
        ("narrow", lambda: messages.row_to_blame(stack, seed)),
        ("ground", lambda: ground.wrong_ground(stack, seed)),
        ("anew", lambda: ground.topics_made_anew(stack, seed)),
        ("restored", lambda: ground.pim_restored(stack, seed)),
        ("memory", lambda: messages.memory(stack, seed, 1_000_000 if long else 20_000)),
        ("transaction", lambda: capture.one_transaction(stack, 200_000 if long else 2_000)),
        ("broker", lambda: services.broker_restarted(stack, seed, 6 if long else 1)),
    )
    for name, run in every:
        if only in name:
            yield name, run()


def say(verdict: Verdict, seconds: float) -> None:
    word = "ok" if verdict.is_clean else "FAULT"
    console.print(
        f"{word}  {verdict.fault}: {verdict.tried:,} tried, {seconds:.0f} s {' '.join(verdict.remarks)}",
        highlight=False,
    )


def draw(verdicts: list[Verdict]) -> None:
    table = Table("fault", *(name for name in COUNTS), title="What came of each fault")
    for verdict in verdicts:
        table.add_row(verdict.fault, *(f"{getattr(verdict, name):,}" for name in COUNTS))
    console.print(table)


COUNTS = ("tried", "lost", "wrong", "repeated", "backwards", "parked", "dead", "other")

if __name__ == "__main__":
    main()
