"""Partitions that leave in the middle of something: their messages are the next owner's."""

from __future__ import annotations

import pytest

from pipeline.kafka.buffer import Buffer
from pipeline.model.event import Message
from pipeline.model.position import TopicPartition

STAYS, LEAVES = TopicPartition("t", 0), TopicPartition("t", 1)


def message(partition: TopicPartition, offset: int) -> Message:
    """As it was polled."""
    return Message(partition.topic, partition.partition, offset, b"", b"")


@pytest.fixture
def buffer() -> Buffer:
    """Two partitions, of which one leaves while a message of each is held back."""
    held = Buffer()
    held.assign([STAYS, LEAVES])
    for partition in (STAYS, LEAVES):
        held.add(message(partition, 6))
    held.revoke([LEAVES])
    return held


def test_what_was_held_back_of_a_partition_that_left_is_dropped(buffer: Buffer) -> None:
    """Its new owner reads it; here it would be applied beside the group."""
    assert buffer.take() == [message(STAYS, 6)]
    assert not buffer


def test_a_message_that_comes_after_its_partition_left_is_dropped(buffer: Buffer) -> None:
    """A rebalance within the call that polled it."""
    buffer.add(message(LEAVES, 7))
    buffer.add(message(STAYS, 7))
    assert buffer.take() == [message(STAYS, 6), message(STAYS, 7)]


def test_a_partition_that_comes_back_is_read_again(buffer: Buffer) -> None:
    """From where its start says, not from what was dropped."""
    buffer.assign([LEAVES])
    buffer.add(message(LEAVES, 3))
    assert buffer.take() == [message(STAYS, 6), message(LEAVES, 3)]
