"""What `status` shows: routes, their groups and states, and connectors.
None, or left out, is what did not answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.connect.status import TaskStatus
from pipeline.database.state.consumers import ConsumerStatus
from pipeline.database.state.status import (
    LinkStatus,
    ParkedRows,
    ParkedWorkStatus,
    PartitionStatus,
    TableStatus,
)
from pipeline.database.state.unknown import UnknownColumn
from pipeline.database.systems.capture_health import CaptureHealth
from pipeline.model.halt import Halt
from pipeline.operations.backlog import Freshness
from pipeline.operations.group_state import GroupVerdict
from pipeline.operations.lag import Lag
from pipeline.operations.skipped_rows import SkippedRows


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """The consumer group, as `Lag` has it, without the single partitions."""

    name: str
    state: GroupVerdict
    members: int
    lag: int | None
    delay_seconds: float | None
    applied_until: datetime | None
    lost: int
    rewound: int
    retention_left_seconds: float | None
    is_expiring: bool
    missing: tuple[str, ...]
    sources: tuple[Freshness, ...]


def group_of(found: Lag) -> GroupStatus:
    """What a route's lag says of its group."""
    return GroupStatus(
        name=found.group,
        state=found.state,
        members=found.members,
        lag=found.lag,
        delay_seconds=found.delay_seconds,
        applied_until=found.applied_until,
        lost=found.lost,
        rewound=found.rewound,
        retention_left_seconds=found.retention_left_seconds,
        is_expiring=found.is_expiring,
        missing=found.missing,
        sources=found.sources,
    )


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
    halted: tuple[Halt, ...] = ()
    consumers: tuple[ConsumerStatus, ...] = ()
    skipped: tuple[SkippedRows, ...] = ()


@dataclass(frozen=True, slots=True)
class RouteStatus:
    """A route. `state` and `group` are None where what holds them did not answer."""

    name: str
    title: str
    group: GroupStatus | None
    state: RouteState | None


@dataclass(frozen=True, slots=True)
class ConnectorStatus:
    """A connector as Connect reports it. `state` is FAILED also if one of its tasks is.
    `epoch` None before the first `apply`, or where no state answered. `capture`: what the source
    says of it, None where the source does not answer or may not be asked.
    """

    source: str
    name: str
    state: str
    running: bool
    failure: str
    tasks: tuple[TaskStatus, ...]
    epoch: int | None
    capture: CaptureHealth | None = None
