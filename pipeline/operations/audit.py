"""Audit lines: kept in the state of the routes that a command concerns, and listed from there."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.config.settings import Settings
from pipeline.database.state.audit import DatabaseAuditTrail
from pipeline.domain.routes import AnyRoute
from pipeline.errors import PipelineError
from pipeline.mapping.route import Route
from pipeline.model.audit import AuditEntry, AuditLine, Changes
from pipeline.wiring.state import State, state_of

Report = Callable[..., None]  # an action in words, and its fields


@dataclass(frozen=True, slots=True)
class KeptLine:
    """A line, and the route whose state keeps it."""

    route: str
    line: AuditLine


def record(
    settings: Settings,
    changes: Changes,
    options: Mapping[str, object],
    entry: AuditEntry,
    report: Report,
) -> None:
    """Log the entry, and keep it in each state that it concerns.

    A state that cannot be reached lacks the line, and the log says so: never an error, since what
    the command did is done.
    """
    report(
        "audit",
        who=entry.who,
        command=entry.command,
        arguments=entry.arguments,
        outcome=entry.outcome,
    )
    for state in concerned(settings, changes, options):
        try:
            with state.opened() as engine:
                DatabaseAuditTrail(engine, state.schema).append(entry)
        except PipelineError as error:
            report("audit line not kept", route=state.database, code=error.code)


def concerned(
    settings: Settings, changes: Changes, options: Mapping[str, object]
) -> tuple[State, ...]:
    """The states of the routes that a command with these options concerns."""
    routes = settings.routes.configured
    return tuple(
        state_of(settings, route) for route in routes if _concerns(changes, options, route)
    )


def _concerns(changes: Changes, options: Mapping[str, object], route: AnyRoute) -> bool:
    named = options.get("route") in (None, route.name)
    match changes:
        case Changes.NOTHING | Changes.BY_EVENTS:
            return False
        case Changes.ROUTE:
            return named
        case Changes.PROJECTION:
            return named and isinstance(route, Route)
        case Changes.SOURCE:
            return options.get("source") in (None, *route.reads)
        case Changes.EXCHANGE:
            return not isinstance(route, Route)
        case Changes.EVERY_ROUTE:
            return True


def who() -> str:
    """The operating system's user, and this host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        user = "(no name)"
    return f"{user}@{socket.gethostname()}"


def now() -> datetime:
    return datetime.now(UTC)


def audit(settings: Settings, name: str | None, limit: int) -> tuple[KeptLine, ...]:
    """So many lines of each route, or of the one of this name; the newest first.

    Raises ConfigurationInvalid, SyncSchemaOutdated, TargetBusy.
    """
    found: list[KeptLine] = []
    for state in concerned(settings, Changes.ROUTE, {"route": name}):
        with state.opened() as engine:
            lines = DatabaseAuditTrail(engine, state.schema).newest(limit)
            found += (KeptLine(state.database, line) for line in lines)
    return tuple(_newest_first(found)[:limit])


def _newest_first(lines: Iterable[KeptLine]) -> list[KeptLine]:
    return sorted(lines, key=lambda kept: (kept.line.entry.at, kept.line.number), reverse=True)
