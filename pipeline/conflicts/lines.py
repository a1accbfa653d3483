"""Lines that were added, changed or removed since a link was last looked at.

A line that the link does not know is decided from both rows, read under lock, by the first-link
policy: nobody is known to have edited it, and the first event that shows it is no news of an edit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from pipeline.conflicts import guards
from pipeline.conflicts.conflict import Conflict, Kind, about_name
from pipeline.conflicts.decision import Decision, LockedRow
from pipeline.conflicts.fingerprint import asking
from pipeline.conflicts.first import (
    UNKNOWN_TIMES,
    FirstLinkPolicy,
    LineOutcome,
    decide_first,
)
from pipeline.conflicts.known import known_lines, knows_all, unknown_lines
from pipeline.conflicts.link import Link, LinkSide, State, Values, without
from pipeline.conflicts.readings import looked_at
from pipeline.conflicts.rules import SIDES, ColumnPair, Rules, Side
from pipeline.model.outcome import Outcome

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LinesUpdate:
    """The link that knows all lines, what must be logged, and what became of each new line."""

    link: Link
    conflicts: tuple[Conflict, ...] = ()
    outcomes: Mapping[str, LineOutcome] = field(default_factory=dict)

    def and_then(self, decision: Decision) -> Decision:
        """What was decided about the updated link, with what the update itself came to."""
        if not (self.conflicts or self.outcomes):
            return decision
        outcome = decision.outcome
        if outcome is Outcome.SKIPPED and LineOutcome.PARKED in self.outcomes.values():
            outcome = Outcome.PARKED
        conflicts = (*self.conflicts, *decision.conflicts)
        return replace(decision, outcome=outcome, conflicts=conflicts)


def needs_rows(link: Link, rules: Rules) -> bool:
    """Must both rows be read under lock before `update_lines`."""
    return link.state is State.LINKED and bool(unknown_lines(link, rules))


def update_lines(
    link: Link,
    rows: Mapping[Side, LockedRow],
    shown: Mapping[Side, Values],
    policy: FirstLinkPolicy,
    now: datetime,
    rules: Rules,
) -> LinesUpdate:
    """Make the link know all lines, and no other: before an event is reconciled, or without one.

    `shown`: what an event that leads to this shows of its side; an edit made after it and before
    the read is seen by its own event. A pair that is suspended, has ended or lacks one of its rows
    is left as it is. Settle the link's open writes first.
    """
    if knows_all(link, rules) or guards.is_suspended(link):
        return LinesUpdate(link)
    if link.state is State.CREATING:
        return LinesUpdate(known_before(link, rules))
    if link.state is State.ENDED:
        return LinesUpdate(link)
    unknown = unknown_lines(link, rules)
    held = {side: rows[side] for side in SIDES if side in rows and rows[side].row is not None}
    if unknown and len(held) < len(SIDES):
        return LinesUpdate(link)
    known = known_lines(link, rules)
    names = {pair.name for pair in unknown}
    gone = {*known, *link.ajera.value, *link.dps.value} - rules.by_name.keys()
    link, conflicts = forget_lines(link, gone | names, now)
    link = _looked_at(link, names, held, shown, rules)
    outcomes: dict[str, LineOutcome] = {}
    for pair in rules.pairs:
        if pair.name in names:
            decided = decide_first(link, pair, UNKNOWN_TIMES, policy, now, rules)
            link, outcomes[pair.name] = decided.link, decided.outcome
            conflicts += () if decided.conflict is None else (decided.conflict,)
        elif known[pair.name] != rules.fingerprints[pair.name]:
            link, told = apply_rule(link, pair, known[pair.name], policy, now, rules)
            conflicts += told
    return LinesUpdate(replace(link, lines=rules.fingerprints), conflicts, outcomes)


def known_before(link: Link, rules: Rules) -> Link:
    """The link, knowing only what did not change: the row is created with these lines, and the
    others are looked at once it is there.
    """
    known = known_lines(link, rules)
    lines = {name: found for name, found in rules.fingerprints.items() if known.get(name) == found}
    return replace(link, lines=lines)


def forget_lines(
    link: Link, names: Collection[str], now: datetime
) -> tuple[Link, tuple[Conflict, ...]]:
    """The link without these lines. What waited there for a person, or to be carried over, ends."""
    if not names:
        return link, ()
    conflicts = tuple(
        about_name(link, name, Kind.LINE_CHANGED, None, None, now)
        for name in sorted(names)
        if name in link.parked or any(link.side(side).has_pending_edit(name) for side in SIDES)
    )
    return replace(
        link,
        ajera=_without_lines(link.ajera, names),
        dps=_without_lines(link.dps, names),
        parked=_less(link.parked, names),
        coincident=link.coincident.difference(names),
        kept=link.kept.difference(names),
    ), conflicts


def _without_lines(link_side: LinkSide, names: Collection[str]) -> LinkSide:
    pending = (
        replace(
            one,
            values=_less(one.values, names),
            expected=_less(one.expected, names),
        )
        for one in link_side.pending
    )
    return replace(
        link_side.without_pending(names),
        value=_less(link_side.value, names),
        observed=_less(link_side.observed, names),
        edited_at=_less(link_side.edited_at, names),
        pending=tuple(one for one in pending if one.values),
    )


def _less(mapping: Mapping[str, T], names: Collection[str]) -> dict[str, T]:
    return {name: value for name, value in mapping.items() if name not in names}


def _looked_at(
    link: Link,
    names: Collection[str],
    held: Mapping[Side, LockedRow],
    shown: Mapping[Side, Values],
    rules: Rules,
) -> Link:
    """The link with what both rows hold in these lines."""
    for side, locked in held.items() if names else ():
        link_side, row = link.side(side), rules.observed(side, locked.row or {})
        found = {name: value for name, value in row.items() if name in names}
        of_event = {n: value for n, value in shown.get(side, {}).items() if n in found}
        link_side = replace(
            link_side,
            value={**link_side.value, **found},
            observed={**link_side.observed, **found, **of_event},
        )
        link = link.with_side(side, looked_at(link_side, found, locked.at) if found else link_side)
    return link


def apply_rule(
    link: Link,
    pair: ColumnPair,
    before: str,
    policy: FirstLinkPolicy,
    now: datetime,
    rules: Rules,
) -> tuple[Link, tuple[Conflict, ...]]:
    """What is compared is the same, so that no row is read.

    What a side asks for that asks for nothing any more ends. What was parked, or differs since no
    edit on that side was carried over, is decided again: by when it was typed, where that is known.
    """
    name, was_parked = pair.name, pair.name in link.parked
    idle = [side for side in SIDES if side not in pair.sides_that_ask]
    ends = any(link.side(side).has_pending_edit(name) for side in idle)
    told = about_name(link, name, Kind.LINE_CHANGED, pair.rule, None, now)
    link = link.unparked(name)
    for side in idle:
        link = link.with_side(side, link.side(side).clean(name))
    conflicts = (told,) if ends else ()
    is_asked = any(link.side(side).has_pending_edit(name) for side in SIDES)
    is_opened = bool(asking(rules.fingerprints[name]) - asking(before))
    if is_asked or not (was_parked or is_opened):
        return link, conflicts
    link = forget_blank_edits(link, pair)
    times = (link.ajera.edited_at.get(name), link.dps.edited_at.get(name))
    decided = decide_first(link, pair, times, policy, now, rules)
    return decided.link, conflicts + (() if decided.conflict is None else (decided.conflict,))


def forget_blank_edits(link: Link, pair: ColumnPair) -> Link:
    """Where one side is blank it loses, whoever typed when."""
    if not any(pair.is_blank(side, link.side(side).value.get(pair.name)) for side in SIDES):
        return link
    for side in SIDES:
        link_side = link.side(side)
        link = link.with_side(
            side,
            replace(link_side, edited_at=without(link_side.edited_at, pair.name)),
        )
    return link
