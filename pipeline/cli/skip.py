"""`ajera-cdc skip`: let a halted partition continue without messages that cannot be applied."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipeline.cli.choices import route_option
from pipeline.cli.command import command, confirm
from pipeline.cli.drawing import Drawn, Group, Text
from pipeline.cli.output import Outcome, columns, say
from pipeline.cli.values import Name, Whole
from pipeline.config.settings import Settings
from pipeline.errors import UsageError
from pipeline.model.audit import Changes
from pipeline.model.position import TopicPartition

if TYPE_CHECKING:
    from pipeline.operations import skip as operation
    from pipeline.wiring.route import RouteHandle

OFFSETS = re.compile(r"(\d+)(\.\.(\d*))?")


@command("skip", changes=Changes.ROUTE)
@route_option
@click.argument("topic", type=Name("the topic"))
@click.argument("partition", type=Whole(0))
@click.argument("offsets", type=Name("the range of offsets"))
@click.option(
    "--forget",
    is_flag=True,
    help="The rows of messages that were skipped are right: they need no backfill any more.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def skip(
    settings: Settings,
    *,
    route: str | None,
    topic: str,
    partition: int,
    offsets: str,
    forget: bool,
    dry_run: bool,
    yes: bool,
) -> Outcome:
    """Let a partition continue without messages that cannot be applied.

    OFFSETS is one offset, a range (41..60), or an offset and two dots (41..): up to the last
    message that cannot be decoded now. A message of the range that can be applied is applied.

    A running consumer honours it within seconds. Each message that it skips is counted, and its
    row recorded for a backfill, whose command is printed. `status` shows it until the row has come
    again; of a row that never will (it was deleted in the source, say), --forget ends that.
    """
    from pipeline.operations import skip as operation
    from pipeline.wiring.route import route_named

    handle = route_named(settings, route)
    if forget:
        tp = TopicPartition(topic, partition)
        return _forget(settings, handle, tp, offsets, dry_run=dry_run, yes=yes)
    planned = operation.plan(settings, handle, topic, partition, offsets_of(offsets))
    data = asdict(planned) | {"backfill": planned.backfill}
    if dry_run or not (planned.undecodable or planned.gone or planned.messages):
        return Outcome(data | {"done": False}, _shown(planned, WOULD))
    if not yes:
        say(f"{planned.topic} partition {planned.partition}: {_what(planned)}.")
    confirm("Let the consumers skip them?", yes=yes)
    operation.carry_out(settings, handle, planned)
    return Outcome(data | {"done": True}, _shown(planned, DONE))


def _forget(
    settings: Settings,
    handle: RouteHandle,
    tp: TopicPartition,
    offsets: str,
    *,
    dry_run: bool,
    yes: bool,
) -> Outcome:
    from pipeline.operations import skip as operation

    found = operation.noted(settings, handle, tp, offsets_of(offsets))
    data = {
        "topic": tp.topic,
        "partition": tp.partition,
        "offsets": [one.offset for one in found],
    }
    where = f"{len(found):,} skipped messages of {tp.topic} partition {tp.partition}"
    if dry_run or not found:
        return Outcome(data | {"done": False}, f"{where} are marked for a backfill. {WOULD}")
    if not yes:
        say(f"{where} are marked for a backfill.")
    confirm("Are their rows right in the target?", yes=yes)
    operation.forget(settings, handle, found)
    return Outcome(data | {"done": True}, f"{where} are forgotten.")


WOULD = "Nothing was changed."
DONE = (
    "A running consumer skips them within seconds, else the next one that starts: "
    "`ajera-cdc status` shows it. Once it has, bring their rows again:"
)


def offsets_of(text: str) -> operation.Offsets:
    """What was typed. Raises UsageError."""
    from pipeline.operations import skip as operation

    found = OFFSETS.fullmatch(text)
    if found is None:
        raise UsageError(f"{text} is no offset (41), and no range of them (41..60, or 41..).")
    first = int(found[1])
    last = first if found[2] is None else int(found[3]) if found[3] else None
    if last is not None and last < first:
        raise UsageError(f"The range {text} ends before it begins.")
    return operation.Offsets(first, last)


def _what(planned: operation.Skipping) -> str:
    count = sum(planned.undecodable.values())
    gone = f", {planned.gone:,} deleted by retention" if planned.gone else ""
    return f"{count:,} messages that cannot be decoded of {planned.messages:,}{gone}"


def _shown(planned: operation.Skipping, sentence: str) -> Drawn:
    table = columns("code", "messages that cannot be decoded")
    for code, count in sorted(planned.undecodable.items()):
        table.add_row(code, f"{count:,}")
    where = f"{planned.topic} partition {planned.partition}, {planned.first:,} to {planned.last:,}"
    parts: list[Drawn] = [Text(f"{where}: {_what(planned)}.")]
    if planned.undecodable:
        parts.append(table)
    if planned.first_time is not None and planned.last_time is not None:
        form = "%Y-%m-%d %H:%M:%S"
        parts.append(
            Text(f"From {planned.first_time:{form}} to {planned.last_time:{form}} UTC in Kafka.")
        )
    return Group(*parts, Text(sentence), Text(planned.backfill))
