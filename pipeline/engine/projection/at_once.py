"""A table's part of a batch, staged in one statement: where there are many events, each with a
whole image of its row, of a table whose target rows depend on one row alone.

What the statement leaves out is staged row by row in the same transaction, over rows that are
locked by then: events that are stale, of rows that are retired or partly unknown, and further
events of one row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

from pipeline.engine.consumer.ports import Transaction
from pipeline.engine.projection.staged import Pairs, StagedEvent
from pipeline.mapping.mirror import Fold, MirroredTable, shared_kind
from pipeline.mapping.site import Site
from pipeline.mapping.terms import values_of
from pipeline.model.event import Event, Operation
from pipeline.model.ledger import LedgerRow
from pipeline.model.outcome import SkipReason
from pipeline.model.plain import PlainChange, PlainEvent


@dataclass
class StagedTable:
    """What was staged of a table's events: how they end, and by key the rows that were written and
    may have changed; and the events that are left.
    """

    events: list[StagedEvent] = field(default_factory=list)
    rows: dict[str, LedgerRow] = field(default_factory=dict)
    rest: Sequence[Event] = ()

    def follow(self, staged: Sequence[StagedEvent], changed: Sequence[LedgerRow]) -> None:
        """Further events that were staged row by row: of each row the newest ends with the marks of
        all, and is the one that is written.
        """
        newest = {row.key: row.place for row in changed}
        before: dict[str, Pairs] = {}
        for number, one in enumerate(self.events):
            key = one.event.key
            if key in newest:
                before[key] = one.pairs
                self.events[number] = StagedEvent(one.event, SkipReason.SUPERSEDED)
        for one in staged:
            event, pairs = one.event, before.get(one.event.key)
            if pairs and event.place == newest[event.key]:
                self.events.append(StagedEvent(event, None, tuple(sorted({*one.pairs, *pairs}))))
            else:
                self.events.append(one)
        self.rows.update((row.key, row) for row in changed)


@lru_cache(maxsize=64)  # asked for every batch
def can_be_staged_at_once(table: MirroredTable) -> bool:
    """Do marks and remembered columns of its rows follow from an image and what it changed."""
    return (
        not table.owners
        and not table.groups
        and not table.member
        and not any(one.fold is Fold.LEFT for one in table.remembered)
    )


def stage_at_once(
    transaction: Transaction,
    table: MirroredTable,
    site: Site,
    events: Sequence[Event],
    kinds: Collection[str],
    least: int,
) -> StagedTable:
    """The first event of each row; all are left where one is not plain, so that rows are locked in
    the order of their keys. `kinds`: those of marks that lead to a target row.
    """
    first: dict[str, Event] = {}
    width = len(table.columns)
    for event in events:
        if len(event.row) != width or event.operation is Operation.DELETE:
            return StagedTable(rest=events)
        first.setdefault(event.key, event)
    if len(first) < least:
        return StagedTable(rest=events)
    of = values_of(tuple([one.of for one in table.remembered]))
    plain = [PlainEvent(event, of(event.row, site)) for event in first.values()]
    return _staged(table, kinds, events, first, transaction.write_plain(table.name, plain))


def _staged(
    table: MirroredTable,
    kinds: Collection[str],
    events: Sequence[Event],
    first: dict[str, Event],
    changes: Mapping[str, PlainChange],
) -> StagedTable:
    found = StagedTable()
    name, shared = table.name, shared_kind(table.name)
    remembered = [one.name for one in table.remembered]
    for change, keys in _by_change(changes):
        marked = [name] if name in kinds else []
        if change.is_shared_changed and shared in kinds:
            marked.append(shared)
        if not change.is_changed or not marked:
            reason = SkipReason.FILTERED if change.is_changed else SkipReason.UNCHANGED
            found.events += [StagedEvent(first[key], reason) for key in keys]
            continue
        pairs = zip(*[[(kind, key) for key in keys] for kind in marked], strict=True)
        found.events += [
            StagedEvent(first[key], None, ours) for key, ours in zip(keys, pairs, strict=True)
        ]
        if name in kinds:
            beside = dict(zip(remembered, change.remembered, strict=True))
            for key in keys:
                found.rows[key] = LedgerRow(name, key, {**first[key].row, **beside})
    if len(changes) != len(events):
        found.rest = [one for one in events if first[one.key] is not one or one.key not in changes]
    return found


def _by_change(
    changes: Mapping[str, PlainChange],
) -> Iterator[tuple[PlainChange, Sequence[str]]]:
    """Keys that stand together and have one change: many share it."""
    for change, together in groupby(changes.items(), itemgetter(1)):
        yield change, [key for key, _ in together]
