"""How far a batch brings the stored offsets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from pipeline.engine.consumer.batch import Batch, Ended
from pipeline.model.event import Event
from pipeline.model.ledger import Progress
from pipeline.model.outcome import Outcome
from pipeline.model.position import TopicPartition


def behind_us(
    batch: Batch, ended: Iterable[tuple[Event, Outcome, str]]
) -> Iterator[tuple[Event, Ended]]:
    """Those that are not read again: before what stopped their partition, if anything did."""
    ends = batch.handled.next_offsets
    for event, outcome, reason in ended:
        partition = batch.partition_of(event)
        if event.place.offset < ends[partition]:
            yield event, (partition, outcome, reason)


def progress_of(
    batch: Batch,
    ended: Mapping[Ended, int],
    dead_in_a_row: Mapping[TopicPartition, int],
) -> dict[TopicPartition, Progress]:
    """By partition the next offset, and how many messages `ended` in which way."""
    found: dict[TopicPartition, Progress] = {}
    for partition, next_offset in batch.handled.next_offsets.items():
        counts: Counter[Outcome] = Counter()
        for (where, outcome, _), count in ended.items():
            if where == partition:
                counts[outcome] += count
        found[partition] = Progress(
            incarnation=batch.incarnations[partition.topic],
            next_offset=next_offset,
            events_read=counts.total(),
            written=counts[Outcome.WRITTEN],
            skipped=counts[Outcome.SKIPPED],
            parked=counts[Outcome.PARKED],
            dead_lettered=counts[Outcome.DEAD_LETTERED],
            dead_in_a_row=dead_in_a_row[partition],
        )
    return found
