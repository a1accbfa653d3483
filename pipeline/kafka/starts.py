"""Where partitions start: at the smaller of the stored and the committed offset,
or, where neither is known, at their beginning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException

from pipeline.kafka.admin import KafkaAdmin
from pipeline.kafka.broker import Broker
from pipeline.kafka.errors import (
    REQUEST_TIMEOUT_SECONDS,
    cause,
    ours,
    refuse_lost_start,
    theirs,
)
from pipeline.model.position import TopicPartition


def starts_of(
    partitions: frozenset[TopicPartition],
    stored: Mapping[TopicPartition, int],
    consumer: Consumer,
    admin: KafkaAdmin,
) -> dict[TopicPartition, int]:
    """Raises OffsetLost where retention has deleted the messages from there on."""
    committed = _committed(consumer, admin.broker, partitions)
    starts = dict.fromkeys(partitions, OFFSET_BEGINNING)
    for known in (stored, committed):
        for tp in known.keys() & partitions:
            starts[tp] = known[tp] if starts[tp] == OFFSET_BEGINNING else min(starts[tp], known[tp])
    begun = {tp: start for tp, start in starts.items() if start != OFFSET_BEGINNING}
    present = admin.watermarks({tp.topic for tp in begun}) if begun else {}
    for tp, start in begun.items():
        refuse_lost_start(tp, start, *present.get(tp, (0, 0)))
    return starts


def _committed(
    consumer: Consumer, broker: Broker, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, int]:
    asked = [theirs(tp) for tp in sorted(partitions)]
    try:
        found = consumer.committed(asked, timeout=REQUEST_TIMEOUT_SECONDS)
    except KafkaException as error:
        raise broker.failure("reading committed offsets", cause(error)) from error
    for each in found:
        if each.error is not None:
            raise broker.failure(
                f"reading the committed offset of {each.topic}",
                each.error,
            )
    return {ours(each): each.offset for each in found if each.offset >= 0}
