"""The consumer's loop: poll, process, commit; retry what is transient, drain on a stop,
halt what cannot continue.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from pipeline.engine.consumer.catching_up import CatchUp
from pipeline.engine.consumer.halting import Halting
from pipeline.engine.consumer.parking import ParkingRate
from pipeline.engine.consumer.ports import (
    Attempt,
    Clock,
    Messages,
    OffsetStore,
    Telemetry,
)
from pipeline.engine.consumer.processing import BatchProcessor, SnapshotFollower
from pipeline.engine.consumer.retry import Retrier, Stopped
from pipeline.engine.consumer.start import NEVER_SEEN
from pipeline.engine.consumer.undone import Undone
from pipeline.errors import (
    LinksRestored,
    ParkedTooMany,
    PartitionsChanged,
    TargetRestored,
    TopicRenewed,
)
from pipeline.model.event import Message
from pipeline.model.halt import HaltedAt, Skip
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
PARKED = "parked rows"  # where a limit of them halts everything


class Loop:
    """Runs one member of the consumer group until `stop` says so. `consumer` is what other
    processes know it by.
    """

    _looked_at = -CHECK_INTERVAL_SECONDS
    _full: ParkedTooMany | None = None  # why nothing more is read
    _unsafe: LinksRestored | None = None  # why nothing is done

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
        restored: Callable[[], object] = lambda: None,
        renewed: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """`consumer`: our name for others. `restored`: done before a restored target is filled.
        `renewed`: topics that were made again since they came to us.
        """
        self._restored, self._renewed = restored, renewed
        self._messages = messages
        self._processor = processor
        self._keeper = keeper
        self._loading = loading
        self._incarnation = incarnation
        self._telemetry = telemetry
        self._clock = clock
        self._pace = pace
        self._stop = stop
        self._attempt = _patience(pace, telemetry, clock, stop, messages)
        self._halting = Halting(
            messages=messages,
            telemetry=telemetry,
            clock=clock,
            consumer=consumer,
            retry_seconds=pace.halted_retry_seconds,
        )
        self._left = Undone(processor, loading, clock, pace.batch_size, pace.waiting_retry_seconds)
        self._parking, self._catch_up = ParkingRate(), CatchUp()
        self._grown: dict[str, PartitionsChanged] = {}

    def run(self) -> None:
        """Returns after a stop, with everything that was read written and committed.
        Raises errors whose remedy is halt.
        """
        try:
            while not self._stop():
                self.step()
            self._processor.finish(self._attempt)
        except Stopped:
            return
        finally:
            self._messages.close()

    def step(self) -> int:
        """One poll and its batch; how many messages it had."""
        try:
            return self._step() if self._unsafe is None else self._stand(self._unsafe)
        except TargetRestored as error:
            self._start_again(error)
        except LinksRestored as error:
            self._unsafe = error
        return 0

    def _step(self) -> int:
        messages = self._poll()
        if messages:
            self._handle(messages)
        self._left.do(len(messages), self._attempt)
        self._halting.retry()
        self._check()
        return len(messages)

    def _poll(self) -> Sequence[Message]:
        """Nothing while too much waits. A partition that cannot be read from where it should be
        halts; the others are read on.
        """
        if self._full is not None:
            self._messages.wait(self._pace.poll_seconds)
            return []
        seconds = self._left.seconds_left(self._pace.poll_seconds)
        messages = self._attempt(lambda: self._messages.poll(self._pace.batch_size, seconds))
        lost = self._messages.lost()
        if lost and self._read_renewed():
            lost = self._messages.lost()
        numbers = self._incarnations(one.topic for one in lost)
        self._halting.halt(
            {
                one: HaltedAt(at.offset, numbers.get(one.topic, NEVER_SEEN), at.error)
                for one, at in lost.items()
            }
        )
        return messages

    def _handle(self, messages: Sequence[Message]) -> None:
        incarnations = self._incarnations(message.topic for message in messages)
        self._halting.halt(
            {
                TopicPartition(one.topic, one.partition): HaltedAt(
                    one.offset, NEVER_SEEN, self._grown[one.topic]
                )
                for one in reversed(messages)
                if one.topic not in incarnations
            }
        )
        going = [m for m in messages if (m.topic, m.partition) not in self._halting]
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
        if self._catch_up.came_to(handled.next_offsets, self._messages.assignment()):
            self._telemetry.caught_up()

    def _incarnations(self, topics: Iterable[str]) -> dict[str, int]:
        """Their numbers, without topics that have another number of partitions than they had."""
        found: dict[str, int] = {}
        for topic in sorted(set(topics)):
            try:
                found[topic] = self._attempt(partial(self._incarnation, topic))
            except PartitionsChanged as error:
                self._grown[topic] = error
        return found

    # -- a topic that was made again ---------------------------------------------------------------

    def _read_renewed(self) -> bool:
        """Read topics that were deleted and made again from their beginning; were there any. The
        guards know what was applied of the topics of before.
        """
        topics = frozenset(self._attempt(self._renewed))
        if topics:
            names = ", ".join(sorted(topics))
            self._attempt(partial(self._messages.restart, topics))
            self._catch_up.forget(topics)
            self._halting.start_again(topics)
            self._telemetry.renewed(TopicRenewed(f"{names}: deleted, and made again"))
        return bool(topics)

    # -- a target that was restored ----------------------------------------------------------------

    def _start_again(self, error: TargetRestored) -> None:
        """Read again what the restored target lacks; the guards make the rest harmless."""
        self._catch_up.rewound()
        self._attempt(self._restored)
        self._attempt(self._messages.restart)
        self._halting.start_again()
        self._loading.restored()
        self._telemetry.rewound(error)

    def _stand(self, error: LinksRestored) -> int:
        """Read nothing and change nothing: only a person knows what the other database holds."""
        self._messages.wait(self._pace.poll_seconds)
        self._halting.halt(
            {
                one: HaltedAt(self._catch_up.offset_of(one), NEVER_SEEN, error)
                for one in self._messages.assignment()
                if one not in self._halting
            }
        )
        self._check()
        return 0

    # -- every few seconds -------------------------------------------------------------------------

    def _check(self) -> None:
        """Every few seconds, and at once where something halted or resumed: the state is told, and
        nothing more is read while too much waits (not during a first load). Raises TargetRestored,
        LinksRestored.
        """
        refused = self._processor.refused()
        self._halting.halt_places(
            refused if self._full is None else {**refused, PARKED: self._full}
        )
        since = self._clock.monotonic() - self._looked_at
        if since < CHECK_INTERVAL_SECONDS and not self._halting.is_unreported:
            return
        self._looked_at = self._clock.monotonic()
        self._read_renewed()
        self._loading.tell(self._attempt)
        parked, skips = self._attempt(self._look)
        self._processor.allow(skips)
        self._halting.allow(skips)
        self._telemetry.parked(parked)
        rise, most = self._parking.rise(self._looked_at, parked), self._pace.parked_per_minute
        limit = self._pace.parked_limit
        is_much = rise > most or parked > limit
        is_first_load = is_much and self._attempt(self._loading.is_first_load)
        self._telemetry.parking(0 if is_first_load else rise, most)
        if parked <= limit or is_first_load:
            self._full = None
        elif self._full is None:
            self._full = ParkedTooMany(f"{parked} rows wait, {limit} are allowed")

    def _look(self) -> tuple[int, list[Skip]]:
        """How much is parked, and what may be skipped."""
        with self._keeper.transaction() as transaction:
            if self._unsafe is None:
                self._processor.refuse_restored(transaction)
            return transaction.waiting_count(), self._halting.report(transaction)


def _patience(
    pace: LoopSettings,
    telemetry: Telemetry,
    clock: Clock,
    stop: Callable[[], bool],
    messages: Messages,
) -> Attempt:
    return Retrier(
        first_seconds=pace.retry_first_seconds,
        most_seconds=pace.retry_most_seconds,
        refused_seconds=pace.refused_seconds,
        telemetry=telemetry,
        clock=clock,
        stop=stop,
        rest=messages.wait,  # which keeps the membership
    ).attempt
