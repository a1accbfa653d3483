"""DPS's tables, which people fill, and the route that writes columns of them beside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from pipeline.conflicts.link import Link, LinkSide, State
from pipeline.engine.projection import following
from pipeline.engine.projection.stage import StageSettings, stage
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.mapping.target import TargetRow
from pipeline.model.event import Event, Operation, Row, Value
from pipeline.model.position import TopicOffset
from tests.support.engine import Consumer, Ticking, ready
from tests.support.events import NOON, event, position
from tests.support.linked import project_key
from tests.support.tabs import OBSERVED, TABS, THEIRS
from tests.twins.clock import Ticks
from tests.twins.pairs import MemoryPairs
from tests.twins.systems import both_systems
from tests.twins.tables import Change
from tests.twins.target import MemoryTarget

TABLES = {one.name: one for one in THEIRS.targets}


@dataclass
class Office:
    """DPS's tables, which people fill, an exchange, and the route that writes its columns there."""

    route: Route = TABS
    pairs: MemoryPairs = field(default_factory=lambda: both_systems(Ticks(NOON)))
    clock: Ticking = field(default_factory=Ticking)
    edits: Counter[tuple[str, str]] = field(default_factory=Counter)
    delivered: int = 0

    def __post_init__(self) -> None:
        self.target = ready(MemoryTarget(self.route, beside=self.pairs))
        self.people = MemoryTarget(THEIRS)
        self.people.targets, self.people.locks = self.target.targets, self.target.locks
        self.people.log = self.target.log
        with self.target.transaction() as transaction:
            following.follow(transaction, self.route, self.clock.now())

    def people_write(self, table: str, *key: str, **columns: Value) -> None:
        with self.people.transaction() as transaction:
            transaction.upsert(table, [TargetRow(table, key, columns)])

    def link(self, key: int, number: str) -> None:
        halves = LinkSide("AxProject", str(key)), LinkSide("PR", project_key(number))
        link = Link(f"{key}-{number}", "project", *halves, state=State.LINKED)
        with self.pairs.transaction() as transaction:
            transaction.links([link.id])
            transaction.store([(link, None)])

    def people_delete(self, table: str, row_id: str) -> None:
        with self.people.transaction() as transaction:
            transaction.remove(table, row_id)

    def end(self, key: int, number: str) -> None:
        """The two are not linked any more."""
        with self.pairs.transaction() as transaction:
            (link,) = transaction.links([f"{key}-{number}"]).values()
            transaction.store([(replace(link, state=State.ENDED), None)])

    def take(self, *events: Event) -> Consumer:
        consumer = Consumer(self.target, events, clock=self.clock, route=self.route)
        consumer.take(events)
        self.edits += consumer.telemetry.edits
        return consumer

    def drain(self) -> None:
        consumer = Consumer(self.target, (), clock=self.clock, route=self.route)
        consumer.drain()
        self.edits += consumer.telemetry.edits

    def stage(self, *events: Event) -> None:
        """What a process does that dies then."""
        staged(self.target, self.route, events, self.clock.now())

    def captured(self, since: int = 0) -> list[Event]:
        """What DPS's connector makes of the changes of its tables, in their order."""
        return [seen(number, one) for number, one in enumerate(self.target.log)][since:]

    def deliver(self) -> Consumer:
        """Everything that was captured and not delivered yet."""
        events = self.captured(self.delivered)
        self.delivered += len(events)
        return self.take(*events)

    def rows(self, table: str) -> dict[tuple[Value, ...], Row]:
        """By the whole key the other columns."""
        key = TABLES[table].key
        return {
            tuple(row[name] for name in key): {
                name: value for name, value in row.items() if name not in key
            }
            for row in self.target.rows(table)
        }


def project(key: int, at: int, name: str) -> Event:
    return event("AxProject", key, at=at, prjDescription=name)


def group(key: int, at: int, of: int, client: int | None = None) -> Event:
    return event("AxInvoiceGroup", key, at=at, igProject=of, igClient=client)


def seen(number: int, change: Change[Row]) -> Event:
    """A committed change of DPS, the number-th one, as an event with the columns that are read."""
    table = next(one.table for one in OBSERVED if one.table.name == change.table)
    row = change.after or change.before or {}
    operation = Operation.CREATE if change.before is None else Operation.UPDATE
    return Event(
        table=table.name,
        key=table.key_text([row[name] for name in table.key]),
        operation=operation if change.after else Operation.DELETE,
        row={one.name: row[one.name] for one in table.columns} if change.after else {},
        position=position(number),
        place=TopicOffset(1, 0, number),
        committed_at=NOON,
        epoch=2,
    )


def staged(target: MemoryTarget, route: Route, events: Sequence[Event], now: datetime) -> None:
    """The first transaction alone: whoever does it dies before the second."""
    settings = StageSettings(route, Site(), timedelta(seconds=60))
    with target.transaction() as transaction:
        stage(transaction, settings, events, int(now.timestamp()), now)
