"""The exchange with DPS, batch by batch: decode, rounds until nothing is left, then the offsets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial

from pipeline.conflicts.rules import Side
from pipeline.engine.consumer.batch import Batch, BatchResult
from pipeline.engine.consumer.circuit import Limits
from pipeline.engine.consumer.intake import Intake
from pipeline.engine.consumer.ports import (
    Attempt,
    Clock,
    DeadLetters,
    Decoder,
    Offsets,
    Telemetry,
)
from pipeline.engine.exchange.new_lines import NewLines
from pipeline.engine.exchange.ports import Pairs
from pipeline.engine.exchange.reconciler import ITEMS_A_ROUND, Reconciler
from pipeline.engine.exchange.sweep import Sweep
from pipeline.engine.exchange.time_entries import Latecomers
from pipeline.engine.exchange.unit_of_work import (
    WANTED,
    ExchangeConfig,
    ItemResult,
    Rewound,
    WorkItem,
)
from pipeline.errors import TABLE_REFUSED, LinksRestored, PipelineError
from pipeline.model.event import Event, EventOrigin, Message
from pipeline.model.halt import Skip
from pipeline.model.ledger import Progress
from pipeline.model.outcome import Outcome
from pipeline.model.position import TopicPartition
from pipeline.pairing.entity import ParkedWork

TIME_ENTRIES = "time entries"
LATE_RETRIES = 10  # retries of parked work between two looks at the time entries, a large table


class Exchange:
    """Processes batches of both systems' events."""

    def __init__(
        self,
        *,
        setup: ExchangeConfig,
        pairs: Pairs,
        reconciler: Reconciler,
        sides: Mapping[str, Side],
        decoder: Decoder,
        dead_letters: DeadLetters,
        telemetry: Telemetry,
        clock: Clock,
        limits: Limits,
    ) -> None:
        """`sides`: heartbeat topic -> the side whose capture it tells of."""
        self._setup = setup
        self._pairs = pairs
        self._sides = sides
        self._telemetry = telemetry
        self._clock = clock
        self._intake = Intake(
            decoder=decoder,
            keeper=pairs,
            dead_letters=dead_letters,
            telemetry=telemetry,
            clock=clock,
            limits=limits,
            reloaded=self._reloaded,
            restored=LinksRestored,  # Ajera knows writes that those links do not
        )
        self._side_of = setup.tables
        self._rounds = reconciler
        self.sweep = Sweep(setup, pairs, clock)
        self._latecomers = Latecomers(setup, pairs, clock)
        self._new_lines = NewLines(setup, pairs)
        self._refused: dict[str, PipelineError] = {}

    def on_assigned(self, progress: Mapping[TopicPartition, Progress]) -> None:
        """Partitions that come to us, with what was stored of them."""
        self._intake.on_assigned(progress)

    def allow(self, skips: Sequence[Skip]) -> None:
        """What may be skipped from now on, if it would halt its partition."""
        self._intake.skipping.allow(skips)

    def _reloaded(self, table: str, _: int) -> int:
        with self._pairs.transaction() as transaction:
            return transaction.epochs()[self._side_of[table]][1]

    def refused(self) -> Mapping[str, PipelineError]:
        """What refuses to be read or written, beside what halts partitions."""
        return {**self._rounds.refused, **self.sweep.refused, **self._refused}

    def refuse_restored(self, transaction: Offsets) -> None:
        """Raises LinksRestored if the DPS database lacks what it had."""
        self._intake.history.refuse_restored(transaction)

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
        seen = self._followed(batch)
        attempt(lambda: self._rounds.follow(seen))
        items = [
            WorkItem(self._side_of[event.table], event.table, event.key, event)
            for event in batch.events
        ]

        rounds = self._rounds.run(
            items,
            attempt,
            check=lambda links: self._intake.history.refuse_restored(
                links, batch.handled.next_offsets
            ),
            forget=partial(self._without_rewound, batch),
            refuse=partial(self._without_refused, batch),
        )
        self._end(batch, [one for done in rounds for one in done.ended])
        self._intake.store_progress(batch, attempt)
        self._intake.count(batch)
        self._telemetry.step("decode", decoded - started)
        self._telemetry.step("exchange", self._clock.monotonic() - decoded)
        return batch.handled

    @property
    def postponed_until(self) -> float | None:
        """Nothing is."""
        return None

    def finish(self, attempt: Attempt) -> None: ...

    def drain(self, attempt: Attempt, *, waiting_retry_seconds: float) -> int:
        """Go on with parked work whose time has come, begin rows that were not chosen before,
        and look at a page of pairs that do not know all lines; how much.
        """
        before = self._clock.now() - timedelta(seconds=waiting_retry_seconds)

        def due() -> list[ParkedWork]:
            with self._pairs.transaction() as transaction:
                found = transaction.due(ITEMS_A_ROUND, before)
                transaction.park(found, self._clock.now())  # tried now, whatever comes of it
                return found

        parked = attempt(due)
        late = self._late(attempt, LATE_RETRIES * waiting_retry_seconds)
        outdated = attempt(self._new_lines.page)
        known = [one for one in parked if one.entity in self._setup.names]
        items = [*map(self._item_of, known), *late, *outdated]
        if items:
            check = self.refuse_restored
            for _ in self._rounds.run(
                items, attempt, check=check, refuse=_leave, with_new_lists=True
            ):
                pass
        return len(items)

    def _late(self, attempt: Attempt, seconds: float) -> list[WorkItem]:
        """Rows that were not chosen before; none while the time entries cannot be read."""
        try:
            found = attempt(lambda: self._latecomers.due(seconds))
        except TABLE_REFUSED as error:
            self._refused[TIME_ENTRIES] = error
            return []
        self._refused.pop(TIME_ENTRIES, None)
        return found

    def _item_of(self, parked: ParkedWork) -> WorkItem:
        table = self._setup.entity(parked.entity).side(parked.side).table.name
        return WorkItem(
            parked.side,
            table,
            parked.key,
            entity=parked.entity,
            link=parked.link,
            is_parked=True,
            is_wanted=parked.waits_for == WANTED,
        )

    def _without_rewound(
        self, batch: Batch, rewound: Rewound, items: Sequence[WorkItem]
    ) -> list[WorkItem]:
        """Halt the partition of the rewound event; the items of other events."""
        kept = {
            event.origin for event in self._intake.halt_rewound(batch, rewound.event, batch.events)
        }
        return [item for item in items if item.event is None or item.event.origin in kept]

    def _without_refused(
        self, batch: Batch, item: WorkItem, error: PipelineError, left: Sequence[WorkItem]
    ) -> list[WorkItem]:
        """Halt the partitions of the event's topic; the items of other events. The guards know
        what was done of them already.
        """
        if item.event is None:
            return list(left)
        events = batch.events
        first: dict[int, Event] = {item.event.place.partition: item.event}
        for one in left:
            if one.event is not None and one.table == item.table:
                first.setdefault(one.event.place.partition, one.event)
        for event in first.values():
            events = self._intake.halt_before(batch, event, error, events)
        kept = {event.origin for event in events}
        return [one for one in left if one.event is None or one.event.origin in kept]

    def _followed(self, batch: Batch) -> dict[Side, int]:
        """The epochs that a batch shows; and evidence that the snapshot of an epoch is over,
        reported to the sweep.
        """
        seen = dict.fromkeys(Side, 0)
        for event in batch.events:
            side = self._side_of[event.table]
            seen[side] = max(seen[side], event.epoch)
            if event.snapshot_ended:
                self.sweep.ended(side, event.epoch)
        for topic, epoch in batch.heartbeats.items():
            side = self._sides[topic]
            seen[side] = max(seen[side], epoch)
            self.sweep.ended(side, epoch)
        return seen

    def _end(self, batch: Batch, ended: Sequence[ItemResult]) -> None:
        """An event of several pairs ends once: written if one was, else parked if one is,
        else skipped.
        """
        best: dict[EventOrigin, ItemResult] = {}
        for one in ended:
            if one.item.event is None:
                continue
            origin = one.item.event.origin
            other = best.get(origin)
            if other is None or _rank(one) < _rank(other):
                best[origin] = one
        done = [(event, best[event.origin]) for event in batch.events if event.origin in best]
        self._intake.end(batch, ((event, found.outcome, found.reason) for event, found in done))
        self._intake.count_delays(
            event for event, found in done if found.outcome is Outcome.WRITTEN
        )


def _leave(_: WorkItem, __: PipelineError, left: Sequence[WorkItem]) -> list[WorkItem]:
    """Parked work that is refused stays parked; the rest is tried."""
    return list(left)


def _rank(ended: ItemResult) -> int:
    return (
        Outcome.WRITTEN,
        Outcome.PARKED,
        Outcome.SKIPPED,
        Outcome.DEAD_LETTERED,
    ).index(ended.outcome)
