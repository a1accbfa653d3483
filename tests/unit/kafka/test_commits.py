"""Next offsets on their way: nobody waits for the answer, and no refusal is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka import TopicPartition as KafkaPartition

from pipeline.errors import ServiceUnreachable
from pipeline.kafka.broker import Broker
from pipeline.kafka.commits import Commits
from pipeline.model.position import TopicPartition

FIRST, SECOND = TopicPartition("t", 0), TopicPartition("t", 1)
TIMED_OUT = KafkaError(KafkaError._TIMED_OUT)  # noqa: SLF001 # confluent_kafka's public names
NOT_OURS = KafkaError(KafkaError.ILLEGAL_GENERATION)


class Member:
    """A stand-in for confluent_kafka's consumer: what it was asked to commit, with and without
    being waited for; it answers when told.
    """

    def __init__(self) -> None:
        self.sent: list[dict[TopicPartition, int]] = []
        self.waited_for: list[dict[TopicPartition, int]] = []
        self.fault: KafkaError | None = None
        self.commits = Commits(Broker("nowhere:1"))

    def commit(
        self, *, offsets: Sequence[KafkaPartition], asynchronous: bool
    ) -> Sequence[KafkaPartition]:
        given = {TopicPartition(one.topic, one.partition): one.offset for one in offsets}
        (self.sent if asynchronous else self.waited_for).append(given)
        if not asynchronous and self.fault is not None:
            raise KafkaException(self.fault)
        return offsets

    def give(self, *places: tuple[TopicPartition, int]) -> None:
        self.commits.give(dict(places))
        self.send()

    def send(self) -> None:
        self.commits.send(cast(Consumer, self))

    def finish(self) -> None:
        self.commits.finish(cast(Consumer, self))

    def answer(self, error: KafkaError | None = None) -> None:
        """The broker has answered the oldest request that was not answered."""
        answered = [KafkaPartition(tp.topic, tp.partition, at) for tp, at in self.sent[-1].items()]
        self.commits.answered(error, answered)


@pytest.fixture
def member() -> Member:
    return Member()


def test_offsets_are_sent_at_once_and_those_given_meanwhile_with_the_next_request(
    member: Member,
) -> None:
    """One request is under way at a time, so that a busy member does not make one a batch."""
    member.give((FIRST, 1))
    member.give((FIRST, 2))
    member.give((FIRST, 3), (SECOND, 1))
    assert member.sent == [{FIRST: 1}]
    member.answer()
    member.send()
    assert member.sent == [{FIRST: 1}, {FIRST: 3, SECOND: 1}]
    member.answer()
    member.send()
    assert len(member.sent) == 2
    assert member.waited_for == []


def test_a_request_that_failed_is_repeated_waited_for_and_raised(member: Member) -> None:
    """As often as it fails; then offsets are sent as before."""
    member.give((FIRST, 1), (SECOND, 1))
    member.commits.give({FIRST: 2})
    member.answer(TIMED_OUT)
    member.fault = TIMED_OUT
    for _ in range(2):
        with pytest.raises(ServiceUnreachable, match="committing offsets"):
            member.send()
    member.fault = None
    member.send()
    assert member.waited_for == [{FIRST: 2, SECOND: 1}] * 3
    member.give((FIRST, 3))
    assert member.sent[1:] == [{FIRST: 3}]


def test_what_is_under_way_is_waited_for_before_partitions_leave(member: Member) -> None:
    """Their next owner reads from there on."""
    member.give((FIRST, 1))
    member.commits.give({SECOND: 1})
    member.finish()
    member.finish()
    assert member.waited_for == [{FIRST: 1, SECOND: 1}]


def test_a_partition_that_left_is_not_committed(member: Member) -> None:
    """It is another member's."""
    member.give((FIRST, 1))
    member.commits.give({SECOND: 1})
    member.commits.forget([FIRST])
    member.finish()
    assert member.waited_for == [{SECOND: 1}]


def test_a_member_that_the_group_left_behind_raises_nothing(member: Member) -> None:
    """Nothing is committed; the new owner reads those messages again."""
    member.give((FIRST, 1))
    member.answer(NOT_OURS)
    member.send()
    assert (len(member.sent), member.waited_for) == (1, [])
    member.fault = NOT_OURS
    member.commits.give({FIRST: 2})
    member.finish()
    member.finish()
    assert member.waited_for == [{FIRST: 2}]


def test_offsets_that_cannot_be_committed_do_not_keep_partitions_from_leaving(
    member: Member,
) -> None:
    """The next owner starts at the smaller offset, and reads a few messages again."""
    member.fault = TIMED_OUT
    member.commits.give({FIRST: 1})
    member.commits.leave(cast(Consumer, member))
    assert member.waited_for == [{FIRST: 1}]
