"""One batch from messages to committed rows. Every message ends in exactly one outcome, or halts its partition."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from pipeline.domain.routes import Route
from pipeline.engine.note import Noted, Notes, note
from pipeline.engine.ports import Attempt, Clock, DeadLetters, Decoder, Target, Telemetry
from pipeline.engine.recompute import Key, Recompute, Recomputed, Widen
from pipeline.errors import ConcurrentWrite, PipelineError, Remedy
from pipeline.mapping.site import Site
from pipeline.model.event import Decoded, Event, Message, Tombstone, Undecodable
from pipeline.model.ledger import Mark, Progress
from pipeline.model.outcome import Outcome, SkipReason
from pipeline.model.position import TopicPartition

MARKS_A_TRANSACTION = 500
WIDENINGS = 20


@dataclass
class Handled:
    """What a batch came to: next offsets to commit, partitions that cannot go on, and whether streaming was seen."""

    next_offsets: dict[TopicPartition, int] = field(default_factory=dict)
    halted: dict[TopicPartition, PipelineError] = field(default_factory=dict)
    snapshot_ended: bool = False


@dataclass
class _Batch:
    """A batch being decoded: events in order, counts of what ended at once, and next offsets."""

    events: list[Event] = field(default_factory=list)
    topics: dict[int, str] = field(default_factory=dict)
    ended: Counter[tuple[TopicPartition, Outcome, str]] = field(default_factory=Counter)
    handled: Handled = field(default_factory=Handled)
    partition_of: dict[int, TopicPartition] = field(default_factory=dict)


class Processor:
    """Processes batches against ports; keeps nothing between them.

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
    ) -> None:
        self._route, self._site, self._decoder = route, site, decoder
        self._target, self._recompute = target, recompute
        self._dead_letters, self._telemetry, self._clock = dead_letters, telemetry, clock

    def process(self, messages: Sequence[Message], incarnations: Mapping[str, int], attempt: Attempt) -> Handled:
        """Process a batch whose messages of one partition stand in offset order. The offsets may be committed after."""
        started = self._clock.monotonic()
        batch = self._decode(messages, incarnations, attempt)
        self._telemetry.step("decode", self._clock.monotonic() - started)
        notes = self._note(batch.events, attempt)
        done = self._recompute_all(notes.marks, attempt)
        self._end_events(batch, notes, done)
        self._store_progress(batch, incarnations, attempt)
        self._count(batch, notes)
        return batch.handled

    # -- decoding -----------------------------------------------------------------------------------------------------

    def _decode(self, messages: Sequence[Message], incarnations: Mapping[str, int], attempt: Attempt) -> _Batch:
        batch = _Batch()
        for message in messages:
            partition = TopicPartition(message.topic, message.partition)
            if partition in batch.handled.halted:
                continue
            decoded = self._decoder.decode(message, incarnations[message.topic])
            if isinstance(decoded, Undecodable) and decoded.error.remedy is Remedy.RETRY:
                decoded = attempt(partial(self._decode_now, message, incarnations[message.topic]))
            match decoded:
                case Event():
                    batch.partition_of[len(batch.events)] = partition
                    batch.events.append(decoded)
                    batch.handled.snapshot_ended |= decoded.snapshot_ended
                case Tombstone():
                    batch.ended[partition, Outcome.SKIPPED, SkipReason.TOMBSTONE] += 1
                case Undecodable(error) if error.remedy is Remedy.DEAD_LETTER:
                    self._dead_letters.send(message, error)
                    self._telemetry.dead_lettered(error)
                    batch.ended[partition, Outcome.DEAD_LETTERED, error.code] += 1
                case Undecodable(error):
                    batch.handled.halted[partition] = error
                    self._telemetry.halted(partition.topic, partition.partition, error)
                    continue
                case _:
                    batch.handled.snapshot_ended = True
                    batch.ended[partition, Outcome.SKIPPED, SkipReason.HEARTBEAT] += 1
            batch.handled.next_offsets[partition] = message.offset + 1
        return batch

    def _decode_now(self, message: Message, incarnation: int) -> Decoded:
        decoded = self._decoder.decode(message, incarnation)
        if isinstance(decoded, Undecodable) and decoded.error.remedy is Remedy.RETRY:
            raise decoded.error
        return decoded

    # -- the two transactions -----------------------------------------------------------------------------------------

    def _note(self, events: Sequence[Event], attempt: Attempt) -> Notes:
        if not events:
            return Notes()
        started = self._clock.monotonic()

        def once() -> Notes:
            with self._target.transaction() as transaction:
                number = secrets.randbits(62)
                return note(transaction, self._route, self._site, events, number, self._clock.now())

        notes = attempt(once)
        self._telemetry.step("note", self._clock.monotonic() - started)
        return notes

    def _recompute_all(self, marks: Sequence[Mark], attempt: Attempt) -> list[Recomputed]:
        started = self._clock.monotonic()
        done = []
        for first in range(0, len(marks), MARKS_A_TRANSACTION):
            chunk = marks[first : first + MARKS_A_TRANSACTION]
            done.append(self._recompute_chunk(chunk, attempt))
        if done:
            self._telemetry.step("recompute", self._clock.monotonic() - started)
        return done

    def _recompute_chunk(self, marks: Sequence[Mark], attempt: Attempt) -> Recomputed:
        extra: set[Key] = set()

        def once() -> Recomputed:
            for _ in range(WIDENINGS):
                try:
                    with self._target.transaction() as transaction:
                        return self._recompute.run(transaction, marks, extra, self._clock.now())
                except Widen as more:
                    extra.update(more.roots)
            raise ConcurrentWrite("rows that must be recomputed together keep growing")

        recomputed = attempt(once)
        for table, counts in recomputed.rows.items():
            self._telemetry.rows(table, counts)
        for (table, column), count in recomputed.cut.items():
            self._telemetry.values_cut(table, column, count)
        return recomputed

    def drain(self, attempt: Attempt, *, waiting_retry_seconds: float) -> int:
        """Recompute marks that nobody has in hand: left by a process that died, set for a whole table, or waiting long."""
        now = self._clock.now()

        def once() -> list[Mark]:
            with self._target.transaction() as transaction:
                return transaction.due(
                    MARKS_A_TRANSACTION,
                    set_before=now - timedelta(seconds=1),
                    waiting_before=now - timedelta(seconds=waiting_retry_seconds),
                )

        marks = attempt(once)
        if marks:
            self._recompute_chunk(marks, attempt)
            return len(marks)
        return 0

    # -- how events end -----------------------------------------------------------------------------------------------

    def _end_events(self, batch: _Batch, notes: Notes, done: Sequence[Recomputed]) -> None:
        waiting = {key for one in done for key in one.waiting}
        idle = {key for one in done for key in one.idle}
        by_event = {
            id(event): partition for event, partition in zip(batch.events, batch.partition_of.values(), strict=True)
        }
        for noted in notes.events:
            outcome, reason = _end(noted, waiting, idle)
            batch.ended[by_event[id(noted.event)], outcome, reason] += 1

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
            )

        def once() -> None:
            with self._target.transaction() as transaction:
                transaction.advance(progress, self._clock.now())

        if progress:
            attempt(once)

    def _count(self, batch: _Batch, notes: Notes) -> None:
        now = self._clock.now()
        for (partition, outcome, reason), count in batch.ended.items():
            self._telemetry.events_read(partition.topic, count)
            self._telemetry.event_ended(partition.topic, outcome, reason, count)
        for noted in notes.events:
            if noted.skipped is None and not noted.event.is_snapshot:
                delay = (now - noted.event.committed_at).total_seconds()
                self._telemetry.delay(noted.event.table, max(delay, 0.0))


def _end(noted: Noted, waiting: set[Key], idle: set[Key]) -> tuple[Outcome, str]:
    """The outcome of an event that was noted, and the reason in one word."""
    if noted.skipped is not None:
        return Outcome.SKIPPED, noted.skipped
    if not waiting.isdisjoint(noted.pairs):
        return Outcome.PARKED, "waiting"
    if noted.pairs <= idle:
        return Outcome.SKIPPED, SkipReason.FILTERED
    return Outcome.WRITTEN, ""
