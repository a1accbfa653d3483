"""A pair in time: rows deleted, flags ticked and unticked, logs read again from the start,
and an Ajera below 8.09.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from deploy.local.stack import Stack
from pipeline.conflicts.link import State
from pipeline.conflicts.rules import Side
from tests.support.outbox import World, world

AJERA, DPS = Side.AJERA, Side.DPS


@pytest.fixture(scope="module", params=[0, 1], ids=["by position", "looking"])
def made(postgres: Stack, request: pytest.FixtureRequest) -> Iterator[World]:
    """By log positions alone, and with every image checked against the row,
    as in the first hour of a pair.
    """
    with world(postgres) as found:
        found.look_for(timedelta(hours=request.param))
        yield found


@pytest.fixture
def firm(made: World) -> World:
    """One client and its firm, in step."""
    made.clear()
    made.client(1, "Hill & Co", vecStatus=1, vecCity="Oslo")
    made.settle()
    return made


def count(firm: World) -> tuple[int, int]:
    """Our writes so far, in either database."""
    return len(firm.writes(AJERA)), len(firm.writes(DPS))


def names(firm: World) -> tuple[Any, Any]:
    return firm.do(AJERA, 'SELECT "vecDescription" FROM "AxVec"'), firm.do(
        DPS, 'SELECT "Name" FROM "Clendor"'
    )


# -- flags -----------------------------------------------------------------------------------------


def test_what_is_typed_in_ajera_while_its_flag_is_off_waits_until_it_is_on(
    firm: World,
) -> None:
    """DPS's edits go on; then the later edit stands."""
    firm.edit(AJERA, "AxVec", vecSyncToCRM=False)
    firm.edit(AJERA, "AxVec", vecDescription="while off", vecWebsite="off.example")
    firm.edit(DPS, "Clendor", Memo="Bob's")
    firm.settle()
    assert firm.rows(DPS, "Clendor", "Name", "WebSite") == [("Hill & Co", None)]
    assert firm.rows(AJERA, "AxVec", "vecClientNotes") == ["Bob's"]
    firm.edit(AJERA, "AxVec", vecSyncToCRM=True)
    firm.settle()
    assert firm.rows(DPS, "Clendor", "Name", "WebSite") == [("while off", "off.example")]


def test_what_is_typed_in_dps_while_its_flag_is_off_waits_until_it_is_on(
    firm: World,
) -> None:
    """The other way round."""
    firm.edit(DPS, "Clendor", AjeraSync="N")
    firm.edit(DPS, "Clendor", Name="while off")
    firm.edit(AJERA, "AxVec", vecWebsite="hill.example")
    firm.settle()
    assert names(firm) == ("Hill & Co", "while off")
    assert firm.rows(DPS, "Clendor", "WebSite") == ["hill.example"]
    firm.edit(DPS, "Clendor", AjeraSync="Y")
    firm.settle()
    assert names(firm) == ("while off", "while off")


def test_a_row_whose_flag_was_never_on_is_not_exchanged(
    firm: World,
) -> None:
    """Until it is."""
    firm.client(2, "Vale", vecSyncToCRM=False)
    firm.firm("B", "Beck", AjeraSync="N")
    firm.settle()
    assert (
        len(firm.rows(DPS, "Clendor", "Name")),
        len(firm.rows(AJERA, "AxVec", "vecKey")),
    ) == (2, 2)
    firm.edit(AJERA, "AxVec", 2, vecSyncToCRM=True)
    firm.edit(DPS, "Clendor", "B", AjeraSync="Y")
    firm.settle()
    assert sorted(firm.rows(DPS, "Clendor", "Name")) == [
        "Beck",
        "Hill & Co",
        "Vale",
    ]
    assert sorted(firm.rows(AJERA, "AxVec", "vecDescription")) == [
        "Beck",
        "Hill & Co",
        "Vale",
    ]


def test_the_address_of_a_firm_whose_flag_is_off_is_not_exchanged_either(
    firm: World,
) -> None:
    """In Ajera both are one row; its flag stands for the whole."""
    firm.edit(AJERA, "AxVec", vecSyncToCRM=False)
    firm.edit(AJERA, "AxVec", vecCity="Bergen")
    firm.settle()
    assert firm.rows(DPS, "CLAddress", "City") == ["Oslo"]
    firm.edit(AJERA, "AxVec", vecSyncToCRM=True)
    firm.settle()
    assert firm.rows(DPS, "CLAddress", "City") == ["Bergen"]


# -- deletes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", list(Side))
def test_a_row_that_is_deleted_ends_the_link_and_leaves_the_other_row(
    firm: World, side: Side
) -> None:
    """Both are logged, edits of the row that stays go nowhere,
    and reading everything again changes nothing.
    """
    table = {AJERA: "AxVec", DPS: "Clendor"}
    firm.delete(
        side,
        table[side],
        firm.rows(side, table[side], "vecKey" if side is AJERA else "ClientID")[0],
    )
    firm.settle()
    assert {link.state for link in firm.links()} == {State.ENDED}
    assert ("link_ended", None, None) in firm.conflicts()
    other = side.other
    assert (
        len(
            firm.rows(
                other,
                table[other],
                "vecKey" if other is AJERA else "ClientID",
            )
        )
        == 1
    )
    before = count(firm)
    if other is AJERA:
        firm.edit(AJERA, "AxVec", vecDescription="alone")
    else:
        firm.edit(DPS, "Clendor", Name="alone")
    firm.settle()
    firm.rewind()
    firm.settle()
    firm.wait()
    assert count(firm) == before
    assert firm.rows(side, table[side], "vecKey" if side is AJERA else "ClientID") == []


def test_an_edit_that_meets_the_deletion_of_its_counterpart_is_logged_with_its_value(
    firm: World,
) -> None:
    """Nothing is written, and nothing lost."""
    firm.edit(AJERA, "AxVec", vecDescription="in flight")
    firm.do(DPS, 'DELETE FROM "Clendor"')
    before = count(firm)
    firm.deliver(AJERA)
    firm.settle()
    assert count(firm) == before
    assert ("in flight", "Hill & Co") in firm.logged("name")
    assert {"update_missing", "link_ended"} <= {kind for kind, _, _ in firm.conflicts()}


@pytest.mark.parametrize("side", list(Side))
def test_a_row_created_anew_after_its_deletion_is_linked_anew(firm: World, side: Side) -> None:
    """Under the same key, by its name."""
    if side is AJERA:
        firm.delete(AJERA, "AxVec", 1)
        firm.settle()
        firm.client(1, "hill & co")
    else:
        (key,) = firm.rows(DPS, "Clendor", "ClientID")
        firm.delete(DPS, "Clendor", key)
        firm.settle()
        firm.firm(key, "hill & co")
    firm.settle()
    firm.edit(DPS, "Clendor", Name="Hill again")
    firm.settle()
    assert names(firm) == ("Hill again", "Hill again")
    assert (
        len(firm.rows(AJERA, "AxVec", "vecKey")),
        len(firm.rows(DPS, "Clendor", "Name")),
    ) == (1, 1)


# -- again -----------------------------------------------------------------------------------------


def test_reading_both_logs_again_under_live_edits_writes_nothing_but_those(
    firm: World,
) -> None:
    """Every write of ours is counted by the databases themselves."""
    firm.firm("B", "Beck", WebSite="beck.example")
    firm.contact(DPS, "C", "Moe", FirstName="Ann", ClientID="B")
    firm.project(AJERA, 5, "Harbour", prjID="P-5")
    firm.settle()
    firm.edit(DPS, "Clendor", "B", Name="Beck & Sons")
    firm.edit(AJERA, "AxVec", 1, vecDescription="Hill")
    firm.edit(AJERA, "AxVec", 1, vecDescription="Hills")
    (hill,) = (
        key for key, name in firm.rows(DPS, "Clendor", "ClientID", "Name") if name == "Hill & Co"
    )
    for text in ("one", "two", "three"):
        firm.edit(DPS, "Clendor", hill, Memo=text)
    firm.settle()
    before = count(firm)
    firm.rewind()
    firm.settle()
    assert count(firm) == before
    firm.rewind()
    firm.edit(AJERA, "AxVec", 1, vecWebsite="hills.example")
    firm.deliver(AJERA, 2)
    firm.edit(DPS, "Contacts", Title="Director")
    firm.deliver(DPS, 3)
    firm.settle()
    assert count(firm) == (before[0] + 1, before[1] + 1)
    assert firm.rows(AJERA, "AxContact", "cntTitle") == ["Director"]


@pytest.mark.parametrize("size", [1, 2, 7])
def test_batches_of_any_size_come_to_the_same(firm: World, size: int) -> None:
    """And an edit is written once, however its events are grouped."""
    firm.firm("B", "Beck", WebSite="beck.example")
    firm.contact(DPS, "C", "Moe", ClientID="B")
    for number in range(3):
        firm.edit(AJERA, "AxVec", 1, vecDescription=f"Hill {number}")
    while firm.deliver(AJERA, size) + firm.deliver(DPS, size):
        pass
    firm.settle()
    assert sorted(firm.rows(DPS, "Clendor", "Name")) == ["Beck", "Hill 2"]
    assert firm.rows(AJERA, "AxContact", "cntLastName") == ["Moe"]
    assert count(firm)[0] == 2  # client and contact


# -- below 8.09 ------------------------------------------------------------------------------------


def test_below_809_contacts_firms_and_projects_go_from_dps_to_ajera_only(
    postgres: Stack,
) -> None:
    """Nothing is ever written to DPS, and nothing typed in
    Ajera is put back before DPS is edited.
    """
    with world(postgres, two_way=False) as old:
        old.firm("A", "Hill & Co", WebSite="hill.example")
        old.contact(DPS, "C", "Moe", ClientID="A")
        old.project(DPS, "P-1", "Harbour", ClientID="A")
        old.client(7, "Only in Ajera")
        old.insert(AJERA, "AxVec", vecKey=8, vecLastName="Berg", vecIsEmployee=True)
        old.settle()
        assert sorted(old.rows(AJERA, "AxVec", "vecDescription"), key=str) == [
            "Hill & Co",
            None,
            "Only in Ajera",
        ]
        assert old.rows(AJERA, "AxContact", "cntLastName") == ["Moe"]
        assert old.projects("prjDescription") == ["Harbour"]
        assert old.rows(DPS, "EM", "Employee") == []
        (client,) = (
            key
            for key, name in old.rows(AJERA, "AxVec", "vecKey", "vecDescription")
            if name == "Hill & Co"
        )
        old.edit(
            AJERA,
            "AxVec",
            client,
            vecDescription="Ann's",
            vecWebsite="ann.example",
        )
        old.settle()
        assert old.rows(AJERA, "AxVec", "vecDescription")[-1] == "Ann's"
        old.edit(DPS, "Clendor", Name="Bob's")
        old.settle()
        assert old.rows(AJERA, "AxVec", "vecDescription", "vecWebsite")[-1] == (
            "Bob's",
            "ann.example",
        )
        assert old.writes(DPS) == []
