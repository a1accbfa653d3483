"""Partitions that leave in the middle of something: their messages are the next owner's.
No broker is needed.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.kafka.consumer import KafkaMessages
from pipeline.kafka.errors import theirs
from pipeline.model.event import Message
from pipeline.model.position import TopicPartition

STAYS, LEAVES = TopicPartition("t", 0), TopicPartition("t", 1)


class Polled:
    """A message as librdkafka hands it out."""

    def __init__(self, place: TopicPartition) -> None:
        self._place = place

    def error(self) -> None: ...
    def topic(self) -> str:
        return self._place.topic

    def partition(self) -> int:
        return self._place.partition

    def offset(self) -> int:
        return 7

    def key(self) -> None: ...
    def value(self) -> None: ...
    def headers(self) -> None: ...
    def timestamp(self) -> tuple[int, int]:
        return 0, 0


@pytest.fixture
def messages() -> Iterator[KafkaMessages]:
    """A member that has two partitions, and then loses one while a message of each is held back."""
    member = KafkaMessages(
        bootstrap="127.0.0.1:9",
        group="g",
        topics=["t"],
        client_settings={},
        stored_offsets=lambda _: {},
        on_assigned=lambda _: None,
        on_revoked=lambda _: None,
        protocol="consumer",
    )
    member._consumer.incremental_assign([theirs(STAYS, 0), theirs(LEAVES, 0)])
    member._assigned = {STAYS, LEAVES}
    member._buffered = [Message("t", place.partition, 6, b"", b"") for place in (STAYS, LEAVES)]
    member._revoke(member._consumer, [theirs(LEAVES)])
    yield member
    member.close()


def test_what_was_held_back_of_a_partition_that_left_is_dropped(
    messages: KafkaMessages,
) -> None:
    """Its new owner reads it; here it would be applied beside the group."""
    assert [one.partition for one in messages.poll(10, 0.0)] == [STAYS.partition]


def test_a_message_that_comes_after_its_partition_left_is_dropped(
    messages: KafkaMessages,
) -> None:
    """A rebalance within the call that polled it."""
    assert messages._accept(Polled(LEAVES)) is None  # type: ignore[arg-type]
    assert messages._accept(Polled(STAYS)) is not None  # type: ignore[arg-type]
