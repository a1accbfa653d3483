"""Single messages, read by a consumer of its own that commits nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from confluent_kafka import Consumer, KafkaException

from pipeline.kafka.broker import Broker
from pipeline.kafka.errors import (
    REQUEST_TIMEOUT_SECONDS,
    cause,
    theirs,
)
from pipeline.kafka.message import read_message
from pipeline.model.event import Message
from pipeline.model.position import TopicPartition

SETTINGS: Final = {
    "group.id": "ajera-cdc-peek",
    "enable.auto.commit": False,
    "auto.offset.reset": "error",
    "fetch.message.max.bytes": 65_536,  # one message is wanted; a larger one comes all the same
    "queued.min.messages": 1,
}

WIDE: Final = {"fetch.message.max.bytes": 1_048_576, "queued.min.messages": 1_000}


def read_at(
    settings: Mapping[str, Any],
    broker: Broker,
    offsets: Mapping[TopicPartition, int],
    timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
) -> dict[TopicPartition, Message]:
    """The first message of each partition from its offset on.
    Those that do not come in time, or are gone, are left out. Raises ServiceUnreachable.
    """
    found: dict[TopicPartition, Message] = {}
    if not offsets:
        return found
    lost: set[TopicPartition] = set()
    deadline = time.monotonic() + timeout_seconds
    reader = Consumer({**settings, **SETTINGS})
    try:
        reader.assign([theirs(tp, offset) for tp, offset in sorted(offsets.items())])
        while len(found) + len(lost) < len(offsets):
            left = deadline - time.monotonic()
            polled = reader.poll(left) if left > 0 else None
            if polled is None:
                break
            fault = polled.error()
            if fault is not None and polled.topic() is None:
                raise broker.failure("reading single messages", fault)
            message = read_message(polled)
            tp = TopicPartition(message.topic, message.partition)
            if fault is not None:
                lost.add(tp)
            elif tp not in found:
                found[tp] = message
                reader.pause([theirs(tp)])
    except KafkaException as error:
        raise broker.failure("reading single messages", cause(error)) from error
    finally:
        reader.close()
    return found


def read_range(
    settings: Mapping[str, Any],
    broker: Broker,
    tp: TopicPartition,
    first: int,
    last: int,
    timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
) -> Iterator[Message]:
    """The messages of a partition from one offset to another, both included, which are there.

    Ends early where none comes within the timeout. Raises ServiceUnreachable.
    """
    reader = Consumer({**settings, **SETTINGS, **WIDE})
    try:
        reader.assign([theirs(tp, first)])
        while True:
            polled = reader.poll(timeout_seconds)
            if polled is None:
                return
            fault = polled.error()
            if fault is not None:
                raise broker.failure("reading messages", fault)
            message = read_message(polled)
            if message.offset <= last:
                yield message
            if message.offset >= last:
                return
    except KafkaException as error:
        raise broker.failure("reading messages", cause(error)) from error
    finally:
        reader.close()
