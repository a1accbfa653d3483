"""The caller of the product's functions in the simulated world: it reads, locks, writes,
and dies between any two effects.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.conflicts import guards, settle
from pipeline.conflicts.begin import Found, create, first_link
from pipeline.conflicts.conflict import Conflict
from pipeline.conflicts.decision import (
    Applied,
    Decision,
    LockedRow,
    Recorded,
    RowGone,
    Write,
    WriteOutcome,
)
from pipeline.conflicts.ending import end
from pipeline.conflicts.first import FirstLinkPolicy
from pipeline.conflicts.link import Link, Seen
from pipeline.conflicts.linking import Candidate, Creates, Links, match
from pipeline.conflicts.reconcile import needs_look, reconcile
from pipeline.conflicts.rules import Rules, Side
from pipeline.model.event import Event, Operation, Value
from tests.properties.conflicts.databases import TABLE, Database
from tests.properties.conflicts.lines import RULES


class Crash(Exception):
    """The process dies here."""


def may_carry_out(recorded: Recorded | None) -> bool:
    """The unique key of Ajera's table:
    only a number that nobody took may be carried out (the product: `AjeraWriter`).
    """
    return recorded is None


@dataclass
class Consumer:
    """The pipeline. `links`, `logged` and DPS rows change together;
    `intentions` is the table in the Ajera database.
    """

    rng: random.Random
    databases: Mapping[Side, Database]
    knows_modified: bool
    crash_chance: float
    epochs: dict[Side, int] = field(
        default_factory=lambda: dict.fromkeys(Side, 1)
    )  # as known, not as they are
    links: dict[str, Link] = field(default_factory=dict)
    logged: list[Conflict] = field(default_factory=list)
    intentions: dict[str, Recorded] = field(default_factory=dict)
    stragglers: list[Write] = field(default_factory=list)
    created: list[tuple[Side, str]] = field(default_factory=list)
    first_linked: set[str] = field(default_factory=set)
    lines_written: int = 0
    made: int = 0
    events: int = 0
    crashes: int = 0
    rules: Rules = RULES
    policy: FirstLinkPolicy = field(default_factory=FirstLinkPolicy)

    # -- events ------------------------------------------------------------------------------------
    def deliver(self, side: Side, now: datetime) -> None:
        """Process the next event of a side; its offset is committed last.
        A crash leaves the offset where it was.
        """
        database = self.databases[side]
        if database.next_offset >= len(database.topic):
            return
        try:
            self._process(side, database.topic[database.next_offset], now)
            self._may_crash()
            database.next_offset += 1
            self.events += 1
        except Crash:
            self.crashes += 1

    def _process(self, side: Side, event: Event, now: datetime) -> None:
        self.epochs[side] = max(self.epochs[side], event.epoch)
        link = self.find(side, event.key)
        if link is not None:
            link = self.settled(link, now)
        if guards.can_relink(link, event):
            self._begin(side, event, now)
            return
        assert link is not None
        self._decide(link, side, event, now)

    def _decide(self, link: Link, side: Side, event: Event, now: datetime) -> None:
        looked = self.locked(side, event.key, now) if needs_look(link, event, self.rules) else None
        self.apply_writes(reconcile(link, event, now, self.rules, looked), now)

    def locked(self, side: Side, key: str, now: datetime) -> LockedRow:
        """The row, read under lock."""
        database = self.databases[side]
        return LockedRow(database.rows.get(key), database.clock(now))

    def find(self, side: Side, key: str) -> Link | None:
        """The newest link of a row;
        a row that we created in Ajera is known by the intention that created it.
        """
        for link in reversed(self.links.values()):
            if link.side(side).key == key:
                return link
        for number, recorded in self.intentions.items():
            if side is Side.AJERA and recorded.key == key:
                return self.links[number.split("/")[0]]
        return None

    def _begin(self, side: Side, event: Event, now: datetime) -> None:
        row = self.databases[side].rows.get(event.key)
        if row is None or event.operation is Operation.DELETE:
            return
        position = "" if event.is_snapshot else event.position
        found = self._found(side, event.key, Seen(position, event.place, event.epoch), now)
        self.made += 1
        link_id = f"L{self.made}"
        name = str(self.databases[side].held(event.key)["x"] or "")[:4]
        matched = match(name, self._unlinked(side.other))
        if isinstance(matched, Links):
            other = self._found(
                side.other,
                matched.key,
                Seen(epoch=self.epochs[side.other]),
                now,
            )
            ajera, dps = (found, other) if side is Side.AJERA else (other, found)
            self.first_linked.add(link_id)
            decision = first_link(link_id, "firm", ajera, dps, self.policy, now, self.rules)
            self.apply_writes(decision, now)
        elif isinstance(matched, Creates):
            self.apply_writes(
                create(
                    link_id,
                    "firm",
                    side,
                    found,
                    TABLE[side.other],
                    now,
                    self.rules,
                ),
                now,
            )

    def sweep(self, side: Side, now: datetime) -> None:
        """After a gap: a row that is not there any more was deleted while nobody listened."""
        for link in list(self.links.values()):
            key = link.side(side).key
            if key is not None and key not in self.databases[side].rows:
                ended, conflicts = end(self.settled(link, now), side, now, self.rules, now)
                self.links[link.id] = ended
                self.logged += conflicts

    def _found(self, side: Side, key: str, seen: Seen, now: datetime) -> Found:
        database = self.databases[side]
        modified = database.modified_at[key] if self.knows_modified else None
        return Found(
            TABLE[side],
            key,
            dict(database.rows[key]),
            database.clock(now),
            seen,
            modified,
        )

    def _unlinked(self, side: Side) -> list[Candidate]:
        database = self.databases[side]
        free = [key for key in database.rows if self.find(side, key) is None]
        return [Candidate(key, str(database.held(key)["x"] or "")[:4]) for key in free]

    # -- effects -----------------------------------------------------------------------------------
    def _may_crash(self) -> None:
        if self.rng.random() < self.crash_chance:
            raise Crash

    def apply_writes(self, decision: Decision, now: datetime) -> None:
        """DPS row, link and log in one transaction; then the Ajera write,
        each step of it durable.
        """
        self._may_crash()
        link, log = decision.link, list(decision.conflicts)
        for write in decision.writes:
            if write.side is Side.DPS:
                settled = settle.settle(link, Side.DPS, self._carry_out_in(write, now), self.rules)
                link, log = settled.link, log + list(settled.conflicts)
        self.links[link.id] = link
        self.logged += log
        for write in decision.writes:
            if write.side is Side.AJERA:
                self._may_crash()
                if self.rng.random() < self.crash_chance:
                    self.stragglers.append(write)
                    raise Crash
                self.write_in_ajera(write, now)
                self._may_crash()
                self.settled(link, now)

    def write_in_ajera(self, write: Write, now: datetime) -> None:
        """One transaction in Ajera: compare-and-set,
        and the intention's number under a unique key.
        """
        if not may_carry_out(self.intentions.get(write.intention)):
            return
        outcome = self._carry_out_in(write, now)
        if isinstance(outcome, Applied):
            self.intentions[write.intention] = Recorded(
                outcome.held,
                outcome.after,
                outcome.at,
                outcome.key,
                outcome.epoch,
            )
        else:
            self.intentions[write.intention] = Recorded({}, None, now)

    def settled(self, link: Link, now: datetime) -> Link:
        """The link with its open writes settled, stored."""
        for side, number in settle.open_writes(link):
            intention = settle.intention_of(link, number)
            recorded = self.intentions.get(intention)
            if recorded is None:
                self.intentions[intention] = Recorded({}, None, now)
            result = settle.settle(link, side, settle.recalled(number, recorded), self.rules)
            link = result.link
            self.logged += result.conflicts
            self.links[link.id] = link
        return link

    def _carry_out_in(self, write: Write, now: datetime) -> WriteOutcome:
        database = self.databases[write.side]
        if write.key is None:
            return self._insert_in(write, database, now)
        row = database.rows.get(write.key)
        if row is None:
            return RowGone(write.number, now)
        values = settle.applicable(write, row, self.rules)
        if not values:
            return Applied(write.number, {}, None, now)
        self.write_lines(database, now, write.key, values)
        self.lines_written += len(values)
        held, after = (
            self.observed(database, write.key),
            database.after(self.epochs[write.side]),
        )
        return Applied(
            write.number,
            {name: held[name] for name in values},
            after,
            database.log[-1].at,
        )

    def observed(self, database: Database, key: str) -> dict[str, Value]:
        """The row, line by line."""
        return self.rules.observed(database.side, database.rows[key])

    def write_lines(
        self, database: Database, now: datetime, key: str, lines: dict[str, Value]
    ) -> None:
        """Write lines of a row."""
        database.write(now, key, lines, by_person=False)

    def _insert_in(self, write: Write, database: Database, now: datetime) -> WriteOutcome:
        key = f"own{len(self.created)}"
        lines: dict[str, Value] = dict(write.values)
        self.write_lines(database, now, key, lines)
        self.created.append((write.side, key))
        at, epoch = database.log[-1].at, self.epochs[write.side]
        return Applied(
            write.number,
            self.observed(database, key),
            database.after(epoch),
            at,
            key,
            epoch,
        )

    def straggle(self, now: datetime) -> None:
        """A process believed dead comes back with the write it had in hand."""
        if self.stragglers:
            self.write_in_ajera(
                self.stragglers.pop(self.rng.randrange(len(self.stragglers))),
                now,
            )
