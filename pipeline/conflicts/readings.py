"""What one side of a link becomes by what was read of it, line by line."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import Enum, auto
from typing import assert_never

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
from pipeline.model.event import Event, Value
from pipeline.model.replace import replace


class Classification(Enum):
    """What one line of an image is."""

    FIRST = auto()  # the first image that has the line's columns
    NOTHING = auto()  # no change, our own write, or older than it
    EDIT = auto()  # also one to the value that was known: it had left and come back
    HIDDEN = auto()  # an edit that a write of ours covered before we learned of it
    SHOWN = auto()  # our own write, at a position that we did not know
    PAST = auto()  # older than a look at the row


def apply_readings(
    link_side: LinkSide,
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
    link_side = _edited(link_side, edits, at, rules, side) if edits else link_side
    hidden: set[str] = set()
    for name, reading in readings.items():
        match reading:
            case Classification.FIRST:
                link_side = replace(link_side, value={**link_side.value, name: image[name]})
            case Classification.HIDDEN if _may_hide(link_side, name, rules, side):
                hidden.add(name)
                wanted = Desired(image[name], at, is_decided=False)
                link_side = replace(link_side, wanted={**link_side.wanted, name: wanted})
            case Classification.SHOWN:
                link_side = _shown(link_side, name, image[name])
            case (
                Classification.EDIT
                | Classification.HIDDEN
                | Classification.NOTHING
                | Classification.PAST
            ):
                pass
            case _:
                assert_never(reading)
    return link_side, frozenset(hidden | edits.keys())


def observed_after(
    link_side: LinkSide,
    image: Values,
    readings: Mapping[str, Classification],
) -> Values:
    return {
        **link_side.observed,
        **{
            name: image[name]
            for name, found in readings.items()
            if found is not Classification.PAST
        },
    }


def unpark_edited(link: Link, names: Collection[str]) -> Link:
    """What somebody has typed since is not parked any more: it is decided again."""
    for name in link.parked.keys() & names:
        link = link.unparked(name)
    return link


def _edited(
    link_side: LinkSide,
    edits: Values,
    at: datetime,
    rules: Rules,
    side: Side,
) -> LinkSide:
    minded = {name for name in edits if rules.by_name[name].reacts_to_edits_on(side)}
    return replace(
        link_side,
        value={**link_side.value, **edits},
        edited_at={
            **link_side.edited_at,
            **{name: _edited_at(link_side, name, edits[name], at) for name in edits},
        },
        dirty=link_side.dirty | minded,
        wanted={name: wanted for name, wanted in link_side.wanted.items() if name not in edits},
    )


def _edited_at(link_side: LinkSide, name: str, image: Value, at: datetime) -> datetime:
    """Not before a look that saw another value, though a clock that was set back says so.

    An image of the value that was known tells of no change since the look: it had left before.
    """
    if image == link_side.value[name]:
        return at
    looks = (pending for pending in link_side.pending if pending.is_look)
    return max(
        [
            at,
            *(look.at for look in looks if look.values.get(name, image) != image),
        ]
    )


def _may_hide(link_side: LinkSide, name: str, rules: Rules, side: Side) -> bool:
    """Does an edit that our write covered still ask for anything.
    A person's decision made since remains.
    """
    earlier = link_side.wanted.get(name)
    return rules.by_name[name].reacts_to_edits_on(side) and not (
        earlier is not None and earlier.is_decided
    )


def _shown(link_side: LinkSide, name: str, image: Value) -> LinkSide:
    """The log has reached the first of our writes that made this image:
    what it expected explains nothing any more.
    """
    for place, pending in enumerate(link_side.pending):
        if name in pending.expected and pending.values[name] == image:
            shown = replace(pending, expected=without(pending.expected, name))
            return replace(
                link_side,
                pending=(
                    *link_side.pending[:place],
                    shown,
                    *link_side.pending[place + 1 :],
                ),
            )
    return link_side


def looked_at(link_side: LinkSide, row: Values, at: datetime) -> LinkSide:
    """The half after its row was read: its log may be behind of that,
    so images are checked against the row for a while.
    """
    look = Pending(number=0, values=row, expected={}, at=at, is_open=False)
    return replace(link_side, pending=(*link_side.pending, look))


def moved(seen: Seen, event: Event) -> Seen:
    position, at = applied.position_after(seen, event)
    return Seen(
        position,
        event.place,
        max(seen.epoch, event.epoch),
        seen.read_at,
        at,
    )
