"""`ajera-cdc audit`: what commands changed, and who typed them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.choices import route_option
from pipeline.cli.command import command
from pipeline.cli.output import Outcome, columns
from pipeline.cli.values import Whole
from pipeline.config.settings import Settings
from pipeline.model.audit import Changes

if TYPE_CHECKING:
    from pipeline.operations import audit as operation


@command("audit", changes=Changes.NOTHING)
@route_option
@click.option(
    "--limit",
    type=Whole(1, 10_000),
    default=50,
    show_default=True,
    help="How many lines.",
)
def audit(settings: Settings, route: str | None, limit: int) -> Outcome:
    """Who changed something by a command, when (UTC), what and how it ended; the newest first.

    A command that concerns several routes leaves a line in each.
    """
    from pipeline.operations import audit as operation

    found = operation.audit(settings, route, limit)
    table = columns("at (UTC)", "who", "database user", "route", "command", "outcome")
    for kept in found:
        entry = kept.line.entry
        words = f"{entry.command} {entry.arguments}".strip()
        at = f"{entry.at:%Y-%m-%d %H:%M:%S}"
        table.add_row(at, entry.who, kept.line.database_user, kept.route, words, entry.outcome)
    return Outcome(
        {"lines": [_flat(kept) for kept in found]},
        table if found else "No command has changed anything yet.",
    )


def _flat(kept: operation.KeptLine) -> dict[str, Any]:
    line = kept.line
    own = {"route": kept.route, "number": line.number, "database_user": line.database_user}
    return own | asdict(line.entry)
