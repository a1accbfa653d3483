"""A line's fingerprint changes with what it compares and where it flows, and with nothing else."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace

import pytest

from pipeline.conflicts.fingerprint import compares, fingerprint, of_lines
from pipeline.conflicts.forms import as_is, cut, listed, trimmed
from pipeline.conflicts.rules import (
    ColumnPair,
    Direction,
    Field,
    Rule,
    Side,
    column,
    translated,
)
from pipeline.domain import exchange, status
from pipeline.domain.exchange import ENTITIES, FINAL_STAGES
from pipeline.domain.status import StatusCoding, with_status
from pipeline.model.event import Value

NAME = ColumnPair("name", column("a", trimmed), column("d"), Rule.NEWEST, to_dps=cut(40))
LINES = [(entity.name, pair) for entity in ENTITIES for pair in entity.rules.pairs]


@pytest.mark.parametrize(
    "changed",
    [
        replace(NAME, ajera=column("b", trimmed)),
        replace(NAME, dps=column("e")),
        replace(NAME, ajera=column("a")),
        replace(NAME, to_dps=cut(41)),
        replace(NAME, to_ajera=trimmed),
        replace(NAME, through="firm"),
        replace(NAME, dps=Field(("d", "e"), lambda row: row["d"], lambda value, _: {"d": value})),
    ],
    ids=["column", "other column", "read", "length", "back", "list", "columns"],
)
def test_another_column_or_form_is_another_comparison(changed: ColumnPair) -> None:
    """So that both rows are looked at."""
    assert compares(fingerprint(changed)) != compares(fingerprint(NAME))


@pytest.mark.parametrize(
    "changed",
    [
        replace(NAME, rule=Rule.AJERA),
        replace(NAME, rule=Rule.CREATE_ONLY),
        replace(NAME, direction=Direction.TO_DPS),
        replace(NAME, direction=Direction.NEITHER),
        replace(NAME, direction=Direction.TO_AJERA, only_fills=True),
    ],
)
def test_another_rule_or_direction_compares_the_same(changed: ColumnPair) -> None:
    """It is seen, and no row is read for it."""
    assert fingerprint(changed) != fingerprint(NAME)
    assert compares(fingerprint(changed)) == compares(fingerprint(NAME))


def test_which_of_two_directions_an_owned_line_has_is_seen() -> None:
    """What is typed over it is put back either way; a blank is filled in one of them."""
    owned = replace(NAME, rule=Rule.AJERA)
    assert fingerprint(owned) != fingerprint(replace(owned, direction=Direction.TO_DPS))


def test_words_about_a_line_and_other_ways_to_compute_the_same_change_nothing() -> None:
    """A comment, a note, a refactoring: values count, not source text."""

    def shortened(value: Value) -> Value:
        """Cut as `cut` does, in other words."""
        text = trimmed(value)
        return trimmed(text[0:40]) if isinstance(text, str) else text

    same = replace(NAME, to_dps=shortened, note="another", owner=Side.DPS, length=40)
    assert inspect.getsource(shortened) != inspect.getsource(cut)
    assert fingerprint(same) == fingerprint(NAME)


def test_what_a_list_holds_now_is_no_part_of_a_line() -> None:
    """Entries come and go; links and lists are asked at each decision."""
    for entity in ENTITIES:
        bound = translated(entity.rules, lambda _, value, to: None)
        assert bound.fingerprints == entity.rules.fingerprints


@pytest.mark.parametrize("name", FINAL_STAGES)
def test_a_code_that_means_something_else_is_seen(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line names the codes that its conversion knows."""
    (before,) = [pair for _, pair in LINES if pair.name == "disposition"]
    found = fingerprint(before)
    monkeypatch.setitem(exchange.FINAL_STAGES, name, "other")
    changed = replace(before, to_ajera=again(before.to_ajera))
    assert fingerprint(changed) != found


def again(function: Callable[[Value], Value]) -> Callable[[Value], Value]:
    """The same function, as another process has it."""
    return lambda value: function(value)


@pytest.mark.parametrize("entity", status.IN_DPS)
def test_each_coding_of_statuses_is_another_comparison(entity: str) -> None:
    """Switching it on or over leads to a look at both rows."""
    rules = next(one.rules for one in ENTITIES if one.name == entity)
    found = {
        with_status(entity, rules, coding).fingerprints[status.LINE]
        for coding in StatusCoding
        if entity != "project" or coding is not StatusCoding.ZERO_IS_ACTIVE
    }
    assert len(found) == (2 if entity == "project" else 3)


def test_a_form_that_refuses_a_value_has_a_fingerprint() -> None:
    """A conversion need not know values of every type."""
    picky = replace(NAME, to_ajera=lambda value: str(value)[5])
    assert fingerprint(picky) != fingerprint(replace(NAME, to_ajera=as_is))


def test_codes_beyond_the_common_ones_are_samples() -> None:
    """A line whose conversion knows them names them."""
    one, other = (listed({"Q7": said}) for said in ("a", "b"))
    assert fingerprint(replace(NAME, to_ajera=one)) == fingerprint(replace(NAME, to_ajera=other))
    named = replace(NAME, samples=("Q7",))
    assert fingerprint(replace(named, to_ajera=one)) != fingerprint(replace(named, to_ajera=other))


def test_fingerprints_are_short_and_no_two_lines_of_an_entity_share_one() -> None:
    """They are kept in every link."""
    for entity in ENTITIES:
        found = entity.rules.fingerprints
        assert max(map(len, found.values())) <= 14
        assert len(set(found.values())) == len(found)
        assert len(of_lines(found)) == 8


def test_fingerprints_stay_the_same_from_release_to_release() -> None:
    """A change of how they are made would look at every pair again: it needs a reason."""
    assert fingerprint(NAME) == "051eef9f/AD/n"
