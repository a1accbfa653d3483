"""The links that a pass works on: found, locked, and settled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

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
        self.texts: dict[str, str] = {}  # the links as they are stored, by id
        self._rows: dict[tuple[Side, str], Mapping[str, Sequence[str]]] = {}  # ids by key
        self.newest: dict[tuple[str, Side, str], Link] = {}  # by entity, side and key, as found

    def find(self, items: Sequence[WorkItem]) -> None:
        """Lock the links of all items, those that we were creating when we died among them. Links
        that are only looked at are locked too.
        """
        own, followed = keys_of(self._setup, items)
        for rows in (own, followed):
            for (side, table), keys in rows.items():
                known = self._rows.get((side, table), {})
                self._rows[side, table] = {**known, **self._found(side, table, keys)}
        ids = _named(items).union(*(ids for found in self._rows.values() for ids in found.values()))
        self.texts = self._unit.links_of.documents(ids)

    def _found(self, side: Side, table: str, keys: Set[str]) -> dict[str, list[str]]:
        found = self._unit.links_of.ids_of(side, table, sorted(keys))
        if side is Side.AJERA and keys - found.keys():
            creators = self._unit.ajera.creators(table, sorted(keys - found.keys()))
            found |= {key: [number.partition("/")[0]] for key, number in creators.items()}
        return found

    def ids_of(self, item: WorkItem) -> Sequence[str]:
        """The links of an item's row that are there."""
        return () if item.link is not None else self.of_row(item.side, item.table, item.key)

    def of_row(self, side: Side, table: str, key: str) -> Sequence[str]:
        """The links of a row of an item, or of one that such a row belongs to."""
        ids = self._rows.get((side, table), {}).get(key, ())
        return [one for one in ids if one in self.texts]

    def needed(self, items: Sequence[WorkItem]) -> tuple[set[str], set[str]]:
        """The links of these items, and those that are only looked at for them."""
        own, followed = keys_of(self._setup, items)
        return _named(items) | self._ids(own), self._ids(followed)

    def open(self, items: Sequence[WorkItem], ids: Set[str], others: Set[str]) -> None:
        """Make links of what these items need, and settle what a process that died has left open in
        `ids`. Open writes of links that are only looked at are left to whoever makes them.
        """
        unit, texts = self._unit, self.texts
        known = [texts[one] for one in sorted(ids | others) if one in texts]
        unit.links.update(self._setup.exchanged(unit.links_of.opened(known)))
        settle_open(unit, self._translations, ids)
        self.newest = newest(unit.links.values())
        self.hanging.learn(items, self.newest)

    def _ids(self, rows: Keys) -> set[str]:
        return {
            one
            for (side, table), keys in rows.items()
            for key in keys
            for one in self.of_row(side, table, key)
        }

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


def _named(items: Sequence[WorkItem]) -> set[str]:
    """The links that items name themselves."""
    return {one for item in items for one in (item.link, item.beside) if one is not None}
