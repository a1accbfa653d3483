"""Setting a stopped group back, so that its messages are read again. The guards make it harmless:
nothing moves backwards.

Only Kafka's committed offsets are set. The next offsets stored in `sync` stay: a partition starts
at the smaller of the two, so going back needs no more,
and a replay can never skip what was not applied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.config.settings import Settings
from pipeline.engine.consumer.start import refuse_growth, stored_starts
from pipeline.errors import ReplayRefused, TopicMissing, UsageError
from pipeline.kafka.admin import KafkaAdmin
from pipeline.model.ledger import Incarnation
from pipeline.model.position import TopicPartition
from pipeline.wiring.clients import kafka_admin, topic_describer
from pipeline.wiring.route import RouteHandle

MILLISECONDS = 1000
NEVER_SEEN = -1  # no incarnation has this number
Offsets = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class ReplayFrom:
    """Where to: an offset, a time (aware), or with neither the oldest message there is."""

    offset: int | None = None
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class ResolvedOffset:
    """A partition's answer to a `ReplayFrom`: the offset asked for,
    and what of it retention has deleted.

    The deleted offsets are those from `lost_from` up to the oldest message. Their times went with
    them: where a time was asked for, `lost_is_exact` is False and some of them may be older.
    `oldest` is the time of the oldest message that is left, where it was looked at.
    """

    offset: int
    lost_from: int | None = None
    lost_is_exact: bool = True
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One partition: from and to which next offset, how many messages are read again,
    and which retention has deleted.

    `lost` is their number, at most where `lost_is_exact` is False;
    `lost_from` is the first of them.
    """

    topic: str
    partition: int
    from_offset: int
    to_offset: int
    again: int
    lost: int
    lost_from: int | None
    lost_is_exact: bool
    oldest: datetime | None


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

    @property
    def lost_is_exact(self) -> bool:
        return all(step.lost_is_exact for step in self.steps)


def plan(
    settings: Settings,
    topic: str,
    partition: int | None,
    back: ReplayFrom,
    route: RouteHandle,
) -> Replay:
    """What would be read again.

    Raises UsageError, ReplayRefused while the group has members, PartitionsChanged,
    ServiceUnreachable, TargetBusy, SyncSchemaOutdated.
    """
    if topic not in route.topics:
        raise UsageError(f"{topic} is not a topic of this route: {', '.join(route.topics)}.")
    admin = kafka_admin(settings)
    try:
        group = route.group
        state = admin.group_state(group)
        if not state.is_empty:
            raise ReplayRefused(f"The group {group} is {state.state} with {state.members} members.")
        marks = admin.watermarks([topic])
        if not marks:
            raise TopicMissing(f"Kafka has no topic {topic}.")
        chosen = [one for one in marks if partition in (None, one.partition)]
        if not chosen:
            raise UsageError(
                f"{topic} has no partition {partition}: it has {len(marks)}, from 0 on."
            )
        refuse_beyond(back, {one: marks[one] for one in chosen})
        known = (
            _stored(settings, admin, topic, chosen, route),
            admin.committed(group, [topic]),
        )
        asked = _asked(admin, topic, marks, back)
        return Replay(
            group,
            tuple(step(one, marks[one], start_of(one, known), asked[one]) for one in chosen),
        )
    finally:
        admin.close()


def refuse_beyond(back: ReplayFrom, marks: Mapping[TopicPartition, tuple[int, int]]) -> None:
    """Raise UsageError for an offset that is beyond the end of every partition that was chosen."""
    offset = back.offset
    if offset is not None and all(offset > high for _, high in marks.values()):
        ends = ", ".join(f"{one.partition}: {high}" for one, (_, high) in sorted(marks.items()))
        raise UsageError(
            f"{next(iter(marks)).topic} ends before offset {offset} (partition: end; {ends})."
        )


def carry_out(settings: Settings, replay: Replay) -> None:
    """Set the group back. Raises ReplayRefused while it has members."""
    admin = kafka_admin(settings)
    try:
        offsets = {
            TopicPartition(step.topic, step.partition): step.to_offset
            for step in replay.steps
            if step.again
        }
        if offsets:
            admin.set_committed(replay.group, offsets)
    finally:
        admin.close()


def start_of(one: TopicPartition, known: tuple[Offsets, ...]) -> int:
    """Where the partition would start now: at the smallest next offset that is known,
    else at the beginning.
    """
    return min((offsets[one] for offsets in known if one in offsets), default=0)


def step(
    one: TopicPartition,
    marks: tuple[int, int],
    start: int,
    asked: ResolvedOffset,
) -> Step:
    """Never forward: what was not applied yet must not be skipped."""
    low, high = marks
    start = min(max(start, low), high)
    to = min(max(asked.offset, low), start)
    return Step(
        topic=one.topic,
        partition=one.partition,
        from_offset=start,
        to_offset=to,
        again=start - to,
        lost=0 if asked.lost_from is None else low - asked.lost_from,
        lost_from=asked.lost_from,
        lost_is_exact=asked.lost_is_exact,
        oldest=asked.oldest,
    )


def _stored(
    settings: Settings,
    admin: KafkaAdmin,
    topic: str,
    partitions: list[TopicPartition],
    route: RouteHandle,
) -> Offsets:
    """The next offsets in `sync`, as a consumer that starts takes them. Nothing is written."""
    with (
        route.keeper(settings) as keeper,
        keeper.transaction() as transaction,
    ):
        seen, stored = (
            transaction.incarnations(topic),
            transaction.progress(partitions),
        )
    present = topic_describer(admin)(topic)
    refuse_growth(topic, present, seen.values())
    return stored_starts(stored, {topic: _number_of(present, seen)})


def _number_of(present: Incarnation, seen: Mapping[int, Incarnation]) -> int:
    return next(
        (number for number, one in seen.items() if one == present),
        NEVER_SEEN,
    )


def _asked(
    admin: KafkaAdmin,
    topic: str,
    marks: Mapping[TopicPartition, tuple[int, int]],
    back: ReplayFrom,
) -> dict[TopicPartition, ResolvedOffset]:
    if back.time is None:
        return {one: asked_offset(back.offset or 0, low) for one, (low, _) in marks.items()}
    at = admin.offsets_at([topic], int(back.time.timestamp() * MILLISECONDS))
    return {
        one: _asked_time(admin, one, at[one], low, back.time) for one, (low, _) in marks.items()
    }


def asked_offset(offset: int, low: int) -> ResolvedOffset:
    return ResolvedOffset(offset, lost_from=offset if offset < low else None)


def _asked_time(
    admin: KafkaAdmin,
    one: TopicPartition,
    offset: int,
    low: int,
    time: datetime,
) -> ResolvedOffset:
    """Retention has reached past the time if the oldest message that is left is younger,
    or none is left.
    """
    if offset != low or low == 0:
        return ResolvedOffset(offset)
    first = admin.messages_at({one: low}).get(one)
    oldest = (
        None
        if first is None or not first.timestamp_ms
        else datetime.fromtimestamp(first.timestamp_ms / MILLISECONDS, UTC)
    )
    if oldest is not None and oldest <= time:
        return ResolvedOffset(offset, oldest=oldest)
    return ResolvedOffset(offset, lost_from=0, lost_is_exact=False, oldest=oldest)
