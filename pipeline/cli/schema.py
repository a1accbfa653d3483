"""`ajera-cdc schema`: our own tables in the routes' databases."""

from __future__ import annotations

from dataclasses import asdict

import click

from pipeline.cli.command import command
from pipeline.cli.output import Outcome, say
from pipeline.config.settings import Settings
from pipeline.model.audit import Changes


@click.group()
def schema() -> None:
    """Show or upgrade our own tables: in the target database of each route,
    and with [routes.dps] in the DPS and Ajera databases.
    """


@command("show", changes=Changes.NOTHING, group=schema)
def show(settings: Settings) -> Outcome:
    """The versions in the databases, and those this program needs."""
    from pipeline.operations import schema as operation

    found = operation.show(settings)
    lines = [
        f"{one.database}: version {one.found or '(none)'}, this program needs {one.needed}"
        for one in found
    ]
    return Outcome({"schemas": [asdict(one) for one in found]}, "\n".join(lines))


@command("upgrade", changes=Changes.EVERY_ROUTE, group=schema)
def upgrade(settings: Settings) -> Outcome:
    """Create our schemas, or bring them to the versions this program needs. Safe to run again."""
    from pipeline.operations import schema as operation

    done = operation.upgrade(settings, say)
    lines = [
        f"{one.database}: version {one.needed}{' already' if one.found == one.needed else ''}"
        for one in done
    ]
    return Outcome({"schemas": [asdict(one) for one in done]}, "\n".join(lines))
