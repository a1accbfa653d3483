"""What librdkafka reports in the middle of `consume`, kept until it may be raised."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka import Message as KafkaMessage

from pipeline.errors import OffsetLost, PipelineError, ServiceUnreachable
from pipeline.kafka.admin import KafkaAdmin
from pipeline.kafka.errors import (
    DOWN_CODES,
    LOST_CODES,
    REQUEST_TIMEOUT_SECONDS,
    TRANSPORT_CODES,
    refuse_lost_start,
)
from pipeline.model.halt import LostAt
from pipeline.model.position import TopicPartition


class KeptError:
    """The first error of callbacks and polled messages, and whether any broker answers.

    Raised beside messages, an error would lose them: the position is past them.
    """

    def __init__(self, admin: KafkaAdmin) -> None:
        self.last: str | None = None
        self._admin = admin
        self._first: Exception | None = None
        self._lost: dict[TopicPartition, LostAt] = {}
        self._down: KafkaError | None = None

    @property
    def is_down(self) -> bool:
        """Did librdkafka say so, and has nothing come since."""
        return self._down is not None

    def note(self, error: KafkaError) -> None:
        """librdkafka's `error_cb`."""
        self.last = f"{error.name()}: {error.str()}"
        self._admin.broker.reported(error)
        if error.fatal() or error.code() in DOWN_CODES:
            self._down = error

    def keep(self, error: Exception) -> None:
        """The first one is the cause."""
        self._first = self._first or error

    def keep_polled(self, polled: KafkaMessage, error: KafkaError) -> None:
        """A message that is none."""
        topic, partition, offset = (
            polled.topic(),
            polled.partition(),
            polled.offset(),
        )
        if error.code() in LOST_CODES and topic is not None and partition is not None:
            tp = TopicPartition(topic, partition)
            self._lost[tp] = LostAt(max(offset or 0, 0), self._of_lost(tp, offset, error))
        elif error.code() in TRANSPORT_CODES:
            self._down = error
        else:
            self.keep(self._admin.broker.failure(f"reading {topic or 'messages'}", error))

    def placed(
        self, partitions: Collection[TopicPartition], lost: Mapping[TopicPartition, LostAt]
    ) -> None:
        """These are read from other offsets now, where they can be: what was lost before no longer
        counts.
        """
        before = {tp: at for tp, at in self._lost.items() if tp not in partitions}
        self._lost = {**before, **lost}

    def take_lost(self) -> dict[TopicPartition, LostAt]:
        """Those that cannot be read, each once."""
        lost, self._lost = self._lost, {}
        return lost

    def forget(self) -> None:
        """Where a partition would have started matters no more."""
        self._first = None

    def answered(self) -> None:
        """Messages came: some broker answers."""
        self._down = None
        self._admin.broker.answered()

    def raise_first(self) -> None:
        error, self._first = self._first, None
        if error is not None:
            raise error

    def raise_if_down(self, consumer: Consumer) -> None:
        """librdkafka reports this once; only a request shows whether it is still so."""
        if self._down is None:
            return
        try:
            consumer.list_topics(timeout=REQUEST_TIMEOUT_SECONDS / 2)
        except KafkaException as error:
            raise self._admin.broker.failure("reading messages", self._down) from error
        fault, self._down = self._down, None
        if fault.fatal():
            raise self._admin.broker.failure("as a member that cannot continue", fault)

    def _of_lost(self, tp: TopicPartition, offset: int | None, error: KafkaError) -> PipelineError:
        """With how much is lost, where a broker says so."""
        try:
            low, high = self._admin.watermarks([tp.topic])[tp]
            refuse_lost_start(tp, low if offset is None else offset, low, high)
        except OffsetLost as found:
            return found
        except (ServiceUnreachable, KeyError):
            pass
        return OffsetLost(
            f"{tp.topic} partition {tp.partition}, offset {offset}: {error.name()}: {error.str()}."
        )
