"""Rounds until nothing is left, each durable by itself.

A round decides and writes DPS in one transaction; Ajera's writes follow in one of its own, under
their intentions' numbers; a third one stores what became of them.
A process may die after any of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from pipeline.conflicts.decision import WriteOutcome
from pipeline.conflicts.link import Link
from pipeline.conflicts.rules import Side
from pipeline.engine.consumer.bisect import BisectingQueue
from pipeline.engine.consumer.ports import Attempt, Clock, Telemetry
from pipeline.engine.consumer.races import RetryLostRaces
from pipeline.engine.exchange.ajera_writer import WritesAjera
from pipeline.engine.exchange.belonging import belonging
from pipeline.engine.exchange.ports import LinkTransaction, Pairs
from pipeline.engine.exchange.reconcile_pass import ReconcilePass
from pipeline.engine.exchange.refused_work import RefusedWork
from pipeline.engine.exchange.second_writer import (
    SECOND_WRITER,
    TODO,
    SecondWriter,
)
from pipeline.engine.exchange.settlement import give_up, settle_all, store
from pipeline.engine.exchange.translate import Translations
from pipeline.engine.exchange.unit_of_work import (
    ExchangeConfig,
    PassResult,
    PlannedWrite,
    Rewound,
    UnitOfWork,
    WorkItem,
)
from pipeline.errors import TABLE_REFUSED, PipelineError, RowRejected
from pipeline.pairing.entity import Lists

ITEMS_A_ROUND = 500
LISTS_SECONDS = 30.0
Check = Callable[[LinkTransaction], None]
Forget = Callable[[Rewound, Sequence[WorkItem]], list[WorkItem]]
Refuse = Callable[[WorkItem, PipelineError, Sequence[WorkItem]], list[WorkItem]]


class Reconciler:
    """Runs rounds. Between them it keeps what the code lists hold, and the newest epochs."""

    def __init__(
        self,
        *,
        setup: ExchangeConfig,
        pairs: Pairs,
        writer: WritesAjera,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._setup = setup
        self._pairs = pairs
        self._telemetry = telemetry
        self._clock = clock
        self._writer = writer
        self._second_writer = SecondWriter()
        self._kept = RefusedWork(setup, pairs, clock)
        self._lists = Lists()
        self._lists_read_at = -LISTS_SECONDS
        self._epochs: dict[Side, int] = {}

    def run(
        self,
        items: Sequence[WorkItem],
        attempt: Attempt,
        *,
        check: Check = lambda _: None,
        forget: Forget | None = None,
        refuse: Refuse | None = None,
        with_new_lists: bool = False,
    ) -> Iterator[PassResult]:
        """A round after the other. `check` looks at each transaction first; `forget` says what
        continues after a rewind, `refuse` what does without an item for which a table refuses to be
        read or written: without it that is raised.

        A round that a database rejects is bisected down to the offending row, which is parked. What
        the first half leaves for later comes first, so that no event overtakes another.
        """
        if with_new_lists:
            self._lists_read_at = -LISTS_SECONDS
        items = self._with_lists(items, attempt, refuse)
        attempt(lambda: self.follow({}))
        queue, held = BisectingQueue(items, ITEMS_A_ROUND), list[WorkItem]()
        while queue or held:
            if not queue:  # all of it is done, so that a crash loses nothing of it any more
                queue.done([replace(item, is_parked=False, decide=None) for item in held])
                held = []
            now = queue.take()
            done = self._tried(now, queue, attempt, check, forget, refuse)
            if done is None:
                continue
            linked = list(done.linked) + self._carry(done.planned, attempt)
            self._count(done)
            self._watch(done, attempt)
            held += done.held
            queue.done(done.later + self._following(linked, attempt, refuse))
            yield done

    def _tried(
        self,
        now: Sequence[WorkItem],
        queue: BisectingQueue[WorkItem],
        attempt: Attempt,
        check: Check,
        forget: Forget | None,
        refuse: Refuse | None,
    ) -> PassResult | None:
        """A round; None where its items are in the queue again, or were left."""
        try:
            return self._one(now, attempt, check, forget)
        except RowRejected as error:
            if queue.bisect(now):
                return None
            return self._one(now, attempt, check, forget, error)
        except TABLE_REFUSED as error:
            if refuse is None:
                raise
            if not queue.bisect(now):
                self._kept.keep(now[0], error, attempt)
                queue.done(refuse(now[0], error, queue.take_all()))
            return None

    @property
    def refused(self) -> Mapping[str, PipelineError]:
        """Tables of Ajera that refuse what is written to them, with why."""
        return self._writer.refused

    def _with_lists(
        self, items: Sequence[WorkItem], attempt: Attempt, refuse: Refuse | None
    ) -> Sequence[WorkItem]:
        """The items, once the code lists are read. A list that cannot be read stops them all."""
        try:
            attempt(self._read_lists)
        except TABLE_REFUSED as error:
            if refuse is None:
                raise
            left = list(items)
            while left:
                self._kept.keep(left[0], error, attempt)
                left = refuse(left[0], error, left[1:])
            return left
        return items

    def _following(
        self, linked: Sequence[Link], attempt: Attempt, refuse: Refuse | None
    ) -> list[WorkItem]:
        """What belongs to pairs that are linked now; where that cannot be read, the pair is looked
        at again later.
        """
        try:
            return attempt(partial(belonging, self._setup, self._pairs, linked))
        except TABLE_REFUSED as error:
            if refuse is None:
                raise
            if len(linked) > 1:
                return [item for one in linked for item in self._following([one], attempt, refuse)]
            self._kept.keep(self._kept.item_of(linked[0]), error, attempt)
            return []

    def _count(self, done: PassResult) -> None:
        for table, counts in done.counts.items():
            self._telemetry.rows(table, counts)
        for conflict in done.conflicts:
            self._telemetry.conflict(
                conflict.kind,
                conflict.rule or "none",
                conflict.winner or "nobody",
            )

    def _watch(self, done: PassResult, attempt: Attempt) -> None:
        """A second writer is reported, and remembered for `check`."""
        if self._second_writer.edited(done.edits, done.copies):
            self._telemetry.second_writer(TODO)
            attempt(self._remember_second_writer)

    def _remember_second_writer(self) -> None:
        with self._pairs.transaction() as transaction:
            transaction.remember(
                SECOND_WRITER,
                self._clock.now().isoformat(timespec="seconds"),
            )

    def _one(
        self,
        items: Sequence[WorkItem],
        attempt: Attempt,
        check: Check,
        forget: Forget | None,
        refusal: PipelineError | None = None,
    ) -> PassResult:
        """A round, without the items that a rewind forbids. Raises RowRejected."""
        try:
            return attempt(RetryLostRaces(lambda: self._round(items, check, refusal)))
        except Rewound as rewound:
            if forget is None:
                raise
            kept = forget(rewound, items)
            return self._one(kept, attempt, check, forget, refusal) if kept else PassResult()

    def _round(
        self,
        items: Sequence[WorkItem],
        check: Check,
        refusal: PipelineError | None = None,
    ) -> PassResult:
        translations = Translations(self._setup, self._lists)
        with self._pairs.transaction() as links:
            check(links)
            with self._pairs.ajera() as ajera:
                unit = UnitOfWork(links, ajera, self._epochs, self._clock.now())
                one = ReconcilePass(self._setup, unit, translations, refusal)
                one.decide(items)
            return one.finish()

    def _carry(self, planned: Sequence[PlannedWrite], attempt: Attempt) -> list[Link]:
        """Make Ajera's writes, and store what became of them;
        the pairs that have both rows since.
        """
        if not planned:
            return []
        outcomes, refused = self._writer.make(planned, self._epochs[Side.AJERA], attempt)
        return attempt(partial(self._settled, planned, outcomes, refused))

    def _settled(
        self,
        planned: Sequence[PlannedWrite],
        outcomes: Mapping[str, WriteOutcome],
        refused: Mapping[str, PipelineError],
    ) -> list[Link]:
        translations = Translations(self._setup, self._lists)
        with (
            self._pairs.transaction() as links,
            self._pairs.ajera() as ajera,
        ):
            unit = UnitOfWork(links, ajera, self._epochs, self._clock.now())
            unit.links.update(links.links({one.write.link for one in planned}))
            accepted = [one.write for one in planned if one.write.intention not in refused]
            settle_all(unit, translations, Side.AJERA, accepted, outcomes)
            for one in planned:
                if one.write.intention in refused:
                    give_up(
                        unit,
                        translations,
                        one.write,
                        refused[one.write.intention],
                    )
            store(self._setup, unit)
            return unit.linked

    # -- what is known between rounds --------------------------------------------------------------

    def follow(self, seen: Mapping[Side, int]) -> None:
        """The newest epochs of both sides: those that were stored, and those seen just now."""
        if not self._epochs:
            with self._pairs.transaction() as transaction:
                self._epochs = {side: known for side, (known, _) in transaction.epochs().items()}
        newest = {side: max(epoch, seen.get(side, 0)) for side, epoch in self._epochs.items()}
        if newest != self._epochs:
            with self._pairs.transaction() as transaction:
                for side, epoch in newest.items():
                    transaction.set_epoch(side, epoch, 0)
            self._epochs = newest

    def _read_lists(self) -> None:
        if self._clock.monotonic() - self._lists_read_at < LISTS_SECONDS:
            return
        with (
            self._pairs.transaction() as links,
            self._pairs.ajera() as ajera,
        ):
            found = [rows.lists(self._setup.lists).entries for rows in (ajera.rows, links.rows)]
        names = {name for entries in found for name in entries}
        merged = {
            name: {
                side: codes for entries in found for side, codes in entries.get(name, {}).items()
            }
            for name in names
        }
        self._lists = Lists(merged)
        self._lists_read_at = self._clock.monotonic()
