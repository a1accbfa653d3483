"""What every route does with messages: decode, dead-letter, halt, count, store how far it came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from pipeline.engine.consumer.batch import Batch, BatchPartition, by_partition, place_of
from pipeline.engine.consumer.circuit import Circuit, Limits
from pipeline.engine.consumer.hops import count_hops
from pipeline.engine.consumer.how_far import behind_us, progress_of
from pipeline.engine.consumer.ports import (
    Attempt,
    Clock,
    DeadLetters,
    Decoder,
    Offsets,
    OffsetStore,
    Telemetry,
)
from pipeline.engine.consumer.reloads import Reloaded, Reloads
from pipeline.engine.consumer.restore_detection import RestoreDetector
from pipeline.engine.consumer.skipped import SkippedMessages
from pipeline.engine.consumer.unknown_schemas import UnknownSchemas
from pipeline.errors import (
    PipelineError,
    Remedy,
    SchemaUnknown,
    SourceRewound,
    TargetRestored,
)
from pipeline.model.event import (
    Decoded,
    Event,
    Heartbeat,
    Message,
    Tombstone,
    Undecodable,
)
from pipeline.model.halt import HaltedAt
from pipeline.model.ledger import Progress
from pipeline.model.outcome import Outcome, SkipReason
from pipeline.model.position import TopicPartition


class Intake:
    """Takes messages in; between batches it keeps how many ended, and were dead-lettered lately."""

    def __init__(
        self,
        *,
        decoder: Decoder,
        keeper: OffsetStore,
        dead_letters: DeadLetters,
        telemetry: Telemetry,
        clock: Clock,
        limits: Limits,
        reloaded: Reloaded,
        restored: type[PipelineError] = TargetRestored,
        observed: Collection[str] = (),
    ) -> None:
        """`reloaded`: the newest epoch whose snapshot of a table is over, in an incarnation of its
        topic. `restored`: what is raised where the target went back to an earlier state.
        `observed`: topics whose snapshots are followed by nobody.
        """
        self._observed = frozenset(observed)
        self._reloads = Reloads(reloaded)
        self._decoder = decoder
        self._keeper = keeper
        self._dead_letters = dead_letters
        self._telemetry = telemetry
        self._clock = clock
        self._circuit = Circuit(limits)
        self._unknown = UnknownSchemas(clock, limits.unknown_schema_seconds)
        self.history = RestoreDetector(restored)
        self.skipping = SkippedMessages(keeper, clock)

    def on_assigned(self, progress: Mapping[TopicPartition, Progress]) -> None:
        """Partitions that come to us, with what was stored of them."""
        self.history.on_assigned(progress)
        self._reloads.forget()
        self.skipping.forget()
        for partition, stored in progress.items():
            self._circuit.in_a_row[partition] = stored.dead_in_a_row

    # -- decoding ----------------------------------------------------------------------------------

    def decode(
        self,
        messages: Sequence[Message],
        incarnations: Mapping[str, int],
        attempt: Attempt,
    ) -> Batch:
        """The messages as a batch. A partition stops before a message that halts it."""
        self.skipping.read(attempt)
        batch = Batch(
            incarnations=incarnations, polled_at=self._clock.now(), observed=self._observed
        )
        for part in by_partition(messages, incarnations):
            self._read(batch, part, attempt)
            self._circuit.good(part.partition, part.good)
        return batch

    def _read(self, batch: Batch, part: BatchPartition, attempt: Attempt) -> None:
        """A partition's messages up to one that halts it: many plain ones at once, others alone."""
        at = 0
        while at < len(part.messages) and not part.is_halted:
            events = self._decoder.decode_many(part.messages, at, part.incarnation)
            at = part.take(batch, events, at)
            if at < len(part.messages):
                self._read_one(batch, part, at, attempt)
                at += 1

    def _read_one(self, batch: Batch, part: BatchPartition, at: int, attempt: Attempt) -> None:
        message = part.messages[at]
        decoded = self._decoder.decode(message, part.incarnation)
        self._circuit.good(part.partition, part.good)
        part.good = 0
        try:
            found = self._decoded(message, part.incarnation, decoded, attempt)
            self._take(batch, part, at, found)
        except PipelineError as error:
            if not self.skipped(batch, message, error):
                self.halt(batch, message, error)
                part.is_halted = True
                return
        batch.handled.next_offsets[part.partition] = message.offset + 1

    def _decoded(
        self, message: Message, incarnation: int, found: Decoded, attempt: Attempt
    ) -> Decoded:
        """What was found, or, of what is transient, what it becomes. A registry that is away is
        waited for, with everything; only this partition waits for a schema. Raises SchemaUnknown,
        SchemaLost.
        """
        if not isinstance(found, Undecodable) or not found.error.is_transient:
            return found

        def once() -> Decoded:
            decoded = self._decoder.decode(message, incarnation)
            if (
                isinstance(decoded, Undecodable)
                and decoded.error.is_transient
                and not isinstance(decoded.error, SchemaUnknown)
            ):
                raise decoded.error
            return decoded

        decoded = attempt(once)
        if isinstance(decoded, Undecodable) and isinstance(decoded.error, SchemaUnknown):
            raise self._unknown.error_of(message, decoded.error)
        return decoded

    def _take(self, batch: Batch, part: BatchPartition, at: int, decoded: Decoded) -> None:
        """Sort a decoded message into the batch. Raises the error that halts its partition."""
        partition, message = part.partition, part.messages[at]
        match decoded:
            case Event():
                part.take(batch, [decoded], at)
                return
            case Tombstone():
                batch.ended[partition, Outcome.SKIPPED, SkipReason.TOMBSTONE] += 1
            case Heartbeat(epoch):
                batch.snapshot_ended(message.topic, epoch)
                batch.heartbeats[message.topic] = max(batch.heartbeats.get(message.topic, 0), epoch)
                batch.ended[partition, Outcome.SKIPPED, SkipReason.HEARTBEAT] += 1
            case Undecodable(error, table, epoch):
                if error.remedy is not Remedy.DEAD_LETTER:
                    if not self._reloads.replaced(table, epoch, batch.incarnations[message.topic]):
                        raise error
                    batch.ended[partition, Outcome.SKIPPED, SkipReason.RELOADED] += 1
                    return
                self.dead_letter(batch, message, error)
                return
        part.good += 1

    # -- setting aside and stopping ----------------------------------------------------------------

    def dead_letter(self, batch: Batch, message: Message, error: PipelineError) -> None:
        """Send a dead letter. Raises CircuitOpen, DeadLetterFailed."""
        partition = TopicPartition(message.topic, message.partition)
        self._circuit.refuse(partition)
        self._dead_letters.send(message, error)
        self._circuit.bad(partition)
        self._telemetry.dead_lettered(error)
        batch.ended[partition, Outcome.DEAD_LETTERED, error.code] += 1

    def halt(self, batch: Batch, message: Message, error: PipelineError) -> None:
        """The message's partition stands before it."""
        partition = TopicPartition(message.topic, message.partition)
        incarnation = batch.incarnations[message.topic]
        batch.handled.halted[partition] = HaltedAt(message.offset, incarnation, error)

    def skipped(self, batch: Batch, message: Message, error: PipelineError) -> bool:
        """May a message that would halt its partition be skipped. Then it is, and noted."""
        return self.skipping.take(batch, message, error)

    def halt_rewound(self, batch: Batch, event: Event, events: Sequence[Event]) -> list[Event]:
        """Halt the partition before this event, or skip it; returns the other events."""
        message = batch.message_of(event)
        if self._reloads.replaced(event.table, event.epoch, batch.incarnations[message.topic]):
            batch.ended[batch.partition_of(event), Outcome.SKIPPED, SkipReason.RELOADED] += 1
            return [one for one in events if one.origin != event.origin]
        error = SourceRewound(
            f"{place_of(message)} is before what was applied, but committed later"
        )
        return self.halt_before(batch, event, error, events)

    def halt_before(
        self, batch: Batch, event: Event, error: PipelineError, events: Sequence[Event]
    ) -> list[Event]:
        """Halt the partition before this event, or, where it may be skipped, skip it alone;
        returns the other events.
        """
        message = batch.message_of(event)
        if self.skipped(batch, message, error):
            return [one for one in events if one.origin != event.origin]
        self.halt(batch, message, error)
        self.rewind_to(batch, message)
        return [
            one
            for one in events
            if one.table != event.table
            or one.place.partition != event.place.partition
            or one.place.offset < event.place.offset
        ]

    @staticmethod
    def rewind_to(batch: Batch, message: Message) -> None:
        """Later events of the partition may be staged already, and will be read again:
        the guard knows them.
        """
        partition = TopicPartition(message.topic, message.partition)
        batch.handled.next_offsets[partition] = min(
            batch.handled.next_offsets[partition], message.offset
        )

    # -- how it ended ------------------------------------------------------------------------------

    def end(self, batch: Batch, ended: Iterable[tuple[Event, Outcome, str]]) -> None:
        """Events have ended; one behind a message that stopped its partition ends when it is read
        again. Those that `store_with` was told of are counted.
        """
        if batch.stored:
            batch.ended = batch.counted
            return
        for event, how in behind_us(batch, ended):
            batch.ended[how] += 1
            self.skipping.handled(batch, event)

    def store_progress(self, batch: Batch, attempt: Attempt) -> None:
        """Store next offsets and counts, unless they were stored with the last events. Raises
        TargetRestored.
        """
        progress = batch.stored or progress_of(batch, batch.ended, self._circuit.in_a_row)

        def once() -> None:
            with self._keeper.transaction() as transaction:
                self.history.advance(transaction, progress, self._clock.now())
                self.skipping.store(transaction, batch)

        if not batch.stored and progress:
            attempt(once)
        self.history.advanced(progress)
        self.skipping.stored(batch)

    def store_with(
        self, transaction: Offsets, batch: Batch, ended: Iterable[tuple[Event, Outcome, str]]
    ) -> Mapping[TopicPartition, Progress]:
        """Store them in the transaction in which the batch's last events end, `ended` being those
        that have not been told; what is stored once it commits. Nothing where a message was set
        aside: what is noted of it is stored after everything else. Raises TargetRestored.
        """
        if self.skipping.concerns(batch):
            return {}
        batch.counted = batch.ended + Counter(how for _, how in behind_us(batch, ended))
        progress = progress_of(batch, batch.counted, self._circuit.in_a_row)
        self.history.advance(transaction, progress, self._clock.now())
        return progress

    def count(self, batch: Batch) -> None:
        """Tell telemetry how the batch's messages ended."""
        for (partition, outcome, reason), count in batch.ended.items():
            self._telemetry.events_read(partition.topic, count)
            self._telemetry.event_ended(partition.topic, outcome, reason, count)
        count_hops(batch, self._telemetry, self._clock.now())

    def count_delays(self, events: Iterable[Event]) -> None:
        """Tell telemetry how old streamed events were when they were applied, just now."""
        now = self._clock.now()
        found = Counter(
            (event.table, event.committed_at) for event in events if not event.is_snapshot
        )
        for (table, committed_at), count in found.items():
            delay = (now - committed_at).total_seconds()
            self._telemetry.delay(table, max(delay, 0.0), count)
