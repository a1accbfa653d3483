"""A member without a partition: there are more members than partitions of a topic."""

from __future__ import annotations

import time
from collections.abc import Callable

from pipeline.model.position import TopicPartition

STANDBY_SECONDS = 10.0


class Standby:
    """Under KIP-848 no callback reports an empty assignment. A member that has polled for a while
    without an error and without a partition is a standby, and ready to take over.
    """

    def __init__(self, tell: Callable[[frozenset[TopicPartition]], None]) -> None:
        self._tell = tell
        self._since: float | None = time.monotonic()

    def assigned(self) -> None:
        """Partitions were assigned, so the callback has been called."""
        self._since = None

    def polled_nothing(self) -> None:
        if self._since is not None and time.monotonic() - self._since >= STANDBY_SECONDS:
            self._since = None
            self._tell(frozenset())
