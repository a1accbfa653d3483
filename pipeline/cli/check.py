"""`ajera-cdc check`: connectivity, privileges and schemas."""

from __future__ import annotations

from dataclasses import asdict

import click

from pipeline.cli.choices import RouteChoice
from pipeline.cli.command import command
from pipeline.cli.output import Outcome, columns
from pipeline.config.settings import Settings
from pipeline.model.audit import Changes
from pipeline.operations.areas import areas


@command("check", changes=Changes.NOTHING)
@click.option(
    "--only",
    multiple=True,
    type=RouteChoice(areas),
    help="Look at this alone; may be given several times.",
)
def check(settings: Settings, only: tuple[str, ...]) -> Outcome:
    """Check connectivity, privileges and schemas, and say what to grant or set.

    Exit code 3 unless everything is as it should be.
    """
    from pipeline.operations import check as operation

    found = operation.check(settings, only)
    table = columns("", "area", "check", "found", "action")
    for line in found.lines:
        table.add_row(
            "ok" if line.is_ok else "FAIL",
            line.area,
            line.name,
            line.found,
            line.action,
        )
    return Outcome(asdict(found), table, found.exit_code)
