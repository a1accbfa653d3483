"""Messages that were polled and not returned yet, and the partitions that they may be of."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pipeline.model.event import Message
from pipeline.model.position import TopicPartition


class Buffer:
    """Only messages of assigned partitions: a rebalance within the call that polled a message can
    revoke its partition, and the new owner reads it.
    """

    def __init__(self) -> None:
        self.assigned: frozenset[TopicPartition] = frozenset()
        self._messages: list[Message] = []

    def __bool__(self) -> bool:
        return bool(self._messages)

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        self.assigned = self.assigned.union(partitions)

    def revoke(self, partitions: Collection[TopicPartition]) -> None:
        """Their messages are the next owner's: here they would be applied beside the group."""
        self.assigned = self.assigned.difference(partitions)
        self.drop(partitions)

    def drop(self, partitions: Collection[TopicPartition]) -> None:
        """What is held of these is polled again."""
        self._messages = [m for m in self._messages if (m.topic, m.partition) not in partitions]

    def add(self, message: Message) -> None:
        if (message.topic, message.partition) in self.assigned:  # as a TopicPartition is compared
            self._messages.append(message)

    def take(self) -> list[Message]:
        """Everything that is held, in the order in which it came."""
        messages, self._messages = self._messages, []
        return messages
