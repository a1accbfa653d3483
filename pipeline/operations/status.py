"""How the route stands, from `sync`, Kafka and Connect. What does not answer is named; the rest is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from pipeline.config import Settings
from pipeline.database.migrate import require_latest
from pipeline.database.settings import current_epoch
from pipeline.database.standing import (
    LinkStanding,
    ParkedRows,
    ParkedWorkStanding,
    PartitionStanding,
    TableStanding,
    links,
    parked_rows,
    parked_work,
    partitions,
    tables,
)
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.errors import ExitCode, PipelineError
from pipeline.operations.lag import lag
from pipeline.operations.sources import EXCHANGE, TO_PIM, RouteName, System, source_of
from pipeline.wiring import connect_client, dps_engine, pim_engine

T = TypeVar("T")
KEYS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class GroupStanding:
    """The consumer group: `lag` in messages, the delay that of its oldest unapplied event."""

    state: str
    members: int
    lag: int
    delay_seconds: float


@dataclass(frozen=True, slots=True)
class ConnectorStanding:
    """The connector as Connect tells of it; `epoch` None before the first `apply`, and while `sync` is away."""

    name: str
    state: str
    running: bool
    failure: str
    epoch: int | None


@dataclass(frozen=True, slots=True)
class ExchangeStanding:
    """The exchange with DPS: pairs, what waits, its partitions, its group, and the connector of DPS."""

    links: tuple[LinkStanding, ...] = ()
    parked: tuple[ParkedWorkStanding, ...] = ()
    partitions: tuple[PartitionStanding, ...] = ()
    group: GroupStanding | None = None
    connector: ConnectorStanding | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """`exchange` None: nothing is exchanged with DPS.

    `away` says which service did not answer, and why; what it would have told is empty, or None.
    """

    at: datetime
    tables: tuple[TableStanding, ...]
    partitions: tuple[PartitionStanding, ...]
    parked: tuple[ParkedRows, ...]
    due: int | None
    group: GroupStanding | None
    connector: ConnectorStanding | None
    exchange: ExchangeStanding | None
    away: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        return not self.away


@dataclass(frozen=True, slots=True)
class _Sync:
    """What the `sync` schema tells."""

    tables: tuple[TableStanding, ...] = ()
    partitions: tuple[PartitionStanding, ...] = ()
    parked: tuple[ParkedRows, ...] = ()
    due: int | None = None
    epoch: int | None = None


def status(settings: Settings, keys: int = KEYS_SHOWN) -> Status:
    """Raises what is wrong with the configuration; a service that is away is named in the answer."""
    away: list[str] = []
    sync = _unless_away(lambda: _sync(settings, keys), away) or _Sync()
    return Status(
        at=datetime.now(UTC),
        tables=sync.tables,
        partitions=sync.partitions,
        parked=sync.parked,
        due=sync.due,
        group=_unless_away(lambda: _group(settings), away),
        connector=_unless_away(lambda: _connector(settings, sync.epoch), away),
        exchange=None if settings.dps is None else _exchange(settings, settings.dps.sync_schema, keys, away),
        away=tuple(away),
    )


def _exchange(settings: Settings, schema: str, keys: int, away: list[str]) -> ExchangeStanding:
    def told() -> tuple[ExchangeStanding, int | None]:
        engine = dps_engine(settings)
        try:
            require_latest(engine, schema, "dps")
            name = source_of(settings, "dps").connector
            found = ExchangeStanding(
                links(engine, schema), parked_work(engine, schema, keys), partitions(engine, schema)
            )
            return found, current_epoch(engine, name, schema)
        finally:
            engine.dispose()

    found, epoch = _unless_away(told, away) or (ExchangeStanding(), None)
    return replace(
        found,
        group=_unless_away(lambda: _group(settings, EXCHANGE), away),
        connector=_unless_away(lambda: _connector(settings, epoch, "dps"), away),
    )


def _unless_away(look: Callable[[], T], away: list[str]) -> T | None:
    try:
        return look()
    except PipelineError as error:
        if error.exit_code == ExitCode.USAGE:
            raise
        away.append(error.sentence)
        return None


def _sync(settings: Settings, keys: int) -> _Sync:
    engine, schema = pim_engine(settings), settings.pim.sync_schema
    try:
        require_latest(engine, schema)
        parked, due = parked_rows(engine, schema, keys)
        return _Sync(
            tables=tables(engine, schema, [table.name for table in AJERA_TO_PIM.sources]),
            partitions=partitions(engine, schema),
            parked=parked,
            due=due,
            epoch=current_epoch(engine, settings.connect.connector_name, schema),
        )
    finally:
        engine.dispose()


def _group(settings: Settings, route: RouteName = TO_PIM) -> GroupStanding:
    found = lag(settings, route)
    return GroupStanding(found.state, found.members, found.lag, found.delay_seconds)


def _connector(settings: Settings, epoch: int | None, system: System = "ajera") -> ConnectorStanding:
    connect = connect_client(settings)
    try:
        found = connect.status(source_of(settings, system).connector)
    finally:
        connect.close()
    return ConnectorStanding(found.name, found.state, found.is_running, found.failure, epoch)
