"""Any interleaving, statement by statement, of processes of a projection with people who edit the
rows that it writes, and with what DPS's connector makes of both, late, twice, rewound, or staged by
somebody who died: in the end the columns that Ajera owns hold what Ajera says, those of people hold
what they wrote, and each edit that was written over was counted, and nothing else.

In memory; the contract suites (tests/contracts/test_written_rows.py, test_adopted_rows.py) hold
these databases to PostgreSQL.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from pipeline.engine.projection import following
from pipeline.errors import PipelineError
from pipeline.mapping.source import key_text
from pipeline.mapping.target import TargetRow
from pipeline.model.event import Event, Operation, Row, Value
from tests.support.engine import Consumer, Ticking, patiently, ready
from tests.support.events import NOON, event
from tests.support.histories import batches
from tests.support.office import Office, seen, staged
from tests.support.tabs import LEAD, PROJECT, TABS, TEAM, THEIRS
from tests.twins.clock import Ticks
from tests.twins.systems import both_systems
from tests.twins.tables import Change
from tests.twins.target import MemoryTarget
from tests.twins.turns import Schedule

RUNS = int(os.environ.get("AJERA_CDC_EDITS", "150"))
SEED = int(os.environ.get("AJERA_CDC_SEED", "20261127"))
NUMBERS = {"1": "P-1", "2": "P-2"}  # of linked projects, by their key in Ajera
GROUPS = range(5, 9)
OWNED = {
    PROJECT.name: ("AjeraName", "AjeraGroups"),
    TEAM.name: ("WBS1", "WBS2", "WBS3", "Employee", "Role", "Hours"),
}
FREE = {PROJECT.name: "Memo", TEAM.name: "RoleDescription"}


class Told(list[Change[Row]]):
    """What one writer commits, told to a log of all."""

    def __init__(self, log: list[tuple[str, Change[Row]]], who: str) -> None:
        super().__init__()
        self._log = log
        self._who = who

    def append(self, change: Change[Row]) -> None:
        self._log.append((self._who, change))


class Person:
    """Edits rows, a transaction each, with values that Ajera never has."""

    def __init__(self, world: World, rng: random.Random) -> None:
        self._world = world
        self._rng = rng

    def work(self, steps: int) -> None:
        for _ in range(steps):
            with suppress(PipelineError):  # a row is gone by now, or they wait for each other
                self._rng.choice((self._edit, self._edit, self._edit, self._delete, self._add))()

    def _edit(self) -> None:
        table = self._rng.choice((PROJECT.name, TEAM.name))
        rows = self._world.target.rows(table)
        if not rows:
            return
        row, key = self._rng.choice(rows), self._world.people.route.target(table).key
        columns = [one for one in (*OWNED[table], FREE[table]) if one not in key]
        chosen = self._rng.sample(columns, self._rng.choice((1, 1, 2)))
        values = {name: self._new(name) for name in chosen}
        with self._world.people.transaction() as transaction:
            whole = TargetRow(table, tuple(str(row[name]) for name in key), values)
            if transaction.written.held(table, [*whole.key]) or table == PROJECT.name:
                transaction.upsert(table, [whole])

    def _new(self, column: str) -> Value:
        self._world.made += 1
        number = self._world.made
        return -number if column in ("Hours", "AjeraGroups") else f"m{number}"

    def _delete(self) -> None:
        rows = self._world.target.rows(TEAM.name)
        if rows:
            with self._world.people.transaction() as transaction:
                transaction.remove(TEAM.name, str(self._rng.choice(rows)["RecordID"]))

    def _add(self) -> None:
        self._world.made += 1
        key: Row = {
            "WBS1": self._rng.choice([*NUMBERS.values()]),
            "WBS2": self._rng.choice((" ", " ", "1")),
            "WBS3": " ",
            "Employee": str(self._rng.choice(GROUPS)),
            "Role": LEAD,
        }
        row = TargetRow(
            TEAM.name, (f"{self._world.made:032d}",), {**key, "RoleDescription": "made"}
        )
        with self._world.people.transaction() as transaction:
            transaction.upsert(TEAM.name, [row])


class World:
    """One run: some events were taken before the tasks begin."""

    def __init__(self, rng: random.Random, events: list[Event]) -> None:
        self.rng = rng
        self.events = events
        before = rng.choice((0, len(events) // 2, len(events) // 2, len(events)))
        self.left = events[before:]
        self.made = 0
        self.edits: Counter[tuple[str, str]] = Counter()
        self.log: list[tuple[str, Change[Row]]] = []
        self.schedule = Schedule(rng, rng.choice((0, 6, 30)))
        self.clock = Ticking()
        self.office = Office(pairs=both_systems(Ticks(NOON), turns=self.schedule))
        pairs = self.office.pairs
        self.target = ready(MemoryTarget(TABS, turns=self.schedule, beside=pairs))
        self.people = MemoryTarget(THEIRS, turns=self.schedule)
        self.people.targets, self.people.locks = self.target.targets, self.target.locks
        self.target.log, self.people.log = Told(self.log, "ours"), Told(self.log, "person")
        with self.target.transaction() as transaction:
            following.follow(transaction, TABS, self.clock.now())
        for key, number in NUMBERS.items():
            with self.people.transaction() as transaction:
                rows = [TargetRow(PROJECT.name, (number, one, " "), {}) for one in (" ", "1")]
                transaction.upsert(PROJECT.name, rows)
            self.office.link(int(key), number)
        first = self.consumer(events[:before])
        first.take(events[:before])
        first.drain()

    def consumer(self, events: Sequence[Event]) -> Consumer:
        return Consumer(self.target, events, clock=self.clock, route=TABS)

    def taken(self, batch: Sequence[Event]) -> None:
        """By a process that may die between its two transactions."""
        if self.rng.random() < 0.15:
            patiently(partial(staged, self.target, TABS, batch, self.clock.now()))
            return
        consumer = self.consumer(batch)
        consumer.take(batch)
        consumer.processor.drain(patiently, waiting_retry_seconds=10.0)
        self.edits += consumer.telemetry.edits

    def ajera(self) -> None:
        """The process that has Ajera's topics."""
        for batch in batches(self.rng, self.left):
            self.taken(batch)

    def echoes(self, rounds: int) -> None:
        """The process that has DPS's, which reads on, or once more from before."""
        start = 0
        for _ in range(rounds):
            captured = self.captured()
            batch = captured[start : start + self.rng.choice((1, 3, 20))]
            self.taken(batch)
            start = self.rng.choice((start + len(batch), start + len(batch), start // 2))

    def captured(self) -> list[Event]:
        """What DPS's connector makes of what was committed until now."""
        return [seen(number, change) for number, (_, change) in enumerate(self.log)]

    def settle(self) -> None:
        """Everything is read, until nothing more is written."""
        before = -1
        while len(self.log) != before:
            before = len(self.log)
            consumer = self.consumer(events := self.captured())
            consumer.take(events)
            consumer.drain()
            self.edits += consumer.telemetry.edits


def history(rng: random.Random, length: int) -> list[Event]:
    """Committed changes of Ajera."""
    events: list[Event] = []
    offsets: Counter[str] = Counter()
    for number in range(1, length + 1):
        table = "AxProject" if number <= len(NUMBERS) or rng.random() < 0.3 else "AxInvoiceGroup"
        key = number if number <= len(NUMBERS) else rng.choice((1, 2))
        columns: dict[str, Value] = {"prjDescription": f"v{number}"}
        operation = "u"
        if table == "AxInvoiceGroup":
            key, operation = rng.choice(GROUPS), rng.choice(("u", "u", "u", "d"))
            columns = {"igProject": rng.choice((1, 2)), "igClient": number}
        one = event(table, key, operation, at=number, offset=offsets[table])
        offsets[table] += 1
        one = replace(one, row={**one.row, **columns} if one.row else {})
        events.append(replace(one, committed_at=NOON + timedelta(seconds=number)))
    return events


def expected(events: Sequence[Event]) -> tuple[dict[str, str], dict[str, dict[str, Value]]]:
    """What Ajera says: by number the project's name, and the hours of its groups."""
    names: dict[str, str] = {}
    groups: dict[str, Row] = {}
    for one in events:
        if one.table == "AxProject":
            names[NUMBERS[one.key]] = str(one.row["prjDescription"])
        elif one.operation is Operation.DELETE:
            groups.pop(one.key, None)
        else:
            groups[one.key] = one.row
    teams: dict[str, dict[str, Value]] = {number: {} for number in NUMBERS.values()}
    for key, row in groups.items():
        teams[NUMBERS[str(row["igProject"])]][key] = row["igClient"]
    return names, teams


def wrong(world: World) -> Iterator[str]:
    """Rows that do not hold what Ajera says."""
    names, teams = expected(world.events)
    for row in world.target.rows(PROJECT.name):
        number = str(row["WBS1"])
        if row["WBS2"] == " " and row["AjeraName"] != names[number]:
            yield f"{number}: name"
        if row["WBS2"] == " " and row["AjeraGroups"] != len(teams[number]):
            yield f"{number}: groups"
    held = {row["RecordID"]: row for row in world.target.rows(TEAM.name)}
    ours = world.target.adopted.rows
    wanted = {
        (number, group): hours for number, team in teams.items() for group, hours in team.items()
    }
    if {(place[1], place[3]) for place in ours} != wanted.keys():
        yield "team: which rows"
    for place, one in ours.items():
        row = held.get(one.row_id, {})
        told = [row.get(name) for name in OWNED[TEAM.name]]
        hours = wanted.get((str(place[1]), str(place[3])))
        if told != [place[1], " ", " ", place[3], LEAD, hours]:
            yield f"team: {place}"


def overwritten(log: Sequence[tuple[str, Change[Row]]]) -> tuple[Counter[tuple[str, str]], int]:
    """The edits that we wrote over, by the log of all writes; and how many rows of ours people
    deleted. What a row held before we wrote it first is none, nor is what we leave.
    """
    last: dict[tuple[str, str], Row] = {}
    edits: Counter[tuple[str, str]] = Counter()
    deleted = 0
    for who, change in log:
        row = (change.table, key_text(change.key))
        if who == "person":
            deleted += change.after is None and row in last
            if change.after is None:
                last.pop(row, None)
            continue
        before, after = change.before, change.after
        if after is None or (change.table == TEAM.name and after["Hours"] is None):
            last.pop(row, None)
            continue
        if row in last and before is not None:
            edits.update(
                (change.table, name)
                for name in OWNED[change.table]
                if before[name] != last[row][name] and after[name] != before[name]
            )
        last[row] = after
    return edits, deleted


@pytest.mark.timeout(600)
@pytest.mark.parametrize("crowd", [1, 2])
def test_any_interleaving_of_edits_echoes_and_changes_ends_as_ajera_says_and_counts_real_edits(
    crowd: int,
) -> None:
    """A seed decides before each statement who continues: so many people and readers of echoes."""
    print(f"seed {SEED}, {RUNS} runs")
    for run in range(RUNS):
        rng = random.Random(f"edits {SEED} {crowd} {run}")
        world = World(rng, history(rng, rng.choice((4, 10, 25))))
        steps = rng.choice((2, 5, 15))
        tasks: list[Callable[[], object]] = [world.ajera]
        tasks += [partial(Person(world, rng).work, steps) for _ in range(crowd)]
        tasks += [partial(world.echoes, steps) for _ in range(crowd)]
        try:
            world.schedule.run(tasks)
            world.settle()
            check(world)
        except AssertionError as error:
            error.add_note(f"run {run}")
            raise


def check(world: World) -> None:
    assert [*wrong(world)] == []
    edits, deleted = overwritten(world.log)
    made_again = world.edits.pop((TEAM.name, TEAM.row_id), 0)
    assert world.edits == edits
    assert made_again <= deleted
    for who, change in world.log:
        if who == "ours" and change.before is not None and change.after is not None:
            assert change.before[FREE[change.table]] == change.after[FREE[change.table]]
            assert change.table == TEAM.name or change.after["WBS2"] == " "
