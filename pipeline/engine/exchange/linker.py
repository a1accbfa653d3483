"""How pairs begin: a row without a link is matched by name or through the row it belongs to,
created, or parked.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pipeline.conflicts.begin import Found, create, first_link
from pipeline.conflicts.conflict import Kind
from pipeline.conflicts.decision import Decision
from pipeline.conflicts.link import Link, Seen
from pipeline.conflicts.linking import Creates, Links, Parks
from pipeline.conflicts.rules import Side
from pipeline.engine.exchange.apply_writes import new_row
from pipeline.engine.exchange.kinds import successor, vacated
from pipeline.engine.exchange.matching import Group, Matching
from pipeline.engine.exchange.names import name_of
from pipeline.engine.exchange.parents import in_order, parent_key
from pipeline.engine.exchange.quota import Quota
from pipeline.engine.exchange.receivers import is_left_to_others
from pipeline.engine.exchange.settlement import park_waiting
from pipeline.engine.exchange.time_entries import open_rows
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
from pipeline.model.event import Value
from pipeline.model.outcome import Outcome, SkipReason
from pipeline.pairing.entity import (
    REMEDIES,
    Entity,
    NewRowContext,
    ParkedWork,
    ParkReason,
)

OffWithParent = Callable[
    [Entity, Side, str], frozenset[Side]
]  # entity, side and key of a row: where it is off
IsSurvivor = Callable[[Entity, Side, str], bool]  # was its counterpart deleted


class Linker:
    """Begins pairs within a round. Rows of one entity at a time, parents first:
    others wait for the next round.
    """

    def __init__(
        self,
        setup: ExchangeConfig,
        hand: UnitOfWork,
        translations: Translations,
        off_with_parent: OffWithParent,
        is_survivor: IsSurvivor,
        quota: Quota,
    ) -> None:
        self._setup = setup
        self._hand = hand
        self._translations = translations
        self._off_with_parent = off_with_parent
        self._is_survivor = is_survivor
        self._quota = quota
        self._of: dict[tuple[str, Side, str], str] = {}  # the pair that a row's pair will hang on
        self._later: list[WorkItem] = []
        self._matching = Matching(setup, hand, translations)

    def run(
        self, begins: Sequence[tuple[WorkItem, Entity]]
    ) -> tuple[list[ItemResult], list[WorkItem]]:
        """The ends of the items, and items for the next round."""
        begins, ended = self._with_parent(begins)
        if not begins:
            return ended, []
        self._hand.links_of.hold_linking()
        first = min(self._setup.place(entity) for _, entity in begins)
        entity = self._setup.entities[first]
        later = [replace(item, entity=other.name) for item, other in begins if other is not entity]
        for side in Side:
            items = {item.key: item for item, one in begins if one is entity and item.side is side}
            repeated = [
                item
                for item, one in begins
                if one is entity and item.side is side and items[item.key] is not item
            ]
            later += [replace(item, entity=entity.name) for item in repeated]
            if items:
                fresh, late = self._fresh(entity, side, items)
                later += late
                ended += self._group(entity, side, fresh)
        return ended, later + self._later

    def _with_parent(
        self, begins: Sequence[tuple[WorkItem, Entity]]
    ) -> tuple[list[tuple[WorkItem, Entity]], list[ItemResult]]:
        """Rows that belong to a row which is not linked, or not exchanged, are left alone:
        they follow when that is.
        """
        kept: list[tuple[WorkItem, Entity]] = []
        ended: list[ItemResult] = []
        for entity in dict.fromkeys(entity for _, entity in begins):
            for side in Side:
                items = [item for item, one in begins if one is entity and item.side is side]
                if entity.parent is None or not items:
                    kept += [(item, entity) for item in items]
                    continue
                rows = {item.key: item.event.row for item in items if item.event is not None}
                lacking = [item.key for item in items if item.key not in rows]
                rows |= self._hand.of(side).read(entity.end(side).table, lacking) if lacking else {}
                parents = {
                    key: parent_key(self._setup, entity, side, row) for key, row in rows.items()
                }
                known = self._hand.links_of.linked_ids(
                    entity.parent, side, [p for p in parents.values() if p]
                )
                for item in items:
                    of = known.get(parents.get(item.key) or "")
                    is_suspended = of in self._hand.links and bool(self._hand.links[of].out)
                    if (
                        of is not None
                        and not is_suspended
                        and side not in self._off_with_parent(entity, side, item.key)
                    ):
                        self._of[entity.name, side, item.key] = of
                        kept.append((item, entity))
                    else:
                        ended.append(self._filtered(item, entity))
        return kept, ended

    def _fresh(
        self, entity: Entity, side: Side, items: Mapping[str, WorkItem]
    ) -> tuple[dict[str, WorkItem], list[WorkItem]]:
        """Those that nobody linked while we waited for our turn;
        the others are events of linked rows now.
        """
        taken = self._hand.linked_among(entity.name, side, items.keys())
        late = [replace(item, entity=entity.name) for key, item in items.items() if key in taken]
        return {key: item for key, item in items.items() if key not in taken}, late

    # -- one entity and side -----------------------------------------------------------------------

    def _group(self, entity: Entity, side: Side, items: Mapping[str, WorkItem]) -> list[ItemResult]:
        own = self._hand.of(side)
        rows = own.read(entity.end(side).table, list(items), lock=True)
        group = Group(entity, side, rows, own.clock())
        is_flagged = entity.end(side).is_flagged
        found = open_rows(self._hand, entity, side, rows, self._translations.lists)
        eligible = {
            key: items[key] for key, row in found.items() if items[key].is_wanted or is_flagged(row)
        }
        self._translations.learn(
            self._hand.links_of,
            [one for key in eligible for one in self._translations.of_row(entity, side, rows[key])],
        )
        self._matching.look_up(group, eligible)
        self._translations.learn(
            self._hand.links_of,
            [
                one
                for row in group.others.values()
                for one in self._translations.of_row(entity, side.other, row)
            ],
        )
        ended = [self._filtered(item, entity) for key, item in items.items() if key not in eligible]
        for key in in_order(entity.end(side).table, eligible):
            one = self._one(group, key, eligible[key])
            ended += [] if one is None else [one]
        return ended

    def _one(self, group: Group, key: str, item: WorkItem) -> ItemResult | None:
        entity, row = group.entity, group.rows[key]
        full = self._quota.full(
            entity,
            self._matching.owner(group, row) if entity.name in self._setup.limits else None,
        )
        matched = self._matching.of(group, key, row) if full is None else full
        match matched:
            case Links(other) if other in group.freed:
                return self._take_place(group, key, other, item)
            case Links(other):
                return self._link(group, key, other, item, None)
            case Parks(Kind.AMBIGUOUS_MATCH) if is_left_to_others(
                self._hand, group, row, item.event
            ):
                return self._filtered(item, entity)
            case Parks(kind, hint, _):
                return self._park(item, entity, kind, hint)
            case Creates():
                return self._create(group, key, item)
            case None:
                return self._filtered(item, entity)

    # -- what comes of it --------------------------------------------------------------------------

    def _take_place(self, group: Group, key: str, other: str, item: WorkItem) -> ItemResult | None:
        """The counterpart's own pair ends first: in the next round,
        if its link is not locked or a write is open.
        """
        link_id = group.freed[other]
        old = vacated(self._hand, link_id, group.side)
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
        """Link two rows that exist, both under lock; `old`: the link whose place this one takes."""
        entity, side = group.entity, group.side
        table = entity.end(side.other).table
        row, at = self._matching.taken(group, other)
        own = self._found(group, key, item)
        found = Found(
            table.name,
            other,
            row,
            at,
            Seen(epoch=self._hand.epochs[side.other]),
        )
        ajera, dps = (own, found) if side is Side.AJERA else (found, own)
        rules, policy = self._translations.rules(entity), self._setup.policy
        off = self._off_with_parent(entity, side, key)
        for one, held in ((side, group.rows[key]), (side.other, row)):
            if not entity.end(one).is_flagged(held):
                off |= {one}  # it receives, and sends nothing until it is set to
        made = uuid.uuid4().hex
        if old is None or entity.parent is None:
            decision = first_link(
                made,
                entity.name,
                ajera,
                dps,
                policy,
                self._hand.now,
                rules,
                off,
            )
        else:
            decision = successor(made, old, own, item, self._hand, rules, off)
        if entity.parent is not None and any(
            entity.is_blank_row(s, f.row) for s, f in ((side, own), (side.other, found))
        ):
            # A blank address is filled in, and nobody loses anything;
            # a value that stays for want of one is logged.
            told = tuple(
                c for c in decision.conflicts if c.winner is None or c.column in decision.link.kept
            )
            decision = replace(decision, conflicts=told)
        decision = self._hung(decision, group, key, item)
        self._hand.linked.append(decision.link)
        self._hand.unparked.add(
            row_id(entity.name, side.other, other)
        )  # that row waits no longer either
        self._translations.link(decision.link)
        return self._begun(decision, entity, item, parent=())

    def _create(self, group: Group, key: str, item: WorkItem) -> ItemResult:
        entity, side, row = group.entity, group.side, group.rows[key]
        end, other = entity.end(side), entity.end(side.other)
        may_create = end.may_create is None or end.may_create(row)
        if (
            side.other not in entity.creates
            or not may_create
            or self._is_survivor(entity, side, key)
        ):
            return self._filtered(item, entity)
        rules = self._translations.rules(entity)
        if entity.parent is not None and entity.is_blank_row(side, row):
            return self._filtered(item, entity)
        for name in entity.needs:
            pair = rules.by_name.get(name)
            if pair is None or not pair.flows_to(side.other):
                continue
            value = pair.field(side).read(row)
            if not pair.knows(value, side.other):
                return self._park_missing(item, entity, name, value)
        if entity.named_by and not name_of(entity, side, row):
            return self._park(
                item,
                entity,
                ParkReason.REQUIRED_MISSING,
                f"The row has no name. {REMEDIES[ParkReason.REQUIRED_MISSING]}",
            )
        parent = group.parents.get(key)
        made = other.new_key(NewRowContext(row, key, parent or (), self._setup.numbers))
        if isinstance(made, ParkReason):
            return self._park(item, entity, made, REMEDIES[made])
        found = self._found(group, key, item)
        decision = create(
            uuid.uuid4().hex,
            entity.name,
            side,
            found,
            other.table.name,
            self._hand.now,
            rules,
        )
        if not end.is_flagged(row):
            decision = replace(decision, link=replace(decision.link, off=frozenset({side})))
        decision = self._hung(decision, group, key, item)
        return self._begun(decision, entity, item, parent=parent or (), new_key=made)

    def _hung(self, decision: Decision, group: Group, key: str, item: WorkItem) -> Decision:
        """With the pair it hangs on, and what it counts towards."""
        entity = group.entity
        owner = (
            self._matching.owner(group, group.rows[key])
            if entity.name in self._setup.limits
            else None
        )
        self._quota.count(entity, owner)
        of = self._of.get((entity.name, item.side, item.key))
        counted = owner if entity.limited_by is not None else None
        return self._quota.admitted(
            entity,
            replace(
                decision,
                link=replace(decision.link, of=of, counts_for=counted),
            ),
        )

    def _begun(
        self,
        decision: Decision,
        entity: Entity,
        item: WorkItem,
        *,
        parent: tuple[Value, ...],
        new_key: tuple[Value, ...] | None = None,
    ) -> ItemResult:
        self._hand.change(decision.link, decision.conflicts)
        self._hand.unpark(
            item,
            row_id(entity.name, item.side, item.key),
            is_done=decision.is_done_in_dps,
        )
        park_waiting(self._setup, self._hand, self._translations, decision.link)
        for write in decision.writes:
            planned = PlannedWrite(write, entity)
            self._hand.writes.append(
                planned if write.key is not None else new_row(planned, write.side, new_key, parent)
            )
        return ItemResult(item, decision.outcome, decision.reason)

    def _found(self, group: Group, key: str, item: WorkItem) -> Found:
        event = item.event
        seen = Seen(epoch=self._hand.epochs[group.side])
        if event is not None and event.is_snapshot:
            seen = Seen("", event.place, event.epoch)
        elif event is not None:
            seen = Seen(
                event.position,
                event.place,
                event.epoch,
                at=event.committed_at,
            )
        return Found(
            group.entity.end(group.side).table.name,
            key,
            group.rows[key],
            group.at,
            seen,
        )

    def _park_missing(self, item: WorkItem, entity: Entity, name: str, value: Value) -> ItemResult:
        through = self._translations.rules(entity).by_name[name].through
        if self._setup.is_reference(through):
            waits_for = wait_key(through, item.side, value)
            return self._park(
                item,
                entity,
                ParkReason.REFERENCE_MISSING,
                REMEDIES[ParkReason.REFERENCE_MISSING],
                waits_for,
            )
        need = ParkReason.TEMPLATE_MISSING if name == "template" else ParkReason.TYPE_MISSING
        return self._park(item, entity, need, REMEDIES[need])

    def _park(
        self,
        item: WorkItem,
        entity: Entity,
        code: str,
        hint: str,
        waits_for: str | None = None,
    ) -> ItemResult:
        waits_for = WANTED if item.is_wanted and waits_for is None else waits_for
        work = ParkedWork(
            row_id(entity.name, item.side, item.key),
            entity.name,
            item.side,
            item.key,
            code,
            hint,
            None,
            waits_for,
        )
        self._hand.parked[work.id] = work
        return ItemResult(item, Outcome.PARKED, code)

    def _filtered(self, item: WorkItem, entity: Entity) -> ItemResult:
        if item.event is None:
            self._hand.unpark(item, row_id(entity.name, item.side, item.key))
        return ItemResult(item, Outcome.SKIPPED, SkipReason.FILTERED)
