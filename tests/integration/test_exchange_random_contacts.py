"""Random interleavings of contacts and the firms they refer to, which are linked before,
after and never.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from deploy.local.stack import Stack
from pipeline.conflicts.link import Link, State
from pipeline.conflicts.rules import Side
from tests.support.company import Company
from tests.support.outbox import OURS, Crash, World, world

AJERA, DPS = Side.AJERA, Side.DPS
# EXCHANGE_RUNS=500 EXCHANGE_SEED=1000 pytest tests/integration/test_exchange_random_contacts.py:
# the long form.
RUNS = int(os.environ.get("EXCHANGE_RUNS", "20"))
FIRST_SEED = int(os.environ.get("EXCHANGE_SEED", "1"))
STEPS = 50
NAMES = ("Hill", "Beck", "Vale", "Dale")
PEOPLE = ("Moe", "Roe", "Poe")
TOPICS = {AJERA: ("AxVec", "AxContact"), DPS: ("Clendor", "Contacts")}
SIDE_OF = {table: side for side, tables in TOPICS.items() for table in tables}
TABLES = {
    AJERA: ("AxContact", "cntKey", "cntClient"),
    DPS: ("Contacts", "ContactID", "ClientID"),
}


@pytest.fixture(scope="module")
def made(postgres: Stack) -> Iterator[World]:
    with world(postgres) as found:
        found.restart_with(contact=None)
        yield found


@dataclass
class Meeting:
    """One run over a world that is empty at first."""

    world: World
    random: random.Random
    rows: int = 0

    def __post_init__(self) -> None:
        self.company = Company(self.world, self.random, SIDE_OF)

    def run(self) -> None:
        actions: list[tuple[int, Callable[[], None]]] = [
            *(
                (6, self._firm),
                (6, self._contact),
                (14, self._move),
                (6, self._flag),
            ),
            *((22, self._deliver), (6, self._drain), (3, self._rewind)),
        ]
        for _ in range(self.random.randrange(20)):  # two systems that were filled before they met
            self.random.choice((self._firm, self._contact))()
        weights, calls = zip(*actions, strict=True)
        for _ in range(STEPS):
            (call,) = self.random.choices(calls, weights)
            self.world.pairs.may_die = lambda: self.random.randrange(100) < 4
            try:
                call()
            except Crash:
                self.world.restart()
            finally:
                self.world.pairs.may_die = lambda: False
        self.world.do(
            AJERA,
            'UPDATE "AxVec" SET "vecSyncToCRM" = true WHERE NOT "vecSyncToCRM"',
        )
        self.world.do(
            DPS,
            """UPDATE "Clendor" SET "AjeraSync" = 'Y' WHERE "AjeraSync" <> 'Y'""",
        )
        self.world.settle()
        self.world.wait()

    # -- people and the process --------------------------------------------------------------------

    def _firm(self) -> None:
        """A name is on each side once, so that every firm finds its namesake, if there is one."""
        side, name, is_on = (
            self._side(),
            self.random.choice(NAMES),
            self.random.random() < 0.3,
        )
        table, column = ("AxVec", "vecDescription") if side is AJERA else ("Clendor", "Name")
        if name in self.world.rows(side, table, column):
            return
        self.rows += 1
        if side is AJERA:
            self.world.client(self.rows, name, vecSyncToCRM=is_on)
        else:
            self.world.firm(f"F{self.rows}", name, AjeraSync="Y" if is_on else "N")

    def _contact(self) -> None:
        side, name = self._side(), self.random.choice(PEOPLE)
        table, _, refers = TABLES[side]
        if name in self.world.rows(side, table, "cntLastName" if side is AJERA else "LastName"):
            return
        self.rows += 1
        self.world.contact(
            side,
            self.rows if side is AJERA else f"C{self.rows}",
            name,
            **{refers: self._any_firm(side)},
        )

    def _move(self) -> None:
        side = self._side()
        table, key, refers = TABLES[side]
        keys = self.world.rows(side, table, key)
        if keys:
            self.world.edit(
                side,
                table,
                self.random.choice(keys),
                **{refers: self._any_firm(side)},
            )

    def _flag(self) -> None:
        side, is_on = self._side(), self.random.random() < 0.6
        table, key = ("AxVec", "vecKey") if side is AJERA else ("Clendor", "ClientID")
        keys = self.world.rows(side, table, key)
        if keys:
            value = (
                {"vecSyncToCRM": is_on} if side is AJERA else {"AjeraSync": "Y" if is_on else "N"}
            )
            self.world.edit(side, table, self.random.choice(keys), **value)

    def _deliver(self) -> None:
        side = self._side()
        tables = self.random.choice((TOPICS[side], TOPICS[side], *((one,) for one in TOPICS[side])))
        self.company.deliver(side, self.random.choice((1, 2, 4, 9)), *tables)

    def _drain(self) -> None:
        self.world.exchange.drain(
            lambda call: call(),
            waiting_retry_seconds=self.random.choice((1e6, -1)),
        )

    def _rewind(self) -> None:
        for table in list(self.world.next):
            self.world.next[table] = self.random.randint(0, self.world.next[table])
        self.world.restart()

    def _side(self) -> Side:
        return self.random.choice(list(Side))

    def _any_firm(self, side: Side) -> object:
        table, key = ("AxVec", "vecKey") if side is AJERA else ("Clendor", "ClientID")
        return self.random.choice([None, *self.world.rows(side, table, key)])

    # -- judging: by what people typed -------------------------------------------------------------

    def faults(self) -> list[str]:
        links = [link for link in self.world.links() if link.state is State.LINKED]
        firms = {link.ajera.key: link.dps.key for link in links if link.entity == "firm"}
        waiting = {
            one
            for (one,) in self.world.dps.execute(
                "SELECT link FROM sync.parked WHERE link IS NOT NULL"
            )
        }
        first = {
            one
            for (one,) in self.world.dps.execute(
                "SELECT link FROM sync.conflict WHERE kind = 'first_link'"
            )
        }
        found: list[str] = []
        for link in (one for one in links if one.entity == "contact"):
            here, there = (self._refers(side, link) for side in Side)
            agrees = (None if here is None else firms.get(str(here), "?")) == there
            is_unknown = (here is not None and str(here) not in firms) or (
                there and there not in firms.values()
            )
            is_excused = "firm" in link.parked or (link.id in waiting and is_unknown)
            is_asking = link.ajera.has_pending_edit("firm") or link.dps.has_pending_edit("firm")
            if agrees == is_excused or (is_asking and not is_excused):
                found.append(
                    f"{link.ajera.key}/{link.dps.key}: {here} and {there}, parked "
                    f"{set(link.parked)}"
                )
            last = self._typed(link)
            if last is not None and link.id not in first and self._refers(last[0], link) != last[1]:
                found.append(
                    f"{link.ajera.key}/{link.dps.key}: {last} is lost, {here} and {there} are there"
                )
        return found

    def _refers(self, side: Side, link: Link) -> Any:
        table, key, refers = TABLES[side]
        return self.world.do(
            side,
            f'SELECT "{refers}" FROM "{table}" WHERE "{key}"::text = %s',
            link.side(side).key,
        )

    def _typed(self, link: Link) -> tuple[Side, Any] | None:
        """Where a person chose the contact's firm last, and which."""
        typed = []
        for side in Side:
            table, key, refers = TABLES[side]
            typed += [
                (at, side, value)
                for at, value in self.world.connection(side).execute(
                    (
                        "SELECT at, row->%s FROM outbox.change WHERE who <> %s AND source = %s"
                        " AND operation = 'u'"
                        " AND row->>%s = %s AND row->>%s IS DISTINCT FROM was->>%s"
                    ),
                    (
                        refers,
                        OURS,
                        table,
                        key,
                        link.side(side).key,
                        refers,
                        refers,
                    ),
                )
            ]
        return None if not typed else max(typed, key=lambda one: one[0])[1:]


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + RUNS))
def test_contacts_end_with_the_firm_that_was_chosen_last_or_are_parked(
    made: World, seed: int
) -> None:
    """Whenever their firms were linked; then nothing is written any more,
    not even when all is read again.
    """
    print(f"seed {seed}")
    made.clear()
    made.look_for(timedelta(hours=seed % 2))
    meeting = Meeting(made, random.Random(seed))
    meeting.run()
    assert meeting.faults() == []
    before = [len(made.writes(side)) for side in Side]
    made.rewind()
    made.settle()
    made.wait()
    assert [len(made.writes(side)) for side in Side] == before
    assert meeting.faults() == []
