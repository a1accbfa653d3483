"""MANUAL: a text that somebody typed is there, or parked, or logged,
whichever log is read first.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.conflicts.rules import Side
from tests.support.outbox import World

AJERA, DPS = Side.AJERA, Side.DPS
NOTES = {AJERA: ("AxVec", "vecClientNotes"), DPS: ("Clendor", "Memo")}


@pytest.fixture
def noted(firm: World) -> World:
    """A firm with notes on both sides, by log positions alone."""
    firm.look_for(timedelta(0))
    firm.client(1, "Hill", vecClientNotes="n")
    firm.settle()
    return firm


def types(firm: World, side: Side, text: str) -> None:
    table, column = NOTES[side]
    firm.edit(side, table, **{column: text})


def read(firm: World, first: Side) -> None:
    """One log to its end, then the other."""
    for side in (first, first.other):
        firm.deliver(side)
    firm.settle()


def kept(firm: World) -> set[object]:
    """Every text that is there, parked or logged."""
    (link,) = [link for link in firm.links() if link.entity == "firm"]
    there = {text for side in Side for text in firm.rows(side, *NOTES[side])}
    parked = {text for one in link.parked.values() for text in (one.ajera, one.dps)}
    return there | parked | {text for both in firm.logged("notes") for text in both}


@pytest.mark.parametrize("first", Side)
@pytest.mark.parametrize("one", Side)
def test_a_text_that_came_back_after_both_had_typed_the_same_is_not_lost(
    noted: World, one: Side, first: Side
) -> None:
    """Both type the same; then one side something else, and the other one what it had before."""
    types(noted, one, "both")
    types(noted, one.other, "both")
    types(noted, one, "a2")
    types(noted, one.other, "n")
    read(noted, first)
    assert kept(noted) >= {"a2", "n"}
    (link,) = [link for link in noted.links() if link.entity == "firm"]
    assert {link.parked["notes"].ajera, link.parked["notes"].dps} == {
        "a2",
        "n",
    }


@pytest.mark.parametrize("first", Side)
@pytest.mark.parametrize("one", Side)
def test_a_text_that_the_other_side_had_for_a_while_is_not_lost(
    noted: World, one: Side, first: Side
) -> None:
    """One side types y, then z; the other one types y later, and has not seen z."""
    types(noted, one, "y")
    types(noted, one, "z")
    types(noted, one.other, "y")
    read(noted, first)
    assert kept(noted) >= {"y", "z"}
    (link,) = [link for link in noted.links() if link.entity == "firm"]
    assert {link.parked["notes"].ajera, link.parked["notes"].dps} == {
        "y",
        "z",
    }


@pytest.mark.parametrize("first", Side)
@pytest.mark.parametrize("one", Side)
def test_a_text_typed_over_what_both_sides_hold_is_carried_over(
    noted: World, one: Side, first: Side
) -> None:
    """Both typed the same, and somebody goes on from there: nobody is contradicted."""
    types(noted, one, "both")
    types(noted, one.other, "both")
    read(noted, first)
    types(noted, one, "more")
    noted.settle()
    assert [noted.rows(side, *NOTES[side]) for side in Side] == [
        ["more"],
        ["more"],
    ]
    assert noted.conflicts() == []


@pytest.mark.parametrize("one", Side)
def test_an_edit_that_follows_does_not_decide_what_is_parked(noted: World, one: Side) -> None:
    """Also where the sides had agreed by coincidence: both texts wait for a person."""
    types(noted, one, "y")
    types(noted, one, "z")
    types(noted, one.other, "y")
    read(noted, one.other)
    types(noted, one.other, "y and more")
    noted.settle()
    (link,) = [link for link in noted.links() if link.entity == "firm"]
    assert {link.parked["notes"].ajera, link.parked["notes"].dps} == {
        "y and more",
        "z",
    }
