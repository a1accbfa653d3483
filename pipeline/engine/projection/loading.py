"""Telling when a source table was read to the end its snapshot had:
until then what depends on it is not written.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from pipeline.engine.consumer.ports import (
    Attempt,
    Clock,
    Messages,
    Target,
    Telemetry,
)
from pipeline.engine.projection import guard
from pipeline.engine.projection.first_load import FirstLoad
from pipeline.engine.projection.roots import mark_roots
from pipeline.engine.projection.stage import mark_kinds
from pipeline.mapping.aggregate import Aggregate
from pipeline.mapping.route import Route
from pipeline.mapping.table import Related, TableMapping

ROWS_A_SWEEP = 500
FIRST_EPOCH = 1  # a table that was never loaded has epoch 0


class Loading:
    """Follows the tables whose newest snapshot was not read to its end yet;
    costs nothing once all were.

    The end of a snapshot is known by evidence of its epoch: a streamed event, the snapshot's last
    row, or a heartbeat of the connector. Then everything the snapshot wrote lies below the topics'
    present ends; a table is loaded when every partition was read up to there, by whichever process.
    Rows that the snapshot of a later epoch did not hold were deleted while nobody captured:
    they are swept, as if their delete had come.
    """

    def __init__(
        self,
        *,
        route: Route,
        topics: Mapping[str, str],
        messages: Messages,
        target: Target,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        # table -> topic
        self._route = route
        self._topics = topics
        self._messages = messages
        self._target = target
        self._telemetry = telemetry
        self._clock = clock
        self._first_load = FirstLoad(topics, messages, target, telemetry, clock)
        self._evidence = 0  # the newest epoch whose snapshot is known to be over
        self._done = 0  # the newest epoch whose tables are all loaded

    def snapshot_ended(self, epoch: int) -> None:
        self._evidence = max(self._evidence, epoch)

    def advance(self, attempt: Attempt) -> None:
        """Note ends that are known now, finish tables read up to them,
        and mark what waited for them.
        """
        if self._done < self._evidence:
            attempt(self._advance)

    def restored(self) -> None:
        """The target was restored: what was loaded may not be loaded in it."""
        self._done = 0

    def is_first_load(self) -> bool:
        if self._done:
            return False
        return bool(self._not_loaded())

    def tell(self, attempt: Attempt) -> None:
        if not self._done and (tables := attempt(self._not_loaded)):
            self._first_load.tell(tables, attempt)

    def _not_loaded(self) -> set[str]:
        with self._target.transaction() as transaction:
            return {*transaction.loading(FIRST_EPOCH)}

    def _advance(self) -> None:
        epoch = self._evidence
        with self._target.transaction() as transaction:
            loading = transaction.loading(epoch)
        if not loading:
            self._done = epoch
            return
        unknown = [table for table, state in loading.items() if state == "unknown"]
        if unknown:
            ends = {table: self._messages.end_offsets(self._topics[table]) for table in unknown}
            with self._target.transaction() as transaction:
                for table, offsets in ends.items():
                    transaction.set_load_ends(self._topics[table], table, epoch, offsets)
        with self._target.transaction() as transaction:
            finished = transaction.read_to_end()
        if finished:
            self._finish(dict(sorted(finished.items())))

    def _finish(self, finished: Mapping[str, int]) -> None:
        """Together, so that a root is marked once, whatever it needs of them."""
        for table, epoch in finished.items():
            while self._sweep(table, epoch):
                pass
        with self._target.transaction() as transaction:
            added = {table for table, _ in transaction.unknown_columns()}
        with self._target.transaction() as transaction:
            new = {
                table for table, epoch in finished.items() if transaction.set_loaded(table, epoch)
            }
            waited = [one for one in self._route.mappings if _waited(one, new, added)]
            mark_roots(transaction, waited, self._clock.now())
        for table in sorted(new):
            self._telemetry.loaded(table)

    def _sweep(self, table: str, epoch: int) -> bool:
        """Delete in the mirror what the snapshot did not hold; was there any."""
        source = self._route.source(table)
        with self._target.transaction() as transaction:
            rows = transaction.unseen(table, epoch, ROWS_A_SWEEP)
            after = [guard.swept(row, epoch) for row in rows]
            pairs = {
                pair
                for was, now in zip(rows, after, strict=True)
                for pair in mark_kinds(self._route).marks(source, was, now)
            }
            transaction.write_rows(after)
            transaction.mark(
                guard.numbered(pairs, secrets.randbits(62)),
                self._clock.now(),
            )
        return bool(rows)


def _waited(mapping: TableMapping, new: AbstractSet[str], added: AbstractSet[str]) -> bool:
    """Do its roots need one of the tables that are loaded now; or of one of their own columns that
    was `added`, which they may need of each other.
    """
    return not new.isdisjoint(_needs(mapping)) or mapping.source in new & added


def _needs(mapping: TableMapping) -> set[str]:
    lines = (line for line in mapping.lines if isinstance(line, Related | Aggregate))
    needed = {table for line in (*lines, *mapping.grouped) for table in line.needs}
    return needed.union(*(child.needs for child in mapping.children))
