"""The translation of Kafka's errors into ours: each code has one meaning, and none is ignored."""

from __future__ import annotations

import logging
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import TopicPartition as KafkaPartition

from pipeline.errors import OffsetLost
from pipeline.model.position import TopicPartition

REQUEST_TIMEOUT_SECONDS: Final = 10.0
LOGGER: Final = logging.getLogger("ajera_cdc.kafka")  # librdkafka's own log: addresses and states

# The next offset does not exist (any more); `auto.offset.reset=error` turns it into one of these.
LOST_CODES: Final = frozenset(
    {
        # confluent_kafka's public names of librdkafka's local codes
        KafkaError._AUTO_OFFSET_RESET,  # noqa: SLF001
        KafkaError.OFFSET_OUT_OF_RANGE,
        KafkaError._LOG_TRUNCATION,  # noqa: SLF001
    }
)
# No broker answers, or none accepts our credentials: reported by `error_cb`, not with messages.
DOWN_CODES: Final = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
        KafkaError._AUTHENTICATION,  # noqa: SLF001
        KafkaError._RESOLVE,  # noqa: SLF001
        KafkaError._SSL,  # noqa: SLF001
    }
)
TRANSPORT_CODES: Final = DOWN_CODES | {
    KafkaError._TRANSPORT,  # noqa: SLF001
    KafkaError._TIMED_OUT,  # noqa: SLF001
}
# A group's offsets cannot be set while it has members.
MEMBERS_LEFT_CODES: Final = frozenset(
    {
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.NON_EMPTY_GROUP,
        KafkaError.STALE_MEMBER_EPOCH,
    }
)
CREDENTIAL_CODES: Final = frozenset(
    {
        KafkaError._AUTHENTICATION,  # noqa: SLF001
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.UNSUPPORTED_SASL_MECHANISM,
        KafkaError.ILLEGAL_SASL_STATE,
    }
)
RIGHT_CODES: Final = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    }
)
UNKNOWN_TOPIC_CODES: Final = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
    }
)
# A commit by a member that is no longer in the group. Nothing is stored; the new owner of the
# partition reads the messages again.
NO_LONGER_OURS_CODES: Final = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError.FENCED_MEMBER_EPOCH,
        KafkaError.STALE_MEMBER_EPOCH,
        KafkaError._ASSIGNMENT_LOST,  # noqa: SLF001
        KafkaError._FENCED,  # noqa: SLF001
    }
)


def cause(error: KafkaException) -> KafkaError:
    """The error inside a KafkaException."""
    inner = error.args[0] if error.args else None
    return inner if isinstance(inner, KafkaError) else KafkaError(KafkaError.UNKNOWN, str(error))


def theirs(partition: TopicPartition, offset: int | None = None) -> KafkaPartition:
    """A partition in confluent_kafka's form, with an offset if one is given."""
    if offset is None:
        return KafkaPartition(partition.topic, partition.partition)
    return KafkaPartition(partition.topic, partition.partition, offset)


def ours(partition: KafkaPartition) -> TopicPartition:
    """A partition in our form."""
    return TopicPartition(partition.topic, partition.partition)


def refuse_lost_start(tp: TopicPartition, start: int, low: int, high: int) -> None:
    """Raise OffsetLost unless a partition that holds the offsets
    `low` to `high - 1` can be read from `start`.
    """
    where = f"{tp.topic} partition {tp.partition}"
    if start < low:
        raise OffsetLost(
            f"{where} was to be read from offset {start}, but retention has deleted "
            f"everything below {low}: {low - start} messages are lost."
        )
    if start > high:
        raise OffsetLost(
            f"{where} was to be read from offset {start}, but it ends at {high}: "
            "the topic was recreated or truncated since."
        )
