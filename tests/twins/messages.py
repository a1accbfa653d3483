"""Kafka in memory: a broker with topics, partitions and groups,
and the ports `Messages` and `DeadLetters` on it.

The same contract suite holds this and `pipeline.kafka` (tests/contracts/test_messages.py).
Nothing here waits: `poll` answers at once.
"""

from __future__ import annotations

from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field

from pipeline.errors import (
    DeadLetterFailed,
    OffsetLost,
    PipelineError,
    ServiceUnreachable,
    TopicMissing,
)
from pipeline.model.event import Message
from pipeline.model.halt import LostAt
from pipeline.model.position import TopicPartition

Known = Mapping[TopicPartition, int | PipelineError]
StoredOffsets = Callable[[Collection[TopicPartition]], Known]
Told = Callable[[frozenset[TopicPartition]], None]


@dataclass
class _Log:
    messages: list[Message] = field(default_factory=list)
    low: int = 0  # offsets below it are gone
    high: int = 0

    def read(self, offset: int, limit: int) -> list[Message]:
        start = offset - self.low
        return self.messages[start : start + limit]


class MemoryBroker:
    """Topics and groups. `unreachable` set to True makes every
    member's calls fail with ServiceUnreachable.
    """

    def __init__(self) -> None:
        self.unreachable = False
        self._logs: dict[TopicPartition, _Log] = {}
        self._committed: dict[tuple[str, TopicPartition], int] = {}
        self._members: dict[str, list[MemoryMessages]] = {}

    def create_topic(self, topic: str, partitions: int = 1) -> None:
        """Create a topic, or, if there is one of that name, replace it by an empty one;
        its committed offsets go too.
        """
        for tp in [tp for tp in self._logs if tp.topic == topic]:
            del self._logs[tp]
        self._committed = {
            place: at for place, at in self._committed.items() if place[1].topic != topic
        }
        self._logs |= {TopicPartition(topic, number): _Log() for number in range(partitions)}

    def produce(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        partition: int = 0,
        timestamp_ms: int = 0,
        headers: tuple[tuple[str, bytes | None], ...] = (),
    ) -> int:
        """Append a message; its offset."""
        log = self._log(TopicPartition(topic, partition))
        log.messages.append(
            Message(
                topic,
                partition,
                log.high,
                key,
                value,
                timestamp_ms,
                headers,
            )
        )
        log.high += 1
        return log.high - 1

    def delete_before(self, topic: str, partition: int, offset: int) -> None:
        """Let retention delete everything below an offset."""
        log = self._log(TopicPartition(topic, partition))
        log.messages = [message for message in log.messages if message.offset >= offset]
        log.low = max(log.low, offset)

    def commit(self, group: str, next_offsets: Mapping[TopicPartition, int]) -> None:
        """Set a group's committed offsets, as the standard tools do."""
        self._committed |= {(group, tp): offset for tp, offset in next_offsets.items()}

    def committed(self, group: str) -> dict[TopicPartition, int]:
        """A group's committed next offsets."""
        return {tp: offset for (name, tp), offset in self._committed.items() if name == group}

    def messages(self, topic: str) -> list[Message]:
        """Everything that a topic holds, by partition."""
        return [message for tp in self.partitions([topic]) for message in self._log(tp).messages]

    def partitions(self, topics: Collection[str]) -> list[TopicPartition]:
        """The partitions of these topics, sorted."""
        return sorted(tp for tp in self._logs if tp.topic in topics)

    def watermarks(self, tp: TopicPartition) -> tuple[int, int]:
        """The oldest offset there is, and the one after the newest."""
        log = self._log(tp)
        return log.low, log.high

    def join(self, group: str, member: MemoryMessages) -> None:
        """Add a member; partitions move when members next poll."""
        self._members.setdefault(group, []).append(member)

    def leave(self, group: str, member: MemoryMessages) -> None:
        """Take a member out; its partitions move when the others next poll."""
        self._members[group] = [each for each in self._members[group] if each is not member]

    def share_of(self, group: str, member: MemoryMessages) -> frozenset[TopicPartition]:
        """The partitions that are meant for a member:
        dealt out in turn to the members subscribed to the topic.
        """
        share = set()
        for tp in self._logs:
            takers = [each for each in self._members[group] if tp.topic in each.topics]
            if takers and takers[tp.partition % len(takers)] is member:
                share.add(tp)
        return frozenset(share)

    def is_held(self, group: str, tp: TopicPartition) -> bool:
        """Does a member have this partition now."""
        return any(tp in member.assignment() for member in self._members[group])

    def read(self, tp: TopicPartition, offset: int, limit: int) -> list[Message]:
        """Messages from an offset on."""
        return self._log(tp).read(offset, limit)

    def refuse_if_unreachable(self) -> None:
        """Raise ServiceUnreachable while the broker is away."""
        if self.unreachable:
            raise ServiceUnreachable("Kafka, in memory: set to be unreachable.")

    def _log(self, tp: TopicPartition) -> _Log:
        if tp not in self._logs:
            raise ServiceUnreachable(
                f"Kafka, in memory: {tp.topic} partition {tp.partition} does not exist."
            )
        return self._logs[tp]


class MemoryMessages:
    """One member of a group; the same constructor as KafkaMessages,
    with the broker in place of addresses.
    """

    def __init__(
        self,
        broker: MemoryBroker,
        *,
        group: str,
        topics: Sequence[str],
        stored_offsets: StoredOffsets,
        on_assigned: Told,
        on_revoked: Told,
    ) -> None:
        self.topics = frozenset(topics)
        self._broker = broker
        self._group = group
        self._stored_offsets = stored_offsets
        self._on_assigned = on_assigned
        self._was_told = False
        self._on_revoked = on_revoked
        self._next: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self._deferred_error: PipelineError | None = None
        self._lost: dict[TopicPartition, LostAt] = {}
        self._turn = 0
        broker.join(group, self)

    def poll(self, limit: int, timeout_seconds: float) -> Sequence[Message]:
        """Up to `limit` messages, at once. Raises ServiceUnreachable, and what the callables
        raise.
        """
        del timeout_seconds  # nothing here takes time
        kept, self._deferred_error = self._deferred_error, None
        if kept is not None:
            raise kept
        self._broker.refuse_if_unreachable()
        self._rebalance()
        messages: list[Message] = []
        ready = [tp for tp in sorted(self._next) if tp not in self._paused]
        self._turn += 1
        for number in range(len(ready)):  # another partition first each time: none starves
            tp = ready[(number + self._turn) % len(ready)]
            lost = _lost_start(tp, self._next[tp], *self._broker.watermarks(tp))
            if lost is not None:
                self._lost[tp] = LostAt(self._next[tp], lost)
                self._next[tp] = self._broker.watermarks(tp)[1]
            read = self._broker.read(tp, self._next[tp], limit - len(messages))
            self._next[tp] += len(read)
            messages += read
        return messages

    def lost(self) -> Mapping[TopicPartition, LostAt]:
        """Partitions that cannot be read from where they should be, each once."""
        lost, self._lost = self._lost, {}
        return lost

    def commit(self, next_offsets: Mapping[TopicPartition, int]) -> None:
        """Commit next offsets; partitions that are no longer assigned are left out."""
        self._broker.refuse_if_unreachable()
        self._broker.commit(
            self._group,
            {tp: at for tp, at in next_offsets.items() if tp in self._next},
        )

    def wait(self, seconds: float) -> None:
        """Stay a member: rebalances run, nothing is read.
        What goes wrong is raised by the next poll.
        """
        del seconds
        try:
            self._broker.refuse_if_unreachable()
            self._rebalance()
        except PipelineError as error:
            self._deferred_error = error

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Stop reading these."""
        self._paused |= frozenset(partitions) & self._next.keys()

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Read these again."""
        self._paused -= frozenset(partitions)

    def seek(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Read these from other offsets on; those that are not assigned are left out, and those
        that do not hold the offset are lost.
        """
        for tp in offsets.keys() & self._next.keys():
            self._lost.pop(tp, None)
            lost = _lost_start(tp, offsets[tp], *self._broker.watermarks(tp))
            if lost is None:
                self._next[tp] = offsets[tp]
            else:
                self._lost[tp] = LostAt(offsets[tp], lost)

    def restart(self, topics: Collection[str] | None = None) -> None:
        """Set every partition (of these topics) back to what is stored, or its beginning."""
        chosen = frozenset(tp for tp in self._next if topics is None or tp.topic in topics)
        self._lost = {tp: at for tp, at in self._lost.items() if tp not in chosen}
        self._next |= self._starts(chosen, self._stored_offsets(chosen), {})

    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions that messages come from now."""
        return frozenset(self._next)

    def end_offsets(self, topic: str) -> Mapping[int, int]:
        """For each partition of the topic the offset after its newest message.
        Raises ServiceUnreachable if there is none.
        """
        self._broker.refuse_if_unreachable()
        found = self._broker.partitions([topic])
        if not found:
            raise TopicMissing(f"Kafka, in memory: {topic} does not exist.")
        return {tp.partition: self._broker.watermarks(tp)[1] for tp in found}

    def close(self) -> None:
        """Leave the group, after `on_revoked` was told."""
        leaving = self.assignment()
        try:
            if leaving:
                self._on_revoked(leaving)
        finally:
            self._next.clear()
            self._paused.clear()
            self._broker.leave(self._group, self)

    def _rebalance(self) -> None:
        share = self._broker.share_of(self._group, self)
        leaving = self.assignment() - share
        if leaving:
            self._on_revoked(leaving)
            self._next = {tp: at for tp, at in self._next.items() if tp not in leaving}
            self._paused -= leaving
        coming = frozenset(
            tp for tp in share - self.assignment() if not self._broker.is_held(self._group, tp)
        )
        if coming or not self._was_told:
            stored = self._stored_offsets(coming)
            starts = self._starts(coming, stored, self._broker.committed(self._group))
            self._was_told = True
            self._on_assigned(coming)
            self._next |= starts

    def _starts(
        self,
        partitions: frozenset[TopicPartition],
        stored: Known,
        committed: Mapping[TopicPartition, int],
    ) -> dict[TopicPartition, int]:
        starts = {}
        for tp in partitions:
            low, high = self._broker.watermarks(tp)
            known = [offsets[tp] for offsets in (stored, committed) if tp in offsets]
            start = min((one for one in known if isinstance(one, int)), default=low)
            refusal = stored.get(tp)
            lost = (
                refusal if isinstance(refusal, PipelineError) else _lost_start(tp, start, low, high)
            )
            if lost is not None:
                self._lost[tp] = LostAt(start, lost)
            starts[tp] = start if lost is None else high
        return starts


class MemoryDeadLetters:
    """Keeps dead letters in `sent`; `failing` set to True makes `send` raise DeadLetterFailed."""

    def __init__(self) -> None:
        self.sent: list[tuple[Message, PipelineError]] = []
        self.failing = False

    def send(self, message: Message, error: PipelineError) -> None:
        """Keep the message and its error. Raises DeadLetterFailed."""
        if self.failing:
            raise DeadLetterFailed(
                f"The dead letter of {message.topic} offset {message.offset} was refused."
            )
        self.sent.append((message, error))


def _lost_start(tp: TopicPartition, start: int, low: int, high: int) -> PipelineError | None:
    """OffsetLost unless a partition that holds the offsets `low` to `high - 1` can be read from
    `start`.
    """
    where = f"{tp.topic} partition {tp.partition}"
    if start < low:
        return OffsetLost(
            f"{where} was to be read from offset {start}, not above {low}: {low - start} messages "
            "are lost."
        )
    if start > high:
        return OffsetLost(
            f"{where} was to be read from offset {start}, but it ends at {high}: recreated or "
            "truncated."
        )
    return None
