"""Telling that the target was restored from a copy under a running consumer:
what it had handled since is gone from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from pipeline.engine.consumer.ports import Offsets
from pipeline.errors import PipelineError, TargetRestored
from pipeline.model.ledger import Progress
from pipeline.model.position import TopicPartition


class RestoreDetector:
    """How many messages of each partition had ended when we last looked: a number that only grows.

    Whoever writes it adds to it, so another member, a rewind or a second group cannot lower it.
    A restored copy does.
    """

    def __init__(self, restored: type[PipelineError] = TargetRestored) -> None:
        """`restored`: what is raised."""
        self._restored = restored
        self._read: Counter[TopicPartition] = Counter()

    def on_assigned(self, progress: Mapping[TopicPartition, Progress]) -> None:
        """Partitions that come to us, as they are stored."""
        for partition, stored in progress.items():
            self._read[partition] = stored.events_read

    def refuse_restored(
        self,
        transaction: Offsets,
        partitions: Iterable[TopicPartition] | None = None,
    ) -> None:
        """Raise what was given if one of these (default:
        all that we had) has ended fewer messages than it had before.
        """
        chosen = sorted(self._read if partitions is None else partitions)
        stored = transaction.progress(chosen) if chosen else {}
        for partition in chosen:
            self._compare(partition, stored[partition].events_read if partition in stored else 0)

    def advance(
        self, transaction: Offsets, progress: Mapping[TopicPartition, Progress], now: datetime
    ) -> None:
        """Store next offsets and counts; raises the same by what was there before, which must not
        be committed.
        """
        counted = transaction.advance(progress, now)
        for partition, added in sorted(progress.items()):
            self._compare(partition, counted[partition] - added.events_read)

    def _compare(self, partition: TopicPartition, there: int) -> None:
        before = self._read[partition]
        if there < before:
            where = f"{partition.topic} partition {partition.partition}"
            raise self._restored(f"{where} had {before} messages handled, and has {there}")
        self._read[partition] = there

    def advanced(self, progress: Mapping[TopicPartition, Progress]) -> None:
        """What was stored just now, in the transaction that was looked at."""
        for partition, added in progress.items():
            self._read[partition] += added.events_read
