"""`ajera-cdc link`: the exchange with DPS, as a person begins it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import Progress, TaskID

from pipeline.cli.command import command, confirm
from pipeline.cli.drawing import Drawn, Group
from pipeline.cli.output import Outcome, columns
from pipeline.cli.parked import SHOWN, further, parked_table
from pipeline.config.settings import Settings
from pipeline.model.audit import Changes

if TYPE_CHECKING:
    from pipeline.operations import link as linking


@command("link", changes=Changes.EXCHANGE)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Say what would be linked, created and parked; change nothing.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def link(settings: Settings, *, dry_run: bool, yes: bool) -> Outcome:
    """Link two filled systems for the first time: what matches is linked, what is ambiguous parked,
    the rest created.

    Rehearse it first (--dry-run). If it is killed, start it again: it continues where it stopped.
    """
    from pipeline.operations import link as linking

    if not dry_run:
        confirm("Link, and create what one side lacks?", yes=yes)
    with Progress(console=Console(stderr=True), transient=True) as shown:
        tasks: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = shown.add_task(what, total=total)
            shown.update(tasks[what], completed=done)

        found = linking.link(settings, progress, is_rehearsal=dry_run)
    return Outcome(asdict(found), _linked(found))


def _linked(found: linking.Linked) -> Drawn:
    table = columns(
        "entity",
        "linked",
        "created in Ajera",
        "created in DPS",
        "parked",
        "lines that differ",
        "DPS statuses changed by",
    )
    table.title = (
        "What would happen; nothing was changed" if found.is_rehearsal else "What happened"
    )
    for one in found.entities:
        parked = "\n".join(f"{code}: {count:,}" for code, count in sorted(one.parked.items()))
        differing = "\n".join(f"{line}: {count:,}" for line, count in sorted(one.differing.items()))
        statuses = "\n".join(
            f"{coding}: {count:,}" for coding, count in one.statuses.items() if one.linked
        )
        numbers = (one.linked, one.created_in_ajera, one.created_in_dps)
        table.add_row(
            one.entity,
            *(f"{number:,}" for number in numbers),
            parked,
            differing,
            statuses,
        )
    return Group(
        table,
        *_new_lines(found.entities),
        *_unticked(found.unticked),
        parked_table(found.parked),
    )


def _new_lines(
    entities: tuple[linking.LinkedEntity, ...],
) -> list[Drawn]:
    """Lines that were added or changed since pairs were linked, by what becomes of those pairs."""
    table = columns(
        "entity",
        "line",
        "pairs",
        "written in Ajera",
        "written in DPS",
        "kept",
        "parked",
        "wait",
        title="New lines of pairs that are linked already",
    )
    for one in entities:
        for line, counts in sorted(one.new_lines.items()):
            outcomes = ("to_ajera", "to_dps", "kept", "parked", "waits")
            numbers = (
                sum(counts.values()),
                *(counts.get(outcome, 0) for outcome in outcomes),
            )
            table.add_row(one.entity, line, *(f"{number:,}" for number in numbers))
    return [table] if table.rows else []


def _unticked(
    unticked: tuple[linking.Unticked, ...],
) -> list[Drawn]:
    """Pairs of which one row nobody set to be exchanged: it was matched by name alone."""
    if not unticked:
        return []
    table = columns(
        "entity",
        "Ajera key",
        "DPS key",
        "not ticked in",
        title="Linked by name with a row that nobody ticked",
    )
    for one in unticked[:SHOWN]:
        table.add_row(one.entity, one.ajera_key, one.dps_key, one.side)
    return [table, *further(len(unticked))]
