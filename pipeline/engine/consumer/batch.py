"""A batch while it is processed, and what it came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.engine.consumer.hops import NEVER
from pipeline.model.event import Event, EventOrigin, Message
from pipeline.model.halt import HaltedAt, SkippedMessage
from pipeline.model.ledger import Progress
from pipeline.model.outcome import Outcome
from pipeline.model.position import TopicPartition

Ended = tuple[TopicPartition, Outcome, str]  # where, how, and why in one word


@dataclass
class BatchResult:
    """What a batch came to: next offsets to commit, partitions that cannot continue,
    where and why, and the newest epoch whose snapshot is over (0: none).
    """

    next_offsets: dict[TopicPartition, int] = field(default_factory=dict)
    halted: dict[TopicPartition, HaltedAt] = field(default_factory=dict)
    snapshot_ended: int = 0


@dataclass
class Batch:
    """A batch that is being processed: events in order, their messages,
    counts of what has ended, and next offsets. `rows`, while a backfill of some is wanted: the keys
    of events that were handled.
    """

    events: list[Event] = field(default_factory=list)
    heartbeats: dict[str, int] = field(default_factory=dict)  # topic -> newest epoch
    ended: Counter[Ended] = field(default_factory=Counter)
    skipped: list[SkippedMessage] = field(default_factory=list)
    rows: dict[tuple[TopicPartition, str], int] = field(default_factory=dict)  # key -> last offset
    incarnations: Mapping[str, int] = field(default_factory=dict)
    polled_at: datetime = NEVER
    handled: BatchResult = field(default_factory=BatchResult)
    stored: Mapping[TopicPartition, Progress] = field(default_factory=dict)  # with its last events
    counted: Counter[Ended] = field(default_factory=Counter)  # what `ended` was stored as, with it
    partitions: dict[tuple[str, int], TopicPartition] = field(default_factory=dict)  # by table
    observed: frozenset[str] = frozenset()  # topics whose snapshots are followed by nobody
    _carriers: list[Message] = field(default_factory=list)  # of each event
    _messages: dict[EventOrigin, Message] = field(default_factory=dict)  # made when one is asked
    _known: int = 0  # of how many events they are

    def add(self, events: Sequence[Event], messages: Sequence[Message]) -> None:
        """Events, one or more, and the messages of one topic that they came in."""
        self.events += events
        self._carriers += messages
        ended = max({one.epoch for one in events if one.snapshot_ended}, default=0)
        if ended > self.handled.snapshot_ended:
            self.snapshot_ended(messages[0].topic, ended)

    def snapshot_ended(self, topic: str, epoch: int) -> None:
        """A message of this topic shows that the snapshot of its epoch is over. Epochs of two
        systems grow together, and a newer one of the other system says nothing of this one's.
        """
        if topic not in self.observed:
            self.handled.snapshot_ended = max(self.handled.snapshot_ended, epoch)

    def partition_of(self, event: Event) -> TopicPartition:
        place = (event.table, event.place.partition)
        found = self.partitions.get(place)
        if found is None:
            topic = self.message_of(event).topic
            found = self.partitions[place] = TopicPartition(topic, event.place.partition)
        return found

    def message_of(self, event: Event) -> Message:
        if self._known < len(self.events):
            self._known = len(self.events)
            taken = zip(self.events, self._carriers, strict=True)
            self._messages = {one.origin: message for one, message in taken}
        return self._messages[event.origin]


@dataclass(slots=True)
class BatchPartition:
    """A partition within a batch, and its messages. `good`: those that the circuit was not told of
    yet.
    """

    partition: TopicPartition
    incarnation: int
    messages: list[Message] = field(default_factory=list)
    is_halted: bool = False
    good: int = 0

    def take(self, batch: Batch, events: Sequence[Event], start: int) -> int:
        """Add the events of its messages from `start` on; where the next message is."""
        after = start + len(events)
        if events:
            batch.add(events, self.messages[start:after])
            batch.partitions[events[0].table, self.partition.partition] = self.partition
            batch.handled.next_offsets[self.partition] = self.messages[after - 1].offset + 1
            self.good += len(events)
        return after


def by_partition(
    messages: Sequence[Message], incarnations: Mapping[str, int]
) -> Collection[BatchPartition]:
    """Each partition with its messages in their order."""
    found: dict[tuple[str, int], BatchPartition] = {}
    for message in messages:
        place = message.topic, message.partition
        part = found.get(place)
        if part is None:
            part = found[place] = BatchPartition(
                TopicPartition(*place), incarnations[message.topic]
            )
        part.messages.append(message)
    return found.values()


def place_of(message: Message) -> str:
    """Where a message is, for error texts."""
    return f"{message.topic} partition {message.partition} offset {message.offset}"
