"""Topics, watermarks and group offsets, as `check`, `lag` and `replay` need them. The engine does
not use this module.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from typing import Any, Final, TypeVar

from confluent_kafka import (
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicCollection,
)
from confluent_kafka.admin import (  # type: ignore[attr-defined] # it imports them without `as`
    AdminClient,
    ConfigResource,
    OffsetSpec,
    ResourceType,
)

from pipeline.errors import ReplayRefused, ServiceUnreachable, TopicMissing
from pipeline.kafka.broker import Broker, client
from pipeline.kafka.errors import (
    DOWN_CODES,
    REQUEST_TIMEOUT_SECONDS,
    TRANSPORT_CODES,
    cause,
    ours,
    theirs,
)
from pipeline.kafka.groups import GroupState
from pipeline.kafka.peek import read_at, read_range
from pipeline.kafka.seeking import not_set, refuse_missing
from pipeline.kafka.topics import (
    TopicDescription,
    TopicSettings,
    described,
    differences_between,
    new_topic,
)
from pipeline.model.event import Message
from pipeline.model.position import TopicPartition

T = TypeVar("T")
Offsets = dict[TopicPartition, int]
BOUNDED: Final[Mapping[str, Any]] = {"request_timeout": REQUEST_TIMEOUT_SECONDS}
LOOK_SECONDS: Final = 1.0  # librdkafka has tried every broker's address by then
SILENT_LOOKS: Final = 3  # without an answer and without a refusal: does the network let us through
# Their constructors have no type annotations.
EARLIEST: Final = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
LATEST: Final = OffsetSpec.latest()  # type: ignore[no-untyped-call]
NEWEST: Final = OffsetSpec.max_timestamp()  # type: ignore[no-untyped-call]


class KafkaAdmin:
    """Reads and changes topics and offsets. Each method has a timeout, and raises
    ServiceUnreachable if no broker answers.
    """

    def __init__(self, bootstrap: str, client_settings: Mapping[str, str]) -> None:
        self.broker = Broker(bootstrap)
        self.last_error: str | None = None
        self._is_down = False
        self._settings: dict[str, Any] = {
            **client_settings,
            "bootstrap.servers": bootstrap,
            "error_cb": self._note_error,
            "log_level": 0,  # what it has to say comes by `error_cb`, and with the answers
        }
        self._client = client(lambda: AdminClient(self._settings), client_settings)

    def require_answer(self) -> None:
        """Raises ServiceUnreachable, or what refuses us, as soon as no broker takes a connection:
        not only when the time of a request is over, as for one that is slow; after five seconds
        where the network swallows what is sent.
        """
        deadline = time.monotonic() + REQUEST_TIMEOUT_SECONDS
        for look in count(1):
            try:
                self._client.list_topics(timeout=LOOK_SECONDS)
            except KafkaException as error:
                self.hear()
                fault = cause(error)
                is_over = self._is_down or time.monotonic() > deadline
                if look == SILENT_LOOKS and self.broker.is_silent():
                    is_over = True
                if is_over or fault.code() not in TRANSPORT_CODES:
                    raise self.broker.failure("asking for topics", fault) from error
            else:
                self._is_down = False
                self.broker.answered()
                return

    def ensure_topics(self, topics: Sequence[TopicSettings]) -> list[str]:
        """Create the topics that are missing; existing ones stay as they are.
        A sentence for each difference found.
        """
        new = [new_topic(topic) for topic in topics]
        differences: list[str] = []
        created = (
            self._client.create_topics(new, request_timeout=REQUEST_TIMEOUT_SECONDS) if new else {}
        )
        for topic in topics:
            try:
                created[topic.name].result(REQUEST_TIMEOUT_SECONDS)
            except KafkaException as error:
                if cause(error).code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise self.broker.failure(f"creating {topic.name}", cause(error)) from error
                found = self.topic_description(topic.name)
                differences += [] if found is None else differences_between(topic, found)
            except TimeoutError as error:
                raise self.broker.no_answer(f"creating {topic.name}") from error
        return differences

    def delete_topics(self, topics: Sequence[str]) -> None:
        """With their messages. Raises TopicMissing, KafkaRightMissing."""
        for topic, future in self._client.delete_topics(list(topics), **BOUNDED).items():
            self._result(f"deleting {topic}", future)

    def topic_description(self, topic: str) -> TopicDescription | None:
        """Id, size, settings, and our rights; None where there is no such topic."""
        try:
            found = self._result(f"describing {topic}", self._described([topic])[topic])
        except TopicMissing:
            return None
        resource = ConfigResource(ResourceType.TOPIC, topic)
        settings = self._result(
            f"reading the settings of {topic}",
            self._client.describe_configs([resource], **BOUNDED)[resource],
        )
        return described(topic, found, settings)

    def topic_ids(self, topics: Collection[str]) -> dict[str, str]:
        """What tells each topic from an earlier one of its name; missing topics are left out."""
        found = {}
        for topic, answer in self._described(topics).items():
            with suppress(TopicMissing):
                found[topic] = str(self._result(f"describing {topic}", answer).topic_id)
        return found

    def _described(self, topics: Collection[str]) -> dict[str, Future[Any]]:
        wanted = TopicCollection(sorted(topics))
        ask, rights = self._client.describe_topics, {"include_authorized_operations": True}
        return self._call(lambda: ask(wanted, **rights, **BOUNDED))

    def watermarks(self, topics: Iterable[str]) -> dict[TopicPartition, tuple[int, int]]:
        """For each partition the oldest offset, and the one after the newest. Missing topics are
        left out.
        """
        partitions = self._partitions(topics)
        lows = self._list_offsets(partitions, EARLIEST)
        highs = self._list_offsets(partitions, LATEST)
        return {tp: (lows[tp].offset, highs[tp].offset) for tp in partitions}

    def committed(self, group: str, topics: Iterable[str]) -> Offsets:
        """The group's committed next offsets in these topics;
        partitions without one are left out.
        """
        asked = self._client.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(group)], **BOUNDED
        )
        try:
            found = self._result(f"reading the offsets of {group}", asked[group])
        except _GroupMissing:
            return {}
        wanted = frozenset(topics)
        return {
            ours(tp): tp.offset
            for tp in found.topic_partitions or []
            if tp.topic in wanted and tp.offset >= 0
        }

    def set_committed(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Set the group's next offsets. Raises ReplayRefused if the group has members, or if an
        offset does not exist.
        """
        state = self.group_state(group)
        if not state.is_empty:
            raise ReplayRefused(f"The group {group} is {state.state} with {state.members} members.")
        refuse_missing(offsets, self.watermarks({tp.topic for tp in offsets}))
        request = ConsumerGroupTopicPartitions(
            group,
            [theirs(tp, offset) for tp, offset in sorted(offsets.items())],
        )
        asked = self._client.alter_consumer_group_offsets([request], **BOUNDED)
        try:
            results = asked[group].result(REQUEST_TIMEOUT_SECONDS).topic_partitions or []
            faults = [result.error for result in results if result.error is not None]
        except KafkaException as error:
            faults = [cause(error)]
        except TimeoutError as error:
            raise self.broker.no_answer(f"setting the offsets of {group}") from error
        for fault in faults:
            raise not_set(self.broker, group, fault)

    def group_state(self, group: str) -> GroupState:
        """State and members of the group. A group that never existed is `dead`, without members."""
        asked = self._client.describe_consumer_groups([group], **BOUNDED)
        try:
            found = self._result(f"describing the group {group}", asked[group])
        except _GroupMissing:
            return GroupState("dead", 0, {})
        readers = {
            ours(tp): member.member_id
            for member in found.members
            for tp in member.assignment.topic_partitions
        }
        clients = {member.member_id: member.client_id for member in found.members}
        return GroupState(found.state.name.lower(), len(found.members), readers, clients)

    def offsets_at(self, topics: Iterable[str], timestamp_ms: int) -> Offsets:
        """For each partition the first offset not older than the time,
        or its end when all messages are older.
        """
        partitions = self._partitions(topics)
        found = self._list_offsets(partitions, OffsetSpec.for_timestamp(timestamp_ms))
        ends = self._list_offsets(partitions, LATEST)
        return {
            tp: ends[tp].offset if found[tp].offset < 0 else found[tp].offset for tp in partitions
        }

    def messages_at(self, offsets: Mapping[TopicPartition, int]) -> dict[TopicPartition, Message]:
        """The first message of each partition from its offset on, read by a consumer that commits
        nothing. Partitions without one are left out.
        """
        return read_at(self._settings, self.broker, offsets)

    def messages(self, tp: TopicPartition, first: int, last: int) -> Iterator[Message]:
        """Those of these offsets, both included, which are there. Raises ServiceUnreachable."""
        return read_range(self._settings, self.broker, tp, first, last)

    def newest_ms(self, topics: Iterable[str]) -> dict[TopicPartition, int]:
        """When the newest message of each partition was produced, in milliseconds since 1970 UTC.
        Empty partitions and missing topics are left out.
        """
        found = self._list_offsets(self._partitions(topics), NEWEST)
        return {tp: each.timestamp for tp, each in found.items() if each.timestamp >= 0}

    def close(self) -> None:
        """Let go of the connections."""
        del self._client

    def _partitions(self, topics: Iterable[str]) -> list[TopicPartition]:
        found = self._call(lambda: self._client.list_topics(timeout=REQUEST_TIMEOUT_SECONDS)).topics
        return [
            TopicPartition(topic, number)
            for topic in sorted(frozenset(topics))
            if topic in found and found[topic].error is None
            for number in sorted(found[topic].partitions)
        ]

    def _list_offsets(
        self, partitions: Sequence[TopicPartition], spec: OffsetSpec
    ) -> dict[TopicPartition, Any]:
        if not partitions:
            return {}
        futures = self._client.list_offsets({theirs(tp): spec for tp in partitions}, **BOUNDED)
        return {
            ours(tp): self._result(f"reading offsets of {tp.topic}", each)
            for tp, each in futures.items()
        }

    def _result(self, doing: str, future: Future[Any]) -> Any:
        """A future's result. The caller names its type, since the client's futures have none."""
        try:
            return self._call(lambda: future.result(REQUEST_TIMEOUT_SECONDS + 1), doing)
        except TimeoutError as error:
            raise self.broker.no_answer(doing) from error

    def _call(self, ask: Callable[[], T], doing: str = "asking for topics") -> T:
        try:
            answer = ask()
        except KafkaException as error:
            self.hear()
            fault = cause(error)
            if fault.code() == KafkaError.GROUP_ID_NOT_FOUND:
                raise _GroupMissing(doing) from error
            raise self.broker.failure(doing, fault) from error
        self.broker.answered()
        return answer

    def hear(self) -> None:
        """Take what librdkafka keeps until somebody does, such as why it cannot connect."""
        self._client.poll(0)

    def _note_error(self, error: KafkaError) -> None:
        self.broker.reported(error)
        self._is_down = self._is_down or error.code() in DOWN_CODES
        self.last_error = f"{error.name()}: {error.str()}"


class _GroupMissing(ServiceUnreachable):
    """A group was never seen, or is forgotten."""
