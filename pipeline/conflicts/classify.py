"""What an event tells of its side: which lines a person edited,
and which our own writes explain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
    """The link after a create, an update or a snapshot read that is not stale.

    Nothing is taken of a line that the link does not know: both rows tell more than one image.
    """
    unknown = {pair.name for pair in unknown_lines(link, rules)}
    shown = rules.observed(side, event.row)
    image = {name: value for name, value in shown.items() if name not in unknown}
    row = rules.observed(side, looked.row) if looked is not None and looked.row is not None else {}
    if event.is_snapshot:
        return _take_snapshot(link, side, event, image, row, rules, looked)
    half = link.half(side)
    readings = {name: _read(half, name, image[name], event, row, rules) for name in image}
    noted, typed = apply_readings(half, image, readings, event.committed_at, rules, side)
    kept = tuple(p for p in noted.pending if _may_still_cover(p, event, rules))
    observed = observed_after(noted, image, readings)
    link = unpark_edited(link, typed)
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
    half, typed = apply_readings(half, image, shown, event.committed_at, rules, side)
    half = replace(
        half,
        observed=observed_after(half, image, shown),
        seen=moved(half.seen, event),
    )
    if looked is not None and has_gap:
        half = looked_at(half, {**half.value, **row}, looked.at)
        half = replace(half, seen=replace(half.seen, read_at=event.committed_at))
    link = unpark_edited(link, typed).with_half(side, half)
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


def _may_still_cover(pending: Pending, event: Event, rules: Rules) -> bool:
    return pending.is_open or guards.may_cover(
        guards.in_epoch_of(event, pending), event, rules.look_window
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
