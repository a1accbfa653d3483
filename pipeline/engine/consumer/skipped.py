"""Messages that a person let be skipped: noted with their rows' keys, until a later event of such a
row is handled.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pipeline.engine.consumer.batch import Batch
from pipeline.engine.consumer.ports import Attempt, Clock, Offsets, OffsetStore
from pipeline.errors import PipelineError
from pipeline.model.event import Event, Message
from pipeline.model.halt import Skip, SkippedMessage
from pipeline.model.outcome import Outcome, SkipReason
from pipeline.model.position import TopicPartition


class SkippedMessages:
    """Keeps what may be skipped, and, as the state had it lately, what was. Nobody but the owner of
    a partition notes its messages.
    """

    def __init__(self, keeper: OffsetStore, clock: Clock) -> None:
        self._keeper = keeper
        self._clock = clock
        self._allowed: Sequence[Skip] = ()
        self._noted: Collection[SkippedMessage] | None = None  # None: to be read

    def allow(self, skips: Sequence[Skip]) -> None:
        """What may be skipped from now on."""
        self._allowed = skips
        self.forget()

    def forget(self) -> None:
        """Somebody else may have noted some, or said that some are right: read them again."""
        self._noted = None

    def read(self, attempt: Attempt) -> None:
        """Before a batch, if they are not known."""
        if self._noted is None:
            self._noted = attempt(self._read)

    def _read(self) -> list[SkippedMessage]:
        with self._keeper.transaction() as transaction:
            return transaction.halts.skipped()

    def take(self, batch: Batch, message: Message, error: PipelineError) -> bool:
        """May a message that would halt its partition be skipped. Then it is, and noted: its row
        needs a backfill.
        """
        partition = TopicPartition(message.topic, message.partition)
        incarnation = batch.incarnations[message.topic]
        if not any(
            one.partition == partition and one.covers(incarnation, message.offset)
            for one in self._allowed
        ):
            return False
        reason = SkipReason.OPERATOR
        batch.skipped.append(
            SkippedMessage(
                partition, incarnation, message.offset, key_of(message), error.code, reason
            )
        )
        batch.ended[partition, Outcome.SKIPPED, reason] += 1
        return True

    def concerns(self, batch: Batch) -> bool:
        """Is there anything to note of the batch, or to forget."""
        return bool(self._noted or batch.skipped)

    def handled(self, batch: Batch, event: Event) -> None:
        """An event has ended, and was not set aside: its row is as the source has it."""
        if self.concerns(batch):
            place = batch.partition_of(event), key_of(batch.message_of(event))
            batch.rows[place] = max(event.place.offset, batch.rows.get(place, 0))

    def store(self, transaction: Offsets, batch: Batch) -> None:
        """Note what was skipped, and forget that whose rows have come since."""
        over = [one for one in (*(self._noted or ()), *batch.skipped) if _is_over(one, batch)]
        if batch.skipped:
            transaction.halts.note_skipped(batch.skipped, self._clock.now())
        if over:
            transaction.halts.forget_skipped(over)

    def stored(self, batch: Batch) -> None:
        """The transaction is over."""
        if batch.skipped or batch.rows:
            self.forget()


def key_of(message: Message) -> str:
    """The message's key as it came; "" without one."""
    return (message.key or b"").decode("utf-8", "replace")


def _is_over(one: SkippedMessage, batch: Batch) -> bool:
    """Was an event of the same row handled that stands behind it: of a partition in a topic made
    again, all do.
    """
    incarnation = batch.incarnations.get(one.partition.topic, one.incarnation)
    for (partition, key), offset in batch.rows.items():
        if offset >= batch.handled.next_offsets[partition]:
            continue  # it will be read again
        if (partition.topic, key) == (one.partition.topic, one.key):
            if incarnation != one.incarnation:
                return incarnation > one.incarnation
            return partition == one.partition and offset > one.offset
    return False
