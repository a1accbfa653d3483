"""What the first transaction made of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.engine.projection.recomputed import RecomputeResult
from pipeline.model.event import Event
from pipeline.model.frozen import light
from pipeline.model.ledger import Mark, Progress
from pipeline.model.outcome import SkipReason
from pipeline.model.position import TopicPartition

Pair = tuple[str, str]
Pairs = tuple[Pair, ...]  # each once, in their order


@light(frozen=True, slots=True)
class StagedEvent:
    """One event after the guard: why it ends here, or the marks that decide how it ends."""

    event: Event
    skipped: SkipReason | None
    pairs: Pairs = ()


@dataclass
class StagedBatch:
    """What was staged of a batch: one entry an event, every mark that is to be recomputed for it,
    and what is left.
    """

    events: list[StagedEvent] = field(default_factory=list)
    direct: RecomputeResult | None = None  # what was written without a mark
    marks: list[Mark] = field(default_factory=list)
    together: int = 0  # the number of the marks that were set as one row; 0: none were
    rest: Sequence[Event] = ()
    is_last: bool = False  # nothing of the batch comes after it
    is_postponed: bool = False  # its marks are recomputed later: no event ends by them
    stored: Mapping[TopicPartition, Progress] = field(default_factory=dict)  # with it
