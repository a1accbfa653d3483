"""What is wrong, in words, the worst first, each with the command that helps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from pipeline.connect.causes import Recovery
from pipeline.connect.status import ABSENT, FAILED, PAUSED, STOPPED
from pipeline.database.systems.capture_health import CaptureHealth
from pipeline.errors import Remedy, error_of
from pipeline.model.halt import Halt
from pipeline.operations.backlog import Freshness
from pipeline.operations.group_state import GroupVerdict
from pipeline.operations.standing import ConnectorStatus, GroupStatus, RouteStatus

SECONDS_AN_HOUR = 3600.0
LITTLE_BYTES = 256 * 1024 * 1024
LATE_CAPTURE_SECONDS = 60
STILL_CAPTURE_SECONDS = 660  # a job that runs writes every 300 s, whatever happens


class Severity(IntEnum):
    """`HALTED` needs a person, `DEGRADED` may end by itself, of `UNKNOWN` nobody can say."""

    HEALTHY = 0
    DEGRADED = 1
    UNKNOWN = 2
    HALTED = 3

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: how bad, where, what in one sentence, and what to type."""

    severity: Severity
    place: str
    what: str
    command: str


def problems(
    routes: Sequence[RouteStatus],
    connectors: Sequence[ConnectorStatus],
    unavailable: Sequence[str],
    now: datetime,
) -> tuple[Problem, ...]:
    """The worst first; of the same severity in the order of the flow: capture, Kafka, routes."""
    found = [
        *(problem for one in connectors for problem in _of_connector(one)),
        *(
            problem
            for one in connectors
            if one.capture is not None
            for problem in _of_capture(one, one.capture)
        ),
        *(
            Problem(Severity.UNKNOWN, "service", sentence, "ajera-cdc check")
            for sentence in unavailable
        ),
        *_of_sources(routes, connectors),
        *(problem for one in routes for problem in _of_halts(one)),
        *(problem for one in routes for problem in _of_skipped(one)),
        *(problem for one in routes for problem in _of_consumers(one, now)),
        *(problem for one in routes for problem in _of_route(one)),
    ]
    return tuple(sorted(found, key=lambda one: -one.severity))


def worst(found: Sequence[Problem]) -> Severity:
    """How it is altogether."""
    return max((one.severity for one in found), default=Severity.HEALTHY)


def _of_connector(one: ConnectorStatus) -> Iterator[Problem]:
    apply = f"ajera-cdc connectors apply --source {one.source}"
    place = f"connector {one.name}"
    if one.state == ABSENT:
        yield Problem(Severity.HALTED, place, "It is not in Connect: nothing is captured.", apply)
    elif one.state == FAILED:
        failed = ", ".join(f"task {task.number}" for task in one.tasks if task.state == FAILED)
        what = f"{failed or 'It'} FAILED: nothing is captured. {one.failure}".rstrip()
        yield Problem(Severity.HALTED, place, what, _recovers(one))
    elif one.state in (PAUSED, STOPPED):
        resume = f"ajera-cdc connectors resume --source {one.source}"
        yield Problem(Severity.HALTED, place, f"It is {one.state}: nothing is captured.", resume)
    elif not one.running:
        tasks = ", ".join(f"task {task.number} {task.state}" for task in one.tasks) or "no task"
        show = f"ajera-cdc connectors status --source {one.source}"
        yield Problem(Severity.DEGRADED, place, f"It is {one.state}, with {tasks}.", show)


def _recovers(one: ConnectorStatus) -> str:
    """What is typed where it failed."""
    command, source = "ajera-cdc connectors", f"--source {one.source}"
    if any(task.recovery is Recovery.SNAPSHOT for task in one.tasks):
        return f"{command} remove {source}, then {command} apply {source}: a new snapshot"
    if any(task.recovery is Recovery.CORRECTION for task in one.tasks):
        return f"{command} apply {source}"  # which brings corrected settings, and restarts it
    return f"{command} restart {source}"


def _of_capture(one: ConnectorStatus, found: CaptureHealth) -> Iterator[Problem]:
    """What the source says of the log that its connector reads."""
    place = f"source {one.source}"
    anew = (
        f"ajera-cdc connectors remove --source {one.source}, then ajera-cdc connectors apply "
        f"--source {one.source}: a new snapshot"
    )
    show = f"ajera-cdc connectors status --source {one.source}"
    apply = f"ajera-cdc connectors apply --source {one.source}"
    if found.is_lost:
        what = "Its replication slot was invalidated: changes between are lost to capture."
        yield Problem(Severity.HALTED, place, what, anew)
    elif not found.is_there and one.running:
        what = "Its log has no reader: no replication slot, or a capture job that never ran."
        yield Problem(Severity.HALTED, place, what, "ajera-cdc check")
    elif found.is_there and found.is_read is False and one.running:
        what = (
            "Nobody reads its log, though its connector runs: that has no connection, and tries "
            "again. Was its password changed, or does the source take no connection?"
        )
        yield Problem(Severity.DEGRADED, place, what, apply)
    elif found.left_bytes is not None and found.left_bytes < LITTLE_BYTES:
        what = f"Its replication slot is lost after {found.left_bytes:,} more bytes of log."
        yield Problem(Severity.DEGRADED, place, what, show)
    if found.captured_seconds is not None and found.captured_seconds > STILL_CAPTURE_SECONDS:
        what = f"Its capture job has read nothing for {found.captured_seconds:,} s: start the job."
        yield Problem(Severity.HALTED, place, what, "ajera-cdc check")
    if found.errors:
        what = f"Its capture job met {found.errors:,} errors in its newest session."
        yield Problem(Severity.DEGRADED, place, what, "ajera-cdc check")
    if found.latency_seconds is not None and found.latency_seconds > LATE_CAPTURE_SECONDS:
        what = f"Its capture job is {found.latency_seconds:,} s late."
        yield Problem(Severity.DEGRADED, place, what, "ajera-cdc check")


def _of_sources(
    routes: Sequence[RouteStatus], connectors: Sequence[ConnectorStatus]
) -> Iterator[Problem]:
    """A source that is silent, unless its connector says why."""
    told = {one.source for one in connectors if not one.running}
    seen: set[str] = set()
    for route in routes:
        for source in () if route.group is None else route.group.sources:
            if source.is_silent and source.source not in told | seen:
                seen.add(source.source)
                is_known = any(one.source == source.source for one in connectors)
                yield _silent(source, is_known=is_known)


def _silent(one: Freshness, *, is_known: bool) -> Problem:
    since = (
        "No heartbeat or change of it is in Kafka"
        if one.seen_seconds is None
        else f"No heartbeat or change of it came for {one.seen_seconds:,.0f} s"
    )
    return Problem(
        Severity.UNKNOWN,
        f"source {one.source}",
        f"{since}: whether there are newer changes is unknown.",
        f"ajera-cdc connectors status --source {one.source}" if is_known else "ajera-cdc check",
    )


def _of_halts(route: RouteStatus) -> Iterator[Problem]:
    """What is halted, as its consumer said: what to do, and every place where it is the same."""
    causes: dict[tuple[str, str], list[Halt]] = {}
    for one in () if route.state is None else route.state.halted:
        causes.setdefault((one.code, one.sentence), []).append(one)
    for (code, sentence), halts in causes.items():
        since = min(one.since for one in halts)
        where = ", ".join(_before_offset(one) for one in halts)
        are = "is" if len(halts) == 1 else "are"
        yield Problem(
            Severity.DEGRADED if _is_retried(code) else Severity.HALTED,
            route.title,
            f"{where} {are} halted since {since:%Y-%m-%d %H:%M:%S} UTC. {sentence}",
            f"ajera-cdc explain {code}",
        )


def _before_offset(one: Halt) -> str:
    return one.place if one.offset is None else f"{one.place} before offset {one.offset:,}"


def _of_skipped(route: RouteStatus) -> Iterator[Problem]:
    """Rows that a skipped message has changed, and that did not come since."""
    for one in () if route.state is None else route.state.skipped:
        count = "1 message was" if one.messages == 1 else f"{one.messages:,} messages were"
        offsets = f"{one.first}" if one.first == one.last else f"{one.first} to {one.last}"
        yield Problem(
            Severity.DEGRADED,
            route.title,
            f"{count} skipped of {one.topic} partition {one.partition} (offsets {offsets}): what"
            " changed their rows is not in the target.",
            one.backfill,
        )


def _is_retried(code: str) -> bool:
    """May it end by itself."""
    error = error_of(code)
    return error is not None and error.remedy is Remedy.RETRY


def _of_consumers(route: RouteStatus, now: datetime) -> Iterator[Problem]:
    """What each consumer said of itself that no halt says; and who is not heard of any more."""
    told = set() if route.state is None else {one.place for one in route.state.halted}
    said: dict[tuple[Severity, str], list[str]] = {}
    for one in () if route.state is None else route.state.consumers:
        if not one.is_seen(now):
            ago = (now - one.seen_at).total_seconds()
            what = f"It was not heard of for {ago:,.0f} s, and did not end in order."
            run = f"ajera-cdc run --route {route.name}"
            yield Problem(Severity.DEGRADED, f"consumer {one.id}", what, run)
            continue
        severity = Severity.HALTED if one.state == "halted" else Severity.DEGRADED
        for where, sentence in one.reasons.items():
            if where not in told:
                said.setdefault((severity, sentence), []).append(one.id)
    for (severity, sentence), names in said.items():
        place = ("consumer " if len(names) == 1 else "consumers ") + ", ".join(names)
        explain = f"ajera-cdc explain {sentence.partition(':')[0]}"
        yield Problem(severity, place, sentence, explain)


def _of_route(one: RouteStatus) -> Iterator[Problem]:
    if one.group is None:
        return
    group = one.group
    if group.missing:
        are = "topic {} is" if len(group.missing) == 1 else "topics {} are"
        named = are.format(", ".join(group.missing))
        yield Problem(
            Severity.HALTED,
            one.title,
            f"The {named} not in Kafka: what was there is unknown.",
            "ajera-cdc connectors apply, then ajera-cdc backfill of its table",
        )
    if group.lost:
        yield Problem(
            Severity.HALTED,
            one.title,
            f"Retention has deleted {group.lost:,} messages that were not applied.",
            "ajera-cdc connectors remove, then ajera-cdc connectors apply: a new snapshot",
        )
    if group.is_expiring:
        hours = (group.retention_left_seconds or 0.0) / SECONDS_AN_HOUR
        yield Problem(
            Severity.DEGRADED,
            one.title,
            f"Kafka may delete messages that wait, unread, in {hours:,.1f} hours.",
            f"ajera-cdc lag --route {one.name}; raise retention.ms of its topics",
        )
    yield from _of_group(one, group)


def _of_group(route: RouteStatus, group: GroupStatus) -> Iterator[Problem]:
    run = f"ajera-cdc run --route {route.name}"
    look = f"ajera-cdc lag --route {route.name}"
    waits = "an unknown number of messages" if group.lag is None else f"{group.lag:,} messages"
    behind = "unknown" if group.delay_seconds is None else f"{group.delay_seconds:,.0f} s"
    severity, what, command = Severity.HALTED, "", run
    match group.state:
        case GroupVerdict.OK:
            return
        case GroupVerdict.NEVER_RAN:
            what = f"No consumer has ever run; {waits} wait."
        case GroupVerdict.STOPPED:
            what = f"No consumer runs; {waits} wait, the oldest for {behind}."
        case GroupVerdict.REWOUND:
            what = (
                f"No consumer runs. Its next offsets were set back: {group.rewound:,} messages "
                "that are applied are read again; the guards keep newer rows."
            )
        case GroupVerdict.NO_MEMBERS:
            what = "No consumer runs; nothing waits now."
        case GroupVerdict.STALLED:
            what = f"Its consumers do not move on: {waits} wait, the oldest for {behind}."
            severity, command = Severity.DEGRADED, f"{look}, and look at the consumers' /health"
        case GroupVerdict.WARN:
            what = f"It is late: {waits} wait, the oldest for {behind}."
            severity, command = Severity.DEGRADED, look
        case GroupVerdict.UNKNOWN:
            if group.missing:
                return  # said above
            what = "Its next offset lies behind a topic's end: that topic was created again."
            severity = Severity.UNKNOWN
            command = look
    yield Problem(severity, route.title, what, command)
