"""Rows that only receive: no counterpart is created for them,
so that the row of the other side waits where a name is not enough.
"""

from __future__ import annotations

from pipeline.conflicts.link import Link, State
from pipeline.engine.exchange.group import Group
from pipeline.engine.exchange.names import name_of
from pipeline.engine.exchange.unit_of_work import UnitOfWork
from pipeline.model.event import Event, Row


def is_left_to_others(unit: UnitOfWork, group: Group, row: Row, event: Event | None) -> bool:
    """Need an ambiguous row not be parked: its namesakes of the other side wait themselves,
    or do not wait for it.

    One whose counterpart was deleted waits for nothing. It may get a row that was typed since; a
    row that was there before, and is only read again, would be parked for ever.
    """
    entity, other = group.entity, group.side.other
    if other in entity.creates:
        return False
    keys = group.named.get(name_of(entity, group.side, row), [])
    is_flagged = entity.side(other).is_flagged
    if any(key in group.freed or not is_flagged(group.others[key]) for key in keys):
        return False
    return not any(_is_newer(event, link) for link in _ended(unit, group, keys))


def _ended(unit: UnitOfWork, group: Group, keys: list[str]) -> list[Link]:
    """The last links of rows of the other side that are not linked any more."""
    entity, other = group.entity, group.side.other
    found = unit.links_of.ids_of(other, entity.side(other).table.name, sorted(keys))
    ids = {one for of_row in found.values() for one in of_row}
    links = {**unit.links_of.links(ids - unit.links.keys()), **unit.links}
    last: dict[str, Link] = {}
    for link in (links[one] for one in ids):
        key = link.side(other).key or ""
        if link.entity == entity.name and link.state is State.ENDED and link.ended_at is not None:
            known = last.get(key)
            if known is None or known.ended_at is None or link.ended_at > known.ended_at:
                last[key] = link
    return list(last.values())


def _is_newer(event: Event | None, link: Link) -> bool:
    """Was the row typed or changed after that pair ended; so it was if it is parked already."""
    if event is None:
        return True
    return (
        not event.is_snapshot and link.ended_at is not None and event.committed_at > link.ended_at
    )
