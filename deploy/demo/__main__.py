"""`make run`: the sample firm, live on the embedded stack. Ajera's tables are edited, PIM follows, a table shows how far."""

from __future__ import annotations

import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click
import psycopg
from rich.console import Console
from rich.live import Live

from deploy.demo import screen, settings
from deploy.demo.consumers import CommandFailed, Consumer, ConsumerDied, command, running
from deploy.local.install import InstallFailed
from deploy.local.processes import PartFailed
from deploy.local.stack import Stack, running_stack
from deploy.sample import databases, day, firm, oracle
from deploy.sample.naming import Naming

DEFAULT_SEED = 20_26
ONCE_SECONDS = 20.0
SETTLE_SECONDS = 120.0
EDITS_A_SECOND = {True: 20.0, False: 4.0}
QUIET_REPORT_SECONDS = 5.0

NARROWEST = 110
console = Console() if Console().is_terminal else Console(width=NARROWEST)


@dataclass
class Run:
    """One run: the two databases, the edits so far, and what the screen says."""

    stack: Stack
    naming: Naming
    ajera: psycopg.Connection
    pim: psycopg.Connection
    config: Path
    edits: Counter[str] = field(default_factory=Counter)
    state: str = ""
    ended: threading.Event = field(default_factory=threading.Event)
    fault: BaseException | None = None


@click.command()
@click.option("--consumers", default=2, show_default=True, help="How many consumers share the topics.")
@click.option("--once", is_flag=True, help="A short day, then compare every PIM row with what it should be, and end.")
@click.option("--seconds", type=float, help="End after so many seconds of edits, verified as with --once.")
@click.option("--seed", default=DEFAULT_SEED, show_default=True, help="Seed of the firm and of its day.")
@click.option(
    "--profile", type=click.Path(path_type=Path, exists=True), help="Site profile: the same firm, with other names."
)
def main(*, consumers: int, once: bool, seconds: float | None, seed: int, profile: Path | None) -> None:
    """Ajera to PIM on the embedded stack."""
    seconds = seconds if seconds is not None else ONCE_SECONDS if once else None
    say(f"Ajera to PIM with a sample firm (seed {seed}).")
    with running_stack(say) as stack, prepared(stack, seed, profile) as run:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: run.ended.set())
        with running(run.config, stack.logs, consumers) as members:
            live(run, members, seed, seconds)
            if seconds is not None:
                sys.exit(verified(run, members))
    say("Stopped; nothing is left running.")


def say(line: str) -> None:
    console.print(line, highlight=False)


@contextmanager
def prepared(stack: Stack, seed: int, profile: Path | None) -> Iterator[Run]:
    """Both databases, the firm in Ajera, our schema in PIM, and the connector running."""
    naming = Naming.load(profile) if profile is not None else Naming()
    ajera_url, pim_url = stack.create_database("ajera"), stack.create_database("pim")
    databases.create_ajera(ajera_url, naming)
    databases.create_pim(pim_url, naming)
    with databases.connect(ajera_url) as ajera, databases.connect(pim_url) as pim:
        say("Loading the sample firm into Ajera ...")
        firm.load(ajera, seed, naming)
        run = Run(stack, naming, ajera, pim, settings.write(stack, ajera_url, pim_url, profile=profile))
        say("Creating the sync schema, then the connector ...")
        command(run.config, "schema", "upgrade")
        command(run.config, "connectors", "apply")
        yield run


# -- the day ------------------------------------------------------------------------------------------------------------


def live(run: Run, members: Sequence[Consumer], seed: int, seconds: float | None) -> None:
    """Show the table until the day is over, or until Ctrl-C. The first thing it shows is PIM filling."""
    addresses = [member.address for member in members]
    editor = threading.Thread(target=people, args=(run, seed, seconds), name="day", daemon=True)
    run.state = "PIM is being filled from Ajera"
    with Live(console=console, refresh_per_second=4, transient=not console.is_terminal) as shown:
        reported = 0.0
        while not run.ended.is_set():
            for member in members:
                member.check()
            figures = screen.read(addresses)
            counts = databases.counts(run.pim, run.naming)
            shown.update(screen.draw(figures, counts, run.edits, run.state))
            if editor.ident is None and is_filled(run):
                run.state = "A working day at the firm: edits in Ajera, PIM follows"
                editor.start()
            if not console.is_terminal and time.monotonic() - reported > QUIET_REPORT_SECONDS:
                reported = time.monotonic()
                say(f"{run.state}: {sum(counts.values()):,} PIM rows, {run.edits.total():,} edits")
            run.ended.wait(0.5)
    if run.fault is not None:
        raise run.fault
    if not console.is_terminal:
        console.print(screen.draw(figures, counts, run.edits, run.state))


def is_filled(run: Run) -> bool:
    """Is every source table read to its end, and nothing left to recompute."""
    row = run.pim.execute(
        "SELECT (SELECT count(*) FROM sync.source_table WHERE epoch > 0),"
        " (SELECT count(*) FROM sync.due WHERE reason IS NULL)"
    ).fetchone()
    return row is not None and row[0] == len(databases.AJERA_TABLES) and row[1] == 0


def people(run: Run, seed: int, seconds: float | None) -> None:
    """The firm's people at work; when they stop, the day is over."""
    try:
        edit(run, seed, seconds)
    except Exception as fault:
        run.fault = fault
    finally:
        run.ended.set()


def edit(run: Run, seed: int, seconds: float | None) -> None:
    """One edit after the other, for so many seconds or until the end."""
    pace = EDITS_A_SECOND[seconds is not None]
    staff = day.Day(seed, run.naming)
    started, rng = time.monotonic(), random.Random(seed)
    with databases.connect_like(run.ajera) as connection:
        while not run.ended.is_set():
            if seconds is not None and time.monotonic() - started > seconds:
                return
            made = staff.next_edit(connection)
            run.edits[made.kind] += 1
            run.ended.wait(rng.expovariate(pace))


# -- the judge ----------------------------------------------------------------------------------------------------------


def verified(run: Run, members: Sequence[Consumer]) -> int:
    """Wait until PIM holds what the oracle says, or for two minutes; the exit code."""
    say("Comparing every PIM row with what plain SQL over Ajera says it should be ...")
    deadline = time.monotonic() + SETTLE_SECONDS
    while differences := oracle.compare(run.ajera, run.pim, run.naming):
        for member in members:
            member.check()
        if time.monotonic() > deadline:
            break
        time.sleep(0.5)
    counts = databases.counts(run.pim, run.naming)
    for difference in differences[:20]:
        say(f"[red]{difference}[/red]")
    say(
        f"{sum(counts.values()):,} PIM rows compared after {run.edits.total():,} edits: {len(differences):,} differences."
    )
    return 1 if differences else 0


if __name__ == "__main__":
    try:
        main()
    except (InstallFailed, PartFailed, CommandFailed) as fault:
        console.print(f"[red]{fault}[/red]")
        sys.exit(3)
    except ConsumerDied as fault:
        console.print(f"[red]{fault}[/red]")
        sys.exit(1)
