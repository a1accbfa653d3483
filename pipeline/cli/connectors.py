"""`ajera-cdc connectors`: the source's connector in Kafka Connect."""

from __future__ import annotations

from dataclasses import asdict

import click
from rich.table import Table

from pipeline.cli import choices
from pipeline.cli.command import command, confirm
from pipeline.cli.output import Outcome, say
from pipeline.config.settings import Settings
from pipeline.connect.status import ConnectorStatus
from pipeline.model.audit import Changes
from pipeline.operations import connectors as operation


@click.group()
def connectors() -> None:
    """Apply, show and remove a source's connector."""


SOURCE = click.option(
    "--source",
    type=choices.SOURCE,
    default="ajera",
    show_default=True,
    help="Whose connector: Ajera's, or, with [sources.dps] in the settings, DPS's.",
)


@command("apply", changes=Changes.SOURCE, group=connectors)
@SOURCE
def apply(settings: Settings, source: str) -> Outcome:
    """Create what the connector needs, then the connector, or change it; returns when it runs.

    The first time, and after `remove`, a snapshot of every table is taken,
    then its changes are captured.
    """
    applied = operation.apply(settings, say, source)
    lines = [
        applied.status.sentence,
        f"epoch {applied.epoch}" + (", new snapshot" if applied.is_resnapshot else ""),
    ]
    lines += [f"differs: {difference}" for difference in applied.differences]
    return Outcome(asdict(applied), "\n".join(lines))


@command("show", changes=Changes.NOTHING, group=connectors)
@SOURCE
def show(settings: Settings, source: str) -> Outcome:
    """The connector's state and its tasks, with the cause if one failed."""
    shown = operation.show(settings, source)
    return Outcome(asdict(shown), _table(shown.status, shown.epoch))


@command("remove", changes=Changes.SOURCE, group=connectors)
@SOURCE
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(settings: Settings, *, source: str, yes: bool) -> Outcome:
    """Stop and delete the connector with its offsets and its replication slot.

    Topics, and what was applied, stay.
    What changes until the next `apply` is found by its snapshot.
    """
    confirm(
        "Remove the connector, its offsets and its replication slot?",
        yes=yes,
    )
    removed = operation.remove(settings, say, source)
    return Outcome(
        asdict(removed),
        "removed" if removed.was_there else "there was none",
    )


def _table(status: ConnectorStatus, epoch: int | None) -> Table:
    table = Table(
        "part",
        "state",
        "why",
        title=f"{status.name}, epoch {epoch or '-'}",
        title_justify="left",
    )
    table.add_row("connector", status.state, status.explanation)
    for task in status.tasks:
        table.add_row(f"task {task.number}", task.state, task.explanation)
    return table
