"""Where a partition starts by what the target stores,
and whether its topic is still the one that was read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from pipeline.engine.consumer.ports import Offsets, OffsetStore
from pipeline.errors import PartitionsChanged
from pipeline.model.ledger import Incarnation, Progress
from pipeline.model.position import TopicPartition

BEGINNING = 0
NEVER_SEEN = -1  # no incarnation has this number
Describe = Callable[[str], Incarnation]
TopicIds = Callable[[Collection[str]], Mapping[str, str]]  # those that are there


class Incarnations:
    """The number of each topic's present incarnation; `describe` asks Kafka for one, `ids` for what
    tells a topic from an earlier one of its name. Forget when partitions come to us.
    """

    def __init__(
        self, describe: Describe, keeper: OffsetStore, ids: TopicIds = lambda _: {}
    ) -> None:
        self._describe = describe
        self._keeper = keeper
        self._ids = ids
        self._known: dict[str, int] = {}
        self._known_ids: dict[str, str] = {}

    def forget(self) -> None:
        self._known.clear()
        self._known_ids.clear()

    def renewed(self) -> frozenset[str]:
        """Topics that were deleted and made again since they came to us. One that is missing now is
        none of them yet. Raises ServiceUnreachable.
        """
        present = self._ids(self._known_ids.keys()) if self._known_ids else {}
        return frozenset(
            topic for topic, one in self._known_ids.items() if present.get(topic, one) != one
        )

    def of(self, topic: str) -> int:
        """Raises ServiceUnreachable when the topic is not there, PartitionsChanged when it grew."""
        if topic not in self._known:
            present = self._describe(topic)
            with self._keeper.transaction() as transaction:
                seen = transaction.incarnations(topic).values()
                refuse_growth(topic, present, seen)
                if present not in seen:
                    lift_gone(transaction, topic)
                self._known[topic] = transaction.incarnation(
                    topic, present.topic_id, present.partitions
                )
            self._known_ids[topic] = present.topic_id
        return self._known[topic]

    def of_all(self, topics: Iterable[str]) -> tuple[dict[str, int], dict[str, PartitionsChanged]]:
        """The numbers of these topics, and those that grew, with why they cannot be read.
        Raises ServiceUnreachable.
        """
        found: dict[str, int] = {}
        grown: dict[str, PartitionsChanged] = {}
        for topic in topics:
            try:
                found[topic] = self.of(topic)
            except PartitionsChanged as error:
                grown[topic] = error
        return found, grown


def refuse_growth(topic: str, present: Incarnation, seen: Iterable[Incarnation]) -> None:
    """Raise PartitionsChanged if the same topic was seen with another number of partitions."""
    for before in seen:
        if before.topic_id == present.topic_id and before.partitions != present.partitions:
            raise PartitionsChanged(
                f"{topic} had {before.partitions} partitions, and has {present.partitions}"
            )


def lift_gone(offsets: Offsets, topic: str) -> None:
    """A topic was made anew: what was halted of the one before is no more. Whoever still halts a
    partition of it says so again.
    """
    gone = [
        one.place
        for one in offsets.halts.halted()
        if one.partition is not None and one.partition.topic == topic
    ]
    if gone:
        offsets.halts.lift(gone)


def progress_of(
    partitions: Iterable[TopicPartition], stored: Mapping[TopicPartition, Progress]
) -> dict[TopicPartition, Progress]:
    """What was handled of each partition: nothing, where nothing is stored."""
    return {one: stored.get(one, Progress(NEVER_SEEN, BEGINNING)) for one in partitions}


def stored_starts(
    stored: Mapping[TopicPartition, Progress], present: Mapping[str, int]
) -> dict[TopicPartition, int]:
    """The stored next offsets. A topic that was created again is read from its beginning,
    whatever offset of the old one is known.

    `present` are the numbers of the topics' present incarnations.
    """
    return {
        one: progress.next_offset if progress.incarnation == present[one.topic] else BEGINNING
        for one, progress in stored.items()
    }
