"""What each route has done and waits for, from its state, Kafka and Connect.
A service that does not answer is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from pipeline.config.settings import Settings
from pipeline.connect.status import FAILED
from pipeline.database.state.consumers import consumers_of
from pipeline.database.state.halts import halts_of, skipped_of
from pipeline.database.state.settings import current_epoch
from pipeline.database.state.status import links, parked_rows, parked_work, partitions, tables
from pipeline.database.state.unknown import unknown_columns
from pipeline.database.systems.capture_health import CaptureHealth, capture_health
from pipeline.domain.routes import AnyRoute
from pipeline.errors import ExitCode, PipelineError
from pipeline.mapping.route import Route
from pipeline.model.position import TopicPartition
from pipeline.operations.lag import Stored, lag, require_kafka
from pipeline.operations.problems import Problem, Severity, problems, worst
from pipeline.operations.skipped_rows import skipped_rows
from pipeline.operations.standing import ConnectorStatus, RouteState, RouteStatus, group_of
from pipeline.wiring.clients import connect_client
from pipeline.wiring.route import RouteHandle, route_named, routes_of
from pipeline.wiring.source import source_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Status:
    """`unavailable` says which service did not answer, and why; what it would have shown is None,
    or left out.
    """

    at: datetime
    health: str
    problems: tuple[Problem, ...]
    routes: tuple[RouteStatus, ...]
    connectors: tuple[ConnectorStatus, ...]
    unavailable: tuple[str, ...]

    @property
    def exit_code(self) -> ExitCode:
        """0 only if nothing is wrong."""
        match worst(self.problems):
            case Severity.HEALTHY:
                return ExitCode.OK
            case Severity.DEGRADED:
                return ExitCode.DEGRADED
            case Severity.UNKNOWN:
                return ExitCode.ENVIRONMENT
            case Severity.HALTED:
                return ExitCode.HALTED


def status(settings: Settings, keys: int = 10, name: str | None = None) -> Status:
    """Of every route, or of the one of this name. Raises what is wrong with the configuration;
    a service that does not answer is named in the answer.
    """
    missing: list[str] = []
    chosen = routes_of(settings) if name is None else (route_named(settings, name),)
    has_kafka = _unless_away(partial(_has_kafka, settings), missing) or False
    routes = tuple(_route(settings, route, keys, missing, has_kafka=has_kafka) for route in chosen)
    states = [route.state for route in routes if route.state is not None]
    systems = dict.fromkeys(system for route in chosen for system in route.systems)
    connectors = tuple(_connectors(settings, systems, states, missing))
    unavailable = tuple(dict.fromkeys(missing))
    at = datetime.now(UTC)
    found = problems(routes, connectors, unavailable, at)
    return Status(
        at=at,
        health=worst(found).word,
        problems=found,
        routes=routes,
        connectors=connectors,
        unavailable=unavailable,
    )


def _connectors(
    settings: Settings,
    systems: Iterable[str],
    states: Sequence[RouteState],
    missing: list[str],
) -> Iterator[ConnectorStatus]:
    away: list[str] = []
    for system in systems:
        found = None if away else _unless_away(partial(_connector, settings, system), away)
        missing += away
        if found is not None:
            known = [
                epoch for state in states if (epoch := state.epochs.get(found.name)) is not None
            ]
            capture = _unless_away(partial(_capture, settings, system), missing)
            yield replace(found, epoch=max(known, default=None), capture=capture)


def _has_kafka(settings: Settings) -> bool:
    require_kafka(settings)
    return True


def _route(
    settings: Settings, route: RouteHandle, keys: int, missing: list[str], *, has_kafka: bool
) -> RouteStatus:
    state = _unless_away(lambda: _state(settings, route, keys), missing)
    stored = {} if state is None else _stored(state)
    group = (
        _unless_away(lambda: group_of(lag(settings, route, stored)), missing) if has_kafka else None
    )
    return RouteStatus(route.name, route.title, group, state)


def _state(settings: Settings, route: RouteHandle, keys: int) -> RouteState:
    schema = route.state.schema
    names = [source_of(settings, system).connector for system in route.systems]
    with route.state.opened() as engine:
        epochs = {name: current_epoch([(engine, schema)], name) for name in names}
        return replace(
            _held(engine, schema, keys, route.of),
            epochs=epochs,
            halted=tuple(halts_of(engine, schema)),
            consumers=tuple(consumers_of(engine, schema)),
            skipped=skipped_rows(settings, route, skipped_of(engine, schema)),
        )


def _held(engine: Engine, schema: str, keys: int, route: AnyRoute) -> RouteState:
    if isinstance(route, Route):
        return _of_projection(engine, schema, keys, route)
    return _of_exchange(engine, schema, keys)


def _of_projection(engine: Engine, schema: str, keys: int, route: Route) -> RouteState:
    parked, due = parked_rows(engine, schema, keys)
    names = [table.name for table in route.sources]
    return RouteState(
        partitions(engine, schema),
        tables(engine, schema, names),
        parked,
        due,
        unknown=unknown_columns(engine, schema),
    )


def _of_exchange(engine: Engine, schema: str, keys: int) -> RouteState:
    work = parked_work(engine, schema, keys)
    return RouteState(partitions(engine, schema), parked=work, links=links(engine, schema))


def _stored(state: RouteState) -> dict[TopicPartition, Stored]:
    return {
        TopicPartition(one.topic, one.partition): Stored(one.next_offset, one.updated_at)
        for one in state.partitions
    }


def _capture(settings: Settings, system: str) -> CaptureHealth:
    source = source_of(settings, system)
    engine = source.engine()
    try:
        return capture_health(engine, source.slot)
    finally:
        engine.dispose()


def _connector(settings: Settings, system: str) -> ConnectorStatus:
    connect = connect_client(settings)
    try:
        found = connect.status(source_of(settings, system).connector)
    finally:
        connect.close()
    return ConnectorStatus(
        source=system,
        name=found.name,
        state=FAILED if any(task.state == FAILED for task in found.tasks) else found.state,
        running=found.is_running,
        failure=found.failure,
        tasks=found.tasks,
        epoch=None,
    )


def _unless_away(look: Callable[[], T], missing: list[str]) -> T | None:
    try:
        return look()
    except PipelineError as error:
        if error.exit_code == ExitCode.USAGE:
            raise
        missing.append(error.sentence)
        return None
