"""Schema ids that the registry does not know: how long each partition has waited for one."""

from __future__ import annotations

from pipeline.engine.consumer.batch import place_of
from pipeline.engine.consumer.ports import Clock
from pipeline.errors import PipelineError, SchemaLost, SchemaUnknown
from pipeline.model.event import Message
from pipeline.model.position import TopicPartition


class UnknownSchemas:
    """`lost_after_seconds`: how long an id may be unknown before a person is needed."""

    def __init__(self, clock: Clock, lost_after_seconds: float) -> None:
        self._clock = clock
        self._lost_after_seconds = lost_after_seconds
        self._since: dict[TopicPartition, tuple[int, float]] = {}

    def error_of(self, message: Message, error: SchemaUnknown) -> PipelineError:
        """SchemaUnknown with the message's place, or SchemaLost once that has lasted too long."""
        partition, now = TopicPartition(message.topic, message.partition), self._clock.monotonic()
        offset, since = self._since.get(partition, (message.offset, now))
        if offset != message.offset:
            since = now
        self._since[partition] = message.offset, since
        kind = SchemaLost if now - since > self._lost_after_seconds else SchemaUnknown
        return kind(f"{place_of(message)}: {error}")
