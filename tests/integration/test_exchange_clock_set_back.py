"""A database's clock is set back: what people type after that is carried over,
though it bears an earlier time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from deploy.local.stack import Stack
from pipeline.conflicts.rules import Side
from tests.support.outbox import World, world

AJERA, DPS = Side.AJERA, Side.DPS
BY = timedelta(minutes=10)
ROW = {AJERA: ("AxVec", 1), DPS: ("Clendor", "A")}
NAME = {AJERA: "vecDescription", DPS: "Name"}
NOTES = {AJERA: "vecClientNotes", DPS: "Memo"}


@pytest.fixture
def hill(postgres: Stack) -> Iterator[World]:
    """One firm, on both sides when the pair begins."""
    with world(postgres) as made:
        made.client(1, "Hill", vecClientNotes="n")
        made.firm("A", "Hill", Memo="n")
        yield made


def types(hill: World, side: Side, columns: dict[Side, str], value: str) -> None:
    hill.edit(side, *ROW[side], **{columns[side]: value})


def held(hill: World, columns: dict[Side, str]) -> list[str]:
    return [hill.rows(side, ROW[side][0], columns[side])[0] for side in Side]


@pytest.mark.parametrize("side", list(Side))
def test_an_edit_right_after_a_pair_began_is_carried_over(hill: World, side: Side) -> None:
    """The look at the row has a later time than the edit, and saw another value."""
    hill.settle()
    hill.set_clock_back(side, BY)
    types(hill, side, NAME, "Vale")
    hill.settle()
    assert held(hill, NAME) == ["Vale", "Vale"]
    types(hill, side, NAME, "Lake")
    types(hill, side, NAME, "Dale")
    hill.settle()
    assert held(hill, NAME) == ["Dale", "Dale"]
    assert (hill.conflicts(), hill.parked()) == ([], {})


@pytest.mark.parametrize("side", list(Side))
def test_an_edit_of_a_row_whose_counterpart_was_just_made_is_carried_over(
    postgres: Stack, side: Side
) -> None:
    """Typed where the pair began."""
    with world(postgres) as lone:
        if side is AJERA:
            lone.client(1, "Hill")
        else:
            lone.firm("A", "Hill")
        lone.settle()
        lone.set_clock_back(side, BY)
        lone.edit(side, ROW[side][0], **{NAME[side]: "Vale"})
        lone.settle()
        assert held(lone, NAME) == ["Vale", "Vale"]


@pytest.mark.parametrize("side", list(Side))
def test_texts_of_both_sides_park_under_manual(hill: World, side: Side) -> None:
    """Neither is lost, whichever clock was set back."""
    hill.settle()
    hill.set_clock_back(side, BY)
    types(hill, side, NOTES, "one")
    types(hill, side.other, NOTES, "two")
    hill.settle()
    assert sorted(held(hill, NOTES)) == ["one", "two"]
    assert [link.parked.keys() for link in hill.links() if link.parked] == [{"notes"}]


@pytest.mark.parametrize("side", list(Side))
def test_the_backlog_from_before_the_pair_began_stays_without_effect(
    hill: World, side: Side
) -> None:
    """Though it has the later times: typed, and typed away again, before the clock was set back."""
    types(hill, side, NAME, "Vale")
    types(hill, side, NAME, "Hill")
    hill.set_clock_back(side, BY)
    hill.deliver(side.other)
    hill.settle()
    assert held(hill, NAME) == ["Hill", "Hill"]
    assert [w for one in Side for w in hill.writes(one) if w[0] in ("AxVec", "Clendor")] == []
