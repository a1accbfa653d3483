"""Any interleaving, statement by statement, of two processes of the accounting route with an
exchange that links projects and employees, while tables are becoming loaded and processes are
killed: in the end the tabs of each project that is linked and followed equal a recount from
scratch, to the last place; and none of them is written before its tables are loaded.

In memory; the contract suites hold this target to the databases.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial

import pytest

from pipeline.conflicts.link import Link, LinkSide, State
from pipeline.conflicts.rules import Side
from pipeline.domain.dps import EM, PR
from pipeline.domain.routes import ACCOUNTING
from pipeline.engine.projection.following import follow
from pipeline.errors import ConcurrentWrite, TargetBusy
from pipeline.model.event import Event, Row, Value
from tests.support.books import PEOPLE, Books
from tests.support.engine import Consumer, Ticking, loading_of, patiently, topic_of
from tests.support.events import NOON
from tests.support.histories import PARTITIONS, arrivals, batches, process_of
from tests.support.linked import project_key
from tests.support.recount import Recount, projects
from tests.twins.clock import Ticks
from tests.twins.messages import MemoryBroker
from tests.twins.pairs import MemoryPairs
from tests.twins.systems import both_systems
from tests.twins.tables import Change
from tests.twins.target import MemoryTarget
from tests.twins.turns import Schedule

RUNS = int(os.environ.get("AJERA_CDC_ACCOUNTS", "80"))
SEED = int(os.environ.get("AJERA_CDC_SEED", "20261127"))
ROUTE = ACCOUNTING.only(frozenset(ACCOUNTING.entities))
TOPICS = {table.name: topic_of(table.name) for table in ROUTE.sources}
PROCESSES, EPOCH = 2, 1
PROJECT, EMPLOYEE = "project", "employee"  # as the exchange calls them
NUMBERS = {PROJECT: ("P-1", "P-2", "P-3", "P-4"), EMPLOYEE: ("E-1", "E-2", "E-3")}
OURS = {PROJECT: (1, 2, 3, 4), EMPLOYEE: PEOPLE}  # few are often linked
TREE = {"AxProject"}
NEEDS = {  # of what people see, by how a column begins
    "AjeraSpent": TREE | {"AxTransaction", "AxActivity", "AxBeginningBalance"},
    "AjeraCost": TREE | {"AxTransaction", "AxActivity", "AxBeginningBalance"},
    "AjeraWIP": TREE | {"AxTransaction", "AxActivity", "AxClientInvoice"},
    "AjeraBilled": TREE | {"AxTransaction", "AxActivity", "AxClientInvoice", "AxBeginningBalance"},
    "AjeraReceived": TREE | {"AxReceipt", "AxBeginningBalance"},
    "TotalProjectCost": TREE | {"AxTransaction", "AxActivity", "AxBeginningBalance"},
    "FirmCost": TREE | {"AxTransaction", "AxActivity", "AxBeginningBalance"},
    "Fee": TREE | {"AxResource"},
    "ConsultFee": TREE | {"AxResource"},
    "ReimbAllow": TREE | {"AxResource"},
    "BudOHRate": {"AxEntity", "AxCompany"},
    "Hours": TREE | {"AxTransaction", "AxActivity", "AxEmployeeType"},
}


class Killed(BaseException):
    """The process is gone."""


class Mortal(Schedule):
    """A schedule under which a process may be killed before any statement or commit, and after a
    commit: so many times in all.
    """

    def __init__(self, rng: random.Random, stands_aside: int, deaths: int) -> None:
        super().__init__(rng, stands_aside)
        self._rng = rng
        self._deaths = deaths
        self._fuse = rng.randint(1, 60)
        self._local = threading.local()

    @contextmanager
    def may_die(self) -> Iterator[None]:
        self._local.is_mortal = True
        try:
            yield
        finally:
            self._local.is_mortal = False

    def reached(self, point: str) -> None:
        super().reached(point)
        if self._deaths and getattr(self._local, "is_mortal", False):
            self._fuse -= 1
            if self._fuse <= 0 and (point == "committed" or self._rng.random() < 0.3):
                self._deaths -= 1
                self._fuse = self._rng.randint(1, 60)
                raise Killed


class Written(list[Change[Row]]):
    """The target's log, which looks at each commit which tables are loaded then."""

    def __init__(self) -> None:
        super().__init__()
        self.target: MemoryTarget | None = None
        self.early: list[Change[Row]] = []

    def append(self, change: Change[Row]) -> None:
        super().append(change)
        assert self.target is not None
        loads = self.target.positions.loads.rows
        loaded = {str(table) for (table,), load in loads.items() if load.epoch}
        before, after = change.before or {}, change.after or {}
        for column, value in after.items():
            needed = next((of for name, of in NEEDS.items() if column.startswith(name)), set())
            if value is not None and value != before.get(column) and not needed <= loaded:
                self.early.append(change)


@dataclass
class World:
    """One run: either tables are becoming loaded meanwhile, or the rows of the beginning were read,
    all tables are loaded, and some projects are linked.
    """

    rng: random.Random
    books: Books
    deaths: int
    is_loading: bool

    def __post_init__(self) -> None:
        self.books.begin()
        self.before = 0 if self.is_loading else len(self.books.events)
        self.books.work(self.rng.choice((3, 10, 30)))
        self.broker = self._published()
        self.schedule = Mortal(self.rng, self.rng.choice((0, 6, 30)), self.deaths)
        self.clock = Ticking()
        self.pairs = both_systems(Ticks(NOON), turns=self.schedule)
        self.target = MemoryTarget(ROUTE, turns=self.schedule, beside=self.pairs)
        self.log = self.target.log = Written()
        self.log.target = self.target
        with self.target.transaction() as transaction:
            rows = [{"WBS1": one, "WBS2": " ", "WBS3": " "} for one in NUMBERS[PROJECT]]
            transaction.create_missing("PR", rows)
            self.incarnations = {
                topic: transaction.incarnation(topic, "id", PARTITIONS) for topic in TOPICS.values()
            }
            for table, topic in TOPICS.items():
                transaction.set_load_ends(topic, table, EPOCH, self._first_ends(table))
        if not self.is_loading:
            self._begin_quietly()

    def _begin_quietly(self) -> None:
        first = self.books.events[: self.before]
        process = Process(self, first)
        self.follow()
        process.loading.advance(patiently)
        self.link("first ", 10)
        process.take(first)
        process.consumer.drain()

    def _published(self) -> MemoryBroker:
        """Topics as long as they are in the end."""
        broker = MemoryBroker()
        for topic in TOPICS.values():
            broker.create_topic(topic, PARTITIONS)
        for one in self.books.events:
            broker.produce(TOPICS[one.table], None, partition=one.place.partition)
        return broker

    def _first_ends(self, table: str) -> dict[int, int]:
        """The first snapshot may end anywhere among the events of its partition."""
        ends = dict.fromkeys(range(PARTITIONS), 0)
        for one in self.books.events if self.is_loading else ():
            ends[one.place.partition] += one.table == table
        return {
            number: self.rng.choice((0, end, self.rng.randint(0, end)))
            for number, end in ends.items()
        }

    # -- the exchange ------------------------------------------------------------------------------

    def link(self, name: str, steps: int) -> None:
        """Pairs begin, are suspended, exchanged again, and end."""
        for step in range(steps):
            with suppress(ConcurrentWrite, TargetBusy):  # it tries again with others
                entity = self.rng.choice((PROJECT, EMPLOYEE))
                doing = self.rng.choice((self._begin, self._begin, self._begin, self._change))
                doing(entity, f"{name}{step}")

    def _begin(self, entity: str, name: str) -> None:
        there = [one for one in self._live() if one.entity == entity]
        keys = {*map(str, OURS[entity])} - {one.ajera.key for one in there}
        numbers = {*map(partial(_whole, entity), NUMBERS[entity])} - {one.dps.key for one in there}
        if keys and numbers:
            halves = (
                LinkSide("of Ajera", self.rng.choice(sorted(keys))),
                LinkSide("of DPS", self.rng.choice(sorted(numbers))),
            )
            with self.pairs.transaction() as transaction:
                transaction.store([(Link(name, entity, *halves, state=State.LINKED), None)])

    def _change(self, entity: str, name: str) -> None:
        del name
        there = [one.id for one in self._live() if one.entity == entity]
        if there:
            with self.pairs.transaction() as transaction:
                (link,) = transaction.links([self.rng.choice(there)]).values()
                out = frozenset({"ajera"}) - link.out
                changed = self.rng.choice(
                    (replace(link, state=State.ENDED), replace(link, out=out))
                )
                if link.state is not State.ENDED:
                    transaction.store([(changed, None)])

    def _live(self) -> list[Link]:
        return [one for one in self.pairs.links() if one.state is not State.ENDED]

    # -- the processes -----------------------------------------------------------------------------

    def follow(self) -> None:
        with self.target.transaction() as transaction:
            follow(transaction, ROUTE, self.clock.now())

    def process(self, number: int) -> None:
        """It starts, takes its share of the events, loads, and drains, as the loop does; whoever
        comes after it was killed takes the batch again.
        """
        left = self.books.events[self.before :]
        mine = [one for one in left if process_of(one, PROCESSES) == number]
        process = Process(self, mine)
        process.live(lambda: patiently(self.follow))
        for batch in (*batches(self.rng, arrivals(self.rng, mine)), (), ()):
            process.live(partial(process.take, batch))
            process.live(lambda: process.loading.advance(patiently))
            process.live(
                lambda: process.consumer.processor.drain(patiently, waiting_retry_seconds=9)
            )
        assert process.letters == 0

    def run(self, links: int) -> None:
        """Both processes and the exchange, and then quiet. Whatever is wrong is raised."""
        tasks: list[Callable[[], object]] = [
            partial(self.process, number) for number in range(PROCESSES)
        ]
        self.schedule.run([*tasks, partial(self.link, "link ", links)])
        self.link("late ", self.rng.choice((0, 1, 4)))
        last = Process(self, ())
        last.loading.snapshot_ended(self.books.epoch)
        for _ in range(3):
            last.loading.advance(patiently)
            last.consumer.drain()
        with self.target.transaction() as transaction:
            assert transaction.loading(self.books.epoch) == {}
        assert self.log.early == []
        assert [*wrong(self.target, self.pairs, self.books)] == []
        assert dict(self.target.due.rows) == {}


class Process:
    """One process after another, under the same share of the events."""

    def __init__(self, world: World, events: Sequence[Event]) -> None:
        self._world = world
        self._events = events
        self.letters = 0
        self._start()

    def _start(self) -> None:
        world = self._world
        self.consumer = Consumer(world.target, self._events, clock=world.clock, route=ROUTE)
        self.consumer.incarnations = world.incarnations
        self.loading = loading_of(world.target, EPOCH, world.clock, ROUTE, world.broker)

    def live(self, call: Callable[[], object]) -> None:
        while True:
            with suppress(Killed), self._world.schedule.may_die():
                call()
                return
            self.letters += len(self.consumer.letters.sent)
            self._start()

    def take(self, batch: Sequence[Event]) -> None:
        self.loading.snapshot_ended(self.consumer.take(batch).snapshot_ended)
        self.letters += len(self.consumer.letters.sent)


def _whole(entity: str, number: str) -> str:
    return project_key(number) if entity == PROJECT else number


def linked(pairs: MemoryPairs, entity: str) -> dict[int, str]:
    """By key in Ajera the number of the row in DPS with which a pair is exchanged."""
    table = PR if entity == PROJECT else EM
    given = (link.exchanged for link in pairs.links() if link.entity == entity)
    return {
        int(keys[Side.AJERA]): str(table.key_values(keys[Side.DPS])[0])
        for keys in given
        if keys is not None
    }


def wrong(
    target: MemoryTarget, pairs: MemoryPairs, books: Books
) -> Iterator[tuple[int, str, Value, Value]]:
    """What projects that are linked and followed do not hold as a recount gives it."""
    recount = Recount(books.rows, linked(pairs, EMPLOYEE))
    numbers = linked(pairs, PROJECT)
    rows: Mapping[Value, Row] = {row["WBS1"]: row for row in target.rows("PR")}
    team: dict[Value, dict[tuple[Value, Value], tuple[Value, Value]]] = {}
    for row in target.rows("EMProjectAssoc"):
        place = (row["Employee"], row["Role"])
        team.setdefault(row["WBS1"], {})[place] = (row["Hours"], row["StartDate"])
    for project in projects(books.rows):
        if (number := numbers.get(project)) is None:
            continue
        expected = {
            **recount.totals(project),
            **recount.budget(project),
            **recount.dates(project),
        }
        for column, value in expected.items():
            if rows[number][column] != value:
                yield project, column, rows[number][column], value
        if team.get(number, {}) != recount.team(project):
            yield project, "team", repr(team.get(number)), repr(recount.team(project))


@pytest.mark.timeout(600)
def test_any_interleaving_ends_with_accounts_that_equal_a_recount() -> None:
    """A seed decides before each statement who continues, and when a process dies."""
    print(f"seed {SEED}, {RUNS} runs")
    for run in range(RUNS):
        rng = random.Random(f"accounts {SEED} {run}")
        world = World(rng, Books(rng), rng.choice((0, 1, 3)), is_loading=rng.random() < 0.3)
        try:
            world.run(links=rng.choice((0, 1, 5)))
        except AssertionError as error:
            error.add_note(f"run {run}")
            raise
