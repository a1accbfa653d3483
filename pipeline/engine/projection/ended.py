"""How the events of a batch end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.engine.projection.recomputed import Key, RecomputeResult
from pipeline.engine.projection.staged import StagedBatch, StagedEvent
from pipeline.model.event import Event
from pipeline.model.outcome import Outcome, SkipReason


def ended(
    staged: StagedBatch, done: Sequence[RecomputeResult]
) -> Iterator[tuple[Event, Outcome, str]]:
    """How each event ends by what was done of its marks, and without them."""
    every = (*done, staged.direct) if staged.direct is not None else done
    waiting = {key for one in every for key in one.waiting}
    idle = {key for one in every for key in one.idle}
    return ((one.event, *_end(one, waiting, idle)) for one in staged.events)


def _end(one: StagedEvent, waiting: set[Key], idle: set[Key]) -> tuple[Outcome, str]:
    """The outcome of an event that was staged, and the reason in one word."""
    if one.skipped is not None:
        return Outcome.SKIPPED, one.skipped
    if not waiting.isdisjoint(one.pairs):
        return Outcome.PARKED, "waiting"
    if one.pairs <= idle:
        return Outcome.SKIPPED, SkipReason.FILTERED
    return Outcome.WRITTEN, ""
