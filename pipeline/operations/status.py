"""What each route has done and waits for, from its state, Kafka and Connect.
A service that does not answer is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import Engine

from pipeline.config.settings import Settings
from pipeline.database.state.settings import current_epoch
from pipeline.database.state.status import (
    LinkStatus,
    ParkedRows,
    ParkedWorkStatus,
    PartitionStatus,
    TableStatus,
    links,
    parked_rows,
    parked_work,
    partitions,
    tables,
)
from pipeline.database.state.unknown import UnknownColumn, unknown_columns
from pipeline.domain.routes import AnyRoute
from pipeline.errors import ExitCode, PipelineError
from pipeline.mapping.route import Route
from pipeline.operations.lag import lag
from pipeline.wiring.clients import connect_client
from pipeline.wiring.route import RouteHandle, routes_of
from pipeline.wiring.source import source_of, systems_of

T = TypeVar("T")
KEYS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """The consumer group: `lag` in messages, the delay that of its oldest unapplied event."""

    state: str
    members: int
    lag: int
    delay_seconds: float


@dataclass(frozen=True, slots=True)
class RouteState:
    """What the state of a route holds. A route has tables and marks, or links and parked work."""

    partitions: tuple[PartitionStatus, ...] = ()
    tables: tuple[TableStatus, ...] = ()
    parked: tuple[ParkedRows | ParkedWorkStatus, ...] = ()
    due: int | None = None
    links: tuple[LinkStatus, ...] = ()
    epochs: Mapping[str, int | None] = field(default_factory=dict)  # by connector
    unknown: tuple[UnknownColumn, ...] = ()


@dataclass(frozen=True, slots=True)
class RouteStatus:
    """A route. `state` and `group` are None where what holds them did not answer."""

    name: str
    title: str
    group: GroupStatus | None
    state: RouteState | None


@dataclass(frozen=True, slots=True)
class ConnectorStatus:
    """A connector as Connect reports it; `epoch` None before the first `apply`,
    or where no state answered.
    """

    source: str
    name: str
    state: str
    running: bool
    failure: str
    epoch: int | None


@dataclass(frozen=True, slots=True)
class Status:
    """`unavailable` says which service did not answer, and why; what it would have shown is None,
    or left out.
    """

    at: datetime
    routes: tuple[RouteStatus, ...]
    connectors: tuple[ConnectorStatus, ...]
    unavailable: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        return not self.unavailable


def status(settings: Settings, keys: int = KEYS_SHOWN) -> Status:
    """Raises what is wrong with the configuration;
    a service that does not answer is named in the answer.
    """
    missing: list[str] = []
    routes = tuple(_route(settings, route, keys, missing) for route in routes_of(settings))
    states = [route.state for route in routes if route.state is not None]
    connectors = tuple(_connectors(settings, states, missing))
    return Status(datetime.now(UTC), routes, connectors, tuple(dict.fromkeys(missing)))


def _connectors(
    settings: Settings, states: Sequence[RouteState], missing: list[str]
) -> Iterator[ConnectorStatus]:
    for system in systems_of(settings):
        found = _unless_away(partial(_connector, settings, system), missing)
        if found is not None:
            known = [
                epoch for state in states if (epoch := state.epochs.get(found.name)) is not None
            ]
            yield replace(found, epoch=max(known, default=None))


def _route(settings: Settings, route: RouteHandle, keys: int, missing: list[str]) -> RouteStatus:
    state = _unless_away(lambda: _state(settings, route, keys), missing)
    group = _unless_away(lambda: _group(settings, route), missing)
    return RouteStatus(route.name, route.title, group, state)


def _state(settings: Settings, route: RouteHandle, keys: int) -> RouteState:
    schema = route.state.schema
    names = [source_of(settings, system).connector for system in route.systems]
    with route.state.opened() as engine:
        epochs = {name: current_epoch([(engine, schema)], name) for name in names}
        return replace(_held(engine, schema, keys, route.of), epochs=epochs)


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


def _group(settings: Settings, route: RouteHandle) -> GroupStatus:
    found = lag(settings, route)
    return GroupStatus(found.state, found.members, found.lag, found.delay_seconds)


def _connector(settings: Settings, system: str) -> ConnectorStatus:
    connect = connect_client(settings)
    try:
        found = connect.status(source_of(settings, system).connector)
    finally:
        connect.close()
    return ConnectorStatus(
        system,
        found.name,
        found.state,
        found.is_running,
        found.failure,
        None,
    )


def _unless_away(look: Callable[[], T], missing: list[str]) -> T | None:
    try:
        return look()
    except PipelineError as error:
        if error.exit_code == ExitCode.USAGE:
            raise
        missing.append(error.sentence)
        return None
