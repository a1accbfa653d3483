"""Rows of few names come and go on both sides, in memory, while the exchange reads them:
who is linked to whom, and what a replay makes of it.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pipeline.conflicts.first import FirstLinkPolicy
from pipeline.conflicts.rules import Side
from pipeline.domain.dps import CLENDOR, CONTACTS, EM, PR
from pipeline.domain.exchange_tables import AX_CONTACT, AX_PROJECT, AX_VEC, CODE_LISTS, SIDES
from pipeline.engine.consumer.circuit import Limits
from pipeline.engine.exchange.processor import Exchange
from pipeline.engine.exchange.unit_of_work import ExchangeConfig
from pipeline.mapping.source import ColumnType, SourceTable
from pipeline.model.event import Row, Value
from pipeline.model.position import TopicPartition
from tests.support.engine import Counted, patiently
from tests.support.kinds import kinds_of
from tests.support.writers import reconciler_with
from tests.twins.clock import Ticks
from tests.twins.messages import MemoryDeadLetters
from tests.twins.people import PEOPLE, People
from tests.twins.systems import both_systems, list_table
from tests.twins.topics import INCARNATION, Topics, messages

AJERA, DPS = Side.AJERA, Side.DPS
MORNING = datetime(2026, 11, 25, 8, tzinfo=UTC)
NAMES = ("Ann", "Bob")
QUIET = 60


@dataclass(frozen=True)
class Kind:
    """One side of a kind of row: its table, the column of its name, what else it holds;
    `ticked`: columns that people tick, with both values.
    """

    table: SourceTable
    name: str
    columns: Row
    ticked: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)


def _vec(name: str, *, client: bool, vendor: bool, employee: bool, **others: Value) -> Kind:
    kinds = {"vecIsClient": client, "vecIsVendor": vendor, "vecIsEmployee": employee}
    ticked = {"vecSyncToCRM": (False, True)} if client else {}
    return Kind(AX_VEC, name, {**kinds, **others}, ticked)


TICKED = {"AjeraSync": ("N", "Y")}
KINDS: Mapping[str, Mapping[Side, Kind]] = {
    "employee": {
        AJERA: _vec("vecLastName", client=False, vendor=False, employee=True),
        DPS: Kind(EM, "LastName", {"Status": "A"}),
    },
    "vendor": {
        AJERA: _vec("vecDescription", client=False, vendor=True, employee=False, vecVendorType=7),
        DPS: Kind(CLENDOR, "Name", {"ClientInd": "N", "VendorInd": "Y", "Status": "A"}),
    },
    "firm": {
        AJERA: _vec("vecDescription", client=True, vendor=False, employee=False),
        DPS: Kind(CLENDOR, "Name", {"ClientInd": "Y", "VendorInd": "N", "Status": "A"}, TICKED),
    },
    "contact": {
        AJERA: Kind(AX_CONTACT, "cntLastName", {"cntStatus": 1}, {"cntSyncToCRM": (False, True)}),
        DPS: Kind(CONTACTS, "LastName", {"Status": "A"}, TICKED),
    },
    "project": {
        AJERA: Kind(
            AX_PROJECT,
            "prjDescription",
            {"prjStatus": 1},
            {"prjSyncToCRM": (False, True), "prjCreateInCRM": (False, True)},
        ),
        DPS: Kind(PR, "Name", {"WBS2": " ", "WBS3": " ", "Status": "A"}, TICKED),
    },
}


class Namesakes:
    """One run with one kind of row. `two_way`: Ajera's version is 8.09 or newer."""

    def __init__(self, seed: int, kind: str, *, two_way: bool = True) -> None:
        self.rng = random.Random(f"namesakes {seed}")
        self.kind = kind
        self.clock = Ticks(MORNING, timedelta(milliseconds=1))
        self.pairs = both_systems(self.clock, first_key=1000)
        databases = {AJERA: self.pairs.ajera_database, DPS: self.pairs.dps_database}
        self.people = {side: People(database) for side, database in databases.items()}
        types = next(one.ajera for one in CODE_LISTS if one.name == "consultant")
        self.people[AJERA].insert(
            list_table(types, ColumnType.INTEGER),
            vtKey=7,
            vtDescription="Consultant",
            vtIsConsultant=True,
        )
        self.topics = Topics(self.pairs)
        self.next: Counter[TopicPartition] = Counter()
        self.keys = 0
        self.setup = _setup(two_way=two_way)
        self.exchange = self._started()

    def run(self, steps: int) -> None:
        """So many steps, and then quiet."""
        acts = (self.insert, self.insert, self.delete, self.rename, self.tick, self.rekey)
        for _ in range(steps):
            act: Callable[[Side], None] = self.rng.choice(acts)
            act(self.rng.choice(list(Side)))
            self.clock.wait(timedelta(seconds=self.rng.choice((0, 1, 90, 4000))))
            self.topics.capture()
            if self.rng.random() < 0.8:
                self.deliver_some()
        self.settle()

    def replay(self) -> None:
        """A new process reads everything again, the partitions in any interleaving."""
        self.next.clear()
        self.exchange = self._started()
        while self.deliver_some():
            pass
        self.settle()

    def capture_again(self) -> None:
        """Both captures are made again: every row that is there is read."""
        for side in Side:
            self.topics.capture_again(side)
        self.settle()

    def settle(self) -> None:
        """Deliver and retry until nothing happens any more."""
        self.topics.capture()
        for _ in range(QUIET):
            seen = self.state()
            while self.deliver_some():
                pass
            self.exchange.drain(patiently, waiting_retry_seconds=-1)
            self.topics.capture()
            if seen == self.state() and not self._partitions():
                return
        raise AssertionError("the two systems do not become quiet")

    def deliver_some(self) -> bool:
        """Some events of one partition; sometimes parked work is tried, too."""
        parts = self._partitions()
        if parts:
            part = self.rng.choice(parts)
            events = self.topics.events[part][self.next[part] :][: self.rng.choice((1, 2, 8))]
            handled = self.exchange.process(
                list(messages(events)), {part.topic: INCARNATION}, patiently
            )
            assert not handled.halted
            self.next.update(
                {part: offset - self.next[part] for part, offset in handled.next_offsets.items()}
            )
        if self.rng.random() < 0.3:
            self.exchange.drain(patiently, waiting_retry_seconds=self.rng.choice((1e6, -1)))
        return bool(parts)

    def _partitions(self) -> list[TopicPartition]:
        return [
            part for part, events in self.topics.events.items() if self.next[part] < len(events)
        ]

    def state(self) -> tuple[object, ...]:
        """Who is linked to whom, what is parked, and every row."""
        links = sorted(
            (str(one.ajera.key), str(one.dps.key), one.state.value)
            for one in self.pairs.links()
            if one.entity == self.kind  # what hangs on projects is not deleted with them here
        )
        rows = [
            self.people[side].database.rows(kind.table.name)
            for side, kind in KINDS[self.kind].items()
        ]
        return links, sorted(self.pairs.ours.parked.rows), rows

    # -- people ------------------------------------------------------------------------------------

    def insert(self, side: Side) -> None:
        kind = KINDS[self.kind][side]
        self.keys += 1
        key: Value = self.keys if side is AJERA else f"X{self.keys}"
        ticked = {column: self.rng.choice(values) for column, values in kind.ticked.items()}
        name = {kind.name: self.rng.choice(NAMES)}
        self.people[side].insert(
            kind.table, **{kind.table.key_columns[0].name: key, **kind.columns, **ticked, **name}
        )

    def delete(self, side: Side) -> None:
        if (row := self._any(side)) is not None:
            self.people[side].delete(KINDS[self.kind][side].table, self._key(side, row))

    def rename(self, side: Side) -> None:
        if (row := self._any(side)) is not None:
            kind = KINDS[self.kind][side]
            name = {kind.name: self.rng.choice(NAMES)}
            self.people[side].edit(kind.table, self._key(side, row), **name)

    def tick(self, side: Side) -> None:
        kind, row = KINDS[self.kind][side], self._any(side)
        if row is not None and kind.ticked:
            column = self.rng.choice(list(kind.ticked))
            value = self.rng.choice(kind.ticked[column])
            self.people[side].edit(kind.table, self._key(side, row), **{column: value})

    def rekey(self, side: Side) -> None:
        """In one transaction: the row under a new key, and the old one gone."""
        row = self._any(side)
        if row is None:
            return
        table = KINDS[self.kind][side].table
        self.keys += 1
        key: Value = self.keys if side is AJERA else f"X{self.keys}"
        with self.people[side].database.transaction(PEOPLE) as transaction:
            transaction.session.statement("rekey")
            transaction.insert(table.name, {**row, table.key_columns[0].name: key})
            values = [row[column.name] for column in table.key_columns]
            transaction.delete(
                table.name, tuple(one if isinstance(one, int) else str(one) for one in values)
            )

    def _any(self, side: Side) -> Row | None:
        rows = self.people[side].database.rows(KINDS[self.kind][side].table.name)
        return self.rng.choice(rows) if rows else None

    def _key(self, side: Side, row: Row) -> str:
        table = KINDS[self.kind][side].table
        return table.key_text([row[column.name] for column in table.key_columns])

    def _started(self) -> Exchange:
        telemetry = Counted()
        return Exchange(
            setup=self.setup,
            pairs=self.pairs,
            reconciler=reconciler_with(self.setup, self.pairs, telemetry, self.clock),
            sides={},
            decoder=self.topics,
            dead_letters=MemoryDeadLetters(),
            telemetry=telemetry,
            clock=self.clock,
            limits=Limits(),
        )


def _setup(*, two_way: bool) -> ExchangeConfig:
    return ExchangeConfig(
        entities=kinds_of(two_way=two_way),
        tables=SIDES,
        lists=CODE_LISTS,
        numbers={"project": "N{key}", "employee": "E{key}"},
        limits={"contact": None, "project_contact": None},
        policy=FirstLinkPolicy(),
    )
