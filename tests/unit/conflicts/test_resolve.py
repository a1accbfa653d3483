"""Decisions of a person: they are edits that flow the normal way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.conflicts.conflict import Conflict, Kind
from pipeline.conflicts.decision import Decision, Reason
from pipeline.conflicts.link import Link, Parked, State
from pipeline.conflicts.manual import EnteredValue, resolve, reverse
from pipeline.conflicts.reconcile import finish, reconcile
from pipeline.conflicts.rules import Direction, Rule, Rules, Side
from pipeline.errors import UsageError
from pipeline.model.event import Value
from tests.unit.conflicts.build import (
    AJERA,
    DPS,
    RULES,
    carried_out,
    event,
    linked,
    seconds,
    write_to,
)

NOW = seconds(100)


def parked() -> Link:
    """The notes are parked: "from a" against "from d"."""
    link = linked()
    link = carried_out(
        reconcile(link, event(link, AJERA, 1, notes="from a"), NOW, RULES),
        50,
        skipped=("notes",),
    )
    return reconcile(link, event(link, DPS, 9, notes="from d"), NOW, RULES).link


def decided() -> Decision:
    """The name was typed on both sides, and DPS won."""
    link = linked()
    link = carried_out(
        reconcile(link, event(link, AJERA, 1, name="from a"), NOW, RULES),
        50,
        skipped=("name",),
    )
    return reconcile(link, event(link, DPS, 9, name="from d"), NOW, RULES)


@pytest.mark.parametrize("side", list(Side))
def test_choosing_a_side_writes_its_value_to_the_other(side: Side) -> None:
    """Only where that side still holds what was shown to the person."""
    decision = resolve(parked(), "notes", side, NOW, RULES)
    write = write_to(decision, side.other)
    typed = {AJERA: "from a", DPS: "from d"}
    assert (dict(write.values), dict(write.expected)) == (
        {"notes": typed[side]},
        {"notes": typed[side.other]},
    )
    assert (decision.reason, decision.link.parked) == (Reason.DECIDED, {})
    done = carried_out(decision, 60)
    assert finish(done, NOW, RULES, Reason.UNCHANGED).writes == ()


def test_a_typed_value_reaches_both_sides() -> None:
    """First the side it was typed for, then, as an edit of that side, the other one."""
    decision = resolve(parked(), "notes", EnteredValue(DPS, "third"), NOW, RULES)
    assert write_to(decision, DPS).values == {"notes": "third"}
    then = finish(carried_out(decision, 60), NOW, RULES, Reason.UNCHANGED)
    assert write_to(then, AJERA).values == {"notes": "third"}
    assert finish(carried_out(then, 61), NOW, RULES, Reason.UNCHANGED).writes == ()


def test_an_edit_that_the_person_could_not_see_parks_a_manual_line_again() -> None:
    """The comparison refused the decision's write; the edit's event tells why."""
    link = carried_out(
        resolve(parked(), "notes", AJERA, NOW, RULES),
        60,
        skipped=("notes",),
    )
    decision = reconcile(link, event(link, DPS, 95, notes="meanwhile"), NOW, RULES)
    assert decision.link.parked["notes"].dps == "meanwhile"


def test_reversing_lets_the_loser_win_wherever_it_was_written() -> None:
    """Ajera holds DPS's value by now; the decision types its own there again,
    and carries it over.
    """
    decision = decided()
    link = carried_out(decision, 51)
    turned = reverse(link, decision.conflicts[0], NOW, RULES)
    assert write_to(turned, AJERA).values == {"name": "from a"}
    then = finish(carried_out(turned, 60), NOW, RULES, Reason.UNCHANGED)
    assert write_to(then, DPS).values == {"name": "from a"}


def test_reversing_an_owned_column_enters_the_value_at_its_owner() -> None:
    """Else the rule would put it back at once."""
    link = linked()
    decision = reconcile(link, event(link, DPS, 1, phone="typed"), NOW, RULES)
    turned = reverse(carried_out(decision, 51), decision.conflicts[0], NOW, RULES)
    assert write_to(turned, AJERA).values == {"phone": "typed"}
    assert [write.side for write in turned.writes] == [AJERA]


def test_what_cannot_be_decided_is_refused_with_a_sentence() -> None:
    """Not parked, decided nothing, another pair's, or of a pair that ended."""
    entry = decided().conflicts[0]
    with pytest.raises(UsageError, match="not parked"):
        resolve(linked(), "notes", AJERA, NOW, RULES)
    for wrong in (
        replace(entry, winner=None),
        replace(entry, column=None),
        replace(entry, link="L2"),
    ):
        with pytest.raises(UsageError, match="decided nothing"):
            reverse(linked(), wrong, NOW, RULES)
    with pytest.raises(UsageError, match="not linked"):
        reverse(replace(linked(), state=State.ENDED), entry, NOW, RULES)
    with pytest.raises(UsageError, match="not known"):
        reverse(linked(), replace(entry, column="gone"), NOW, RULES)
    owned = replace(entry, column="PR.AjeraCostLabor", kind=Kind.OWNED_PUT_BACK)
    with pytest.raises(UsageError, match="its owner alone decides"):
        reverse(linked(), owned, NOW, RULES)


def in_rules(name: str, **changed: Any) -> Rules:
    pairs = (replace(pair, **changed) if pair.name == name else pair for pair in RULES.pairs)
    return replace(RULES, pairs=tuple(pairs))


@pytest.mark.parametrize("loser", Side)
@pytest.mark.parametrize("name", ["name", "market", "phone", "notes"])
def test_a_value_without_a_counterpart_is_refused_and_blanks_neither_side(
    name: str, loser: Side
) -> None:
    """A code whose entry the other list lacks, a reference to a row that is not linked:
    whoever owns the line.
    """
    rules = in_rules(
        name,
        can_translate=lambda value, to: value != "odd",
        to_dps=_if_known,
        to_ajera=_if_known,
    )
    values = {loser: "odd", loser.other: "old"}
    entry = Conflict(
        "L1",
        "firm",
        name,
        Kind.FIRST_LINK,
        None,
        loser.other,
        NOW,
        ajera=values[AJERA],
        dps=values[DPS],
    )
    with pytest.raises(UsageError, match="has no"):
        reverse(linked(), entry, NOW, rules)
    stuck = replace(
        linked(),
        parked={name: Parked(values[AJERA], values[DPS], NOW, Kind.FIRST_LINK)},
    )
    for choice in (loser, EnteredValue(loser, "odd")):
        with pytest.raises(UsageError, match="has no"):
            resolve(stuck, name, choice, NOW, rules)
    assert reverse(
        linked(),
        replace(entry, winner=loser, ajera="x", dps="x"),
        NOW,
        rules,
    ).writes


def _if_known(value: Value) -> Value:
    return None if value == "odd" else value


def test_a_value_that_its_owner_cannot_hold_is_refused() -> None:
    """A form that loses it would enter another one."""
    rules = in_rules("phone", to_ajera=lambda value: "short")
    entry = Conflict(
        "L1",
        "firm",
        "phone",
        Kind.OWNED_PUT_BACK,
        None,
        AJERA,
        NOW,
        ajera="old",
        dps="long",
    )
    with pytest.raises(UsageError, match="cannot hold"):
        reverse(linked(), entry, NOW, rules)
    neither = in_rules("phone", rule=Rule.CREATE_ONLY, direction=Direction.NEITHER)
    with pytest.raises(UsageError, match="is not written"):
        reverse(linked(), entry, NOW, neither)
