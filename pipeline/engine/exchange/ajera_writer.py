"""Ajera's writes: each batch in one transaction, under the numbers of their intentions,
so that none is made twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Protocol

from pipeline.conflicts import settle
from pipeline.conflicts.decision import Applied, Recorded, WriteOutcome
from pipeline.conflicts.rules import Side
from pipeline.engine.consumer.bisect import BisectingQueue
from pipeline.engine.consumer.ports import Attempt, Telemetry
from pipeline.engine.exchange.apply_writes import apply_writes
from pipeline.engine.exchange.ports import Pairs
from pipeline.engine.exchange.unit_of_work import PlannedWrite
from pipeline.errors import TABLE_REFUSED, KeyTableInvalid, PipelineError, RowRejected


class WritesAjera(Protocol):
    """Who makes writes in Ajera for the reconciler."""

    def make(
        self, planned: Sequence[PlannedWrite], epoch: int, attempt: Attempt
    ) -> tuple[dict[str, WriteOutcome], dict[str, PipelineError]]:
        """The outcomes by intention, and what Ajera rejects."""

    @property
    def refused(self) -> Mapping[str, PipelineError]:
        """Tables of Ajera that refuse what is written to them, with why."""


class AjeraWriter:
    """Makes writes in Ajera; remembers only which tables refuse them."""

    def __init__(self, pairs: Pairs, telemetry: Telemetry) -> None:
        self._pairs = pairs
        self._telemetry = telemetry
        self._refused: dict[str, PipelineError] = {}

    @property
    def refused(self) -> Mapping[str, PipelineError]:
        """Tables of Ajera that refuse what is written to them, with why."""
        return self._refused

    def make(
        self, planned: Sequence[PlannedWrite], epoch: int, attempt: Attempt
    ) -> tuple[dict[str, WriteOutcome], dict[str, PipelineError]]:
        """The outcomes by intention, and what Ajera rejects: given up by who called. Of a table
        that refuses everything is rejected; other tables are written.
        """
        queue = BisectingQueue(planned, len(planned))
        outcomes: dict[str, WriteOutcome] = {}
        refused: dict[str, PipelineError] = {}
        while queue:
            now = queue.take()
            try:
                outcomes |= attempt(partial(self._write, now, epoch))
            except (RowRejected, KeyTableInvalid) as error:
                if queue.bisect(now):
                    continue
                refused[now[0].write.intention] = error
            except TABLE_REFUSED as error:
                for some in self._apart(now, error, refused):
                    more, rejected = self.make(some, epoch, attempt)
                    outcomes |= more
                    refused |= rejected
            else:
                for table in {_table(one) for one in now}:
                    self._refused.pop(table, None)
            queue.done()
        return outcomes, refused

    def _apart(
        self,
        planned: Sequence[PlannedWrite],
        error: PipelineError,
        refused: dict[str, PipelineError],
    ) -> list[list[PlannedWrite]]:
        """A table at a time; of one table alone everything is refused."""
        parts: dict[str, list[PlannedWrite]] = {}
        for one in planned:
            parts.setdefault(_table(one), []).append(one)
        if len(parts) > 1:
            return list(parts.values())
        self._refused |= dict.fromkeys(parts, error)
        refused |= {one.write.intention: error for one in planned}
        return []

    def _write(self, planned: Sequence[PlannedWrite], epoch: int) -> dict[str, WriteOutcome]:
        by_intention = {one.write.intention: one for one in planned}
        with self._pairs.ajera() as ajera:
            ours = ajera.take(by_intention.keys())
            recorded = ajera.recorded(by_intention.keys() - ours)
            mine = [one for intention, one in by_intention.items() if intention in ours]
            carried = apply_writes(ajera.rows, Side.AJERA, mine, epoch)
            applied = {
                i: o
                for i, o in carried.outcomes.items()
                if isinstance(o, Applied) and (o.held or o.key)
            }
            ajera.record(
                {
                    intention: (
                        by_intention[intention].entity.ajera.table.name,
                        Recorded(o.held, o.after, o.at, o.key, o.epoch),
                    )
                    for intention, o in applied.items()
                }
            )
        for table, counts in carried.counts.items():
            self._telemetry.rows(table, counts)
        told = {
            i: settle.recalled(by_intention[i].write.number, recorded.get(i))
            for i in by_intention.keys() - ours
        }
        return {**told, **carried.outcomes}


def _table(planned: PlannedWrite) -> str:
    return planned.entity.ajera.table.name
