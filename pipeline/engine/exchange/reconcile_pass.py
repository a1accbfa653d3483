"""One round: links found, locked and settled; each event decided;
DPS written in the same transaction, Ajera after it.

A link has at most one decision that writes in a round: what follows of it waits for the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipeline.conflicts import guards
from pipeline.conflicts.decision import Decision, Reason
from pipeline.conflicts.ending import end
from pipeline.conflicts.link import Link, State
from pipeline.conflicts.reconcile import finish
from pipeline.conflicts.rules import Side
from pipeline.engine.exchange.apply_writes import apply_writes
from pipeline.engine.exchange.bring import brought
from pipeline.engine.exchange.create_retry import CreateRetry
from pipeline.engine.exchange.kinds import may_begin, of_kind, told, with_parent
from pipeline.engine.exchange.linker import Linker
from pipeline.engine.exchange.locked_rows import LockedRows
from pipeline.engine.exchange.pass_links import PassLinks
from pipeline.engine.exchange.plain_pass import PlainPass
from pipeline.engine.exchange.quota import Quota
from pipeline.engine.exchange.settlement import (
    give_up,
    hold_decided,
    park_waiting,
    settle_all,
    store,
)
from pipeline.engine.exchange.translate import Translations
from pipeline.engine.exchange.unit_of_work import (
    ExchangeConfig,
    ItemResult,
    PassResult,
    Rewound,
    UnitOfWork,
    WorkItem,
    link_id,
    row_id,
)
from pipeline.errors import PipelineError
from pipeline.model import applied
from pipeline.model.event import Event
from pipeline.model.outcome import Outcome, SkipReason
from pipeline.pairing.entity import Entity


class ReconcilePass:
    """Decides items within one transaction of each database. `refusal`:
    why nothing may be written this time.
    """

    def __init__(
        self,
        setup: ExchangeConfig,
        unit: UnitOfWork,
        translations: Translations,
        refusal: PipelineError | None = None,
    ) -> None:
        self._setup = setup
        self._unit = unit
        self._translations = translations
        self._refusal = refusal
        self._links = PassLinks(setup, unit, translations)
        self._locked = LockedRows(setup, unit, translations)
        self._again = CreateRetry(setup, unit, translations, self._locked.rows)
        self._plain = PlainPass(setup, unit, translations, self._links)
        self._busy: set[str] = set()
        self._quota = Quota(setup, unit, translations)
        # Links come to again: what belonged to them may not have followed yet.
        self._touched: list[str] = []
        self._done = PassResult()

    def decide(self, items: Sequence[WorkItem]) -> PassResult:
        """Everything up to the writes, which `finish` makes once Ajera's locks are free."""
        self._links.find(items)
        rest = items if self._refusal is not None else self._plain.take(items)
        self._done.ended += self._plain.ended
        self._done.edits += self._plain.edits
        if rest:
            self._decide(rest)
        return self._done

    def _decide(self, items: Sequence[WorkItem]) -> None:
        """Items that are not plain."""
        ids, others = self._links.needed(items)
        self._plain.open(ids | others)
        self._links.open(items, ids - self._plain.busy, others | ids)
        self._busy.update(self._plain.busy)
        self._locked.read(items, self._links.newest)
        begins: list[tuple[WorkItem, Entity]] = []
        for item in items:
            begins += self._item(item)
        if begins:
            self._plain.open_all()
        beginning = Linker(
            self._setup,
            self._unit,
            self._translations,
            self._links.off_with_parent,
            self._links.is_survivor,
            self._quota,
        )
        ended, later = beginning.run(begins)
        self._done.ended += ended
        self._done.later += later

    def finish(self) -> PassResult:
        """Write DPS and settle that; store links, log and parked work."""
        unit = self._unit
        of_dps = [one for one in unit.writes if one.write.side is Side.DPS]
        of_ajera = [one for one in unit.writes if one.write.side is Side.AJERA]
        if self._refusal is not None:
            for one in of_dps + of_ajera:  # nobody carries these out; they stay asked for
                give_up(unit, self._translations, one.write, self._refusal)
            of_dps = of_ajera = []
        plain = self._plain.writes(Side.DPS)
        if of_dps or plain:
            epoch = unit.epochs[Side.DPS]
            carried = apply_writes(unit.links_of.rows, Side.DPS, of_dps + plain, epoch)
            of_dps += self._plain.settle(carried.outcomes)
            writes = [one.write for one in of_dps]
            settle_all(unit, self._translations, Side.DPS, writes, carried.outcomes)
            for table, counts in carried.counts.items():
                unit.count(table, counts)
        self._done.later += brought(self._setup, unit, self._translations.lists)
        store(self._setup, unit)
        self._plain.store()
        self._done.planned = of_ajera + self._plain.writes(Side.AJERA)
        touched = [unit.links[one] for one in dict.fromkeys(self._touched)]
        self._done.linked = unit.linked + [link for link in touched if link.state is State.LINKED]
        self._done.held = unit.held
        self._done.counts = unit.counts
        self._done.conflicts = unit.conflicts
        return self._done

    # -- deciding ----------------------------------------------------------------------------------

    def _item(self, item: WorkItem) -> list[tuple[WorkItem, Entity]]:
        """Decide an item for each entity that its row may be;
        those for which it has no link yet are left to begin.
        """
        if item.link is not None:
            self._retry(item)
            return []
        pairs = [
            (entity, self._links.of(entity, item.side, item.key)) for entity in self._setup.of(item)
        ]
        if any(link is not None and link.id in self._busy for _, link in pairs):
            self._done.later.append(item)
            return []
        begins: list[tuple[WorkItem, Entity]] = []
        ends: list[ItemResult] = []
        lists = self._translations.lists
        for entity, link in pairs:
            if link is None or self._is_free(item, entity, link):
                if item.event is None or may_begin(entity, item.side, item.event, lists):
                    begins.append((item, entity))
            elif self._links.hanging.has_left(entity, item, link):
                self._part(item, entity, link)
                return []
            elif item.event is None:
                self._continue(item, entity, link)
            else:
                found = self._event(item, entity, link, item.event)
                if found is None:
                    self._done.later.append(item)
                    return []
                ends.append(found)
        self._done.ended += ends or (
            [] if begins else [ItemResult(item, Outcome.SKIPPED, SkipReason.FILTERED)]
        )
        return begins

    def _is_free(self, item: WorkItem, entity: Entity, link: Link) -> bool:
        """May a row begin that had a pair: what must not be made again, `Linker` does not make."""
        if item.event is None:
            return link.state is State.ENDED
        return guards.can_relink(link, item.event) or self._links.hanging.can_relink(
            entity, item.side, link
        )

    def _part(self, item: WorkItem, entity: Entity, link: Link) -> None:
        """The row belongs to another pair now: it begins once more there."""
        side = item.side.other if item.event is None else item.side
        now = self._unit.now
        self._unit.change(*end(link, side, now, self._translations.rules(entity), now))
        again = [] if item.event is None else [item]
        self._done.later += [*again, replace(item, event=None, entity=entity.name)]

    def _continue(self, item: WorkItem, entity: Entity, link: Link) -> None:
        """The row is linked. What a process that died left undone is done now,
        and what belongs to the row follows.
        """
        self._touched.append(link.id)
        off = self._links.off_with_parent(entity, item.side, item.key)
        followed = self._quota.continued(entity, link, item.side, off)
        followed = with_parent(followed, self._links.parent(entity, item.side, item.key))
        rules = self._translations.rules(entity)
        known = self._locked.known(entity, followed)
        decision = known.and_then(finish(known.link, self._unit.now, rules, Reason.RETRIED))
        if decision.link != link:
            self._done.count_lines(entity, known)
            self._take(item, entity, link, decision)
        self._unit.unpark(
            item,
            row_id(entity.name, item.side, item.key),
            is_done=decision.is_done_in_dps,
        )

    def _event(self, item: WorkItem, entity: Entity, link: Link, event: Event) -> ItemResult | None:
        """The end of an event of a linked row, None if its row must be looked at first."""
        if applied.is_rewound(link.side(item.side).seen, event, self._setup.rewound_tolerance):
            raise Rewound(event)
        if event.row and not applied.is_stale(link.side(item.side).seen, event):
            off = self._links.off_with_parent(entity, item.side, item.key)
            is_on = entity.side(item.side).is_flagged(event.row) and item.side not in off
            now = self._quota.switched(entity, link, item.side, is_on=is_on)
            belongs = entity.side(item.side).belongs(event.row, self._translations.lists)
            now = with_parent(
                of_kind(now, item.side, belongs=belongs),
                self._links.parent(entity, item.side, item.key),
            )
            if now is not link:
                self._touched.append(link.id)  # what belongs to it follows
                self._unit.conflicts += told(link, now, item.side, self._unit)
            link = now
        found = self._locked.decided(entity, item, link, event)
        if found is None:
            return None
        known, decision = found
        self._done.count_lines(entity, known)
        if decision.reason is Reason.STALE:
            self._touched.append(link.id)
        self._offer(entity, item, link)
        return self._take(item, entity, link, decision)

    def _offer(self, entity: Entity, item: WorkItem, link: Link) -> None:
        """Where a row has left its place, the others of its parent are looked at,
        also when its event comes again.
        """
        parent = self._links.parent(entity, item.side, item.key)
        if parent is not None and item.side in link.out:
            self._touched.append(parent.id)

    def _retry(self, item: WorkItem) -> None:
        link = None if item.link is None else self._unit.links.get(item.link)
        if link is None:
            self._unit.unparked.add(link_id(item.link or ""))
            return
        if link.id in self._busy:
            self._done.later.append(item)
            return
        if not item.is_outdated:
            self._touched.append(link.id)
        entity = self._setup.entity(link.entity)
        rules, now = self._translations.rules(entity), self._unit.now
        known = self._locked.known(entity, link)
        self._done.count_lines(entity, known)
        decision = known.and_then(
            finish(known.link, now, rules, Reason.RETRIED)
            if item.decide is None
            else item.decide(known.link, rules, now)
        )
        self._done.ended.append(self._take(item, entity, link, decision))

    def _take(
        self,
        item: WorkItem,
        entity: Entity,
        before: Link,
        decision: Decision,
    ) -> ItemResult:
        decision = self._again.without_orphan(entity, before, decision)
        decision = self._quota.admitted(entity, decision)
        is_full = link_id(before.id) in self._unit.parked
        self._unit.change(decision.link, decision.conflicts)
        if decision.reason is Reason.EDITED:
            self._done.edits += 1
            self._done.copies += bool(decision.link.coincident - before.coincident)
        for write in decision.writes:
            self._busy.add(write.link)
            self._unit.writes.append(self._again.planned(write, entity, decision.link))
        if item.decide is not None and not decision.is_done_in_dps:
            hold_decided(self._unit, item, before)
        is_waiting = (
            park_waiting(self._setup, self._unit, self._translations, decision.link) or is_full
        )
        is_retried = item.link is not None and decision.link.obstacle is None
        was_asked = before.ajera.has_pending_edits or before.dps.has_pending_edits
        if not is_waiting and (is_retried or was_asked):
            self._unit.unpark(item, link_id(before.id), is_done=decision.is_done_in_dps)
        outcome = decision.outcome
        if is_waiting and outcome is Outcome.SKIPPED and decision.reason is Reason.EDITED:
            outcome = Outcome.PARKED
        return ItemResult(item, outcome, decision.reason)
