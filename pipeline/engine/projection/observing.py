"""Events of tables that the route writes itself: our own writing coming back, or a person's.

They have no ledger and no mirror. An event says no more than that a row may hold something else
than we wrote last, so that it may come late, twice, or again: what the row holds is read under its
lock before it is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.engine.consumer.ports import Transaction
from pipeline.mapping.observed import Observed, Root
from pipeline.mapping.route import Route
from pipeline.model.event import Event, Operation
from pipeline.model.outcome import SkipReason

Judged = tuple[Event, SkipReason | Root]


def judged(transaction: Transaction, route: Route, events: Sequence[Event]) -> Iterator[Judged]:
    """Each event of an observed table: why it ends here, or the root that is to be recomputed."""
    for one in route.observed:
        ours = [event for event in events if event.table == one.table.name]
        if ours:
            yield from _of(transaction, route, one, ours)


def without(route: Route, events: Sequence[Event]) -> Sequence[Event]:
    """Those of the tables that the route mirrors."""
    observed = {one.table.name for one in route.observed}
    return [event for event in events if event.table not in observed] if observed else events


def _of(
    transaction: Transaction, route: Route, one: Observed, events: Sequence[Event]
) -> Iterator[Judged]:
    """Of the events of a row in one partition the last says what it holds."""
    target = route.target(one.target)
    newest = {_line(event): event for event in events}
    keys = {event.key: one.row_key(target, event.key) for event in events}
    written = transaction.written.of(target.name, {key for key in keys.values() if key is not None})
    for event in events:
        last = written.get(keys[event.key] or "")
        if newest[_line(event)] is not event:
            yield event, SkipReason.SUPERSEDED
        elif last is None:
            yield event, SkipReason.FILTERED
        elif event.operation is Operation.DELETE or last.differing(target, event.row):
            yield event, last.root
        else:
            yield event, SkipReason.ECHO


def _line(event: Event) -> tuple[str, int, int]:
    """Events of one row in one partition of one topic stand in the order of the commits."""
    return event.key, event.place.incarnation, event.place.partition
