"""The writes that follow from what is asked for in a link."""

from __future__ import annotations

from datetime import datetime

from pipeline.conflicts import guards
from pipeline.conflicts.decide import is_open
from pipeline.conflicts.decision import Write
from pipeline.conflicts.link import Link, LinkSide, Pending
from pipeline.conflicts.rules import SIDES, ColumnPair, Rules, Side
from pipeline.model.event import Value
from pipeline.model.replace import replace


def plan_writes(link: Link, rules: Rules, now: datetime) -> tuple[Link, tuple[Write, ...]]:
    """The writes that what is asked for leads to, at most one a side,
    each noted in the link as not yet carried out.
    """
    writes: list[Write] = []
    for side in (Side.DPS, Side.AJERA):
        link_side = link.side(side)
        values = (
            _to_create(link, side, rules)
            if link_side.key is None
            else _to_change(link, side, rules)
        )
        if not values:
            continue
        expected = {} if link_side.key is None else {name: link_side.value[name] for name in values}
        number = link.number + 1
        pending = Pending(number, values, expected, now, creates=link_side.key is None)
        noted = replace(link_side, pending=(*link_side.pending, pending))
        link = link.with_side(side, noted, number)
        writes.append(Write(link.id, side, number, link_side.key, values, expected))
    return link, tuple(writes)


def _to_create(link: Link, side: Side, rules: Rules) -> dict[str, Value]:
    source = link.side(side.other)
    known = (pair for pair in rules.pairs if pair.flows_to(side) and pair.name in source.value)
    return {
        pair.name: pair.convert(source.value[pair.name], to=side)
        for pair in known
        if pair.can_translate(source.value[pair.name], side)
    }


def _to_change(link: Link, side: Side, rules: Rules) -> dict[str, Value]:
    values: dict[str, Value] = {}
    link_side, other = link.side(side), link.side(side.other)
    if not (link_side.wanted or other.dirty):
        return values
    for pair in rules.pairs:
        name = pair.name
        if not link.is_known(name) or name in link.parked:
            continue
        if name in link_side.wanted:
            values[name] = link_side.wanted[name].value
        elif side.other in link.off:
            continue
        elif _is_asked_of(link_side, other, pair, side) and pair.can_translate(
            other.value[name], side
        ):
            values[name] = pair.convert(other.value[name], to=side)
    return values


def _is_asked_of(link_side: LinkSide, other: LinkSide, pair: ColumnPair, side: Side) -> bool:
    """Is the other side's value to be written here.
    One that its own row does not hold yet is written there first.
    """
    return pair.name in other.dirty and pair.name not in link_side.dirty and pair.flows_to(side)


def waiting(link: Link, rules: Rules) -> tuple[tuple[str, Side], ...]:
    """Lines asked for whose value the receiving side has no counterpart of yet, with that side."""
    if guards.is_suspended(link):
        return ()
    found: list[tuple[str, Side]] = []
    for side in SIDES:
        other = link.side(side.other)
        if other.dirty and side.other not in link.off:
            dirty = [pair for pair in rules.pairs if pair.name in other.dirty]
            found += ((pair.name, side) for pair in dirty if _is_waiting(link, pair, side))
    return tuple(found)


def _is_waiting(link: Link, pair: ColumnPair, side: Side) -> bool:
    link_side, other = link.side(side), link.side(side.other)
    return (
        link.is_known(pair.name)
        and pair.name not in link.parked
        and (_is_asked_of(link_side, other, pair, side) or is_open(link, pair))
        and not pair.can_translate(other.value[pair.name], side)
    )
