"""The rows that a pass reads under lock, and what they tell: rows whose image cannot be trusted,
rows whose counterpart is being created, and both rows of a pair that has new lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.conflicts.decision import Decision, LockedRow
from pipeline.conflicts.first import FirstLinkPolicy
from pipeline.conflicts.known import knows_all
from pipeline.conflicts.lines import LinesUpdate, needs_rows, update_lines
from pipeline.conflicts.link import Link, State, Values
from pipeline.conflicts.reconcile import needs_look, reconcile
from pipeline.conflicts.rules import Side
from pipeline.engine.exchange.translate import Translations
from pipeline.engine.exchange.unit_of_work import (
    ExchangeConfig,
    UnitOfWork,
    WorkItem,
)
from pipeline.model.event import Event
from pipeline.pairing.entity import Entity

Newest = Mapping[tuple[str, Side, str], Link]
Wanted = dict[tuple[Side, str], set[str]]  # keys by side and table


class LockedRows:
    """Reads rows once for all items of a pass."""

    def __init__(
        self,
        setup: ExchangeConfig,
        unit: UnitOfWork,
        translations: Translations,
    ) -> None:
        self._setup = setup
        self._unit = unit
        self._translations = translations
        self.rows: dict[tuple[Side, str, str], LockedRow] = {}  # by side, table and key

    def read(self, items: Sequence[WorkItem], newest: Newest) -> None:
        """Learn what links and events refer to, read the rows, and learn what new lines of theirs
        refer to.
        """
        self._learn(items)
        outdated = [link for link in self._links_of(items, newest) if self._has_new_lines(link)]
        wanted = self._untrusted(items, newest)
        has_new_lines = {link.id for link in outdated}
        for link in self._unit.links.values():
            if link.state is State.CREATING or link.id in has_new_lines:
                for side in Side:
                    link_side = link.side(side)
                    if link_side.key is not None:
                        wanted.setdefault((side, link_side.table), set()).add(link_side.key)
        self._lock(wanted)
        self._learn_new_lines(outdated)

    def decided(
        self, entity: Entity, item: WorkItem, link: Link, event: Event
    ) -> tuple[LinesUpdate, Decision] | None:
        """What an event of a linked row leads to, None if the row must be looked at first."""
        rules, now = self._translations.rules(entity), self._unit.now
        looked = self.rows.get((item.side, item.table, item.key))
        known = self.known(entity, link, event)
        if looked is None and needs_look(known.link, event, rules):
            return None
        return known, known.and_then(reconcile(known.link, event, now, rules, looked))

    def known(self, entity: Entity, link: Link, event: Event | None = None) -> LinesUpdate:
        """The link, knowing all lines: those that it did not know are decided from both rows."""
        rules = self._translations.rules(entity)
        if knows_all(link, rules):  # nearly always: the event's image is not read twice
            return LinesUpdate(link)
        rows = {
            side: self.rows[place] for side in Side if (place := _place(link, side)) in self.rows
        }
        shown: dict[Side, Values] = {}
        if event is not None and not event.is_snapshot:
            side = link.side_of(event.table)
            shown[side] = rules.observed(side, event.row)
        policy = self._policy(link, event)
        return update_lines(link, rows, shown, policy, self._unit.now, rules)

    def _policy(self, link: Link, event: Event | None) -> FirstLinkPolicy:
        """What an event shows may have been typed just now: no preference for the other side
        replaces it.
        """
        policy = self._setup.policy
        if event is None or event.is_snapshot or policy.prefers is link.side_of(event.table):
            return policy
        return FirstLinkPolicy()

    def _has_new_lines(self, link: Link) -> bool:
        return needs_rows(link, self._translations.rules_of(link))

    def _links_of(self, items: Sequence[WorkItem], newest: Newest) -> list[Link]:
        """Those that the items themselves are about."""
        links = self._unit.links
        ids = [item.link for item in items if item.link in links]
        ids += [
            newest[place].id
            for item in items
            for entity in self._setup.of(item)
            if (place := (entity.name, item.side, item.key)) in newest
        ]
        return [links[one] for one in dict.fromkeys(ids) if one is not None]

    def _untrusted(self, items: Sequence[WorkItem], newest: Newest) -> Wanted:
        """The rows whose image cannot be trusted."""
        wanted: Wanted = {}
        for item in items:
            for entity in self._setup.of(item):
                link = newest.get((entity.name, item.side, item.key))
                if link is None or item.event is None:
                    continue
                if needs_look(link, item.event, self._translations.rules(entity)):
                    wanted.setdefault((item.side, item.table), set()).add(item.key)
        return wanted

    def _lock(self, wanted: Wanted) -> None:
        tables = {
            e.side(side).table.name: e.side(side).table
            for e in self._setup.entities
            for side in Side
        }
        for (side, name), keys in sorted(wanted.items()):
            rows = self._unit.of(side).read(tables[name], sorted(keys), lock=True)
            at = self._unit.of(side).clock()
            for key in keys:
                self.rows[side, name, key] = LockedRow(rows.get(key), at)

    def _learn(self, items: Sequence[WorkItem]) -> None:
        refers = self._translations.refers
        links = [link for link in self._unit.links.values() if refers(link.entity)]
        wanted = [one for link in links for one in self._translations.of_link(link)]
        for item in items:
            for entity in self._setup.of(item):
                if refers(entity.name):
                    wanted += self._translations.of_item(entity, item)
        self._translations.learn(self._unit.links_of, wanted)

    def _learn_new_lines(self, outdated: Sequence[Link]) -> None:
        rows = [
            (self._setup.entity(link.entity), side, self.rows[place].row)
            for link in outdated
            for side in Side
            if (place := _place(link, side)) in self.rows
        ]
        wanted = [
            one
            for entity, side, row in rows
            if row is not None
            for one in self._translations.of_row(entity, side, row)
        ]
        self._translations.learn(self._unit.links_of, wanted)


def _place(link: Link, side: Side) -> tuple[Side, str, str]:
    link_side = link.side(side)
    return side, link_side.table, link_side.key or ""
