"""Deciding: line by line who wins."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from pipeline.conflicts import guards
from pipeline.conflicts.conflict import Conflict, Kind, about_line
from pipeline.conflicts.link import Link, LinkSide, Parked
from pipeline.conflicts.rules import SIDES, ColumnPair, Rule, Rules, Side
from pipeline.model.replace import replace


def resolve_columns(link: Link, rules: Rules, now: datetime) -> tuple[Link, tuple[Conflict, ...]]:
    """Every line decided that can be: agreement made clean, winners asking, losers clean,
    the undecidable parked.
    """
    asked = {
        *link.ajera.dirty,
        *link.dps.dirty,
        *link.ajera.wanted,
        *link.dps.wanted,
    }
    if not asked:
        return link, ()
    conflicts: list[Conflict] = []
    for pair in rules.pairs:
        if pair.name not in asked or not link.is_known(pair.name):
            continue
        link = _fulfilled(link, pair.name)
        if not (link.ajera.has_pending_edit(pair.name) or link.dps.has_pending_edit(pair.name)):
            continue
        if pair.agrees(link.ajera.user_value(pair.name), link.dps.user_value(pair.name)):
            link = _agreed(link, pair.name)
        elif pair.name not in link.parked:
            link, conflict = _decide(link, pair, rules, now)
            conflicts += [] if conflict is None else [conflict]
    return link, tuple(conflicts)


def _fulfilled(link: Link, name: str) -> Link:
    """A wanted value that its row holds by now is an edit like any other."""
    for side in SIDES:
        link_side = link.side(side)
        wanted = link_side.wanted.get(name)
        if wanted is not None and wanted.value == link_side.value[name]:
            dated = {**link_side.edited_at, name: wanted.at}
            link = link.with_side(
                side,
                replace(
                    link_side.clean(name).mark_pending(name),
                    edited_at=dated,
                ),
            )
    return link


def _agreed(link: Link, name: str) -> Link:
    """Both typed the same. A value that its own row does not
    hold yet remains to be written there.
    """
    link = link.unparked(name)
    if name in link.ajera.wanted or name in link.dps.wanted:
        return link
    halves = (link.ajera, link.dps)
    is_typed = any(
        link_side.has_pending_edit(name) and link_side.contended_at(name) is not None
        for link_side in halves
    )
    coincident = link.coincident | {name} if is_typed else link.coincident
    return replace(
        link,
        ajera=link.ajera.clean(name),
        dps=link.dps.clean(name),
        coincident=coincident,
    )


def _decide(
    link: Link, pair: ColumnPair, rules: Rules, now: datetime
) -> tuple[Link, Conflict | None]:
    if is_open(link, pair):
        if not is_comparable(link, pair):
            return link, None
        return _left_to_a_person(link, pair, Kind.FIRST_LINK, now)
    winner = _winner(link, pair, rules)
    if winner is None:
        return _left_to_a_person(
            edited_on_both(link, pair),
            pair,
            Kind.UPDATE_ORIGIN_DIFFERS,
            now,
        )
    if guards.is_kept(link, pair, winner):
        return link.with_side(winner.other, link.side(winner.other).clean(pair.name)), None
    if (
        winner in link.off
    ):  # nothing of that side is carried over, so the other's value waits until it is set to be
        return link.with_side(winner, link.side(winner).mark_pending(pair.name)), None
    if guards.is_filled_already(link, pair):
        return _only_filling(link, pair, now)
    if not (
        link.side(winner.other).has_pending_edit(pair.name) or _was_covered(link, pair, winner)
    ):
        return link, None
    is_put_back = pair.owning_side is winner and not link.side(winner).has_pending_edit(pair.name)
    kind = Kind.OWNED_PUT_BACK if is_put_back else Kind.UPDATE_ORIGIN_DIFFERS
    return _won(link, pair, winner), about_line(link, pair, kind, winner, now)


def _left_to_a_person(
    link: Link, pair: ColumnPair, why: Kind, now: datetime
) -> tuple[Link, Conflict]:
    return parked(link, pair.name, why, now), about_line(link, pair, why, None, now)


def _only_filling(link: Link, pair: ColumnPair, now: datetime) -> tuple[Link, Conflict | None]:
    """The receiving side is filled: parked, once the two values are known to differ."""
    if not is_comparable(link, pair):
        return link, None
    return _left_to_a_person(link, pair, Kind.FILLED_ALREADY, now)


def is_comparable(link: Link, pair: ColumnPair) -> bool:
    """Does a side at least know what the other's value is there:
    only then are the two known to differ.
    """
    return any(
        pair.can_translate(link.side(side).user_value(pair.name), side.other) for side in Side
    )


def is_open(link: Link, pair: ColumnPair) -> bool:
    """Was this line left undecided when two filled rows were linked, and has nobody typed since."""
    if pair.rule is not Rule.NEWEST or not (
        link.ajera.has_pending_edit(pair.name) and link.dps.has_pending_edit(pair.name)
    ):
        return False
    return link.ajera.contended_at(pair.name) is link.dps.contended_at(pair.name) is None


def _winner(link: Link, pair: ColumnPair, rules: Rules) -> Side | None:
    """The side whose value wins; None where a person must decide. One side at least contends."""
    contenders = [side for side in SIDES if link.side(side).has_pending_edit(pair.name)]
    match pair.rule:
        case Rule.AJERA:
            return Side.DPS if _waits_since_creation(link, pair, Side.DPS) else Side.AJERA
        case Rule.DPS:
            return Side.AJERA if _waits_since_creation(link, pair, Side.AJERA) else Side.DPS
        case Rule.NEWEST:
            return _newest(link, pair, contenders, rules)
        case Rule.MANUAL:
            return _unopposed(link, pair, contenders, rules)
        case Rule.CREATE_ONLY:
            return contenders[0]  # only a person's decision contends here
        case _:
            assert_never(pair.rule)


def _waits_since_creation(link: Link, pair: ColumnPair, side: Side) -> bool:
    """Was this value left out when the counterpart was created, and nobody has typed since:
    no edit to be put back.
    """
    name = pair.name
    is_asking = (
        link.side(side).has_pending_edit(name) and link.side(side).contended_at(name) is None
    )
    return is_asking and not link.side(side.other).has_pending_edit(name)


def _newest(link: Link, pair: ColumnPair, contenders: list[Side], rules: Rules) -> Side:
    if len(contenders) == 2:
        return rules.side_edited_last(
            pair,
            link.ajera.contended_at(pair.name),
            link.dps.contended_at(pair.name),
        )
    only = contenders[0]
    return only.other if guards.is_overtaken(link, pair, only, rules) else only


def _unopposed(link: Link, pair: ColumnPair, contenders: list[Side], rules: Rules) -> Side | None:
    """The one side that was edited. What the other one typed meanwhile counts,
    though they agreed by coincidence since.
    """
    only = contenders[0]
    if (
        len(contenders) == 2
        or _was_covered(link, pair, only)
        or guards.may_be_unaware(link, pair, only, rules)
    ):
        return None
    return only


def _was_covered(link: Link, pair: ColumnPair, side: Side) -> bool:
    """Was this edit covered by our write of what the other side typed:
    both were edited after all.
    """
    wanted = link.side(side).wanted.get(pair.name)
    return wanted is not None and not wanted.is_decided


def _won(link: Link, pair: ColumnPair, winner: Side) -> Link:
    """The loser asks for nothing any more; the winner's value is to be carried over,
    unless it is there already.
    """
    name = pair.name
    if name in link.side(winner).wanted:
        link = link.with_side(winner, _certain(link.side(winner), name))
    link = link.with_side(winner.other, link.side(winner.other).clean(name))
    if (
        pair.agrees(link.ajera.user_value(name), link.dps.user_value(name))
        and name not in link.side(winner).wanted
    ):
        return link.with_side(winner, link.side(winner).clean(name))
    return link.with_side(winner, link.side(winner).mark_pending(name))


def _certain(link_side: LinkSide, name: str) -> LinkSide:
    return replace(
        link_side,
        wanted={
            **link_side.wanted,
            name: replace(link_side.wanted[name], is_decided=True),
        },
    )


def edited_on_both(link: Link, pair: ColumnPair) -> Link:
    """Each side whose value may flow counts as edited,
    so that a later edit of one does not decide the line.
    """
    for side in SIDES:
        if pair.flows_to(side.other):
            link = link.with_side(side, link.side(side).mark_pending(pair.name))
    return link


def parked(link: Link, name: str, why: Kind, now: datetime) -> Link:
    """The line waits for a person, with what each side typed."""
    entry = Parked(link.ajera.user_value(name), link.dps.user_value(name), now, why)
    return replace(link, parked={**link.parked, name: entry})
