"""The consumer's loop: poll, process, commit; retry what is transient, drain on a stop,
halt what cannot continue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.engine.consumer.batch import BatchResult
from pipeline.engine.consumer.halting import Halting
from pipeline.engine.consumer.parking import ParkingRate
from pipeline.engine.consumer.ports import (
    Attempt,
    Clock,
    Messages,
    Offsets,
    OffsetStore,
    Telemetry,
)
from pipeline.engine.consumer.retry import Retrier, Stopped
from pipeline.errors import ParkedTooMany
from pipeline.model.event import Message
from pipeline.model.halt import Skip
from pipeline.model.position import TopicPartition


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """How fast and how patient the loop is. Seconds, and events a batch."""

    batch_size: int = 2000
    poll_seconds: float = 0.2
    retry_first_seconds: float = 0.2
    retry_most_seconds: float = 30.0
    refused_seconds: float = 900.0
    waiting_retry_seconds: float = 60.0
    parked_limit: int = 10_000
    parked_per_minute: int = 1000
    halted_retry_seconds: float = 60.0


CHECK_INTERVAL_SECONDS = 5.0


class BatchProcessor(Protocol):
    """What a route does with a batch, and between batches."""

    def process(
        self,
        messages: Sequence[Message],
        incarnations: Mapping[str, int],
        attempt: Attempt,
    ) -> BatchResult: ...

    def drain(self, attempt: Attempt, *, waiting_retry_seconds: float) -> int: ...

    def refuse_restored(self, transaction: Offsets) -> None: ...

    def allow(self, skips: Sequence[Skip]) -> None: ...


class SnapshotFollower(Protocol):
    """What follows a snapshot to its end."""

    def snapshot_ended(self, epoch: int) -> None: ...

    def advance(self, attempt: Attempt) -> None: ...

    def is_first_load(self) -> bool:
        """Is the first snapshot still being read: rows are read before those that they refer to."""


class Loop:
    """Runs one member of the consumer group until `stop` says so. `consumer` is what other
    processes know it by.
    """

    _looked_at = -CHECK_INTERVAL_SECONDS

    def __init__(
        self,
        *,
        messages: Messages,
        processor: BatchProcessor,
        keeper: OffsetStore,
        loading: SnapshotFollower,
        incarnation: Callable[[str], int],
        telemetry: Telemetry,
        clock: Clock,
        pace: LoopSettings,
        stop: Callable[[], bool],
        consumer: str = "",
    ) -> None:
        self._messages = messages
        self._processor = processor
        self._keeper = keeper
        self._loading = loading
        self._incarnation = incarnation
        self._telemetry = telemetry
        self._clock = clock
        self._pace = pace
        self._stop = stop
        self._attempt = Retrier(
            first_seconds=pace.retry_first_seconds,
            most_seconds=pace.retry_most_seconds,
            refused_seconds=pace.refused_seconds,
            telemetry=telemetry,
            clock=clock,
            stop=stop,
            rest=messages.wait,  # which keeps the membership
        ).attempt
        self._halting = Halting(
            messages=messages,
            telemetry=telemetry,
            clock=clock,
            consumer=consumer,
            retry_seconds=pace.halted_retry_seconds,
        )
        self._parking = ParkingRate()

    def run(self) -> None:
        """Returns after a stop, with everything that was read written and committed.
        Raises errors whose remedy is halt.
        """
        try:
            while not self._stop():
                self.step()
        except Stopped:
            return
        finally:
            self._messages.close()

    def step(self) -> int:
        """One poll and its batch; how many messages it had."""
        messages = self._attempt(
            lambda: self._messages.poll(self._pace.batch_size, self._pace.poll_seconds)
        )
        if messages:
            self._handle(messages)
        if len(messages) < self._pace.batch_size:
            self._loading.advance(self._attempt)
            self._processor.drain(
                self._attempt,
                waiting_retry_seconds=self._pace.waiting_retry_seconds,
            )
        self._halting.retry()
        self._check()
        return len(messages)

    def _handle(self, messages: Sequence[Message]) -> None:
        topics = {message.topic for message in messages}
        incarnations = self._attempt(lambda: {topic: self._incarnation(topic) for topic in topics})
        going = [m for m in messages if TopicPartition(m.topic, m.partition) not in self._halting]
        if len(going) < len(messages):
            self._halting.pause()  # of one that left and came back
        handled = self._processor.process(going, incarnations, self._attempt)
        self._loading.snapshot_ended(handled.snapshot_ended)
        started = self._clock.monotonic()
        if handled.next_offsets:
            self._attempt(lambda: self._messages.commit(handled.next_offsets))
        self._telemetry.step("commit", self._clock.monotonic() - started)
        self._halting.passed(handled.next_offsets)
        self._halting.halt(handled.halted)

    def _check(self) -> None:
        """Every few seconds, and at once where a partition halted or resumed.
        Raises ParkedTooMany (not during a first load), TargetRestored.
        """
        since = self._clock.monotonic() - self._looked_at
        if since < CHECK_INTERVAL_SECONDS and not self._halting.is_unreported:
            return
        self._looked_at = self._clock.monotonic()
        parked, skips = self._attempt(self._look)
        self._processor.allow(skips)
        self._halting.allow(skips)
        self._telemetry.parked(parked)
        rise, most = self._parking.rise(self._looked_at, parked), self._pace.parked_per_minute
        is_much = rise > most or parked > self._pace.parked_limit
        is_first_load = is_much and self._attempt(self._loading.is_first_load)
        self._telemetry.parking(0 if is_first_load else rise, most)
        if parked > self._pace.parked_limit and not is_first_load:
            raise ParkedTooMany(f"{parked} rows wait, {self._pace.parked_limit} are allowed")

    def _look(self) -> tuple[int, list[Skip]]:
        """How much is parked, and what may be skipped."""
        with self._keeper.transaction() as transaction:
            self._processor.refuse_restored(transaction)
            return transaction.waiting_count(), self._halting.report(transaction)
