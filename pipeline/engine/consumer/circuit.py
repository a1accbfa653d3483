"""When to stop setting messages aside:
a broken schema must not drain a whole topic into dead letters.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from pipeline.errors import CircuitOpen
from pipeline.model.position import TopicPartition


@dataclass(frozen=True, slots=True)
class Limits:
    """`in_a_row` dead letters of one partition, or a `share` of its last `window` messages,
    and it stops.

    `unknown_schema_seconds`: how long a schema id may be unknown to the registry.
    `clock_tolerance_seconds`:
    how far the source's clock may be set back without our taking it for another source.
    `refused_retry_seconds`: how often a table of the target that refuses is tried again.
    """

    in_a_row: int = 20
    share: float = 0.2
    window: int = 500
    unknown_schema_seconds: float = 300.0
    clock_tolerance_seconds: float = 300.0
    refused_retry_seconds: float = 60.0


@dataclass
class Circuit:
    """Counts by partition. `in_a_row` outlives the process (it is stored with the next offset),
    so a restart changes nothing.
    """

    limits: Limits
    in_a_row: Counter[TopicPartition] = field(default_factory=Counter)
    _recent: dict[TopicPartition, deque[bool]] = field(default_factory=dict)

    def good(self, partition: TopicPartition, count: int) -> None:
        """So many messages, one after another, that could be processed."""
        if count:
            self.in_a_row[partition] = 0
            self._window(partition).extend([False] * min(count, self.limits.window))

    def refuse(self, partition: TopicPartition) -> None:
        """Before a message is dead-lettered. Raises CircuitOpen if that would be one too many."""
        window = self._window(partition)
        if self.in_a_row[partition] >= self.limits.in_a_row:
            raise CircuitOpen(
                f"{_place(partition)}: {self.limits.in_a_row} messages in a row could not be "
                "processed"
            )
        if (
            len(window) == self.limits.window
            and sum(window) >= self.limits.share * self.limits.window
        ):
            raise CircuitOpen(
                f"{_place(partition)}: {sum(window)} of the last {len(window)} messages were set "
                "aside"
            )

    def bad(self, partition: TopicPartition) -> None:
        """A message that was dead-lettered."""
        self.in_a_row[partition] += 1
        self._window(partition).append(True)

    def _window(self, partition: TopicPartition) -> deque[bool]:
        window = self._recent.get(partition)
        if window is None:
            window = self._recent[partition] = deque(maxlen=self.limits.window)
        return window


def _place(partition: TopicPartition) -> str:
    return f"{partition.topic} partition {partition.partition}"
