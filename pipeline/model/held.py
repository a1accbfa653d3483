"""The partitions that a consumer has, and how far it applied each."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from pipeline.model.position import TopicPartition


class HeldPartitions:
    """Thread-safe: the consumer changes it, a scrape reads it."""

    def __init__(self) -> None:
        self._next: dict[TopicPartition, int] = {}
        self._lock = threading.Lock()

    def assigned(self, starts: Mapping[TopicPartition, int]) -> None:
        """These are ours from now on; read from these offsets."""
        with self._lock:
            self._next |= starts

    def applied(self, next_offsets: Mapping[TopicPartition, int]) -> None:
        """Everything before these offsets is applied. Partitions that left are left out."""
        with self._lock:
            self._next |= {tp: at for tp, at in next_offsets.items() if tp in self._next}

    def revoked(self, partitions: Iterable[TopicPartition]) -> None:
        """These are another consumer's."""
        with self._lock:
            for partition in partitions:
                self._next.pop(partition, None)

    def next_offsets(self) -> dict[TopicPartition, int]:
        """By partition, as they are now."""
        with self._lock:
            return dict(self._next)
