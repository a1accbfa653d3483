"""One batch from messages to committed rows. Every message ends in exactly one outcome,
or halts its partition.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial

from pipeline.engine.consumer.batch import Batch, BatchResult
from pipeline.engine.consumer.bisect import BisectingQueue
from pipeline.engine.consumer.circuit import Limits
from pipeline.engine.consumer.intake import Intake
from pipeline.engine.consumer.ports import (
    Attempt,
    Clock,
    DeadLetters,
    Decoder,
    Offsets,
    Target,
    Telemetry,
)
from pipeline.engine.projection.direct import LEAST_AT_ONCE, Direct
from pipeline.engine.projection.ended import ended
from pipeline.engine.projection.postponed import POSTPONED_SECONDS, Postponed
from pipeline.engine.projection.recompute import Recompute
from pipeline.engine.projection.recomputed import RecomputeResult
from pipeline.engine.projection.recomputing import RecomputeRunner, Store
from pipeline.engine.projection.refusals import Described, Refusals, TableRefused
from pipeline.engine.projection.stage import Rewound, StageSettings, stage
from pipeline.engine.projection.staged import StagedBatch
from pipeline.errors import ConcurrentWrite, PipelineError, RowRejected
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.model.event import Event, Message
from pipeline.model.halt import Skip
from pipeline.model.ledger import Progress
from pipeline.model.position import TopicPartition


class Processor:
    """Processes batches against ports.

    `attempt` calls a function until it does not fail with an error whose remedy is retry; it is the
    loop's, so that waiting keeps the group's membership alive.
    """

    _written_directly: Direct | None = None  # made when it is needed
    least_at_once = LEAST_AT_ONCE  # as many rows, or marks, are written as one

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
        describe: Callable[[], Described] = lambda: Described({}),
        observed: Collection[str] = (),
        postponed_seconds: float = POSTPONED_SECONDS,
    ) -> None:
        """`describe` looks at the target's tables; `observed`: topics of the target's system.
        `postponed_seconds`: how long what refers to changed rows, and totals, may wait.
        """
        self._target = target
        self._telemetry = telemetry
        self._clock = clock
        limits = limits or Limits()
        self._intake = Intake(
            decoder=decoder,
            keeper=target,
            dead_letters=dead_letters,
            telemetry=telemetry,
            clock=clock,
            limits=limits,
            reloaded=self._reloaded,
            observed=observed,
        )
        tolerance = timedelta(seconds=limits.clock_tolerance_seconds)
        self._stage_settings = StageSettings(route, site, tolerance)
        self._postponed = Postponed(route, clock, postponed_seconds)
        self._refusals = refusals = Refusals(clock, limits.refused_retry_seconds, describe)
        self._recomputing = RecomputeRunner(
            target=target, recompute=recompute, telemetry=telemetry, clock=clock, refusals=refusals
        )

    def on_assigned(self, progress: Mapping[TopicPartition, Progress]) -> None:
        """Partitions that come to us, with what was stored of them."""
        self._intake.on_assigned(progress)

    def process(
        self,
        messages: Sequence[Message],
        incarnations: Mapping[str, int],
        attempt: Attempt,
    ) -> BatchResult:
        """Process a batch whose messages of one partition stand in offset order.
        The offsets may be committed after.
        """
        started = self._clock.monotonic()
        batch = self._intake.decode(messages, incarnations, attempt)
        decoded = self._clock.monotonic()
        seconds = {"decode": decoded - started, "stage": 0.0, "recompute": 0.0}
        if self._postponed.must_precede(batch.events, self._direct):
            self.finish(attempt)
        before = self._clock.monotonic()
        for staged in self._staged(batch, batch.events, attempt):
            staged_at = self._clock.monotonic()
            done = self._recomputed(batch, staged, attempt)
            batch.stored = done[-1].stored if done else staged.stored
            if staged.direct is not None:
                self._recomputing.count(staged.direct)
            recomputed = self._clock.monotonic()
            self._end_events(batch, staged, done)
            seconds["stage"] += staged_at - before
            seconds["recompute"] += recomputed - staged_at
            before = recomputed
        self._intake.store_progress(batch, attempt)
        self._intake.count(batch)
        for name, spent in seconds.items():
            self._telemetry.step(name, spent)
        return batch.handled

    def _recomputed(
        self, batch: Batch, staged: StagedBatch, attempt: Attempt
    ) -> Sequence[RecomputeResult]:
        if staged.is_postponed:
            self._postponed.add(staged)
            return ()
        store = self._storing(batch, staged)
        return self._recomputing.run(staged.marks, attempt, {staged.together} - {0}, store)

    @property
    def postponed_until(self) -> float | None:
        """When what was postponed is to be recomputed; None: nothing was."""
        return self._postponed.until

    def finish(self, attempt: Attempt) -> None:
        """Recompute what was postponed."""
        marks, together = self._postponed.take()
        if marks:
            started = self._clock.monotonic()
            self._recomputing.run(marks, attempt, together)
            took = self._clock.monotonic() - started
            self._postponed.took(took)
            self._telemetry.step("recompute", took)

    def drain(self, attempt: Attempt, *, waiting_retry_seconds: float) -> int:
        """Recompute marks that no process works on; how many."""
        return self._recomputing.drain(attempt, waiting_retry_seconds=waiting_retry_seconds)

    def allow(self, skips: Sequence[Skip]) -> None:
        """What may be skipped from now on, if it would halt its partition."""
        self._intake.skipping.allow(skips)

    def _reloaded(self, table: str, incarnation: int) -> int:
        with self._target.transaction() as transaction:
            return transaction.reloaded(table, incarnation)

    def refused(self) -> Mapping[str, PipelineError]:
        """Tables of the target that refuse what is written to them."""
        return self._refusals.errors

    def refuse_restored(self, transaction: Offsets) -> None:
        """Raises TargetRestored if the target lacks what it had:
        also where no message comes that would show it.
        """
        self._intake.history.refuse_restored(transaction)

    # -- the first transaction ---------------------------------------------------------------------

    def _staged(
        self, batch: Batch, events: Sequence[Event], attempt: Attempt
    ) -> Iterator[StagedBatch]:
        """Stage events, up to a retirement at a time;
        those that the database rejects are found by bisecting, and parked.
        """
        queue = BisectingQueue(events, len(events))
        while queue:
            now = queue.take()
            try:
                staged = self._stage(batch, now, attempt, is_last=not queue)
            except Rewound as rewound:
                left = [*now, *queue.take_all()]
                queue.done(self._intake.halt_rewound(batch, rewound.event, left))
            except RowRejected as error:
                if not queue.bisect(now):
                    attempt(partial(self._refuse_restored, batch))
                    self._dead_letter_rejected(batch, now[0], error)
                    queue.done()
            else:
                yield staged
                queue.done(staged.rest)

    def _stage(
        self, batch: Batch, events: Sequence[Event], attempt: Attempt, *, is_last: bool
    ) -> StagedBatch:
        """With the target rows that depend on one row alone; where the target refuses one of them,
        without any: the recompute finds out which, and lets it wait.
        """
        direct = self._direct()
        if not self._refusals.errors:
            with suppress(RowRejected):
                try:
                    return attempt(
                        partial(self._stage_directly, batch, events, direct, is_last=is_last)
                    )
                except TableRefused as refused:
                    self._refusals.refuse(refused)
        return attempt(partial(self._stage_once, batch, events, None, is_last=is_last))

    def _direct(self) -> Direct:
        """For the target's tables as they are now."""
        targets = self._recomputing.targets
        if self._written_directly is None or self._written_directly.targets is not targets:
            settings = self._stage_settings
            self._written_directly = Direct(
                settings.route,
                settings.site,
                targets,
                self._target.counts_utf16,
                self.least_at_once,
            )
        return self._written_directly

    def _stage_directly(
        self, batch: Batch, events: Sequence[Event], direct: Direct, *, is_last: bool
    ) -> StagedBatch:
        """Raises RowRejected also for a value that is taken: whether that is a lost race, or stays
        so, the recompute finds out.
        """
        try:
            return self._stage_once(batch, events, direct, is_last=is_last)
        except ConcurrentWrite as error:
            raise RowRejected(str(error)) from error

    def _stage_once(
        self, batch: Batch, events: Sequence[Event], direct: Direct | None, *, is_last: bool
    ) -> StagedBatch:
        """With the offsets, where nothing is left to be done of the batch after it."""
        with self._target.transaction() as transaction:
            number = secrets.randbits(62)
            staged = stage(
                transaction,
                replace(self._stage_settings, least_together=self.least_at_once),
                events,
                number,
                self._clock.now(),
                direct,
            )
            staged.is_last = is_last and not staged.rest
            store = self._storing(batch, staged)
            if store is not None and self._postponed.may_take(staged, direct):
                staged.is_postponed = True
            if store is not None and (staged.is_postponed or not staged.marks):
                staged.stored = store(transaction, ())
            if not staged.stored:
                self._intake.history.refuse_restored(transaction, batch.handled.next_offsets)
            return staged

    def _refuse_restored(self, batch: Batch) -> None:
        with self._target.transaction() as transaction:
            self._intake.history.refuse_restored(transaction, batch.handled.next_offsets)

    def _dead_letter_rejected(self, batch: Batch, event: Event, error: RowRejected) -> None:
        """Dead-letter the offending event; where the circuit is open, its partition stops there."""
        message = batch.message_of(event)
        try:
            self._intake.dead_letter(batch, message, error)
        except PipelineError as failure:
            if not self._intake.skipped(batch, message, failure):
                self._intake.halt(batch, message, failure)
                self._intake.rewind_to(batch, message)

    # -- how events end ----------------------------------------------------------------------------

    def _end_events(
        self, batch: Batch, staged: StagedBatch, done: Sequence[RecomputeResult]
    ) -> None:
        self._intake.end(batch, ended(staged, done))
        self._intake.count_delays(one.event for one in staged.events if one.skipped is None)

    def _storing(self, batch: Batch, staged: StagedBatch) -> Store | None:
        """Stores the offsets with what ends the last events."""
        if not staged.is_last:
            return None
        return lambda transaction, done: self._intake.store_with(
            transaction, batch, ended(staged, done)
        )
