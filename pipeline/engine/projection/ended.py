"""How the events of a batch end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.engine.projection.recomputed import RecomputeResult
from pipeline.engine.projection.staged import StagedBatch
from pipeline.model.event import Event
from pipeline.model.outcome import Outcome, SkipReason


def ended(
    staged: StagedBatch, done: Sequence[RecomputeResult]
) -> Iterator[tuple[Event, Outcome, str]]:
    """How each event ends by what was done of its marks, and without them: the outcome, and the
    reason in one word.
    """
    every = (*done, staged.direct) if staged.direct is not None else done
    waiting = {key for one in every for key in one.waiting}
    idle = {key for one in every for key in one.idle}
    for one in staged.events:
        if one.skipped is not None:
            yield one.event, Outcome.SKIPPED, one.skipped
        elif waiting and not waiting.isdisjoint(one.pairs):
            yield one.event, Outcome.PARKED, "waiting"
        elif not one.pairs or (idle and idle.issuperset(one.pairs)):
            yield one.event, Outcome.SKIPPED, SkipReason.FILTERED
        else:
            yield one.event, Outcome.WRITTEN, ""
