"""`ajera-cdc status`, `lag` and `check`: how the route stands."""

from __future__ import annotations

from dataclasses import asdict

import click
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.cli.output import Outcome, command
from pipeline.config import Settings
from pipeline.errors import ExitCode
from pipeline.operations import check as checking
from pipeline.operations import lag as lagging
from pipeline.operations import status as standing


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
        group = found.group
        parts.append(
            Text(
                f"group {group.state}, {group.members} members, {group.lag:,} messages behind, {group.delay_seconds:.1f} s"
            )
        )
    if found.connector is not None:
        connector = found.connector
        parts.append(
            Text(f"connector {connector.name} {connector.state}, epoch {connector.epoch or '-'} {connector.failure}")
        )
    tables = Table("source table", "state", "epoch")
    for one in found.tables:
        tables.add_row(one.name, one.state, str(one.epoch))
    progress = Table("topic", "partition", "next offset", "read", "written", "skipped", "parked", "dead letters")
    for place in found.partitions:
        counts = (place.events_read, place.written, place.skipped, place.parked, place.dead_lettered)
        progress.add_row(
            place.topic, str(place.partition), f"{place.next_offset:,}", *(f"{count:,}" for count in counts)
        )
    parked = Table("waits", "rows", "oldest", "for", "some keys", "what to do")
    for rows in found.parked:
        reasons = "\n".join((rows.code, *rows.reasons[:3]))
        parked.add_row(
            rows.kind, f"{rows.count:,}", f"{rows.oldest:%Y-%m-%d %H:%M}", reasons, " ".join(rows.keys), rows.hint
        )
    parts += [tables, progress, parked if found.parked else Text("Nothing is parked.")]
    parts.append(Text(f"{found.due:,} rows are being recomputed."))
    parts += [Text(sentence, style="red") for sentence in found.away]
    return Group(*parts)


@command("lag")
def lag(settings: Settings) -> Outcome:
    """Messages and seconds that each partition is behind.

    Seconds are the age of the oldest message that was not applied yet; 0 when caught up.
    """
    found = lagging.lag(settings)
    table = Table("topic", "partition", "next offset", "end", "messages", "seconds", "member", title_justify="left")
    table.title = (
        f"{found.group}: {found.state}, {found.members} members, {found.lag:,} messages, {found.delay_seconds:.1f} s"
    )
    for one in found.partitions:
        at = "-" if one.next_offset is None else f"{one.next_offset:,}"
        table.add_row(
            *(
                one.topic,
                str(one.partition),
                at,
                f"{one.end:,}",
                f"{one.lag:,}",
                f"{one.delay_seconds:.1f}",
                one.member or "-",
            )
        )
    return Outcome(asdict(found), table)


@command("check")
def check(settings: Settings) -> Outcome:
    """Reach everything once, compare the live source with the contract, and say what to grant or set.

    Exit code 3 unless everything is as it should be.
    """
    found = checking.check(settings)
    table = Table("", "where", "what", "found", "what to do")
    for line in found.lines:
        table.add_row("ok" if line.well else "FAULT", line.area, line.name, line.found, line.todo)
    return Outcome(asdict(found), table, found.exit_code)
