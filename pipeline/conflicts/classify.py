"""What an event tells of its side: which lines a person edited,
and which our own writes explain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pipeline.conflicts import guards
from pipeline.conflicts.decision import LockedRow, Reason
from pipeline.conflicts.known import unknown_lines
from pipeline.conflicts.link import (
    Link,
    LinkSide,
    Pending,
    Values,
)
from pipeline.conflicts.readings import (
    Classification,
    apply_readings,
    looked_at,
    moved,
    observed_after,
    unpark_edited,
)
from pipeline.conflicts.rules import Rules, Side
from pipeline.model import applied
from pipeline.model.event import Event, Operation, Value
from pipeline.model.replace import replace


@dataclass(frozen=True, slots=True)
class Observation:
    """The link after an event of one side, and how the event reads."""

    link: Link
    reason: Reason


def needs_look(link: Link, event: Event, rules: Rules) -> bool:
    """Must the event's row be read under lock before `reconcile`:
    the image alone cannot be trusted.
    """
    link_side = link.side(link.side_of(event.table))
    if not (link_side.pending or event.is_snapshot):
        return False
    if (
        event.operation is Operation.DELETE
        or guards.is_ended(link)
        or applied.is_stale(link_side.seen, event)
    ):
        return False
    if event.is_snapshot:
        return event.epoch > link_side.seen.epoch
    return any(
        guards.position_unknown(
            guards.in_epoch_of(event, pending), event.committed_at, rules.look_window
        )
        for pending in link_side.pending
    )


def apply_event(
    link: Link,
    side: Side,
    event: Event,
    looked: LockedRow | None,
    rules: Rules,
) -> Observation:
    """The link after a create, an update or a snapshot read that is not stale.

    Nothing is taken of a line that the link does not know: both rows tell more than one image.
    """
    unknown = {pair.name for pair in unknown_lines(link, rules)}
    shown = rules.observed(side, event.row)
    image = {name: value for name, value in shown.items() if name not in unknown}
    row = rules.observed(side, looked.row) if looked is not None and looked.row is not None else {}
    if event.is_snapshot:
        return _take_snapshot(link, side, event, image, row, rules, looked)
    link_side = link.side(side)
    covers: dict[str, tuple[Pending, ...]] = dict.fromkeys(image, ())
    for name in image.keys() & {name for one in link_side.pending for name in one.values}:
        covers[name] = guards.covers(link_side, name, event, rules.look_window)
    readings = {
        name: _read(link_side, covers[name], name, image[name], row, event.committed_at)
        for name in image
    }
    noted, typed = apply_readings(link_side, image, readings, event.committed_at, rules, side)
    kept = tuple(p for p in noted.pending if _may_still_cover(p, event, rules))
    observed = observed_after(noted, image, readings)
    link = unpark_edited(link, typed)
    link = link.with_side(
        side,
        replace(
            noted,
            observed=observed,
            pending=kept,
            seen=moved(link_side.seen, event),
        ),
    )
    return Observation(link, _reason(readings, is_covered=any(covers.values())))


def _read(
    link_side: LinkSide,
    covers: tuple[Pending, ...],
    name: str,
    image: Value,
    row: Values,
    at: datetime,
) -> Classification:
    if name not in link_side.value:
        return Classification.FIRST
    if not covers:
        is_same = image == link_side.value[name] and image == link_side.observed.get(name, image)
        return Classification.NOTHING if is_same else Classification.EDIT
    return _read_covered(link_side, covers, name, image, row, at)


def _read_covered(
    link_side: LinkSide,
    covers: tuple[Pending, ...],
    name: str,
    image: Value,
    row: Values,
    at: datetime,
) -> Classification:
    observed = link_side.observed.get(name)
    write = next((pending for pending in covers if name in pending.expected), None)
    is_past = guards.is_known(
        link_side.seen,
        covers if write is None else covers[: covers.index(write)],
        name,
        image,
        at,
    )
    if write is not None and not is_past and guards.is_own_write(write, name, observed, image, at):
        return Classification.SHOWN
    may_be_newer = guards.are_looks(covers) or guards.may_be_newer(covers, name, image, at)
    is_edit = image != link_side.value[name] and may_be_newer
    if is_edit and guards.confirmed_by_row(image, name, row):
        return Classification.EDIT
    if is_past:
        return Classification.PAST
    if write is None and image == link_side.value[name] and image != observed:
        return Classification.EDIT
    is_hidden = write is not None and guards.overwrote_edit(write, name, observed, image, at)
    return Classification.HIDDEN if is_hidden else Classification.NOTHING


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
    link_side = link.side(side)
    has_gap = looked is not None and event.epoch > link_side.seen.epoch
    readings = {
        name: _read_snapshot(link_side, name, image[name], row, has_gap=has_gap) for name in image
    }
    shown = {
        name: reading
        for name, reading in readings.items()
        if has_gap or reading is Classification.FIRST
    }
    link_side, typed = apply_readings(link_side, image, shown, event.committed_at, rules, side)
    link_side = replace(
        link_side,
        observed=observed_after(link_side, image, shown),
        seen=moved(link_side.seen, event),
    )
    if looked is not None and has_gap:
        link_side = looked_at(link_side, {**link_side.value, **row}, looked.at)
        link_side = replace(
            link_side,
            seen=replace(link_side.seen, read_at=event.committed_at),
        )
    link = unpark_edited(link, typed).with_side(side, link_side)
    edited = Classification.EDIT in readings.values()
    return Observation(link, Reason.EDITED if edited else Reason.SNAPSHOT)


def _read_snapshot(
    link_side: LinkSide,
    name: str,
    image: Value,
    row: Values,
    *,
    has_gap: bool,
) -> Classification:
    if name not in link_side.value:
        return Classification.FIRST
    if has_gap and image != link_side.value[name] and guards.confirmed_by_row(image, name, row):
        return Classification.EDIT
    return Classification.NOTHING


def _may_still_cover(pending: Pending, event: Event, rules: Rules) -> bool:
    return pending.is_open or guards.may_cover(
        guards.in_epoch_of(event, pending), event, rules.look_window
    )


def _reason(readings: Mapping[str, Classification], *, is_covered: bool) -> Reason:
    if {Classification.EDIT, Classification.HIDDEN} & set(readings.values()):
        return Reason.EDITED
    return Reason.ECHO if is_covered else Reason.UNCHANGED
