"""Topics in memory, as commands and gauges ask Kafka for them (port `Topics` of the backlog)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.errors import ServiceUnreachable
from pipeline.kafka.groups import GroupState
from pipeline.kafka.topics import TopicDescription
from pipeline.model.event import Message
from pipeline.model.position import TopicPartition


@dataclass
class KafkaTopics:
    """`messages`: what each partition still holds. `is_away`: no broker answers. A group
    that is not among `groups` was never seen.
    """

    messages: dict[TopicPartition, list[Message]] = field(default_factory=dict)
    low: dict[TopicPartition, int] = field(default_factory=dict)
    is_away: bool = False
    retention_ms: int = -1
    groups: Mapping[str, GroupState] = field(default_factory=dict)

    def create(self, topic: str, partitions: int = 1) -> None:
        for number in range(partitions):
            self.messages[TopicPartition(topic, number)] = []

    def delete(self, topic: str) -> None:
        for tp in [tp for tp in self.messages if tp.topic == topic]:
            del self.messages[tp]

    def append(self, topic: str, value: bytes | None, at_ms: int, partition: int = 0) -> None:
        tp = TopicPartition(topic, partition)
        offset = self._end(tp)
        self.messages[tp].append(Message(topic, partition, offset, b"", value, at_ms))

    def expire(self, topic: str, count: int, partition: int = 0) -> None:
        """Retention deletes the oldest."""
        tp = TopicPartition(topic, partition)
        self.low[tp] = self.low.get(tp, 0) + count
        del self.messages[tp][:count]

    def group_state(self, group: str) -> GroupState:
        return self.groups.get(group, GroupState("dead", 0, {}))

    def watermarks(self, topics: Sequence[str]) -> dict[TopicPartition, tuple[int, int]]:
        return {tp: (self.low.get(tp, 0), self._end(tp)) for tp in self._of(topics)}

    def newest_ms(self, topics: Sequence[str]) -> dict[TopicPartition, int]:
        return {
            tp: max(one.timestamp_ms for one in self.messages[tp])
            for tp in self._of(topics)
            if self.messages[tp]
        }

    def messages_at(self, offsets: Mapping[TopicPartition, int]) -> dict[TopicPartition, Message]:
        self._answer()
        found = {
            tp: next((one for one in self.messages.get(tp, []) if one.offset >= offset), None)
            for tp, offset in offsets.items()
        }
        return {tp: message for tp, message in found.items() if message is not None}

    def topic_description(self, topic: str) -> TopicDescription | None:
        partitions = len(self._of([topic]))
        if not partitions:
            return None
        return TopicDescription(topic, "id", partitions, 1, self.retention_ms, "delete")

    def _of(self, topics: Sequence[str]) -> list[TopicPartition]:
        self._answer()
        return sorted(tp for tp in self.messages if tp.topic in topics)

    def _end(self, tp: TopicPartition) -> int:
        return self.low.get(tp, 0) + len(self.messages[tp])

    def _answer(self) -> None:
        if self.is_away:
            raise ServiceUnreachable("Kafka: no answer.")
