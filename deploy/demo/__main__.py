"""`make run`: the sample firm, live on the embedded stack. People edit Ajera and DPS; PIM follows,
and the two keep each other up to date.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import click
from rich.console import Console, RenderableType
from rich.live import Live

from deploy.demo import compact, screen
from deploy.demo.collisions import NotDecided
from deploy.demo.consumers import (
    EXCHANGE,
    TO_PIM,
    CommandFailed,
    Consumer,
    ConsumerDied,
    running,
)
from deploy.demo.firm import prepared
from deploy.demo.lags import Lags, watched
from deploy.demo.people import NeverFilled, People, Run
from deploy.demo.verdict import verified
from deploy.local.install import InstallFailed
from deploy.local.processes import PartFailed
from deploy.local.stack import running_stack
from deploy.sample import databases

DEFAULT_SEED = 20_26
ONCE_SECONDS = 20.0
QUIET_REPORT_SECONDS = 5.0

NARROWEST, LOWEST = 100, 50  # columns and lines that the whole screen takes
console = Console() if Console().is_terminal else Console(width=NARROWEST)


@click.command()
@click.option(
    "--consumers",
    default=2,
    show_default=True,
    help="How many consumers of each route share its topics.",
)
@click.option(
    "--once",
    is_flag=True,
    help="A short day, then verify PIM, and that Ajera and DPS agree, and end.",
)
@click.option(
    "--seconds",
    type=float,
    help="End after so many seconds of edits, verified as with --once.",
)
@click.option(
    "--seed",
    default=DEFAULT_SEED,
    show_default=True,
    help="Seed of the firm and of its day.",
)
@click.option(
    "--profile",
    type=click.Path(path_type=Path, exists=True),
    help="Site profile: the same firm, with other names.",
)
def main(
    *,
    consumers: int,
    once: bool,
    seconds: float | None,
    seed: int,
    profile: Path | None,
) -> None:
    """Ajera to PIM, and Ajera <-> DPS, on the embedded stack."""
    seconds = seconds if seconds is not None else ONCE_SECONDS if once else None
    say(f"Ajera to PIM, and Ajera <-> DPS, with a sample firm (seed {seed}).")
    with (
        running_stack(say) as stack,
        prepared(stack, seed, profile, say) as run,
        ExitStack() as resources,
    ):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: run.ended.set())
        members = {
            route: resources.enter_context(running(run.config, stack.logs, consumers, route))
            for route in (TO_PIM, EXCHANGE)
        }
        lags = resources.enter_context(watched(run.config))
        live(run, members[TO_PIM], members[EXCHANGE], lags, People(run, seed, seconds))
        say("Stopping consumers, connectors and the stack ...")
        if seconds is not None:
            sys.exit(verified(run, [*members[TO_PIM], *members[EXCHANGE]], say))
    say("Stopped; nothing is left running.")


def say(line: str) -> None:
    console.print(line, highlight=False)


def live(
    run: Run,
    to_pim: Sequence[Consumer],
    exchange: Sequence[Consumer],
    lags: Lags,
    people: People,
) -> None:
    """Show the tables until the day is over, or until Ctrl-C.
    The first thing they show is how PIM and the pairs fill.
    """
    threading.Thread(target=people.work, name="people", daemon=True).start()
    with Live(
        console=console,
        refresh_per_second=4,
        transient=not console.is_terminal,
    ) as shown:
        reported = time.monotonic()
        while not run.ended.is_set():
            for member in (*to_pim, *exchange):
                member.check()
            now = looked(run, to_pim, exchange, lags)
            shown.update(drawn(now))
            if not console.is_terminal and time.monotonic() - reported > QUIET_REPORT_SECONDS:
                reported = time.monotonic()
                pairs = sum(now.pairs.values())
                say(
                    f"{run.state}: {sum(now.pim.values()):,} PIM rows, {pairs:,} pairs, "
                    f"{run.edits.total():,} edits"
                )
            run.ended.wait(0.5)
    if run.fault is not None:
        raise run.fault
    if not console.is_terminal:
        console.print(screen.draw(looked(run, to_pim, exchange, lags)))


def shortened(path: Path) -> str:
    """As it is typed from here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def drawn(now: screen.Shown) -> RenderableType:
    """As much as the terminal has room for."""
    has_room = console.width >= NARROWEST and (not console.is_terminal or console.height >= LOWEST)
    return screen.draw(now) if has_room else compact.draw(now)


def looked(
    run: Run, to_pim: Sequence[Consumer], exchange: Sequence[Consumer], lags: Lags
) -> screen.Shown:
    """What there is to see now."""
    figures = {
        route: screen.read([member.address for member in members])
        for route, members in ((TO_PIM, to_pim), (EXCHANGE, exchange))
    }
    if run.is_day and not run.delays_before:
        run.delays_before = {route: found.delay_buckets for route, found in figures.items()}
    return screen.Shown(
        state=run.state,
        pim=databases.counts(run.pim, run.naming),
        dps=screen.rows(run.dps, run.naming),
        pairs=screen.pairs(run.dps),
        kept=screen.kept(run.dps),
        to_pim=figures[TO_PIM].since(run.delays_before.get(TO_PIM)),
        exchange=figures[EXCHANGE].since(run.delays_before.get(EXCHANGE)),
        edits={"Ajera": run.edits["Ajera"], "DPS": run.edits["DPS"]},
        story=list(run.story),
        lags=lags.now(),
        wrong=sorted({line for one in (*to_pim, *exchange) for line in one.waits_for()}),
        places=(
            f"settings {shortened(run.config)}",
            f"logs     {shortened(run.config.parent / 'logs')}",
            f"metrics  {to_pim[0].address}/metrics, {exchange[0].address}/metrics",
        )
        if to_pim and exchange
        else (),
    )


if __name__ == "__main__":
    try:
        main()
    except (InstallFailed, PartFailed, CommandFailed) as fault:
        console.print(f"[red]{fault}[/red]")
        sys.exit(3)
    except (ConsumerDied, NeverFilled, NotDecided) as fault:
        console.print(f"[red]{fault}[/red]")
        sys.exit(1)
