"""A person's decision: resolve what is parked, or reverse what was decided.
Both are edits that flow the normal way.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from pipeline.conflicts import guards
from pipeline.conflicts.conflict import Conflict, Kind
from pipeline.conflicts.decision import Decision, Reason
from pipeline.conflicts.link import Desired, Link, LinkSide, without
from pipeline.conflicts.reconcile import finish
from pipeline.conflicts.rules import ColumnPair, Rules, Side
from pipeline.errors import UsageError
from pipeline.model.event import Value


@dataclass(frozen=True, slots=True)
class EnteredValue:
    """A value that a person types instead of choosing a side, as `side` would store it."""

    side: Side
    value: Value = field(repr=False)


def resolve(
    link: Link,
    name: str,
    choice: Side | EnteredValue,
    now: datetime,
    rules: Rules,
) -> Decision:
    """Decide a parked line by a side or a value. Raises UsageError when it is not parked."""
    entry = link.parked.get(name)
    if entry is None:
        raise UsageError(f"line {name} of this pair is not parked")
    if isinstance(choice, EnteredValue):
        return _enter(link, name, choice.side, choice.value, now, rules)
    value = entry.ajera if choice is Side.AJERA else entry.dps
    return _enter(link, name, choice, value, now, rules)


def reverse(link: Link, entry: Conflict, now: datetime, rules: Rules) -> Decision:
    """Let the loser of a decided conflict win after all.
    Raises UsageError for an entry that decided nothing.
    """
    if entry.winner is None or entry.column is None or entry.link != link.id:
        raise UsageError("this entry of the conflict log decided nothing that could be reversed")
    if entry.kind is Kind.OWNED_PUT_BACK and entry.column not in rules.by_name:
        raise UsageError(
            f"{entry.column} is no line of the exchange: its owner alone decides what is there"
        )
    return _enter(
        link,
        entry.column,
        entry.winner.other,
        entry.value(entry.winner.other),
        now,
        rules,
    )


def _enter(
    link: Link,
    name: str,
    side: Side,
    value: Value,
    now: datetime,
    rules: Rules,
) -> Decision:
    """Enter a value as an edit of `side`, made now, over whatever the other side was edited to."""
    pair = rules.by_name.get(name)
    if pair is None or not link.is_known(name):
        raise UsageError(f"line {name} of this pair is not known")
    if guards.is_ended(link):
        raise UsageError("this pair is not linked any more")
    if guards.is_suspended(link):
        raise UsageError("this pair is suspended: one of its rows is not of its kind any more")
    at, value = _place(pair, side, value)
    other = link.side(at.other).clean(name)
    other = replace(other, edited_at=without(other.edited_at, name))
    link_side = link.side(at).clean(name)
    link_side = replace(
        link_side,
        wanted={
            **link_side.wanted,
            name: Desired(value, now, is_decided=True),
        },
    )
    if pair.only_fills:
        other = _filled_by(pair, other, at.other, value, now)
    link = link.with_side(at, link_side).with_side(at.other, other).unparked(name)
    return finish(link, now, rules, Reason.DECIDED)


def _filled_by(
    pair: ColumnPair,
    other: LinkSide,
    side: Side,
    value: Value,
    now: datetime,
) -> LinkSide:
    """The receiving side of a line that only fills: no edit replaces its value,
    so the decision is entered there too.
    """
    decided = Desired(pair.convert(value, to=side), now, is_decided=True)
    return replace(other, wanted={**other.wanted, pair.name: decided})


def _place(pair: ColumnPair, side: Side, value: Value) -> tuple[Side, Value]:
    """Where the edit is entered so that the rule lets it through, and how that side stores it.

    Raises UsageError for a value that the other side cannot hold: both would be blank.
    """
    if not any(pair.flows_to(each) for each in Side):
        raise UsageError(f"line {pair.name} is not written by this installation")
    at = pair.entry_side(side)
    if (at is not side or pair.flows_to(side.other)) and not pair.can_translate(value, side.other):
        lacking = (
            "counterpart of that value yet (a list entry, or a linked row)"
            if pair.through
            else "value for it"
        )
        raise UsageError(
            f"line {pair.name}: {side.other} has no {lacking}, so both sides would be blank"
        )
    if at is side:
        return at, value
    placed = pair.convert(value, to=at)
    if not pair.through and pair.convert(placed, to=side) != value:
        raise UsageError(
            f"line {pair.name}: {at} cannot hold that value, and {at} is where it must be entered"
        )
    return at, placed
