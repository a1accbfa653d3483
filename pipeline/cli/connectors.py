"""`ajera-cdc connectors`: the sources' connectors in Kafka Connect."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipeline.cli import choices, figures
from pipeline.cli.command import command, confirm
from pipeline.cli.output import Outcome, say
from pipeline.config.settings import Settings
from pipeline.errors import ExitCode
from pipeline.model.audit import Changes

if TYPE_CHECKING:
    from pipeline.operations import connector_rehearsal as rehearsal
    from pipeline.operations import connector_removal as removal
    from pipeline.operations import connector_states as states


@click.group()
def connectors() -> None:
    """Apply, show, restart, pause, stop and remove the sources' connectors."""


SOURCE = click.option(
    "--source",
    type=choices.SOURCE,
    default="ajera",
    show_default=True,
    help="Whose connector: Ajera's, or, with [sources.dps] in the settings, DPS's.",
)
ANY_SOURCE = click.option(
    "--source",
    type=choices.SOURCE,
    help="Whose connector. Default: every source's.",
)


@command("apply", changes=Changes.SOURCE, group=connectors)
@SOURCE
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
def apply(settings: Settings, *, source: str, dry_run: bool) -> Outcome:
    """Create what the connector needs, then the connector, or change it; returns when it runs.

    The first time, and after `remove`, a snapshot of every table is taken,
    then its changes are captured. A task that failed is restarted. A connector that was paused or
    stopped stays so.
    """
    from pipeline.operations import connector_rehearsal as rehearsal
    from pipeline.operations import connectors as operation

    if dry_run:
        return _rehearsal(rehearsal.rehearse(settings, source))
    applied = operation.apply(settings, say, source)
    lines = [
        applied.status.sentence,
        f"epoch {applied.epoch}" + (", new snapshot" if applied.is_resnapshot else ""),
    ]
    if applied.status.is_held:
        lines.append("It was held before and stays so: `ajera-cdc connectors resume`.")
    lines += [f"differs: {difference}" for difference in applied.differences]
    if applied.no_backfill:
        lines.append(f"no backfill: {applied.no_backfill}")
    if applied.no_heartbeat:
        lines.append(f"no heartbeat row: {applied.no_heartbeat}")
    return Outcome(asdict(applied), "\n".join(lines))


@command("status", changes=Changes.NOTHING, group=connectors)
@ANY_SOURCE
def status(settings: Settings, source: str | None) -> Outcome:
    """The state of the connectors and their tasks, where they run, and the cause if one failed.

    The exit code is 0 only if all of them run.
    """
    from pipeline.operations import connector_states as states

    shown = states.show(settings, source)
    running = all(one.status.is_running for one in shown)
    return Outcome(
        {"connectors": [asdict(one) for one in shown]},
        "\n".join(line for one in shown for line in _lines(one)),
        ExitCode.OK if running else ExitCode.ENVIRONMENT,
    )


@command("restart", changes=Changes.SOURCE, group=connectors)
@ANY_SOURCE
@click.option("--running", is_flag=True, help="Restart also what has not failed.")
def restart(settings: Settings, *, source: str | None, running: bool) -> Outcome:
    """Restart connectors and tasks that failed; returns when they run.

    Nothing is lost: a connector goes on where it stopped.
    """
    return _changed(settings, "restart", source, only_failed=not running)


@command("pause", changes=Changes.SOURCE, group=connectors)
@ANY_SOURCE
def pause(settings: Settings, source: str | None) -> Outcome:
    """Let connectors read no more until `resume`; they keep their connections.

    The source keeps its log meanwhile: changes are lost if it does not keep it long enough.
    """
    return _changed(settings, "pause", source)


@command("resume", changes=Changes.SOURCE, group=connectors)
@ANY_SOURCE
def resume(settings: Settings, source: str | None) -> Outcome:
    """Let connectors read on, where they were paused or stopped; returns when they run."""
    return _changed(settings, "resume", source)


@command("stop", changes=Changes.SOURCE, group=connectors)
@ANY_SOURCE
def stop(settings: Settings, source: str | None) -> Outcome:
    """End the connectors' tasks and their connections until `resume`; offsets stay.

    The source keeps its log meanwhile: changes are lost if it does not keep it long enough.
    """
    return _changed(settings, "stop", source)


@command("remove", changes=Changes.SOURCE, group=connectors)
@SOURCE
@click.option("--topics", is_flag=True, help="Delete its topics, too, once no group reads them.")
@click.option("--dry-run", is_flag=True, help="Show what would be removed, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(settings: Settings, *, source: str, topics: bool, dry_run: bool, yes: bool) -> Outcome:
    """Stop and delete the connector with its offsets and its replication slot.

    Topics stay, unless --topics; what was applied stays, and so do dead letters.
    What changes until the next `apply` is found by its snapshot.
    """
    from pipeline.operations import connector_removal as operation

    if dry_run:
        planned = operation.plan(settings, source, with_topics=topics)
        lines = [planned.status.sentence, *_goes(planned), "Nothing was changed."]
        return Outcome(asdict(planned), "\n".join(lines))
    if topics and not yes:
        say("\n".join(_goes(operation.plan(settings, source, with_topics=True))))
    also = ", and delete its topics" if topics else ""
    confirm(f"Remove the connector, its offsets and its replication slot{also}?", yes=yes)
    removed = operation.remove(settings, say, source, with_topics=topics)
    lines = ["removed" if removed.was_there else "there was none"]
    lines += [f"deleted: {topic}" for topic in removed.topics]
    return Outcome(asdict(removed), "\n".join(lines))


def _goes(planned: removal.Removal) -> list[str]:
    """What would be removed, a line each."""
    lines = [f"connector {planned.connector} with its offsets"]
    lines += [] if planned.slot is None else [f"replication slot {planned.slot}"]
    lines += [f"topic {topic}" for topic in planned.topics]
    if planned.topics:
        lines.append(f"{figures.messages(planned.messages)} in {len(planned.topics)} topics")
    return lines


def _changed(
    settings: Settings, action: states.Action, source: str | None, *, only_failed: bool = True
) -> Outcome:
    from pipeline.operations import connector_states as states

    changed = states.change(settings, action, say, source, only_failed=only_failed)
    lines = [
        f"{one.status.name}: {one.done}; now {one.status.sentence}"
        + (f"\n  {one.error}" if one.error else "")
        for one in changed
    ]
    failed = any(one.error for one in changed)
    return Outcome(
        {"connectors": [asdict(one) for one in changed]},
        "\n".join(lines),
        ExitCode.ENVIRONMENT if failed else ExitCode.OK,
    )


def _lines(shown: states.ConnectorShown) -> Iterator[str]:
    """A line for the connector and each task, and below it why it failed: nothing is cut off."""
    from pipeline.connect.status import RESUMED

    status = shown.status
    epoch = "unknown" if shown.epoch_unknown else str(shown.epoch or "none yet")
    yield f"{status.name} ({shown.source}), epoch {epoch}"
    parts = [("connector", status.state, status.worker, status.explanation, status.cause)]
    parts += [
        (f"task {one.number}", one.state, one.worker, one.explanation, one.cause)
        for one in status.tasks
    ]
    for part, state, worker, explanation, cause in parts:
        yield f"  {part:<9}  {state:<10}  {worker}".rstrip()
        yield from (f"    {why}" for why in dict.fromkeys((explanation, cause)) if why)
    if status.is_failed:
        yield f"  {status.recovery.hint}"
    if status.is_held:
        yield f"  {RESUMED}"
    if shown.epoch_unknown:
        yield f"  {shown.epoch_unknown}"


def _rehearsal(rehearsed: rehearsal.Rehearsed) -> Outcome:
    lines = [rehearsed.status.sentence]
    for one in rehearsed.differences:
        lines.append(one.setting)
        lines += [f"  - {one.running}"] if one.running is not None else []
        lines += [f"  + {one.applied}"] if one.applied is not None else []
    lines += [f"new table: {table}" for table in rehearsed.new_tables]
    lines += [f"new topic: {topic}" for topic in rehearsed.new_topics]
    lines += [f"differs: {difference}" for difference in rehearsed.topic_differences]
    if rehearsed.refused:
        lines.append(f"It would be refused: {rehearsed.refused}")
    else:
        lines += rehearsed.consequences
    lines.append("Nothing was changed.")
    return Outcome(
        asdict(rehearsed),
        "\n".join(lines),
        ExitCode.ENVIRONMENT if rehearsed.refused else ExitCode.OK,
    )
