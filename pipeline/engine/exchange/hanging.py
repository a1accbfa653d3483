"""Pairs that hang on another one: which pair that is now,
and what continues when one of them has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.conflicts import guards
from pipeline.conflicts.link import Link, State
from pipeline.conflicts.rules import SIDES, Side
from pipeline.engine.exchange.parents import parent_in_key, parent_key
from pipeline.engine.exchange.unit_of_work import (
    ExchangeConfig,
    UnitOfWork,
    WorkItem,
    row_id,
    wait_key,
)
from pipeline.errors import ParkReason
from pipeline.model import applied
from pipeline.model.event import Event
from pipeline.pairing.entity import Entity, ParkedWork


class Hanging:
    """Knows the pair that the parent of each row forms, for the rows of a round."""

    def __init__(self, setup: ExchangeConfig, unit: UnitOfWork) -> None:
        self._setup = setup
        self._unit = unit
        self._pairs: dict[tuple[str, Side, str], str] = {}

    def learn(
        self,
        items: Iterable[WorkItem],
        links: Mapping[tuple[str, Side, str], Link],
    ) -> None:
        """Look up the parents' pairs, for rows that may have to leave theirs."""
        wanted: dict[tuple[str, Side], set[str]] = {}
        for item in items:
            for entity in self._setup.of(item):
                link = links.get((entity.name, item.side, item.key))
                if link is None or entity.parent is None:
                    continue
                parent = self._parent(entity, item, link)
                if parent is not None:
                    wanted.setdefault((entity.parent, item.side), set()).add(parent)
        for (of, side), keys in sorted(wanted.items()):
            found = self._unit.links_of.linked_ids(of, side, sorted(keys))
            self._pairs.update({(of, side, key): one for key, one in found.items()})

    def _parent(self, entity: Entity, item: WorkItem, link: Link) -> str | None:
        """The key of the row's parent, where it matters: if nothing tells of the row,
        its pair has ended, or it moves.
        """
        key = parent_in_key(self._setup, entity, item.side, item.key)
        if item.event is None or link.state is State.ENDED:
            return key
        is_movable = key is None and bool(item.event.row)
        return parent_key(self._setup, entity, item.side, item.event.row) if is_movable else None

    def is_outlived(self, entity: Entity, side: Side, link: Link) -> bool:
        """Does the link hang on a pair that is over,
        while the row's parent is of another pair by now.
        """
        parent = parent_in_key(self._setup, entity, side, link.side(side).key or "")
        now = self._pair(entity, side, parent)
        return now is not None and link.of is not None and link.of != now

    def can_relink(self, entity: Entity, side: Side, link: Link | None) -> bool:
        """Ended: may the row begin once more though nobody made it again,
        because its parent did.
        """
        if link is None or link.state is not State.ENDED or entity.parent is None:
            return False
        return self.is_outlived(entity, side, link)

    def has_left(self, entity: Entity, item: WorkItem, link: Link) -> bool:
        """Does the row belong to another pair than when its own began."""
        if entity.parent is None or link.of is None or guards.is_ended(link):
            return False
        if item.event is None:
            return self.is_outlived(entity, item.side, link)
        return self._has_moved(entity, item, item.event, link)

    def _has_moved(self, entity: Entity, item: WorkItem, event: Event, link: Link) -> bool:
        """Was the row given to another parent: an invoice group to another project.
        What it holds now is looked at.
        """
        is_fixed = parent_in_key(self._setup, entity, item.side, item.key) is not None
        if is_fixed or not event.row or applied.is_stale(link.side(item.side).seen, event):
            return False
        parent = parent_key(self._setup, entity, item.side, event.row)
        if self._pair(entity, item.side, parent) == link.of:
            return False
        row = (
            self._unit.of(item.side)
            .read(entity.side(item.side).table, [item.key], lock=True)
            .get(item.key)
        )
        return row is not None and parent_key(self._setup, entity, item.side, row) == parent

    def _pair(self, entity: Entity, side: Side, parent: str | None) -> str | None:
        return None if parent is None else self._pairs.get((entity.parent or "", side, parent))


def newest(links: Iterable[Link]) -> dict[tuple[str, Side, str], Link]:
    """By entity, side and key. A row has one link of an entity that has not ended;
    of ended ones the last counts.
    """
    found: dict[tuple[str, Side, str], Link] = {}
    for link in links:
        for side in SIDES:
            key = link.side(side).key
            if key is not None:
                known = found.get((link.entity, side, key))
                if known is None or _is_newer(link, known):
                    found[link.entity, side, key] = link
    return found


def _is_newer(link: Link, known: Link) -> bool:
    if link.state is not State.ENDED or known.state is not State.ENDED:
        return link.state is not State.ENDED
    return known.ended_at is None or (link.ended_at is not None and link.ended_at > known.ended_at)


def left_alone(setup: ExchangeConfig, link: Link) -> ParkedWork | None:
    """The row that is left of an ended pair, to be looked at:
    another row of its parent may take the place.

    None where there can be no other. It is parked work,
    so that a process that dies forgets nothing of it.
    """
    entity, gone = setup.entity(link.entity), link.ended_by
    if gone is None or entity.parent is None or entity.within is not None:
        return None
    if entity.side(gone).table is setup.entity(entity.parent).side(gone).table:
        return None  # the parent itself is gone
    side, key = gone.other, link.side(gone.other).key
    if key is None:
        return None
    code, waits_for = (
        ParkReason.COUNTERPART_DELETED,
        wait_key(entity.name, side, key),
    )
    return ParkedWork(
        row_id(entity.name, side, key),
        entity.name,
        side,
        key,
        code,
        code.hint,
        None,
        waits_for,
    )
