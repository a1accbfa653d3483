"""Setting a stopped group back, so that its messages are read again. The guards make it harmless: nothing moves backwards.

Only Kafka's committed offsets are set. The next offsets stored in `sync` stay: a partition starts at the smaller of
the two, so going back needs no more, and a replay can never skip what was not applied.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipeline.config import Settings
from pipeline.errors import ReplayRefused, UsageError
from pipeline.kafka.admin import KafkaAdmin
from pipeline.model.position import TopicPartition
from pipeline.operations.lag import route_topics
from pipeline.wiring import kafka_admin

MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class Back:
    """Where to: an offset, a time (aware), or with neither the oldest message there is."""

    offset: int | None = None
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One partition: from and to which next offset, how many messages are read again, and how many retention has deleted."""

    topic: str
    partition: int
    from_offset: int
    to_offset: int
    again: int
    lost: int


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay does, or would do."""

    group: str
    steps: tuple[Step, ...]

    @property
    def again(self) -> int:
        return sum(step.again for step in self.steps)

    @property
    def lost(self) -> int:
        return sum(step.lost for step in self.steps)


def plan(settings: Settings, topic: str, partition: int | None, back: Back) -> Replay:
    """What would be read again. Raises UsageError, ReplayRefused, ServiceUnreachable."""
    if topic not in route_topics(settings):
        raise UsageError(f"{topic} is not a topic of this route: {', '.join(route_topics(settings))}.")
    admin = kafka_admin(settings)
    try:
        return Replay(settings.kafka.group, _steps(admin, settings.kafka.group, topic, partition, back))
    finally:
        admin.close()


def carry_out(settings: Settings, replay: Replay) -> None:
    """Set the group back. Raises ReplayRefused while it has members."""
    admin = kafka_admin(settings)
    try:
        offsets = {TopicPartition(step.topic, step.partition): step.to_offset for step in replay.steps if step.again}
        if offsets:
            admin.set_committed(replay.group, offsets)
    finally:
        admin.close()


def _steps(admin: KafkaAdmin, group: str, topic: str, partition: int | None, back: Back) -> tuple[Step, ...]:
    state = admin.group_state(group)
    if not state.is_empty:
        raise ReplayRefused(f"The group {group} is {state.state} with {state.members} members.")
    marks, committed = admin.watermarks([topic]), admin.committed(group, [topic])
    chosen = [one for one in marks if partition in (None, one.partition)]
    if not chosen:
        raise UsageError(f"{topic} has no partition {partition}.")
    at_time = admin.offsets_at([topic], int(back.time.timestamp() * MILLISECONDS)) if back.time else {}
    return tuple(_step(one, marks[one], committed.get(one), at_time.get(one, back.offset)) for one in chosen)


def _step(one: TopicPartition, marks: tuple[int, int], committed: int | None, wanted: int | None) -> Step:
    """Never forward: what was not applied yet must not be skipped."""
    low, high = marks
    start = low if committed is None else committed
    asked = 0 if wanted is None else min(wanted, high)
    to = min(max(asked, low), start)
    return Step(one.topic, one.partition, start, to, start - to, max(low - asked, 0) if asked < start else 0)
