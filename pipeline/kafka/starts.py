"""Where partitions start: at the smaller of the stored and the committed offset,
or, where neither is known, at their beginning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException

from pipeline.errors import OffsetLost, PipelineError
from pipeline.kafka.admin import KafkaAdmin
from pipeline.kafka.broker import Broker
from pipeline.kafka.errors import (
    REQUEST_TIMEOUT_SECONDS,
    cause,
    ours,
    refuse_lost_start,
    theirs,
)
from pipeline.model.halt import LostAt
from pipeline.model.position import TopicPartition

Known = Mapping[TopicPartition, int | PipelineError]


@dataclass(frozen=True, slots=True)
class Starts:
    """Where partitions start; `lost` are those that cannot, which begin at their ends, unread."""

    offsets: dict[TopicPartition, int]
    lost: dict[TopicPartition, LostAt]


def starts_of(
    partitions: frozenset[TopicPartition],
    stored: Known,
    consumer: Consumer,
    admin: KafkaAdmin,
) -> Starts:
    """At the smaller of both offsets; those that are lost or refused are named."""
    return _starts(partitions, stored, _committed(consumer, admin.broker, partitions), admin)


def stored_starts_of(
    partitions: frozenset[TopicPartition], stored: Known, admin: KafkaAdmin
) -> Starts:
    """At what is stored, or at the oldest message there is, whatever is committed."""
    unknown = partitions - stored.keys()
    oldest = admin.watermarks({tp.topic for tp in unknown}) if unknown else {}
    low = {tp: oldest.get(tp, (0, 0))[0] for tp in unknown}
    return _starts(partitions, {**stored, **low}, {}, admin)


def _starts(
    partitions: frozenset[TopicPartition],
    stored: Known,
    committed: Mapping[TopicPartition, int],
    admin: KafkaAdmin,
) -> Starts:
    starts = dict.fromkeys(partitions, OFFSET_BEGINNING)
    for known in (stored, committed):
        for tp, offset in known.items():
            if tp in partitions and not isinstance(offset, PipelineError):
                starts[tp] = offset if starts[tp] == OFFSET_BEGINNING else min(starts[tp], offset)
    refused = {tp: error for tp, error in stored.items() if isinstance(error, PipelineError)}
    begun = {tp: start for tp, start in starts.items() if start != OFFSET_BEGINNING}
    asked = begun.keys() | refused.keys()
    present = admin.watermarks({tp.topic for tp in asked}) if asked else {}
    lost = {tp: LostAt(max(starts[tp], 0), error) for tp, error in refused.items()}
    for tp, start in begun.items():
        try:
            refuse_lost_start(tp, start, *present.get(tp, (0, 0)))
        except OffsetLost as error:
            lost.setdefault(tp, LostAt(start, error))
    return Starts({**starts, **{tp: present.get(tp, (0, 0))[1] for tp in lost}}, lost)


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
