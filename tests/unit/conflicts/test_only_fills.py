"""A line that only fills (who is billed) never replaces a value: a person does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.conflicts.conflict import Kind
from pipeline.conflicts.decision import LockedRow, Reason
from pipeline.conflicts.manual import EnteredValue, resolve
from pipeline.conflicts.reconcile import finish, reconcile
from pipeline.conflicts.rules import Rule, Rules, Side, translated
from pipeline.model.event import Value
from tests.unit.conflicts.build import (
    AJERA,
    DPS,
    RULES,
    carried_out,
    event,
    link_rows,
    linked,
    seconds,
    write_to,
)

NOW = seconds(100)
LATER_BLANK = {
    AJERA: (seconds(1), seconds(9)),
    DPS: (seconds(9), seconds(1)),
}  # by the filled side


def only_filling(rule: Rule = Rule.NEWEST) -> Rules:
    """Who is billed: the line may fill a blank and replaces nothing."""
    pairs = (
        replace(p, only_fills=True, rule=rule) if p.name == "chance" else p for p in RULES.pairs
    )
    return Rules(tuple(pairs))


FILLING = only_filling()


@pytest.mark.parametrize("prefers", [None, AJERA, DPS])
@pytest.mark.parametrize("rule", [Rule.NEWEST, Rule.DPS])
def test_a_line_that_only_fills_parks_at_the_first_link_where_both_are_filled(
    rule: Rule, prefers: Side | None
) -> None:
    """With both values, whatever is preferred,
    whoever owns it and whichever row was modified later.
    """
    for times in ((None, None), *LATER_BLANK.values()):
        decision = link_rows(
            "a",
            "d",
            "chance",
            times,
            prefers=prefers,
            rules=only_filling(rule),
        )
        assert decision.writes == ()
        assert [(entry.kind, entry.winner) for entry in decision.conflicts] == [
            (Kind.FIRST_LINK, None)
        ]
        parked = decision.link.parked["chance"]
        assert (parked.ajera, parked.dps) == ("a", "d")


def test_a_line_that_only_fills_fills_a_blank() -> None:
    """At the first link as later."""
    assert write_to(link_rows(None, "d", "chance", rules=FILLING), AJERA).values == {"chance": "d"}
    assert link_rows("a", None, "chance", rules=FILLING).writes == ()


@pytest.mark.parametrize("value", ["d", None])
@pytest.mark.parametrize("rule", [Rule.NEWEST, Rule.DPS])
def test_a_later_edit_never_replaces_a_value_on_a_line_that_only_fills(
    rule: Rule, value: Value
) -> None:
    """Neither another value nor a blank: a person decides, with both."""
    rules = only_filling(rule)
    link = linked("same")
    decision = reconcile(link, event(link, DPS, 1, chance=value), NOW, rules)
    assert decision.writes == ()
    parked = decision.link.parked["chance"]
    assert (parked.ajera, parked.dps, parked.reason) == (
        "same",
        value,
        Kind.FILLED_ALREADY,
    )
    assert [(entry.kind, entry.winner) for entry in decision.conflicts] == [
        (Kind.FILLED_ALREADY, None)
    ]


def test_what_ajera_types_over_a_line_that_only_fills_is_never_put_back() -> None:
    """Though DPS owns it in this installation."""
    rules = only_filling(Rule.DPS)
    link = linked("same")
    decision = reconcile(link, event(link, AJERA, 1, chance="typed"), NOW, rules)
    assert (decision.writes, set(decision.link.parked)) == ((), {"chance"})


def test_an_edit_in_ajera_does_not_end_what_is_parked_on_a_line_that_only_fills() -> None:
    """Unless it is the same as in DPS, or a blank, which is filled."""
    link = link_rows("a", "d", "chance", rules=FILLING).link
    for value, parks, writes in (
        ("b", True, []),
        ("d", False, []),
        (None, False, [{"chance": "d"}]),
    ):
        typed = event(link, AJERA, 200, chance=value)
        decision = reconcile(link, typed, NOW, FILLING, LockedRow(typed.row, seconds(200)))
        assert ("chance" in decision.link.parked) is parks
        assert [write.values for write in decision.writes] == writes


def test_a_line_that_only_fills_does_not_write_over_what_was_filled_while_it_waited() -> None:
    """DPS's client was not linked when the pair began: Ajera's people filled in theirs,
    then it was.
    """
    pairs = tuple(
        replace(p, through="firm", only_fills=True) if p.name == "chance" else p
        for p in RULES.pairs
    )
    lines = replace(RULES, pairs=pairs)
    unknown = translated(lines, lambda _, value, to: None)
    known = translated(lines, lambda _, value, to: {"d": "1", "1": "d"}.get(str(value)))
    link = link_rows(None, "d", "chance", rules=unknown).link
    assert link.dps.has_pending_edit("chance")
    typed = event(link, AJERA, 200, chance="2")
    link = reconcile(link, typed, NOW, unknown, LockedRow(typed.row, seconds(200))).link
    decision = finish(link, NOW, known, Reason.RETRIED)
    assert (decision.writes, set(decision.link.parked)) == ((), {"chance"})
    both = link_rows("2", "d", "chance", rules=unknown)
    assert (both.link.parked, both.conflicts) == ({}, ())
    decision = finish(both.link, NOW, known, Reason.RETRIED)
    assert (decision.writes, set(decision.link.parked)) == ((), {"chance"})


@pytest.mark.parametrize(
    ("choice", "ends"),
    [
        (DPS, "d"),
        (AJERA, "a"),
        (EnteredValue(DPS, "t"), "t"),
        (EnteredValue(AJERA, "t"), "t"),
    ],
)
def test_a_persons_decision_replaces_the_value_of_a_line_that_only_fills(
    choice: Side | EnteredValue, ends: str
) -> None:
    """Both sides hold what was decided, and no echo of that is parked again."""
    link = link_rows("a", "d", "chance", rules=FILLING).link
    decision = resolve(link, "chance", choice, seconds(300), FILLING)
    link = carried_out(decision, 301)
    decision = finish(link, seconds(302), FILLING, Reason.RETRIED)
    link = carried_out(decision, 303)
    link = finish(link, seconds(304), FILLING, Reason.RETRIED).link
    assert [link.side(side).value["chance"] for side in Side] == [
        ends,
        ends,
    ]
    assert link.parked == {}
    assert [link.side(side).has_pending_edits for side in Side] == [
        False,
        False,
    ]


def test_an_edit_in_ajera_that_a_decision_did_not_see_is_not_replaced() -> None:
    """The decision was made over another value: it is a person's again."""
    link = link_rows("a", "d", "chance", rules=FILLING).link
    decision = resolve(link, "chance", DPS, seconds(300), FILLING)
    link = carried_out(decision, 301, skipped=("chance",))
    typed = event(link, AJERA, 299, chance="typed")
    decision = reconcile(link, typed, NOW, FILLING, LockedRow(typed.row, seconds(302)))
    assert (decision.writes, set(decision.link.parked)) == ((), {"chance"})
