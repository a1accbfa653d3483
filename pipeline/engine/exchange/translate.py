"""What a reference or a code of a list is on the other side: by links,
and by the lists that both sides have.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.conflicts.link import Link
from pipeline.conflicts.rules import SIDES, Rules, Side, translated
from pipeline.engine.exchange.ports import LinkTransaction
from pipeline.engine.exchange.unit_of_work import ExchangeConfig, WorkItem
from pipeline.model.event import Row, Value
from pipeline.pairing.entity import Entity, Lists

Reference = tuple[str, Side, str]  # entity, the side whose key it is, the key


class Translations:
    """Asked for before it is needed: `learn` what rows and links refer to,
    then `rules` convert by it.
    """

    def __init__(self, setup: ExchangeConfig, lists: Lists) -> None:
        self._setup = setup
        self.lists = lists
        self._names = {entity.name for entity in setup.entities}
        self._references = {
            entity.name: [pair for pair in entity.rules.pairs if pair.through in self._names]
            for entity in setup.entities
        }
        self._known: dict[Reference, str | None] = {}
        self._rules = {
            entity.name: translated(entity.rules, self.find) for entity in setup.entities
        }

    def rules(self, entity: Entity) -> Rules:
        return self._rules[entity.name]

    def rules_of(self, link: Link) -> Rules:
        return self._rules[link.entity]

    def find(self, through: str, value: Value, to: Side) -> Value:
        """The value on the other side, None if it is not there."""
        if through not in self._names:
            return self.lists.translate(through, value, to)
        key = self._known.get((through, to.other, str(value)))
        return (
            None if key is None else self._setup.entity(through).side(to).table.key_values(key)[0]
        )

    def learn(self, links: LinkTransaction, wanted: Iterable[Reference]) -> None:
        """Look up what is not known yet."""
        groups: dict[tuple[str, Side], set[str]] = {}
        for entity, side, key in wanted:
            if (entity, side, key) not in self._known:
                groups.setdefault((entity, side), set()).add(key)
        for (entity, side), keys in sorted(groups.items()):
            found = links.counterparts(entity, side, sorted(keys))
            self._known.update({(entity, side, key): found.get(key) for key in keys})

    def link(self, link: Link) -> None:
        """A pair that both sides have since."""
        if link.ajera.key is not None and link.dps.key is not None:
            self._known[link.entity, Side.AJERA, link.ajera.key] = link.dps.key
            self._known[link.entity, Side.DPS, link.dps.key] = link.ajera.key

    def refers(self, entity: str) -> bool:
        """Do lines of this entity refer to rows."""
        return bool(self._references.get(entity))

    def of_row(self, entity: Entity, side: Side, row: Row) -> Iterable[Reference]:
        """What a row refers to."""
        for pair in self._references[entity.name]:
            field = pair.field(side)
            if all(column in row for column in field.columns):
                yield from self._reference(pair.through, side, field.read(row))

    def of_link(self, link: Link) -> Iterable[Reference]:
        """What the values of a link refer to,
        those that wait for a person or were decided by one among them.
        """
        for pair in self._references[link.entity]:
            parked = link.parked.get(pair.name)
            for side in SIDES:
                link_side = link.side(side)
                yield from self._reference(pair.through, side, link_side.value.get(pair.name))
                if pair.name in link_side.wanted:
                    yield from self._reference(
                        pair.through,
                        side,
                        link_side.wanted[pair.name].value,
                    )
                if parked is not None:
                    yield from self._reference(
                        pair.through,
                        side,
                        parked.ajera if side is Side.AJERA else parked.dps,
                    )

    def of_item(self, entity: Entity, item: WorkItem) -> Iterable[Reference]:
        """What an event's row and a person's decision refer to."""
        if item.event is not None and item.event.row:
            yield from self.of_row(entity, item.side, item.event.row)
        through = {pair.name: pair.through for pair in self._references[entity.name]}
        for line, side, value in item.about:
            if line in through:
                yield from self._reference(through[line], side, value)

    @staticmethod
    def _reference(through: str, side: Side, value: Value) -> Iterable[Reference]:
        if value is not None:
            yield through, side, str(value)
