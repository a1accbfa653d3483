"""`make faults`: every fault, tried many times, and a table of what came of it.
Exit code 1 unless every count is 0.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping

import click
from rich.console import Console
from rich.table import Table

from deploy.local.stack import Stack, running_stack
from tests.faults import broken_assumptions as ground
from tests.faults import capture, exchange, messages, processes, services, ways
from tests.faults import dead_letters as letters
from tests.faults.verdict import Verdict

console = Console() if Console().is_terminal else Console(width=150)


Scenario = Callable[[Stack, int, bool], Iterable[Verdict]]

# Each takes the stack, the seed, and whether the long form is wanted. The broker's are last:
# they end what others need.
SCENARIOS: Mapping[str, Scenario] = {
    "killed": lambda stack, seed, long: processes.killed(stack, seed, 50) if long else (),
    "killed in turn": lambda stack, seed, long: processes.killed_in_turn(
        stack, seed, 20 if long else 1
    ),
    "captured": lambda stack, seed, long: capture.killed_while_captured(
        stack, seed, 50 if long else 3
    ),
    "drained": lambda stack, seed, long: processes.drained(stack, seed, 20 if long else 2),
    "drained without database": lambda stack, seed, _: processes.drained_without_database(
        stack, seed
    ),
    "started without database": lambda stack, seed, _: processes.started_without_database(
        stack, seed
    ),
    "members classic": lambda stack, seed, long: processes.members_come_and_go(
        stack, seed, 20 if long else 1, "classic"
    ),
    "members consumer": lambda stack, seed, long: processes.members_come_and_go(
        stack, seed, 20 if long else 1, "consumer"
    ),
    "two groups": lambda stack, seed, _: processes.two_groups(stack, seed),
    "database": lambda stack, seed, long: services.database_proxied(stack, seed, 10 if long else 1),
    "ended": lambda stack, seed, long: services.connections_ended(stack, seed, 10 if long else 1),
    "registry": lambda stack, seed, _: services.registry_sick(stack, seed),
    "registry away": lambda stack, seed, _: services.registry_away(stack, seed),
    "schema": lambda stack, seed, _: services.schema_lost(stack, seed),
    "malformed": lambda stack, seed, long: messages.malformed(
        stack, seed, 100_000 if long else 2_000
    ),
    "circuit": lambda stack, seed, _: messages.circuit_opens(stack, seed),
    "letters unwritable": lambda stack, seed, _: letters.unwritable(stack, seed),
    "letters over restarts": lambda stack, seed, _: letters.dead_over_restarts(stack, seed),
    "narrow": lambda stack, seed, _: messages.row_to_blame(stack, seed),
    "ground": lambda stack, seed, _: ground.wrong_ground(stack, seed),
    "anew": lambda stack, seed, long: ground.topics_made_anew(stack, seed, 10 if long else 1),
    "restored": lambda stack, seed, _: ground.pim_restored(stack, seed),
    "exchange": lambda stack, seed, long: exchange.exchange(stack, seed, 30 if long else 3),
    "memory": lambda stack, seed, long: messages.memory(stack, seed, 1_000_000 if long else 50_000),
    "transaction": lambda stack, _, long: capture.one_transaction(
        stack, 200_000 if long else 2_000
    ),
    "drained without broker": lambda stack, seed, _: processes.drained_without_broker(stack, seed),
    "broker": lambda stack, seed, long: services.broker_restarted(stack, seed, 6 if long else 1),
}
HEADINGS = {
    "parked": "parked by mistake",
    "dead": "dead-lettered by mistake",
}
COUNTS = (
    "tried",
    "lost",
    "wrong",
    "repeated",
    "backwards",
    "parked",
    "dead",
    "other",
)


@click.command()
@click.option("--long/--short", default=True, help="How often each fault is tried.")
@click.option("--only", default="", help="Only scenarios whose name holds this.")
@click.option("--seed", default=1, show_default=True)
def main(*, long: bool, only: str, seed: int) -> None:
    """Print a table of faults: tried, lost, wrong, repeated, backwards,
    parked or dead-lettered by mistake.
    """
    console.print(f"seed {seed}, {'long' if long else 'short'} form")
    verdicts: list[Verdict] = []
    with running_stack(console.print) as stack:
        for name, scenario in SCENARIOS.items():
            if only in name:
                verdicts += said(name, scenario(stack, seed, long))
    draw(verdicts)
    sys.exit(0 if verdicts and all(verdict.is_clean for verdict in verdicts) else 1)


def said(name: str, found: Iterable[Verdict]) -> list[Verdict]:
    """The verdicts of one scenario, each said as it comes; one that breaks off is a verdict too."""
    verdicts: list[Verdict] = []
    started = time.monotonic()
    try:
        for verdict in found:
            verdicts.append(verdict)
            say(verdict, time.monotonic() - started)
            started = time.monotonic()
    except Exception as error:
        verdicts.append(Verdict(name, other=1, remarks=[f"{type(error).__name__}: {error}"]))
        say(verdicts[-1], time.monotonic() - started)
    return verdicts


def say(verdict: Verdict, seconds: float) -> None:
    word = "ok" if verdict.is_clean else "FAULT"
    console.print(
        (
            f"{word}  {verdict.fault}: {verdict.tried:,} tried, {seconds:.0f} s "
            f"{' '.join(verdict.remarks)}"
            + (f" ({ways.told(verdict.ways)})" if verdict.ways else "")
        ),
        highlight=False,
    )


def draw(verdicts: list[Verdict]) -> None:
    table = Table(
        "fault",
        *(HEADINGS.get(name, name) for name in COUNTS),
        title="What came of each fault",
    )
    for verdict in verdicts:
        table.add_row(
            verdict.fault,
            *(f"{getattr(verdict, name):,}" for name in COUNTS),
        )
    console.print(table)


if __name__ == "__main__":
    main()
