"""Where the time of a change goes, from its commit in the source to that in the target."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from pipeline.model.event import Event, Message

if TYPE_CHECKING:
    from pipeline.engine.consumer.batch import Batch
    from pipeline.engine.consumer.ports import Telemetry

NEVER: Final = datetime.fromtimestamp(0, UTC)
END_MS: Final = 253_402_300_800_000  # the year 10000


def times_of(
    event: Event, message: Message, polled_at: datetime, applied_at: datetime
) -> Iterator[tuple[str, float]]:
    """Seconds of each hop, of clocks that may differ a little (then 0). A hop one of whose ends
    nobody wrote down is left out.
    """
    ends = (
        ("", event.committed_at),
        ("captured", _at_ms(event.captured_ms)),
        ("broker", _at_ms(message.timestamp_ms)),
        ("polled", polled_at),
        ("applied", applied_at),
    )
    for (_, start), (name, end) in pairwise(ends):
        if start > NEVER and end > NEVER:
            yield name, max((end - start).total_seconds(), 0.0)


def count_hops(batch: Batch, telemetry: Telemetry, applied_at: datetime) -> None:
    """Of the first streamed event of each topic that was applied: one says where time goes."""
    ends = batch.handled.next_offsets
    left = {partition.topic for partition in ends}
    for event in batch.events:
        if not left:
            return
        partition = batch.partition_of(event)
        applied = event.place.offset < ends[partition]
        if applied and partition.topic in left and not event.is_snapshot:
            left.discard(partition.topic)
            message = batch.message_of(event)
            for name, seconds in times_of(event, message, batch.polled_at, applied_at):
                telemetry.hop(name, seconds)


def _at_ms(milliseconds: int) -> datetime:
    """NEVER for what no calendar has."""
    return NEVER + timedelta(milliseconds=milliseconds) if 0 < milliseconds < END_MS else NEVER
