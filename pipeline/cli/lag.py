"""`ajera-cdc lag`: how far each partition is behind."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipeline.cli import figures
from pipeline.cli.choices import every_route_option
from pipeline.cli.command import command
from pipeline.cli.drawing import Drawn, Group, Text
from pipeline.cli.output import Outcome, columns
from pipeline.cli.values import Seconds
from pipeline.config.settings import Settings
from pipeline.errors import ExitCode
from pipeline.model.audit import Changes

if TYPE_CHECKING:
    from pipeline.operations import lag as operation


@command("lag", changes=Changes.NOTHING)
@every_route_option
@click.option(
    "--max-seconds",
    type=Seconds(),
    help="As a probe: exit code 4 if a delay is longer, 3 if one is unknown.",
)
def lag(settings: Settings, route: str | None, max_seconds: float | None) -> Outcome:
    """Messages and seconds that each route is behind, and when its sources were seen.

    Seconds are the age of the oldest change that was not applied, by the source's own clock; 0
    when caught up. What cannot be known is unknown: a topic that is gone, a source that is silent.
    """
    from pipeline.operations import lag as operation

    found = operation.lags(settings, route)
    data = {"routes": [asdict(one) for one in found]}
    code = ExitCode.OK if max_seconds is None else operation.probe(found, max_seconds)
    return Outcome(data, Group(*(part for one in found for part in _route(one))), code)


def _route(found: operation.Lag) -> list[Drawn]:
    total = f"{figures.messages(found.lag)}, {figures.seconds(found.delay_seconds)}"
    members = figures.members(found.members)
    parts: list[Drawn] = [Text(f"{found.group}: {found.state}, {members}, {total}")]
    parts.append(Text(f"  applied up to {figures.clock(found.applied_until)} UTC"))
    for one in found.sources:
        silent = ", silent" if one.is_silent else ""
        parts.append(Text(f"  {one.source} seen {figures.ago(one.seen_seconds)}{silent}"))
    parts += [Text(f"  {topic} is not in Kafka", style="red") for topic in found.missing]
    table = columns("topic", "part.", "next", "end", "behind", "seconds", "read by")
    for each in found.partitions:
        table.add_row(
            each.topic,
            str(each.partition),
            "-" if each.next_offset is None else f"{each.next_offset:,}",
            f"{each.end:,}",
            figures.count(each.lag),
            "unknown" if each.delay_seconds is None else f"{each.delay_seconds:,.1f}",
            figures.client(each.client or "-", found.group),
        )
    return [*parts, table]
