"""A simulated world: people edit both sides, events come late, twice and after rewinds,
the process dies and comes back.

What is judged is what people typed (`people`), never what the pipeline believed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from pipeline.conflicts import manual as resolve
from pipeline.conflicts.conflict import Conflict
from pipeline.conflicts.link import Link, LinkSide, Seen, State
from pipeline.conflicts.rules import Side
from pipeline.model.event import Value
from tests.properties.conflicts.consumer import Consumer
from tests.properties.conflicts.databases import (
    START,
    TABLE,
    Commit,
    Database,
)
from tests.properties.conflicts.lines import NAMES, RULES, typeable

BEGINNINGS = ("linked", "linked", "linked", "ajera", "dps", "both")
DELIVERIES = 2_000
START_LINES: dict[str, Value] = dict.fromkeys(NAMES, "0") | {"y": Decimal(0)}


@dataclass
class Typing:
    """One value that a person typed (or, `by_operator`, decided on),
    and whether its event was lost in a gap.
    """

    at: datetime
    side: Side
    key: str
    name: str
    value: Value
    commit: int = 0
    is_lost: bool = False
    by_operator: bool = False


class World:
    """One run. The same seed gives the same run. `only`: people edit that one line,
    a few texts again and again.

    `sets_clocks`: clocks are set back. Then no capture has a gap, and positions of writes are
    known: only a look at a row is left to the clock.
    """

    rules = RULES  # the columns that rows have, by the names of lines
    consumer_of: type[Consumer] = Consumer

    def __init__(
        self,
        seed: str,
        only: str | None = None,
        *,
        sets_clocks: bool = False,
    ) -> None:
        self.rng = rng = random.Random(seed)
        self.now = START
        skews = (
            timedelta(0),
            timedelta(seconds=rng.choice((0.0, 0.0, 1.0))),
        )
        self.databases = {
            Side.AJERA: Database(
                Side.AJERA, skews[0], knows_positions=rng.random() < 0.8, rules=self.rules
            ),
            Side.DPS: Database(
                Side.DPS, skews[1], knows_positions=rng.random() < 0.9, rules=self.rules
            ),
        }
        self.consumer = self.consumer_of(
            rng,
            self.databases,
            rng.random() < 0.5,
            rng.choice((0.0, 0.0, 0.15)),
        )
        self.is_unique = rng.random() < 0.4  # no value is ever typed twice
        self.may_delete = rng.random() < 0.15
        self.may_decide = rng.random() < 0.2
        self.has_gaps = rng.random() < 0.2
        self.has_snapshots = rng.random() < 0.3
        self.lines = tuple(self.rules.by_name) if only is None else (only,)
        if only is not None:
            self.is_unique = self.may_delete = self.may_decide = self.has_gaps = False
        self.clocks = random.Random(f"{seed}-clocks") if sets_clocks else None
        if sets_clocks:
            self.has_gaps = False
            for database in self.databases.values():
                database.knows_positions = True
        self.people: list[Typing] = []
        self.typed_count = 0
        self.deleted: set[tuple[Side, str]] = set()
        self.beginning = rng.choice(BEGINNINGS)
        self._begin()

    # -- how it begins -----------------------------------------------------------------------------
    def _begin(self) -> None:
        if self.beginning == "linked":
            self._begin_linked()
            return
        sides = {
            "ajera": [Side.AJERA],
            "dps": [Side.DPS],
            "both": list(Side),
        }[self.beginning]
        for side in sides:
            self.now += timedelta(seconds=self.rng.choice((0, 3)))
            lines = {name: self._something(side, name) for name in self.rules.by_name}
            self._type(side, "1", lines | {"x": "name"})

    def _begin_linked(self) -> None:
        halves: dict[Side, LinkSide] = {}
        for side, database in self.databases.items():
            database.write(self.now, "1", START_LINES, by_person=False)
            database.captured = len(database.log)
            held = database.held("1")
            halves[side] = LinkSide(TABLE[side], "1", Seen("", epoch=1), held, held)
        link = Link("L0", "firm", halves[Side.AJERA], halves[Side.DPS], State.LINKED)
        self.consumer.links["L0"] = link

    # -- people ------------------------------------------------------------------------------------
    def _something(self, side: Side, name: str) -> Value:
        self.typed_count += 1
        number = self.typed_count
        value: Value
        if name == "y":
            choices = (
                [Decimal(number) + Decimal("0.125")]
                if self.is_unique
                else [Decimal(0), Decimal(1), Decimal(number) / 8]
            )
            value = self.rng.choice(choices)
        else:
            fresh = [f"{number:03d}a", f"{number:03d}b and more"]
            few = ["0", "1", "0", *fresh] if len(self.lines) > 1 else ["0", "1", "2"]
            value = self.rng.choice(fresh if self.is_unique else few)
        return typeable(side, name, value)

    def edit(self) -> None:
        """Somebody edits one or two lines of one row."""
        side = self.rng.choice(list(Side))
        rows = self.databases[side].rows
        if not rows:
            return
        key = self.rng.choice(list(rows))
        held = self.databases[side].held(key)
        lines = {name: self._something(side, name) for name in self._chosen()}
        lines = {name: value for name, value in lines.items() if value != held[name]}
        if lines:
            self._type(side, key, lines)

    def _chosen(self) -> list[str]:
        return self.rng.sample(self.lines, min(len(self.lines), self.rng.choice((1, 1, 2))))

    def _type(self, side: Side, key: str, lines: dict[str, Value]) -> None:
        database = self.databases[side]
        database.write(self.now, key, lines, by_person=True)
        at, number = database.log[-1].at, len(database.log)
        self.people += [Typing(at, side, key, name, value, number) for name, value in lines.items()]

    def delete(self) -> None:
        side = self.rng.choice(list(Side))
        rows = self.databases[side].rows
        if rows:
            key = self.rng.choice(list(rows))
            self.databases[side].delete(self.now, key)
            self.deleted.add((side, key))

    def decide(self) -> None:
        """An operator resolves something parked, or reverses something decided;
        the command is repeated until it is done.
        """
        consumer = self.consumer
        chance, consumer.crash_chance = consumer.crash_chance, 0.0
        for link in [link for link in consumer.links.values() if link.state is State.LINKED]:
            settled = self._to_decide(consumer.settled(link, self.now))
            if settled is None:
                continue
            if settled.parked:
                self._resolve(settled, self.rng.choice(sorted(settled.parked)))
            else:
                self._reverse(settled)
        consumer.crash_chance = chance

    def _to_decide(self, link: Link) -> Link | None:
        return link

    def _resolve(self, link: Link, name: str) -> None:
        side = self.rng.choice(list(Side))
        parked = link.parked[name]
        value = parked.ajera if side is Side.AJERA else parked.dps
        choice: Side | resolve.EnteredValue = side
        if self.rng.random() < 0.3:
            value = self._something(side, name)
            choice = resolve.EnteredValue(side, value)
        self._decided(link, side, name, value)
        self.consumer.apply_writes(
            resolve.resolve(link, name, choice, self.now, self.consumer.rules), self.now
        )

    def _reverse(self, link: Link) -> None:
        decided = [
            c
            for c in self.consumer.logged
            if c.winner is not None and c.link == link.id and c.column == "n"
        ]
        if not decided:
            return
        entry: Conflict = decided[-1]
        assert entry.winner is not None
        self._decided(link, entry.winner.other, "n", entry.value(entry.winner.other))
        self.consumer.apply_writes(
            resolve.reverse(link, entry, self.now, self.consumer.rules), self.now
        )

    def _decided(self, link: Link, side: Side, name: str, value: Value) -> None:
        key = link.side(side).key
        assert key is not None
        self.people.append(Typing(self.now, side, key, name, value, by_operator=True))

    # -- what befalls the pipeline -----------------------------------------------------------------
    def deliver(self) -> None:
        side = self.rng.choice(list(Side))
        if self.rng.random() < 0.8:
            self.databases[side].capture()
        self.consumer.deliver(side, self.now)

    def rewind(self) -> None:
        database = self.databases[self.rng.choice(list(Side))]
        database.next_offset = self.rng.randint(0, database.next_offset)

    def repeat(self) -> None:
        database = self.databases[self.rng.choice(list(Side))]
        if database.topic:
            database.repeat(self.rng.randrange(len(database.topic)))

    def read_again(self) -> None:
        """A snapshot: within an epoch of whatever was captured, or, after a gap,
        instead of what was lost.
        """
        side = self.rng.choice(list(Side))
        if self.has_gaps and self.rng.random() < 0.5:
            self._capture_anew(side)
        elif self.has_snapshots:
            self.databases[side].read_all(self.now)

    def _capture_anew(self, side: Side) -> None:
        """Perhaps nothing was lost. The process learns of it by the first event,
        or before by another table's.
        """
        database = self.databases[side]
        if self.rng.random() < 0.5:
            database.capture()
        self._lose(
            side,
            database.capture_anew(self.now, self.rng.choice((0, 0, 2))),
        )
        self.consumer.sweep(side, self.now)
        if self.rng.random() < 0.3:
            self.consumer.epochs[side] = database.epoch

    def _lose(self, side: Side, lost: list[Commit]) -> None:
        numbers = {commit.number for commit in lost}
        for typing in self.people:
            if typing.side is side and typing.commit in numbers:
                typing.is_lost = True

    # -- the run -----------------------------------------------------------------------------------
    def live(self) -> None:
        """The unquiet part."""
        for _ in range(self.rng.randint(3, 25)):
            self.now += timedelta(seconds=self.rng.choice((0, 0, 1, 2)), milliseconds=1)
            if self.has_gaps and self.rng.random() < 0.1:
                self._capture_anew(self.rng.choice(list(Side)))
            if self.clocks is not None and self.clocks.random() < 0.2:
                self.databases[self.clocks.choice(list(Side))].set_back(
                    timedelta(seconds=self.clocks.choice((1, 600)))
                )
            self._step(self.rng.random())

    def _step(self, action: float) -> None:
        if action < 0.35:
            self.edit()
        elif action < 0.84:
            self.deliver()
        elif action < 0.87:
            self.consumer.straggle(self.now)
        elif action < 0.91:
            self.rewind()
        elif action < 0.94:
            self.read_again()
        elif action < 0.96:
            self.repeat()
        elif action < 0.98 and self.may_decide:
            self.decide()
        elif action < 0.99 and self.may_delete:
            self.delete()

    def calm_down(self) -> bool:
        """No more edits and no more faults: everything is delivered. False if it never ends."""
        self.consumer.crash_chance = 0.0
        while self.consumer.stragglers:
            self.consumer.straggle(self.now)
        for _ in range(DELIVERIES):
            self.now += timedelta(milliseconds=10)
            for database in self.databases.values():
                database.capture()
            if all(d.next_offset >= len(d.topic) for d in self.databases.values()):
                return True
            self.consumer.deliver(self.rng.choice(list(Side)), self.now)
        return False
