"""At a first link a blank never wipes a filled value: it is nobody's decision."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.conflicts.conflict import Kind
from pipeline.conflicts.decision import LockedRow
from pipeline.conflicts.reconcile import reconcile
from pipeline.conflicts.rules import Rule, Rules, Side
from tests.unit.conflicts.build import (
    AJERA,
    DPS,
    RULES,
    carried_out,
    event,
    link_rows,
    seconds,
    write_to,
)

NOW = seconds(100)
LATER_BLANK = {
    AJERA: (seconds(1), seconds(9)),
    DPS: (seconds(9), seconds(1)),
}  # by the filled side
TWO_WAY = [
    pair.name for pair in RULES.pairs if pair.sender is None and pair.rule is not Rule.CREATE_ONLY
]


@pytest.mark.parametrize("prefers", [None, AJERA, DPS])
@pytest.mark.parametrize("filled", [AJERA, DPS])
@pytest.mark.parametrize("name", TWO_WAY)
def test_at_first_link_a_filled_value_fills_a_blank_one_under_every_rule(
    name: str, filled: Side, prefers: Side | None
) -> None:
    """A blank is nobody's decision: not the owner's, not that of the row modified later."""
    ajera, dps = ("filled", None) if filled is AJERA else (None, "filled")
    for times in ((None, None), LATER_BLANK[filled]):
        decision = link_rows(ajera, dps, name, times, prefers=prefers)
        assert write_to(decision, filled.other).values == {name: "filled"}
        assert [write.side for write in decision.writes] == [filled.other]
        assert [(entry.kind, entry.winner) for entry in decision.conflicts] == [
            (Kind.FIRST_LINK, filled)
        ]
        assert decision.link.parked == {}


@pytest.mark.parametrize("prefers", [None, AJERA, DPS])
@pytest.mark.parametrize(("name", "sender"), [("chance", DPS), ("total", AJERA)])
def test_at_first_link_the_senders_blank_leaves_a_filled_value_and_is_logged(
    name: str, sender: Side, prefers: Side | None
) -> None:
    """A value cannot flow to the sender, so it stays where it is, and nothing is asked for."""
    ajera, dps = (None, "filled") if sender is AJERA else ("filled", None)
    decision = link_rows(ajera, dps, name, prefers=prefers)
    assert decision.writes == ()
    assert [(entry.kind, entry.winner) for entry in decision.conflicts] == [
        (Kind.FIRST_LINK, sender.other)
    ]
    assert decision.link.parked == {}
    assert [decision.link.side(side).has_pending_edits for side in Side] == [False, False]


@pytest.mark.parametrize(("name", "sender"), [("chance", DPS), ("total", AJERA)])
def test_what_the_sender_types_after_a_blank_is_carried_over_and_so_is_a_blank_then(
    name: str, sender: Side
) -> None:
    """The value stayed at the first link only: from then on edits flow,
    one that empties the field too.
    """
    ajera, dps = (None, "filled") if sender is AJERA else ("filled", None)
    link = link_rows(ajera, dps, name).link
    typed = event(link, sender, 200, lines={name: "typed"})
    decision = reconcile(link, typed, NOW, RULES, LockedRow(typed.row, seconds(200)))
    assert write_to(decision, sender.other).values == {name: "typed"}
    link = carried_out(decision, 201)
    emptied = event(link, sender, 4000, lines={name: None})
    decision = reconcile(link, emptied, NOW, RULES, LockedRow(emptied.row, seconds(4000)))
    assert write_to(decision, sender.other).values == {name: None}


def test_a_blank_that_nobody_typed_is_not_put_back_over_a_value_that_stayed() -> None:
    """Ajera owns the total and never had one: what DPS's people type stays,
    until somebody types one in Ajera.
    """
    link = link_rows(None, "filled", "total").link
    typed = event(link, DPS, 200, total="corrected")
    decision = reconcile(link, typed, NOW, RULES, LockedRow(typed.row, seconds(200)))
    assert (
        decision.writes,
        decision.conflicts,
        decision.link.dps.has_pending_edits,
    ) == ((), (), False)
    owners = event(decision.link, AJERA, 201, total="owner's")
    decision = reconcile(
        decision.link,
        owners,
        NOW,
        RULES,
        LockedRow(owners.row, seconds(201)),
    )
    assert write_to(decision, DPS).values == {"total": "owner's"}
    link = carried_out(decision, 202)
    over = event(link, DPS, 4000, total="typed over")
    decision = reconcile(link, over, NOW, RULES, LockedRow(over.row, seconds(4000)))
    assert write_to(decision, DPS).values == {"total": "owner's"}


def test_a_value_that_the_other_side_holds_as_none_counts_as_a_blank() -> None:
    """A stage that is not final is no disposition in Ajera: it must not empty one."""
    final = Rules(
        tuple(replace(p, to_ajera=lambda v: v if v == "Won" else None) for p in RULES.pairs)
    )
    decision = link_rows("Lost", "Lead", "chance", rules=final)
    assert (
        decision.writes,
        [entry.winner for entry in decision.conflicts],
    ) == ((), [AJERA])
