"""Parked work of the exchange in memory, captures and settings,
as `pipeline.database.state.parked` keeps them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.conflicts.rules import Side
from pipeline.errors import TABLE_REFUSED, RowRejected
from pipeline.mapping.convert import cut
from pipeline.pairing.entity import ParkedWork
from tests.twins.locks import Strength
from tests.twins.statements import statement
from tests.twins.tables import Session, Table, View

ID_LENGTH, KEY_LENGTH, HINT_LENGTH = 300, 200, 400
LINKING = "linking"
Epochs = tuple[int, int]


REFUSED = frozenset(error.code for error in TABLE_REFUSED)


@dataclass(frozen=True, slots=True)
class ParkedRow:
    """Parked work as stored."""

    work: ParkedWork
    since: datetime
    tried_at: datetime
    is_woken: bool = False


class Parked:
    """Reads and writes parked work."""

    def __init__(self, session: Session, table: Table[ParkedRow]) -> None:
        self.session = session
        self._view = View(session, table)

    @statement
    def park(self, parked: Sequence[ParkedWork], now: datetime) -> None:
        for one, work in sorted({work.id: work for work in parked}.items()):
            if max(len(one), len(work.waits_for or "")) > ID_LENGTH or len(work.key) > KEY_LENGTH:
                raise RowRejected("a text is too long at parked")
            there = self._view.claim((one,))
            since = now if there is None else there.since
            self._view.put(
                (one,),
                ParkedRow(
                    replace(work, hint=cut(work.hint, HINT_LENGTH)),
                    since,
                    now,
                ),
            )

    @statement
    def unpark(self, ids: Collection[str]) -> None:
        for one in sorted(set(ids)):
            if self._view.lock((one,), Strength.UPDATE) is not None:
                self._view.delete((one,))

    @statement
    def wake(self, waited_for: Collection[str]) -> None:
        waiting = [key for key, row in self._view.items() if row.work.waits_for in waited_for]
        for key in waiting:
            row = self._view.lock(key, Strength.CHANGE)
            if row is not None and row.work.waits_for in waited_for:
                self._view.put(key, replace(row, is_woken=True))

    @statement
    def due(self, limit: int, tried_before: datetime) -> list[ParkedWork]:
        rows = [row for _, row in self._view.items() if row.is_woken or row.tried_at < tried_before]
        rows.sort(key=lambda row: (row.tried_at, row.work.id))
        return [row.work for row in rows[:limit]]

    @statement
    def count(self) -> int:
        return sum(row.work.code not in REFUSED for _, row in self._view.items())


class Captures:
    """How far each side's capture was followed."""

    def __init__(self, session: Session, table: Table[Epochs]) -> None:
        self.session = session
        self._view = View(session, table)

    @statement
    def epochs(self) -> dict[Side, Epochs]:
        return {side: self._view.get((side.value,)) or (0, 0) for side in Side}

    @statement
    def set_epoch(self, side: Side, seen: int, swept: int) -> None:
        was = self._view.claim((side.value,)) or (0, 0)
        self._view.put((side.value,), (max(was[0], seen), max(was[1], swept)))


class Settings:
    """Named settings, and the lock of linking."""

    def __init__(self, session: Session, table: Table[str]) -> None:
        self.session = session
        self._view = View(session, table)

    @statement
    def remember(self, name: str, value: str) -> None:
        self._view.claim((name,))
        self._view.put((name,), value)

    @statement
    def hold_linking(self) -> None:
        if self._view.get((LINKING,)) is None and self._view.claim((LINKING,)) is None:
            self._view.put((LINKING,), "")
        self._view.lock((LINKING,), Strength.UPDATE)
