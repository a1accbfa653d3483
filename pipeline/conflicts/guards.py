"""The guards, each a small pure question.
A test takes each one out and sees a property break (tests/properties/conflicts).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from pipeline.conflicts.link import (
    Link,
    LinkSide,
    Pending,
    Seen,
    State,
    Values,
)
from pipeline.conflicts.rules import ColumnPair, Rules, Side
from pipeline.model import applied
from pipeline.model.event import Event, Operation, Row, Value
from pipeline.model.position import EPOCH_WIDTH, change_part
from pipeline.model.replace import replace


def is_covered_by(after: str | None, position: str) -> bool:
    """Is an event of that row at this position older than our write, or the write itself.
    The change part is compared.

    Not the commit: another transaction may commit between our reading the place and our own commit,
    and the commit part of our write's event is then beyond it. We hold the row's lock,
    so that of its changes none comes between.
    """
    return after is not None and change_part(position, len(after)) <= after


def in_epoch_of(event: Event, pending: Pending) -> Pending:
    """The write as this event sees it:
    a position that we read under an older epoch tells a newer capture nothing.

    We stamp the epoch that we know; the capture may have been made again, and our write is in its
    log too. An event of an older epoch than our write's was captured before that,
    and is older than it.
    """
    is_older = (
        pending.after is not None and pending.after[:EPOCH_WIDTH] < event.position[:EPOCH_WIDTH]
    )
    return replace(pending, after=None) if is_older else pending


def position_unknown(pending: Pending, committed_at: datetime, window: timedelta) -> bool:
    """May an event of that time be older than a write or look whose own position is unknown."""
    return pending.after is None and committed_at <= pending.at + window


def covers(link_side: LinkSide, name: str, event: Event, window: timedelta) -> tuple[Pending, ...]:
    """The writes and looks that may be newer than this event in this line,
    in the order in which they were made.
    """
    of_line = [pending for pending in link_side.pending if name in pending.values]
    if not of_line:
        return ()
    seen = (in_epoch_of(event, pending) for pending in of_line)
    found = [pending for pending in seen if may_cover(pending, event, window)]
    looks = [
        place
        for place, pending in enumerate(found)
        if pending.is_look and pending.at <= event.committed_at
    ]
    first = looks[-1] if looks else 0
    return (
        *(pending for pending in found[:first] if pending.after is not None),
        *found[first:],
    )


def may_cover(pending: Pending, event: Event, window: timedelta) -> bool:
    """May this write or look, as the event sees it, be newer than the event."""
    return is_covered_by(pending.after, event.position) or position_unknown(
        pending, event.committed_at, window
    )


def is_known(
    seen: Seen,
    covering: Iterable[Pending],
    name: str,
    image: Value,
    at: datetime,
) -> bool:
    """Is this image older than what was known when the row was first looked at:
    it tells of no covered edit.

    After a gap the log continues from the snapshot, without one from the read of the row,
    which saw another value.
    """
    if seen.read_at is not None:
        return at < seen.read_at
    look = next(
        (pending for pending in covering if pending.is_look and at < pending.at),
        None,
    )
    return look is not None and look.values[name] != image


def may_be_newer(covering: Iterable[Pending], name: str, image: Value, at: datetime) -> bool:
    """May this image be newer than all of these, whose positions must then be unknown:
    by that database's own clock.

    A look that saw the very value does not make it old:
    after a gap the edit itself may come only now.
    """
    return all(
        pending.after is None
        and (at >= pending.at or (pending.is_look and pending.values[name] == image))
        for pending in covering
    )


def are_looks(covering: Iterable[Pending]) -> bool:
    """Is all that may be newer than an image looks at the row, and no write of ours.

    What the row holds now decides then, and no clock, which may have been set back since the look:
    a row that holds this image, and not what is known of it, was changed after the look.
    """
    return all(pending.is_look for pending in covering)


def confirmed_by_row(image: Value, name: str, row: Values) -> bool:
    """Does the row itself hold what the image shows. If not,
    a newer event of that row is on its way.
    """
    return name in row and row[name] == image


def overwrote_edit(
    pending: Pending, name: str, observed: Value, image: Value, at: datetime
) -> bool:
    """Did our write cover an edit: the log changed to the very value that our comparison found,
    so it had left and come back.
    """
    is_older = pending.after is not None or at < pending.at
    return (
        is_older
        and name in pending.expected
        and image == pending.expected[name]
        and image != observed
    )


def is_own_write(pending: Pending, name: str, observed: Value, image: Value, at: datetime) -> bool:
    """Is this change our own write, where its position is
    unknown and only value and time can tell.
    """
    return (
        pending.after is None
        and at >= pending.at
        and image == pending.values[name]
        and image != observed
    )


def still_holds(expected: Values, row: Row, side: Side, rules: Rules) -> frozenset[str]:
    """Compare: the lines in which the row holds what we believe it holds."""
    held = rules.lines_observed(side, row, expected)
    return frozenset(
        name for name, value in expected.items() if name in held and held[name] == value
    )


def is_overtaken(link: Link, pair: ColumnPair, contender: Side, rules: Rules) -> bool:
    """Under NEWEST: does the other side's clean value stem from
    a later edit that this one was not made upon.

    So it is where the sides agreed by coincidence, and where an edit was covered by our write.
    """
    name, other = pair.name, link.side(contender.other)
    wanted = link.side(contender).wanted.get(name)
    if name not in link.coincident and (wanted is None or wanted.is_decided):
        return False
    if other.edited_at.get(name) is None:
        return False
    return (
        rules.side_edited_last(pair, link.ajera.contended_at(name), link.dps.contended_at(name))
        is not contender
    )


def is_filled_already(link: Link, pair: ColumnPair) -> bool:
    """Is the receiving side of a line that only fills blanks filled:
    nothing replaces that but a person's decision.
    """
    receiver = None if pair.sender is None else pair.sender.other
    if not pair.only_fills or receiver is None:
        return False
    return not pair.is_blank(receiver, link.side(receiver).user_value(pair.name))


def is_kept(link: Link, pair: ColumnPair, winner: Side) -> bool:
    """Would a blank that nobody typed be put back over a value that stayed at the first link."""
    name, link_side = pair.name, link.side(winner)
    if (
        name not in link.kept
        or link_side.has_pending_edit(name)
        or link_side.edited_at.get(name) is not None
    ):
        return False
    return pair.is_blank(winner, link_side.value[name])


def may_be_unaware(link: Link, pair: ColumnPair, contender: Side, rules: Rules) -> bool:
    """Under MANUAL: the sides agreed by coincidence,
    and this edit is not surely later than what the other side typed.
    """
    if pair.name not in link.coincident:
        return False
    mine = link.side(contender).contended_at(pair.name)
    others = link.side(contender.other).edited_at.get(pair.name)
    return others is not None and (mine is None or mine <= others + rules.clock_tolerance)


def is_suspended(link: Link) -> bool:
    """Is a row of the pair not of its kind any more, such as a former primary address."""
    return bool(link.out)


def is_ended(link: Link) -> bool:
    """Ended: nothing is taken from events of a pair that has ended."""
    return link.state is State.ENDED


def can_relink(link: Link | None, event: Event) -> bool:
    """Ended: may the event's row be linked again. Never linked, or, after its link ended,
    deleted and created again since.
    """
    if link is None:
        return True
    if link.state is not State.ENDED:
        return False
    side = link.side_of(event.table)
    is_next = not applied.is_stale(link.side(side).seen, event)
    if side in link.out:
        return is_next  # another row took its place, and may have to give it back
    is_new = event.operation is Operation.CREATE and is_next
    was_deleted = link.ended_by is side or link.both_gone
    return was_deleted and is_new


def is_survivor(link: Link | None, side: Side) -> bool:
    """Ended: did somebody delete the counterpart of this row, which is still there.
    None is created for it again.
    """
    return (
        link is not None
        and link.state is State.ENDED
        and link.ended_by is side.other
        and not link.both_gone
    )


def open_numbers(pendings: Iterable[Pending]) -> tuple[int, ...]:
    """Settle: the writes that must be settled before anything is decided, oldest first."""
    return tuple(pending.number for pending in pendings if pending.is_open)
