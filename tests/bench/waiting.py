"""Waiting for what is measured."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import psycopg

from deploy.demo.consumers import Consumer
from pipeline.errors import ServiceUnreachable
from pipeline.kafka.admin import KafkaAdmin
from pipeline.model.position import TopicPartition

LIMIT_SECONDS = 60.0


def has_joined(admin: KafkaAdmin, group: str, members: int) -> bool:
    """Does each of so many members hold partitions."""
    try:
        state = admin.group_state(group)
    except ServiceUnreachable:
        return False  # the group is being made
    return state.state == "stable" and len({*state.assignment.values()}) == members


def split(assignment: Mapping[TopicPartition, str], topic: str) -> str:
    """How many partitions of a topic each member of the group has, "2 : 2";
    a member without one counts, too.
    """
    counts = Counter(dict.fromkeys(assignment.values(), 0))
    counts.update(member for partition, member in assignment.items() if partition.topic == topic)
    return " : ".join(str(count) for _, count in counts.most_common())


def check(members: Sequence[Consumer]) -> None:
    """Raises ConsumerDied; asks nothing of one that lives."""
    for member in members:
        if member.process.poll() is not None:
            member.check()


def wait(members: list[Consumer], reached: Callable[[], bool]) -> None:
    """Raises TimeoutError with the last lines of a log, ConsumerDied."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not reached():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not reached within {LIMIT_SECONDS:.0f} s:\n{members[0].tail()}")
        check(members)
        time.sleep(0.05)


def events_read(connection: psycopg.Connection) -> int:
    """By all consumers together, as `sync` counts them."""
    row = connection.execute(
        "SELECT COALESCE(SUM(events_read), 0)::bigint FROM sync.progress"
    ).fetchone()
    return int(row[0]) if row else 0
