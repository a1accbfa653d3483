"""`ajera-cdc status`, `lag` and `check`: how the route stands."""

from __future__ import annotations

from dataclasses import asdict

import click
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.cli.output import Outcome, command, route_option
from pipeline.config import Settings
from pipeline.errors import ExitCode
from pipeline.operations import check as checking
from pipeline.operations import lag as lagging
from pipeline.operations import status as standing
from pipeline.operations.sources import RouteName


@command("status")
@click.option(
    "--keys", default=standing.KEYS_SHOWN, show_default=True, help="How many keys of each kind of parked row."
)
def status(settings: Settings, keys: int) -> Outcome:
    """What is loaded, how events ended, what waits and for what.

    A service that does not answer is named; the rest is shown, and the exit code is 3.
    """
    found = standing.status(settings, keys)
    return Outcome(asdict(found), _status(found), ExitCode.OK if found.is_whole else ExitCode.ENVIRONMENT)


def _status(found: standing.Status) -> RenderableType:
    parts: list[RenderableType] = []
    if found.group is not None:
        one = found.group
        behind = f"{one.lag:,} messages behind, {one.delay_seconds:.1f} s"
        parts.append(Text(f"group {one.state}, {one.members} members, {behind}"))
    if found.connector is not None:
        here = found.connector
        parts.append(Text(f"connector {here.name} {here.state}, epoch {here.epoch or '-'} {here.failure}".rstrip()))
    if found.due is not None:
        parts += [_tables(found), _partitions(found), _parked(found) if found.parked else Text("Nothing is parked.")]
        parts.append(Text(f"{found.due:,} rows are being recomputed."))
    if found.exchange is not None:
        parts += _exchange(found.exchange)
    parts += [Text(sentence, style="red") for sentence in found.away]
    return Group(*parts)


def _exchange(found: standing.ExchangeStanding) -> list[RenderableType]:
    links = Table("exchange with DPS", "linked", "being created", "ended", "to be decided")
    for one in found.links:
        counts = (one.linked, one.creating, one.ended, one.to_decide)
        links.add_row(one.entity, *(f"{count:,}" for count in counts))
    parts: list[RenderableType] = [links]
    if found.group is not None:
        here = found.group
        behind = f"{here.lag:,} messages behind, {here.delay_seconds:.1f} s"
        parts.append(Text(f"exchange group {here.state}, {here.members} members, {behind}"))
    if found.connector is not None:
        of = found.connector
        parts.append(Text(f"connector {of.name} {of.state}, epoch {of.epoch or '-'} {of.failure}".rstrip()))
    if found.parked:
        waits = Table("waits", "rows", "oldest (UTC)", "why", "some keys", "what to do")
        for work in found.parked:
            oldest = f"{work.oldest:%Y-%m-%d %H:%M}"
            waits.add_row(work.entity, f"{work.count:,}", oldest, work.code, "\n".join(work.keys), work.hint)
        parts.append(waits)
    return parts


def _tables(found: standing.Status) -> Table:
    table = Table("source table", "state", "epoch")
    for one in found.tables:
        table.add_row(one.name, one.state, str(one.epoch))
    return table


def _partitions(found: standing.Status) -> Table:
    table = Table("topic", "partition", "next offset", "read", "written", "skipped", "parked", "dead letters")
    for one in found.partitions:
        counts = (one.next_offset, one.events_read, one.written, one.skipped, one.parked, one.dead_lettered)
        table.add_row(one.topic, str(one.partition), *(f"{count:,}" for count in counts))
    return table


def _parked(found: standing.Status) -> Table:
    table = Table("waits", "rows", "oldest (UTC)", "for", "some keys", "what to do")
    for one in found.parked:
        reasons = "\n".join((one.code, *one.reasons[:3]))
        oldest = f"{one.oldest:%Y-%m-%d %H:%M}"
        table.add_row(one.kind, f"{one.count:,}", oldest, reasons, " ".join(one.keys), one.hint)
    return table


@command("lag")
@route_option
def lag(settings: Settings, route: RouteName) -> Outcome:
    """Messages and seconds that each partition is behind.

    Seconds are the age of the oldest message that was not applied yet; 0 when caught up.
    """
    found = lagging.lag(settings, route)
    table = Table("topic", "partition", "next offset", "end", "messages", "seconds", "member", title_justify="left")
    total = f"{found.lag:,} messages, {found.delay_seconds:.1f} s"
    table.title = f"{found.group}: {found.state}, {found.members} members, {total}"
    for one in found.partitions:
        at = "-" if one.next_offset is None else f"{one.next_offset:,}"
        numbers = (at, f"{one.end:,}", f"{one.lag:,}", f"{one.delay_seconds:.1f}")
        table.add_row(one.topic, str(one.partition), *numbers, one.member or "-")
    return Outcome(asdict(found), table)


@command("check")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(list(checking.AREAS), case_sensitive=False),
    help="Look at this alone; may be given several times.",
)
def check(settings: Settings, only: tuple[str, ...]) -> Outcome:
    """Reach everything once, compare the live source with the contract, and say what to grant or set.

    Exit code 3 unless everything is as it should be.
    """
    found = checking.check(settings, only)
    table = Table("", "where", "what", "found", "what to do")
    for line in found.lines:
        table.add_row("ok" if line.well else "FAULT", line.area, line.name, line.found, line.todo)
    return Outcome(asdict(found), table, found.exit_code)
