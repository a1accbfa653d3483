"""Recomputing what marks name, in bounded transactions;
a batch that the target rejects is bisected down to the offending rows.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from pipeline.engine.consumer.bisect import BisectingQueue
from pipeline.engine.consumer.ports import Attempt, Clock, Target, Telemetry, Transaction
from pipeline.engine.consumer.races import RetryLostRaces
from pipeline.engine.projection import following, guard
from pipeline.engine.projection.recompute import Recompute
from pipeline.engine.projection.recomputed import (
    Key,
    NeedMoreLocks,
    RecomputeResult,
    TooManyRoots,
)
from pipeline.engine.projection.refusals import Refusals, TableRefused
from pipeline.engine.projection.resolve import resolve
from pipeline.engine.projection.roots import is_root
from pipeline.errors import ConcurrentWrite, RowRejected
from pipeline.mapping.target import TargetTable
from pipeline.model.ledger import Mark, Progress, Waiting
from pipeline.model.position import TopicPartition

MARKS_A_TRANSACTION = 2_000
WIDENINGS = 20
# Stores how far the batch came, in the transaction that ends it; what is stored if it commits.
Store = Callable[[Transaction, Sequence[RecomputeResult]], Mapping[TopicPartition, Progress]]


class RecomputeRunner:
    """Runs recomputes; keeps nothing between them."""

    def __init__(
        self,
        *,
        target: Target,
        recompute: Recompute,
        telemetry: Telemetry,
        clock: Clock,
        refusals: Refusals,
    ) -> None:
        self._refusals = refusals
        self._target = target
        self._recompute = recompute
        self._telemetry = telemetry
        self._clock = clock

    def run(
        self,
        marks: Sequence[Mark],
        attempt: Attempt,
        together: Collection[int] = (),
        store: Store | None = None,
    ) -> list[RecomputeResult]:
        """Recompute all of these; an offending row waits, with the database's reason, as does one
        that needs a table which refuses. `together`: the numbers of those that were set as one row
        each, which are removed in the end. `store` is called in the last transaction, unless a row
        offends in it. Raises what is not transient, and no fault of single rows or tables.
        """
        queue = BisectingQueue(marks, min(MARKS_A_TRANSACTION, self._recompute.most_roots))
        done, is_over = list[RecomputeResult](), False
        while queue:
            now = queue.take()
            ending = None if queue else partial(_end, together, store, done)
            try:
                result = attempt(RetryLostRaces(partial(self._once, now, set(), together, ending)))
            except TableRefused as refused:
                self._refusals.refuse(refused)
                queue.done(now)
                continue
            except TooManyRoots:
                self._part(queue, now, attempt)
                continue
            except RowRejected as error:
                roots = attempt(partial(self._roots, now))
                if queue.bisect(roots):
                    continue
                result = attempt(partial(self._park, roots, error))
                ending = None
            is_over = ending is not None
            self.count(result)
            self._refusals.worked(result.written)
            done.append(result)
            queue.done()
        if together and not is_over:
            attempt(partial(self._clear_together, together))
        return done

    def _clear_together(self, together: Collection[int]) -> None:
        with self._target.transaction() as transaction:
            _clear(transaction, together)

    def drain(self, attempt: Attempt, *, waiting_retry_seconds: float) -> int:
        """Recompute marks that no process works on: left by a process that died, set for a whole
        table, or waiting long; and roots whose link changed.
        """
        followed = self._take_link_changes(attempt) if self._recompute.route.followed else 0
        now = self._clock.now()
        with_refused = self._refusals.may_try()

        def oldest() -> list[Mark]:
            with self._target.transaction() as transaction:
                taken = transaction.take_together(now - timedelta(seconds=1))
                if taken:
                    marks = guard.numbered(taken, secrets.randbits(62))
                    transaction.mark(marks, now)
                    return marks
                return transaction.due(
                    MARKS_A_TRANSACTION,
                    set_before=now - timedelta(seconds=1),
                    waiting_before=now - timedelta(seconds=waiting_retry_seconds),
                    with_refused=with_refused,
                )

        marks = attempt(oldest)
        if marks:
            self.run(marks, attempt)
        if with_refused and len(marks) < MARKS_A_TRANSACTION:
            self._refusals.worked(None)
        return followed + len(marks)

    def _take_link_changes(self, attempt: Attempt) -> int:
        def taken() -> list[Mark]:
            with self._target.transaction() as transaction:
                route, now = self._recompute.route, self._clock.now()
                return following.take(transaction, route, MARKS_A_TRANSACTION, now)

        marks = attempt(taken)
        self.run(marks, attempt)
        return len(marks)

    @property
    def targets(self) -> Mapping[str, TargetTable]:
        """The target's tables as they are now."""
        return self._refusals.described().tables or self._recompute.targets

    def _described(self) -> Recompute:
        """With the target's tables as they are now."""
        return replace(self._recompute, targets=self.targets)

    def count(self, result: RecomputeResult) -> None:
        """Tell telemetry what a transaction did that was committed."""
        for table, counts in result.rows.items():
            self._telemetry.rows(table, counts)
        for (table, column, how), count in result.fitted.items():
            self._telemetry.values_fitted(table, column, how, count)
        for table, columns in result.put_back:
            self._telemetry.put_back(table, columns)

    def _part(self, queue: BisectingQueue[Mark], marks: Sequence[Mark], attempt: Attempt) -> None:
        """Go on with fewer of these; of a single one, with the roots that it leads to."""
        if not queue.bisect(marks):
            queue.done(attempt(partial(self._roots, marks)))

    def _roots(self, marks: Sequence[Mark]) -> list[Mark]:
        """The same work as marks of single roots, durably:
        a mark of a shared row or a group names many.
        """
        route = self._recompute.route
        if all(is_root(route, mark) for mark in marks):
            return list(marks)
        with self._target.transaction() as transaction:
            known = {(mark.kind, mark.key): mark for mark in marks if is_root(route, mark)}
            found = {
                (table, key)
                for table, keys in resolve(transaction, route, self._recompute.site, marks).items()
                for key in keys
            }
            number = secrets.randbits(62)
            new = [Mark(table, key, number) for table, key in sorted(found - known.keys())]
            transaction.mark(new, self._clock.now())
            transaction.clear([mark for mark in marks if not is_root(route, mark)])
        return sorted([*known.values(), *new])

    def _park(self, roots: Sequence[Mark], error: RowRejected) -> RecomputeResult:
        waiting = [Waiting(mark, error.code, str(error)) for mark in roots]
        with self._target.transaction() as transaction:
            transaction.wait(waiting, self._clock.now())
        return RecomputeResult(waiting={(one.mark.kind, one.mark.key): one for one in waiting})

    def _once(
        self,
        marks: Sequence[Mark],
        extra: set[Key],
        together: Collection[int],
        end: Callable[[Transaction, RecomputeResult], None] | None,
    ) -> RecomputeResult:
        """One recompute in one transaction, begun again with
        more roots as long as more are needed.
        """
        for _ in range(WIDENINGS):
            try:
                with self._target.transaction() as transaction:
                    result = self._described().run(
                        transaction, marks, extra, self._clock.now(), self._refusals.now, together
                    )
                    if end is not None:
                        end(transaction, result)
                    return result
            except NeedMoreLocks as more:
                extra.update(more.roots)
        raise ConcurrentWrite("rows that must be recomputed together keep growing")


def _end(
    together: Collection[int],
    store: Store | None,
    done: Sequence[RecomputeResult],
    transaction: Transaction,
    result: RecomputeResult,
) -> None:
    """What comes with the last of them: nothing is left to be done after its transaction."""
    _clear(transaction, together)
    if store is not None:
        result.stored = store(transaction, [*done, result])


def _clear(transaction: Transaction, together: Collection[int]) -> None:
    for number in sorted(together):
        transaction.clear_together(number)
