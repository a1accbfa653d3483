"""What one side of a link becomes by what was read of it, line by line."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from enum import Enum, auto
from typing import assert_never

from pipeline.conflicts.link import Desired, Link, LinkSide, Pending, Seen, Values, without
from pipeline.conflicts.rules import Rules, Side
from pipeline.model import applied
from pipeline.model.event import Event, Value


class Classification(Enum):
    """What one line of an image is."""

    FIRST = auto()  # the first image that has the line's columns
    NOTHING = auto()  # no change, our own write, or older than it
    EDIT = auto()  # also one to the value that was known: it had left and come back
    HIDDEN = auto()  # an edit that a write of ours covered before we learned of it
    SHOWN = auto()  # our own write, at a position that we did not know
    PAST = auto()  # older than a look at the row


def apply_readings(
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


def observed_after(half: LinkSide, image: Values, readings: Mapping[str, Classification]) -> Values:
    return {
        **half.observed,
        **{
            name: image[name]
            for name, found in readings.items()
            if found is not Classification.PAST
        },
    }


def unpark_edited(link: Link, names: Collection[str]) -> Link:
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
    """Not before a look that saw another value, though a clock that was set back says so.

    An image of the value that was known tells of no change since the look: it had left before.
    """
    if image == half.value[name]:
        return at
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


def looked_at(half: LinkSide, row: Values, at: datetime) -> LinkSide:
    """The half after its row was read: its log may be behind of that,
    so images are checked against the row for a while.
    """
    look = Pending(number=0, values=row, expected={}, at=at, is_open=False)
    return replace(half, pending=(*half.pending, look))


def moved(seen: Seen, event: Event) -> Seen:
    position, at = applied.position_after(seen, event)
    return Seen(
        position,
        event.place,
        max(seen.epoch, event.epoch),
        seen.read_at,
        at,
    )
