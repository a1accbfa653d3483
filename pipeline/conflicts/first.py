"""The first-link policy: what becomes of a line whose two values differ, though nobody is known to
have edited one of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from pipeline.conflicts.conflict import Conflict, Kind, about_line
from pipeline.conflicts.decide import edited_on_both, is_comparable, parked
from pipeline.conflicts.forms import folded
from pipeline.conflicts.link import Link, LinkSide
from pipeline.conflicts.rules import SIDES, ColumnPair, Rule, Rules, Side
from pipeline.model.event import Value

Times = tuple[datetime | None, datetime | None]  # of Ajera's value and of DPS's
UNKNOWN_TIMES: Times = (None, None)


@dataclass(frozen=True, slots=True)
class FirstLinkPolicy:
    """How two filled rows that differ are linked, after what `decide_first` says of itself: by the
    side that `prefers` names; None: the line is parked.
    """

    prefers: Side | None = None


class LineOutcome(StrEnum):
    """What becomes of a line that is looked at for the first time."""

    IGNORED = "ignored"  # only written when a row is created, or one side has no such column
    SAME = "same"  # both sides agree
    TO_AJERA = "to_ajera"  # DPS's value is written into Ajera
    TO_DPS = "to_dps"
    KEPT = "kept"  # the sender is blank: the filled value stays, and nothing is written
    PARKED = "parked"  # a person decides
    WAITS = "waits"  # until the winner's row is exchanged, or its value has a counterpart


@dataclass(frozen=True, slots=True)
class FirstDecision:
    """The link with a line decided, and the entry of the log."""

    link: Link
    outcome: LineOutcome
    conflict: Conflict | None = None


def decide_first(
    link: Link,
    pair: ColumnPair,
    times: Times,
    policy: FirstLinkPolicy,
    now: datetime,
    rules: Rules,
) -> FirstDecision:
    """Decide one line.

    A filled value stays where the other one is blank, and fills it if the line flows there. Else
    the rule's owner wins, or the sender; NEWEST by `times`; then the policy. A line that
    only fills is parked. A line whose two values cannot be compared yet,
    because neither side knows the other's, stays open until they can.
    """
    name = pair.name
    if pair.rule is Rule.CREATE_ONLY or not link.is_known(name):
        return FirstDecision(link, LineOutcome.IGNORED)
    if pair.agrees(link.ajera.value[name], link.dps.value[name]):
        return FirstDecision(link, LineOutcome.SAME)
    winner = _winner(link, pair, times, policy, rules)
    if winner is None and not is_comparable(link, pair):
        return FirstDecision(edited_on_both(link, pair), LineOutcome.WAITS)
    conflict = about_line(link, pair, Kind.FIRST_LINK, winner, now)
    if winner is None:
        return FirstDecision(_parked(link, pair, now), LineOutcome.PARKED, conflict)
    if not pair.flows_to(winner.other):
        kept = replace(link, kept=link.kept | {name})
        return FirstDecision(kept, LineOutcome.KEPT, conflict)
    return FirstDecision(
        _won(link, pair, winner, times),
        _what_becomes(link, pair, winner),
        conflict,
    )


def _winner(
    link: Link,
    pair: ColumnPair,
    times: Times,
    policy: FirstLinkPolicy,
    rules: Rules,
) -> Side | None:
    blank = [side for side in SIDES if pair.is_blank(side, link.side(side).value[pair.name])]
    if len(blank) == 1:  # a blank is nobody's decision
        return blank[0].other
    if pair.only_fills:
        return None
    given = pair.owning_side or pair.sender
    if given is not None or pair.rule is Rule.MANUAL:
        return given
    if times != UNKNOWN_TIMES:
        return rules.side_edited_last(pair, *times)
    return pair.owner if _is_one_spelling(link, pair) else policy.prefers


def _is_one_spelling(link: Link, pair: ColumnPair) -> bool:
    """Is it the same text but for the case of its letters and its blanks,
    which matching by name ignores too.
    """
    ajera, dps = (link.side(side).value[pair.name] for side in Side)
    return _folded(pair.to_dps(ajera)) == _folded(dps) or _folded(ajera) == _folded(
        pair.to_ajera(dps)
    )


def _folded(value: Value) -> Value:
    return folded(value) if isinstance(value, str) else value


def _what_becomes(link: Link, pair: ColumnPair, winner: Side) -> LineOutcome:
    if winner in link.off or not pair.can_translate(
        link.side(winner).value[pair.name], winner.other
    ):
        return LineOutcome.WAITS
    return LineOutcome.TO_DPS if winner is Side.AJERA else LineOutcome.TO_AJERA


def _won(link: Link, pair: ColumnPair, winner: Side, times: Times) -> Link:
    """The winner's value asks to be carried over.
    Under NEWEST the times are those of the edits.
    """
    if pair.rule is Rule.NEWEST:
        link = replace(link, ajera=_dated(link.ajera, pair.name, times[0]))
        link = replace(link, dps=_dated(link.dps, pair.name, times[1]))
    return link.with_side(winner, link.side(winner).mark_pending(pair.name))


def _dated(link_side: LinkSide, name: str, at: datetime | None) -> LinkSide:
    return (
        link_side if at is None else replace(link_side, edited_at={**link_side.edited_at, name: at})
    )


def _parked(link: Link, pair: ColumnPair, now: datetime) -> Link:
    """A MANUAL line counts as edited on both sides,
    so that a later edit of one does not decide it.
    """
    if pair.rule is Rule.MANUAL or pair.only_fills:
        link = edited_on_both(link, pair)
    return parked(link, pair.name, Kind.FIRST_LINK, now)
