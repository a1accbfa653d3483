"""Rows that had their turn before and got no link, such as the namesake of a row that was linked.

What could be done when an event was first read is decided. Another row may be free by now; that
the event is read again, or that a snapshot reads the row, is nobody's wish to link the two.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.conflicts.decision import Reason
from pipeline.conflicts.link import Seen
from pipeline.conflicts.readings import moved
from pipeline.conflicts.rules import Side
from pipeline.engine.exchange.unit_of_work import (
    ItemResult,
    UnitOfWork,
    WorkItem,
    row_id,
)
from pipeline.model import applied
from pipeline.pairing.entity import Entity


class UnlinkedRows:
    """How far the logs of rows without a link were read, of the rows that begin together.
    Those that belong to another row follow that one, and are not remembered.
    """

    def __init__(
        self,
        unit: UnitOfWork,
        entity: Entity,
        side: Side,
        items: Mapping[str, WorkItem],
    ) -> None:
        self._unit = unit
        self._ids = {
            key: row_id(entity.name, side, key)
            for key, item in items.items()
            if item.event is not None and entity.parent is None
        }
        self._seen = unit.links_of.unlinked(self._ids.values()) if self._ids else {}

    def can_translate(self, item: WorkItem) -> bool:
        """Does the item's event tell nothing new of its row. A snapshot tells of no edit."""
        seen = self._seen.get(self._ids.get(item.key, ""))
        if seen is None or item.event is None:
            return False
        return item.event.is_snapshot or applied.is_stale(seen, item.event)

    def remember(self, done: ItemResult) -> None:
        """Note how far the row's log was read, unless it has a link by now."""
        one, event = self._ids.get(done.item.key), done.item.event
        if one is None or event is None or done.reason in (Reason.LINKED, Reason.CREATED):
            return
        seen = self._seen.get(one, Seen())
        if not applied.is_stale(seen, event):
            self._unit.unlinked[one] = moved(seen, event)
