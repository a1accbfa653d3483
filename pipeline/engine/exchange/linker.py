"""How pairs begin: which rows without a link have their turn, and what each of them comes to:
it is linked, created on the other side, parked, or left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from pipeline.conflicts.link import Link
from pipeline.conflicts.linking import Creates, Links, Parks
from pipeline.conflicts.rules import Side
from pipeline.engine.exchange.group import Group
from pipeline.engine.exchange.kinds import vacated
from pipeline.engine.exchange.matching import Matching
from pipeline.engine.exchange.new_links import NewLinks, filtered, park
from pipeline.engine.exchange.parents import in_order, parent_key
from pipeline.engine.exchange.quota import Quota
from pipeline.engine.exchange.receivers import is_left_to_others
from pipeline.engine.exchange.time_entries import open_rows
from pipeline.engine.exchange.translate import Translations
from pipeline.engine.exchange.unit_of_work import (
    ExchangeConfig,
    ItemResult,
    UnitOfWork,
    WorkItem,
)
from pipeline.engine.exchange.unlinked import UnlinkedRows
from pipeline.errors import ParkReason
from pipeline.model.event import Row
from pipeline.pairing.entity import Entity

OffWithParent = Callable[
    [Entity, Side, str], frozenset[Side]
]  # entity, side and key of a row: where it is off
IsSurvivor = Callable[[Entity, Side, str], bool]  # was its counterpart deleted
Begins = Sequence[tuple[WorkItem, Entity]]


class Linker:
    """Begins pairs within a round. Rows of one entity at a time, parents first:
    others wait for the next round.
    """

    def __init__(
        self,
        setup: ExchangeConfig,
        unit: UnitOfWork,
        translations: Translations,
        off_with_parent: OffWithParent,
        is_survivor: IsSurvivor,
        quota: Quota,
    ) -> None:
        self._setup = setup
        self._unit = unit
        self._translations = translations
        self._off_with_parent = off_with_parent
        self._is_survivor = is_survivor
        self._quota = quota
        self._parents: dict[tuple[str, Side, str], str] = {}  # the pair of a row's parent
        self._later: list[WorkItem] = []
        self._matching = Matching(setup, unit, translations)
        self._new = NewLinks(setup, unit, translations, quota, self._matching)

    def run(self, begins: Begins) -> tuple[list[ItemResult], list[WorkItem]]:
        """The ends of the items, and items for the next round."""
        begins, ended = self._with_parent(begins)
        if not begins:
            return ended, []
        self._unit.links_of.hold_linking()
        first = min(self._setup.place(entity) for _, entity in begins)
        entity = self._setup.entities[first]
        later = [replace(item, entity=other.name) for item, other in begins if other is not entity]
        for side in Side:
            of_side = [item for item, one in begins if one is entity and item.side is side]
            items = {item.key: item for item in of_side}
            repeated = [item for item in of_side if items[item.key] is not item]
            later += [replace(item, entity=entity.name) for item in repeated]
            if items:
                fresh, late = self._fresh(entity, side, items)
                later += late
                ended += self._group(entity, side, fresh)
        return ended, later + self._later

    def _with_parent(
        self, begins: Begins
    ) -> tuple[list[tuple[WorkItem, Entity]], list[ItemResult]]:
        """Rows that belong to a row which is not linked, or not exchanged, are left alone:
        they follow when that is.
        """
        kept: list[tuple[WorkItem, Entity]] = []
        ended: list[ItemResult] = []
        for entity, side, items in _by_entity_and_side(begins):
            if entity.parent is None:
                kept += [(item, entity) for item in items]
                continue
            pairs = self._parent_pairs(entity, side, items)
            for item in items:
                of = pairs.get(item.key)
                if of is None or side in self._off_with_parent(entity, side, item.key):
                    ended.append(filtered(self._unit, item, entity))
                    continue
                self._parents[entity.name, side, item.key] = of
                kept.append((item, entity))
        return kept, ended

    def _parent_pairs(
        self, entity: Entity, side: Side, items: Sequence[WorkItem]
    ) -> dict[str, str]:
        """By key of a row the pair that its parent forms, unless that is suspended."""
        rows = {item.key: item.event.row for item in items if item.event is not None}
        lacking = [item.key for item in items if item.key not in rows]
        rows |= self._unit.of(side).read(entity.side(side).table, lacking) if lacking else {}
        parents = {key: parent_key(self._setup, entity, side, row) for key, row in rows.items()}
        known = self._unit.links_of.linked_ids(
            entity.parent or "",
            side,
            [parent for parent in parents.values() if parent],
        )
        found = {key: known[parent] for key, parent in parents.items() if parent in known}
        links = self._unit.links
        return {key: of for key, of in found.items() if of not in links or not links[of].out}

    def _fresh(
        self, entity: Entity, side: Side, items: Mapping[str, WorkItem]
    ) -> tuple[dict[str, WorkItem], list[WorkItem]]:
        """Those that nobody linked while we waited for our turn;
        the others are events of linked rows now.
        """
        taken = self._unit.linked_among(entity.name, side, items.keys())
        late = [replace(item, entity=entity.name) for key, item in items.items() if key in taken]
        return {key: item for key, item in items.items() if key not in taken}, late

    # -- one entity and side -----------------------------------------------------------------------

    def _group(self, entity: Entity, side: Side, items: Mapping[str, WorkItem]) -> list[ItemResult]:
        own = self._unit.of(side)
        rows = own.read(entity.side(side).table, list(items), lock=True)
        group = Group(entity, side, rows, own.clock())
        group.parent_pairs = {
            key: of for key in items if (of := self._parents.get((entity.name, side, key)))
        }
        is_flagged = entity.side(side).is_flagged
        found = open_rows(self._unit, entity, side, rows, self._translations.lists)
        eligible = {
            key: items[key] for key, row in found.items() if items[key].is_wanted or is_flagged(row)
        }
        self._learn(entity, side, [rows[key] for key in eligible])
        self._matching.look_up(group, eligible)
        self._learn(entity, side.other, list(group.others.values()))
        ended = [
            filtered(self._unit, item, entity) for key, item in items.items() if key not in eligible
        ]
        before = UnlinkedRows(self._unit, entity, side, eligible)
        for key in in_order(entity.side(side).table, eligible):
            one = self._one(group, key, eligible[key], before)
            if one is not None:
                before.remember(one)
                ended.append(one)
        return ended

    def _learn(self, entity: Entity, side: Side, rows: Sequence[Row]) -> None:
        """Look up what the rows refer to."""
        wanted = [one for row in rows for one in self._translations.of_row(entity, side, row)]
        self._translations.learn(self._unit.links_of, wanted)

    def _one(
        self, group: Group, key: str, item: WorkItem, before: UnlinkedRows
    ) -> ItemResult | None:
        entity, row = group.entity, group.rows[key]
        full = self._quota.full(entity, self._new.owner(group, key))
        matched = self._matching.of(group, key, row) if full is None else full
        if isinstance(matched, Links | Parks) and before.can_translate(item):
            return filtered(self._unit, item, entity)
        match matched:
            case Links(other) if other in group.freed:
                return self._take_place(group, key, other, item)
            case Links(other):
                return self._link(group, key, other, item, None)
            case Parks(ParkReason.AMBIGUOUS_MATCH) if is_left_to_others(
                self._unit, group, row, item.event
            ):
                return filtered(self._unit, item, entity)
            case Parks(kind, hint, _):
                return park(self._unit, item, entity, kind, hint)
            case Creates() if not self._is_survivor(entity, group.side, key):
                return self._new.create(group, key, item)
            case Creates() | None:
                return filtered(self._unit, item, entity)

    def _take_place(self, group: Group, key: str, other: str, item: WorkItem) -> ItemResult | None:
        """The counterpart's own pair ends first: in the next round,
        if its link is not locked or a write is open.
        """
        link_id = group.freed[other]
        old = vacated(self._unit, link_id, group.side)
        if old is None:
            self._later.append(replace(item, entity=group.entity.name, beside=link_id))
            return None
        return self._link(group, key, other, item, old)

    def _link(
        self,
        group: Group,
        key: str,
        other: str,
        item: WorkItem,
        old: Link | None,
    ) -> ItemResult:
        off = self._off_with_parent(group.entity, group.side, key)
        return self._new.link(group, key, other, item, old, off)


def _by_entity_and_side(
    begins: Begins,
) -> Iterator[tuple[Entity, Side, list[WorkItem]]]:
    for entity in dict.fromkeys(entity for _, entity in begins):
        for side in Side:
            items = [item for item, one in begins if one is entity and item.side is side]
            if items:
                yield entity, side, items
