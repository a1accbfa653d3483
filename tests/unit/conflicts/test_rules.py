"""Lines, directions, and what a site may change of them."""

from __future__ import annotations

import pytest

from pipeline.conflicts.forms import cut, upper
from pipeline.conflicts.rules import (
    ColumnPair,
    Direction,
    Field,
    Rule,
    Rules,
    Side,
    column,
    with_rules,
)
from pipeline.conflicts.version import below_two_way
from pipeline.errors import ProfileInvalid
from pipeline.model.event import Row, Value
from tests.unit.conflicts.build import AJERA, DPS, RULES, seconds


def pair(rule: Rule, direction: Direction = Direction.BOTH, owner: Side = AJERA) -> ColumnPair:
    return ColumnPair("line", column("a"), column("d"), rule, direction, owner)


@pytest.mark.parametrize(
    ("rule", "direction"),
    [
        (Rule.DPS, Direction.TO_DPS),
        (Rule.AJERA, Direction.TO_AJERA),
        (Rule.MANUAL, Direction.TO_DPS),
    ],
)
def test_a_rule_that_contradicts_its_direction_is_refused(rule: Rule, direction: Direction) -> None:
    """The owner must be able to send, and nobody need be asked about a line that flows one way."""
    with pytest.raises(ProfileInvalid):
        pair(rule, direction)


def test_a_one_way_line_minds_the_receivers_edits_only_to_put_them_back() -> None:
    """Under NEWEST they are left alone, under the sender's
    rule they return to the sender's value.
    """
    assert not pair(Rule.NEWEST, Direction.TO_DPS).reacts_to_edits_on(DPS)
    assert pair(Rule.AJERA, Direction.TO_DPS).reacts_to_edits_on(DPS)
    assert pair(Rule.NEWEST, Direction.TO_DPS).reacts_to_edits_on(AJERA)
    assert not pair(Rule.CREATE_ONLY).reacts_to_edits_on(AJERA)


def test_the_later_edit_is_told_beyond_the_tolerance_only() -> None:
    """Two seconds apart count as simultaneous: the owner's."""
    newest = pair(Rule.NEWEST, owner=DPS)
    rules = Rules((newest,))
    assert rules.side_edited_last(newest, seconds(3), seconds(1)) is DPS
    assert rules.side_edited_last(newest, seconds(3.1), seconds(1)) is AJERA
    assert rules.side_edited_last(newest, seconds(1), seconds(3.1)) is DPS
    assert rules.side_edited_last(newest, seconds(1), None) is AJERA
    assert rules.side_edited_last(newest, None, seconds(1)) is DPS
    assert rules.side_edited_last(newest, None, None) is DPS


def test_a_value_agrees_with_what_the_other_side_can_store_of_it() -> None:
    """Cut, or in capitals, it is still the same."""
    cut_pair = ColumnPair("line", column("a"), column("d"), Rule.NEWEST, to_dps=cut(3))
    assert cut_pair.agrees("abcdef", "abc")
    assert not cut_pair.agrees("abcdef", "abd")
    assert ColumnPair("line", column("a"), column("d"), Rule.NEWEST, to_ajera=upper).agrees(
        "ABC", "abc"
    )


def test_a_field_may_span_columns_and_an_absent_one_is_unknown() -> None:
    """DPS keeps a short and a long name; a row without both says nothing about the line."""

    def read(row: Row) -> Value:
        return row["LongName"] or row["Name"]

    both = Field(
        ("Name", "LongName"),
        read,
        lambda v, _: {"Name": str(v)[:3], "LongName": v},
    )
    rules = Rules((ColumnPair("name", column("prjDescription"), both, Rule.NEWEST),))
    assert rules.observed(DPS, {"Name": "abc", "LongName": "abcdef"}) == {"name": "abcdef"}
    assert rules.observed(DPS, {"Name": "abc"}) == {}
    assert rules.written(DPS, {"name": "abcdef"}) == {
        "Name": "abc",
        "LongName": "abcdef",
    }


def test_a_site_may_change_the_rule_of_any_line_that_exists() -> None:
    """An unknown line is refused, a contradiction too."""
    assert with_rules(RULES, {"name": Rule.MANUAL}).by_name["name"].rule is Rule.MANUAL
    with pytest.raises(ProfileInvalid):
        with_rules(RULES, {"nme": Rule.MANUAL})
    with pytest.raises(ProfileInvalid):
        with_rules(RULES, {"chance": Rule.AJERA})


def test_below_two_way_everything_flows_to_ajera_or_not_at_all() -> None:
    """What Ajera owns or only sends is gone; nothing of Ajera's is put back."""
    left = below_two_way(RULES)
    assert list(left.by_name) == [
        "name",
        "market",
        "notes",
        "number",
        "chance",
    ]
    assert {pair.direction for pair in left.pairs} == {Direction.TO_AJERA}
    assert not any(pair.reacts_to_edits_on(AJERA) for pair in left.pairs)
