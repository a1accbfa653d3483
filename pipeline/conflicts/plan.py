"""The writes that follow from what is asked for in a link."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from pipeline.conflicts import guards
from pipeline.conflicts.decide import is_open
from pipeline.conflicts.decision import Write
from pipeline.conflicts.link import Link, LinkSide, Pending
from pipeline.conflicts.rules import SIDES, ColumnPair, Rules, Side
from pipeline.model.event import Value


def plan(link: Link, rules: Rules, now: datetime) -> tuple[Link, tuple[Write, ...]]:
    """The writes that what is asked for leads to, at most one a side,
    each noted in the link as not yet carried out.
    """
    writes: list[Write] = []
    for side in (Side.DPS, Side.AJERA):
        half = link.half(side)
        values = (
            _to_create(link, side, rules) if half.key is None else _to_change(link, side, rules)
        )
        if not values:
            continue
        expected = {} if half.key is None else {name: half.value[name] for name in values}
        number = link.number + 1
        pending = Pending(number, values, expected, now, creates=half.key is None)
        noted = replace(half, pending=(*half.pending, pending))
        link = link.with_half(side, noted, number)
        writes.append(Write(link.id, side, number, half.key, values, expected))
    return link, tuple(writes)


def _to_create(link: Link, side: Side, rules: Rules) -> dict[str, Value]:
    source = link.half(side.other)
    known = (pair for pair in rules.pairs if pair.flows_to(side) and pair.name in source.value)
    return {
        pair.name: pair.convert(source.value[pair.name], to=side)
        for pair in known
        if pair.knows(source.value[pair.name], side)
    }


def _to_change(link: Link, side: Side, rules: Rules) -> dict[str, Value]:
    values: dict[str, Value] = {}
    half, other = link.half(side), link.half(side.other)
    if not (half.wanted or other.dirty):
        return values
    for pair in rules.pairs:
        name = pair.name
        if not link.is_known(name) or name in link.parked:
            continue
        if name in half.wanted:
            values[name] = half.wanted[name].value
        elif side.other in link.off:
            continue
        elif _is_asked_of(half, other, pair, side) and pair.knows(other.value[name], side):
            values[name] = pair.convert(other.value[name], to=side)
    return values


def _is_asked_of(half: LinkSide, other: LinkSide, pair: ColumnPair, side: Side) -> bool:
    """Is the other side's value to be written here.
    One that its own row does not hold yet is written there first.
    """
    return pair.name in other.dirty and pair.name not in half.dirty and pair.flows_to(side)


def waiting(link: Link, rules: Rules) -> tuple[tuple[str, Side], ...]:
    """Lines asked for whose value the receiving side has no counterpart of yet, with that side."""
    if guards.is_suspended(link):
        return ()
    return tuple(
        (pair.name, side)
        for side in SIDES
        if link.half(side.other).dirty and side.other not in link.off
        for pair in rules.pairs
        if pair.name in link.half(side.other).dirty
        and link.is_known(pair.name)
        and pair.name not in link.parked
        and (
            _is_asked_of(link.half(side), link.half(side.other), pair, side) or is_open(link, pair)
        )
        and not pair.knows(link.half(side.other).value[pair.name], side)
    )
