"""One message, read by a consumer of its own that commits nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confluent_kafka import (
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaException,
)

from pipeline.kafka.errors import (
    REQUEST_TIMEOUT_SECONDS,
    cause,
    no_answer,
    theirs,
    unreachable,
)
from pipeline.model.position import TopicPartition


def produced_at_ms(settings: Mapping[str, Any], tp: TopicPartition, offset: int) -> int | None:
    """When the message at an offset that is there was produced, in milliseconds since 1970 UTC."""
    doing = f"reading one message of {tp.topic}"
    reader = Consumer(
        {
            **settings,
            "group.id": "ajera-cdc-peek",
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
        }
    )
    try:
        reader.assign([theirs(tp, offset)])
        message = reader.poll(REQUEST_TIMEOUT_SECONDS)
    except KafkaException as error:
        raise unreachable(doing, cause(error)) from error
    finally:
        reader.close()
    if message is None:
        raise no_answer(doing)
    fault = message.error()
    if fault is not None:
        raise unreachable(doing, fault)
    kind, timestamp_ms = message.timestamp()
    return None if kind == TIMESTAMP_NOT_AVAILABLE else timestamp_ms
