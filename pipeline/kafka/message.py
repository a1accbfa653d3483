"""What librdkafka polls, in our form."""

from __future__ import annotations

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE
from confluent_kafka import Message as KafkaMessage

from pipeline.model.event import Message


def read_message(polled: KafkaMessage) -> Message:
    """Our form of a message without an error: bytes untouched, a null key,
    value or header still null.
    """
    kind, timestamp_ms = polled.timestamp()
    headers = polled.headers() or []
    pairs = headers.items() if isinstance(headers, dict) else headers
    return Message(
        topic=polled.topic() or "",
        partition=-1 if (partition := polled.partition()) is None else partition,
        offset=-1 if (offset := polled.offset()) is None else offset,
        key=polled.key(),
        value=polled.value(),
        timestamp_ms=0 if kind == TIMESTAMP_NOT_AVAILABLE else timestamp_ms,
        headers=tuple(
            (name, value.encode() if isinstance(value, str) else value) for name, value in pairs
        ),
    )
