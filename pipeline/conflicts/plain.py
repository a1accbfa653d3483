"""The plain event, decided at once: nothing is asked for in its link, and each line of its row is
what was known, what our own write explains, or an edit that goes to the other side unopposed.

What is here is `reconcile` for that case and for no other: it gives the same decision or None, and
then `reconcile` is asked. A property test holds the two alike
(tests/properties/conflicts/test_plain.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pipeline.conflicts import guards
from pipeline.conflicts.decision import Decision, Reason, Write
from pipeline.conflicts.known import knows_all
from pipeline.conflicts.link import Link, LinkSide, Pending, State
from pipeline.conflicts.readings import moved
from pipeline.conflicts.rules import ColumnPair, Rules, Side
from pipeline.model import applied
from pipeline.model.event import Event, Operation, Value
from pipeline.model.outcome import Outcome
from pipeline.model.position import EPOCH_WIDTH
from pipeline.model.replace import replace

STREAMED = (Operation.UPDATE, Operation.CREATE)


def decide_plain(
    link: Link, side: Side, event: Event, now: datetime, rules: Rules
) -> Decision | None:
    """What `reconcile` decides about an event of `side`, None if the event is not plain."""
    mine, other = link.side(side), link.side(side.other)
    if (
        event.operation not in STREAMED
        or applied.is_stale(mine.seen, event)
        or not _is_calm(link, mine, other)
        or not knows_all(link, rules)
        or any(not _tells_its_place(pending, event, rules) for pending in mine.pending)
        or any(pending.is_open for pending in other.pending)
    ):
        return None
    covering = tuple(one for one in mine.pending if guards.is_covered_by(one, event.position))
    image = rules.observed(side, event.row)
    edits = _edits(mine, image, covering)
    if edits is None:
        return None
    noted = replace(
        mine, observed={**mine.observed, **image}, pending=covering, seen=moved(mine.seen, event)
    )
    if not edits:
        is_covered = any(not image.keys().isdisjoint(one.values) for one in covering)
        reason = Reason.ECHO if is_covered else Reason.UNCHANGED
        return Decision(link.with_side(side, noted), (), Outcome.SKIPPED, reason)
    return _carried(link, side, noted, edits, event.committed_at, now, rules)


def _is_calm(link: Link, mine: LinkSide, other: LinkSide) -> bool:
    """Is this a pair that is exchanged, of which nothing waits on either side."""
    return (
        link.state is State.LINKED
        and not (link.parked or link.off or link.out)
        and not (mine.has_pending_edits or other.has_pending_edits)
        and other.key is not None
    )


def _tells_its_place(pending: Pending, event: Event, rules: Rules) -> bool:
    """Is it known whether this write is newer than the event: by its place in the log, of no older
    epoch, or because it was made so long before that none is asked for. A look has no place.
    """
    if pending.is_open:
        return False
    if pending.after is None or pending.after[:EPOCH_WIDTH] < event.position[:EPOCH_WIDTH]:
        return event.committed_at > pending.at + rules.look_window
    return not pending.is_look


def _edits(
    mine: LinkSide, image: Mapping[str, Value], covering: tuple[Pending, ...]
) -> dict[str, Value] | None:
    """The lines that a person edited; None where a line is new, or a write of ours may have
    covered an edit.
    """
    edits: dict[str, Value] = {}
    for name, shown in image.items():
        if name not in mine.value:
            return None
        held = mine.value[name]
        covers = [one for one in covering if name in one.values] if covering else covering
        if not covers:
            if shown != held or shown != mine.observed.get(name, shown):
                edits[name] = shown
        elif shown != mine.observed.get(name):
            write = next((one for one in covers if name in one.expected), None)
            if shown == (held if write is None else write.expected[name]):
                return None
    return edits


def _carried(
    link: Link,
    side: Side,
    noted: LinkSide,
    edits: Mapping[str, Value],
    at: datetime,
    now: datetime,
    rules: Rules,
) -> Decision | None:
    """Edits that go to the other side; None if one of them is decided in another way."""
    to = side.other
    other = link.side(to)
    asking = [name for name in edits if rules.by_name[name].reacts_to_edits_on(side)]
    values: dict[str, Value] = {}
    for name in asking:
        pair = rules.by_name[name]
        if not _goes_over(link, pair, to, edits[name], other):
            return None
        values[name] = pair.convert(edits[name], to=to)
    noted = replace(
        noted,
        value={**noted.value, **edits},
        edited_at={**noted.edited_at, **dict.fromkeys(edits, at)},
        dirty=frozenset(asking),
    )
    if not values:
        return Decision(link.with_side(side, noted), (), Outcome.SKIPPED, Reason.EDITED)
    expected = {name: other.value[name] for name in values}
    number = link.number + 1
    asked = replace(other, pending=(*other.pending, Pending(number, values, expected, now)))
    ajera, dps = (noted, asked) if side is Side.AJERA else (asked, noted)
    return Decision(
        replace(link, ajera=ajera, dps=dps, number=number),
        (Write(link.id, to, number, other.key, values, expected),),
        Outcome.WRITTEN,
        Reason.EDITED,
    )


def _goes_over(link: Link, pair: ColumnPair, to: Side, value: Value, other: LinkSide) -> bool:
    """Does an edit that nobody contends go to the other side, which holds something else."""
    name = pair.name
    if (
        name not in other.value
        or name in link.coincident
        or pair.only_fills
        or pair.owning_side is to
        or not pair.can_translate(value, to)
    ):
        return False
    ajera, dps = (value, other.value[name]) if to is Side.DPS else (other.value[name], value)
    return not pair.agrees(ajera, dps)
