"""`ajera-cdc conflicts`: the exchange with DPS, as a person decides in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Literal

import click

from pipeline.cli.audited import RowValue
from pipeline.cli.command import command
from pipeline.cli.drawing import Columns, Group, Text
from pipeline.cli.output import Outcome, columns
from pipeline.cli.parked import parked_table
from pipeline.cli.values import Name, Whole
from pipeline.config.settings import Settings
from pipeline.conflicts.rules import Side
from pipeline.errors import UsageError
from pipeline.model.audit import Changes

if TYPE_CHECKING:
    from pipeline.database.rehearsal import ColumnChange
    from pipeline.operations import conflicts as deciding

DRY_RUN = click.option(
    "--dry-run", is_flag=True, help="Show what would be written, and change nothing."
)


@click.group()
def conflicts() -> None:
    """Show what met what in the exchange with DPS, and decide what is parked."""


@command("list", changes=Changes.NOTHING, group=conflicts)
@click.option(
    "--limit", type=Whole(1, 10_000), default=50, show_default=True, help="How many of each."
)
def show_all(settings: Settings, limit: int) -> Outcome:
    """Lines that a person must decide, rows that wait for something,
    and the newest entries of the log.
    """
    from pipeline.operations import conflicts as deciding

    found = deciding.conflicts(settings, limit)
    return Outcome(
        asdict(found),
        Group(
            _to_decide(found.parked),
            parked_table(found.waiting),
            _log(found.log),
        ),
    )


def _to_decide(parked: Sequence[deciding.ParkedLine]) -> Columns:
    headings = (
        "link",
        "entity",
        "line",
        "Ajera key",
        "DPS key",
        "since (UTC)",
        "why",
    )
    table = columns(*headings, title="To be decided")
    for one in parked:
        since = f"{one.since:%Y-%m-%d %H:%M}"
        keys = (one.ajera_key, one.dps_key)
        table.add_row(one.link, one.entity, one.line, *keys, since, one.reason)
    return table


def _log(entries: Sequence[deciding.Entry]) -> Columns:
    headings = (
        "number",
        "at (UTC)",
        "entity",
        "line",
        "kind",
        "rule",
        "winner",
    )
    table = columns(*headings, "Ajera key", "DPS key", title="Log")
    for one in entries:
        words = (
            one.entity,
            one.line or "-",
            one.kind,
            one.rule or "-",
            one.winner or "-",
        )
        at = f"{one.at:%Y-%m-%d %H:%M:%S}"
        table.add_row(str(one.number), at, *words, one.ajera_key, one.dps_key)
    return table


@command("show", changes=Changes.NOTHING, group=conflicts)
@click.argument("number", type=Whole(1))
def show(settings: Settings, number: int) -> Outcome:
    """One entry of the log, with both values and when they were typed."""
    from pipeline.operations import conflicts as deciding

    found = deciding.entry(settings, number)
    table = columns(
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


@command("resolve", changes=Changes.EXCHANGE, group=conflicts)
@click.argument("link_id", metavar="LINK", type=Name("the link"))
@click.argument("line", type=Name("the line"))
@click.option(
    "--take",
    type=click.Choice(["ajera", "dps"]),
    help="Let this side's value win.",
)
@click.option(
    "--value",
    cls=RowValue,
    help="A value instead, as the side named by --as would store it.",
)
@click.option(
    "--as",
    "stored_by",
    type=click.Choice(["ajera", "dps"]),
    default="ajera",
    show_default=True,
)
@DRY_RUN
def resolve(
    settings: Settings,
    link_id: str,
    line: str,
    take: Literal["ajera", "dps"] | None,
    value: str | None,
    stored_by: Literal["ajera", "dps"],
    *,
    dry_run: bool,
) -> Outcome:
    """Decide a parked line by a side or by a value.
    The decision flows to both sides as any edit does.
    """
    from pipeline.operations import conflicts as deciding

    if (take is None) == (value is None):
        raise UsageError("give either --take or --value")
    changes = deciding.resolve(
        settings, link_id, line, Side(take or stored_by), value, is_rehearsal=dry_run
    )
    if dry_run:
        return _rehearsal(changes)
    return Outcome({"link": link_id, "line": line}, "decided")


@command("reverse", changes=Changes.EXCHANGE, group=conflicts)
@click.argument("number", type=Whole(1))
@DRY_RUN
def reverse(settings: Settings, number: int, *, dry_run: bool) -> Outcome:
    """Let the loser of a decided conflict win after all.
    It flows to both sides as any edit does.
    """
    from pipeline.operations import conflicts as deciding

    changes = deciding.reverse(settings, number, is_rehearsal=dry_run)
    return _rehearsal(changes) if dry_run else Outcome({"number": number}, "reversed")


def _rehearsal(changes: Sequence[ColumnChange]) -> Outcome:
    table = columns("side", "table", "key", "column", "now", "then")
    for one in changes:
        values = (_text(one.before), _text(one.after))
        table.add_row(one.side, one.table, one.key, one.column, *values)
    told = Group(table, Text("Nothing was changed."))
    return Outcome({"changes": [asdict(one) for one in changes]}, told)
