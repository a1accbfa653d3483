"""Reading partitions from other offsets than the next ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaError, KafkaException

from pipeline.errors import OffsetLost, PipelineError, ReplayRefused
from pipeline.kafka.broker import Broker
from pipeline.kafka.errors import MEMBERS_LEFT_CODES, cause, ours, refuse_lost_start, theirs
from pipeline.model.halt import LostAt
from pipeline.model.position import TopicPartition

if TYPE_CHECKING:
    from pipeline.kafka.admin import KafkaAdmin

NOT_FETCHED = KafkaError._STATE  # noqa: SLF001 (confluent_kafka's public name of a local code)


def lost_of(
    offsets: Mapping[TopicPartition, int], admin: KafkaAdmin
) -> dict[TopicPartition, LostAt]:
    """Those of these partitions that do not hold the offset. Raises ServiceUnreachable."""
    present = admin.watermarks({tp.topic for tp in offsets}) if offsets else {}
    lost: dict[TopicPartition, LostAt] = {}
    for tp, offset in offsets.items():
        try:
            refuse_lost_start(tp, offset, *present.get(tp, (0, 0)))
        except OffsetLost as error:
            lost[tp] = LostAt(offset, error)
    return lost


def refuse_missing(
    offsets: Mapping[TopicPartition, int], known: Mapping[TopicPartition, tuple[int, int]]
) -> None:
    """Raise ReplayRefused unless every partition is there, and begins or ends at its offset, or
    holds it. `known`: the oldest offset of each, and the one after the newest.
    """
    for tp, offset in sorted(offsets.items()):
        low, high = known.get(tp, (0, -1))
        if not low <= offset <= high:
            there = "does not exist" if tp not in known else f"goes from {low} to {high}"
            raise ReplayRefused(
                f"{tp.topic} partition {tp.partition} {there}; offset {offset} was asked for."
            )


def not_set(broker: Broker, group: str, fault: KafkaError) -> PipelineError:
    """Why a group's offsets were not set."""
    if fault.code() in MEMBERS_LEFT_CODES:
        return ReplayRefused(
            f"The group {group} got members while its offsets were being set ({fault.name()})."
        )
    return broker.failure(f"setting the offsets of {group}", fault)


def seek(
    consumer: Consumer,
    tp: TopicPartition,
    offset: int,
    starts: Mapping[TopicPartition, int],
    *,
    is_eager: bool,
) -> None:
    """Set one of the assigned partitions, which started at `starts`. Raises KafkaException.

    librdkafka stops fetching a partition whose offset was out of range, and refuses to set it: then
    it is assigned again, under an eager protocol with all others where they are.
    """
    try:
        consumer.seek(theirs(tp, offset))
    except KafkaException as error:
        if cause(error).code() != NOT_FETCHED:
            raise
        if is_eager:
            others = _positions(consumer, starts, starts.keys() - {tp})
            consumer.assign([theirs(one, at) for one, at in sorted({**others, tp: offset}.items())])
        else:
            consumer.incremental_unassign([theirs(tp)])
            consumer.incremental_assign([theirs(tp, offset)])


def _positions(
    consumer: Consumer, starts: Mapping[TopicPartition, int], partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, int]:
    """Where partitions are read next: behind what came of them, or where they started."""
    found = consumer.position([theirs(one) for one in sorted(partitions)])
    return {ours(each): each.offset if each.offset >= 0 else starts[ours(each)] for each in found}
