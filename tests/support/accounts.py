"""The accounting route on a target in memory, beside an exchange: Ajera's books as events, and what
DPS's tabs show of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import count

from pipeline.conflicts.link import Link, LinkSide, State
from pipeline.domain import dps
from pipeline.domain.routes import ACCOUNTING
from pipeline.engine.projection import following
from pipeline.mapping.site import Assumptions, Site
from pipeline.mapping.target import TargetRow
from pipeline.model.event import Event, Operation, Row, Value
from tests.support.engine import Consumer, Counted, Ticking, ready
from tests.support.events import NOON, event_at
from tests.support.tabs import theirs
from tests.twins.clock import Ticks
from tests.twins.pairs import MemoryPairs
from tests.twins.systems import both_systems
from tests.twins.target import MemoryTarget

WHOLE = (" ", " ")  # WBS2 and WBS3 of a project
LABOR, EXPENSE, CONSULTANT = 1, 2, 3  # in actType
ACTIVITIES = {LABOR: 10, EXPENSE: 20, CONSULTANT: 30}  # the key of one of each type
DRAFT, FINAL = 1, 2  # in ciStatus
DAY = date(2026, 3, 2)


@dataclass
class Accounts:
    """A firm whose project 1 is linked with P-1, and its employee 5 with E-5."""

    assumptions: Assumptions = field(default_factory=Assumptions)
    pairs: MemoryPairs = field(default_factory=lambda: both_systems(Ticks(NOON)))
    clock: Ticking = field(default_factory=Ticking)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.site = Site(assumptions=self.assumptions)
        self.route = ACCOUNTING.only(ACCOUNTING.at(self.assumptions))
        self.target = ready(MemoryTarget(self.route, beside=self.pairs))
        self.people = MemoryTarget(theirs(self.route))
        self.people.targets, self.people.locks = self.target.targets, self.target.locks
        with self.target.transaction() as transaction:
            following.follow(transaction, self.route, self.clock.now())
        self.people_write("PR", "P-1", *WHOLE)
        self.link("project", 1, dps.PR.key_text(("P-1", *WHOLE)))
        self.link("employee", 5, "E-5")
        self.take(
            *(self.changed("AxActivity", key, actType=kind) for kind, key in ACTIVITIES.items())
        )

    # -- what people do ----------------------------------------------------------------------------

    def people_write(self, table: str, *key: str, **columns: Value) -> None:
        with self.people.transaction() as transaction:
            transaction.upsert(table, [TargetRow(table, key, columns)])

    def link(self, entity: str, key: int, other: str) -> None:
        tables = ("AxProject", "PR") if entity == "project" else ("AxVec", "EM")
        halves = LinkSide(tables[0], str(key)), LinkSide(tables[1], other)
        link = Link(f"{entity} {key}", entity, *halves, state=State.LINKED)
        with self.pairs.transaction() as transaction:
            transaction.links([link.id])
            transaction.store([(link, None)])

    def changed(self, table: str, key: int, operation: str = "u", /, **values: Value) -> Event:
        """An event whose row holds nulls but for these values."""
        source = ACCOUNTING.source(table)
        row: dict[str, Value] = dict.fromkeys(one.name for one in source.columns)
        row |= {source.columns[0].name: key} | values
        return event_at(table, str(key), row, Operation(operation), next(self._numbers))

    def project(self, key: int = 1, /, *, of: int | None = None, **values: Value) -> Event:
        """The project, or with `of` a phase; it bills a fee."""
        usual: dict[str, Value] = {"prjBillingType": "FixedFee", "prjStatus": 1, "prjProject": of}
        return self.changed("AxProject", key, **{**usual, **values})

    def charge(self, key: int, kind: int = LABOR, /, **values: Value) -> Event:
        """A transaction that counts."""
        usual: dict[str, Value] = {
            "tIsCurrent": True,
            "tProject": 1,
            "tActivity": ACTIVITIES[kind],
            "tDate": DAY,
        }
        return self.changed("AxTransaction", key, **{**usual, **values})

    # -- what happens then -------------------------------------------------------------------------

    def take(self, *events: Event, most_roots: int = 10_000) -> Counted:
        """In one batch, and everything that is due of it."""
        consumer = Consumer(
            self.target,
            events,
            clock=self.clock,
            route=self.route,
            site=self.site,
            most_roots=most_roots,
        )
        consumer.take(events)
        consumer.drain()
        return consumer.telemetry

    def shown(self, *key: str) -> Row:
        """The row of a project in DPS, P-1 by default."""
        wanted = (key or ("P-1",))[0]
        return next(row for row in self.target.rows("PR") if row["WBS1"] == wanted)

    def team(self) -> dict[tuple[Value, Value], tuple[Value, ...]]:
        """By employee and role hours and first day."""
        return {
            (row["Employee"], row["Role"]): (row.get("Hours"), row.get("StartDate"))
            for row in self.target.rows("EMProjectAssoc")
        }
