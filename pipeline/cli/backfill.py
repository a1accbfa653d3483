"""`ajera-cdc backfill`: rows of one table are read from the source again, beside the stream."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli import choices
from pipeline.cli.audited import RowValue
from pipeline.cli.command import command
from pipeline.cli.output import Outcome, say
from pipeline.cli.values import Name
from pipeline.config.settings import Settings
from pipeline.errors import ExitCode
from pipeline.model.audit import Changes

if TYPE_CHECKING:
    from pipeline.connect.backfill import Backfill
    from pipeline.operations import backfill as operation

POLL_SECONDS = 1.0
QUIET_SECONDS = 60.0  # how long a connector may take to begin, before that is said


class _Group(click.Group):
    """`backfill ajera AxVec` is `backfill start ajera AxVec`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            args = ["start", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=_Group)
def backfill() -> None:
    """Read rows of one table from the source again, beside the stream.

    `ajera-cdc backfill ajera AxVec` reads a table, with --key some of its rows.
    """


SOURCE = click.argument("source", type=choices.SOURCE)


@command("start", changes=Changes.SOURCE, group=backfill)
@SOURCE
@click.argument("table", type=Name("the table"))
@click.option(
    "--key",
    "keys",
    multiple=True,
    cls=RowValue,
    help="Only the row with this key; may be repeated. Parts of a key have a bar between them.",
)
@click.option(
    "--where", cls=RowValue, help="Only rows for which this condition in the source's SQL holds."
)
@click.option("--dry-run", is_flag=True, help="Count the rows, show the signal, ask for nothing.")
@click.option("--no-wait", is_flag=True, help="Return at once; `backfill status` shows how far.")
def start(
    settings: Settings,
    *,
    source: str,
    table: str,
    keys: tuple[str, ...],
    where: str | None,
    dry_run: bool,
    no_wait: bool,
) -> Outcome:
    """Ask for a backfill of a table, and show it until every row is in Kafka.

    Consumers apply the rows as they come: a change that is newer stays, and what differs is
    written. Nothing is deleted. Ctrl-C ends the showing, not the backfill.
    """
    from pipeline.connect.backfill import BackfillState
    from pipeline.operations import backfill as operation

    if dry_run:
        found = operation.rehearse(settings, source, table, keys or None, where=where or "")
        told = f"{found.table}, {found.what}: {found.rows:,} rows would be read again."
        lines = (told, f"signal: {found.signal}", "Nothing was changed.")
        return Outcome(asdict(found), "\n".join(lines))
    asked = operation.request(settings, source, table, keys or None, where=where or "")
    say(f"asked for {asked.table}, {asked.what}: {asked.rows:,} rows, {asked.id}")
    if no_wait:
        return Outcome({"backfill": asdict(asked)}, f"{asked.id} is asked for.")
    with operation.watched(settings, source) as look:
        ended = _followed(look, asked.id)
    ok = ended.state is BackfillState.READ
    return Outcome(
        {"backfill": _told(ended)}, _line(ended), ExitCode.OK if ok else ExitCode.ENVIRONMENT
    )


@command("status", changes=Changes.NOTHING, group=backfill)
@SOURCE
def status(settings: Settings, source: str) -> Outcome:
    """The backfills that were asked for, and how far they are."""
    from pipeline.operations import backfill as operation

    found = operation.status(settings, source)
    lines = [_line(one) for one in found.backfills] or ["None was asked for."]
    if found.running:
        lines.append(found.connector)
    data = {
        "connector": found.connector,
        "running": len(found.running),
        "backfills": [_told(one) for one in found.backfills],
    }
    return Outcome(data, "\n".join(lines))


@command("stop", changes=Changes.SOURCE, group=backfill)
@SOURCE
def stop(settings: Settings, source: str) -> Outcome:
    """End the backfill that is running. Rows that were read stay applied."""
    from pipeline.operations import backfill as operation

    before = operation.stop(settings, source)
    ids = {one.requested.id for one in before.running}
    with operation.watched(settings, source) as look:
        ended = [_followed(look, one, settings.connect.timeout_seconds) for one in sorted(ids)]
    return Outcome(
        {"backfills": [_told(one) for one in ended]},
        "\n".join(_line(one) for one in ended),
        ExitCode.OK if all(one.state.is_over for one in ended) else ExitCode.ENVIRONMENT,
    )


def _followed(
    look: Callable[[], operation.BackfillStatus], number: str, most_seconds: float = math.inf
) -> Backfill:
    """Show how far it is, until it is over, or so many seconds have passed."""
    from pipeline.connect.backfill import BackfillState

    told, begun = "", time.monotonic()
    while True:
        found = look()
        (one,) = (each for each in found.backfills if each.requested.id == number)
        line = _line(one)
        if one.state is BackfillState.WAITING and time.monotonic() - begun > QUIET_SECONDS:
            line = f"{line}; {found.connector}"
        if line != told:
            told = line
            say(line)
        if one.state.is_over or time.monotonic() - begun > most_seconds:
            return one
        time.sleep(POLL_SECONDS)


def _line(one: Backfill) -> str:
    rows = "" if one.rows_read is None else f", {one.rows_read:,} of {one.requested.rows:,} rows"
    why = f" ({one.why})" if one.why else ""
    asked = one.requested
    return (
        f"{asked.id}  {asked.table}, {asked.what}: {one.state}{rows}{why};"
        f" asked for by {asked.who} at {asked.at:%Y-%m-%d %H:%M:%S} UTC"
    )


def _told(one: Backfill) -> dict[str, Any]:
    return {
        **asdict(one.requested),
        "state": str(one.state),
        "rows_read": one.rows_read,
        "changed_at": one.changed_at,
        "why": one.why,
    }
