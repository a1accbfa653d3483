"""Two filled systems meet: what cannot be compared yet waits, and is decided as soon as it can be,
without a further event.
"""

from __future__ import annotations

import pytest

from pipeline.conflicts.rules import Side
from tests.support.outbox import World

AJERA, DPS = Side.AJERA, Side.DPS
BOTH_ORDERS = pytest.mark.parametrize("first", [AJERA, DPS], ids=["ajera first", "dps first"])


def linked_contact(firm: World, first: Side, of_ajera: object, of_dps: object) -> None:
    """Two firms on each side that are not exchanged yet, and one contact that both sides have."""
    for key, name in ((1, "Hill"), (2, "Beck")):
        firm.client(key, name, vecSyncToCRM=False)
    for code, name in (("A", "Hill"), ("B", "Beck")):
        firm.firm(code, name, AjeraSync="N")
    firm.contact(AJERA, 7, "Moe", cntClient=of_ajera)
    firm.contact(DPS, "C", "Moe", ClientID=of_dps)
    firm.deliver(first)
    firm.settle()
    assert {link.entity for link in firm.links()} == {"contact"}


def exchange_firms(firm: World) -> None:
    firm.edit(AJERA, "AxVec", vecSyncToCRM=True)
    firm.edit(DPS, "Clendor", AjeraSync="Y")
    firm.settle()


@BOTH_ORDERS
def test_a_contact_linked_before_its_firm_agrees_once_the_firm_is_linked(
    firm: World, first: Side
) -> None:
    """Nobody is asked about it, and nothing is written."""
    linked_contact(firm, first, 1, "A")
    assert set(firm.parked().values()) == {"exchange.reference_missing"}
    assert [link.parked for link in firm.links()] == [{}]
    exchange_firms(firm)
    assert firm.parked() == {}
    assert not any(
        link.parked or link.ajera.has_pending_edits or link.dps.has_pending_edits
        for link in firm.links()
    )
    assert firm.logged("firm") == []
    assert [firm.writes(side) for side in Side] == [[], []]


@BOTH_ORDERS
def test_firms_of_a_contact_that_turn_out_to_differ_are_left_to_a_person(
    firm: World, first: Side
) -> None:
    """As any line that differs at a first link and has no owner: with what each side holds."""
    linked_contact(firm, first, 1, "B")
    exchange_firms(firm)
    assert [set(link.parked) for link in firm.links() if link.entity == "contact"] == [{"firm"}]
    assert firm.conflicts() == [("first_link", "firm", None)]
    assert firm.logged("firm") == [(1, "B")]
    assert firm.parked() == {}


@pytest.mark.parametrize("side", list(Side))
def test_whoever_types_a_contacts_firm_meanwhile_decides(firm: World, side: Side) -> None:
    """It is carried over once the firm that was typed is linked."""
    linked_contact(firm, AJERA, 1, "A")
    if side is AJERA:
        firm.edit(AJERA, "AxContact", cntClient=2)
    else:
        firm.edit(DPS, "Contacts", ClientID="B")
    firm.settle()
    exchange_firms(firm)
    assert firm.rows(AJERA, "AxContact", "cntClient") == [2]
    assert firm.rows(DPS, "Contacts", "ClientID") == ["B"]
    assert firm.parked() == {}


def test_a_projects_client_is_written_once_that_client_is_linked(
    firm: World,
) -> None:
    """The projects bring it, though nobody ticked it; ticking it changes nothing."""
    firm.client(1, "Hill", vecSyncToCRM=False)
    firm.firm("A", "Hill", AjeraSync="N")
    firm.project(AJERA, 5, "Harbour", prjSyncToCRM=False, prjCreateInCRM=False)
    firm.insert(AJERA, "AxInvoiceGroup", igKey=50, igProject=5)
    firm.project(DPS, "P-1", "Harbour", ClientID="A")
    firm.settle()
    firm.edit(AJERA, "AxProject", 5, prjSyncToCRM=True)
    firm.settle()
    assert {link.entity for link in firm.links()} == {
        "firm",
        "project",
        "project_client",
    }
    assert firm.rows(AJERA, "AxInvoiceGroup", "igKey", "igClient") == [(50, 1)]
    exchange_firms(firm)
    assert firm.rows(AJERA, "AxInvoiceGroup", "igKey", "igClient") == [(50, 1)]
    assert firm.parked() == {}


@BOTH_ORDERS
def test_a_name_that_differs_in_the_case_of_letters_takes_the_owners_spelling(
    firm: World, first: Side
) -> None:
    """It is one name, so nobody is asked; the log tells both spellings."""
    firm.client(1, "ACME Supplies")
    firm.firm("A", "Acme supplies")
    firm.deliver(first)
    firm.settle()
    assert firm.rows(DPS, "Clendor", "Name") == ["ACME Supplies"]
    assert firm.conflicts() == [("first_link", "name", "ajera")]
    assert [link.parked for link in firm.links()] == [{}]


def test_a_reference_of_zero_is_none(firm: World) -> None:
    """Nobody waits for a firm of that number (assumption 27)."""
    firm.contact(AJERA, 7, "Moe", cntClient=0)
    firm.settle()
    assert firm.rows(DPS, "Contacts", "LastName", "ClientID") == [("Moe", None)]
    assert firm.parked() == {}


def test_a_counterpart_that_is_not_set_to_be_exchanged_fills_no_blank_at_the_first_link(
    firm: World,
) -> None:
    """It does so once its flag is ticked."""
    firm.client(1, "Hill")
    firm.firm("A", "Hill", AjeraSync="N", WebSite="hill.example")
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecWebsite") == [None]
    firm.edit(DPS, "Clendor", AjeraSync="Y")
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecWebsite") == ["hill.example"]


def test_the_address_of_a_firm_made_from_dps_is_filled_in_without_an_entry_in_the_log(
    firm: World,
) -> None:
    """A blank one holds nothing that could be lost."""
    firm.firm("A", "Hill")
    firm.insert(
        DPS,
        "CLAddress",
        ClientID="A",
        Address="Main",
        PrimaryInd="Y",
        City="Oslo",
    )
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecDescription", "vecCity") == [("Hill", "Oslo")]
    assert firm.conflicts() == []


# -- flags -----------------------------------------------------------------------------------------
def test_an_address_is_exchanged_only_while_its_firm_is(
    firm: World,
) -> None:
    """What was typed meanwhile is carried over once the firm's flag is ticked again."""
    firm.firm("A", "Hill")
    firm.insert(
        DPS,
        "CLAddress",
        ClientID="A",
        Address="Main",
        PrimaryInd="Y",
        City="Oslo",
    )
    firm.settle()
    firm.edit(DPS, "Clendor", AjeraSync="N")
    firm.settle()
    firm.edit(DPS, "CLAddress", City="Bergen")
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecCity") == ["Oslo"]
    firm.edit(AJERA, "AxVec", vecZip="5003")
    firm.settle()
    assert firm.rows(DPS, "CLAddress", "City", "ZIP") == [("Bergen", "5003")]
    firm.edit(DPS, "Clendor", AjeraSync="Y")
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecCity") == ["Bergen"]


def test_an_address_typed_for_a_firm_that_is_not_exchanged_begins_once_it_is(
    firm: World,
) -> None:
    """The pair of the firm is there, the flag was taken off."""
    firm.firm("A", "Hill")
    firm.settle()
    firm.edit(DPS, "Clendor", AjeraSync="N")
    firm.settle()
    firm.insert(
        DPS,
        "CLAddress",
        ClientID="A",
        Address="Main",
        PrimaryInd="Y",
        City="Oslo",
    )
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecCity") == [None]
    firm.edit(DPS, "Clendor", AjeraSync="Y")
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecCity") == ["Oslo"]


def test_a_firm_that_is_client_and_consultant_is_exchanged_as_a_client(
    firm: World,
) -> None:
    """Two maps with two rules would write one column:
    a rename in DPS would be put back by the vendor's.
    """
    firm.do(AJERA, """DELETE FROM "AxVendorType" """)
    firm.insert(
        AJERA,
        "AxVendorType",
        vtKey=1,
        vtDescription="Consultant",
        vtIsConsultant=True,
    )
    firm.restart()
    firm.client(1, "Soil Lab", vecIsVendor=True, vecVendorType=1, vecSyncToCRM=False)
    firm.firm("A", "Soil Lab", VendorInd="Y", AjeraSync="N")
    firm.settle()
    assert firm.parked() == {"vendor/ajera/1": "exchange.client_and_vendor"}
    firm.edit(AJERA, "AxVec", vecSyncToCRM=True)
    firm.edit(DPS, "Clendor", AjeraSync="Y")
    firm.settle()
    firm.edit(DPS, "Clendor", Name="Soil Laboratory")
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecDescription") == ["Soil Laboratory"]
    assert firm.rows(DPS, "Clendor", "Name") == ["Soil Laboratory"]
    assert firm.conflicts() == []
    firm.wait()
    assert firm.parked() == {}


def test_what_is_typed_over_a_line_whose_owner_is_off_waits_until_it_is_on(
    firm: World,
) -> None:
    """It is neither put back nor carried over meanwhile."""
    firm.do(DPS, """DELETE FROM "CFGClientTypeDescriptions" """)
    firm.do(AJERA, """DELETE FROM "AxClientType" """)
    for number, (code, text) in enumerate([("PU", "Public"), ("PR", "Private")], start=1):
        firm.insert(AJERA, "AxClientType", ctKey=number, ctDescription=text)
        firm.insert(DPS, "CFGClientTypeDescriptions", Code=code, Description=text)
    firm.restart()
    firm.firm("A", "Hill", Type="PU")
    firm.settle()
    firm.edit(DPS, "Clendor", AjeraSync="N")
    firm.settle()
    firm.edit(AJERA, "AxVec", vecClientType=2)
    firm.settle()
    assert firm.rows(DPS, "Clendor", "Type") + firm.rows(AJERA, "AxVec", "vecClientType") == [
        "PU",
        2,
    ]
    firm.edit(DPS, "Clendor", AjeraSync="Y")
    firm.settle()
    assert firm.rows(DPS, "Clendor", "Type") + firm.rows(AJERA, "AxVec", "vecClientType") == [
        "PU",
        1,
    ]
