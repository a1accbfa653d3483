"""`ajera-cdc replay`: read a topic's messages again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

import click
from rich.table import Table

from pipeline.cli.output import Outcome, command, say
from pipeline.config import Settings
from pipeline.errors import UsageError
from pipeline.operations import replay as operation


@command("replay")
@click.option("--topic", required=True, help="Topic to read again, such as ajera.AxVec.")
@click.option("--partition", type=int, help="One partition of it. Default: all.")
@click.option("--to-offset", type=click.IntRange(min=0), help="Back to this offset.")
@click.option("--to-time", metavar="TIME", help="Back to this time, ISO 8601 with its zone: 2026-11-25T08:00:00-08:00.")
@click.option("--to-beginning", is_flag=True, help="Back to the oldest message there is.")
@click.option("--dry-run", is_flag=True, help="Say what would be read again, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def replay(
    settings: Settings,
    *,
    topic: str,
    partition: int | None,
    to_offset: int | None,
    to_time: str | None,
    to_beginning: bool,
    dry_run: bool,
    yes: bool,
) -> Outcome:
    """Set a stopped group back, so that its messages are read again when it starts.

    Harmless: a row is never moved backwards, and what was applied is skipped. It helps after a target was changed
    by hand or restored. It never goes forward.
    """
    back = _back(to_offset, to_time, to_beginning=to_beginning)
    planned = operation.plan(settings, topic, partition, back)
    data = asdict(planned) | {"again": planned.again, "lost": planned.lost, "done": False}
    if dry_run or not planned.again:
        return Outcome(data, _table(planned))
    if not yes:
        if click.get_current_context().params.get("as_json"):
            raise UsageError("--json asks nothing: add --yes, or --dry-run.")
        say(f"{planned.again:,} messages of {topic} will be read again; {planned.lost:,} are gone by retention.")
        click.confirm("Set the group back?", abort=True)
    operation.carry_out(settings, planned)
    return Outcome(data | {"done": True}, _table(planned))


def _back(to_offset: int | None, to_time: str | None, *, to_beginning: bool) -> operation.Back:
    if sum((to_offset is not None, to_time is not None, to_beginning)) != 1:
        raise UsageError("Say one of --to-offset, --to-time and --to-beginning.")
    if to_time is None:
        return operation.Back(offset=to_offset)
    try:
        time = datetime.fromisoformat(to_time)
    except ValueError as error:
        raise UsageError("--to-time is not a time in ISO 8601.") from error
    if time.tzinfo is None:
        raise UsageError("--to-time has no zone: add Z for UTC, or -08:00.")
    return operation.Back(time=time)


def _table(planned: operation.Replay) -> Table:
    table = Table("topic", "partition", "from", "to", "read again", "gone by retention")
    for step in planned.steps:
        numbers = (step.from_offset, step.to_offset, step.again, step.lost)
        table.add_row(step.topic, str(step.partition), *(f"{number:,}" for number in numbers))
    return table
