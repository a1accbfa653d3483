"""`ajera-cdc status`: load state, event outcomes and parked rows of each route."""

from __future__ import annotations

from dataclasses import asdict

import click
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.cli.command import command
from pipeline.cli.output import Outcome
from pipeline.config.settings import Settings
from pipeline.database.state.status import ParkedRows
from pipeline.errors import ExitCode
from pipeline.model.audit import Changes
from pipeline.operations import status as operation

MAKES_KNOWN = (
    "What depends on these is not written. A row's next change in the source makes its own known, "
    "a new snapshot all: ajera-cdc connectors remove, then ajera-cdc connectors apply."
)


@command("status", changes=Changes.NOTHING)
@click.option(
    "--keys",
    default=operation.KEYS_SHOWN,
    show_default=True,
    help="How many keys of each kind of parked row.",
)
def status(settings: Settings, keys: int) -> Outcome:
    """Show load state, event outcomes and parked rows of each route.

    A service that does not answer is named; the rest is shown, and the exit code is 3.
    """
    found = operation.status(settings, keys)
    return Outcome(
        asdict(found),
        _status(found),
        ExitCode.OK if found.is_whole else ExitCode.ENVIRONMENT,
    )


def _status(found: operation.Status) -> RenderableType:
    parts: list[RenderableType] = []
    for route in found.routes:
        parts += _route(route)
    for one in found.connectors:
        line = f"connector {one.name} {one.state}, epoch {one.epoch or '-'} {one.failure}"
        parts.append(Text(line.rstrip()))
    parts += [Text(sentence, style="red") for sentence in found.unavailable]
    return Group(*parts)


def _route(found: operation.RouteStatus) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if found.group is None:
        parts.append(Text(f"{found.title}: group unknown"))
    else:
        one = found.group
        behind = f"{one.lag:,} messages behind, {one.delay_seconds:.1f} s"
        parts.append(Text(f"{found.title}: group {one.state}, {one.members} members, {behind}"))
    if found.state is not None:
        parts += _state(found.state)
    return parts


def _state(found: operation.RouteState) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if found.tables:
        parts.append(_tables(found))
    if found.links:
        parts.append(_links(found))
    if found.unknown:
        parts += [_unknown(found), Text(MAKES_KNOWN)]
    parts.append(_partitions(found))
    parts.append(_parked(found) if found.parked else Text("Nothing is parked."))
    if found.due is not None:
        parts.append(Text(f"{found.due:,} rows are being recomputed."))
    return parts


def _links(found: operation.RouteState) -> Table:
    links = Table(
        "exchange with DPS",
        "linked",
        "being created",
        "ended",
        "to be decided",
    )
    for one in found.links:
        counts = (one.linked, one.creating, one.ended, one.to_decide)
        links.add_row(one.entity, *(f"{count:,}" for count in counts))
    return links


def _tables(found: operation.RouteState) -> Table:
    table = Table("source table", "state", "epoch")
    for one in found.tables:
        table.add_row(one.name, one.state, str(one.epoch))
    return table


def _unknown(found: operation.RouteState) -> Table:
    table = Table("added column", "rows in which it is unknown", "known from epoch")
    for one in found.unknown:
        table.add_row(
            f"{one.table}.{one.column}",
            f"{one.rows:,}",
            str(one.known_epoch),
        )
    return table


def _partitions(found: operation.RouteState) -> Table:
    table = Table(
        "topic",
        "partition",
        "next offset",
        "read",
        "written",
        "skipped",
        "parked",
        "dead letters",
    )
    for one in found.partitions:
        counts = (
            one.next_offset,
            one.events_read,
            one.written,
            one.skipped,
            one.parked,
            one.dead_lettered,
        )
        table.add_row(
            one.topic,
            str(one.partition),
            *(f"{count:,}" for count in counts),
        )
    return table


def _parked(found: operation.RouteState) -> Table:
    table = Table("parked", "rows", "oldest (UTC)", "reason", "some keys", "action")
    for one in found.parked:
        reasons = one.reasons[:3] if isinstance(one, ParkedRows) else ()
        what = one.kind if isinstance(one, ParkedRows) else one.entity
        oldest = f"{one.oldest:%Y-%m-%d %H:%M}"
        reason = "\n".join((one.code, *reasons))
        table.add_row(
            what,
            f"{one.count:,}",
            oldest,
            reason,
            "\n".join(one.keys),
            one.hint,
        )
    return table
