"""How the route stands, from `sync`, Kafka and Connect. What does not answer is named; the rest is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine

from pipeline.config import Settings
from pipeline.database.migrate import require_latest
from pipeline.database.standing import ParkedRows, PartitionStanding, TableStanding, parked_rows, partitions, tables
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.errors import PipelineError
from pipeline.operations import connectors
from pipeline.operations.lag import lag
from pipeline.wiring import pim_engine

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
    """The connector as Connect tells of it; `epoch` None before the first `apply`."""

    name: str
    state: str
    running: bool
    failure: str
    epoch: int | None


@dataclass(frozen=True, slots=True)
class Status:
    """`away` says which service did not answer, and why."""

    at: datetime
    tables: tuple[TableStanding, ...]
    partitions: tuple[PartitionStanding, ...]
    parked: tuple[ParkedRows, ...]
    due: int
    group: GroupStanding | None
    connector: ConnectorStanding | None
    away: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        return not self.away


def status(settings: Settings, keys: int = KEYS_SHOWN) -> Status:
    """Raises SyncSchemaOutdated and TargetBusy: without `sync` there is nothing to tell."""
    engine = pim_engine(settings)
    try:
        require_latest(engine, settings.pim.sync_schema)
        return _status(settings, engine, keys)
    finally:
        engine.dispose()


def _status(settings: Settings, engine: Engine, keys: int) -> Status:
    away: list[str] = []
    schema = settings.pim.sync_schema
    parked, due = parked_rows(engine, schema, keys)
    return Status(
        at=datetime.now(UTC),
        tables=tables(engine, schema, [table.name for table in AJERA_TO_PIM.sources]),
        partitions=partitions(engine, schema),
        parked=parked,
        due=due,
        group=_group(settings, away),
        connector=_connector(settings, away),
        away=tuple(away),
    )


def _group(settings: Settings, away: list[str]) -> GroupStanding | None:
    try:
        found = lag(settings)
    except PipelineError as error:
        away.append(error.sentence)
        return None
    return GroupStanding(found.state, found.members, found.lag, found.delay_seconds)


def _connector(settings: Settings, away: list[str]) -> ConnectorStanding | None:
    try:
        shown = connectors.show(settings)
    except PipelineError as error:
        away.append(error.sentence)
        return None
    found = shown.status
    return ConnectorStanding(found.name, found.state, found.is_running, found.failure, shown.epoch)
