"""What became of a write, folded into the link."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.conflicts.conflict import Kind
from pipeline.conflicts.decision import (
    Applied,
    GivenUp,
    KeyTaken,
    Recorded,
    RowGone,
)
from pipeline.conflicts.link import Obstacle, State
from pipeline.conflicts.reconcile import reconcile
from pipeline.conflicts.settle import (
    applicable,
    intention_of,
    open_writes,
    recalled,
    settle,
)
from tests.unit.conflicts.build import (
    AJERA,
    DPS,
    RULES,
    event,
    linked,
    seconds,
    write_to,
)

NOW = seconds(100)


def test_only_lines_that_still_hold_what_was_expected_are_applicable() -> None:
    """Null-safe, and in the form in which the side is compared: padding is no difference."""
    link = linked(None)
    write = write_to(
        reconcile(link, event(link, AJERA, 1, name="new", phone="new"), NOW, RULES),
        DPS,
    )
    row = RULES.written(DPS, link.dps.value)
    assert applicable(write, row, RULES) == {"name": "new", "phone": "new"}
    assert applicable(write, {**row, "Name": "  "}, RULES) == {
        "name": "new",
        "phone": "new",
    }
    assert applicable(write, {**row, "Name": "typed"}, RULES) == {"phone": "new"}


def test_what_was_written_is_agreed_and_what_was_skipped_is_not() -> None:
    """The link believes what was read back, and keeps asking for the rest."""
    link = linked()
    decision = reconcile(link, event(link, AJERA, 1, name="new", phone="new"), NOW, RULES)
    settled = settle(
        decision.link,
        DPS,
        Applied(1, {"name": "NEW"}, "00", seconds(2)),
        RULES,
    ).link
    assert (
        settled.dps.value["name"],
        sorted(settled.ajera.dirty),
        list(open_writes(settled)),
    ) == (
        "NEW",
        ["phone"],
        [],
    )


@pytest.mark.parametrize("outcome", [GivenUp(1), Applied(1, {}, None, NOW)])
def test_a_write_that_did_nothing_leaves_everything_asked_for(
    outcome: GivenUp | Applied,
) -> None:
    """Fenced, or refused in all its lines."""
    link = linked()
    decision = reconcile(link, event(link, DPS, 1, name="new"), NOW, RULES)
    settled = settle(decision.link, AJERA, outcome, RULES).link
    assert (sorted(settled.dps.dirty), list(settled.ajera.pending)) == (
        ["name"],
        [],
    )


def test_settling_twice_changes_nothing() -> None:
    """Two processes may both find the outcome."""
    link = linked()
    decision = reconcile(link, event(link, DPS, 1, name="new"), NOW, RULES)
    once = settle(decision.link, AJERA, Applied(1, {"name": "new"}, "00", NOW), RULES).link
    assert settle(once, AJERA, GivenUp(1), RULES).link == once


def test_an_intention_is_recalled_as_what_ajeras_table_says() -> None:
    """Absent or empty it was given up; else its effect is adopted."""
    done = Recorded({"name": "new"}, "00", NOW)
    created = Recorded({}, None, NOW, key="9")
    assert recalled(1, None) == recalled(1, Recorded({}, None, NOW)) == GivenUp(1)
    assert recalled(1, done) == Applied(1, {"name": "new"}, "00", NOW)
    assert recalled(1, created) == Applied(1, {}, None, NOW, "9")
    assert intention_of(linked(), 3) == "L1/3"


def test_a_row_that_is_not_there_ends_the_link_and_its_value_is_logged() -> None:
    """The update found nothing to update."""
    link = linked()
    decision = reconcile(link, event(link, AJERA, 1, name="new"), NOW, RULES)
    settled = settle(decision.link, DPS, RowGone(1, seconds(3)), RULES)
    assert (settled.link.state, settled.link.ended_by) == (State.ENDED, DPS)
    kinds = [entry.kind for entry in settled.conflicts]
    assert kinds == [
        Kind.UPDATE_MISSING,
        Kind.LINK_ENDED,
        Kind.DELETE_ORIGIN_DIFFERS,
    ]
    assert settled.conflicts[0].ajera == "new"


def test_a_key_that_is_taken_is_logged_once() -> None:
    """The row to be created is somebody else's; trying again says nothing new."""
    link = linked()
    link = replace(
        link,
        state=State.CREATING,
        dps=replace(link.dps, key=None, value={}),
    )
    decision = reconcile(link, event(link, AJERA, 1), NOW, RULES)
    settled = settle(decision.link, DPS, KeyTaken(1, NOW), RULES)
    assert settled.link.obstacle is Obstacle.KEY_TAKEN
    assert [entry.kind for entry in settled.conflicts] == [Kind.INSERT_EXISTS]
    again = reconcile(settled.link, event(link, AJERA, 2), NOW, RULES)
    assert settle(again.link, DPS, KeyTaken(2, NOW), RULES).conflicts == ()
