"""Recomputes that are postponed: of what refers to rows whose own target rows were written with
their events (`direct.py`), and of totals.

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
from pipeline.mapping.route import Route
from pipeline.mapping.watches import watches
from pipeline.model.event import Event
from pipeline.model.ledger import Mark

# Nobody sees a project's client a fifth of a second later; of a thousand changes a second, one
# recompute does two hundred. Others take marks that are older than a second.
POSTPONED_SECONDS: Final = 0.2
MOST_SECONDS: Final = 0.5


class Postponed:
    """Marks that this process has set and not recomputed yet. `until`: the time, by the clock's
    monotonic seconds, at which they are; None: there are none.
    """

    def __init__(self, route: Route, clock: Clock, seconds: float) -> None:
        """`seconds`: how long the first one waits, or as long as the recompute before took, so that
        recomputes take no more than half of the time while there are batches; 0: none waits.
        """
        self._clock = clock
        self._seconds = self._wait = seconds
        self._marks: dict[Pair, Mark] = {}
        self._together: set[int] = set()
        self.until: float | None = None
        watched, kinds = watches(route.mappings), route.kinds()
        self._totals = {watch.kind for watch in watched} - {one.source for one in route.mappings}
        shown = {
            table.name
            for table in route.sources
            if table.groups or not kinds.isdisjoint({table.name, shared_kind(table.name)})
        }
        self._retire_nothing = {watch.table for watch in watched} - shown
        self._retire_nothing |= {one.table.name for one in route.observed}

    def may_take(self, staged: StagedBatch, direct: Direct | None) -> bool:
        """Does the outcome of no event depend on these marks: a row is summed up or not, whatever
        becomes of the total. What many rows refer to is recomputed at once.
        """
        kinds = {mark.kind for mark in staged.marks} - self._totals
        if kinds and (staged.together or direct is None or not kinds <= direct.shared_kinds):
            return False
        return self._seconds > 0

    def add(self, staged: StagedBatch) -> None:
        if staged.marks and self.until is None:
            self.until = self._clock.monotonic() + self._wait
        if staged.together:
            self._together.add(staged.together)
        for mark in staged.marks:
            pair = (mark.kind, mark.key)
            if not staged.together or pair not in self._marks:  # one alone must be cleared alone
                self._marks[pair] = mark

    def must_precede(self, events: Sequence[Event], direct: Callable[[], Direct]) -> bool:
        """Must they be recomputed before these events are staged. A row is shown as it was before
        it changes again; and before anything is staged that may retire a row that shows it.
        """
        if not self._marks:
            return False
        taken = direct()
        return any(
            not (taken.takes(event.table) or event.table in self._retire_nothing)
            or (shared_kind(event.table), event.key) in self._marks
            for event in events
        )

    def take(self) -> tuple[list[Mark], set[int]]:
        """All of them, and the numbers of those that were set as one row."""
        marks, together = list(self._marks.values()), self._together
        self._marks, self._together, self.until = {}, set(), None
        return marks, together

    def took(self, seconds: float) -> None:
        """How long their recompute took."""
        self._wait = max(self._seconds, min(seconds, MOST_SECONDS))
