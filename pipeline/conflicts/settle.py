"""What became of a write: compare before it, fence it in Ajera, fold its outcome into the link."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import assert_never

from pipeline.conflicts import guards
from pipeline.conflicts.conflict import (
    Conflict,
    Kind,
    about_line,
    about_row,
)
from pipeline.conflicts.decision import (
    Applied,
    GivenUp,
    KeyTaken,
    Recorded,
    RowGone,
    Write,
    WriteOutcome,
)
from pipeline.conflicts.ending import end
from pipeline.conflicts.link import (
    Link,
    LinkSide,
    Obstacle,
    Pending,
    Seen,
    State,
    Values,
)
from pipeline.conflicts.rules import SIDES, Rules, Side
from pipeline.model.event import Row, Value
from pipeline.model.frozen import light
from pipeline.model.replace import replace


@light(frozen=True, slots=True)
class Settled:
    """The link with a write's outcome in it, and what must be logged of it."""

    link: Link
    conflicts: tuple[Conflict, ...] = ()


def applicable(write: Write, row: Row, rules: Rules) -> dict[str, Value]:
    """Compare: of a write's lines those that a row, read under lock, still holds as expected.
    `rules.written` makes columns of them.
    """
    holding = guards.still_holds(write.expected, row, write.side, rules)
    return {name: value for name, value in write.values.items() if name in holding}


def open_writes(link: Link) -> tuple[tuple[Side, int], ...]:
    """The writes without an outcome, which whoever touches
    the link settles before anything else.
    """
    return tuple(
        (side, number) for side in SIDES for number in guards.open_numbers(link.side(side).pending)
    )


def intention_of(link: Link, number: int) -> str:
    """The unique number under which Ajera's table knows a write of this link."""
    return f"{link.id}/{number}"


def recalled(number: int, recorded: Recorded | None) -> WriteOutcome:
    """The outcome that Ajera's table of intentions tells. None there:
    the caller has just taken the number (fence).
    """
    if recorded is None or (not recorded.held and recorded.key is None):
        return GivenUp(number)
    return Applied(
        number,
        recorded.held,
        recorded.after,
        recorded.at,
        recorded.key,
        recorded.epoch,
    )


def settle(link: Link, side: Side, outcome: WriteOutcome, rules: Rules) -> Settled:
    """The link after a write's outcome; what it skipped stays asked for.
    A write that was settled before changes nothing.
    """
    pending = next(
        (p for p in link.side(side).pending if p.number == outcome.number and p.is_open),
        None,
    )
    if pending is None:
        return Settled(link)
    match outcome:
        case Applied():
            if pending.creates:
                created = _created(link, side, pending, outcome)
                return _as_the_owner_says(created, side, pending, outcome.at, rules)
            return Settled(_applied(link, side, pending, outcome))
        case GivenUp():
            return Settled(_dropped(link, side, pending))
        case RowGone():
            return _gone(link, side, pending, outcome.at, rules)
        case KeyTaken():
            return _taken(link, side, pending, outcome.at)
        case _:
            assert_never(outcome)


def _applied(link: Link, side: Side, pending: Pending, outcome: Applied) -> Link:
    held = {name: value for name, value in outcome.held.items() if name in pending.values}
    if not held:
        return replace(_dropped(link, side, pending), obstacle=None)
    link_side = link.side(side)
    others = [p for p in link_side.pending if p is not pending]
    link_side = replace(
        link_side,
        value={**link_side.value, **held},
        pending=(*others, _closed(pending, held, outcome)),
    )
    wanted = link_side.wanted.keys() & held.keys()
    for name in sorted(wanted):
        link_side = _fulfilled(link_side, name)
    return _agreed(link, side, link_side, held.keys() - wanted)


def _closed(pending: Pending, held: Values, outcome: Applied) -> Pending:
    expected = {name: value for name, value in pending.expected.items() if name in held}
    return replace(
        pending,
        values=held,
        expected=expected,
        is_open=False,
        after=outcome.after,
        at=outcome.at,
    )


def _fulfilled(link_side: LinkSide, name: str) -> LinkSide:
    """A wanted value that was written is now an edit of this side, to be carried over."""
    dated = {**link_side.edited_at, name: link_side.wanted[name].at}
    return replace(link_side.clean(name).mark_pending(name), edited_at=dated)


def _agreed(link: Link, side: Side, link_side: LinkSide, names: Collection[str]) -> Link:
    """Our write, which left this half, made the sides agree in these lines."""
    link_side, other = (
        link_side.without_pending(names),
        link.side(side.other).without_pending(names),
    )
    ajera, dps = (link_side, other) if side is Side.AJERA else (other, link_side)
    return replace(
        link,
        ajera=ajera,
        dps=dps,
        coincident=link.coincident.difference(names),
        obstacle=None,
    )


def _created(link: Link, side: Side, pending: Pending, outcome: Applied) -> Link:
    link_side = link.side(side)
    held = outcome.held
    link_side = replace(
        link_side,
        key=outcome.key,
        seen=Seen(epoch=outcome.epoch),
        value=held,
        observed=held,
    )
    link_side = replace(link_side, pending=(_closed(pending, held, outcome),))
    source = link.side(side.other)
    link = link.with_side(side, link_side).with_side(
        side.other,
        replace(source, dirty=source.dirty - pending.values.keys()),
    )
    return replace(link, state=State.LINKED, obstacle=None)


def _as_the_owner_says(
    link: Link, side: Side, pending: Pending, at: datetime, rules: Rules
) -> Settled:
    """Lines that the created side owns, and that its database filled by itself, are carried back.

    As at a first link, a blank says nothing.
    A line that waits for its counterpart continues to wait.
    """
    conflicts: list[Conflict] = []
    for pair in rules.pairs:
        name = pair.name
        if pair.owning_side is not side or not pair.flows_to(side.other) or name in pending.values:
            continue
        if not link.is_known(name) or link.side(side.other).has_pending_edit(name):
            continue
        ajera, dps = link.ajera.value[name], link.dps.value[name]
        if pair.is_blank(side, link.side(side).value[name]) or pair.agrees(ajera, dps):
            continue
        conflicts.append(about_line(link, pair, Kind.FIRST_LINK, side, at))
        link = link.with_side(side, link.side(side).mark_pending(name))
    return Settled(link, tuple(conflicts))


def _dropped(link: Link, side: Side, pending: Pending) -> Link:
    link_side = link.side(side)
    return link.with_side(
        side,
        replace(
            link_side,
            pending=tuple(p for p in link_side.pending if p != pending),
        ),
    )


def _gone(link: Link, side: Side, pending: Pending, at: datetime, rules: Rules) -> Settled:
    """The row is not there, so it was deleted: the link ends,
    before the delete's own event tells.
    """
    pairs = (pair for pair in rules.pairs if pair.name in pending.values)
    missing = tuple(about_line(link, pair, Kind.UPDATE_MISSING, None, at) for pair in pairs)
    ended, conflicts = end(_dropped(link, side, pending), side, at, rules, at)
    return Settled(ended, (*missing, *conflicts))


def _taken(link: Link, side: Side, pending: Pending, at: datetime) -> Settled:
    """The row cannot be created. Said once, not each time it is tried again."""
    conflicts = (
        () if link.obstacle is Obstacle.KEY_TAKEN else (about_row(link, Kind.INSERT_EXISTS, at),)
    )
    return Settled(
        replace(_dropped(link, side, pending), obstacle=Obstacle.KEY_TAKEN),
        conflicts,
    )
