"""Which row is the counterpart of one that has no link: by name,
or through the row that both belong to.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from pipeline.conflicts.linking import (
    Candidate,
    Creates,
    Links,
    Match,
    Parks,
    ambiguous_remedy,
    match,
)
from pipeline.conflicts.rules import Side
from pipeline.engine.exchange.gone import Gone
from pipeline.engine.exchange.group import Group
from pipeline.engine.exchange.kinds import freed
from pipeline.engine.exchange.names import name_of, searched_for
from pipeline.engine.exchange.namesakes import pairs_of
from pipeline.engine.exchange.parents import (
    in_order,
    parent_key,
    parent_of,
    parents_of,
)
from pipeline.engine.exchange.time_entries import open_rows
from pipeline.engine.exchange.translate import Translations
from pipeline.engine.exchange.unit_of_work import ExchangeConfig, UnitOfWork
from pipeline.errors import ParkReason
from pipeline.model.event import Row
from pipeline.pairing.entity import Entity


class Matching:
    """Finds counterparts within a round."""

    def __init__(
        self,
        setup: ExchangeConfig,
        unit: UnitOfWork,
        translations: Translations,
    ) -> None:
        self._setup = setup
        self._unit = unit
        self._translations = translations
        self._gone = Gone(setup, unit, translations)

    def look_up(self, group: Group, keys: Collection[str]) -> None:
        """Put what may be counterparts of these rows into the group: unlinked rows of their names,
        or of their parents.
        """
        entity, side = group.entity, group.side
        if entity.parent is not None:
            self._look_up_parents(group, keys)
            return
        group.eligible = frozenset(keys)
        rows = [group.rows[key] for key in keys]
        wished = {name_of(entity, side, row) for row in rows} - {""}
        texts = searched_for(entity, side, rows)
        own = self._named(entity, side, texts, wished)
        linked = self._unit.linked_among(entity.name, side, own.keys())
        for key, row in self._open(entity, side, own, linked).items():
            group.own.setdefault(name_of(entity, side, row), {})[key] = row
        found = self._named(entity, side.other, texts, wished)
        is_mixed = entity.side(side.other).is_mixed
        group.mixed = {name_of(entity, side.other, row) for row in found.values() if is_mixed(row)}
        found = self._open(entity, side.other, found, set())
        taken = self._taken(group, found.keys())
        self._lock(group, [key for key in found if key not in taken])
        for key, row in group.others.items():
            group.named.setdefault(name_of(entity, side.other, row), []).append(key)
        self._tell_apart(group)

    def _tell_apart(self, group: Group) -> None:
        others = {
            name: {key: group.others[key] for key in keys} for name, keys in group.named.items()
        }
        names = {group.side: group.own, group.side.other: others}
        lists = self._translations.lists
        group.pairs = pairs_of(self._setup, self._unit, group.entity, lists, names, group.side)

    def _named(
        self,
        entity: Entity,
        side: Side,
        texts: Mapping[str, list[str]],
        wished: Collection[str],
    ) -> dict[str, Row]:
        """Rows that carry one of these names:
        one of whose lines holds one of that line's texts.
        """
        entity_side = entity.side(side)
        found: dict[str, Row] = {}
        for line, of_line in texts.items():
            pair = entity.rules.by_name[line]
            found |= self._unit.of(side).named(
                entity_side.table,
                pair.field(side).columns,
                of_line,
                pair.length,
            )
        return {key: row for key, row in found.items() if name_of(entity, side, row) in wished}

    def _open(
        self,
        entity: Entity,
        side: Side,
        rows: Mapping[str, Row],
        taken: Collection[str],
    ) -> dict[str, Row]:
        """Those of the entity's kind that may be linked, and are not taken."""
        free = {key: row for key, row in rows.items() if key not in taken}
        return open_rows(self._unit, entity, side, free, self._translations.lists)

    def _taken(self, group: Group, keys: Collection[str]) -> set[str]:
        """Rows of the other side that are linked, but for those whose counterpart is gone,
        or of its kind no more.
        """
        entity, side = group.entity, group.side
        taken = self._unit.linked_among(entity.name, side.other, keys)
        taken -= self._gone.released(entity, side, taken)
        group.freed = freed(self._unit, entity, side.other, taken, self._translations.lists)
        return taken - group.freed.keys()

    def _lock(self, group: Group, keys: Sequence[str]) -> None:
        """Read what may become a counterpart again under lock: it is linked as it is then."""
        if not keys:
            return
        rows, entity_side = (
            self._unit.of(group.side.other),
            group.entity.side(group.side.other),
        )
        found = rows.read(entity_side.table, keys, lock=True)
        group.others = {
            key: row
            for key, row in found.items()
            if entity_side.is_open(row, self._translations.lists)
        }
        group.others_at = rows.clock()

    def _look_up_parents(self, group: Group, keys: Collection[str]) -> None:
        entity, side, lists = (
            group.entity,
            group.side,
            self._translations.lists,
        )
        group.parents.update(
            parents_of(
                self._setup,
                self._unit,
                entity,
                side.other,
                {k: group.rows[k] for k in keys},
            )
        )
        own, other = entity.side(side), entity.side(side.other)
        found = self._unit.of(side.other).having(
            other.table, other.parent, list(group.parents.values())
        )
        taken = self._taken(group, found.keys())
        self._lock(
            group,
            [key for key, row in found.items() if key not in taken and other.belongs(row, lists)],
        )
        for key, row in group.others.items():
            group.children.setdefault(tuple(row[c] for c in other.parent), []).append(key)
        if entity.within is None:
            values = [tuple(group.rows[key][c] for c in own.parent) for key in group.parents]
            rows = self._unit.of(side).having(own.table, own.parent, values)
            for key in in_order(
                own.table,
                (k for k, row in rows.items() if own.belongs(row, lists)),
            ):
                group.siblings.setdefault(tuple(rows[key][c] for c in own.parent), []).append(key)

    def of(self, group: Group, key: str, row: Row) -> Match | None:
        """None: this row is not the one of its kind that its parent has."""
        entity, side = group.entity, group.side
        if entity.parent is not None:
            return self._matched_through_parent(group, key, row)
        name = name_of(entity, side, row)
        guarded = entity.namesakes_park and side is Side.DPS
        other = entity.side(side.other)
        paired, claimed = group.pairs.get(key), set(group.pairs.values())
        candidates = [
            Candidate(
                k,
                name,
                is_flagged=other.is_flagged(group.others[k]) or not guarded,
            )
            for k in group.named.get(name, [])
            if k == paired or (paired is None and k not in claimed)
        ]
        found = match(name, candidates, namesakes_park=guarded)
        is_unsure = (
            isinstance(found, Links) and paired is None and self._has_rivals(group, key, name)
        )
        if is_unsure or (isinstance(found, Parks) and found.reason is ParkReason.AMBIGUOUS_MATCH):
            return Parks(
                ParkReason.AMBIGUOUS_MATCH,
                ambiguous_remedy(entity.told_apart_by),
            )
        if isinstance(found, Creates) and name in group.mixed:
            return Parks(
                ParkReason.CLIENT_AND_VENDOR,
                ParkReason.CLIENT_AND_VENDOR.hint,
            )
        return found

    @staticmethod
    def _has_rivals(group: Group, key: str, name: str) -> bool:
        """Has another row of the own side, which is set to be exchanged and not told apart,
        the same name.
        """
        is_flagged = group.entity.side(group.side).is_flagged
        own = group.own.get(name, {}).items()
        rivals = ((one, row) for one, row in own if one != key and one not in group.pairs)
        return any(one in group.eligible or is_flagged(row) for one, row in rivals)

    def _matched_through_parent(self, group: Group, key: str, row: Row) -> Match | None:
        entity, side = group.entity, group.side
        parent = group.parents.get(key)
        if parent is None:
            return None
        own, other = entity.side(side), entity.side(side.other)
        free = group.children.get(parent, [])
        if entity.within is not None:
            free = [k for k in free if self._is_the_same(entity, side, row, group.others[k])]
        elif key != group.siblings[tuple(row[c] for c in own.parent)][0]:
            return None
        if free:
            return Links(in_order(other.table, free)[0])
        return Creates() if side.other in entity.creates else None

    def _is_the_same(self, entity: Entity, side: Side, row: Row, other: Row) -> bool:
        pair = self._translations.rules(entity).by_name[entity.within or ""]
        values = {
            side: pair.field(side).read(row),
            side.other: pair.field(side.other).read(other),
        }
        return pair.agrees(values[Side.AJERA], values[Side.DPS])

    def taken(self, group: Group, other: str) -> tuple[Row, datetime]:
        """The row of the other side that is linked now, so that no other one finds it,
        and its database's clock.
        """
        row, at = group.others[other], group.others_at
        if at is None:
            raise ValueError("a counterpart is read under lock before it is linked")
        entity, of = group.entity, group.side.other
        if entity.parent is None:
            group.named[name_of(entity, of, row)].remove(other)
        else:
            group.children[tuple(row[c] for c in entity.side(of).parent)].remove(other)
        return row, at

    def owner(self, group: Group, row: Row) -> str | None:
        """What a row would count towards: its firm or project, as DPS knows it."""
        entity, side = group.entity, group.side
        if entity.limited_by is None:
            values = (
                parent_of(self._setup, self._unit, entity, Side.DPS, row)
                if side is Side.AJERA
                else None
            )
            if side is Side.DPS:
                return parent_key(self._setup, entity, side, row)
            parent = self._setup.entity(entity.parent or "")
            return None if values is None else parent.dps.table.key_text(values)
        pair = self._translations.rules(entity).by_name[entity.limited_by]
        value = pair.field(side).read(row)
        value = value if side is Side.DPS else pair.to_dps(value)
        return None if value is None else str(value)
