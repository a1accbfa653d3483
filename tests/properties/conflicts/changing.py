"""A simulated world in which lines are added, changed and removed at any point of its history.

People edit columns, whether a line compares them or not; new releases of the pipeline compare
others, by other forms and rules.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from pipeline.conflicts.decision import Decision, Reason, Write, WriteOutcome
from pipeline.conflicts.first import FirstLinkPolicy
from pipeline.conflicts.forms import cut, number, trimmed, upper
from pipeline.conflicts.lines import LinesUpdate, needs_rows, update_lines
from pipeline.conflicts.link import Link, LinkSide, Seen, State, Values
from pipeline.conflicts.reconcile import finish, needs_look, reconcile
from pipeline.conflicts.rules import ColumnPair, Direction, Rule, Rules, Side, column
from pipeline.model.event import Event, Value
from tests.properties.conflicts.consumer import Consumer, Crash
from tests.properties.conflicts.databases import TABLE, Database
from tests.properties.conflicts.lines import RULES, WIDTH, typeable
from tests.properties.conflicts.world import World

X2 = ColumnPair(
    "x2", column("ax2", trimmed), column("dx2", trimmed), Rule.NEWEST, to_dps=cut(WIDTH)
)
# Every column that rows have; `x2` is what the line `x` may compare instead.
CATALOG = replace(RULES, pairs=(*RULES.pairs, X2))
BASE = {pair.ajera.columns: pair.name for pair in CATALOG.pairs}
_OF = CATALOG.by_name
VARIANTS: dict[str, tuple[ColumnPair, ...]] = {
    "x": (
        _OF["x"],
        replace(X2, name="x"),
        replace(_OF["x"], rule=Rule.MANUAL),
        replace(_OF["x"], rule=Rule.DPS),
        replace(_OF["x"], rule=Rule.CREATE_ONLY),
    ),
    "n": (
        _OF["n"],
        replace(_OF["n"], owner=Side.AJERA),
        replace(_OF["n"], rule=Rule.AJERA, direction=Direction.TO_DPS),
        replace(_OF["n"], rule=Rule.MANUAL),
    ),
    "y": (
        _OF["y"],
        replace(_OF["y"], rule=Rule.NEWEST, to_dps=number(3)),
        replace(_OF["y"], to_dps=number(4)),
    ),
    "w": (_OF["w"], replace(_OF["w"], rule=Rule.NEWEST)),
    "z": (
        _OF["z"],
        replace(_OF["z"], rule=Rule.NEWEST),
        replace(_OF["z"], to_dps=lambda value: upper(cut(WIDTH)(value))),
    ),
    "k": (_OF["k"], replace(_OF["k"], rule=Rule.NEWEST), replace(_OF["k"], rule=Rule.DPS)),
    "p": (
        _OF["p"],
        replace(_OF["p"], direction=Direction.BOTH),
        replace(_OF["p"], rule=Rule.CREATE_ONLY, direction=Direction.NEITHER),
    ),
}
BLANK_CHANCE = 0.15


def base_of(pair: ColumnPair) -> str:
    """The columns that a line compares, by their name in the catalog."""
    return BASE[pair.ajera.columns]


@dataclass
class ChangingConsumer(Consumer):
    """The pipeline, release after release.

    `changed_at`: when a link was last made to know a line, and the lines that were decided then.
    """

    rules: Rules = CATALOG
    rules_of: dict[str, Rules] = field(default_factory=dict)  # of the process that planned a write
    changed_at: dict[tuple[str, str], datetime] = field(default_factory=dict)
    asked_by_looks: int = 0
    looks: int = 0
    unfounded: list[str] = field(default_factory=list)  # writes of what did not differ

    def _decide(self, link: Link, side: Side, event: Event, now: datetime) -> None:
        update = self.known(link, now, side, event)
        looked = (
            self.locked(side, event.key, now)
            if needs_look(update.link, event, self.rules)
            else None
        )
        decision = reconcile(update.link, event, now, self.rules, looked)
        self.apply_writes(update.and_then(decision), now)

    def look_at_all(self, now: datetime) -> None:
        """What a process does at its start: pairs that do not know all lines, with no event."""
        for link in list(self.links.values()):
            if link.state is State.LINKED:
                self.look_at(self.settled(link, now), now)

    def look_at(self, link: Link, now: datetime) -> Link:
        """The link, stored with what the look came to."""
        update = self.known(link, now)
        decision = finish(update.link, now, self.rules, Reason.RETRIED)
        self.apply_writes(update.and_then(decision), now)
        return self.links[link.id]

    def known(
        self, link: Link, now: datetime, side: Side | None = None, event: Event | None = None
    ) -> LinesUpdate:
        """As the product does it (`LockedRows.known`)."""
        rows, shown = {}, dict[Side, Values]()
        if needs_rows(link, self.rules):
            rows = {one: self.locked(one, link.side(one).key or "", now) for one in Side}
        policy = self.policy
        if event is not None and side is not None and not event.is_snapshot:
            shown[side] = self.rules.observed(side, event.row)
            policy = policy if policy.prefers is side else FirstLinkPolicy()
        before = link.lines
        update = update_lines(link, rows, shown, policy, now, self.rules)
        if update.link.lines != before:
            self._count(link, update, now)
        return update

    def _count(self, link: Link, update: LinesUpdate, now: datetime) -> None:
        self.looks += bool(update.outcomes)
        self.asked_by_looks += len(self.rules.pairs)
        for name, fingerprint in self.rules.fingerprints.items():
            if link.lines is None or link.lines.get(name) != fingerprint:
                self.changed_at[link.id, name] = now

    def apply_writes(self, decision: Decision, now: datetime) -> None:
        for write in decision.writes:
            self.rules_of[write.intention] = self.rules
            same = [name for name, v in write.values.items() if write.expected.get(name, ...) == v]
            self.unfounded += [f"{name} = {write.values[name]!r}" for name in same]
        super().apply_writes(decision, now)

    def _carry_out_in(self, write: Write, now: datetime) -> WriteOutcome:
        """A straggler is a process of the release that planned the write."""
        current, self.rules = self.rules, self.rules_of[write.intention]
        try:
            return super()._carry_out_in(write, now)
        finally:
            self.rules = current

    def write_lines(
        self, database: Database, now: datetime, key: str, lines: dict[str, Value]
    ) -> None:
        of_base = {base_of(self.rules.by_name[name]): value for name, value in lines.items()}
        database.write(now, key, of_base, by_person=False)


class ChangingWorld(World):
    """One run. `types_blanks`: people clear columns, too."""

    rules = CATALOG
    consumer_of = ChangingConsumer
    consumer: ChangingConsumer

    def __init__(self, seed: str) -> None:
        self.changes = random.Random(f"{seed}-lines")
        self.types_blanks = self.changes.random() < 0.3
        self.was_one_way: set[str] = set()  # columns that one side once only received
        self.changed = 0
        super().__init__(seed)
        self.has_snapshots = self.changes.random() < 0.2
        self.consumer.policy = FirstLinkPolicy(self.changes.choice((None, None, *Side)))

    # -- releases ----------------------------------------------------------------------------------
    def _release(self, rules: Rules) -> None:
        self.consumer.rules = rules
        self.was_one_way |= {base_of(pair) for pair in rules.pairs if pair.sender is not None}

    def _first_rules(self) -> Rules:
        kept = [name for name in VARIANTS if self.changes.random() < 0.8]
        return replace(CATALOG, pairs=tuple(self._variant(name) for name in kept))

    def _variant(self, name: str) -> ColumnPair:
        of_name = VARIANTS[name]
        return self.changes.choice((of_name[0], *of_name))

    def change_lines(self) -> None:
        """A new release: a line or two are added, removed, or compare something else."""
        pairs = {pair.name: pair for pair in self.consumer.rules.pairs}
        for name in self.changes.sample(sorted(VARIANTS), self.changes.choice((1, 1, 2))):
            if name in pairs and self.changes.random() < 0.4:
                del pairs[name]
            else:
                pairs[name] = self._variant(name)
        order = [pairs[name] for name in VARIANTS if name in pairs]
        self._release(replace(CATALOG, pairs=tuple(order)))
        self.changed += 1

    # -- how it begins -----------------------------------------------------------------------------
    def _begin(self) -> None:
        self._release(self._first_rules())
        super()._begin()

    def _begin_linked(self) -> None:
        """Lines that are compared agree; what the other columns hold is anybody's guess."""
        rules = self.consumer.rules
        compared = {base_of(pair) for pair in rules.pairs}
        halves: dict[Side, LinkSide] = {}
        for side, database in self.databases.items():
            lines = {
                name: self._first_value(name) if name not in compared else _zero(name)
                for name in CATALOG.by_name
            }
            database.write(self.now, "1", lines, by_person=False)
            database.captured = len(database.log)
            held = self.consumer.observed(database, "1")
            halves[side] = LinkSide(TABLE[side], "1", Seen("", epoch=1), held, held)
        of_release = rules.fingerprints if self.changes.random() < 0.7 else None
        ajera, dps = halves[Side.AJERA], halves[Side.DPS]
        link = Link("L0", "firm", ajera, dps, State.LINKED, lines=of_release)
        self.consumer.links["L0"] = link
        if of_release is None:  # stored by a version without fingerprints, and these very lines
            chance, self.consumer.crash_chance = self.consumer.crash_chance, 0.0
            self.consumer.look_at_all(self.now)
            self.consumer.crash_chance = chance

    def _first_value(self, name: str) -> Value:
        if self.changes.random() < 0.4:
            return None
        return _zero(name) if self.changes.random() < 0.5 else _other(name)

    # -- people ------------------------------------------------------------------------------------
    def _something(self, side: Side, name: str) -> Value:
        if self.types_blanks and self.changes.random() < BLANK_CHANCE:
            return None
        value = super()._something(side, name)
        return typeable(side, "x", value) if name == "x2" else value

    def _to_decide(self, link: Link) -> Link | None:
        """A command is of the newest release; it decides about lines that are there."""
        known = self.consumer.look_at(link, self.now)
        names = self.consumer.rules.by_name
        return known if "n" in names and known.is_known("n") else None

    # -- the run -----------------------------------------------------------------------------------
    def _step(self, action: float) -> None:
        if self.changes.random() < 0.15:
            self.change_lines()
        if self.changes.random() < 0.08:
            self._look_at_all()
        super()._step(action)

    def _look_at_all(self) -> None:
        try:
            self.consumer.look_at_all(self.now)
        except Crash:
            self.consumer.crashes += 1

    def calm_down(self) -> bool:
        """The last release is started, and everything is delivered."""
        is_quiet = super().calm_down()
        self.consumer.look_at_all(self.now)
        return is_quiet and super().calm_down()


def _zero(name: str) -> Value:
    return Decimal(0) if name == "y" else "0"


def _other(name: str) -> Value:
    return Decimal("7.5") if name == "y" else "old"
