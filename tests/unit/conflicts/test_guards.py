"""Guards one by one, in what only they see."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.conflicts.begin import Found, first_link
from pipeline.conflicts.decision import LockedRow, Reason
from pipeline.conflicts.first import FirstLinkPolicy
from pipeline.conflicts.guards import (
    can_relink,
    in_epoch_of,
    is_covered_by,
    is_survivor,
)
from pipeline.conflicts.link import Link, Pending, Seen
from pipeline.conflicts.reconcile import needs_look, reconcile
from pipeline.model.applied import is_rewound
from pipeline.model.event import Operation
from pipeline.model.position import postgres_position, sqlserver_position
from tests.unit.conflicts.build import (
    AJERA,
    DPS,
    RULES,
    TABLES,
    after,
    carried_out,
    event,
    linked,
    seconds,
    write_to,
)

NOW = seconds(100)
MINUTES = timedelta(minutes=5)


def held(link: Link, at: int) -> LockedRow:
    """The row of DPS as the link knows it."""
    return LockedRow(RULES.written(DPS, link.dps.value), seconds(at))


def test_a_newer_position_at_an_earlier_offset_of_the_same_partition_is_stale() -> None:
    """One partition is read in the order in which its log was written,
    so nothing before what was seen is news.
    """
    link = carried_out(
        reconcile(
            linked(),
            event(linked(), AJERA, 5, offset=9, name="new"),
            NOW,
            RULES,
        ),
        6,
    )
    decision = reconcile(link, event(link, AJERA, 7, offset=8, name="other"), NOW, RULES)
    assert (decision.reason, decision.writes) == (Reason.STALE, ())


@pytest.mark.parametrize(
    ("lsn", "is_older"),
    [("50", True), ("52", True), ("53", False)],
    ids=["before", "ours", "after"],
)
def test_our_write_is_in_its_shadow_though_another_transaction_committed_before_it_did(
    lsn: str, *, is_older: bool
) -> None:
    """The commit before it is beyond the place that it read; where the row was changed is not.
    Of either database.
    """
    written = Pending(
        1,
        {"name": "new"},
        {"name": "old"},
        seconds(5),
        is_open=False,
        after=after(5),
    )
    assert is_covered_by(written.after, postgres_position(1, f'["70","{lsn}"]')) is is_older
    in_sql_server = replace(written, after="00000001" + "00000000" + "00000000" + f"{52:04x}")
    assert (
        is_covered_by(
            in_sql_server.after,
            sqlserver_position(1, "0:0:70", f"0:0:{int(lsn):x}", 1),
        )
        is is_older
    )


def test_a_log_is_another_one_if_what_stands_before_was_committed_long_after() -> None:
    """Within the tolerance the clock may have been set;
    another epoch or a snapshot says nothing of that.
    """
    link = linked()
    seen = reconcile(link, event(link, DPS, 50), NOW, RULES).link.dps.seen
    late = replace(
        event(link, DPS, 3, offset=60),
        committed_at=seconds(50) + MINUTES + timedelta(seconds=1),
    )
    assert is_rewound(seen, late, MINUTES)
    assert not is_rewound(seen, replace(late, committed_at=seconds(50) + MINUTES), MINUTES)
    assert not is_rewound(seen, replace(late, epoch=2), MINUTES)
    assert not is_rewound(seen, replace(late, operation=Operation.READ), MINUTES)
    assert not is_rewound(Seen(epoch=1), late, MINUTES)


def test_what_was_committed_before_the_snapshot_read_the_row_tells_of_no_covered_edit() -> None:
    """The capture made anew streams what led to the row as it was read:
    it had not left and come back.
    """
    link = linked()
    row = RULES.written(DPS, {**link.dps.value, "notes": "read"})
    read = event(link, DPS, 8, "r", epoch=2, notes="read")
    link = carried_out(reconcile(link, read, NOW, RULES, LockedRow(row, seconds(8))), 8)
    link = carried_out(
        reconcile(link, event(link, AJERA, 9, notes="from a"), NOW, RULES),
        10,
        can_translate=False,
    )
    for at, notes in ((6, "earlier"), (7, "read")):
        told = event(link, DPS, at, offset=at + 20, epoch=2, notes=notes)
        decision = reconcile(link, told, NOW, RULES, held(link, 11))
        link = decision.link
        assert (decision.writes, decision.conflicts, dict(link.parked)) == (
            (),
            (),
            {},
        )


def test_what_was_committed_before_the_first_look_at_the_row_tells_of_no_covered_edit() -> None:
    """The backlog that led to the row as it was when it was linked."""
    row = {side: RULES.written(side, dict.fromkeys(RULES.by_name, "same")) for side in (AJERA, DPS)}
    ajera, dps = (
        Found(TABLES[side], "7", row[side], seconds(5), Seen(epoch=1)) for side in (AJERA, DPS)
    )
    link = first_link("L1", "firm", ajera, dps, FirstLinkPolicy(), NOW, RULES).link
    told = event(link, AJERA, 9, notes="from a")
    link = carried_out(
        reconcile(link, told, NOW, RULES, LockedRow(told.row, seconds(9))),
        10,
    )
    for at, notes in ((3, "earlier"), (4, "same")):
        decision = reconcile(
            link,
            event(link, DPS, at, notes=notes),
            NOW,
            RULES,
            held(link, 11),
        )
        link = decision.link
        assert (decision.writes, decision.conflicts, dict(link.parked)) == (
            (),
            (),
            {},
        )


def test_an_edit_between_two_writes_without_positions_is_covered_by_the_second_one() -> None:
    """The log has shown the first write, so what it expected explains nothing any more;
    the edit was the last and stands.
    """
    link = linked()
    link = carried_out(
        reconcile(link, event(link, AJERA, 1, name="new"), NOW, RULES),
        5,
        can_translate=False,
    )
    link = carried_out(
        reconcile(link, event(link, AJERA, 3, name="newer"), NOW, RULES),
        9,
        can_translate=False,
    )
    for at, name in ((5, "new"), (6, "tried")):
        link = reconcile(
            link,
            event(link, DPS, at, name=name),
            NOW,
            RULES,
            held(link, 10),
        ).link
    decision = reconcile(link, event(link, DPS, 7, name="new"), NOW, RULES, held(link, 10))
    assert write_to(decision, DPS).values == {"name": "new"}


def test_an_edit_undone_between_the_snapshots_reading_and_our_look_counts_with_its_time() -> None:
    """The look saw neither of the two, and the snapshot read the row before both."""
    link = linked()
    looked = held(link, 20)
    link = reconcile(link, event(link, DPS, 8, "r", epoch=2), NOW, RULES, looked).link
    for at, name in ((10, "tried"), (11, "old")):
        link = reconcile(
            link,
            event(linked(), DPS, at, epoch=2, name=name),
            NOW,
            RULES,
            looked,
        ).link
    assert link.dps.edited_at["name"] == seconds(11)


def test_a_row_that_stayed_is_a_survivor_until_it_is_deleted_and_made_again() -> None:
    """While it is one, none of its events brings the pair back;
    the create after its own deletion does.
    """
    pair = linked()
    ended = reconcile(pair, event(pair, DPS, 100, "d"), NOW, RULES).link
    assert (
        is_survivor(ended, AJERA),
        is_survivor(ended, DPS),
        is_survivor(None, AJERA),
    ) == (True, False, False)
    assert not can_relink(ended, event(pair, AJERA, 102, "c"))
    gone = reconcile(ended, event(pair, AJERA, 101, "d"), NOW, RULES).link
    assert not is_survivor(gone, AJERA)
    assert can_relink(gone, event(pair, AJERA, 102, "c"))
    assert not can_relink(gone, event(pair, AJERA, 99, "c"))


def test_our_write_is_no_edit_in_the_log_of_a_capture_that_was_made_again_since() -> None:
    """Its position was read under the epoch that we knew: by value and time it is ours,
    and the newer edit stands.
    """
    link = carried_out(
        reconcile(linked(), event(linked(), DPS, 1, name="once"), NOW, RULES),
        5,
    )
    link = carried_out(reconcile(link, event(link, DPS, 2, name="twice"), NOW, RULES), 7)
    echo = event(linked(), AJERA, 5, epoch=2, name="once")
    row = LockedRow(RULES.written(AJERA, link.ajera.value), seconds(8))
    assert needs_look(link, echo, RULES)
    decision = reconcile(link, echo, NOW, RULES, row)
    assert (decision.reason, decision.writes) == (Reason.ECHO, ())
    late = replace(
        echo,
        committed_at=seconds(7) + RULES.look_window + timedelta(seconds=1),
    )
    assert not needs_look(link, late, RULES)


def test_an_event_of_an_older_capture_is_older_than_a_write_of_ours() -> None:
    """Whatever its position: that capture ended before we knew of the newer one."""
    written = Pending(
        1,
        {"name": "new"},
        {"name": "old"},
        seconds(5),
        is_open=False,
        after=after(5, epoch=2),
    )
    told = event(linked(), DPS, 90, epoch=1)
    assert in_epoch_of(told, written) is written
    assert is_covered_by(written.after, told.position)


def test_a_write_that_a_look_has_followed_explains_nothing_after_the_look() -> None:
    """The row held another text by then; the same text later is somebody's."""
    link = carried_out(
        reconcile(linked(), event(linked(), AJERA, 1, name="once"), NOW, RULES),
        5,
        can_translate=False,
    )
    read = event(link, DPS, 8, "r", epoch=2, name="typed")
    typed = LockedRow(RULES.written(DPS, {**link.dps.value, "name": "typed"}), seconds(9))
    link = carried_out(reconcile(link, read, NOW, RULES, typed), 9)
    again = event(link, DPS, 10, epoch=2, name="once")
    row = LockedRow(RULES.written(DPS, {**link.dps.value, "name": "once"}), seconds(11))
    assert write_to(reconcile(link, again, NOW, RULES, row), AJERA).values == {"name": "once"}
