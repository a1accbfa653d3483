"""How far a consumer came, and whether it has read again what it had read before a rewind."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pipeline.model.position import TopicPartition


class CatchUp:
    """Next offsets of one consumer. `before`: those of a rewind that are not reached again yet."""

    def __init__(self) -> None:
        self._next: dict[TopicPartition, int] = {}
        self._before: dict[TopicPartition, int] = {}

    def offset_of(self, partition: TopicPartition) -> int:
        """0 where it is unknown."""
        return self._next.get(partition, 0)

    def rewound(self) -> None:
        """Everything is read again from an earlier offset."""
        self._before |= self._next
        self._next = {}

    def forget(self, topics: Collection[str]) -> None:
        """These are others now: their offsets begin anew."""
        for offsets in (self._next, self._before):
            for one in [one for one in offsets if one.topic in topics]:
                del offsets[one]

    def came_to(
        self, next_offsets: Mapping[TopicPartition, int], ours: Collection[TopicPartition]
    ) -> bool:
        """Is with these, of the partitions that are ours, everything read again; True once."""
        self._next.update(next_offsets)
        if not self._before:
            return False
        self._before = {
            one: offset
            for one, offset in self._before.items()
            if one in ours and self.offset_of(one) < offset
        }
        return not self._before
