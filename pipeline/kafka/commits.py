"""Next offsets on their way to the group's committed ones.

Nobody waits for the answer: what `sync` stores says how far we are, and Kafka's offsets follow it,
for the tools that read them. One request is under way at a time; what is given meanwhile goes with
the next one. A request that failed is repeated, and waited for: so its error is raised.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka import TopicPartition as KafkaPartition

from pipeline.errors import PipelineError
from pipeline.kafka.broker import Broker
from pipeline.kafka.errors import LOGGER, NO_LONGER_OURS_CODES, cause, ours, theirs
from pipeline.model.position import TopicPartition


class Commits:
    """Commits of one member. If the group has rebalanced without us, nothing is committed and
    nothing is raised: the new owner of the partitions reads those messages again.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._given: dict[TopicPartition, int] = {}  # and not sent
        self._sent: dict[TopicPartition, int] = {}  # and not answered
        self._has_failed = False

    def answered(self, error: KafkaError | None, partitions: list[KafkaPartition]) -> None:
        """librdkafka's `on_commit`."""
        self._sent = {}
        if any(map(_is_fault, [error, *(one.error for one in partitions)])):
            self._given = {ours(one): one.offset for one in partitions} | self._given
            self._has_failed = True

    def give(self, next_offsets: Mapping[TopicPartition, int]) -> None:
        """To be committed."""
        self._given |= next_offsets

    def forget(self, partitions: Collection[TopicPartition]) -> None:
        """These are no longer ours."""
        self._given = {tp: at for tp, at in self._given.items() if tp not in partitions}
        self._sent = {tp: at for tp, at in self._sent.items() if tp not in partitions}

    def send(self, consumer: Consumer) -> None:
        """Send what is given, unless something is under way. Raises ServiceUnreachable if what was
        sent before has failed, and fails again.
        """
        if self._has_failed:
            self.finish(consumer)
        elif self._given and not self._sent:
            self._sent, self._given = self._given, {}
            offsets = [theirs(*one) for one in sorted(self._sent.items())]
            try:
                consumer.commit(offsets=offsets, asynchronous=True)
            except KafkaException as error:
                raise self._failure("committing offsets", cause(error)) from error

    def finish(self, consumer: Consumer) -> None:
        """Return when all of it is committed. Raises ServiceUnreachable."""
        self._sent, self._given = self._sent | self._given, {}
        if not self._sent:
            return
        try:
            offsets = [theirs(*one) for one in sorted(self._sent.items())]
            results = consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            fault = cause(error)
            if _is_fault(fault):
                raise self._failure("committing offsets", fault) from error
            results = []
        for result in results:
            if result.error is not None and _is_fault(result.error):
                where = f"{result.topic} partition {result.partition}"
                raise self._failure(f"committing {where}", result.error)
        self._sent, self._has_failed = {}, False

    def leave(self, consumer: Consumer) -> None:
        """Commit before partitions go. Where that fails, their next owner reads more again."""
        try:
            self.finish(consumer)
        except PipelineError as error:
            LOGGER.warning("offsets are not committed: %s", error)

    def _failure(self, action: str, fault: KafkaError) -> PipelineError:
        """Kept to be tried again."""
        self._given, self._sent = self._sent | self._given, {}
        self._has_failed = True
        return self._broker.failure(action, fault)


def _is_fault(error: KafkaError | None) -> bool:
    return error is not None and error.code() not in NO_LONGER_OURS_CODES
