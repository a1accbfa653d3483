"""People type into both systems in memory while two processes exchange them;
a seed decides before each statement who runs.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pipeline.conflicts.first import FirstLinkPolicy
from pipeline.conflicts.rules import Side
from pipeline.domain.dps import CL_ADDRESS, CLENDOR
from pipeline.domain.exchange_tables import AX_VEC, CODE_LISTS, SIDES
from pipeline.engine.consumer.circuit import Limits
from pipeline.engine.exchange.processor import Exchange
from pipeline.engine.exchange.unit_of_work import ExchangeConfig
from pipeline.mapping.source import SourceTable
from pipeline.model.event import Event
from pipeline.model.position import TopicPartition
from tests.support.engine import Counted, patiently
from tests.support.kinds import kinds_of
from tests.support.writers import reconciler_with
from tests.twins.clock import Ticks
from tests.twins.messages import MemoryDeadLetters
from tests.twins.people import People
from tests.twins.systems import both_systems
from tests.twins.topics import INCARNATION, Topics, messages
from tests.twins.turns import Schedule

AJERA, DPS = Side.AJERA, Side.DPS
TABLES: tuple[SourceTable, ...] = (AX_VEC, CLENDOR, CL_ADDRESS)
COLUMNS = {
    "name": ("vecDescription", "Name"),
    "website": ("vecWebsite", "WebSite"),
    "notes": ("vecClientNotes", "Memo"),
    "city": ("vecCity", "City"),
}
# We may read the place in the logs, and how long images are checked against the row. That is longer
# than a transaction of ours in each: where a place is unknown, as it is after a capture was made
# again, time alone tells our write from an edit.
MODES = (
    (True, timedelta(seconds=1)),
    (True, timedelta(hours=1)),
    (False, timedelta(hours=1)),
)
MORNING = datetime(2026, 11, 25, 8, tzinfo=UTC)
NEVER = 1e6  # seconds
QUIET = 60


class Crash(Exception):
    """The process dies here."""


class Mortal:
    """Turns in which a process may die before or after each of its commits."""

    def __init__(self, rng: random.Random) -> None:
        self.schedule = Schedule(rng)
        self.deaths = 0  # of a hundred commits
        self._rng = rng
        self._mine = threading.local()

    def reached(self, point: str) -> None:
        self.schedule.reached(point)
        is_commit = point in ("commit", "committed") and getattr(self._mine, "may_die", False)
        if is_commit and self._rng.randrange(200) < self.deaths:
            raise Crash

    def blocked(self, changed: threading.Condition) -> None:
        self.schedule.blocked(changed)

    @contextmanager
    def dying(self) -> Iterator[None]:
        """Whoever runs in here may die, which ends it."""
        self._mine.may_die = True
        try:
            yield
        except Crash:
            return
        finally:
            self._mine.may_die = False


class TwoSystems:
    """One run. Two processes; the partitions are shared out again before each step,
    so that both may read the same.
    """

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(f"two systems {seed}")
        self.turns = Mortal(self.rng)
        self.clock = Ticks(MORNING, timedelta(milliseconds=1))
        self.turns.deaths = self.rng.choice((0, 5))
        self.is_small = self.rng.random() < 0.4  # one firm, and many hands
        self.captures_again = self.rng.random() < 0.3
        tells, window = self.rng.choice(MODES)
        self.pairs = both_systems(
            self.clock,
            turns=self.turns,
            first_key=1000,
            tells_positions=tells,
        )
        self.people = {
            AJERA: People(self.pairs.ajera_database),
            DPS: People(self.pairs.dps_database),
        }
        self.topics = Topics(self.pairs)
        self.next: Counter[TopicPartition] = Counter()
        self.words = self.firms = 0
        self.lines = self.rng.sample(list(COLUMNS), self.rng.choice((1, 2, 4)))
        self.setup = setup_of(window)
        self.processes = [self._started(), self._started()]

    def run(self, steps: int) -> None:
        """So many steps, and then quiet."""
        for side in (*Side, self.rng.choice(list(Side)))[: 1 if self.is_small else None]:
            self.new_firm(side)
        for _ in range(steps):
            self._between()
            tasks: list[Callable[[], object]] = [self._deliver_some(number) for number in range(2)]
            tasks += [self._edit] * self.rng.choice((2, 4) if self.is_small else (0, 1, 2, 4))
            self.turns.schedule.run(tasks)
        self.turns.deaths = 0
        for table, flag, on in (
            (AX_VEC, "vecSyncToCRM", True),
            (CLENDOR, "AjeraSync", "Y"),
        ):
            for key in self.keys(table):
                self.people[_side(table)].edit(table, key, **{flag: on})
        self.settle()

    def meet(self) -> None:
        """Each of the two processes reads what happened on one side, at the same time."""
        self.topics.capture()
        tables = {AJERA: {AX_VEC.name}, DPS: {CLENDOR.name, CL_ADDRESS.name}}

        def reading(number: int, side: Side) -> Callable[[], object]:
            parts = [part for part in self.topics.events if part.topic in tables[side]]
            events = [event for part in parts for event in self._new(part)]
            return lambda: self._deliver(number, events)

        self.turns.schedule.run([reading(0, AJERA), reading(1, DPS)])

    def settle(self) -> None:
        """Deliver and retry until nothing happens any more."""
        written = -1
        for _ in range(QUIET):
            moved = self._deliver(
                0,
                [event for part in self.topics.events for event in self._new(part)],
            )
            if not moved and written == self.writes():
                return
            written = self.writes()
            self.processes[0].drain(patiently, waiting_retry_seconds=-1)
            self.topics.capture()
        raise AssertionError("the two systems do not become quiet: writes lead to writes")

    def read_again(self) -> None:
        """From the beginning, by a new process."""
        self.next.clear()
        self.processes[0] = self._started()
        self.settle()

    def writes(self) -> int:
        """How many changes of rows are ours."""
        logs = (self.pairs.ajera_database.log, self.pairs.dps_database.log)
        return sum(change.who == "ajera-cdc" for log in logs for change in log)

    # -- processes ---------------------------------------------------------------------------------

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

    def _between(self) -> None:
        """Events come, some of them twice; offsets go back; time goes by;
        firms are founded and flags turned.
        """
        self.topics.capture()
        if self.rng.random() < 0.15:
            self.topics.repeat(self.rng.choice(list(Side)), self.rng.randint(1, 8))
        if self.rng.random() < 0.15:
            for part, offset in self.next.items():
                self.next[part] = self.rng.randint(max(0, offset - 6), offset)
        if self.captures_again and self.rng.random() < 0.15:
            self.topics.capture_again(self.rng.choice(list(Side)))
        if self.rng.random() < 0.2:
            self.clock.wait(timedelta(minutes=self.rng.choice((1, 40))))
        if self.rng.random() < 0.15 and self.firms < 6 and not self.is_small:
            self.new_firm(self.rng.choice(list(Side)))
        if self.rng.random() < 0.1:
            self._flag()

    def _deliver_some(self, number: int) -> Callable[[], object]:
        """A process reads some partitions, then perhaps tries parked work; it may die meanwhile."""
        parts = [
            part for part in self.topics.events if part.topic in {table.name for table in TABLES}
        ]
        chosen = self.rng.sample(parts, self.rng.randint(1, len(parts)))
        events = [
            event for part in chosen for event in self._new(part)[: self.rng.choice((1, 2, 8))]
        ]
        retry = self.rng.choice((None, None, NEVER, -1))

        def task() -> None:
            is_done = False
            with self.turns.dying():
                self._deliver(number, events)
                if retry is not None:
                    self.processes[number].drain(patiently, waiting_retry_seconds=retry)
                is_done = True
            if not is_done:
                self.processes[number] = self._started()

        return task

    def _new(self, part: TopicPartition) -> list[Event]:
        return self.topics.events[part][self.next[part] :]

    def _deliver(self, number: int, events: list[Event]) -> int:
        """One batch; the offsets are committed after."""
        if events:
            incarnations = dict.fromkeys((event.table for event in events), INCARNATION)
            handled = self.processes[number].process(
                list(messages(events)), incarnations, patiently
            )
            assert not handled.halted
            self.processes[number].sweep.advance(patiently)
            self.next.update(
                {part: offset - self.next[part] for part, offset in handled.next_offsets.items()}
            )
        return len(events)

    # -- people ------------------------------------------------------------------------------------

    def keys(self, table: SourceTable) -> list[str]:
        """Of the committed rows."""
        rows = self.people[_side(table)].database.rows(table.name)
        return [table.key_text([row[column.name] for column in table.key_columns]) for row in rows]

    def new_firm(self, side: Side, name: str | None = None) -> None:
        """Sometimes one of the same name on the other side, too."""
        self.firms += 1
        called, key = name or f"firm {self.firms}", self.firms
        if side is AJERA:
            kinds = {
                "vecIsClient": True,
                "vecIsVendor": False,
                "vecIsEmployee": False,
                "vecSyncToCRM": True,
            }
            self.people[side].insert(
                AX_VEC,
                vecKey=key,
                vecDescription=called,
                vecCity="Oslo",
                vecStatus=1,
                **kinds,
            )
        else:
            kind = {
                "ClientInd": "Y",
                "VendorInd": "N",
                "AjeraSync": "Y",
                "Status": "A",
            }
            self.people[side].insert(
                CLENDOR,
                ClientID=f"F{key}",
                Name=called,
                WebSite="firm.example",
                **kind,
            )
            self.people[side].insert(
                CL_ADDRESS,
                ClientID=f"F{key}",
                Address="Main",
                PrimaryInd="Y",
                City="Rome",
            )
        if name is None and self.rng.random() < 0.3:
            self.new_firm(side.other, called.upper())

    def _edit(self) -> None:
        """One line of one row, mostly a new word, sometimes one that somebody typed before."""
        line = self.rng.choice(self.lines)
        table = self.rng.choice((AX_VEC, CL_ADDRESS if line == "city" else CLENDOR))
        self.words += 1
        word = f"w{self.words if self.rng.random() < 0.8 else self.rng.randint(1, self.words)}"
        if keys := self.keys(table):
            column = COLUMNS[line][_side(table) is DPS]
            self.people[_side(table)].edit(table, self.rng.choice(keys), **{column: word})

    def _flag(self) -> None:
        is_on = self.rng.random() < 0.5
        table = self.rng.choice((AX_VEC, CLENDOR))
        flag = {"vecSyncToCRM": is_on} if table is AX_VEC else {"AjeraSync": "Y" if is_on else "N"}
        if keys := self.keys(table):
            self.people[_side(table)].edit(table, self.rng.choice(keys), **flag)


def _side(table: SourceTable) -> Side:
    return AJERA if table is AX_VEC else DPS


def setup_of(look_window: timedelta) -> ExchangeConfig:
    """How the two systems are exchanged."""
    return ExchangeConfig(
        entities=tuple(
            replace(one, rules=replace(one.rules, look_window=look_window)) for one in kinds_of()
        ),
        tables=SIDES,
        lists=CODE_LISTS,
        numbers={"project": "", "employee": "E{key}"},
        limits={"contact": 5, "project_contact": 5},
        policy=FirstLinkPolicy(),
    )
