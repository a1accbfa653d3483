"""The links that a pass works on: found, locked, and settled."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.conflicts import guards
from pipeline.conflicts.link import Link
from pipeline.conflicts.rules import Side
from pipeline.engine.exchange.hanging import Hanging, newest
from pipeline.engine.exchange.parents import Keys, keys_of, parent_followed
from pipeline.engine.exchange.settlement import settle_open
from pipeline.engine.exchange.translate import Translations
from pipeline.engine.exchange.unit_of_work import (
    ExchangeConfig,
    UnitOfWork,
    WorkItem,
)
from pipeline.pairing.entity import Entity

NEITHER: frozenset[Side] = frozenset()


class PassLinks:
    """Finds the links of rows, and of the rows that those belong to."""

    def __init__(
        self,
        setup: ExchangeConfig,
        unit: UnitOfWork,
        translations: Translations,
    ) -> None:
        self._setup = setup
        self._unit = unit
        self._translations = translations
        self.hanging = Hanging(setup, unit)
        self.newest: dict[tuple[str, Side, str], Link] = {}  # by entity, side and key, as found

    def find(self, items: Sequence[WorkItem]) -> None:
        """Lock the links of all items, those that we were creating when we died among them,
        and settle what is open.

        Links that are only looked at are locked too,
        and their open writes left to whoever makes them.
        """
        unit, (own, followed) = self._unit, keys_of(self._setup, items)
        ids, others = self._ids(own), self._ids(followed)
        ids.update(one for item in items for one in (item.link, item.beside) if one is not None)
        unit.links.update(unit.links_of.links(ids | others))
        settle_open(unit, self._translations, ids)
        self.newest = newest(unit.links.values())
        self.hanging.learn(items, self.newest)

    def _ids(self, rows: Keys) -> set[str]:
        ids: set[str] = set()
        for (side, table), keys in rows.items():
            found = self._unit.links_of.ids_of(side, table, sorted(keys))
            ids.update(*found.values())
            if side is Side.AJERA and keys - found.keys():
                creators = self._unit.ajera.creators(table, sorted(keys - found.keys()))
                ids.update(number.partition("/")[0] for number in creators.values())
        return ids

    def of(self, entity: Entity, side: Side, key: str) -> Link | None:
        """The link of a row, as it is by now."""
        known = self.newest.get((entity.name, side, key))
        return None if known is None else self._unit.links[known.id]

    def parent(self, entity: Entity, side: Side, key: str) -> Link | None:
        """The link of the row that a row belongs to, if the row's own key tells which."""
        parent = parent_followed(self._setup, entity, side, key)
        return None if parent is None else self.of(parent[0], side, parent[1])

    def off_with_parent(self, entity: Entity, side: Side, key: str) -> frozenset[Side]:
        """The sides on which a row is not set to be exchanged
        because the row that it belongs to is not.
        """
        parent = self.parent(entity, side, key)
        if parent is None or not parent.off:
            return NEITHER
        return frozenset(one for one in parent.off if entity.side(one).follows_parent)

    def is_survivor(self, entity: Entity, side: Side, key: str) -> bool:
        """Was the counterpart of this row deleted, so that none is made again."""
        link = self.newest.get((entity.name, side, key))
        return guards.is_survivor(link, side) and not self.hanging.can_relink(entity, side, link)
