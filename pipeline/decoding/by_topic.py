"""Messages of several systems, each decoded by its own system's decoder."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.decoding.event import Decoder
from pipeline.errors import MetadataMissing
from pipeline.model.event import Decoded, Event, Message, Undecodable


class DecoderByTopic:
    """Decodes the topics of all of them, and their heartbeats."""

    def __init__(self, decoders: Sequence[Decoder]) -> None:
        self._by_topic = {topic: one for one in decoders for topic in topics_of([one])}

    @property
    def topics(self) -> list[str]:
        return list(self._by_topic)

    def decode(self, message: Message, incarnation: int) -> Decoded:
        decoder = self._by_topic.get(message.topic)
        if decoder is None:
            return Undecodable(MetadataMissing(f"{message.topic}: no source table has this topic."))
        return decoder.decode(message, incarnation)

    def decode_many(
        self, messages: Sequence[Message], start: int, incarnation: int
    ) -> Sequence[Event]:
        decoder = self._by_topic.get(messages[start].topic)
        return decoder.decode_many(messages, start, incarnation) if decoder else ()


def topics_of(decoders: Sequence[Decoder]) -> list[str]:
    """Those of their tables, and of their heartbeats."""
    return [topic for one in decoders for topic in (*one.topics.values(), one.heartbeat_topic)]
