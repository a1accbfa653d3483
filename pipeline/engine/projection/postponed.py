"""Recomputes that are postponed: of what refers to rows whose own target rows were written with
their events (`direct.py`).

How such an event ended is known without them, and their marks are durable, so the next messages
come first; several batches are recomputed as one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from pipeline.engine.consumer.ports import Clock
from pipeline.engine.projection.direct import Direct
from pipeline.engine.projection.staged import Pair, StagedBatch
from pipeline.mapping.mirror import shared_kind
from pipeline.model.event import Event
from pipeline.model.ledger import Mark

# Nobody sees a project's client a fifth of a second later; of a thousand changes a second, one
# recompute does two hundred. Others take marks that are older than a second.
POSTPONED_SECONDS: Final = 0.2


class Postponed:
    """Marks that this process has set and not recomputed yet. `until`: the time, by the clock's
    monotonic seconds, at which they are; None: there are none.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        """`seconds`: how long the first one waits; 0: none waits."""
        self._clock = clock
        self._seconds = seconds
        self._marks: dict[Pair, Mark] = {}
        self.until: float | None = None

    def may_take(self, staged: StagedBatch, direct: Direct | None) -> bool:
        """Does the outcome of no event depend on these marks."""
        return (
            self._seconds > 0
            and direct is not None
            and not staged.together
            and all(mark.kind in direct.shared_kinds for mark in staged.marks)
        )

    def add(self, marks: Sequence[Mark]) -> None:
        if marks and self.until is None:
            self.until = self._clock.monotonic() + self._seconds
        self._marks.update(((mark.kind, mark.key), mark) for mark in marks)

    def must_precede(self, events: Sequence[Event], direct: Callable[[], Direct]) -> bool:
        """Must they be recomputed before these events are staged. A row is shown as it was before
        it changes again; and before anything else is staged, which may retire a row that shows it.
        """
        if not self._marks:
            return False
        taken = direct()
        return any(
            not taken.takes(event.table) or (shared_kind(event.table), event.key) in self._marks
            for event in events
        )

    def take(self) -> list[Mark]:
        """All of them."""
        marks = list(self._marks.values())
        self._marks.clear()
        self.until = None
        return marks
