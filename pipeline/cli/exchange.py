"""`ajera-cdc link` and `conflicts`: the exchange with DPS, as a person begins it and decides in it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

import click
from rich.console import Console, Group, RenderableType
from rich.progress import Progress, TaskID
from rich.table import Table
from rich.text import Text

from pipeline.cli.output import Outcome, command, confirm
from pipeline.config.settings import Settings
from pipeline.conflicts.rules import Side
from pipeline.errors import UsageError
from pipeline.operations import conflicts as deciding
from pipeline.operations import link as linking
from pipeline.pairing.entity import ParkedWork

SHOWN = 20


@command("link")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Say what would be linked, created and parked; change nothing.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def link(settings: Settings, *, dry_run: bool, yes: bool) -> Outcome:
    """Link two filled systems for the first time: what matches is linked, what is ambiguous parked,
    the rest created.

    Rehearse it first (--dry-run). Killed and begun again it goes on where it stopped.
    """
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


def _linked(found: linking.Linked) -> RenderableType:
    table = Table(
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
    return Group(table, *_unticked(found.unticked), _waiting(found.parked))


def _unticked(
    unticked: tuple[linking.Unticked, ...],
) -> list[RenderableType]:
    """Pairs of which one row was set to be exchanged by nobody: only the name took it."""
    if not unticked:
        return []
    table = Table(
        "entity",
        "Ajera key",
        "DPS key",
        "not ticked in",
        title="Linked by name with a row that nobody ticked",
    )
    for one in unticked[:SHOWN]:
        table.add_row(one.entity, one.ajera_key, one.dps_key, one.side)
    return [table, *_more(len(unticked))]


def _more(count: int) -> list[RenderableType]:
    return [Text(f"and {count - SHOWN:,} more: --json shows all.")] if count > SHOWN else []


def _waiting(parked: tuple[ParkedWork, ...]) -> RenderableType:
    if not parked:
        return Text("Nothing is parked.")
    table = Table("parked", "side", "key", "why", "what to do")
    for one in parked[:SHOWN]:
        table.add_row(one.entity, one.side, one.key, one.code, one.hint)
    return Group(table, *_more(len(parked)))


@click.group()
def conflicts() -> None:
    """Show what met what in the exchange with DPS, and decide what is parked."""


@command("list", group=conflicts)
@click.option("--limit", default=50, show_default=True, help="How many of each.")
def show_all(settings: Settings, limit: int) -> Outcome:
    """Lines that a person must decide, rows that wait for something,
    and the newest entries of the log.
    """
    found = deciding.conflicts(settings, limit)
    lines = Table(
        "link",
        "entity",
        "line",
        "Ajera key",
        "DPS key",
        "since (UTC)",
        "why",
        title="To be decided",
    )
    for one in found.parked:
        since = f"{one.since:%Y-%m-%d %H:%M}"
        lines.add_row(
            one.link,
            one.entity,
            one.line,
            one.ajera_key,
            one.dps_key,
            since,
            one.reason,
        )
    log = Table(
        "number",
        "at (UTC)",
        "entity",
        "line",
        "kind",
        "rule",
        "winner",
        "Ajera key",
        "DPS key",
        title="Log",
    )
    for entry in found.log:
        words = (
            entry.entity,
            entry.line or "-",
            entry.kind,
            entry.rule or "-",
            entry.winner or "-",
        )
        log.add_row(
            str(entry.number),
            f"{entry.at:%Y-%m-%d %H:%M:%S}",
            *words,
            entry.ajera_key,
            entry.dps_key,
        )
    return Outcome(asdict(found), Group(lines, _waiting(found.waiting), log))


@command("show", group=conflicts)
@click.argument("number", type=int)
def show(settings: Settings, number: int) -> Outcome:
    """One entry of the log, with both values and when they were typed."""
    found = deciding.entry(settings, number)
    table = Table(
        "",
        "Ajera",
        "DPS",
        title=f"{found.number}: {found.kind} in {found.entity}.{found.line or '(row)'}",
    )
    table.add_row("key", found.ajera_key, found.dps_key)
    table.add_row("value", _text(found.ajera), _text(found.dps))
    table.add_row("typed at", _text(found.ajera_at), _text(found.dps_at))
    decided = f"rule {found.rule or '-'}, winner {found.winner or 'nobody yet'}, link {found.link}"
    return Outcome(asdict(found), Group(table, Text(decided)))


def _text(value: object) -> str:
    return "-" if value is None else str(value)


@command("resolve", group=conflicts)
@click.argument("link_id", metavar="LINK")
@click.argument("line")
@click.option(
    "--take",
    type=click.Choice(["ajera", "dps"]),
    help="Let this side's value win.",
)
@click.option(
    "--value",
    help="A value instead, as the side named by --as would store it.",
)
@click.option(
    "--as",
    "stored_by",
    type=click.Choice(["ajera", "dps"]),
    default="ajera",
    show_default=True,
)
def resolve(
    settings: Settings,
    link_id: str,
    line: str,
    take: Literal["ajera", "dps"] | None,
    value: str | None,
    stored_by: Literal["ajera", "dps"],
) -> Outcome:
    """Decide a parked line by a side or by a value.
    The decision flows to both sides as any edit does.
    """
    if (take is None) == (value is None):
        raise UsageError("give either --take or --value")
    deciding.resolve(settings, link_id, line, Side(take or stored_by), value)
    return Outcome({"link": link_id, "line": line}, "decided")


@command("reverse", group=conflicts)
@click.argument("number", type=int)
def reverse(settings: Settings, number: int) -> Outcome:
    """Let the loser of a decided conflict win after all. It flows to both sides as any edit does."""
    deciding.reverse(settings, number)
    return Outcome({"number": number}, "reversed")
