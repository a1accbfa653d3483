"""The port `DeadLetters` on a Kafka topic: the untouched message,
and in headers why and from where.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as KafkaMessage

from pipeline.errors import DeadLetterFailed, PipelineError
from pipeline.kafka.broker import client
from pipeline.kafka.errors import cause
from pipeline.model.event import Message

HEADER_PREFIX: Final = "ajera_cdc."
DELIVERY_TIMEOUT_SECONDS: Final = 30.0
MISSING_TOPIC_SECONDS: Final = 3.0  # a topic that is not there: nothing else is read meanwhile


class KafkaDeadLetters:
    """Writes dead letters of one consumer group to one topic,
    each acknowledged by all replicas before `send` returns.
    """

    def __init__(
        self,
        bootstrap: str,
        client_settings: Mapping[str, str],
        topic: str,
        group: str,
    ) -> None:
        self._topic = topic
        self._group = group
        self._timeout_seconds = (
            float(client_settings.get("delivery.timeout.ms", DELIVERY_TIMEOUT_SECONDS * 1000))
            / 1000
        )
        settings = {
            "delivery.timeout.ms": int(self._timeout_seconds * 1000),
            "topic.metadata.propagation.max.ms": int(MISSING_TOPIC_SECONDS * 1000),
            **client_settings,
            "bootstrap.servers": bootstrap,
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 0,
            "allow.auto.create.topics": False,
            # Between letters nobody takes what it reports, which would pile up: the consumer of the
            # same process says that a broker is unavailable, and `send` why a letter failed.
            "log_level": 0,
        }
        self._producer = client(lambda: Producer(settings), client_settings)

    def send(self, message: Message, error: PipelineError) -> None:
        """Write the message with its error's code, remedy, text and its coordinates;
        the original headers stay.

        Raises DeadLetterFailed; nothing of this message is sent afterwards then.
        """
        answers: list[KafkaError | None] = []

        def answered(fault: KafkaError | None, _: KafkaMessage) -> None:
            answers.append(fault)

        headers = letter_headers(message, error, self._group)
        try:
            self._producer.produce(
                self._topic,
                value=message.value,
                key=message.key,
                headers=headers,
                on_delivery=answered,
            )
            self._producer.flush(self._timeout_seconds + 1)
        except KafkaException as fault:
            raise self._failed(message, cause(fault).name()) from fault
        except BufferError as fault:
            raise self._failed(message, "the producer's queue is full") from fault
        if not answers:
            self._producer.purge()
            raise self._failed(
                message,
                f"no answer within {self._timeout_seconds:.0f} seconds",
            )
        if answers[0] is not None:
            raise self._failed(message, f"{answers[0].name()}: {answers[0].str()}")

    def close(self) -> None:
        """Close the connections; nothing is waiting, for `send` waits."""
        self._producer.close()

    def _failed(self, message: Message, reason: str) -> DeadLetterFailed:
        where = f"{message.topic} partition {message.partition} offset {message.offset}"
        return DeadLetterFailed(
            f"The dead letter of {where} was not written to {self._topic}: {reason}."
        )


def letter_headers(
    message: Message, error: PipelineError, group: str
) -> list[tuple[str, str | bytes | None]]:
    """The original headers, then ours, which replace those of an earlier dead letter (of a redriven
    message).
    """
    ours = {
        "code": error.code,
        "remedy": error.remedy.value,
        "message": str(error),  # our errors name tables, offsets and codes, never row values
        "topic": message.topic,
        "partition": str(message.partition),
        "offset": str(message.offset),
        "timestamp_ms": str(message.timestamp_ms),
        "group": group,
    }
    original: list[tuple[str, str | bytes | None]] = [
        (name, value) for name, value in message.headers if not name.startswith(HEADER_PREFIX)
    ]
    return original + [(HEADER_PREFIX + name, text.encode()) for name, text in ours.items()]
