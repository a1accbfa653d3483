"""Any interleaving, statement by statement, of two processes of a projection with an exchange that
links, suspends and ends pairs, from before the projection follows its links: in the end each linked
row has its root's values, and none is ever written under a link that did not give its key.

In memory; the contract suite (tests/contracts/test_linked_keys.py) holds these databases to
PostgreSQL.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import pytest

from pipeline.conflicts.link import Link, LinkSide, State
from pipeline.conflicts.rules import Side
from pipeline.domain.dps import PR
from pipeline.engine.projection.following import follow
from pipeline.errors import ConcurrentWrite, TargetBusy
from pipeline.model.event import Event, Operation, Row, Value
from tests.support.engine import Consumer, Ticking, patiently, ready
from tests.support.events import NOON, event
from tests.support.histories import PARTITIONS, arrivals, batches, process_of
from tests.support.linked import LINKED, PROJECT, REPORT, REPORT_GROUP, project_key
from tests.twins.clock import Ticks
from tests.twins.pairs import MemoryLinkTransaction, MemoryPairs
from tests.twins.systems import both_systems
from tests.twins.tables import Change
from tests.twins.target import MemoryTarget
from tests.twins.turns import Schedule

RUNS = int(os.environ.get("AJERA_CDC_LINKS", "200"))
SEED = int(os.environ.get("AJERA_CDC_SEED", "20261127"))
PROCESSES = 2
PROJECTS, GROUPS = range(1, 4), range(1, 6)
NUMBERS = [project_key(number) for number in ("P-1", "P-2", "P-3")]  # of DPS's projects


class Exchange:
    """What the exchange does to links, a step a transaction."""

    def __init__(self, pairs: MemoryPairs, rng: random.Random, name: str) -> None:
        self._pairs = pairs
        self._rng = rng
        self._name = name
        self._begun = 0

    def work(self, steps: int) -> None:
        for _ in range(steps):
            with suppress(ConcurrentWrite, TargetBusy):  # it tries again with other rows
                self._rng.choice((self._link, self._link, self._change, self._move))()

    def _link(self) -> None:
        taken = owners(self._pairs)
        free = [number for number in NUMBERS if number not in taken] or NUMBERS
        with self._pairs.transaction() as transaction:
            self._begin(transaction, self._rng.choice(free))

    def _change(self) -> None:
        with self._pairs.transaction() as transaction:
            link = self._some(transaction)
            if link is not None:
                transaction.store([(self._changed(link), None)])

    def _move(self) -> None:
        """A pair ends, and its row of DPS is paired with another one."""
        with self._pairs.transaction() as transaction:
            link = self._some(transaction)
            if link is not None:
                transaction.store([(replace(link, state=State.ENDED), None)])
                self._begin(transaction, link.dps.key or self._rng.choice(NUMBERS))

    def _begin(self, transaction: MemoryLinkTransaction, number: str) -> None:
        self._begun += 1
        is_whole = self._rng.random() < 0.8
        taken = {link.ajera.key for link in self._pairs.links() if link.state is not State.ENDED}
        free = [key for key in PROJECTS if str(key) not in taken]
        link = Link(
            f"{self._name}{self._begun}",
            PROJECT,
            LinkSide("AxProject", str(self._rng.choice(free or PROJECTS))),
            LinkSide("PR", number if is_whole else None),
            State.LINKED if is_whole else State.CREATING,
        )
        transaction.store([(link, None)])

    def _some(self, transaction: MemoryLinkTransaction) -> Link | None:
        """One that has not ended, locked."""
        there = [link.id for link in self._pairs.links() if link.state is not State.ENDED]
        if not there:
            return None
        (link,) = transaction.links([self._rng.choice(there)]).values()
        return None if link.state is State.ENDED else link

    def _changed(self, link: Link) -> Link:
        if link.dps.key is None:
            dps = replace(link.dps, key=self._rng.choice(NUMBERS))
            return replace(link, dps=dps, state=State.LINKED)
        out = frozenset({"ajera"}) - link.out
        off = frozenset({Side.DPS}) - link.off
        choices = (
            replace(link, state=State.ENDED),
            replace(link, out=out),
            replace(link, off=off),
            replace(link, number=link.number + 1),
        )
        return self._rng.choice(choices)


class Written(list[Change[Row]]):
    """The target's log, which asks at each commit whose link gives the row's key then."""

    def __init__(self, pairs: MemoryPairs) -> None:
        super().__init__()
        self._pairs = pairs
        self.wrong: list[Change[Row]] = []

    def append(self, change: Change[Row]) -> None:
        super().append(change)
        row = change.after or change.before or {}
        owner = owners(self._pairs).get(project_key(str(row["WBS1"])))
        name = str(row.get("Name", f"{owner} "))
        if owner is None or not name.startswith(f"{owner} "):
            self.wrong.append(change)


def owners(pairs: MemoryPairs) -> dict[str, str]:
    """By key in DPS the project whose link gives it."""
    given = (link.exchanged for link in pairs.links())
    return {keys[Side.DPS]: keys[Side.AJERA] for keys in given if keys is not None}


def history(rng: random.Random, length: int) -> list[Event]:
    """Committed changes of projects and their groups; a name tells whose it is."""
    events: list[Event] = []
    offsets: dict[tuple[str, int], int] = {}
    for number in range(1, length + 1):
        table = rng.choice(("AxProject", "AxProject", "AxInvoiceGroup"))
        key = rng.choice(PROJECTS if table == "AxProject" else GROUPS)
        operation = "d" if rng.random() < 0.1 else "u"
        partition = key % PARTITIONS
        offset = offsets[table, partition] = offsets.get((table, partition), -1) + 1
        columns: dict[str, Value] = (
            {"prjDescription": f"{key} v{number}"}
            if table == "AxProject"
            else {"igProject": rng.choice((None, *PROJECTS)), "igClient": rng.choice((1, 2))}
        )
        one = event(table, key, operation, at=number, offset=offset, partition=partition)
        one = replace(one, row={**one.row, **columns} if one.row else {})
        events.append(replace(one, committed_at=NOON + timedelta(seconds=number)))
    return events


def wrong(
    target: MemoryTarget, pairs: MemoryPairs, events: Sequence[Event]
) -> Iterator[tuple[str, str]]:
    """Rows of linked projects that do not hold what a recount gives."""
    projects: dict[str, Row] = {}
    groups: dict[str, Row] = {}
    deleted: set[str] = set()
    for one in events:
        rows = projects if one.table == "AxProject" else groups
        is_deleted = one.operation is Operation.DELETE
        if one.table == "AxProject":
            (deleted.add if is_deleted else deleted.discard)(one.key)
        if not is_deleted:
            rows[one.key] = one.row
        elif rows is groups:
            rows.pop(one.key, None)
    written = {row["WBS1"]: row for row in target.rows(REPORT.name)}
    below = [(row["WBS1"], row["Group"], row["Client"]) for row in target.rows(REPORT_GROUP.name)]
    for whole, key in owners(pairs).items():
        number = str(PR.key_values(whole)[0])
        if key not in projects:
            continue
        row = written.get(number, {})
        if row.get("Name") != projects[key]["prjDescription"]:
            yield number, "Name"
        if key in deleted:
            continue
        ours = [
            (number, of, str(group["igClient"]))
            for of, group in sorted(groups.items())
            if str(group["igProject"]) == key
        ]
        if row.get("Groups") != len(ours) or [one for one in below if one[0] == number] != ours:
            yield number, "Groups"


@dataclass
class World:
    """One run. What happens before the tasks begin: links are made and events are taken, by
    somebody who follows the links or does not.
    """

    rng: random.Random
    events: Sequence[Event]
    before: int

    def __post_init__(self) -> None:
        self.schedule = Schedule(self.rng, self.rng.choice((0, 6, 30)))
        self.clock = Ticking()
        self.pairs = both_systems(Ticks(NOON), turns=self.schedule)
        self.target = ready(MemoryTarget(LINKED, turns=self.schedule, beside=self.pairs))
        self.written = self.target.log = Written(self.pairs)
        if self.rng.random() < 0.5:
            self.follow()
        first = self.events[: self.before]
        self.exchange("first ", self.rng.choice((0, 1, 3)))
        self.consumer(first).take(first)
        self.exchange("then ", self.rng.choice((0, 1, 3)))

    def exchange(self, name: str, steps: int) -> None:
        Exchange(self.pairs, self.rng, name).work(steps)

    def follow(self) -> None:
        with self.target.transaction() as transaction:
            follow(transaction, LINKED, self.clock.now())

    def consumer(self, events: Sequence[Event]) -> Consumer:
        return Consumer(self.target, events, clock=self.clock, route=LINKED)

    def process(self, number: int, processes: int) -> None:
        """A process that starts, takes its share of the events, and drains, as the loop does."""
        patiently(self.follow)
        left = self.events[self.before :]
        mine = [one for one in left if process_of(one, processes) == number]
        consumer = self.consumer(mine)
        for batch in (*batches(self.rng, arrivals(self.rng, mine)), (), ()):
            consumer.take(batch)
            consumer.processor.drain(patiently, waiting_retry_seconds=10.0)

    def run(self, tasks: Sequence[Callable[[], object]]) -> None:
        """The tasks, and then quiet. Whatever is wrong is raised."""
        self.schedule.run(tasks)
        self.consumer([]).drain()
        assert [*wrong(self.target, self.pairs, self.events)] == []
        assert self.written.wrong == []


@pytest.mark.timeout(600)
@pytest.mark.parametrize("crowd", [1, 2])
def test_any_interleaving_of_links_and_recomputes_ends_with_each_linked_row_as_its_root_is(
    crowd: int,
) -> None:
    """A seed decides before each statement who continues: so many processes of each kind."""
    print(f"seed {SEED}, {RUNS} runs")
    for run in range(RUNS):
        rng = random.Random(f"links {SEED} {crowd} {run}")
        events = history(rng, rng.choice((4, 10, 25)))
        before = rng.choice((0, len(events) // 2, len(events)))
        world = World(rng, events, before)
        steps = rng.choice((1, 2, 5, 10)) if crowd > 1 else 1
        tasks: list[Callable[[], object]] = [
            partial(world.exchange, f"exchange{number} ", steps) for number in range(crowd)
        ]
        tasks += [partial(world.process, number, crowd) for number in range(crowd)]
        try:
            world.run(tasks)
        except AssertionError as error:
            error.add_note(f"run {run}")
            raise
