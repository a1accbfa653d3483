"""Pairs whose row on one side is gone, though its delete was not read yet:
they are no pairs any more.

A row that is deleted and made again under another key (DPS converts keys so; people do too) finds
its namesake's counterpart taken if the create is read before the delete.
"""

from __future__ import annotations

from collections.abc import Collection

from pipeline.conflicts import guards
from pipeline.conflicts.ending import end
from pipeline.conflicts.rules import Side
from pipeline.engine.exchange.settlement import settle_open
from pipeline.engine.exchange.translate import Translations
from pipeline.engine.exchange.unit_of_work import ExchangeConfig, UnitOfWork
from pipeline.pairing.entity import Entity


class Gone:
    """Looks whether counterparts are there, within a round,
    and ends the pairs of those that are not.
    """

    def __init__(self, setup: ExchangeConfig, unit: UnitOfWork, translations: Translations) -> None:
        self._setup = setup
        self._unit = unit
        self._translations = translations

    def released(self, entity: Entity, side: Side, taken: Collection[str]) -> set[str]:
        """Those of these linked rows of the other side whose counterpart on this side is gone."""
        counterparts = (
            self._unit.links_of.counterparts(entity.name, side.other, sorted(taken))
            if taken
            else {}
        )
        if not counterparts:
            return set()
        there = self._unit.of(side).read(entity.side(side).table, sorted(counterparts.values()))
        gone = {own for own in counterparts.values() if own not in there}
        if gone:
            self._end(side, entity.side(side).table.name, gone)
        return {key for key, own in counterparts.items() if own in gone}

    def _end(self, side: Side, table: str, keys: Collection[str]) -> None:
        """End every pair of these rows that is exchanged."""
        unit = self._unit
        ids = {
            one
            for found in unit.links_of.ids_of(side, table, sorted(keys)).values()
            for one in found
        }
        unit.links.update(self._setup.exchanged(unit.links_of.links(ids - unit.links.keys())))
        ids &= unit.links.keys()
        over = [one for one in sorted(ids) if not guards.is_ended(unit.links[one])]
        settle_open(unit, self._translations, over)
        for one in over:
            link = unit.links[one]
            unit.change(
                *end(
                    link,
                    side,
                    unit.now,
                    self._translations.rules_of(link),
                    unit.now,
                )
            )
