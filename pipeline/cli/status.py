"""`ajera-cdc status`: what is wrong, and how each route stands."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipeline.cli import figures
from pipeline.cli.choices import every_route_option
from pipeline.cli.command import command
from pipeline.cli.drawing import Columns, Drawn, Group, Text
from pipeline.cli.output import Outcome, columns
from pipeline.cli.values import Whole
from pipeline.cli.watch import watch
from pipeline.config.settings import Settings
from pipeline.model.audit import Changes
from pipeline.model.load import LOADED, LoadProgress

if TYPE_CHECKING:
    from pipeline.database.state.consumers import ConsumerStatus
    from pipeline.database.state.status import TableStatus
    from pipeline.database.systems.capture_health import CaptureHealth
    from pipeline.operations import status as operation
    from pipeline.operations.standing import RouteState, RouteStatus

MAKES_KNOWN = (
    "What depends on these is not written. A row's next change in the source makes its own known, "
    "`ajera-cdc backfill SOURCE TABLE` those of all rows."
)


@command("status", changes=Changes.NOTHING)
@every_route_option
@click.option(
    "--keys",
    default=10,
    show_default=True,
    type=Whole(0, 10_000),
    help="How many keys of each kind of parked row.",
)
@click.option("--brief", is_flag=True, help="One line: how it is, and each route.")
@click.option("--watch", "is_watched", is_flag=True, help="Draw it again until Ctrl-C.")
def status(
    settings: Settings, *, route: str | None, keys: int, brief: bool, is_watched: bool
) -> Outcome:
    """Show what is wrong, the worst first; then each route: load state, events, parked rows.

    Exit code 0 if nothing is wrong, 4 if something is that may end by itself, 3 if something
    cannot be known (a service that does not answer, a source that is silent), 5 if a person is
    needed.
    """
    from pipeline.operations import status as operation

    def look() -> operation.Status:
        return operation.status(settings, keys, route)

    draw = (lambda found: Text(summary(found))) if brief else shown
    if is_watched:
        watch(lambda: draw(look()))
        return Outcome({}, "")
    found = look()
    return Outcome(asdict(found), draw(found), found.exit_code)


def summary(found: operation.Status) -> str:
    """One line: how many problems of each severity, and each route."""
    counted = Counter(one.severity for one in found.problems)
    words = ", ".join(f"{counted[each]} {each.word}" for each in sorted(counted, reverse=True))
    routes = [
        f"{one.name} unknown"
        if one.group is None
        else f"{one.name} {one.group.state}, {figures.count(one.group.lag)} behind, "
        f"{figures.seconds(one.group.delay_seconds)}"
        for one in found.routes
    ]
    return "; ".join([f"{found.health.upper()}" + (f" ({words})" if words else ""), *routes])


def shown(found: operation.Status) -> Drawn:
    """What a person sees: what is wrong, then each route, then capture."""
    parts: list[Drawn] = [Text(summary(found), style="bold")]
    for problem in found.problems:
        parts.append(Text(f"{problem.severity.word}: {problem.place}: {problem.what}", style="red"))
        parts.append(Text(f"  -> {problem.command}"))
    for route in found.routes:
        parts += _route(route)
    for one in found.connectors:
        tasks = "".join(f", task {task.number} {task.state}" for task in one.tasks)
        parts.append(Text(f"connector {one.name} {one.state}{tasks}, epoch {one.epoch or '-'}"))
        parts.append(Text(f"  {_capture(one.capture)}"))
    return Group(*parts)


def _consumer(one: ConsumerStatus, group: str) -> Text:
    seen, name = figures.seconds_since(one.seen_at), figures.client(one.id, group)
    return Text(f"  consumer {name} {one.state}, seen {figures.ago(seen)}, {one.address}")


def _capture(found: CaptureHealth | None) -> str:
    """What the source says, of those things that it has."""
    if found is None:
        return "log: unknown"
    if not found.is_there:
        return "log: nobody has read it"
    said = {
        "in use": found.is_read and "yes",
        "not confirmed": found.behind_bytes is not None and f"{found.behind_bytes:,} bytes",
        "captured": found.captured_seconds is not None and f"{found.captured_seconds:,} s ago",
        "capture job late": found.latency_seconds is not None and f"{found.latency_seconds:,} s",
        "kept": found.kept_seconds is not None and f"{found.kept_seconds:,} s",
    }
    return "log: " + ", ".join(f"{name} {value}" for name, value in said.items() if value)


def _route(found: RouteStatus) -> list[Drawn]:
    parts: list[Drawn] = [Text("")]
    if found.group is None:
        parts.append(Text(f"{found.title}: group unknown"))
    else:
        one = found.group
        behind = f"{figures.messages(one.lag)} behind, {figures.seconds(one.delay_seconds)}"
        members = figures.members(one.members)
        parts.append(Text(f"{found.title}: group {one.state}, {members}, {behind}"))
        seen = ", ".join(
            f"{each.source} seen {figures.ago(each.seen_seconds)}" for each in one.sources
        )
        if found.state is not None:
            parts += [_consumer(each, one.name) for each in found.state.consumers]
        parts.append(Text(f"  applied up to {figures.clock(one.applied_until)} UTC; {seen}"))
    if found.state is not None:
        parts += _state(found.state)
    return parts


def _state(found: RouteState) -> list[Drawn]:
    parts: list[Drawn] = []
    if found.tables:
        parts.append(_tables(found))
    if found.links:
        parts.append(_links(found))
    if found.unknown:
        parts += [_unknown(found), Text(MAKES_KNOWN)]
    parts.append(_topics(found))
    parts.append(_parked(found) if found.parked else Text("Nothing is parked."))
    if found.due is not None:
        parts.append(Text(f"{found.due:,} rows are being recomputed."))
    return parts


def _links(found: RouteState) -> Columns:
    links = columns(
        "exchange with DPS",
        "linked",
        "being created",
        "ended",
        "to be decided",
    )
    for one in found.links:
        counts = (one.linked, one.creating, one.ended, one.to_decide)
        links.add_row(one.entity, *(f"{count:,}" for count in counts))
    return links


def _tables(found: RouteState) -> Columns:
    """How much of a table is read is shown until all are loaded."""
    is_loading = any(one.state != LOADED for one in found.tables)
    table = columns("source table", "state", "epoch", *(["messages read"] if is_loading else []))
    for one in found.tables:
        table.add_row(one.name, one.state, str(one.epoch), *([_read(one)] if is_loading else []))
    return table


def _read(one: TableStatus) -> str:
    if one.read is None:
        return "-"
    if one.there is None:
        return f"{one.read:,} of an unknown number"
    progress = LoadProgress((one.name,), one.read, one.there)
    return f"{one.read:,} of {one.there:,} ({progress.percent} %)"


def _unknown(found: RouteState) -> Columns:
    table = columns("added column", "rows in which it is unknown", "known from epoch")
    for one in found.unknown:
        table.add_row(
            f"{one.table}.{one.column}",
            f"{one.rows:,}",
            str(one.known_epoch),
        )
    return table


def _topics(found: RouteState) -> Columns:
    """The partitions of a topic are added up; `lag` and `--json` have them one by one."""
    table = columns("topic", "read", "written", "skipped", "parked", "dead")
    for topic in dict.fromkeys(one.topic for one in found.partitions):
        of = [one for one in found.partitions if one.topic == topic]
        counts = (
            sum(one.events_read for one in of),
            sum(one.written for one in of),
            sum(one.skipped for one in of),
            sum(one.parked for one in of),
            sum(one.dead_lettered for one in of),
        )
        table.add_row(topic, *(f"{count:,}" for count in counts))
    return table


def _parked(found: RouteState) -> Columns:
    from pipeline.database.state.status import ParkedRows

    table = columns("parked", "rows", "oldest (UTC)", "reason", "some keys", "action")
    for one in found.parked:
        reasons = one.reasons[:3] if isinstance(one, ParkedRows) else ()
        what = one.kind if isinstance(one, ParkedRows) else one.entity
        oldest = f"{one.oldest:%Y-%m-%d %H:%M}"
        reason = "\n".join((one.code, *reasons))
        table.add_row(
            what,
            f"{one.count:,}",
            oldest,
            reason,
            "\n".join(one.keys),
            one.hint,
        )
    return table
