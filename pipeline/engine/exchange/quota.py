"""The limit of contacts of a firm and of a project: asked whenever one comes to count,
by whatever event.
"""

from __future__ import annotations

from dataclasses import replace

from pipeline.conflicts.decision import Decision, Write
from pipeline.conflicts.link import Link
from pipeline.conflicts.linking import Parks, admit
from pipeline.conflicts.rules import Side
from pipeline.engine.exchange.parents import parent_in_key
from pipeline.engine.exchange.translate import Translations
from pipeline.engine.exchange.unit_of_work import (
    ExchangeConfig,
    UnitOfWork,
    link_id,
    row_id,
)
from pipeline.errors import ParkReason
from pipeline.model.outcome import Outcome
from pipeline.pairing.entity import Entity, ParkedWork


def counts_for(setup: ExchangeConfig, link: Link) -> str | None:
    """The firm of a contact, the project of a project's contact, as DPS knows it;
    None of one that was unticked.
    """
    entity = setup.entity(link.entity)
    if entity.limited_by is not None:
        return link.counts_for
    if link.off or link.dps.key is None:
        return None
    return parent_in_key(setup, entity, Side.DPS, link.dps.key)


class Quota:
    """Counts within a round: what is stored, and those that were admitted since. A place that is
    freed counts once stored, or at once if its pair has ended.
    """

    def __init__(
        self,
        setup: ExchangeConfig,
        unit: UnitOfWork,
        translations: Translations,
    ) -> None:
        self._setup = setup
        self._unit = unit
        self._translations = translations
        self._counted: dict[tuple[str, str], int] = {}

    def full(self, entity: Entity, owner: str | None) -> Parks | None:
        """As many contacts as DPS allows are linked already (S-DPS: a maximum of five)."""
        limit = self._setup.limits.get(entity.name)
        if limit is None or owner is None:
            return None
        if (entity.name, owner) not in self._counted:
            self._unit.links_of.hold_linking()
            self._counted[entity.name, owner] = self._unit.links_of.counted(entity.name, [owner])[
                owner
            ]
        return admit(
            self._counted[entity.name, owner] - self._ended(entity, owner),
            limit,
        )

    def _ended(self, entity: Entity, owner: str) -> int:
        """Pairs that have ended in this round:
        a row that comes again under another key takes the place of its own.
        """
        return sum(
            one.entity == entity.name and counts_for(self._setup, one) == owner
            for one in self._unit.ended
        )

    def count(self, entity: Entity, owner: str | None) -> None:
        """One more is linked."""
        if owner is not None and (entity.name, owner) in self._counted:
            self._counted[entity.name, owner] += 1

    def switched(self, entity: Entity, link: Link, side: Side, *, is_on: bool) -> Link:
        """The link after its row was ticked or unticked;
        one that is ticked again stays off until there is room.
        """
        if is_on is not (side in link.off):
            return link
        off = link.off - {side} if is_on else link.off | {side}
        found = replace(link, off=off)
        if not is_on:
            return replace(found, counts_for=None)
        owner = self._of_ticked(entity, found)
        if off or owner in (None, counts_for(self._setup, link)):
            return found
        full = self.full(entity, owner)
        if full is not None:
            key = link.side(side).key or ""
            work = row_id(entity.name, side, key)
            self._unit.parked[work] = ParkedWork(
                work, entity.name, side, key, full.reason, full.hint
            )
            return link
        self.count(entity, owner)
        return found if entity.limited_by is None else replace(found, counts_for=owner)

    def _of_ticked(self, entity: Entity, link: Link) -> str | None:
        if self._setup.limits.get(entity.name) is None:
            return None
        if entity.limited_by is None:
            return counts_for(self._setup, link)
        value = link.dps.value.get(entity.limited_by)
        return None if value is None else str(value)

    def continued(self, entity: Entity, link: Link, side: Side, off: frozenset[Side]) -> Link:
        """The link of a row that is looked at again: what follows its parent,
        and one that waited to be ticked.
        """
        for one in Side:
            if entity.side(one).follows_parent:
                link = self.switched(entity, link, one, is_on=one not in off)
        key = link.side(side).key
        if (
            side in link.off - off
            and key is not None
            and self._setup.limits.get(entity.name) is not None
        ):
            entity_side = entity.side(side)
            row = self._unit.of(side).read(entity_side.table, [key], lock=True).get(key)
            if row is not None and entity_side.is_flagged(row):
                link = self.switched(entity, link, side, is_on=True)
        return link

    def admitted(self, entity: Entity, decision: Decision) -> Decision:
        """The decision, without the contact's new firm if that is full:
        the line waits until there is room.
        """
        name, link = entity.limited_by, decision.link
        if name is None or (link.off and link.counts_for is None):
            return decision  # nothing counts, or not this one: it was unticked
        owner = self._owner(entity, name, decision)
        if owner == link.counts_for:
            return decision
        asked = any(name in write.values for write in decision.writes)
        if asked and self.full(entity, owner) is not None:
            work = link_id(link.id)
            key = link.side(Side.AJERA).key or link.dps.key or ""
            side = Side.AJERA if link.ajera.key is not None else Side.DPS
            self._unit.parked[work] = ParkedWork(
                work,
                entity.name,
                side,
                key,
                ParkReason.CONTACTS_FULL,
                f"{name}: {ParkReason.CONTACTS_FULL.hint}",
                link.id,
            )
            return _without(decision, name)
        self.count(entity, owner)
        return replace(decision, link=replace(link, counts_for=owner))

    def _owner(self, entity: Entity, name: str, decision: Decision) -> str | None:
        """The firm that both sides will hold; the one it counts for now while they do not agree."""
        link = decision.link
        value = link.dps.value.get(name)
        for write in decision.writes:
            if name in write.values:
                value = write.values[name] if write.side is Side.DPS else value
                return None if value is None else str(value)
        pair = self._translations.rules(entity).by_name[name]
        agrees = link.is_known(name) and pair.agrees(link.ajera.value[name], value)
        if not agrees:
            return link.counts_for
        return None if value is None else str(value)


def _without(decision: Decision, name: str) -> Decision:
    """The decision without a line: it stays asked for."""
    link, writes = decision.link, []
    for write in decision.writes:
        kept = _deferred_error(write, name)
        link_side = link.side(write.side)
        pending = tuple(
            replace(p, values=kept.values, expected=kept.expected)
            if p.number == write.number
            else p
            for p in link_side.pending
        )
        if not kept.values and write.key is not None:
            pending = tuple(p for p in pending if p.number != write.number)
        else:
            writes.append(kept)
        link = link.with_side(write.side, replace(link_side, pending=pending))
    outcome = decision.outcome if writes else Outcome.PARKED
    return replace(decision, link=link, writes=tuple(writes), outcome=outcome)


def _deferred_error(write: Write, name: str) -> Write:
    values, expected = (
        {line: value for line, value in part.items() if line != name}
        for part in (write.values, write.expected)
    )
    return replace(write, values=values, expected=expected)
