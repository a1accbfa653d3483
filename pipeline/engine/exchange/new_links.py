"""What becomes of a row without a link: it is linked to a row that exists,
or one is created on the other side, or it is parked.
"""

from __future__ import annotations

import uuid
from dataclasses import replace

from pipeline.conflicts.begin import Found, create, first_link
from pipeline.conflicts.decision import Decision
from pipeline.conflicts.link import Link, Seen
from pipeline.conflicts.rules import Side
from pipeline.engine.exchange.apply_writes import new_row
from pipeline.engine.exchange.group import Group
from pipeline.engine.exchange.kinds import successor
from pipeline.engine.exchange.matching import Matching
from pipeline.engine.exchange.names import name_of
from pipeline.engine.exchange.quota import Quota
from pipeline.engine.exchange.settlement import park_waiting
from pipeline.engine.exchange.translate import Translations
from pipeline.engine.exchange.unit_of_work import (
    WANTED,
    ExchangeConfig,
    ItemResult,
    PlannedWrite,
    UnitOfWork,
    WorkItem,
    row_id,
    wait_key,
)
from pipeline.errors import ParkReason
from pipeline.model.event import Row, Value
from pipeline.model.outcome import Outcome, SkipReason
from pipeline.pairing.entity import Entity, NewRowContext, ParkedWork


class NewLinks:
    """Makes links within a round, of rows that were read under lock."""

    def __init__(
        self,
        setup: ExchangeConfig,
        unit: UnitOfWork,
        translations: Translations,
        quota: Quota,
        matching: Matching,
    ) -> None:
        self._setup = setup
        self._unit = unit
        self._translations = translations
        self._quota = quota
        self._matching = matching

    def owner(self, group: Group, key: str) -> str | None:
        """What the row would count towards, if there is a limit: its firm or project."""
        if group.entity.name not in self._setup.limits:
            return None
        return self._matching.owner(group, group.rows[key])

    def link(
        self,
        group: Group,
        key: str,
        other: str,
        item: WorkItem,
        old: Link | None,
        off: frozenset[Side],
    ) -> ItemResult:
        """Link two rows that exist. `old`: the link whose place this one takes;
        `off`: the sides on which the row is not exchanged because its parent is not.
        """
        entity, side = group.entity, group.side
        row, at = self._matching.taken(group, other)
        own = self._found(group, key, item)
        seen = Seen(epoch=self._unit.epochs[side.other])
        found = Found(entity.side(side.other).table.name, other, row, at, seen)
        off |= _unflagged(entity, {side: group.rows[key], side.other: row})
        if old is None or entity.parent is None:
            decision = self._first_link(entity, {side: own, side.other: found}, off)
        else:
            rules = self._translations.rules(entity)
            decision = successor(_new_id(), old, own, item, self._unit, rules, off)
        if entity.parent is not None and any(
            entity.is_blank_row(s, f.row) for s, f in ((side, own), (side.other, found))
        ):
            decision = _without_blanks_filled(decision)
        decision = self._counted(decision, group, key)
        self._unit.linked.append(decision.link)
        # That row waits no longer either.
        self._unit.unparked.add(row_id(entity.name, side.other, other))
        self._translations.link(decision.link)
        return self._begun(decision, entity, item, parent=())

    def _first_link(
        self, entity: Entity, found: dict[Side, Found], off: frozenset[Side]
    ) -> Decision:
        return first_link(
            _new_id(),
            entity.name,
            found[Side.AJERA],
            found[Side.DPS],
            self._setup.policy,
            self._unit.now,
            self._translations.rules(entity),
            off,
        )

    def create(self, group: Group, key: str, item: WorkItem) -> ItemResult:
        """Create a counterpart, unless the row gets none, or something that it needs is missing."""
        entity, side, row = group.entity, group.side, group.rows[key]
        if not _gets_counterpart(entity, side, row):
            return filtered(self._unit, item, entity)
        missing = self._missing(item, entity, row)
        if missing is not None:
            return missing
        parent = group.parents.get(key) or ()
        other = entity.side(side.other)
        made = other.new_key(NewRowContext(row, key, parent, self._setup.numbers))
        if isinstance(made, ParkReason):
            return park(self._unit, item, entity, made, made.hint)
        decision = create(
            _new_id(),
            entity.name,
            side,
            self._found(group, key, item),
            other.table.name,
            self._unit.now,
            self._translations.rules(entity),
        )
        if not entity.side(side).is_flagged(row):
            decision = replace(decision, link=replace(decision.link, off=frozenset({side})))
        decision = self._counted(decision, group, key)
        return self._begun(decision, entity, item, parent=parent, new_key=made)

    def _missing(self, item: WorkItem, entity: Entity, row: Row) -> ItemResult | None:
        """Park a row without which the new one could not be: a line that it needs, or its name."""
        rules, side = self._translations.rules(entity), item.side
        for name in entity.needs:
            pair = rules.by_name.get(name)
            if pair is None or not pair.flows_to(side.other):
                continue
            value = pair.field(side).read(row)
            if not pair.can_translate(value, side.other):
                return self._park_missing(item, entity, name, value)
        if entity.named_by and not name_of(entity, side, row):
            hint = f"The row has no name. {ParkReason.REQUIRED_MISSING.hint}"
            return park(self._unit, item, entity, ParkReason.REQUIRED_MISSING, hint)
        return None

    def _park_missing(self, item: WorkItem, entity: Entity, name: str, value: Value) -> ItemResult:
        through = self._translations.rules(entity).by_name[name].through
        waits_for = None
        if self._setup.is_reference(through):
            need = ParkReason.REFERENCE_MISSING
            waits_for = wait_key(through, item.side, value)
        else:
            need = ParkReason.TEMPLATE_MISSING if name == "template" else ParkReason.TYPE_MISSING
        return park(self._unit, item, entity, need, need.hint, waits_for)

    def _counted(self, decision: Decision, group: Group, key: str) -> Decision:
        """With the pair it hangs on, and what it counts towards."""
        entity, owner = group.entity, self.owner(group, key)
        self._quota.count(entity, owner)
        counted = owner if entity.limited_by is not None else None
        link = replace(
            decision.link,
            of=group.parent_pairs.get(key),
            counts_for=counted,
        )
        return self._quota.admitted(entity, replace(decision, link=link))

    def _begun(
        self,
        decision: Decision,
        entity: Entity,
        item: WorkItem,
        *,
        parent: tuple[Value, ...],
        new_key: tuple[Value, ...] | None = None,
    ) -> ItemResult:
        self._unit.change(decision.link, decision.conflicts)
        work = row_id(entity.name, item.side, item.key)
        self._unit.unpark(item, work, is_done=decision.is_done_in_dps)
        park_waiting(self._setup, self._unit, self._translations, decision.link)
        for write in decision.writes:
            planned = PlannedWrite(write, entity)
            self._unit.writes.append(
                planned if write.key is not None else new_row(planned, write.side, new_key, parent)
            )
        return ItemResult(item, decision.outcome, decision.reason)

    def _found(self, group: Group, key: str, item: WorkItem) -> Found:
        event = item.event
        seen = Seen(epoch=self._unit.epochs[group.side])
        if event is not None and event.is_snapshot:
            seen = Seen("", event.place, event.epoch)
        elif event is not None:
            seen = Seen(
                event.position,
                event.place,
                event.epoch,
                committed_at=event.committed_at,
            )
        table = group.entity.side(group.side).table.name
        return Found(table, key, group.rows[key], group.at, seen)


def _new_id() -> str:
    return uuid.uuid4().hex


def _unflagged(entity: Entity, rows: dict[Side, Row]) -> frozenset[Side]:
    """The sides whose row receives, and sends nothing until it is set to."""
    return frozenset(side for side, row in rows.items() if not entity.side(side).is_flagged(row))


def _without_blanks_filled(decision: Decision) -> Decision:
    """A blank address is filled in, and nobody loses anything;
    a value that stays for want of one is logged.
    """
    kept = decision.link.kept
    told = tuple(c for c in decision.conflicts if c.winner is None or c.column in kept)
    return replace(decision, conflicts=told)


def _gets_counterpart(entity: Entity, side: Side, row: Row) -> bool:
    """Is one created for such a row; for a blank address none is."""
    may_create = entity.side(side).may_create
    return (
        side.other in entity.creates
        and (may_create is None or may_create(row))
        and not (entity.parent is not None and entity.is_blank_row(side, row))
    )


def park(
    unit: UnitOfWork,
    item: WorkItem,
    entity: Entity,
    code: str,
    hint: str,
    waits_for: str | None = None,
) -> ItemResult:
    """The row waits for a person, or for what it needs."""
    waits_for = WANTED if item.is_wanted and waits_for is None else waits_for
    work = row_id(entity.name, item.side, item.key)
    unit.parked[work] = ParkedWork(
        work, entity.name, item.side, item.key, code, hint, None, waits_for
    )
    return ItemResult(item, Outcome.PARKED, code)


def filtered(unit: UnitOfWork, item: WorkItem, entity: Entity) -> ItemResult:
    """The row is left alone, and waits for nothing."""
    if item.event is None:
        unit.unpark(item, row_id(entity.name, item.side, item.key))
    return ItemResult(item, Outcome.SKIPPED, SkipReason.FILTERED)
