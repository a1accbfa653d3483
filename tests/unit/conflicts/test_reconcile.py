"""Each rule and each branch of the decision, on one pair."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.conflicts.conflict import Kind
from pipeline.conflicts.decision import LockedRow, Reason
from pipeline.conflicts.ending import end
from pipeline.conflicts.guards import can_relink
from pipeline.conflicts.link import Link, State
from pipeline.conflicts.readings import looked_at
from pipeline.conflicts.reconcile import finish, needs_look, reconcile
from pipeline.conflicts.rules import Side
from pipeline.conflicts.version import below_two_way
from pipeline.model.event import Operation, Value
from pipeline.model.outcome import Outcome
from tests.unit.conflicts.build import (
    AJERA,
    DPS,
    RULES,
    carried_out,
    event,
    linked,
    position,
    seconds,
    write_to,
)

NOW = seconds(100)


def both_edited(
    name: str,
    ajera_at: int,
    dps_at: int,
    ajera: Value = "from a",
    dps: Value = "from d",
) -> Link:
    """Ajera's edit is known and its write to DPS was refused, since DPS was edited too;
    that event is still to come.
    """
    link = linked()
    decision = reconcile(link, event(link, AJERA, ajera_at, lines={name: ajera}), NOW, RULES)
    return carried_out(decision, 50, skipped=(name,))


# -- one side edited -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("side", "name"),
    [(AJERA, "name"), (DPS, "name"), (AJERA, "phone"), (DPS, "market")],
)
def test_an_edit_of_one_side_is_written_to_the_other(side: Side, name: str) -> None:
    """One write, of that line alone, only where the other side still holds what it held."""
    link = linked()
    decision = reconcile(link, event(link, side, 1, lines={name: "new"}), NOW, RULES)
    write = write_to(decision, side.other)
    assert (dict(write.values), dict(write.expected), write.key) == (
        {name: "new"},
        {name: "old"},
        "7",
    )
    assert write.intention == "L1/1"
    assert (decision.outcome, decision.reason, decision.conflicts) == (
        Outcome.WRITTEN,
        Reason.EDITED,
        (),
    )


def test_after_the_write_its_own_event_is_an_echo() -> None:
    """It comes back from the other side's log and asks for nothing."""
    link = linked()
    decision = reconcile(link, event(link, AJERA, 1, name="new"), NOW, RULES)
    link = carried_out(decision, 5)
    echo = reconcile(link, event(link, DPS, 5), NOW, RULES)
    assert (echo.outcome, echo.reason, echo.writes) == (
        Outcome.SKIPPED,
        Reason.ECHO,
        (),
    )
    assert not echo.link.ajera.dirty | echo.link.dps.dirty


def test_an_image_older_than_our_write_is_no_edit() -> None:
    """Another column was changed before our write; that event still shows the old name."""
    link = linked()
    link = carried_out(reconcile(link, event(link, AJERA, 1, name="new"), NOW, RULES), 5)
    decision = reconcile(link, event(link, DPS, 4, name="old", notes="typed"), NOW, RULES)
    assert write_to(decision, AJERA).values == {"notes": "typed"}


def test_a_later_event_than_our_write_is_an_edit_and_forgets_the_write() -> None:
    """Beyond the write's position the image says what people typed."""
    link = linked()
    link = carried_out(reconcile(link, event(link, AJERA, 1, name="new"), NOW, RULES), 5)
    decision = reconcile(link, event(link, DPS, 6, name="newer"), NOW, RULES)
    assert write_to(decision, AJERA).values == {"name": "newer"}
    assert decision.link.dps.pending == ()


def test_what_a_write_skips_stays_asked_for_and_goes_when_the_other_side_says_why() -> None:
    """The comparison refused the write, because DPS was edited:
    its event brings the time that the rule needs.
    """
    link = both_edited("name", 1, 9)
    assert link.ajera.dirty == {"name"}
    decision = reconcile(link, event(link, DPS, 9, name="from d"), NOW, RULES)
    assert write_to(decision, AJERA).values == {"name": "from d"}


def test_an_event_without_a_column_says_nothing_about_its_line() -> None:
    """Not sent is not null."""
    link = linked()
    told = event(link, AJERA, 1)
    told = replace(told, row={k: v for k, v in told.row.items() if k != "vecPhone1"})
    decision = reconcile(link, told, NOW, RULES)
    assert (decision.reason, decision.link.ajera.value["phone"]) == (
        Reason.UNCHANGED,
        "old",
    )


def test_an_image_alone_teaches_a_link_no_line_that_it_does_not_know() -> None:
    """Whether it was edited, and what the other row holds, the image does not tell
    (test_lines.py: both rows are read first, and nothing is swallowed).
    """
    link = linked()
    known = {name: value for name, value in link.ajera.value.items() if name != "name"}
    link = replace(link, ajera=replace(link.ajera, value=known))
    told = replace(
        event(link, AJERA, 1),
        row={**event(linked(), AJERA, 1).row, "vecDescription": "other"},
    )
    decision = reconcile(link, told, NOW, RULES)
    assert (decision.writes, "name" in decision.link.ajera.value) == ((), False)


# -- stale -----------------------------------------------------------------------------------------
def test_nothing_is_taken_from_a_stale_event_but_what_is_dirty_is_finished() -> None:
    """A replay never moves a row backwards, and completes what a crash left."""
    link = linked()
    link = reconcile(link, event(link, AJERA, 5, name="new"), NOW, RULES).link
    link = replace(link, dps=replace(link.dps, pending=()))
    decision = reconcile(link, event(link, AJERA, 4, name="older"), NOW, RULES)
    assert decision.reason is Reason.STALE
    assert write_to(decision, DPS).values == {"name": "new"}


def test_the_same_position_at_a_later_offset_is_stale() -> None:
    """Debezium publishes again after a crash."""
    link = linked()
    link = carried_out(reconcile(link, event(link, AJERA, 5, name="new"), NOW, RULES), 6)
    assert (
        reconcile(link, event(link, AJERA, 5, offset=9, name="other"), NOW, RULES).reason
        is Reason.STALE
    )


# -- both sides edited -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("ajera_at", "dps_at", "winner"),
    [(10, 1, AJERA), (1, 10, DPS), (1, 2, AJERA), (2, 1, AJERA)],
)
def test_under_newest_the_later_edit_wins_and_within_the_tolerance_the_owners(
    ajera_at: int, dps_at: int, winner: Side
) -> None:
    """Commit times decide, not the order of arrival;
    the loser is in the log with both values and times.
    """
    link = both_edited("name", ajera_at, dps_at)
    decision = reconcile(link, event(link, DPS, dps_at, name="from d"), NOW, RULES)
    typed = {AJERA: "from a", DPS: "from d"}
    assert write_to(decision, winner.other).values == {"name": typed[winner]}
    (entry,) = decision.conflicts
    assert (entry.kind, entry.winner, entry.ajera, entry.dps) == (
        Kind.UPDATE_ORIGIN_DIFFERS,
        winner,
        "from a",
        "from d",
    )
    assert (entry.ajera_at, entry.dps_at) == (
        seconds(ajera_at),
        seconds(dps_at),
    )


@pytest.mark.parametrize(("name", "owner"), [("phone", AJERA), ("market", DPS)])
def test_an_edit_of_the_side_that_does_not_own_the_column_is_put_back(
    name: str, owner: Side
) -> None:
    """The owner's value returns, the other one is in the log."""
    link = linked()
    decision = reconcile(link, event(link, owner.other, 1, lines={name: "typed"}), NOW, RULES)
    write = write_to(decision, owner.other)
    assert (dict(write.values), dict(write.expected)) == (
        {name: "old"},
        {name: "typed"},
    )
    (entry,) = decision.conflicts
    assert (entry.kind, entry.winner, entry.value(owner.other)) == (
        Kind.OWNED_PUT_BACK,
        owner,
        "typed",
    )


def test_the_owner_wins_over_a_later_edit_of_the_other_side() -> None:
    """Time does not count where a side owns the column."""
    link = both_edited("phone", 1, 90)
    decision = reconcile(link, event(link, DPS, 90, phone="from d"), NOW, RULES)
    assert write_to(decision, DPS).values == {"phone": "from a"}
    assert decision.conflicts[0].kind is Kind.UPDATE_ORIGIN_DIFFERS


def test_manual_parks_the_column_with_both_values_and_the_others_go_on() -> None:
    """A person decides about the notes; the name is carried over meanwhile."""
    link = both_edited("notes", 1, 9)
    decision = reconcile(link, event(link, DPS, 9, notes="from d", name="new"), NOW, RULES)
    assert write_to(decision, AJERA).values == {"name": "new"}
    parked = decision.link.parked["notes"]
    assert (parked.ajera, parked.dps, parked.reason) == (
        "from a",
        "from d",
        Kind.UPDATE_ORIGIN_DIFFERS,
    )
    assert decision.conflicts[0].winner is None


def test_an_event_that_only_parks_ends_parked_and_the_next_one_does_not() -> None:
    """It is said once."""
    link = both_edited("notes", 1, 9)
    decision = reconcile(link, event(link, DPS, 9, notes="from d"), NOW, RULES)
    assert (decision.outcome, decision.writes) == (Outcome.PARKED, ())
    again = reconcile(decision.link, event(decision.link, DPS, 10), NOW, RULES)
    assert (again.outcome, again.conflicts) == (Outcome.SKIPPED, ())


def test_agreement_unparks() -> None:
    """Somebody typed what the other side holds: no conflict, no write."""
    link = both_edited("notes", 1, 9)
    link = reconcile(link, event(link, DPS, 9, notes="from d"), NOW, RULES).link
    decision = reconcile(link, event(link, AJERA, 10, notes="from d"), NOW, RULES)
    assert (decision.link.parked, decision.writes, decision.conflicts) == (
        {},
        (),
        (),
    )
    assert decision.link.coincident == {"notes"}


def test_a_line_of_creation_only_never_flows_afterwards() -> None:
    """The project number stays what it was on each side."""
    link = linked()
    decision = reconcile(link, event(link, AJERA, 1, number="new"), NOW, RULES)
    assert (decision.writes, decision.link.ajera.dirty) == ((), frozenset())


def test_a_one_way_line_leaves_the_receivers_edit_until_the_sender_is_edited() -> None:
    """Ajera's own chance of winning stands, until DPS says another one."""
    link = linked()
    decision = reconcile(link, event(link, AJERA, 5, chance="mine"), NOW, RULES)
    assert decision.writes == ()
    decision = reconcile(decision.link, event(link, DPS, 6, chance="theirs"), NOW, RULES)
    write = write_to(decision, AJERA)
    assert (dict(write.values), dict(write.expected)) == (
        {"chance": "theirs"},
        {"chance": "mine"},
    )


def test_a_one_way_line_of_its_sender_is_put_back() -> None:
    """Totals come from Ajera; what is typed over them in DPS is overwritten."""
    link = linked()
    assert write_to(
        reconcile(link, event(link, DPS, 5, total="typed"), NOW, RULES), DPS
    ).values == {"total": "old"}


def test_below_two_way_no_edit_in_ajera_goes_anywhere() -> None:
    """Neither to DPS nor back; a DPS edit overwrites."""
    rules, link = below_two_way(RULES), linked()
    decision = reconcile(
        link,
        event(link, AJERA, 5, name="a", notes="a", market="a", phone="a"),
        NOW,
        rules,
    )
    assert decision.writes == ()
    decision = reconcile(decision.link, event(link, DPS, 1, notes="d"), NOW, rules)
    assert write_to(decision, AJERA).values == {"notes": "d"}


# -- coincidence, representation, covered edits ----------------------------------------------------
def test_a_coincident_value_still_competes_by_its_time() -> None:
    """Both typed "same", Ajera last; an older DPS edit that arrives later does not replace it."""
    link = both_edited("name", 20, 5, ajera="same")
    link = reconcile(link, event(link, DPS, 5, name="same"), NOW, RULES).link
    assert link.coincident == {"name"}
    decision = reconcile(link, event(link, DPS, 10, name="older"), NOW, RULES)
    assert write_to(decision, DPS).values == {"name": "same"}
    assert decision.conflicts[0].winner is AJERA


def test_a_cut_name_is_no_edit() -> None:
    """DPS keeps ten characters: its event agrees with what Ajera holds, padded or not."""
    link = linked()
    decision = reconcile(link, event(link, AJERA, 1, name="a very long name"), NOW, RULES)
    assert write_to(decision, DPS).values == {"name": "a very lon"}
    link = carried_out(decision, 5)
    echo = reconcile(link, event(link, DPS, 5, name="a very lon    "), NOW, RULES)
    assert (echo.writes, echo.reason) == ((), Reason.ECHO)
    later = reconcile(echo.link, event(link, DPS, 6, name="a very lon  "), NOW, RULES)
    assert (later.writes, later.reason) == ((), Reason.UNCHANGED)


def test_an_edit_that_was_undone_before_we_saw_it_is_not_lost_under_our_write() -> None:
    """Ajera typed and returned to the old name after DPS's edit; our comparison could not see that.
    The later edit stands.
    """
    link = linked()
    link = carried_out(reconcile(link, event(link, DPS, 2, name="from d"), NOW, RULES), 30)
    link = reconcile(link, event(linked(), AJERA, 10, name="tried"), NOW, RULES).link
    decision = reconcile(link, event(linked(), AJERA, 20, name="old"), NOW, RULES)
    write = write_to(decision, AJERA)
    assert (dict(write.values), dict(write.expected)) == (
        {"name": "old"},
        {"name": "from d"},
    )
    assert decision.conflicts[0].winner is AJERA
    link = carried_out(decision, 31)
    assert write_to(finish(link, NOW, RULES, Reason.UNCHANGED), DPS).values == {"name": "old"}


def test_an_edit_undone_before_the_other_sides_edit_stays_covered_and_logged() -> None:
    """DPS typed later, so its value stands."""
    link = linked()
    link = carried_out(reconcile(link, event(link, DPS, 25, name="from d"), NOW, RULES), 30)
    link = reconcile(link, event(linked(), AJERA, 10, name="tried"), NOW, RULES).link
    decision = reconcile(link, event(linked(), AJERA, 20, name="old"), NOW, RULES)
    assert (decision.writes, decision.conflicts[0].winner) == ((), DPS)


def test_a_covered_edit_of_a_manual_line_is_parked() -> None:
    """Both sides were edited after all: the rule says that a person decides."""
    link = linked()
    link = carried_out(reconcile(link, event(link, DPS, 2, notes="from d"), NOW, RULES), 30)
    link = reconcile(link, event(linked(), AJERA, 10, notes="tried"), NOW, RULES).link
    decision = reconcile(link, event(linked(), AJERA, 20, notes="old"), NOW, RULES)
    assert (decision.writes, decision.link.parked["notes"].ajera) == (
        (),
        "old",
    )


# -- looking at the row ----------------------------------------------------------------------------
def test_a_snapshot_within_the_epoch_is_nobodys_edit() -> None:
    """Whatever it shows, the change itself came or comes by its own event;
    only its place is noted.
    """
    link = linked()
    read = event(link, DPS, 8, "r", name="between")
    assert not needs_look(link, read, RULES)
    decision = reconcile(link, read, NOW, RULES)
    assert (decision.reason, decision.writes) == (Reason.SNAPSHOT, ())
    assert (
        decision.link.dps.seen.position,
        decision.link.dps.seen.place.offset,
    ) == (position(0), 8)


def test_a_snapshot_at_an_earlier_place_is_stale() -> None:
    """Rows read by a snapshot are guarded by place alone."""
    link = linked()
    assert reconcile(link, event(link, DPS, 0, "r", name="x"), NOW, RULES).reason is Reason.STALE


def test_a_row_read_in_an_older_epoch_is_stale_wherever_it_is() -> None:
    """A snapshot that was read before the capture was made again, and delivered after it."""
    link = reconcile(linked(), event(linked(), DPS, 5, epoch=2), NOW, RULES).link
    read = event(link, DPS, 4, "r", offset=99, name="x")
    assert reconcile(link, read, NOW, RULES).reason is Reason.STALE


def test_after_a_gap_what_the_row_holds_is_taken_and_an_older_image_is_not() -> None:
    """A new epoch: nobody listened, so the row itself tells, read under lock;
    the event's image alone does not.
    """
    link = linked()
    read = event(link, DPS, 8, "r", epoch=2, name="typed", market="gone again")
    assert needs_look(link, read, RULES)
    row = RULES.written(DPS, {**link.dps.value, "name": "typed"})
    decision = reconcile(link, read, NOW, RULES, LockedRow(row, seconds(9)))
    assert write_to(decision, AJERA).values == {"name": "typed"}


def test_what_was_committed_before_the_look_is_not_taken_twice() -> None:
    """The capture streams an older change again after the snapshot: the row does not hold it,
    so it is no edit.
    """
    link = linked()
    row = RULES.written(DPS, {**link.dps.value, "name": "typed"})
    read = event(link, DPS, 8, "r", epoch=2, name="typed")
    link = carried_out(reconcile(link, read, NOW, RULES, LockedRow(row, seconds(9))), 10)
    older = event(link, DPS, 7, offset=9, epoch=2, name="earlier")
    assert needs_look(link, older, RULES)
    assert reconcile(link, older, NOW, RULES, LockedRow(row, seconds(11))).writes == ()


def test_an_edit_made_while_the_snapshot_was_running_is_not_lost() -> None:
    """The snapshot's time may be later than what it shows: the edit's own event is older,
    but the row holds it.
    """
    link = linked()
    held = LockedRow(
        RULES.written(DPS, {**link.dps.value, "name": "meanwhile"}),
        seconds(20),
    )
    read = event(link, DPS, 8, "r", epoch=2)
    link = reconcile(link, read, NOW, RULES, held).link
    decision = reconcile(
        link,
        event(link, DPS, 7, offset=9, epoch=2, name="meanwhile"),
        NOW,
        RULES,
        held,
    )
    assert write_to(decision, AJERA).values == {"name": "meanwhile"}


def test_an_edit_that_was_undone_before_the_look_bears_its_own_time() -> None:
    """It shows what was known, and the row holds another value by now: it was not made after the
    look, and does not win over what was typed meanwhile.
    """
    link = linked()
    held = LockedRow(RULES.written(DPS, {**link.dps.value, "name": "now"}), seconds(20))
    link = reconcile(link, event(link, DPS, 8, "r", epoch=2), NOW, RULES, held).link
    for at, name in ((9, "once"), (10, "old")):
        told = event(linked(), DPS, at, epoch=2, name=name)
        link = reconcile(link, told, NOW, RULES, held).link
    assert link.dps.edited_at["name"] == seconds(10)


def test_a_row_that_holds_an_image_older_than_the_look_was_edited_after_the_look() -> None:
    """It saw another value. A clock that was set back gives the edit that time,
    or its own event brings another one.
    """
    link = linked()
    row = RULES.written(DPS, link.dps.value)
    link = reconcile(
        link,
        event(link, DPS, 8, "r", epoch=2),
        NOW,
        RULES,
        LockedRow(row, seconds(20)),
    ).link
    held = LockedRow(RULES.written(DPS, {**link.dps.value, "name": "once"}), seconds(31))
    decision = reconcile(link, event(link, DPS, 9, epoch=2, name="once"), NOW, RULES, held)
    assert write_to(decision, AJERA).values == {"name": "once"}
    link = carried_out(decision, 32)
    assert link.dps.edited_at["name"] == seconds(20)
    for at, name in ((10, "old"), (30, "once")):
        decision = reconcile(
            link,
            event(linked(), DPS, at, epoch=2, name=name),
            NOW,
            RULES,
            held,
        )
        assert (decision.writes, decision.conflicts) == ((), ())
        link = decision.link
    assert link.dps.edited_at["name"] == seconds(30)


def test_an_edit_that_left_and_came_back_after_the_look_counts_with_its_time() -> None:
    """The first of the two is not believed, since the row does not hold it;
    the second one is an edit all the same.
    """
    link = linked()
    row = RULES.written(DPS, link.dps.value)
    link = reconcile(
        link,
        event(link, DPS, 8, "r", epoch=2),
        NOW,
        RULES,
        LockedRow(row, seconds(20)),
    ).link
    for at, name in ((25, "tried"), (26, "old")):
        told = event(linked(), DPS, at, epoch=2, name=name)
        link = reconcile(link, told, NOW, RULES, LockedRow(row, seconds(31))).link
    assert (link.dps.edited_at["name"], sorted(link.coincident)) == (
        seconds(26),
        ["name"],
    )


def test_our_own_write_is_known_by_value_and_time_where_its_position_is_not() -> None:
    """Two writes of ours, there and back again:
    neither echo is taken for an edit that the other one covered.
    """
    link = linked()
    link = carried_out(
        reconcile(link, event(link, AJERA, 1, name="new"), NOW, RULES),
        5,
        can_translate=False,
    )
    link = carried_out(
        reconcile(link, event(link, AJERA, 6, name="old"), NOW, RULES),
        7,
        can_translate=False,
    )
    held = LockedRow(RULES.written(DPS, link.dps.value), seconds(8))
    link = reconcile(link, event(link, DPS, 5, name="new"), NOW, RULES, held).link
    decision = reconcile(link, event(link, DPS, 7, name="old"), NOW, RULES, held)
    assert (
        decision.writes,
        decision.conflicts,
        decision.link.dps.wanted,
    ) == ((), (), {})


def test_where_positions_are_unknown_an_image_counts_only_if_the_row_holds_it() -> None:
    """No log position could be read in our transaction: the row is asked,
    for as long as the window lasts.
    """
    link = linked()
    link = carried_out(
        reconcile(link, event(link, AJERA, 1, name="new"), NOW, RULES),
        5,
        can_translate=False,
    )
    old = event(link, DPS, 4, name="old", notes="other")
    held = RULES.written(DPS, {**link.dps.value, "notes": "other"})
    assert needs_look(link, old, RULES)
    assert write_to(
        reconcile(link, old, NOW, RULES, LockedRow(held, seconds(6))), AJERA
    ).values == {"notes": "other"}
    newer = event(link, DPS, 6, name="newer")
    held = RULES.written(DPS, {**link.dps.value, "name": "newer"})
    assert write_to(
        reconcile(link, newer, NOW, RULES, LockedRow(held, seconds(6))),
        AJERA,
    ).values == {"name": "newer"}
    assert not needs_look(link, event(link, DPS, 6 + 3600), RULES)


def test_a_decision_without_the_look_it_needs_is_refused() -> None:
    """So is one while a write is open: both are faults of the caller."""
    link = linked()
    with pytest.raises(ValueError, match="under lock"):
        reconcile(link, event(link, DPS, 8, "r", epoch=2), NOW, RULES)
    unsettled = reconcile(link, event(link, AJERA, 1, name="new"), NOW, RULES).link
    with pytest.raises(ValueError, match="open writes"):
        reconcile(unsettled, event(link, AJERA, 2), NOW, RULES)
    with pytest.raises(ValueError, match="neither side"):
        reconcile(link, replace(event(link, DPS, 8), table="PR"), NOW, RULES)


# -- the end ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("side", list(Side))
def test_a_deleted_row_ends_the_link_and_the_other_row_stays(
    side: Side,
) -> None:
    """No write, an entry in the log, and the link is kept."""
    link = linked()
    decision = reconcile(link, event(link, side, 5, "d"), NOW, RULES)
    assert (
        decision.link.state,
        decision.link.ended_by,
        decision.writes,
    ) == (State.ENDED, side, ())
    assert [entry.kind for entry in decision.conflicts] == [Kind.LINK_ENDED]


def test_an_edit_not_carried_over_when_its_counterpart_is_deleted_is_logged_with_its_value() -> (
    None
):
    """The edit is known before the delete."""
    link = both_edited("name", 1, 9)
    decision = reconcile(link, event(link, DPS, 9, "d"), NOW, RULES)
    entry = decision.conflicts[1]
    assert (entry.kind, entry.column, entry.ajera) == (
        Kind.DELETE_ORIGIN_DIFFERS,
        "name",
        "from a",
    )


def test_an_edit_that_crossed_the_delete_is_logged_once_and_a_later_one_is_not() -> None:
    """The edit becomes known after the delete."""
    link = linked()
    link = reconcile(link, event(link, DPS, 9, "d"), NOW, RULES).link
    decision = reconcile(link, event(link, AJERA, 8, name="crossed"), NOW, RULES)
    assert [(entry.kind, entry.ajera) for entry in decision.conflicts] == [
        (Kind.DELETE_ORIGIN_DIFFERS, "crossed")
    ]
    assert (decision.writes, decision.reason) == ((), Reason.ENDED)
    again = reconcile(decision.link, event(link, AJERA, 8, name="crossed"), NOW, RULES)
    later = reconcile(decision.link, event(link, AJERA, 30, name="later"), NOW, RULES)
    assert (again.conflicts, later.conflicts, later.writes) == ((), (), ())


@pytest.mark.parametrize("side", [AJERA, DPS])
@pytest.mark.parametrize("editing", [AJERA, DPS])
def test_an_edit_that_crossed_the_delete_is_logged_also_while_images_are_checked(
    side: Side, editing: Side
) -> None:
    """In the hour after a pair began, or after a write of an unknown position;
    an image from before that is no edit.
    """
    link = linked()
    for each in (AJERA, DPS):
        link_side = link.side(each)
        link = link.with_side(each, looked_at(link_side, link_side.value, seconds(3)))
    ended, _ = end(link, side, seconds(9), RULES, NOW)
    told = reconcile(ended, event(link, editing, 5, name="crossed"), NOW, RULES)
    (entry,) = told.conflicts
    assert (entry.kind, entry.value(editing)) == (
        Kind.DELETE_ORIGIN_DIFFERS,
        "crossed",
    )
    assert reconcile(ended, event(link, editing, 2, name="before"), NOW, RULES).conflicts == ()


def test_an_ended_link_is_revived_by_nothing_but_a_new_row_of_its_key() -> None:
    """Not by a replayed create of either side, not by an edit; by a create newer than the delete,
    on that side only.
    """
    link = linked()
    link = reconcile(link, event(link, DPS, 9, "d"), NOW, RULES).link
    assert not can_relink(link, event(link, DPS, 3, "c"))
    assert not can_relink(link, event(link, AJERA, 20, "c"))
    assert not can_relink(link, event(link, DPS, 20))
    assert can_relink(link, event(link, DPS, 20, "c"))
    assert can_relink(None, event(linked(), DPS, 1))
    assert not can_relink(linked(), event(linked(), DPS, 20, Operation.CREATE.value))


@pytest.mark.parametrize("side", [AJERA, DPS])
def test_a_text_under_manual_that_is_not_surely_later_than_the_other_sides_is_parked(
    side: Side,
) -> None:
    """They agreed by coincidence: nobody is named, so both texts wait,
    and an edit that follows decides nothing.
    """
    link = linked()
    link = carried_out(
        reconcile(link, event(link, side.other, 9, notes="y"), NOW, RULES),
        50,
        skipped=("notes",),
    )
    link = reconcile(link, event(link, side, 4, notes="y"), NOW, RULES).link
    assert link.coincident == {"notes"}
    parked = reconcile(link, event(link, side, 5, notes="z"), NOW, RULES)
    assert (parked.outcome, parked.writes) == (Outcome.PARKED, ())
    followed = reconcile(parked.link, event(parked.link, side, 60, notes="more"), NOW, RULES)
    assert (followed.outcome, followed.writes) == (Outcome.PARKED, ())
    carried = reconcile(link, event(link, side, 60, notes="more"), NOW, RULES)
    assert write_to(carried, side.other).values == {"notes": "more"}
