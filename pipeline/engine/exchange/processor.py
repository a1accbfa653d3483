"""The exchange with DPS, batch by batch: rounds until nothing is left, each durable by itself, then the offsets.

A round decides and writes DPS in one transaction; Ajera's writes follow in one of its own, under their intentions'
numbers; a third one stores what became of them. A process may die after any of these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial

from pipeline.conflicts.decision import WriteOutcome
from pipeline.conflicts.link import Link
from pipeline.conflicts.rules import Side
from pipeline.domain.pairing import Lists, ParkedWork
from pipeline.engine.circuit import Limits
from pipeline.engine.exchange.in_ajera import AjeraWrites
from pipeline.engine.exchange.keep import give_up, settle_all, store
from pipeline.engine.exchange.round import Done, Rewound, Round
from pipeline.engine.exchange.sweep import Sweep
from pipeline.engine.exchange.translate import Translations
from pipeline.engine.exchange.work import Ended, Hand, Item, Planned, Setup
from pipeline.engine.intake import Batch, Handled, Intake
from pipeline.engine.pairs import Pairs
from pipeline.engine.ports import Attempt, Clock, DeadLetters, Decoder, Offsets, Telemetry
from pipeline.errors import ConcurrentWrite, PipelineError, RowRejected
from pipeline.model.event import Message
from pipeline.model.ledger import Progress
from pipeline.model.outcome import Outcome
from pipeline.model.position import TopicPartition

ITEMS_A_ROUND = 500
LISTS_SECONDS = 30.0
CONCURRENT_TRIES = 5


class Exchange:
    """Processes batches of both systems' events. Between them it keeps what lists hold, and the newest epochs."""

    def __init__(
        self,
        *,
        setup: Setup,
        pairs: Pairs,
        sides: Mapping[str, Side],
        decoder: Decoder,
        dead_letters: DeadLetters,
        telemetry: Telemetry,
        clock: Clock,
        limits: Limits,
    ) -> None:
        """`sides`: heartbeat topic -> the side whose capture it tells of."""
        self._setup, self._pairs, self._sides = setup, pairs, sides
        self._telemetry, self._clock = telemetry, clock
        self._intake = Intake(
            decoder=decoder, keeper=pairs, dead_letters=dead_letters, telemetry=telemetry, clock=clock, limits=limits
        )
        self._side_of = {entity.end(side).table.name: side for entity in setup.entities for side in Side}
        self._lists, self._lists_read_at = Lists(), -LISTS_SECONDS
        self._epochs: dict[Side, int] = {}
        self._ajera = AjeraWrites(pairs, telemetry)
        self.sweep = Sweep(setup, pairs, clock)

    def take_over(self, progress: Mapping[TopicPartition, Progress]) -> None:
        """Partitions that come to us, with what was stored of them."""
        self._intake.take_over(progress)

    def refuse_restored(self, transaction: Offsets) -> None:
        """Raises TargetRestored if the DPS database lacks what it had."""
        self._intake.history.refuse_restored(transaction)

    # -- a batch ------------------------------------------------------------------------------------------------------

    def process(self, messages: Sequence[Message], incarnations: Mapping[str, int], attempt: Attempt) -> Handled:
        """Process a batch whose messages of one partition stand in offset order. The offsets may be committed after."""
        started = self._clock.monotonic()
        batch = self._intake.decode(messages, incarnations, attempt)
        decoded = self._clock.monotonic()
        attempt(partial(self._follow_captures, batch))
        attempt(self._read_lists)
        items = [Item(self._side_of[event.table], event.table, event.key, event) for event in batch.events]
        ended = self._run(items, attempt, batch)
        self._end(batch, ended)
        self._intake.store_progress(batch, incarnations, attempt)
        self._intake.count(batch)
        self._telemetry.step("decode", decoded - started)
        self._telemetry.step("exchange", self._clock.monotonic() - decoded)
        return batch.handled

    def drain(self, attempt: Attempt, *, waiting_retry_seconds: float) -> int:
        """Go on with parked work whose time has come; how much."""
        before = self._clock.now() - timedelta(seconds=waiting_retry_seconds)

        def due() -> list[ParkedWork]:
            with self._pairs.transaction() as transaction:
                found = transaction.due(ITEMS_A_ROUND, before)
                transaction.park(found, self._clock.now())  # tried now, whatever comes of it
                return found

        parked = attempt(due)
        if parked:
            self._lists_read_at = -LISTS_SECONDS
            attempt(partial(self._follow_captures, Batch()))
            attempt(self._read_lists)
            self._run([self._item_of(one) for one in parked], attempt, None)
        return len(parked)

    def run(self, items: Sequence[Item], attempt: Attempt) -> list[Ended]:
        """Look at rows without an event: a first run over two filled systems does."""
        attempt(partial(self._follow_captures, Batch()))
        attempt(self._read_lists)
        return self._run(items, attempt, None)

    def _item_of(self, parked: ParkedWork) -> Item:
        table = self._setup.entity(parked.entity).end(parked.side).table.name
        return Item(parked.side, table, parked.key, entity=parked.entity, link=parked.link)

    def _end(self, batch: Batch, ended: Sequence[Ended]) -> None:
        """An event of several pairs ends once: written if one was, else parked if one is, else skipped."""
        best: dict[int, Ended] = {}
        for one in ended:
            event = one.item.event
            if event is not None and (id(event) not in best or _rank(one) < _rank(best[id(event)])):
                best[id(event)] = one
        for event, message in zip(batch.events, batch.messages, strict=True):
            found = best.get(id(event))
            if found is not None:
                self._intake.end(batch, message, found.outcome, found.reason)
                if found.outcome is Outcome.WRITTEN:
                    self._intake.count_delay(event)

    # -- rounds -------------------------------------------------------------------------------------------------------

    def _run(self, items: Sequence[Item], attempt: Attempt, batch: Batch | None) -> list[Ended]:
        """Rounds until nothing is left."""
        ended: list[Ended] = []
        left = list(items)
        while left:
            now, left = left[:ITEMS_A_ROUND], left[ITEMS_A_ROUND:]
            done = self._narrowed(now, attempt, batch)
            linked = list(done.linked) + self._carry(done.planned, attempt)
            ended += done.ended
            for table, counts in done.counts.items():
                self._telemetry.rows(table, counts)
            left = done.later + attempt(partial(self._belonging, linked)) + left
        return ended

    def _narrowed(self, items: Sequence[Item], attempt: Attempt, batch: Batch | None) -> Done:
        """A round; one that DPS rejects is halved until the row to blame stands alone, which is parked then."""
        try:
            return attempt(_Tries(self, items, batch))
        except Rewound as rewound:
            if batch is None:
                raise
            self._intake.halt_rewound(batch, rewound.event, batch.events)
            event = rewound.event
            kept = [
                i
                for i in items
                if i.event is None or not _is_behind(i, event.table, event.place.partition, event.place.offset)
            ]
            return self._narrowed(kept, attempt, batch) if kept else Done()
        except RowRejected as error:
            if len(items) == 1:
                return attempt(partial(self._round, items, batch, error))
            middle = len(items) // 2
            first = self._narrowed(items[:middle], attempt, batch)
            second = self._narrowed(items[middle:], attempt, batch)
            return Done(
                first.ended + second.ended,
                first.later + second.later,
                first.planned + second.planned,
                first.linked + second.linked,
                {**first.counts, **second.counts},
            )

    def _round(self, items: Sequence[Item], batch: Batch | None, refusal: PipelineError | None = None) -> Done:
        translations = Translations(self._setup, self._lists)
        with self._pairs.transaction() as links:
            if batch is not None:
                self._intake.history.refuse_restored(links, batch.handled.next_offsets)
            with self._pairs.ajera() as ajera:
                hand = Hand(links, ajera, self._epochs, self._clock.now())
                one = Round(self._setup, hand, translations, refusal)
                one.decide(items)
            return one.finish()

    def _carry(self, planned: Sequence[Planned], attempt: Attempt) -> list[Link]:
        """Make Ajera's writes, and store what became of them; the pairs that have both rows since."""
        if not planned:
            return []
        outcomes, refused = self._ajera.make(planned, self._epochs[Side.AJERA], attempt)
        return attempt(partial(self._settled, planned, outcomes, refused))

    def _settled(
        self, planned: Sequence[Planned], outcomes: Mapping[str, WriteOutcome], refused: Mapping[str, PipelineError]
    ) -> list[Link]:
        translations = Translations(self._setup, self._lists)
        with self._pairs.transaction() as links, self._pairs.ajera() as ajera:
            hand = Hand(links, ajera, self._epochs, self._clock.now())
            hand.links.update(links.links({one.write.link for one in planned}))
            accepted = [one.write for one in planned if one.write.intention not in refused]
            settle_all(hand, translations, Side.AJERA, accepted, outcomes)
            for one in planned:
                if one.write.intention in refused:
                    give_up(hand, translations, one.write, refused[one.write.intention])
            store(self._setup, hand)
            return hand.linked

    def _belonging(self, linked: Sequence[Link]) -> list[Item]:
        """The rows that belong to rows linked just now: they follow."""
        items: list[Item] = []
        parents = [link for link in linked if self._setup.children(link.entity)]
        if not parents:
            return items
        with self._pairs.transaction() as links, self._pairs.ajera() as ajera:
            rows = {Side.AJERA: ajera.rows, Side.DPS: links.rows}
            for entity in self._setup.entities:
                for side in Side:
                    keys = [link.half(side).key for link in parents if link.entity == entity.parent]
                    if entity.parent is None or not keys:
                        continue
                    of = self._setup.entity(entity.parent).end(side).table
                    values = [of.key_values(key) for key in keys if key is not None]
                    end = entity.end(side)
                    found = rows[side].having(end.table, end.parent, values)
                    items += [Item(side, end.table.name, key, entity=entity.name) for key in sorted(found)]
        return items

    # -- what is known between batches --------------------------------------------------------------------------------

    def _follow_captures(self, batch: Batch) -> None:
        """The newest epoch of each side, and evidence that the snapshot of an epoch is over."""
        if not self._epochs:
            with self._pairs.transaction() as transaction:
                self._epochs = {side: seen for side, (seen, _) in transaction.epochs().items()}
        seen = dict(self._epochs)
        for event in batch.events:
            side = self._side_of[event.table]
            seen[side] = max(seen[side], event.epoch)
            if event.snapshot_ended:
                self.sweep.ended(side, event.epoch)
        for topic, epoch in batch.heartbeats.items():
            side = self._sides[topic]
            seen[side] = max(seen[side], epoch)
            self.sweep.ended(side, epoch)
        if seen != self._epochs:
            with self._pairs.transaction() as transaction:
                for side, epoch in seen.items():
                    transaction.set_epoch(side, epoch, 0)
            self._epochs = seen

    def _read_lists(self) -> None:
        if self._clock.monotonic() - self._lists_read_at < LISTS_SECONDS:
            return
        with self._pairs.transaction() as links, self._pairs.ajera() as ajera:
            found = [rows.lists(self._setup.lists).entries for rows in (ajera.rows, links.rows)]
        names = {name for entries in found for name in entries}
        merged = {
            name: {side: codes for entries in found for side, codes in entries.get(name, {}).items()} for name in names
        }
        self._lists, self._lists_read_at = Lists(merged), self._clock.monotonic()


class _Tries:
    """One round, tried again and again. A unique value refused every time is no race: then a row is to blame."""

    def __init__(self, exchange: Exchange, items: Sequence[Item], batch: Batch | None) -> None:
        self._exchange, self._items, self._batch = exchange, items, batch
        self._left = CONCURRENT_TRIES

    def __call__(self) -> Done:
        try:
            return self._exchange._round(self._items, self._batch)  # noqa: SLF001 (one class in two parts)
        except ConcurrentWrite as error:
            self._left -= 1
            if self._left > 0:
                raise
            raise RowRejected(str(error)) from error


def _rank(ended: Ended) -> int:
    return (Outcome.WRITTEN, Outcome.PARKED, Outcome.SKIPPED, Outcome.DEAD_LETTERED).index(ended.outcome)


def _is_behind(item: Item, table: str, partition: int, offset: int) -> bool:
    event = item.event
    return (
        event is not None
        and event.table == table
        and event.place.partition == partition
        and event.place.offset >= offset
    )
