"""Rows that stop being of their kind: their pair is suspended, and resumes,
or its place is taken by another row.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from pipeline.conflicts import settle
from pipeline.conflicts.begin import Found, succeed
from pipeline.conflicts.conflict import Conflict, Kind, about_row
from pipeline.conflicts.decision import Decision
from pipeline.conflicts.ending import release
from pipeline.conflicts.link import WITH_PARENT, Link, State
from pipeline.conflicts.rules import Rules, Side
from pipeline.engine.exchange.unit_of_work import UnitOfWork, WorkItem
from pipeline.model.event import Event, Operation
from pipeline.pairing.entity import Entity, Lists, belongs_always


def may_begin(entity: Entity, side: Side, event: Event, lists: Lists) -> bool:
    """By the image alone: what it holds now is looked at before anything begins."""
    entity_side = entity.side(side)
    if event.operation is Operation.DELETE or not entity_side.is_flagged(event.row):
        return False
    is_to_follow = entity.parent is not None and side.other in entity.creates
    if is_to_follow and entity.is_blank_row(side, event.row):
        return False
    return entity_side.is_open(event.row, lists)


def of_kind(link: Link, side: Side, *, belongs: bool) -> Link:
    """The link with a row that is of its kind, or is not."""
    if belongs is not (side in link.out):
        return link
    return replace(link, out=link.out - {side} if belongs else link.out | {side})


def with_parent(link: Link, parent: Link | None) -> Link:
    """The link, suspended with the pair that it hangs on;
    nothing changes where that is not known.
    """
    if parent is None:
        return link
    out = link.out | {WITH_PARENT} if parent.out else link.out - {WITH_PARENT}
    return link if out == link.out else replace(link, out=out)


def told(before: Link, link: Link, side: Side, unit: UnitOfWork) -> tuple[Conflict, ...]:
    """The entry of the log for a pair that is suspended from now on."""
    is_new = side in link.out and side not in before.out
    return (about_row(link, Kind.SUSPENDED, unit.now),) if is_new else ()


def freed(
    unit: UnitOfWork,
    entity: Entity,
    side: Side,
    taken: Collection[str],
    lists: Lists,
) -> dict[str, str]:
    """Of linked rows of `side` those whose counterpart is not of its kind any more,
    with their link: another may have it.

    What the counterpart holds now is looked at, since its own event may come later.
    """
    entity_side = entity.side(side.other)
    if not taken or entity_side.belongs is belongs_always:
        return {}
    others = unit.links_of.counterparts(entity.name, side, sorted(taken))
    rows = unit.of(side.other).read(entity_side.table, sorted(set(others.values())))
    free = [
        key
        for key, one in others.items()
        if one in rows and not entity_side.belongs(rows[one], lists)
    ]
    return unit.links_of.linked_ids(entity.name, side, free) if free else {}


def vacated(unit: UnitOfWork, link_id: str, side: Side) -> Link | None:
    """The link ended, so that another row of `side` takes its place; None while it is not locked,
    or a write is open.
    """
    link = unit.links.get(link_id)
    if link is None or link.state is not State.LINKED or settle.open_writes(link):
        return None
    ended, conflicts = release(link, side, unit.now)
    unit.links[link.id] = ended
    unit.changed.add(link.id)
    unit.conflicts += conflicts
    return link


def successor(
    link_id: str,
    old: Link,
    found: Found,
    item: WorkItem,
    unit: UnitOfWork,
    rules: Rules,
    off: frozenset[Side],
) -> Decision:
    """The pair of a row that took another one's place beside the same counterpart:
    an edit of that side's people.

    It was made when the row took the place, or, if no event tells, when the other one left it.
    """
    left_at = old.side(item.side).seen.committed_at or unit.now
    at = left_at if item.event is None else item.event.committed_at
    return succeed(link_id, old, item.side, found, at, unit.now, rules, off)
