"""What is done beside the messages: what this process postponed, and what others left undone."""

from __future__ import annotations

from typing import Final

from pipeline.engine.consumer.ports import Attempt, Clock
from pipeline.engine.consumer.processing import BatchProcessor, SnapshotFollower

INTERVAL_SECONDS: Final = 0.5  # while messages come
BACKLOG_INTERVAL_SECONDS: Final = 5.0  # while batches are full
_NEVER_SECONDS: Final = 1e9


class Undone:
    """Looks for what was left undone, so that messages wait for it now and then only. In a backlog
    it looks for the marks of a process that died, and tries nothing again that waits.
    """

    def __init__(
        self,
        processor: BatchProcessor,
        loading: SnapshotFollower,
        clock: Clock,
        batch_size: int,
        waiting_retry_seconds: float,
    ) -> None:
        self._processor = processor
        self._loading = loading
        self._clock = clock
        self._batch_size = batch_size
        self._retry_seconds = waiting_retry_seconds
        self._looked_at = -BACKLOG_INTERVAL_SECONDS

    def seconds_left(self, most: float) -> float:
        """Until something that was postponed is due, at most so many."""
        until = self._processor.postponed_until
        return most if until is None else min(most, max(until - self._clock.monotonic(), 0.0))

    def do(self, messages: int, attempt: Attempt) -> None:
        """What is due, after a batch of so many messages, or a poll that gave none: one that ended
        because something was due says nothing of how much comes.
        """
        is_due = self.seconds_left(1.0) <= 0
        if is_due:
            self._processor.finish(attempt)
        is_backlog = messages >= self._batch_size
        now = self._clock.monotonic()
        interval = BACKLOG_INTERVAL_SECONDS if is_backlog else INTERVAL_SECONDS
        if (messages or is_due) and now - self._looked_at < interval:
            return
        self._looked_at = now
        if not is_backlog:
            self._loading.advance(attempt)
        seconds = _NEVER_SECONDS if is_backlog else self._retry_seconds
        self._processor.drain(attempt, waiting_retry_seconds=seconds)
