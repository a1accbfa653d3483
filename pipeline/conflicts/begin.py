"""How a link begins: a counterpart is created, or two rows that both exist are linked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from pipeline.conflicts.classify import looked_at
from pipeline.conflicts.conflict import Conflict, Kind, about_line
from pipeline.conflicts.decide import (
    asked_by_both,
    is_comparable,
    parked,
    plan,
)
from pipeline.conflicts.decision import Decision, Reason
from pipeline.conflicts.forms import folded
from pipeline.conflicts.link import Link, LinkSide, Seen, State
from pipeline.conflicts.reconcile import finish
from pipeline.conflicts.rules import SIDES, ColumnPair, Rule, Rules, Side
from pipeline.model.event import Row, Value
from pipeline.model.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Found:
    """A row as read under lock. `at`: that database's own clock, read in the same transaction.

    `seen`: the event that led to it, or, if none did,
    the newest epoch that is known of that side's capture.
    `modified_at`: the row's own modified date, aware, where it has one.
    """

    table: str
    key: str
    row: Row = field(repr=False)
    at: datetime
    seen: Seen = field(default_factory=Seen)
    modified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FirstLinkPolicy:
    """How two filled rows that differ are linked, after what `first_link` says of itself: by the
    side that `prefers` names; None: the line is parked.
    """

    prefers: Side | None = None


def create(
    link_id: str,
    entity: str,
    side: Side,
    found: Found,
    table: str,
    now: datetime,
    rules: Rules,
) -> Decision:
    """Begin a link for a row of `side` that has no counterpart,
    which is created in `table` of the other side.
    """
    source, target = _half(found, rules, side), LinkSide(table, None)
    waits = (
        p.name
        for p in rules.pairs
        if p.name in source.value and not p.knows(source.value[p.name], side.other)
    )
    source = replace(
        source,
        dirty=frozenset(name for name in waits if rules.by_name[name].flows_to(side.other)),
    )
    halves = (source, target) if side is Side.AJERA else (target, source)
    link, writes = plan(Link(link_id, entity, *halves, state=State.CREATING), rules, now)
    return Decision(link, writes, Outcome.WRITTEN, Reason.CREATED)


def first_link(
    link_id: str,
    entity: str,
    ajera: Found,
    dps: Found,
    policy: FirstLinkPolicy,
    now: datetime,
    rules: Rules,
    off: frozenset[Side] = frozenset(),
) -> Decision:
    """Link two filled rows. They agree on nothing yet: what differs is decided line by line,
    and logged.

    A filled value stays where the other one is blank, and fills it if the line flows there. Else
    the rule's owner wins, or the sender; NEWEST by modified dates; then the policy. A line that
    only fills is parked. A line whose two values cannot be compared yet,
    because neither side knows the other's, stays open until they can.
    """
    halves = _half(ajera, rules, Side.AJERA), _half(dps, rules, Side.DPS)
    link = Link(link_id, entity, *halves, state=State.LINKED, off=off)
    conflicts: list[Conflict] = []
    for pair in rules.pairs:
        if pair.rule is Rule.CREATE_ONLY or not link.is_known(pair.name) or _agree(link, pair):
            continue
        winner = _first_winner(link, pair, ajera, dps, policy, rules)
        if winner is None and not is_comparable(link, pair):
            link = asked_by_both(link, pair)
            continue
        conflicts.append(about_line(link, pair, Kind.FIRST_LINK, winner, now))
        if winner is None:
            link = _first_parked(link, pair, now)
        elif pair.flows_to(winner.other):
            link = _first_won(link, pair, winner, ajera, dps)
        else:
            link = replace(link, kept=link.kept | {pair.name})
    link, writes = plan(link, rules, now)
    outcome = Outcome.WRITTEN if writes else Outcome.PARKED if link.parked else Outcome.SKIPPED
    return Decision(link, writes, outcome, Reason.LINKED, tuple(conflicts))


def succeed(
    link_id: str,
    old: Link,
    side: Side,
    found: Found,
    at: datetime,
    now: datetime,
    rules: Rules,
    off: frozenset[Side],
) -> Decision:
    """Another row of `side` takes a place beside the counterpart of `old`:
    what differs was typed there, at that time.

    What the counterpart's people typed and `old` had not carried over goes on asking.
    """
    half, kept = _half(found, rules, side), old.half(side.other)
    halves = (half, kept) if side is Side.AJERA else (kept, half)
    link = Link(
        link_id,
        old.entity,
        *halves,
        state=State.LINKED,
        number=old.number,
        off=off,
    )
    differing = [p for p in rules.pairs if link.is_known(p.name) and not _agree(link, p)]
    typed = dict.fromkeys((p.name for p in differing), at)
    dirty = frozenset(p.name for p in differing if p.reacts_to_edits_on(side))
    decision = finish(
        link.with_half(side, replace(half, edited_at=typed, dirty=dirty)),
        now,
        rules,
        Reason.LINKED,
    )
    return replace(
        decision,
        outcome=Outcome.WRITTEN if decision.writes else decision.outcome,
    )


def _half(found: Found, rules: Rules, side: Side) -> LinkSide:
    values = rules.observed(side, found.row)
    return looked_at(
        LinkSide(found.table, found.key, found.seen, values, values),
        values,
        found.at,
    )


def _agree(link: Link, pair: ColumnPair) -> bool:
    return pair.agrees(link.ajera.value[pair.name], link.dps.value[pair.name])


def _first_winner(
    link: Link,
    pair: ColumnPair,
    ajera: Found,
    dps: Found,
    policy: FirstLinkPolicy,
    rules: Rules,
) -> Side | None:
    blank = [side for side in SIDES if pair.is_blank(side, link.half(side).value[pair.name])]
    if len(blank) == 1:  # a blank is nobody's decision
        return blank[0].other
    if pair.only_fills:
        return None
    given = pair.owning_side or pair.sender
    if given is not None or pair.rule is Rule.MANUAL:
        return given
    if ajera.modified_at is not None and dps.modified_at is not None:
        return rules.later(pair, ajera.modified_at, dps.modified_at)
    return pair.owner if _is_one_spelling(link, pair) else policy.prefers


def _is_one_spelling(link: Link, pair: ColumnPair) -> bool:
    """Is it the same text but for the case of its letters and its blanks,
    which matching by name ignores too.
    """
    ajera, dps = (link.half(side).value[pair.name] for side in Side)
    return _folded(pair.to_dps(ajera)) == _folded(dps) or _folded(ajera) == _folded(
        pair.to_ajera(dps)
    )


def _folded(value: Value) -> Value:
    return folded(value) if isinstance(value, str) else value


def _first_won(link: Link, pair: ColumnPair, winner: Side, ajera: Found, dps: Found) -> Link:
    """The winner's value asks to be carried over.
    Under NEWEST the modified dates stand for the times of the edits.
    """
    if pair.rule is Rule.NEWEST and ajera.modified_at is not None and dps.modified_at is not None:
        link = replace(link, ajera=_dated(link.ajera, pair.name, ajera.modified_at))
        link = replace(link, dps=_dated(link.dps, pair.name, dps.modified_at))
    return link.with_half(winner, link.half(winner).mark_pending(pair.name))


def _dated(half: LinkSide, name: str, at: datetime) -> LinkSide:
    return replace(half, edited_at={**half.edited_at, name: at})


def _first_parked(link: Link, pair: ColumnPair, now: datetime) -> Link:
    """A MANUAL line counts as edited on both sides,
    so that a later edit of one does not decide it.
    """
    if pair.rule is Rule.MANUAL or pair.only_fills:
        link = asked_by_both(link, pair)
    return parked(link, pair.name, Kind.FIRST_LINK, now)
