"""Both sides are edited: what each rule makes of it on two real databases,
whichever side's events come first.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from deploy.local.stack import Stack
from pipeline.conflicts.rules import Rule, Side
from tests.support.outbox import World, world

AJERA, DPS = Side.AJERA, Side.DPS
ORDERS = pytest.mark.parametrize("first", [AJERA, DPS], ids=["ajera first", "dps first"])


@pytest.fixture(scope="module", params=[0, 1], ids=["by position", "looking"])
def made(postgres: Stack, request: pytest.FixtureRequest) -> Iterator[World]:
    """By log positions alone, and with every image checked against the row,
    as in the first hour of a pair.
    """
    with world(postgres, rules={"firm_address.city": Rule.DPS}) as found:
        found.look_for(timedelta(hours=request.param))
        yield found


@pytest.fixture
def firm(made: World) -> World:
    """One client and its firm, in step."""
    made.clear()
    made.do(AJERA, """DELETE FROM "AxClientType" """)
    made.do(DPS, """DELETE FROM "CFGClientTypeDescriptions" """)
    made.client(1, "Hill & Co", vecStatus=1, vecCity="Oslo", vecClientNotes="old")
    made.settle()
    return made


def names(firm: World) -> tuple[object, object]:
    return firm.do(AJERA, 'SELECT "vecDescription" FROM "AxVec"'), firm.do(
        DPS, 'SELECT "Name" FROM "Clendor"'
    )


@ORDERS
@pytest.mark.parametrize("later", list(Side))
def test_under_newest_the_later_edit_stands_whatever_comes_first(
    firm: World, first: Side, later: Side
) -> None:
    """Both values are in the log, with the winner."""
    typed = {AJERA: "Ann's", DPS: "Bob's"}
    for side in (later.other, later):
        firm.edit(
            side,
            *("AxVec", 1) if side is AJERA else ("Clendor",),
            **{NAME[side]: typed[side]},
        )
    firm.deliver(first)
    firm.deliver(first.other)
    firm.settle()
    assert names(firm) == (typed[later], typed[later])
    assert firm.conflicts() == [("update_origin_differs", "name", later)]
    assert firm.logged("name") == [("Ann's", "Bob's")]
    assert firm.parked() == {}


NAME = {AJERA: "vecDescription", DPS: "Name"}


@ORDERS
def test_an_earlier_edit_that_arrives_last_replaces_nothing(firm: World, first: Side) -> None:
    """Three edits, the middle one on the other side."""
    firm.edit(AJERA, "AxVec", vecDescription="one")
    firm.edit(DPS, "Clendor", Name="two")
    firm.edit(AJERA, "AxVec", vecDescription="three")
    firm.deliver(first, 1)
    firm.deliver(first.other, 1)
    firm.settle()
    assert names(firm) == ("three", "three")


@ORDERS
def test_what_ajera_owns_is_put_back(firm: World, first: Side) -> None:
    """Whether or not Ajera was edited too; the value that gave way is in the log."""
    firm.edit(DPS, "Clendor", Status="D")
    firm.settle()
    assert firm.rows(DPS, "Clendor", "Status") == ["A"]
    assert firm.conflicts() == [("owned_put_back", "status", AJERA)]
    assert firm.logged("status") == [(1, "D")]
    firm.edit(AJERA, "AxVec", vecStatus=0)
    firm.edit(DPS, "Clendor", Status="X")
    firm.deliver(first)
    firm.settle()
    assert firm.rows(DPS, "Clendor", "Status") == ["D"]
    assert firm.rows(AJERA, "AxVec", "vecStatus") == [0]


@ORDERS
def test_what_dps_owns_is_put_back(firm: World, first: Side) -> None:
    """The city, by this site's rule."""
    firm.edit(AJERA, "AxVec", vecCity="Bergen")
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecCity") == ["Oslo"]
    assert firm.conflicts() == [("owned_put_back", "city", DPS)]
    assert firm.logged("city") == [("Bergen", "Oslo")]
    firm.edit(DPS, "CLAddress", City="Rome")
    firm.edit(AJERA, "AxVec", vecCity="Paris")
    firm.deliver(first)
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecCity") == ["Rome"]
    assert firm.rows(DPS, "CLAddress", "City") == ["Rome"]


@ORDERS
def test_under_manual_a_line_is_parked_and_the_others_go_on(firm: World, first: Side) -> None:
    """The notes wait with both texts, and the same text on both sides ends that."""
    firm.edit(AJERA, "AxVec", vecClientNotes="Ann's")
    firm.edit(DPS, "Clendor", Memo="Bob's")
    firm.deliver(first)
    firm.deliver(first.other)
    firm.settle()
    # The first event found the other side edited already: its write was refused,
    # so nothing of either is lost.
    assert firm.rows(AJERA, "AxVec", "vecClientNotes") == ["Ann's"]
    assert firm.rows(DPS, "Clendor", "Memo") == ["Bob's"]
    (parked,) = [link.parked["notes"] for link in firm.links() if link.parked]
    assert (parked.ajera, parked.dps) == ("Ann's", "Bob's")
    assert firm.conflicts() == [("update_origin_differs", "notes", None)]
    firm.edit(DPS, "Clendor", Name="Hill and Company")
    firm.edit(AJERA, "AxVec", vecWebsite="hills.example")
    firm.settle()
    assert names(firm) == ("Hill and Company", "Hill and Company")
    assert firm.rows(DPS, "Clendor", "WebSite") == ["hills.example"]
    firm.edit(AJERA, "AxVec", vecClientNotes="agreed")
    firm.settle()
    assert firm.rows(DPS, "Clendor", "Memo") == ["Bob's"]
    firm.edit(DPS, "Clendor", Memo="agreed")
    firm.settle()
    assert [link for link in firm.links() if link.parked] == []
    firm.edit(AJERA, "AxVec", vecClientNotes="new")
    firm.settle()
    assert firm.rows(DPS, "Clendor", "Memo") == ["new"]


def test_a_project_number_is_never_changed_after_the_creation(
    firm: World,
) -> None:
    """In neither direction."""
    firm.project(AJERA, 5, "Harbour", prjID="P-5")
    firm.settle()
    assert firm.rows(DPS, "PR", "WBS1") == ["P-5"]
    firm.edit(AJERA, "AxProject", prjID="P-6")
    firm.settle()
    assert firm.rows(DPS, "PR", "WBS1") == ["P-5"]
    firm.edit(DPS, "PR", Name="Harbour Hall")
    firm.settle()
    assert firm.projects("prjID", "prjDescription") == [("P-6", "Harbour Hall")]


@ORDERS
def test_an_edit_whose_event_has_not_come_is_not_overwritten(firm: World, first: Side) -> None:
    """The write is compare-and-set: it finds another value than the link knows, and leaves it."""
    firm.edit(
        first,
        *("AxVec",) if first is AJERA else ("Clendor",),
        **{NAME[first]: "delivered"},
    )
    firm.edit(
        first.other,
        *("AxVec",) if first is DPS else ("Clendor",),
        **{NAME[first.other]: "not yet"},
    )
    before = len(firm.writes(first.other))
    firm.deliver(first)
    assert names(firm) == (("delivered", "not yet") if first is AJERA else ("not yet", "delivered"))
    assert len(firm.writes(first.other)) == before
    firm.settle()
    assert names(firm) == ("not yet", "not yet")


def test_a_line_that_agrees_by_coincidence_still_competes_by_its_time(
    firm: World,
) -> None:
    """Bob types the same as Ann does later, and something else in between, of which we learn last:
    Ann's stands.
    """
    firm.edit(DPS, "Clendor", Name="Hill Ltd")
    firm.edit(DPS, "Clendor", Name="Hill")
    firm.edit(AJERA, "AxVec", vecDescription="Hill Ltd")
    firm.deliver(DPS, 1)
    firm.deliver(AJERA)
    firm.settle()
    assert names(firm) == ("Hill Ltd", "Hill Ltd")


@ORDERS
def test_an_image_older_than_our_write_is_no_edit_of_what_we_wrote(
    firm: World, first: Side
) -> None:
    """The event of another column's edit shows the name as it was before:
    the new name stands all the same.
    """
    late, early = ("AxVec", "Clendor") if first is AJERA else ("Clendor", "AxVec")
    firm.edit(
        first,
        late,
        **{("vecWebsite" if first is AJERA else "WebSite"): "late.example"},
    )
    firm.edit(first.other, early, **{NAME[first.other]: "new name"})
    firm.deliver(first.other)
    assert names(firm) == ("new name", "new name")
    firm.settle()
    assert names(firm) == ("new name", "new name")
    assert (
        firm.rows(AJERA, "AxVec", "vecWebsite")
        == firm.rows(DPS, "Clendor", "WebSite")
        == ["late.example"]
    )
    assert firm.conflicts() == []


def test_a_refused_line_does_not_hold_up_the_others_of_its_event(
    firm: World,
) -> None:
    """Compared and set line by line."""
    firm.edit(AJERA, "AxVec", vecDescription="Ann's", vecWebsite="ann.example")
    firm.edit(DPS, "Clendor", Name="Bob's")
    firm.deliver(AJERA)
    assert firm.rows(DPS, "Clendor", "Name", "WebSite") == [("Bob's", "ann.example")]


def test_the_same_edit_on_both_sides_is_neither_a_conflict_nor_a_write(
    firm: World,
) -> None:
    """Both people typed the same."""
    before = [len(firm.writes(side)) for side in Side]
    firm.edit(AJERA, "AxVec", vecDescription="Hill Ltd")
    firm.edit(DPS, "Clendor", Name="Hill Ltd")
    firm.settle()
    assert [len(firm.writes(side)) for side in Side] == before
    assert firm.conflicts() == []


def test_within_the_clock_tolerance_the_owner_wins(postgres: Stack) -> None:
    """Who typed later within a minute cannot be told, so Ajera's name stands."""
    with world(postgres, tolerance=timedelta(minutes=1)) as firm:
        firm.client(1, "Hill & Co")
        firm.settle()
        firm.edit(AJERA, "AxVec", vecDescription="Ann's")
        firm.edit(DPS, "Clendor", Name="Bob's")
        firm.settle()
        assert names(firm) == ("Ann's", "Ann's")
        assert firm.conflicts() == [("update_origin_differs", "name", AJERA)]


@ORDERS
@pytest.mark.parametrize("rule", [Rule.NEWEST, Rule.AJERA, Rule.DPS, Rule.MANUAL])
def test_each_rule_is_what_a_profile_says(postgres: Stack, rule: Rule, first: Side) -> None:
    """The website under each rule: DPS is edited last."""
    with world(postgres, rules={"firm.website": rule}) as firm:
        firm.client(1, "Hill & Co", vecWebsite="old")
        firm.settle()
        firm.edit(AJERA, "AxVec", vecWebsite="ann")
        firm.edit(DPS, "Clendor", WebSite="bob")
        firm.deliver(first)
        firm.settle()
        stands = {
            Rule.NEWEST: ("bob", "bob"),
            Rule.AJERA: ("ann", "ann"),
            Rule.DPS: ("bob", "bob"),
        }
        found = (
            *firm.rows(AJERA, "AxVec", "vecWebsite"),
            *firm.rows(DPS, "Clendor", "WebSite"),
        )
        assert found == stands.get(rule, ("ann", "bob"))
        # An edit that the rule puts back may have been put back before the owner's own event came.
        owner, other = (AJERA, DPS) if rule is Rule.AJERA else (DPS, AJERA)
        known = "old" if rule in (Rule.AJERA, Rule.DPS) and first is other else None
        lost = {
            AJERA: "ann",
            DPS: "bob",
            **({} if known is None else {owner: known}),
        }
        assert firm.logged("website") == [(lost[AJERA], lost[DPS])]
