"""`ajera-cdc replay`: read a topic's messages again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.choices import route_option
from pipeline.cli.command import command, confirm
from pipeline.cli.drawing import Drawn, Group, Text
from pipeline.cli.output import Outcome, columns, say
from pipeline.cli.values import Moment, Name, Whole
from pipeline.config.settings import Settings
from pipeline.errors import UsageError
from pipeline.model.audit import Changes

if TYPE_CHECKING:
    from pipeline.operations import replay as operation


@command("replay", changes=Changes.ROUTE)
@route_option
@click.option(
    "--topic",
    type=Name("the topic"),
    required=True,
    help="Topic to read again, such as ajera.AxVec.",
)
@click.option("--partition", type=Whole(0, 2**31 - 1), help="One partition of it. Default: all.")
@click.option("--to-offset", type=Whole(0), help="Back to this offset.")
@click.option(
    "--to-time",
    type=Moment(),
    metavar="TIME",
    help="Back to this time, ISO 8601 with its zone: 2026-11-25T08:00:00-08:00.",
)
@click.option(
    "--to-beginning",
    is_flag=True,
    help="Back to the oldest message there is.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Say what would be read again, and change nothing.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def replay(
    settings: Settings,
    *,
    route: str | None,
    topic: str,
    partition: int | None,
    to_offset: int | None,
    to_time: datetime | None,
    to_beginning: bool,
    dry_run: bool,
    yes: bool,
) -> Outcome:
    """Set a stopped group back, so that its messages are read again when it starts.

    Harmless: what was applied is skipped, and no row moves backwards. It finishes work that was
    left unfinished; it does not repair rows that somebody changed in the target. The offset never
    moves forward.
    """
    from pipeline.operations import replay as operation
    from pipeline.wiring.route import route_named

    back = _back(to_offset, to_time, to_beginning=to_beginning)
    planned = operation.plan(settings, topic, partition, back, route_named(settings, route))
    data = _data(planned)
    if dry_run or not planned.again:
        return Outcome(
            data | {"done": False},
            _shown(planned, WOULD if planned.again else NOTHING),
        )
    if not yes:
        say(
            f"{planned.again:,} messages of {topic} will be read again; gone by retention: "
            f"{_lost(planned)}."
        )
    confirm(f"Set the group {planned.group} back?", yes=yes)
    operation.carry_out(settings, planned)
    return Outcome(data | {"done": True}, _shown(planned, DONE))


WOULD = "Nothing was changed. Without --dry-run, Kafka's offsets are set to these."
NOTHING = "There is nothing to read again: the group starts at these places already, or before."
DONE = (
    "The group starts there. Rows are safe: the guards skip what was applied. The offsets stored "
    "in `sync` stay, for a partition starts at the smaller of both."
)


def _back(
    to_offset: int | None, to_time: datetime | None, *, to_beginning: bool
) -> operation.ReplayFrom:
    from pipeline.operations import replay as operation

    if sum((to_offset is not None, to_time is not None, to_beginning)) != 1:
        raise UsageError("Say one of --to-offset, --to-time and --to-beginning.")
    return operation.ReplayFrom(offset=to_offset, time=to_time)


def _data(planned: operation.Replay) -> dict[str, Any]:
    return asdict(planned) | {
        "again": planned.again,
        "lost": planned.lost,
        "lost_is_exact": planned.lost_is_exact,
    }


def _shown(planned: operation.Replay, sentence: str) -> Drawn:
    table = columns(
        "topic",
        "partition",
        "from",
        "to",
        "read again",
        "gone by retention",
    )
    for step in planned.steps:
        numbers = (step.from_offset, step.to_offset, step.again)
        table.add_row(
            step.topic,
            str(step.partition),
            *(f"{number:,}" for number in numbers),
            _lost_of(step),
        )
    return Group(table, Text(sentence))


def _lost(planned: operation.Replay) -> str:
    return f"{'' if planned.lost_is_exact else 'up to '}{planned.lost:,}"


def _lost_of(step: operation.Step) -> str:
    if step.lost_from is None:
        return "0"
    offsets = f"offsets {step.lost_from:,} to {step.lost_from + step.lost - 1:,}"
    if step.lost_is_exact:
        return f"{step.lost:,}: {offsets}"
    oldest = (
        "nothing is left"
        if step.oldest is None
        else f"the oldest left is of {step.oldest:%Y-%m-%d %H:%M:%S} UTC"
    )
    return f"up to {step.lost:,} of {offsets}; {oldest}"
