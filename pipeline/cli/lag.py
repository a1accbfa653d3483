"""`ajera-cdc lag`: how far each partition is behind."""

from __future__ import annotations

from dataclasses import asdict

from rich.table import Table

from pipeline.cli.choices import route_option
from pipeline.cli.command import command
from pipeline.cli.output import Outcome
from pipeline.config.settings import Settings
from pipeline.model.audit import Changes
from pipeline.operations import lag as operation
from pipeline.wiring.route import route_named


@command("lag", changes=Changes.NOTHING)
@route_option
def lag(settings: Settings, route: str | None) -> Outcome:
    """Messages and seconds that each partition is behind.

    Seconds are the age of the oldest message that was not applied yet; 0 when caught up.
    """
    found = operation.lag(settings, route_named(settings, route))
    table = Table(
        "topic",
        "partition",
        "next offset",
        "end",
        "messages",
        "seconds",
        "member",
        title_justify="left",
    )
    total = f"{found.lag:,} messages, {found.delay_seconds:.1f} s"
    table.title = f"{found.group}: {found.state}, {found.members} members, {total}"
    for one in found.partitions:
        at = "-" if one.next_offset is None else f"{one.next_offset:,}"
        numbers = (
            at,
            f"{one.end:,}",
            f"{one.lag:,}",
            f"{one.delay_seconds:.1f}",
        )
        table.add_row(one.topic, str(one.partition), *numbers, one.member or "-")
    return Outcome(asdict(found), table)
