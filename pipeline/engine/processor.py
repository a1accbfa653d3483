"""One batch from messages to committed rows. Every message ends in exactly one outcome, or halts its partition."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from pipeline.domain.routes import Route
from pipeline.engine.circuit import Circuit, Limits
from pipeline.engine.history import History
from pipeline.engine.note import Noted, Notes, Noting, Rewound, note
from pipeline.engine.ports import Attempt, Clock, DeadLetters, Decoder, Target, Telemetry, Transaction
from pipeline.engine.recompute import Key, Recompute, Recomputed
from pipeline.engine.recomputing import Recomputing
from pipeline.errors import PipelineError, Remedy, RowRejected, SchemaLost, SchemaUnknown, SourceRewound
from pipeline.mapping.site import Site
from pipeline.model.event import Decoded, Event, Heartbeat, Message, Tombstone, Undecodable
from pipeline.model.ledger import Progress
from pipeline.model.outcome import Outcome, SkipReason
from pipeline.model.position import TopicPartition


@dataclass
class Handled:
    """What a batch came to: next offsets to commit, partitions that cannot go on, and the newest epoch whose snapshot is over (0: none)."""

    next_offsets: dict[TopicPartition, int] = field(default_factory=dict)
    halted: dict[TopicPartition, PipelineError] = field(default_factory=dict)
    snapshot_ended: int = 0


@dataclass
class _Batch:
    """A batch in hand: events with their messages in order, counts of what has ended, and next offsets."""

    events: list[Event] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)  # of the events, one each
    ended: Counter[tuple[TopicPartition, Outcome, str]] = field(default_factory=Counter)
    handled: Handled = field(default_factory=Handled)

    def message_of(self, event: Event) -> Message:
        return next(m for e, m in zip(self.events, self.messages, strict=True) if e is event)


class Processor:
    """Processes batches against ports. Between them it keeps only how many messages ended, and were set aside lately.

    `attempt` calls a function until it does not fail with an error whose remedy is retry; it is the loop's, so that
    waiting keeps the group's membership alive.
    """

    def __init__(
        self,
        *,
        route: Route,
        site: Site,
        decoder: Decoder,
        target: Target,
        recompute: Recompute,
        dead_letters: DeadLetters,
        telemetry: Telemetry,
        clock: Clock,
        limits: Limits | None = None,
    ) -> None:
        self._decoder, self._target = decoder, target
        self._dead_letters, self._telemetry, self._clock = dead_letters, telemetry, clock
        self._limits = limits or Limits()
        self._circuit, self._history = Circuit(self._limits), History()
        self._noting = Noting(route, site, timedelta(seconds=self._limits.clock_tolerance_seconds))
        self._recomputing = Recomputing(target=target, recompute=recompute, telemetry=telemetry, clock=clock)

    def take_over(self, progress: Mapping[TopicPartition, Progress]) -> None:
        """Partitions that come to us, with what was stored of them."""
        self._history.take_over(progress)
        for partition, stored in progress.items():
            self._circuit.in_a_row[partition] = stored.dead_in_a_row

    def process(self, messages: Sequence[Message], incarnations: Mapping[str, int], attempt: Attempt) -> Handled:
        """Process a batch whose messages of one partition stand in offset order. The offsets may be committed after."""
        started = self._clock.monotonic()
        batch = self._decode(messages, incarnations, attempt)
        decoded = self._clock.monotonic()
        notes = self._note(batch, batch.events, attempt)
        noted = self._clock.monotonic()
        done = self._recomputing.run(notes.marks, attempt)
        recomputed = self._clock.monotonic()
        self._end_events(batch, notes, done)
        self._store_progress(batch, incarnations, attempt)
        self._count(batch, notes)
        for name, seconds in (
            ("decode", decoded - started),
            ("note", noted - decoded),
            ("recompute", recomputed - noted),
        ):
            self._telemetry.step(name, seconds)
        return batch.handled

    def drain(self, attempt: Attempt, *, waiting_retry_seconds: float) -> int:
        """Recompute marks that nobody has in hand; how many."""
        return self._recomputing.drain(attempt, waiting_retry_seconds=waiting_retry_seconds)

    def refuse_restored(self, transaction: Transaction) -> None:
        """Raises TargetRestored if the target lacks what it had: also where no message comes that would show it."""
        self._history.refuse_restored(transaction)

    # -- decoding -----------------------------------------------------------------------------------------------------

    def _decode(self, messages: Sequence[Message], incarnations: Mapping[str, int], attempt: Attempt) -> _Batch:
        batch = _Batch()
        for message in messages:
            partition = TopicPartition(message.topic, message.partition)
            if partition in batch.handled.halted:
                continue
            try:
                self._take(batch, message, self._decoded(message, incarnations[message.topic], attempt))
            except PipelineError as error:
                self._halt(batch, partition, error)
            else:
                batch.handled.next_offsets[partition] = message.offset + 1
        return batch

    def _decoded(self, message: Message, incarnation: int, attempt: Attempt) -> Decoded:
        """The message as an event; what is transient is waited for. Raises SchemaLost when that has lasted too long."""
        decoded = self._decoder.decode(message, incarnation)
        if not _is_transient(decoded):
            return decoded
        started = self._clock.monotonic()

        def once() -> Decoded:
            decoded = self._decoder.decode(message, incarnation)
            if isinstance(decoded, Undecodable) and _is_transient(decoded):
                waited = self._clock.monotonic() - started
                if isinstance(decoded.error, SchemaUnknown) and waited > self._limits.unknown_schema_seconds:
                    raise SchemaLost(str(decoded.error))
                raise decoded.error
            return decoded

        return attempt(once)

    def _take(self, batch: _Batch, message: Message, decoded: Decoded) -> None:
        """Sort a decoded message into the batch. Raises the error that halts its partition."""
        partition = TopicPartition(message.topic, message.partition)
        match decoded:
            case Event():
                batch.events.append(decoded)
                batch.messages.append(message)
                if decoded.snapshot_ended:
                    batch.handled.snapshot_ended = max(batch.handled.snapshot_ended, decoded.epoch)
            case Tombstone():
                batch.ended[partition, Outcome.SKIPPED, SkipReason.TOMBSTONE] += 1
            case Heartbeat(epoch):
                batch.handled.snapshot_ended = max(batch.handled.snapshot_ended, epoch)
                batch.ended[partition, Outcome.SKIPPED, SkipReason.HEARTBEAT] += 1
            case Undecodable(error):
                if error.remedy is not Remedy.DEAD_LETTER:
                    raise error
                self._set_aside(batch, message, error)
                return
        self._circuit.good(partition)

    def _set_aside(self, batch: _Batch, message: Message, error: PipelineError) -> None:
        """Send a dead letter. Raises CircuitOpen, DeadLetterFailed."""
        partition = TopicPartition(message.topic, message.partition)
        self._circuit.bad(partition)
        self._dead_letters.send(message, error)
        self._telemetry.dead_lettered(error)
        batch.ended[partition, Outcome.DEAD_LETTERED, error.code] += 1

    def _halt(self, batch: _Batch, partition: TopicPartition, error: PipelineError) -> None:
        batch.handled.halted[partition] = error
        self._telemetry.halted(partition.topic, partition.partition, error)

    # -- the first transaction ----------------------------------------------------------------------------------------

    def _note(self, batch: _Batch, events: Sequence[Event], attempt: Attempt) -> Notes:
        """Note events; those that the database rejects are narrowed down to, and set aside."""
        if not events:
            return Notes()

        def once() -> Notes:
            with self._target.transaction() as transaction:
                self._history.refuse_restored(transaction, batch.handled.next_offsets)
                number = secrets.randbits(62)
                return note(transaction, self._noting, events, number, self._clock.now())

        try:
            return attempt(once)
        except Rewound as rewound:
            return self._note(batch, self._halt_rewound(batch, rewound.event, events), attempt)
        except RowRejected as error:
            if len(events) == 1:
                return self._note_rejected(batch, events[0], error)
            middle = len(events) // 2
            first = self._note(batch, events[:middle], attempt)
            return first.followed_by(self._note(batch, events[middle:], attempt))

    def _halt_rewound(self, batch: _Batch, event: Event, events: Sequence[Event]) -> list[Event]:
        """Halt the partition before this event; the events that go on."""
        message = batch.message_of(event)
        partition = TopicPartition(message.topic, message.partition)
        where = f"{partition.topic} partition {partition.partition} offset {message.offset}"
        self._halt(batch, partition, SourceRewound(f"{where} stands before what was applied, but committed later"))
        self._stop_before(batch, message)
        return [
            one
            for one in events
            if one.table != event.table
            or one.place.partition != event.place.partition
            or one.place.offset < event.place.offset
        ]

    def _note_rejected(self, batch: _Batch, event: Event, error: RowRejected) -> Notes:
        """A single event to blame: set aside, or, if that must not be, its partition stops before it."""
        message = batch.message_of(event)
        partition = TopicPartition(message.topic, message.partition)
        try:
            self._set_aside(batch, message, error)
        except PipelineError as failure:
            self._halt(batch, partition, failure)
            self._stop_before(batch, message)
        return Notes()

    @staticmethod
    def _stop_before(batch: _Batch, message: Message) -> None:
        """Later events of the partition may be noted already, and will be read again: the guard knows them."""
        partition = TopicPartition(message.topic, message.partition)
        batch.handled.next_offsets[partition] = min(batch.handled.next_offsets[partition], message.offset)

    # -- how events end -----------------------------------------------------------------------------------------------

    def _end_events(self, batch: _Batch, notes: Notes, done: Sequence[Recomputed]) -> None:
        waiting = {key for one in done for key in one.waiting}
        idle = {key for one in done for key in one.idle}
        messages = {id(event): message for event, message in zip(batch.events, batch.messages, strict=True)}
        for noted in notes.events:
            message = messages[id(noted.event)]
            partition = TopicPartition(message.topic, message.partition)
            if message.offset >= batch.handled.next_offsets[partition]:
                continue  # stands behind a message that stopped the partition: it ends when it is read again
            outcome, reason = _end(noted, waiting, idle)
            batch.ended[partition, outcome, reason] += 1

    def _store_progress(self, batch: _Batch, incarnations: Mapping[str, int], attempt: Attempt) -> None:
        progress: dict[TopicPartition, Progress] = {}
        for partition, next_offset in batch.handled.next_offsets.items():
            counts: Counter[Outcome] = Counter()
            for (where, outcome, _), count in batch.ended.items():
                if where == partition:
                    counts[outcome] += count
            progress[partition] = Progress(
                incarnation=incarnations[partition.topic],
                next_offset=next_offset,
                events_read=counts.total(),
                written=counts[Outcome.WRITTEN],
                skipped=counts[Outcome.SKIPPED],
                parked=counts[Outcome.PARKED],
                dead_lettered=counts[Outcome.DEAD_LETTERED],
                dead_in_a_row=self._circuit.in_a_row[partition],
            )

        def once() -> None:
            with self._target.transaction() as transaction:
                self._history.refuse_restored(transaction, progress)
                transaction.advance(progress, self._clock.now())

        if progress:
            attempt(once)
            self._history.advanced(progress)

    def _count(self, batch: _Batch, notes: Notes) -> None:
        now = self._clock.now()
        for (partition, outcome, reason), count in batch.ended.items():
            self._telemetry.events_read(partition.topic, count)
            self._telemetry.event_ended(partition.topic, outcome, reason, count)
        for noted in notes.events:
            if noted.skipped is None and not noted.event.is_snapshot:
                delay = (now - noted.event.committed_at).total_seconds()
                self._telemetry.delay(noted.event.table, max(delay, 0.0))


def _is_transient(decoded: Decoded) -> bool:
    return isinstance(decoded, Undecodable) and decoded.error.remedy is Remedy.RETRY


def _end(noted: Noted, waiting: set[Key], idle: set[Key]) -> tuple[Outcome, str]:
    """The outcome of an event that was noted, and the reason in one word."""
    if noted.skipped is not None:
        return Outcome.SKIPPED, noted.skipped
    if not waiting.isdisjoint(noted.pairs):
        return Outcome.PARKED, "waiting"
    if noted.pairs <= idle:
        return Outcome.SKIPPED, SkipReason.FILTERED
    return Outcome.WRITTEN, ""
