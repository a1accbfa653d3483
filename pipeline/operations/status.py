"""What each route has done and waits for, from its state, Kafka and Connect.
A service that does not answer is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pipeline.config.settings import Settings
from pipeline.connect.status import FAILED
from pipeline.connect.status import ConnectorStatus as Reported
from pipeline.database.sql.engine import impatient
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
from pipeline.operations.lag import Lag, Stored, lag, require_kafka
from pipeline.operations.loads import with_progress
from pipeline.operations.problems import Problem, Severity, problems, worst
from pipeline.operations.side_by_side import side_by_side
from pipeline.operations.skipped_rows import skipped_rows
from pipeline.operations.standing import (
    ConnectorStatus,
    RouteState,
    RouteStatus,
    group_of,
)
from pipeline.wiring.clients import connect_client
from pipeline.wiring.route import RouteHandle, route_named, routes_of
from pipeline.wiring.source import source_of, topics_in

if TYPE_CHECKING:
    from sqlalchemy import Engine

T = TypeVar("T")
CONNECT_SECONDS = 5.0  # that it takes a request, and does not answer it


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
    a service that does not answer is named in the answer, after five seconds at the latest:
    all are asked side by side.
    """
    chosen = routes_of(settings) if name is None else (route_named(settings, name),)
    systems = list(dict.fromkeys(system for route in chosen for system in route.systems))
    asked = _first(settings, chosen, systems, keys)
    lags: list[_Asked[Lag]] = [_Asked() for _ in chosen]
    if asked.kafka.value:
        lags = side_by_side(
            [
                partial(_asked, partial(_lag, settings, route, state.value))
                for route, state in zip(chosen, asked.states, strict=True)
            ]
        )
    routes = tuple(
        _standing(settings, route, found.value, state.value)
        for route, found, state in zip(chosen, lags, asked.states, strict=True)
    )
    connectors = tuple(_connectors(asked, [one.state for one in routes if one.state is not None]))
    missing = (*asked.missing, *(sentence for one in lags for sentence in one.missing))
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


@dataclass(frozen=True, slots=True)
class _Asked(Generic[T]):
    """An answer, or None and why there is none."""

    value: T | None = None
    missing: tuple[str, ...] = ()


def _asked(look: Callable[[], T]) -> _Asked[T]:
    try:
        return _Asked(look())
    except PipelineError as error:
        if error.exit_code == ExitCode.USAGE:
            raise
        return _Asked(missing=(error.sentence,))


@dataclass(frozen=True, slots=True)
class _First:
    """What is asked first, side by side. `captures`: of each system, what its log says."""

    kafka: _Asked[bool]
    states: list[_Asked[RouteState]]
    connectors: _Asked[list[ConnectorStatus]]
    captures: dict[str, _Asked[CaptureHealth]]

    @property
    def missing(self) -> list[str]:
        asked: list[_Asked[Any]] = [self.kafka, *self.states, self.connectors]
        asked += self.captures.values()
        return [sentence for one in asked for sentence in one.missing]


def _first(
    settings: Settings, routes: Sequence[RouteHandle], systems: Sequence[str], keys: int
) -> _First:
    calls: list[Callable[[], Any]] = [
        partial(_has_kafka, settings),
        *(partial(_state, settings, route, keys) for route in routes),
        partial(_reported, settings, systems),
        *(partial(_capture, settings, system) for system in systems),
    ]
    kafka, *others = side_by_side([partial(_asked, call) for call in calls])
    connectors, *captures = others[len(routes) :]
    return _First(
        kafka, others[: len(routes)], connectors, dict(zip(systems, captures, strict=True))
    )


def _connectors(asked: _First, states: Sequence[RouteState]) -> Iterator[ConnectorStatus]:
    """As Connect reports them, with their epochs and what their sources say."""
    for one in asked.connectors.value or ():
        known = [epoch for state in states if (epoch := state.epochs.get(one.name)) is not None]
        capture = asked.captures[one.source].value
        yield replace(one, epoch=max(known, default=None), capture=capture)


def _has_kafka(settings: Settings) -> bool:
    require_kafka(settings)
    return True


def _lag(settings: Settings, route: RouteHandle, state: RouteState | None) -> Lag:
    return lag(settings, route, {} if state is None else _stored(state))


def _standing(
    settings: Settings, route: RouteHandle, found: Lag | None, state: RouteState | None
) -> RouteStatus:
    if state is not None:
        state = with_progress(state, _topics(settings, route.of), found)
    group = None if found is None else group_of(found)
    return RouteStatus(route.name, route.title, group, state)


def _topics(settings: Settings, route: AnyRoute) -> dict[str, str]:
    """By source table of a route with a mirror."""
    if not isinstance(route, Route):
        return {}
    names = [table.name for table in route.sources]
    tables = [table.table for table in route.sources]
    return dict(zip(names, topics_in(settings, route.source_system, tables), strict=True))


def _state(settings: Settings, route: RouteHandle, keys: int) -> RouteState:
    schema = route.state.schema
    names = [source_of(settings, system).connector for system in route.systems]
    with route.state.opened(is_looked_at=True) as engine:
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
    engine = impatient(source.engine())
    try:
        return capture_health(engine, source.slot)
    finally:
        engine.dispose()


def _reported(settings: Settings, systems: Sequence[str]) -> list[ConnectorStatus]:
    """The connectors of these systems, as Connect reports them."""
    connect = connect_client(settings, CONNECT_SECONDS)
    try:
        return [
            _connector(system, connect.status(source_of(settings, system).connector))
            for system in systems
        ]
    finally:
        connect.close()


def _connector(system: str, found: Reported) -> ConnectorStatus:
    return ConnectorStatus(
        source=system,
        name=found.name,
        state=FAILED if any(task.state == FAILED for task in found.tasks) else found.state,
        running=found.is_running,
        failure=found.failure,
        tasks=found.tasks,
        epoch=None,
    )
