"""`ajera-cdc schema`: our own tables in the target database."""

from __future__ import annotations

from dataclasses import asdict

import click

from pipeline.cli.output import Outcome, command, say
from pipeline.config import Settings
from pipeline.operations import schema as operation


@click.group()
def schema() -> None:
    """Show or upgrade the sync schema in the PIM database."""


@command("show", group=schema)
def show(settings: Settings) -> Outcome:
    """The version in the database, and the one this program needs."""
    found = operation.show(settings)
    return Outcome(asdict(found), f"version {found.found or '(none)'}, this program needs {found.needed}")


@command("upgrade", group=schema)
def upgrade(settings: Settings) -> Outcome:
    """Create the schema, or bring it to the version this program needs. Safe to run again."""
    done = operation.upgrade(settings, say)
    return Outcome(asdict(done), f"version {done.needed}" + (" already" if done.found == done.needed else ""))
