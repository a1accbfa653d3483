"""What an event tells of its side: which lines a person edited,
and which our own writes explain.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto
from typing import assert_never

from pipeline.conflicts import guards
from pipeline.conflicts.decision import LockedRow, Reason
from pipeline.conflicts.link import (
    Desired,
    Link,
    LinkSide,
    Pending,
    Seen,
    Values,
    without,
)
from pipeline.conflicts.rules import Rules, Side
from pipeline.model import applied
from pipeline.model.event import Event, Operation, Value


class Classification(Enum):
    """What one line of an image is."""

    FIRST = auto()  # the line was unknown until now
    NOTHING = auto()  # no change, our own write, or older than it
    EDIT = auto()  # also one to the value that was known: it had left and come back
    HIDDEN = auto()  # an edit that a write of ours covered before we learned of it
    SHOWN = auto()  # our own write, at a position that we did not know
    PAST = auto()  # older than a look at the row


@dataclass(frozen=True, slots=True)
class Observation:
    """The link after an event of one side, and how the event reads."""

    link: Link
    reason: Reason


def needs_look(link: Link, event: Event, rules: Rules) -> bool:
    """Must the event's row be read under lock before `reconcile`:
    the image alone cannot be trusted.
    """
    half = link.half(link.side_of(event.table))
    if (
        event.operation is Operation.DELETE
        or guards.is_ended(link)
        or applied.is_stale(half.seen, event)
    ):
        return False
    if event.is_snapshot:
        return event.epoch > half.seen.epoch
    pendings = (guards.in_epoch_of(event, pending) for pending in half.pending)
    return any(
        guards.position_unknown(pending, event.committed_at, rules.look_window)
        for pending in pendings
    )


def take(
    link: Link,
    side: Side,
    event: Event,
    looked: LockedRow | None,
    rules: Rules,
) -> Observation:
    """The link after a create, an update or a snapshot read that is not stale."""
    image = rules.observed(side, event.row)
    row = rules.observed(side, looked.row) if looked is not None and looked.row is not None else {}
    if event.is_snapshot:
        return _take_snapshot(link, side, event, image, row, rules, looked)
    half = link.half(side)
    readings = {name: _read(half, name, image[name], event, row, rules) for name in image}
    noted, typed = _apply(half, image, readings, event.committed_at, rules, side)
    kept = tuple(p for p in noted.pending if _may_still_cover(p, event, rules))
    observed = _observed(noted, image, readings)
    link = _unpark_edited(link, typed)
    link = link.with_half(
        side,
        replace(
            noted,
            observed=observed,
            pending=kept,
            seen=moved(half.seen, event),
        ),
    )
    return Observation(link, _reason(noted, image, readings, event, rules))


def _read(
    half: LinkSide,
    name: str,
    image: Value,
    event: Event,
    row: Values,
    rules: Rules,
) -> Classification:
    if name not in half.value:
        return Classification.FIRST
    covers = guards.covers(half, name, event, rules.look_window)
    if not covers:
        is_same = image == half.value[name] and image == half.observed.get(name, image)
        return Classification.NOTHING if is_same else Classification.EDIT
    return _read_covered(half, covers, name, image, row, event.committed_at)


def _read_covered(
    half: LinkSide,
    covers: tuple[Pending, ...],
    name: str,
    image: Value,
    row: Values,
    at: datetime,
) -> Classification:
    observed = half.observed.get(name)
    write = next((pending for pending in covers if name in pending.expected), None)
    is_past = guards.is_known(
        half.seen,
        covers if write is None else covers[: covers.index(write)],
        name,
        image,
        at,
    )
    if write is not None and not is_past and guards.is_own_write(write, name, observed, image, at):
        return Classification.SHOWN
    may_be_newer = guards.are_looks(covers) or guards.may_be_newer(covers, name, image, at)
    is_edit = image != half.value[name] and may_be_newer
    if is_edit and guards.confirmed_by_row(image, name, row):
        return Classification.EDIT
    if is_past:
        return Classification.PAST
    if write is None and image == half.value[name] and image != observed:
        return Classification.EDIT
    is_hidden = write is not None and guards.overwrote_edit(write, name, observed, image, at)
    return Classification.HIDDEN if is_hidden else Classification.NOTHING


def _apply(
    half: LinkSide,
    image: Values,
    readings: Mapping[str, Classification],
    at: datetime,
    rules: Rules,
    side: Side,
) -> tuple[LinkSide, frozenset[str]]:
    """The half after these readings, and the lines in which somebody typed."""
    edits = {
        name: image[name] for name, reading in readings.items() if reading is Classification.EDIT
    }
    half = _edited(half, edits, at, rules, side) if edits else half
    hidden: set[str] = set()
    for name, reading in readings.items():
        match reading:
            case Classification.FIRST:
                half = replace(half, value={**half.value, name: image[name]})
            case Classification.HIDDEN if _may_hide(half, name, rules, side):
                hidden.add(name)
                wanted = Desired(image[name], at, is_decided=False)
                half = replace(half, wanted={**half.wanted, name: wanted})
            case Classification.SHOWN:
                half = _shown(half, name, image[name])
            case (
                Classification.EDIT
                | Classification.HIDDEN
                | Classification.NOTHING
                | Classification.PAST
            ):
                pass
            case _:
                assert_never(reading)
    return half, frozenset(hidden | edits.keys())


def _observed(half: LinkSide, image: Values, readings: Mapping[str, Classification]) -> Values:
    return {
        **half.observed,
        **{
            name: image[name]
            for name, found in readings.items()
            if found is not Classification.PAST
        },
    }


def _unpark_edited(link: Link, names: Collection[str]) -> Link:
    """What somebody has typed since is not parked any more: it is decided anew."""
    for name in link.parked.keys() & names:
        link = link.unparked(name)
    return link


def _edited(half: LinkSide, edits: Values, at: datetime, rules: Rules, side: Side) -> LinkSide:
    minded = {name for name in edits if rules.by_name[name].reacts_to_edits_on(side)}
    return replace(
        half,
        value={**half.value, **edits},
        edited_at={
            **half.edited_at,
            **{name: _edited_at(half, name, edits[name], at) for name in edits},
        },
        dirty=half.dirty | minded,
        wanted={name: wanted for name, wanted in half.wanted.items() if name not in edits},
    )


def _edited_at(half: LinkSide, name: str, image: Value, at: datetime) -> datetime:
    """Not before a look that saw another value, though a clock that was set back says so."""
    looks = (pending for pending in half.pending if pending.is_look)
    return max(
        [
            at,
            *(look.at for look in looks if look.values.get(name, image) != image),
        ]
    )


def _may_hide(half: LinkSide, name: str, rules: Rules, side: Side) -> bool:
    """Does an edit that our write covered still ask for anything.
    A person's decision made since stands.
    """
    earlier = half.wanted.get(name)
    return rules.by_name[name].reacts_to_edits_on(side) and not (
        earlier is not None and earlier.is_decided
    )


def _shown(half: LinkSide, name: str, image: Value) -> LinkSide:
    """The log has reached the first of our writes that made this image:
    what it expected explains nothing any more.
    """
    for place, pending in enumerate(half.pending):
        if name in pending.expected and pending.values[name] == image:
            shown = replace(pending, expected=without(pending.expected, name))
            return replace(
                half,
                pending=(
                    *half.pending[:place],
                    shown,
                    *half.pending[place + 1 :],
                ),
            )
    return half


def _take_snapshot(
    link: Link,
    side: Side,
    event: Event,
    image: Values,
    row: Values,
    rules: Rules,
    looked: LockedRow | None,
) -> Observation:
    """Within an epoch every edit comes by its own event.
    After a gap in the capture what the row holds is taken.
    """
    half = link.half(side)
    has_gap = looked is not None and event.epoch > half.seen.epoch
    readings = {
        name: _read_snapshot(half, name, image[name], row, has_gap=has_gap) for name in image
    }
    shown = {
        name: reading
        for name, reading in readings.items()
        if has_gap or reading is Classification.FIRST
    }
    half, typed = _apply(half, image, shown, event.committed_at, rules, side)
    half = replace(
        half,
        observed=_observed(half, image, shown),
        seen=moved(half.seen, event),
    )
    if looked is not None and has_gap:
        half = looked_at(half, {**half.value, **row}, looked.at)
        half = replace(half, seen=replace(half.seen, read_at=event.committed_at))
    link = _unpark_edited(link, typed).with_half(side, half)
    edited = Classification.EDIT in readings.values()
    return Observation(link, Reason.EDITED if edited else Reason.SNAPSHOT)


def _read_snapshot(
    half: LinkSide, name: str, image: Value, row: Values, *, has_gap: bool
) -> Classification:
    if name not in half.value:
        return Classification.FIRST
    if has_gap and image != half.value[name] and guards.confirmed_by_row(image, name, row):
        return Classification.EDIT
    return Classification.NOTHING


def looked_at(half: LinkSide, row: Values, at: datetime) -> LinkSide:
    """The half after its row was read: its log may be behind of that,
    so images are checked against the row for a while.
    """
    look = Pending(number=0, values=row, expected={}, at=at, is_open=False)
    return replace(half, pending=(*half.pending, look))


def _may_still_cover(pending: Pending, event: Event, rules: Rules) -> bool:
    return pending.is_open or guards.may_cover(
        guards.in_epoch_of(event, pending), event, rules.look_window
    )


def moved(seen: Seen, event: Event) -> Seen:
    position, at = applied.position_after(seen, event)
    return Seen(
        position,
        event.place,
        max(seen.epoch, event.epoch),
        seen.read_at,
        at,
    )


def _reason(
    half: LinkSide,
    image: Values,
    readings: Mapping[str, Classification],
    event: Event,
    rules: Rules,
) -> Reason:
    if {Classification.EDIT, Classification.HIDDEN} & set(readings.values()):
        return Reason.EDITED
    is_covered = any(guards.covers(half, name, event, rules.look_window) for name in image)
    return Reason.ECHO if is_covered else Reason.UNCHANGED
