"""`make run`: the sample firm, live on the embedded stack. People edit Ajera and DPS; PIM follows,
the two keep each other up to date, and DPS shows what Ajera's books say.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import click
from rich.console import Console, RenderableType
from rich.live import Live

from deploy.demo import compact, screen
from deploy.demo.collisions import NotDecided
from deploy.demo.consumers import (
    ACCOUNTING,
    EXCHANGE,
    ROUTES,
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
from deploy.starting import called

DEFAULT_SEED = 20_26
ONCE_SECONDS = 20.0
QUIET_REPORT_SECONDS = 5.0

Members = Mapping[str, Sequence[Consumer]]  # by route

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
    help="A short day, then verify PIM, the accounts, and that Ajera and DPS agree, and end.",
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
    """Ajera to PIM, Ajera <-> DPS, and Ajera's books in DPS, on the embedded stack."""
    seconds = seconds if seconds is not None else ONCE_SECONDS if once else None
    say(f"Ajera to PIM, Ajera <-> DPS, and Ajera's books in DPS; a sample firm (seed {seed}).")
    with (
        running_stack(say) as stack,
        prepared(stack, seed, profile, say) as run,
        ExitStack() as resources,
    ):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: run.ended.set())
        members = {
            route: resources.enter_context(running(run.config, stack.logs, consumers, route))
            for route in ROUTES
        }
        lags = resources.enter_context(watched(run.config))
        live(run, members, lags, People(run, seed, seconds))
        say("Stopping consumers, connectors and the stack ...")
        if seconds is not None:
            sys.exit(verified(run, every(members), say))
    say("Stopped; nothing is left running.")


def say(line: str) -> None:
    console.print(line, highlight=False)


def every(members: Members) -> list[Consumer]:
    """Of all routes."""
    return [one for of_route in members.values() for one in of_route]


def live(run: Run, members: Members, lags: Lags, people: People) -> None:
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
            for member in every(members):
                member.check()
            is_quiet = not console.is_terminal
            begins = run.is_day and not run.delays_before
            if is_quiet and not begins and time.monotonic() - reported < QUIET_REPORT_SECONDS:
                run.ended.wait(0.5)  # nobody looks: what the screen costs, the people have
                continue
            now = looked(run, members, lags)
            shown.update(drawn(now))
            if is_quiet:
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
        console.print(screen.draw(looked(run, members, lags)))


def shortened(path: Path) -> str:
    """As it is typed from here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def drawn(now: screen.Shown) -> RenderableType:
    """As much as the terminal has room for."""
    has_room = console.width >= NARROWEST and (not console.is_terminal or console.height >= LOWEST)
    return screen.draw(now) if has_room else compact.draw(now)


def looked(run: Run, members: Members, lags: Lags) -> screen.Shown:
    """What there is to see now."""
    figures = {
        route: screen.read([member.address for member in of_route])
        for route, of_route in members.items()
    }
    if run.is_day and not run.delays_before:
        run.delays_before = {route: found.delay_buckets for route, found in figures.items()}
    return screen.Shown(
        state=run.state,
        pim=databases.counts(run.pim, run.naming),
        dps=screen.rows(run.dps, run.naming),
        pairs=screen.pairs(run.dps),
        kept=screen.kept(run.dps),
        accounts=screen.accounts(run.dps, run.naming),
        to_pim=figures[TO_PIM].since(run.delays_before.get(TO_PIM)),
        exchange=figures[EXCHANGE].since(run.delays_before.get(EXCHANGE)),
        accounting=figures[ACCOUNTING].since(run.delays_before.get(ACCOUNTING)),
        edits={"Ajera": run.edits["Ajera"], "DPS": run.edits["DPS"]},
        story=list(run.story),
        lags=lags.now(),
        wrong=sorted({line for one in every(members) for line in one.waits_for()}),
        places=(
            f"settings {shortened(run.config)}",
            f"logs     {shortened(run.config.parent / 'logs')}",
            "metrics  http://127.0.0.1:PORT/metrics",
            "         PORT "
            + ", ".join(f"{of_route[0].port} ({name})" for name, of_route in members.items()),
        )
        if all(members.values())
        else (),
    )


def run_command() -> None:
    """The program. Raises SystemExit, KeyboardInterrupt."""
    try:
        called(main)
    except (InstallFailed, PartFailed, CommandFailed) as fault:
        console.print(f"[red]{fault}[/red]")
        sys.exit(3)
    except (ConsumerDied, NeverFilled, NotDecided) as fault:
        console.print(f"[red]{fault}[/red]")
        sys.exit(1)
