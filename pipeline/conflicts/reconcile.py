"""reconcile(link, event, now): the whole decision about one event of one side,
as one pure function.

The caller settles open writes first (settle.py), reads the row under lock where `needs_look` says
so, stores the link and the conflicts, carries out the writes, and settles them.
"""

from __future__ import annotations

from datetime import datetime

from pipeline.conflicts import guards
from pipeline.conflicts.classify import apply_event, needs_look
from pipeline.conflicts.conflict import Conflict, Kind, about_line
from pipeline.conflicts.decide import resolve_columns
from pipeline.conflicts.decision import Decision, LockedRow, Reason
from pipeline.conflicts.ending import end
from pipeline.conflicts.known import of_known_lines
from pipeline.conflicts.link import Link, LinkSide
from pipeline.conflicts.plan import plan_writes
from pipeline.conflicts.readings import moved
from pipeline.conflicts.rules import SIDES, Rules, Side
from pipeline.model import applied
from pipeline.model.event import Event, Operation, Value
from pipeline.model.outcome import Outcome
from pipeline.model.replace import replace

__all__ = ["finish", "needs_look", "reconcile"]


def reconcile(
    link: Link,
    event: Event,
    now: datetime,
    rules: Rules,
    looked: LockedRow | None = None,
) -> Decision:
    """What an event of a linked row leads to.

    Raises ValueError when a write of the link is still open,
    or when the row must be looked at and was not.
    """
    side = link.side_of(event.table)
    if any(guards.open_numbers(link.side(each).pending) for each in SIDES):
        raise ValueError("settle the link's open writes first")
    if looked is None and needs_look(link, event, rules):
        raise ValueError("the row must be read under lock first")
    if applied.is_stale(link.side(side).seen, event):
        return finish(
            link,
            now,
            rules,
            Reason.ENDED if guards.is_ended(link) else Reason.STALE,
        )
    if guards.is_ended(link):
        return _after_the_end(link, side, event, rules, now)
    if event.operation is Operation.DELETE:
        return _end(link, side, event, rules, now)
    observation = apply_event(link, side, event, looked, rules)
    return finish(observation.link, now, rules, observation.reason)


def finish(link: Link, now: datetime, rules: Rules, reason: Reason) -> Decision:
    """Decide and write whatever is asked for in a link, with no new event."""
    if guards.is_ended(link) or guards.is_suspended(link):
        return Decision(link, (), Outcome.SKIPPED, reason)
    rules = of_known_lines(link, rules)
    parked_before = link.parked.keys()
    link, conflicts = resolve_columns(link, rules, now)
    is_parked = bool(link.parked.keys() - parked_before)
    link, writes = plan_writes(link, rules, now)
    if writes:
        return Decision(link, writes, Outcome.WRITTEN, reason, conflicts)
    return Decision(
        link,
        (),
        Outcome.PARKED if is_parked else Outcome.SKIPPED,
        reason,
        conflicts,
    )


def _end(link: Link, side: Side, event: Event, rules: Rules, now: datetime) -> Decision:
    ended, conflicts = end(link, side, event.committed_at, rules, now)
    return Decision(
        _seen(ended, side, event),
        (),
        Outcome.SKIPPED,
        Reason.ENDED,
        conflicts,
    )


def _after_the_end(link: Link, side: Side, event: Event, rules: Rules, now: datetime) -> Decision:
    """Nothing is written for an ended pair.
    An edit made before the deletion was known is logged with its value.
    """
    link_side = link.side(side)
    conflicts: tuple[Conflict, ...] = ()
    if (
        event.operation is not Operation.DELETE
        and not event.is_snapshot
        and _crossed(link, event, rules)
    ):
        edits = {
            name: image
            for name, image in rules.observed(side, event.row).items()
            if name in link_side.value
            and image != link_side.value[name]
            and _is_newer(link_side, name, image, event, rules)
        }
        at = {**link_side.edited_at, **dict.fromkeys(edits, event.committed_at)}
        link = link.with_side(
            side,
            replace(link_side, value={**link_side.value, **edits}, edited_at=at),
        )
        pairs = (
            pair for pair in rules.pairs if pair.name in edits and pair.reacts_to_edits_on(side)
        )
        conflicts = tuple(
            about_line(link, pair, Kind.DELETE_ORIGIN_DIFFERS, None, now) for pair in pairs
        )
    if event.operation is Operation.DELETE and side is not link.ended_by:
        link = replace(link, both_gone=True)
    return Decision(
        _seen(link, side, event),
        (),
        Outcome.SKIPPED,
        Reason.ENDED,
        conflicts,
    )


def _is_newer(link_side: LinkSide, name: str, image: Value, event: Event, rules: Rules) -> bool:
    """Is this image newer than our writes and looks. The row is not read any more:
    its clock must do, where no position is known.
    """
    covers = guards.covers(link_side, name, event, rules.look_window)
    return guards.may_be_newer(covers, name, image, event.committed_at)


def _crossed(link: Link, event: Event, rules: Rules) -> bool:
    return link.ended_at is not None and event.committed_at <= link.ended_at + rules.clock_tolerance


def _seen(link: Link, side: Side, event: Event) -> Link:
    link_side = link.side(side)
    return link.with_side(side, replace(link_side, seen=moved(link_side.seen, event)))
