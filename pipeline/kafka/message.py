"""What librdkafka polls, in our form."""

from __future__ import annotations

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE
from confluent_kafka import Message as KafkaMessage

from pipeline.model.event import Message

Headers = dict[str, str | bytes | None] | list[tuple[str, str | bytes | None]]


def read_message(polled: KafkaMessage) -> Message:
    """Our form of a message without an error: bytes untouched, a null key,
    value or header still null.
    """
    kind, timestamp_ms = polled.timestamp()
    headers = polled.headers()
    return Message(
        polled.topic() or "",
        -1 if (partition := polled.partition()) is None else partition,
        -1 if (offset := polled.offset()) is None else offset,
        polled.key(),
        polled.value(),
        0 if kind == TIMESTAMP_NOT_AVAILABLE else timestamp_ms,
        _pairs(headers) if headers else (),
    )


def _pairs(headers: Headers) -> tuple[tuple[str, bytes | None], ...]:
    pairs = headers.items() if isinstance(headers, dict) else headers
    return tuple(
        (name, value.encode() if isinstance(value, str) else value) for name, value in pairs
    )
