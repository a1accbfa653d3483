"""Every message of a small topic with one partition, read by a consumer that commits nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import Consumer, KafkaException

from pipeline.kafka.broker import Broker, client
from pipeline.kafka.errors import (
    REQUEST_TIMEOUT_SECONDS,
    UNKNOWN_TOPIC_CODES,
    cause,
    theirs,
)
from pipeline.kafka.message import read_message
from pipeline.model.event import Message
from pipeline.model.position import TopicPartition

SETTINGS: Final = {
    "group.id": "ajera-cdc-read",
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",
    "allow.auto.create.topics": False,
    "log_level": 0,  # what it has to say comes by `error_cb`, and with the answers
}
MOST_AT_ONCE: Final = 1000


class WholeTopic:
    """Reads a topic from its beginning; each `more` gives what has come since the one before.
    Raises ServiceUnreachable.
    """

    def __init__(self, bootstrap: str, client_settings: Mapping[str, str], topic: str) -> None:
        self._broker = Broker(bootstrap)
        settings: dict[str, Any] = {
            **client_settings,
            "bootstrap.servers": bootstrap,
            **SETTINGS,
            "error_cb": self._broker.reported,
        }
        self._reader = client(lambda: Consumer(settings), client_settings)
        self._partition = TopicPartition(topic, 0)
        self._doing = f"reading {topic}"
        self._next: int | None = None

    def more(self) -> list[Message]:
        """What it holds up to its present end, from where the last call ended. A topic that is not
        there holds nothing.
        """
        try:
            ends = self._reader.get_watermark_offsets(
                theirs(self._partition), timeout=REQUEST_TIMEOUT_SECONDS
            )
            if ends is None:
                raise self._broker.no_answer(self._doing)
            return self._up_to(*ends)
        except KafkaException as error:
            fault = cause(error)
            if fault.code() in UNKNOWN_TOPIC_CODES:
                return []
            raise self._broker.failure(self._doing, fault) from error

    def close(self) -> None:
        self._reader.close()

    def _up_to(self, low: int, high: int) -> list[Message]:
        if self._next is None or self._next > high:  # created again since
            self._next = low
            self._reader.assign([theirs(self._partition, low)])
        found: list[Message] = []
        deadline = time.monotonic() + REQUEST_TIMEOUT_SECONDS
        while self._next < high:
            for polled in self._reader.consume(MOST_AT_ONCE, timeout=0.5):
                fault = polled.error()
                if fault is not None:
                    raise self._broker.failure(self._doing, fault)
                message = read_message(polled)
                found.append(message)
                self._next = message.offset + 1
                deadline = time.monotonic() + REQUEST_TIMEOUT_SECONDS
            if time.monotonic() >= deadline:
                raise self._broker.no_answer(self._doing)
        return found
