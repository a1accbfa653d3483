"""Removing a source's connector, and, where that is asked for, its topics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from pipeline.config.settings import Settings
from pipeline.connect.status import ConnectorStatus
from pipeline.errors import UsageError
from pipeline.kafka.groups import GroupState
from pipeline.model.position import TopicPartition
from pipeline.operations.slots import drop_slot
from pipeline.wiring.clients import connect_client, kafka_admin
from pipeline.wiring.route import routes_of
from pipeline.wiring.source import Source, source_of

Report = Callable[[str], None]


class TopicsOfGroups(Protocol):
    """What is asked of Kafka before topics are deleted."""

    def group_state(self, group: str) -> GroupState: ...
    def watermarks(self, topics: Sequence[str]) -> Mapping[TopicPartition, tuple[int, int]]: ...


@dataclass(frozen=True, slots=True)
class Removal:
    """What `remove` would do. `slot`: the replication slot that goes, None where the source has
    none. `topics`: those that are deleted, with so many `messages`.
    """

    connector: str
    status: ConnectorStatus
    slot: str | None
    topics: tuple[str, ...]
    messages: int


@dataclass(frozen=True, slots=True)
class Removed:
    """What `remove` found. `slot` is the replication slot that was dropped, `topics` were deleted,
    with so many `messages`.
    """

    was_there: bool
    slot: str | None
    topics: tuple[str, ...] = ()
    messages: int = 0


def plan(settings: Settings, system: str, *, with_topics: bool) -> Removal:
    """Changes nothing. Raises UsageError while a group reads the topics that would be deleted,
    ServiceUnreachable.
    """
    source = source_of(settings, system)
    topics: tuple[str, ...] = ()
    messages = 0
    if with_topics:
        groups = [one.group for one in routes_of(settings) if system in one.systems]
        with closing(kafka_admin(settings)) as admin:
            topics, messages = deletable(admin, topics_of_connector(source), groups)
    with closing(connect_client(settings)) as connect:
        status = connect.status(source.connector)
    slot = source.slot if source.dialect == "postgres" else None
    return Removal(source.connector, status, slot, topics, messages)


def remove(
    settings: Settings, report: Report, system: str, *, with_topics: bool = False
) -> Removed:
    """Stop and delete the connector with its offsets and its replication slot; then its topics, if
    they go, too. What was applied stays.

    The slot goes because an idle one makes the source keep its log for ever.
    Raises as `plan`, and ConnectorFailed.
    """
    source, planned = source_of(settings, system), plan(settings, system, with_topics=with_topics)
    with closing(connect_client(settings)) as connect:
        was_there = connect.remove(source.connector)
    is_postgres = source.dialect == "postgres"
    slot = drop_slot(source, report, of_removed=True) if is_postgres else None
    if planned.topics:
        with closing(kafka_admin(settings)) as admin:
            admin.delete_topics(planned.topics)
        report(f"deleted {len(planned.topics)} topics with {planned.messages:,} messages")
    return Removed(was_there, slot, planned.topics, planned.messages)


def topics_of_connector(source: Source) -> tuple[str, ...]:
    """What its connector writes. Dead letters are ours, and the history of schemas is needed by
    the next snapshot.
    """
    own = (source.heartbeat_topic, source.row_topic, source.notification_topic)
    return (*source.topics, *(topic for topic in own if topic))


def deletable(
    kafka: TopicsOfGroups, topics: Sequence[str], groups: Sequence[str]
) -> tuple[tuple[str, ...], int]:
    """Those of them that are there, and how many messages they hold. Raises UsageError while one of
    these groups has members: they would take them for topics that somebody lost.
    """
    for group in groups:
        state = kafka.group_state(group)
        if not state.is_empty:
            raise UsageError(
                f"The group {group} is {state.state} with {state.members} members, which read these"
                " topics: stop its consumers first. Nothing was removed."
            )
    ends = kafka.watermarks(topics)
    there = {tp.topic for tp in ends}
    return (
        tuple(topic for topic in topics if topic in there),
        sum(high - low for low, high in ends.values()),
    )
