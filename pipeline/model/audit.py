"""The audit line: what a command that changes something leaves behind, and where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who typed what, when (aware, UTC), and how it ended: "ok", or the code of the error.

    `who` is the operating system's user and host, `arguments` what was typed behind the command,
    without row values and secrets.
    """

    at: datetime
    who: str
    command: str
    arguments: str
    outcome: str


@dataclass(frozen=True, slots=True)
class AuditLine:
    """An entry as it is kept. `number` grows; `database_user` is who wrote it there."""

    number: int
    entry: AuditEntry
    database_user: str


class Changes(Enum):
    """What a command changes, and so in which routes' states its audit line is kept."""

    NOTHING = "nothing: no line"
    BY_EVENTS = "rows, as their events say: the ledger is the line"
    ROUTE = "the route that --route names, or every route"
    PROJECTION = "the projection that --route names, or every projection"
    SOURCE = "every route that reads the system that --source names"
    EXCHANGE = "the exchange with DPS"
    EVERY_ROUTE = "every route"

    @property
    def is_audited(self) -> bool:
        return self not in (Changes.NOTHING, Changes.BY_EVENTS)
