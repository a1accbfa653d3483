"""How a link begins."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from pipeline.conflicts.begin import create, first_link
from pipeline.conflicts.conflict import Kind
from pipeline.conflicts.decision import (
    Applied,
    Decision,
    GivenUp,
    LockedRow,
    Reason,
)
from pipeline.conflicts.first import FirstLinkPolicy
from pipeline.conflicts.link import State
from pipeline.conflicts.plan import waiting
from pipeline.conflicts.reconcile import finish, reconcile
from pipeline.conflicts.rules import Rules, Side, translated
from pipeline.conflicts.settle import settle
from pipeline.model.event import Value
from pipeline.model.outcome import Outcome
from tests.unit.conflicts.build import (
    AJERA,
    DPS,
    RULES,
    TABLES,
    after,
    event,
    found,
    link_rows,
    linked,
    seconds,
    write_to,
)

NOW = seconds(100)


# -- creating --------------------------------------------------------------------------------------
@pytest.mark.parametrize(("side", "absent"), [(AJERA, "chance"), (DPS, "total")])
def test_a_counterpart_is_created_with_every_line_that_flows_there(side: Side, absent: str) -> None:
    """Also with what is set at creation only;
    a line that flows the other way is left to the database.
    """
    decision = create("L1", "firm", side, found(side), TABLES[side.other], NOW, RULES)
    write = write_to(decision, side.other)
    assert (write.key, decision.link.state) == (None, State.CREATING)
    assert set(write.values) == set(RULES.by_name) - {absent}


def test_a_created_row_is_linked_and_its_own_create_event_is_an_echo() -> None:
    """The key comes from the transaction that inserted the row."""
    decision = create("L1", "firm", DPS, found(DPS), "AxVec", NOW, RULES)
    held = {**write_to(decision, AJERA).values, "total": None}
    link = settle(
        decision.link,
        AJERA,
        Applied(1, held, after(5), seconds(5), "31", epoch=1),
        RULES,
    ).link
    assert (link.state, link.ajera.key, link.ajera.value["total"]) == (
        State.LINKED,
        "31",
        None,
    )
    echo = reconcile(link, event(link, AJERA, 5, "c"), NOW, RULES)
    assert (echo.reason, echo.writes) == (Reason.ECHO, ())


def test_a_creation_that_was_given_up_is_tried_again_under_a_new_number() -> None:
    """The next event of the row finds no counterpart and no open write."""
    link = create("L1", "firm", DPS, found(DPS), "AxVec", NOW, RULES).link
    link = settle(link, AJERA, GivenUp(1), RULES).link
    told = event(linked("same"), DPS, 1)
    decision = reconcile(link, told, NOW, RULES, LockedRow(told.row, NOW))
    assert (write_to(decision, AJERA).number, decision.link.state) == (
        2,
        State.CREATING,
    )


def test_a_row_deleted_before_its_counterpart_was_created_ends_the_link() -> None:
    """Nothing is created any more."""
    link = create("L1", "firm", DPS, found(DPS), "AxVec", NOW, RULES).link
    link = settle(link, AJERA, GivenUp(1), RULES).link
    decision = reconcile(link, event(linked(), DPS, 1, "d"), NOW, RULES)
    assert (decision.link.state, decision.writes) == (State.ENDED, ())


# -- two filled rows -------------------------------------------------------------------------------
def test_rows_that_agree_are_linked_without_a_write() -> None:
    """As far as each side can store it."""
    decision = link_rows("a very long name", "a very lon", "name")
    assert (decision.outcome, decision.writes, decision.conflicts) == (
        Outcome.SKIPPED,
        (),
        (),
    )


@pytest.mark.parametrize(
    ("name", "winner"),
    [("phone", AJERA), ("market", DPS), ("chance", DPS), ("total", AJERA)],
)
def test_at_first_link_the_owner_or_the_sender_wins(name: str, winner: Side) -> None:
    """And both values are logged."""
    decision = link_rows("a", "d", name)
    assert write_to(decision, winner.other).values == {name: "a" if winner is AJERA else "d"}
    (entry,) = decision.conflicts
    assert (entry.kind, entry.winner, entry.ajera, entry.dps) == (
        Kind.FIRST_LINK,
        winner,
        "a",
        "d",
    )


@pytest.mark.parametrize(
    ("times", "winner"),
    [((seconds(9), seconds(1)), AJERA), ((seconds(1), seconds(9)), DPS)],
)
def test_at_first_link_the_row_modified_later_wins_under_newest(
    times: tuple[datetime, datetime], winner: Side
) -> None:
    """Where both dates are known."""
    assert write_to(link_rows("a", "d", "name", times), winner.other).expected == {
        "name": "d" if winner is AJERA else "a"
    }


def test_at_first_link_newest_without_dates_parks_and_the_next_edit_decides() -> None:
    """Nothing is overwritten by accident; who edits it next says what is newest."""
    decision = link_rows("a", "d", "name", (seconds(1), None))
    assert (decision.outcome, decision.link.parked["name"].reason) == (
        Outcome.PARKED,
        Kind.FIRST_LINK,
    )
    told = event(decision.link, DPS, 200, name="d2")
    assert write_to(
        reconcile(decision.link, told, NOW, RULES, LockedRow(told.row, NOW)),
        AJERA,
    ).values == {"name": "d2"}


def test_at_first_link_manual_parks_and_a_later_edit_of_one_side_parks_again() -> None:
    """Only a person's decision, or the same on both sides, ends it."""
    link = link_rows("a", "d", "notes").link
    assert link.parked.keys() == {"notes"}
    told = event(link, DPS, 200, notes="d2")
    decision = reconcile(link, told, NOW, RULES, LockedRow(told.row, NOW))
    assert (decision.writes, decision.link.parked["notes"].dps) == (
        (),
        "d2",
    )


def test_at_first_link_a_line_of_creation_only_is_left_alone() -> None:
    """Each side keeps its number."""
    assert link_rows("a", "d", "number").conflicts == ()


def test_the_backlog_from_before_the_link_is_no_edit() -> None:
    """Events older than the look at the rows are still in the topic;
    the row does not hold their values any more.
    """
    link = link_rows("same", "same", "name").link
    old = event(link, DPS, 1, name="long ago")
    decision = reconcile(link, old, NOW, RULES, LockedRow(found(DPS).row, NOW))
    assert (decision.writes, decision.link.dps.dirty) == ((), frozenset())


# -- what cannot be compared yet -------------------------------------------------------------------
def with_references(known: dict[tuple[Side, Value], Value]) -> Rules:
    """The name as a reference, translated by what is linked."""
    pairs = tuple(
        replace(pair, through="firm") if pair.name == "name" else pair for pair in RULES.pairs
    )
    return translated(
        replace(RULES, pairs=pairs),
        lambda _, value, to: known.get((to.other, value)),
    )


NOTHING_LINKED = with_references({})


def open_at_first(prefers: Side | None = None) -> Decision:
    rows = found(AJERA, name="A"), found(DPS, name="X")
    return first_link(
        "L1",
        "firm",
        *rows,
        FirstLinkPolicy(prefers=prefers),
        NOW,
        NOTHING_LINKED,
    )


def test_references_of_which_neither_is_linked_stay_open_and_wait() -> None:
    """They may turn out to be the same: nobody is asked, nothing is logged, nothing is written."""
    decision = open_at_first()
    assert (decision.link.parked, decision.conflicts, decision.writes) == (
        {},
        (),
        (),
    )
    assert set(waiting(decision.link, NOTHING_LINKED)) == {
        ("name", AJERA),
        ("name", DPS),
    }
    assert finish(decision.link, NOW, NOTHING_LINKED, Reason.RETRIED).link == decision.link


def test_an_open_line_that_turns_out_to_be_the_same_asks_for_nothing() -> None:
    """Their rows were linked with each other."""
    rules = with_references({(AJERA, "A"): "X", (DPS, "X"): "A"})
    decision = finish(open_at_first().link, NOW, rules, Reason.RETRIED)
    assert (decision.link.parked, decision.conflicts, decision.writes) == (
        {},
        (),
        (),
    )
    assert [decision.link.side(side).has_pending_edits for side in Side] == [False, False]


@pytest.mark.parametrize(
    "known",
    [{(AJERA, "A"): "Y"}, {(DPS, "X"): "B"}],
    ids=["ajera's", "dps's"],
)
def test_an_open_line_that_turns_out_to_differ_is_parked_as_a_first_link(
    known: dict[tuple[Side, Value], Value],
) -> None:
    """One of the two rows was linked with another one."""
    decision = finish(open_at_first().link, NOW, with_references(known), Reason.RETRIED)
    assert [entry.kind for entry in decision.conflicts] == [Kind.FIRST_LINK]
    assert decision.link.parked["name"].reason == Kind.FIRST_LINK
    assert decision.writes == ()


def test_an_open_line_is_decided_by_whoever_types_next() -> None:
    """That value is carried over as soon as the other side has a counterpart of it."""
    typed = event(linked("same"), DPS, 200, lines={"name": "Z"})
    decision = reconcile(
        open_at_first().link,
        typed,
        NOW,
        NOTHING_LINKED,
        LockedRow(typed.row, seconds(200)),
    )
    assert (
        decision.link.ajera.has_pending_edit("name"),
        decision.link.dps.has_pending_edit("name"),
    ) == (False, True)
    healed = finish(
        decision.link,
        NOW,
        with_references({(DPS, "Z"): "C"}),
        Reason.RETRIED,
    )
    assert write_to(healed, AJERA).values == {"name": "C"}


def test_with_a_side_that_is_preferred_nothing_stays_open() -> None:
    """Its value waits to be carried over."""
    decision = open_at_first(prefers=AJERA)
    assert (
        decision.link.ajera.has_pending_edit("name"),
        decision.link.dps.has_pending_edit("name"),
    ) == (True, False)


@pytest.mark.parametrize(("ajera", "dps"), [("HILL", "Hill"), ("A VERY LONG NAME", "a very lon")])
def test_a_name_that_differs_in_case_only_takes_the_owners_spelling(ajera: str, dps: str) -> None:
    """As far as the other side can store it."""
    decision = link_rows(ajera, dps, "name")
    assert write_to(decision, DPS).values == {"name": ajera[:10].strip()}
    assert [(entry.kind, entry.winner) for entry in decision.conflicts] == [
        (Kind.FIRST_LINK, AJERA)
    ]


def test_a_side_that_is_off_fills_no_blank_and_wins_nothing_until_it_is_on() -> None:
    """Its value stays noted."""
    rows = found(AJERA, name=None), found(DPS, name="Hill")
    decision = first_link("L1", "firm", *rows, FirstLinkPolicy(), NOW, RULES, frozenset({DPS}))
    assert decision.writes == ()
    on = finish(replace(decision.link, off=frozenset()), NOW, RULES, Reason.RETRIED)
    assert write_to(on, AJERA).values == {"name": "Hill"}
