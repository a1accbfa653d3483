"""Telling when a source table was read to the end its snapshot had: until then what depends on it is not written."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from pipeline.domain.routes import Route
from pipeline.engine.ports import Attempt, Clock, Messages, Target, Transaction
from pipeline.mapping.table import Related, TableMapping


class Loading:
    """Follows the tables that are not loaded yet; costs nothing once all are.

    The end of the snapshot is known by evidence: a streamed event, the snapshot's last row, or a heartbeat of the
    connector. Then everything the snapshot wrote lies below the topics' present ends; a table is loaded when every
    partition was read up to there, by whichever process.
    """

    def __init__(
        self, *, route: Route, topics: Mapping[str, str], messages: Messages, target: Target, clock: Clock
    ) -> None:
        self._route, self._topics = route, topics  # table -> topic
        self._messages, self._target, self._clock = messages, target, clock
        self._evidence = False
        self._done = False

    def snapshot_ended(self) -> None:
        self._evidence = True

    def advance(self, attempt: Attempt) -> None:
        """Note ends that are known now, finish tables read up to them, and mark what waited for them."""
        if not self._done:
            attempt(self._advance)

    def _advance(self) -> None:
        with self._target.transaction() as transaction:
            loading = transaction.loading()
        if not loading:
            self._done = True
            return
        unknown = [table for table, state in loading.items() if state == "unknown"]
        if self._evidence and unknown:
            ends = {table: self._messages.end_offsets(self._topics[table]) for table in unknown}
            with self._target.transaction() as transaction:
                for table, offsets in ends.items():
                    transaction.set_load_ends(self._topics[table], table, offsets)
        with self._target.transaction() as transaction:
            finished = transaction.finish_loading()
            self._mark_dependents(transaction, set(finished))

    def _mark_dependents(self, transaction: Transaction, finished: set[str]) -> None:
        roots = {mapping.source for mapping in self._route.mappings if not finished.isdisjoint(_needs(mapping))}
        for table in sorted(roots):
            transaction.mark_table(table, secrets.randbits(62), self._clock.now())


def _needs(mapping: TableMapping) -> set[str]:
    needed = {table for line in mapping.lines if isinstance(line, Related) for table in line.needs}
    return needed.union(*(child.needs for child in mapping.children))
