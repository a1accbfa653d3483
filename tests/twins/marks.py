"""Marks of the twin, as `pipeline.database.state.marks` keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.errors import TargetRefused
from pipeline.model.ledger import Mark, Waiting
from tests.twins.locks import Strength
from tests.twins.tables import Key, Session, Table, View


@dataclass(frozen=True, slots=True)
class Due:
    """A mark as stored; one that waits has a reason and the time it was last tried."""

    mark: Mark
    set_at: datetime
    reason: str | None = None
    code: str | None = None
    tried_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Together:
    """The marks of a batch, as one row."""

    pairs: frozenset[tuple[str, str]]
    set_at: datetime


class Marks:
    """Reads and writes marks."""

    def __init__(self, session: Session, table: Table[Due], together: Table[Together]) -> None:
        self._session = session
        self._view = View(session, table)
        self._together = View(session, together)

    def mark_together(self, marks: Sequence[Mark], now: datetime) -> None:
        self._session.statement("mark_together")
        pairs = frozenset((mark.kind, mark.key) for mark in marks)
        self._together.put((str(marks[0].number),), Together(pairs, now))

    def clear_together(self, number: int) -> None:
        self._session.statement("clear_together")
        self._taken((str(number),))

    def take_together(self, set_before: datetime | None = None) -> set[tuple[str, str]]:
        self._session.statement("take_together")
        found = [
            (key, one.pairs)
            for key, one in sorted(self._together.items())
            if set_before is None or one.set_at < set_before
        ]
        return {pair for key, pairs in found if self._taken(key) for pair in pairs}

    def _taken(self, key: Key) -> bool:
        if self._together.lock(key, Strength.UPDATE) is None:
            return False
        self._together.delete(key)
        return True

    def mark(self, marks: Sequence[Mark], now: datetime) -> None:
        if not marks:
            return
        self._session.statement("mark")
        for (kind, key), number in sorted(
            {(mark.kind, mark.key): mark.number for mark in marks}.items()
        ):
            there = self._view.claim((kind, key))
            age = there.set_at if there is not None and there.tried_at is None else now
            self._view.put((kind, key), Due(Mark(kind, key, number), age))

    def marks_of(self, marks: Iterable[tuple[str, str]]) -> list[Mark]:
        self._session.statement("marks_of")
        return [
            due.mark for pair in sorted(set(marks)) if (due := self._view.get(pair)) is not None
        ]

    def has_marks(self, kind: str) -> bool:
        self._session.statement("has_marks")
        return any(one == kind for (one, _), _ in self._view.items())

    def due(
        self,
        limit: int,
        *,
        set_before: datetime,
        waiting_before: datetime,
        with_refused: bool,
    ) -> list[Mark]:
        self._session.statement("due")

        def is_ripe(due: Due) -> bool:
            if due.tried_at is None:
                return due.set_at < set_before
            if due.code == TargetRefused.code:
                return with_refused
            return due.tried_at < waiting_before

        ripe = [due for _, due in self._view.items() if is_ripe(due)]
        ripe.sort(
            key=lambda due: (
                due.tried_at or due.set_at,
                due.mark.kind,
                due.mark.key,
            )
        )
        return [due.mark for due in ripe[:limit]]

    def clear(self, marks: Sequence[Mark]) -> None:
        if not marks:
            return
        self._session.statement("clear")
        seen = [mark for mark in sorted(set(marks)) if self._is_set(mark)]
        for mark in seen:
            due = self._view.lock((mark.kind, mark.key), Strength.UPDATE)
            if due is not None and due.mark.number == mark.number:
                self._view.delete((mark.kind, mark.key))

    def wait(self, waiting: Sequence[Waiting], now: datetime) -> None:
        if not waiting:
            return
        self._session.statement("wait")
        for (kind, key), one in sorted(
            {(one.mark.kind, one.mark.key): one for one in waiting}.items()
        ):
            there = self._view.claim((kind, key))
            if there is None:
                self._view.put(
                    (kind, key),
                    Due(one.mark, now, one.reason[:400], one.code, now),
                )
            elif one.mark.number in (0, there.mark.number):
                self._view.put(
                    (kind, key),
                    replace(
                        there,
                        reason=one.reason[:400],
                        code=one.code,
                        tried_at=now,
                    ),
                )

    def waiting_count(self) -> int:
        self._session.statement("waiting_count")
        return sum(
            due.tried_at is not None and due.code != TargetRefused.code
            for _, due in self._view.items()
        )

    def _is_set(self, mark: Mark) -> bool:
        due = self._view.get((mark.kind, mark.key))
        return due is not None and due.mark.number == mark.number
