"""The contract of a group's membership and of dead letters: the twin in memory,
and Kafka under both group protocols.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka import TopicPartition as KafkaPartition
from confluent_kafka.admin import AdminClient

from deploy.local.stack import Stack
from pipeline.engine.consumer.ports import Messages
from pipeline.errors import (
    MessageMalformed,
    OffsetLost,
    PartitionsChanged,
    PipelineError,
    ServiceUnreachable,
    TopicMissing,
)
from pipeline.kafka.admin import KafkaAdmin
from pipeline.kafka.consumer import KafkaMessages
from pipeline.kafka.dead_letters import HEADER_PREFIX, KafkaDeadLetters
from pipeline.kafka.protocol import Protocol as GroupProtocol
from pipeline.kafka.topics import TopicSettings
from pipeline.model.event import Message
from pipeline.model.halt import LostAt
from pipeline.model.position import TopicPartition
from tests.twins.messages import MemoryBroker, MemoryMessages

PATIENCE = 30.0


@dataclass
class Told:
    """What a member was told in rebalances, and what it is told is stored."""

    stored: dict[TopicPartition, int | PipelineError] = field(default_factory=dict)
    assigned: set[TopicPartition] = field(default_factory=set)
    times: int = 0  # that it was told of an assignment

    def take(self, partitions: frozenset[TopicPartition]) -> None:
        self.times += 1
        self.assigned |= partitions

    def give(self, partitions: frozenset[TopicPartition]) -> None:
        self.assigned -= partitions


class Broker(Protocol):
    """What the suite does beside the port."""

    def create(self, topic: str, partitions: int) -> None: ...
    def make_again(self, topic: str, partitions: int) -> None: ...
    def produce(self, topic: str, partition: int, *values: bytes) -> None: ...
    def delete_before(self, topic: str, partition: int, offset: int) -> None: ...
    def commit(self, group: str, offsets: Mapping[TopicPartition, int]) -> None: ...
    def committed(self, group: str, topic: str) -> dict[TopicPartition, int]: ...
    def join(self, group: str, topics: Sequence[str], told: Told) -> Messages: ...


class InMemory:
    """The twin."""

    def __init__(self) -> None:
        self._broker = MemoryBroker()

    def create(self, topic: str, partitions: int) -> None:
        self._broker.create_topic(topic, partitions)

    make_again = create

    def produce(self, topic: str, partition: int, *values: bytes) -> None:
        for value in values:
            self._broker.produce(topic, value, key=b"k", partition=partition)

    def delete_before(self, topic: str, partition: int, offset: int) -> None:
        self._broker.delete_before(topic, partition, offset)

    def commit(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        self._broker.commit(group, offsets)

    def committed(self, group: str, topic: str) -> dict[TopicPartition, int]:
        return {
            one: offset
            for one, offset in self._broker.committed(group).items()
            if one.topic == topic
        }

    def join(self, group: str, topics: Sequence[str], told: Told) -> Messages:
        return MemoryMessages(
            self._broker,
            group=group,
            topics=topics,
            stored_offsets=lambda partitions: {
                one: told.stored[one] for one in partitions if one in told.stored
            },
            on_assigned=told.take,
            on_revoked=told.give,
        )


class OnKafka:
    """A real broker."""

    def __init__(self, bootstrap: str, protocol: GroupProtocol) -> None:
        self._bootstrap = bootstrap
        self._protocol = protocol
        self._admin = KafkaAdmin(bootstrap, {})
        self._producer = Producer({"bootstrap.servers": bootstrap})

    def create(self, topic: str, partitions: int) -> None:
        self._admin.ensure_topics([TopicSettings(topic, partitions, 1, -1)])

    def make_again(self, topic: str, partitions: int) -> None:
        before = self._admin.topic_ids([topic])
        admin = AdminClient({"bootstrap.servers": self._bootstrap})
        admin.delete_topics([topic])[topic].result(10)
        until(lambda: not self._admin.topic_ids([topic]), lambda: None)
        self.create(topic, partitions)
        until(lambda: bool(self._admin.topic_ids([topic])), lambda: None)
        assert self._admin.topic_ids([topic]) != before

    def produce(self, topic: str, partition: int, *values: bytes) -> None:
        for value in values:
            self._producer.produce(topic, value, b"k", partition)
        self._producer.flush(10)

    def delete_before(self, topic: str, partition: int, offset: int) -> None:
        admin = AdminClient({"bootstrap.servers": self._bootstrap})
        futures = admin.delete_records([KafkaPartition(topic, partition, offset)])
        for future in futures.values():
            future.result(10)

    def commit(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        self._admin.set_committed(group, offsets)

    def committed(self, group: str, topic: str) -> dict[TopicPartition, int]:
        return self._admin.committed(group, [topic])

    def join(self, group: str, topics: Sequence[str], told: Told) -> Messages:
        quick = (
            {"session.timeout.ms": "6000", "heartbeat.interval.ms": "500"}
            if self._protocol == "classic"
            else {}
        )
        return KafkaMessages(
            bootstrap=self._bootstrap,
            group=group,
            topics=topics,
            client_settings=quick,
            stored_offsets=lambda partitions: {
                one: told.stored[one] for one in partitions if one in told.stored
            },
            on_assigned=told.take,
            on_revoked=told.give,
            protocol=self._protocol,
        )


OLD_SETTINGS = {
    "session.timeout.ms": "6000",
    "partition.assignment.strategy": "cooperative-sticky",
}
KINDS = (
    "memory",
    pytest.param("classic", marks=pytest.mark.stack),
    pytest.param("consumer", marks=pytest.mark.stack),
)


@pytest.fixture(params=KINDS)
def broker(request: pytest.FixtureRequest) -> Broker:
    """Each in turn."""
    if request.param == "memory":
        return InMemory()
    stack: Stack = request.getfixturevalue("stack")
    return OnKafka(stack.bootstrap, request.param)


@pytest.fixture
def topic(broker: Broker) -> str:
    """A topic with two partitions of three messages each."""
    name = f"t-{uuid.uuid4().hex[:8]}"
    broker.create(name, 2)
    for partition in range(2):
        broker.produce(
            name,
            partition,
            *(f"{partition}-{number}".encode() for number in range(3)),
        )
    return name


@pytest.fixture
def group() -> str:
    return f"g-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def members() -> Iterator[list[Messages]]:
    """Closed at the end: one that is left open goes on asking for its broker."""
    joined: list[Messages] = []
    yield joined
    for one in joined:
        one.close()


@pytest.fixture
def member(
    broker: Broker, topic: str, group: str, members: list[Messages]
) -> Callable[[Told], Messages]:
    """Joins members."""

    def join(told: Told) -> Messages:
        members.append(broker.join(group, [topic], told))
        return members[-1]

    return join


def until(reached: Callable[[], bool], turn: Callable[[], object]) -> None:
    """Turn until it is reached."""
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline
        turn()


def read(messages: Messages, count: int) -> list[Message]:
    """So many messages, or fail."""
    found: list[Message] = []
    until(
        lambda: len(found) >= count,
        lambda: found.extend(messages.poll(100, 0.2)),
    )
    return found


def places(messages: list[Message]) -> set[tuple[int, int]]:
    return {(one.partition, one.offset) for one in messages}


def test_a_group_that_never_committed_starts_at_the_beginning(
    member: Callable[[Told], Messages],
) -> None:
    """Explicitly: nothing is skipped."""
    told = Told()
    messages = read(member(told), 6)
    assert places(messages) == {
        (partition, offset) for partition in range(2) for offset in range(3)
    }
    assert {one.value for one in messages if one.partition == 0} == {
        b"0-0",
        b"0-1",
        b"0-2",
    }
    assert len(told.assigned) == 2


def test_a_partition_starts_at_the_smaller_of_the_stored_and_the_committed_offset(
    broker: Broker,
    topic: str,
    group: str,
    member: Callable[[Told], Messages],
) -> None:
    """A restored target gets its lost part again, and the standard tools can rewind."""
    broker.commit(group, {TopicPartition(topic, 0): 1, TopicPartition(topic, 1): 3})
    told = Told(stored={TopicPartition(topic, 0): 3, TopicPartition(topic, 1): 2})
    assert places(read(member(told), 3)) == {(0, 1), (0, 2), (1, 2)}


def lost_of(messages: Messages, partition: TopicPartition) -> LostAt:
    """Why the partition cannot be read, once that is told; what is polled meanwhile is let go."""
    found: dict[TopicPartition, LostAt] = {}

    def turn() -> None:
        messages.poll(100, 0.2)
        found.update(messages.lost())

    until(lambda: partition in found, turn)
    return found[partition]


def test_an_offset_that_retention_has_passed_is_told_and_never_jumped_over(
    broker: Broker,
    topic: str,
    group: str,
    member: Callable[[Told], Messages],
) -> None:
    """With how many messages are lost; nothing comes of the partition, and the other is read."""
    first, second = TopicPartition(topic, 0), TopicPartition(topic, 1)
    broker.commit(group, {first: 1, second: 0})
    broker.delete_before(topic, 0, 2)
    messages = member(Told())
    read_of_second: list[Message] = []
    lost: dict[TopicPartition, LostAt] = {}

    def turn() -> None:
        read_of_second.extend(messages.poll(100, 0.2))
        lost.update(messages.lost())

    until(lambda: len(read_of_second) == 3 and bool(lost), turn)
    assert {one.partition for one in read_of_second} == {1}
    assert lost.keys() == {first}
    assert (lost[first].offset, type(lost[first].error)) == (1, OffsetLost)
    assert "1 messages are lost" in str(lost[first].error)
    assert messages.lost() == {}


def test_an_offset_beyond_the_end_is_told(
    broker: Broker,
    topic: str,
    group: str,
    member: Callable[[Told], Messages],
) -> None:
    """The topic was made anew or truncated."""
    del broker, group
    first = TopicPartition(topic, 0)
    assert "ends at 3" in str(lost_of(member(Told(stored={first: 99})), first).error)


def test_a_partition_that_cannot_be_read_is_read_once_it_is_set_where_it_can(
    broker: Broker,
    topic: str,
    group: str,
    member: Callable[[Told], Messages],
) -> None:
    """Set in vain before, it is told again."""
    first = TopicPartition(topic, 0)
    broker.commit(group, {first: 1, TopicPartition(topic, 1): 3})
    broker.delete_before(topic, 0, 2)
    messages = member(Told())
    lost_of(messages, first)
    messages.pause([first])
    messages.seek({first: 1})
    messages.resume([first])
    assert lost_of(messages, first).offset == 1
    messages.pause([first])
    messages.seek({first: 2})
    messages.resume([first])
    assert places(read(messages, 1)) == {(0, 2)}


def test_a_partition_that_was_set_in_vain_is_not_lost_once_it_is_set_where_it_can(
    topic: str, member: Callable[[Told], Messages]
) -> None:
    """Before anybody asked: its topic was missing, and came back, say."""
    first = TopicPartition(topic, 0)
    messages = member(Told())
    read(messages, 6)
    messages.seek({first: 99})
    messages.restart([topic])
    assert messages.lost() == {}
    messages.seek({first: 99})
    messages.seek({first: 1})
    assert messages.lost() == {}
    messages.seek({first: 99})
    assert messages.lost()[first].offset == 99


def test_a_partition_that_retention_overtakes_is_read_once_it_is_set_where_it_can(
    broker: Broker, topic: str, member: Callable[[Told], Messages]
) -> None:
    """It was paused for long; the other one is where it was after that."""
    first = TopicPartition(topic, 0)
    messages = member(Told())
    read(messages, 6)
    messages.pause([first])
    for number in range(3, 7):
        broker.produce(topic, 0, f"0-{number}".encode())
    broker.delete_before(topic, 0, 5)
    messages.resume([first])
    assert lost_of(messages, first).offset == 3
    messages.seek({first: 5})
    assert places(read(messages, 2)) == {(0, 5), (0, 6)}
    broker.produce(topic, 1, b"1-3")
    assert places(read(messages, 1)) == {(1, 3)}


def test_what_is_stored_may_refuse_a_partition_and_no_other(
    topic: str, member: Callable[[Told], Messages]
) -> None:
    """Its topic has another number of partitions, say: it is told with why."""
    first = TopicPartition(topic, 0)
    refusal = PartitionsChanged("has 2")
    messages = member(Told(stored={first: refusal, TopicPartition(topic, 1): 1}))
    read_of_second: list[Message] = []
    lost: dict[TopicPartition, LostAt] = {}

    def turn() -> None:
        read_of_second.extend(messages.poll(100, 0.2))
        lost.update(messages.lost())

    until(lambda: len(read_of_second) == 2 and bool(lost), turn)
    assert places(read_of_second) == {(1, 1), (1, 2)}
    assert lost[first].error is refusal


def test_a_restart_reads_from_what_is_stored_whatever_was_committed(
    broker: Broker, topic: str, member: Callable[[Told], Messages]
) -> None:
    """A target was restored: what it does not know is read from its beginning."""
    first, second = TopicPartition(topic, 0), TopicPartition(topic, 1)
    messages = member(told := Told())
    read(messages, 6)
    messages.commit({first: 3, second: 3})
    told.stored = {first: 2}
    messages.restart()
    assert places(read(messages, 4)) == {(0, 2), (1, 0), (1, 1), (1, 2)}
    assert told.assigned == {first, second}


@pytest.mark.parametrize("count", [2, 5], ids=["fewer messages", "more messages"])
def test_a_topic_that_is_made_again_is_read_from_its_beginning_after_a_restart(
    broker: Broker, topic: str, member: Callable[[Told], Messages], count: int
) -> None:
    """Whether the old offset is in it or not; by the same member."""
    first = TopicPartition(topic, 0)
    messages = member(told := Told())
    read(messages, 6)
    messages.commit({first: 3, TopicPartition(topic, 1): 3})
    told.stored = {}
    broker.make_again(topic, 2)
    broker.produce(topic, 0, *(f"again-{number}".encode() for number in range(count)))
    messages.restart([topic])
    seen: set[bytes] = set()

    def turn() -> None:
        with contextlib.suppress(PipelineError):
            seen.update(one.value or b"" for one in messages.poll(100, 0.2))
        assert messages.lost() == {}

    until(lambda: len(seen) == count, turn)
    assert seen == {f"again-{number}".encode() for number in range(count)}


def test_offsets_of_our_partitions_are_committed_where_the_standard_tools_see_them(
    broker: Broker,
    topic: str,
    group: str,
    member: Callable[[Told], Messages],
) -> None:
    """A revoked or foreign one is left out."""
    messages = member(Told())
    read(messages, 6)
    first, foreign = TopicPartition(topic, 0), TopicPartition("foreign", 0)

    def is_committed(offset: int) -> bool:
        return broker.committed(group, topic) == {first: offset}

    for offset in (2, 3):
        messages.commit({first: offset, foreign: 5})
        until(partial(is_committed, offset), lambda: messages.poll(10, 0.1))


def test_a_poll_returns_with_the_first_messages_and_does_not_wait_for_a_full_batch(
    broker: Broker, topic: str, member: Callable[[Told], Messages]
) -> None:
    """The timeout is for an empty topic: every change would be that much later."""
    messages = member(Told())
    read(messages, 6)
    broker.produce(topic, 0, b"0-3")
    started = time.monotonic()
    assert places(list(messages.poll(10, PATIENCE))) == {(0, 3)}
    assert time.monotonic() - started < PATIENCE / 2


def test_a_paused_partition_gives_nothing_until_it_is_resumed(
    broker: Broker, topic: str, member: Callable[[Told], Messages]
) -> None:
    """The others go on."""
    messages = member(Told())
    read(messages, 6)
    messages.pause([TopicPartition(topic, 0)])
    broker.produce(topic, 0, b"0-3")
    broker.produce(topic, 1, b"1-3")
    assert places(read(messages, 1)) == {(1, 3)}
    assert list(messages.poll(10, 0.3)) == []
    messages.resume([TopicPartition(topic, 0)])
    assert places(read(messages, 1)) == {(0, 3)}


def test_a_paused_partition_that_is_set_back_is_read_from_there_once_it_is_resumed(
    broker: Broker, topic: str, member: Callable[[Told], Messages]
) -> None:
    """As often as it takes; the other one goes on where it was."""
    messages, first = member(Told()), TopicPartition(topic, 0)
    read(messages, 6)
    for _ in range(2):
        messages.pause([first])
        assert list(messages.poll(10, 0.3)) == []
        messages.seek({first: 1, TopicPartition("foreign", 0): 0})
        messages.resume([first])
        assert places(read(messages, 2)) == {(0, 1), (0, 2)}
    broker.produce(topic, 1, b"1-3")
    assert places(read(messages, 1)) == {(1, 3)}


def test_a_partition_that_is_set_back_while_it_is_read_is_read_from_there(
    broker: Broker, topic: str, member: Callable[[Told], Messages]
) -> None:
    """What was fetched already and not polled is forgotten: none comes before its time."""
    messages, first = member(Told()), TopicPartition(topic, 0)
    read(messages, 6)
    for number in range(3, 40):
        broker.produce(topic, 0, f"0-{number}".encode())
    assert [one.offset for one in messages.poll(2, PATIENCE)][:1] == [3]
    messages.seek({first: 0})
    assert [one.offset for one in read(messages, 40)][:40] == [*range(40)]


def test_waiting_takes_no_message_and_loses_none(
    broker: Broker, topic: str, member: Callable[[Told], Messages]
) -> None:
    """What came meanwhile is polled after; what was paused before stays paused."""
    messages = member(Told())
    read(messages, 6)
    messages.pause([TopicPartition(topic, 1)])
    for number in range(3, 6):
        broker.produce(topic, 0, f"0-{number}".encode())
        broker.produce(topic, 1, f"1-{number}".encode())
        messages.wait(0.2)
    assert places(read(messages, 3)) == {(0, 3), (0, 4), (0, 5)}
    assert list(messages.poll(10, 0.3)) == []


def goes_and_comes_back(
    broker: Broker,
    topic: str,
    group: str,
    first: tuple[Messages, Told],
    meanwhile: Callable[[], object],
) -> None:
    """A second member takes one of the two partitions, while the first one does this,
    and leaves again.
    """
    (messages, told), others = first, Told()
    read(messages, 6)
    messages.commit({TopicPartition(topic, 0): 3, TopicPartition(topic, 1): 3})
    second = broker.join(group, [topic], others)

    def both() -> None:
        meanwhile()
        second.poll(10, 0.1)

    until(lambda: len(told.assigned) == len(others.assigned) == 1, both)
    assert told.assigned.isdisjoint(others.assigned)
    messages.resume(told.assigned)
    messages.poll(10, 0.1)
    second.close()
    assert others.assigned == set()
    until(lambda: len(told.assigned) == 2, lambda: messages.poll(10, 0.1))
    broker.produce(topic, 0, b"0-3")
    broker.produce(topic, 1, b"1-3")


def test_two_members_share_the_partitions_and_one_takes_over_when_the_other_leaves(
    broker: Broker,
    topic: str,
    group: str,
    member: Callable[[Told], Messages],
) -> None:
    """From the committed offset on; each is told of what comes and goes."""
    first = member(told := Told())
    goes_and_comes_back(broker, topic, group, (first, told), lambda: first.poll(10, 0.1))
    assert places(read(first, 2)) == {(0, 3), (1, 3)}


def split(members: Sequence[Told], topics: Sequence[str]) -> dict[str, list[int]]:
    """How many partitions of each topic each member has."""
    return {
        topic: sorted(sum(one.topic == topic for one in told.assigned) for told in members)
        for topic in topics
    }


def test_each_topic_is_spread_over_the_members_also_when_one_joins_later(
    broker: Broker, group: str, members: list[Messages]
) -> None:
    """A balance over all topics together can leave the busiest one with a single member."""
    topics = [f"t-{uuid.uuid4().hex[:8]}" for _ in range(5)]
    for topic in topics:
        broker.create(topic, 4)
        broker.produce(topic, 0, b"known to the broker")
    first, second = told = Told(), Told()

    def turn() -> None:
        for one in members:
            one.poll(10, 0.1)

    members.append(broker.join(group, topics, first))
    until(lambda: len(first.assigned) == 20, turn)
    members.append(broker.join(group, topics, second))
    until(
        lambda: bool(second.assigned) and len(first.assigned) + len(second.assigned) == 20,
        turn,
    )
    assert first.assigned.isdisjoint(second.assigned)
    assert split(told, topics) == {topic: [2, 2] for topic in topics}


def test_a_member_that_gets_no_partition_is_told_of_an_empty_assignment(
    broker: Broker, group: str, members: list[Messages]
) -> None:
    """It is ready to take over: a standby that never became ready was taken for one that hangs."""
    topics = [f"t-{uuid.uuid4().hex[:8]}"]
    broker.create(topics[0], 1)
    broker.produce(topics[0], 0, b"known to the broker")
    first, second = Told(), Told()
    members.append(broker.join(group, topics, first))
    until(lambda: bool(first.assigned), lambda: members[0].poll(10, 0.1))
    members.append(broker.join(group, topics, second))

    def turn() -> None:
        for one in members:
            one.poll(10, 0.1)

    until(
        lambda: bool(first.times and second.times and len(first.assigned | second.assigned) == 1),
        turn,
    )
    assert first.assigned.isdisjoint(second.assigned)


@pytest.mark.stack
def test_a_group_whose_members_share_no_assignor_works_once_the_old_ones_are_stopped(
    stack: Stack, group: str, members: list[Messages]
) -> None:
    """An upgrade from cooperative-sticky cannot be rolled:
    the broker refuses the new member beside an old one.
    """
    broker, topic, told = (
        OnKafka(stack.bootstrap, "classic"),
        f"t-{uuid.uuid4().hex[:8]}",
        Told(),
    )
    broker.create(topic, 2)
    old = Consumer(
        {
            "bootstrap.servers": stack.bootstrap,
            "group.id": group,
            **OLD_SETTINGS,
        }
    )
    with contextlib.closing(old):
        old.subscribe([topic])
        until(lambda: len(old.assignment()) == 2, lambda: old.poll(0.1))
        new = broker.join(group, [topic], told)
        members.append(new)
        refused: list[str] = []

        def retried() -> None:
            try:
                new.poll(10, 0.1)
            except ServiceUnreachable as error:
                refused.append(str(error))

        def beside_the_old_one() -> None:
            old.poll(0)
            retried()

        until(lambda: bool(refused), beside_the_old_one)
    assert "stop every consumer of the group" in refused[0]
    until(lambda: len(told.assigned) == 2, retried)  # a refusal may have come twice


@pytest.mark.parametrize("why", ["a wait", "a pause"])
def test_a_partition_that_left_while_it_was_not_read_and_comes_back_is_read(
    broker: Broker,
    topic: str,
    group: str,
    member: Callable[[Told], Messages],
    why: str,
) -> None:
    """A broker that is away for a while does just that: retries wait, the group is lost,
    and found again after the wait.
    """
    first = member(told := Told())

    def paused() -> None:
        first.pause(told.assigned)
        first.poll(10, 0.1)

    goes_and_comes_back(
        broker,
        topic,
        group,
        (first, told),
        paused if why == "a pause" else lambda: first.wait(0.1),
    )
    assert places(read(first, 2)) == {(0, 3), (1, 3)}


def test_the_ends_of_a_topic_are_told_for_every_partition(
    topic: str, member: Callable[[Told], Messages]
) -> None:
    """Also those of other members; a topic that is not there is told."""
    messages = member(Told())
    assert messages.end_offsets(topic) == {0: 3, 1: 3}
    with pytest.raises(TopicMissing):
        messages.end_offsets("nowhere")


@pytest.mark.stack
def test_a_dead_letter_keeps_key_and_value_untouched_and_says_why_and_from_where(
    stack: Stack,
) -> None:
    """Its own headers stay; ours name code and place, and hold nothing of the row."""
    name = f"dead-{uuid.uuid4().hex[:8]}"
    admin = KafkaAdmin(stack.bootstrap, {})
    admin.ensure_topics([TopicSettings(name, 1, 1, -1)])
    admin.close()
    letters = KafkaDeadLetters(stack.bootstrap, {}, name, "the-group")
    spoiled = Message(
        "ajera.AxVec",
        3,
        77,
        b"\x00\xffkey",
        b"\x01\xfe",
        123,
        (("own", b"1"), ("none", None)),
    )
    letters.send(spoiled, MessageMalformed("no Avro"))
    letters.close()
    reader = Consumer(
        {
            "bootstrap.servers": stack.bootstrap,
            "group.id": name,
            "auto.offset.reset": "earliest",
        }
    )
    reader.subscribe([name])
    found = reader.poll(20)
    reader.close()
    assert found is not None
    assert (found.key(), found.value()) == (b"\x00\xffkey", b"\x01\xfe")
    headers = dict(found.headers() or [])
    assert (headers["own"], headers["none"]) == (b"1", None)
    assert headers[f"{HEADER_PREFIX}code"] == b"decode.malformed"
    assert (
        headers[f"{HEADER_PREFIX}partition"],
        headers[f"{HEADER_PREFIX}offset"],
    ) == (b"3", b"77")
