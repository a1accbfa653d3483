"""The people of a run: they wait until everything is filled, Ann and Bob collide once,
and then the day goes by.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from deploy.demo.collisions import Collisions, NotDecided
from deploy.sample import accounts, agreement, crm_day, databases, day
from deploy.sample.naming import Naming

FILLED_SECONDS = 300.0
EDITS_A_SECOND = {True: 20.0, False: 4.0}
SHARE_IN_DPS = 0.35


class NeverFilled(RuntimeError):
    """PIM, the pairs of Ajera and DPS, or the accounts were not complete in time."""


@dataclass
class Run:
    """One run: the three databases, the edits so far, and what the screen says.

    `delays_before`: by route, the delays of events before the day began.
    They are those of a backlog.
    """

    naming: Naming
    ajera: psycopg.Connection
    pim: psycopg.Connection
    dps: psycopg.Connection
    config: Path
    edits: Counter[str] = field(default_factory=Counter)
    state: str = "PIM and the accounts in DPS are being filled; Ajera and DPS are being linked"
    story: list[str] = field(default_factory=list)
    delays_before: dict[str, Counter[float]] = field(default_factory=dict)
    is_day: bool = False
    ended: threading.Event = field(default_factory=threading.Event)
    fault: BaseException | None = None


class People:
    """Work in a thread of their own, on connections of their own. `seconds`: how long the day is,
    None for ever.
    """

    def __init__(self, run: Run, seed: int, seconds: float | None) -> None:
        self._run = run
        self._seed = seed
        self._seconds = seconds

    def work(self) -> None:
        """When they stop, the day is over; a fault is kept for the one who shows the screen."""
        run = self._run
        try:
            with ExitStack() as resources:
                ajera, pim, dps = (
                    resources.enter_context(databases.connect_like(one))
                    for one in (run.ajera, run.pim, run.dps)
                )
                self._wait(ajera, pim, dps)
                if not run.ended.is_set():
                    run.state = "Ann in Ajera and Bob in DPS type into the same fields"
                    self._collide(ajera, dps)
                run.state = "A working day at the firm: edits in Ajera and in DPS"
                run.is_day = True
                self._edit(ajera, dps)
        except Exception as fault:
            run.fault = fault
        finally:
            run.ended.set()

    def _wait(
        self,
        ajera: psycopg.Connection,
        pim: psycopg.Connection,
        dps: psycopg.Connection,
    ) -> None:
        """Until PIM is filled, whatever Ajera and DPS have in common is linked, and what Ajera's
        books say of it is in DPS.
        """
        run, deadline = self._run, time.monotonic() + FILLED_SECONDS

        def differences() -> list[object]:
            pairs = agreement.compare(ajera, dps, run.naming)
            return [*pairs, *accounts.judged(ajera, dps, run.naming).differences]

        while not (is_filled(pim) and not differences()):
            if time.monotonic() > deadline and self._seconds is not None:
                found = differences()
                shown = "\n".join(str(one) for one in found[:20])
                raise NeverFilled(
                    f"not complete after {FILLED_SECONDS:.0f} seconds, {len(found)} "
                    f"differences:\n{shown}"
                )
            if time.monotonic() > deadline or run.ended.wait(1.0):
                return

    def _collide(self, ajera: psycopg.Connection, dps: psycopg.Connection) -> None:
        told = Collisions(ajera, dps, self._run.naming).run()
        self._run.story += [line for one in told for line in one.lines]
        if self._seconds is not None and not all(one.is_right for one in told):
            wrong = [line for one in told if not one.is_right for line in one.lines]
            raise NotDecided("\n".join(["a collision did not end as its rule says:", *wrong]))

    def _edit(self, ajera: psycopg.Connection, dps: psycopg.Connection) -> None:
        """One edit after the other, here or there, for so many seconds or until the end."""
        run, started, rng = (
            self._run,
            time.monotonic(),
            random.Random(self._seed),
        )
        pace = EDITS_A_SECOND[self._seconds is not None]
        in_ajera, in_dps = (
            day.Day(self._seed, run.naming, has_books=True),
            crm_day.CrmDay(self._seed, run.naming, has_books=True),
        )
        while not run.ended.is_set():
            if self._seconds is not None and time.monotonic() - started > self._seconds:
                return
            if rng.random() < SHARE_IN_DPS:
                in_dps.next_edit(dps)
                run.edits["DPS"] += 1
            else:
                in_ajera.next_edit(ajera)
                run.edits["Ajera"] += 1
            run.ended.wait(rng.expovariate(pace))


def is_filled(pim: psycopg.Connection) -> bool:
    """Is every source table read to its end, and nothing left to recompute."""
    row = pim.execute(
        "SELECT (SELECT count(*) FROM sync.source_table WHERE epoch > 0),"
        " (SELECT count(*) FROM sync.due WHERE reason IS NULL)"
    ).fetchone()
    return row is not None and row[0] == len(databases.AJERA_TABLES) and row[1] == 0
