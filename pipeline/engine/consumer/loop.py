"""The consumer's loop: poll, process, commit; retry what is transient, drain on a stop,
halt what cannot continue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.engine.consumer.intake import BatchResult
from pipeline.engine.consumer.ports import (
    Attempt,
    Clock,
    Messages,
    Offsets,
    OffsetStore,
    Telemetry,
)
from pipeline.engine.consumer.retry import Retrier, Stopped
from pipeline.errors import ParkedTooMany, PipelineError
from pipeline.model.event import Message
from pipeline.model.position import TopicPartition


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """How fast and how patient the loop is. Seconds, and events a batch."""

    batch_size: int = 2000
    poll_seconds: float = 0.2
    retry_first_seconds: float = 0.2
    retry_most_seconds: float = 30.0
    waiting_retry_seconds: float = 60.0
    parked_limit: int = 10_000


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


class SnapshotFollower(Protocol):
    """What follows a snapshot to its end."""

    def snapshot_ended(self, epoch: int) -> None: ...

    def advance(self, attempt: Attempt) -> None: ...

    def is_first_load(self) -> bool:
        """Is the first snapshot still being read: rows are read before those that they refer to."""


class Loop:
    """Runs one member of the consumer group until `stop` says so."""

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
            telemetry=telemetry,
            clock=clock,
            stop=stop,
            rest=messages.wait,  # which keeps the membership
        ).attempt
        self._halted: dict[TopicPartition, PipelineError] = {}
        self._looked_at = -CHECK_INTERVAL_SECONDS

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
        self._check_limits()
        return len(messages)

    def _handle(self, messages: Sequence[Message]) -> None:
        topics = {message.topic for message in messages}
        incarnations = self._attempt(lambda: {topic: self._incarnation(topic) for topic in topics})
        going = [m for m in messages if TopicPartition(m.topic, m.partition) not in self._halted]
        if len(going) < len(messages):
            self._messages.pause(self._halted)  # of one that left and came back
        handled = self._processor.process(going, incarnations, self._attempt)
        self._loading.snapshot_ended(handled.snapshot_ended)
        started = self._clock.monotonic()
        if handled.next_offsets:
            self._attempt(lambda: self._messages.commit(handled.next_offsets))
        self._telemetry.step("commit", self._clock.monotonic() - started)
        if handled.halted:
            self._halted.update(handled.halted)
            self._messages.pause(handled.halted)

    def _check_limits(self) -> None:
        """Every few seconds. Raises ParkedTooMany (not during a first load), TargetRestored."""
        if self._clock.monotonic() - self._looked_at < CHECK_INTERVAL_SECONDS:
            return
        self._looked_at = self._clock.monotonic()
        parked = self._attempt(self._waiting_count)
        self._telemetry.parked(parked)
        if parked > self._pace.parked_limit and not self._attempt(self._loading.is_first_load):
            raise ParkedTooMany(f"{parked} rows wait, {self._pace.parked_limit} are allowed")

    def _waiting_count(self) -> int:
        with self._keeper.transaction() as transaction:
            self._processor.refuse_restored(transaction)
            return transaction.waiting_count()
