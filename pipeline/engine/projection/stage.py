"""Noting a batch: the first of the two transactions. Guard, mirror and marks for every event,
committed together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import chain

from pipeline.engine.consumer.ports import Transaction
from pipeline.engine.projection import guard, observing
from pipeline.engine.projection.at_once import (
    StagedTable,
    can_be_staged_at_once,
    stage_at_once,
)
from pipeline.engine.projection.direct import Direct
from pipeline.engine.projection.retiring import until_retired
from pipeline.engine.projection.staged import Pair, Pairs, StagedBatch, StagedEvent
from pipeline.mapping.mirror import MirroredTable
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.mapping.watches import Watch, watches
from pipeline.model import applied
from pipeline.model.event import Event
from pipeline.model.ledger import LedgerRow, Mark
from pipeline.model.outcome import SkipReason


@dataclass(frozen=True, slots=True)
class MarkKinds:
    """What a route's mappings read of rows: the kinds of mark that lead to a target row,
    and what aggregates watch.
    """

    kinds: frozenset[str]
    watches: frozenset[Watch]

    def marks(
        self,
        table: MirroredTable,
        before: LedgerRow | None,
        after: LedgerRow,
    ) -> Pairs:
        """Those of a changed row that lead to a target row."""
        found = {pair for pair in guard.marks(table, before, after) if pair[0] in self.kinds}
        for watch in self.watches:
            if watch.table == table.name:
                found.update(watch.marks(before, after))
        return tuple(sorted(found))


@lru_cache(maxsize=64)  # asked for every batch
def mark_kinds(route: Route, loaded: frozenset[str] | None = None) -> MarkKinds:
    """Those of a route; `loaded`: of its aggregates those that can be computed, as these tables are
    loaded.
    """
    return MarkKinds(route.kinds(), watches(route.mappings, loaded))


LEAST_TOGETHER = 100


class Rewound(Exception):
    """The source's log is not the one that was read before:
    nothing of this event's partition may be taken from here on.
    """

    def __init__(self, event: Event) -> None:
        super().__init__("the source was rewound")
        self.event = event


@dataclass(frozen=True, slots=True)
class StageSettings:
    """What noting goes by: `clock_tolerance` is how far the source's clock may be set back
    unnoticed; as many marks as `least_together` are set as one row.
    """

    route: Route
    site: Site
    clock_tolerance: timedelta
    least_together: int = LEAST_TOGETHER


def stage(
    transaction: Transaction,
    settings: StageSettings,
    events: Sequence[Event],
    number: int,
    now: datetime,
    direct: Direct | None = None,
) -> StagedBatch:
    """Apply the guard to a batch in offset order, store ledger and mirror, write directly (None:
    leave it to the marks), set marks numbered `number`. Marks that somebody left who died between
    the two transactions are picked up by their rows' stale events. What was committed after a row
    was retired, and target rows may read, is left for another call: `rest`.

    Raises Rewound before anything was written, TableRefused.
    """
    route, batch = settings.route, StagedBatch()
    kinds = _kinds(transaction, route, events)
    batch.events = _observed(transaction, route, events)
    fresh = {pair for one in batch.events for pair in one.pairs}
    left: set[Pair] = set()
    events = observing.without(route, events)
    events, batch.rest = until_retired(transaction, route, settings.site, events)
    roots: dict[Pair, LedgerRow] = {}
    for table, ours in _by_table(route, events):
        part, stale = _of_table(transaction, settings, direct, table, ours, kinds)
        batch.events.extend(part.events)
        fresh.update(*[one.pairs for one in part.events])
        left.update(pair for row in stale for pair in kinds.marks(table, None, row))
        if direct is not None and direct.takes(table.name):
            roots |= _marked(table.name, part.rows, fresh)
    if direct is not None and roots:
        fresh -= _write_directly(transaction, direct, roots, batch)
    if left:
        fresh |= transaction.take_together()
    batch.marks = _in_order(batch, fresh, number)
    _mark(transaction, settings, batch, now)
    if left - fresh:
        batch.marks.extend(transaction.marks_of(sorted(left - fresh)))
    return batch


def _marked(table: str, rows: Mapping[str, LedgerRow], pairs: Set[Pair]) -> dict[Pair, LedgerRow]:
    """Those of these rows that are marked themselves."""
    return {pair: row for key, row in rows.items() if (pair := (table, key)) in pairs}


def _in_order(batch: StagedBatch, pairs: set[Pair], number: int) -> list[Mark]:
    """All of these as marks, those of one event together: what they lead to is recomputed once, not
    in one transaction for its row and in another for its group.
    """
    every = chain.from_iterable([one.pairs for one in batch.events])
    found = dict.fromkeys(filter(pairs.__contains__, every))
    if len(found) < len(pairs):
        found |= dict.fromkeys(sorted(pairs - found.keys()))
    return [Mark(kind, key, number) for kind, key in found]


def _mark(
    transaction: Transaction, settings: StageSettings, batch: StagedBatch, now: datetime
) -> None:
    """Many marks as one row, but for those that a recompute of others looks for: what waits for a
    parent is found by its own mark.
    """
    looked_for = {
        mapping.source
        for mapping in settings.route.mappings
        if any(path.prefixes for path in mapping.paths)
    }
    alone = [mark for mark in batch.marks if mark.kind in looked_for]
    together = [mark for mark in batch.marks if mark.kind not in looked_for]
    if len(together) < settings.least_together:
        alone, together = batch.marks, []
    if alone:
        transaction.mark(alone, now)
    if together:
        transaction.mark_together(together, now)
        batch.together = together[0].number


def _of_table(
    transaction: Transaction,
    settings: StageSettings,
    direct: Direct | None,
    table: MirroredTable,
    events: Sequence[Event],
    kinds: MarkKinds,
) -> tuple[StagedTable, list[LedgerRow]]:
    """What is staged of one table's events, and rows that had stale ones."""
    part = _at_once(transaction, settings, direct, table, events, kinds)
    if not part.rest:
        return part, []
    ledger = transaction.lock_rows(table.name, sorted({event.key for event in part.rest}))
    staged, changed, stale = _fold(table, settings, ledger, part.rest, kinds)
    transaction.write_rows(sorted(changed, key=lambda row: row.key))
    part.follow(staged, changed)
    return part, stale


def _at_once(
    transaction: Transaction,
    settings: StageSettings,
    direct: Direct | None,
    table: MirroredTable,
    events: Sequence[Event],
    kinds: MarkKinds,
) -> StagedTable:
    """What of a table's events one statement can stage, where it can."""
    if (
        direct is None
        or len(events) < direct.least_at_once
        or not transaction.takes_plain
        or not direct.takes(table.name)
        or not can_be_staged_at_once(table)
        or any(watch.table == table.name for watch in kinds.watches)
    ):
        return StagedTable(rest=events)
    return stage_at_once(
        transaction, table, settings.site, events, kinds.kinds, direct.least_at_once
    )


def _by_table(
    route: Route, events: Sequence[Event]
) -> Iterator[tuple[MirroredTable, Sequence[Event]]]:
    """In the order of locks."""
    found: dict[str, list[Event]] = {}
    for event in events:
        found.setdefault(event.table, []).append(event)
    return ((table, found[table.name]) for table in route.sources if table.name in found)


def _observed(transaction: Transaction, route: Route, events: Sequence[Event]) -> list[StagedEvent]:
    """Events of tables that the route writes itself."""
    staged: list[StagedEvent] = []
    for event, found in observing.judged(transaction, route, events):
        if isinstance(found, SkipReason):
            staged.append(StagedEvent(event, found))
        else:
            staged.append(StagedEvent(event, None, (found,)))
    return staged


def _kinds(transaction: Transaction, route: Route, events: Sequence[Event]) -> MarkKinds:
    """Of aggregates those that can be computed. Until this transaction ends, no other table
    becomes loaded; who loads the last one that an aggregate needs marks every root after that.
    """
    every = mark_kinds(route)
    watched = {watch.table for watch in every.watches}
    if not watched or watched.isdisjoint(event.table for event in events):
        return every
    return mark_kinds(route, transaction.loaded())


def _write_directly(
    transaction: Transaction, direct: Direct, roots: Mapping[Pair, LedgerRow], batch: StagedBatch
) -> set[Pair]:
    """The roots whose target rows are written; they need no mark."""
    written = direct.write(transaction, roots.values())
    batch.direct = written.done
    done = set(roots) - written.left
    _clear_marks(transaction, done)
    return done


def _clear_marks(transaction: Transaction, roots: set[Pair]) -> None:
    """Of roots whose target rows were written just now: what was marked until then is done."""
    for table in sorted({table for table, _ in roots}):
        if transaction.has_marks(table):
            marks = transaction.marks_of(sorted(root for root in roots if root[0] == table))
            transaction.clear(marks)


def _fold(
    table: MirroredTable,
    settings: StageSettings,
    ledger: dict[str, LedgerRow],
    events: Iterable[Event],
    kinds: MarkKinds,
) -> tuple[list[StagedEvent], list[LedgerRow], list[LedgerRow]]:
    """Take the events one by one over the ledger as it was read: outcomes, changed rows,
    rows that had stale events.
    """
    rows = dict(ledger)
    staged: list[StagedEvent] = []
    newest: dict[str, int] = {}
    stale: dict[str, LedgerRow] = {}
    for event in events:
        before = rows.get(event.key)
        if before is not None and applied.is_stale(before, event):
            if applied.is_rewound(before, event, settings.clock_tolerance):
                raise Rewound(event)
            staged.append(StagedEvent(event, SkipReason.STALE))
            stale[event.key] = before
            continue
        rows[event.key] = guard.apply(table, settings.site, before, event)
        if event.key in newest:
            place = newest[event.key]
            staged[place] = StagedEvent(staged[place].event, SkipReason.SUPERSEDED)
        newest[event.key] = len(staged)
        staged.append(StagedEvent(event, None))
    for key, place in newest.items():
        pairs = kinds.marks(table, ledger.get(key), rows[key])
        reason = None if pairs else _reason(table, ledger.get(key), rows[key])
        staged[place] = StagedEvent(staged[place].event, reason, pairs)
    return staged, [rows[key] for key in newest], list(stale.values())


def _reason(table: MirroredTable, before: LedgerRow | None, after: LedgerRow) -> SkipReason:
    """Why a row that marks nothing ends here."""
    return SkipReason.FILTERED if any(guard.marks(table, before, after)) else SkipReason.UNCHANGED
