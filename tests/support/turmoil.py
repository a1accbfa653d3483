"""A seeded turmoil over both databases: people edit, events come in any order and again,
processes die and come back.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.conflicts.link import Link, State
from pipeline.conflicts.rules import Side
from pipeline.engine.exchange.ajera_writer import AjeraWriter
from pipeline.engine.exchange.unit_of_work import PlannedWrite
from tests.support.company import Company
from tests.support.outbox import OURS, Crash, World, at_once

AJERA, DPS = Side.AJERA, Side.DPS
# Line -> column of either side, all of the firm's but the city, which is the address's in DPS.
LINES = {
    "name": ("vecDescription", "Name"),
    "website": ("vecWebsite", "WebSite"),
    "notes": ("vecClientNotes", "Memo"),
    "city": ("vecCity", "City"),
}
STATUSES = {1: "A", 0: "D"}
SIDE_OF = {"AxVec": AJERA, "Clendor": DPS, "CLAddress": DPS}
TOPICS = tuple(SIDE_OF)


@dataclass
class Turmoil:
    """One run. `deaths`: how often of a hundred commit boundaries the process dies at one. Without
    any, nothing is read again either: that would bring back what was forgotten.
    """

    world: World
    seed: int
    deaths: int = 5
    words: int = 0
    rows: int = 0
    stragglers: list[tuple[Sequence[PlannedWrite], int]] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.world.clear()
        self.company = Company(self.world, self.random, SIDE_OF)
        self._hold_some(self.world)

    def run(self, steps: int) -> None:
        """That many steps, and then quiet."""
        for side in (*Side, self.random.choice(list(Side))):
            self._new_row(side)
        actions: list[tuple[int, Callable[[], None]]] = [
            *(
                (40, self._edit),
                (30, self._deliver),
                (6, self._drain),
                (4, self._new),
            ),
            (5, self._rewind if self.deaths else self._same),
            *(
                (4, self._come_back),
                (3, self._flag),
                (1, self._delete),
                (4, self._same),
            ),
        ]
        for _ in range(steps):
            weights, calls = zip(*actions, strict=True)
            (call,) = self.random.choices(calls, weights)
            self._lived(call)
        self.world.pairs.may_die = lambda: False
        self._come_back()
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
        self._come_back()
        self.world.settle()

    # -- the process -------------------------------------------------------------------------------

    def _lived(self, call: Callable[[], None]) -> None:
        self.world.pairs.may_die = lambda: self.random.randrange(100) < self.deaths
        try:
            call()
        except Crash:
            self._restart()
        finally:
            self.world.pairs.may_die = lambda: False

    def _restart(self) -> None:
        self.world.restart()
        self._hold_some(self.world)

    def _hold_some(self, world: World) -> None:
        """Some writes to Ajera stay in the hand of a process that is believed dead."""

        def before(planned: Sequence[PlannedWrite], epoch: int) -> None:
            if world.pairs.may_die():
                self.stragglers.append((planned, epoch))
                raise Crash

        world.writer.before = before

    def _come_back(self) -> None:
        """Those believed dead make the writes that they have in hand."""
        held, self.stragglers = self.stragglers, []
        for planned, epoch in held:
            AjeraWriter(self.world.pairs, self.world.telemetry).make(planned, epoch, at_once)

    def _deliver(self) -> None:
        table = self.random.choice(TOPICS)
        side = SIDE_OF[table]
        tables = (
            (table,)
            if self.random.random() < 0.8
            else tuple(one for one in TOPICS if SIDE_OF[one] is side)
        )
        self.company.deliver(side, self.random.choice((1, 1, 2, 3, 8)), *tables)

    def _drain(self) -> None:
        self.world.exchange.drain(at_once, waiting_retry_seconds=self.random.choice((1e6, -1)))

    def _rewind(self) -> None:
        for table in list(self.world.next):
            if self.random.random() < 0.7:
                self.world.next[table] = self.random.randint(0, self.world.next[table])
        self._restart()

    # -- people ------------------------------------------------------------------------------------

    def _word(self) -> str:
        """Mostly a new one, sometimes one that somebody typed before."""
        self.words += 1
        return (
            f"w{self.words if self.random.random() < 0.8 else self.random.randint(1, self.words)}"
        )

    def _edit(self) -> None:
        side = self.random.choice(list(Side))
        line = self.random.choice((*LINES, "status"))
        self._type(side, line, self._word())

    def _same(self) -> None:
        """Two people type the same into one pair."""
        pairs = [
            link
            for link in self.world.links()
            if link.entity == "firm" and link.state is State.LINKED
        ]
        if pairs:
            link, line, word = (
                self.random.choice(pairs),
                self.random.choice(("name", "website")),
                self._word(),
            )
            for side in self.random.sample(list(Side), 2):
                self._type(side, line, word, link.side(side).key)

    def _type(self, side: Side, line: str, word: str, key: object = None) -> None:
        table = "AxVec" if side is AJERA else "CLAddress" if line == "city" else "Clendor"
        keys = self.world.rows(side, table, "vecKey" if side is AJERA else "ClientID")
        if not keys:
            return
        chosen = self.random.choice(keys) if key is None else key
        if line == "status":
            column, value = (
                ("vecStatus", self.random.choice((0, 1))) if side is AJERA else ("Status", "X")
            )
            self.world.edit(side, table, chosen, **{column: value})
        else:
            self.world.edit(side, table, chosen, **{LINES[line][side is DPS]: word})

    def _new(self) -> None:
        if self.rows < 6:
            self._new_row(self.random.choice(list(Side)))

    def _new_row(self, side: Side, name: str | None = None) -> None:
        self.rows += 1
        found = name or f"firm {self.rows}"
        if side is AJERA:
            self.world.client(self.rows, found, vecCity="Oslo", vecStatus=1)
        else:
            self.world.firm(f"F{self.rows}", found, WebSite="firm.example")
            self.world.insert(
                DPS,
                "CLAddress",
                ClientID=f"F{self.rows}",
                Address="Main",
                PrimaryInd="Y",
                City="Rome",
            )
        if name is None and self.random.random() < 0.3:
            self._new_row(side.other, found.upper())

    def _flag(self) -> None:
        """Somebody switches a row off or on."""
        is_on = self.random.random() < 0.5
        if self.random.random() < 0.5:
            keys = self.world.rows(AJERA, "AxVec", "vecKey")
            self.world.edit(AJERA, "AxVec", self.random.choice(keys), vecSyncToCRM=is_on)
        else:
            keys = self.world.rows(DPS, "Clendor", "ClientID")
            self.world.edit(
                DPS,
                "Clendor",
                self.random.choice(keys),
                AjeraSync="Y" if is_on else "N",
            )

    def _delete(self) -> None:
        side = self.random.choice(list(Side))
        table, key = ("AxVec", "vecKey") if side is AJERA else ("Clendor", "ClientID")
        keys = self.world.rows(side, table, key)
        if len(keys) > 2:
            chosen = self.random.choice(keys)
            self.gone.add(f"{side}/{chosen}")
            self.world.delete(side, table, chosen)

    # -- judging: by what people typed -------------------------------------------------------------

    def faults(self) -> list[str]:
        """What went wrong, in words; nothing if nothing did."""
        found: list[str] = []
        links = [link for link in self.world.links() if link.state is not State.ENDED]
        firms = [link for link in links if link.entity == "firm"]
        for side, table, key in (
            (AJERA, "AxVec", "vecKey"),
            (DPS, "Clendor", "ClientID"),
        ):
            linked = sorted(str(link.side(side).key) for link in firms)
            ended = {
                str(one.side(side).key) for one in self.world.links() if one.state is State.ENDED
            }
            there = {str(one) for one in self.world.rows(side, table, key)}
            if (
                len(set(linked)) != len(linked)
                or not set(linked) <= there
                or not there <= {*linked, *ended}
            ):
                found.append(
                    f"{side} has {sorted(there)}, linked are {linked}, ended {sorted(ended)}"
                )
        first = set(
            self.world.dps.execute("SELECT link, line FROM sync.conflict WHERE kind = 'first_link'")
        )
        for link in links:
            found += self._of_link(link, {line for of, line in first if of == link.id})
        return found

    def _of_link(self, link: Link, first: set[str]) -> list[str]:
        found = []
        ajera, dps = self._row(AJERA, link), self._row(DPS, link)
        if link.state is State.CREATING or ajera is None or dps is None:
            return [f"{link.entity} {link.ajera.key}/{link.dps.key} is {link.state}"]
        lines = ["city"] if link.entity == "firm_address" else ["name", "website", "notes"]
        for line in lines:
            here, there = ajera[LINES[line][0]], dps[LINES[line][1]]
            typed = self._typed(link, line)
            parked = link.parked.get(line)
            if parked is None and here != there:
                found.append(f"{line} of {link.ajera.key}/{link.dps.key}: {here} and {there}")
            if parked is not None and line not in {"notes", *first}:
                found.append(f"{line} of {link.ajera.key}/{link.dps.key} is parked")
            held = {here, there} | (set() if parked is None else {parked.ajera, parked.dps})
            if typed and line not in first and typed[-1] not in held:
                found.append(
                    f"{line} of {link.ajera.key}/{link.dps.key}: {typed[-1]} is lost, {held} is "
                    "there"
                )
        # Nobody in Ajera has said anything yet of a firm made in DPS:
        # what was typed there before stays.
        status = ajera["vecStatus"]
        if link.entity == "firm" and status is not None and STATUSES[status] != dps["Status"]:
            found.append(f"status of {link.ajera.key}/{link.dps.key}: {status} and {dps['Status']}")
        return found

    def _row(self, side: Side, link: Link) -> Any:
        link_side = link.side(side)
        key = "vecKey" if side is AJERA else "ClientID"
        return self.world.do(
            side,
            f'SELECT to_jsonb(t) FROM "{link_side.table}" t WHERE t."{key}"::text = %s',
            str(link_side.key).partition("|")[0],
        )

    def _typed(self, link: Link, line: str) -> list[Any]:
        """What people typed into a line on either side, by the time of their commits."""
        typed: list[tuple[Any, Any]] = []
        for side in Side:
            column, key = (
                LINES[line][side is DPS],
                "vecKey" if side is AJERA else "ClientID",
            )
            typed += self.world.connection(side).execute(
                (
                    "SELECT at, row->>%s FROM outbox.change WHERE who <> %s AND source = %s"
                    " AND operation = 'u'"
                    " AND row->>%s = %s AND row->>%s IS DISTINCT FROM was->>%s"
                ),
                (
                    column,
                    OURS,
                    link.side(side).table,
                    key,
                    str(link.side(side).key).partition("|")[0],
                    column,
                    column,
                ),
            )
        return [value for _, value in sorted(typed)]
