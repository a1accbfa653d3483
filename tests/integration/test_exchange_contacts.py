"""Contacts: they follow their firm, five of a firm and of a project at most, and a project's go from DPS to Ajera only."""

from __future__ import annotations

import pytest

from pipeline.conflicts.rules import Side
from tests.support.outbox import World

AJERA, DPS = Side.AJERA, Side.DPS


@pytest.fixture
def firm(made: World) -> World:
    made.clear()
    made.restart_with(contact=5, project_contact=5)
    return made


def names(firm: World, side: Side) -> list[str]:
    table, name = ("AxContact", "cntLastName") if side is AJERA else ("Contacts", "LastName")
    return sorted(firm.rows(side, table, name))


@pytest.mark.parametrize("side", list(Side))
def test_the_sixth_contact_of_a_firm_is_parked_until_there_is_room(firm: World, side: Side) -> None:
    """Contacts of another firm, and of none, do not count."""
    firm.client(1, "Hill")
    firm.client(2, "Vale")
    firm.settle()
    hill, vale = (1, 2) if side is AJERA else (key_of(firm, "Hill"), key_of(firm, "Vale"))
    column = "cntClient" if side is AJERA else "ClientID"
    for number in range(6):
        key: int | str = number + 1 if side is AJERA else f"C{number}"
        firm.contact(side, key, f"Moe {number}", **{column: hill})
    firm.contact(side, 8 if side is AJERA else "C8", "Vale's", **{column: vale})
    firm.contact(side, 9 if side is AJERA else "C9", "Nobody's")
    firm.settle()
    firm.wait()
    other = side.other
    assert names(firm, other) == [*(f"Moe {number}" for number in range(5)), "Nobody's", "Vale's"]
    assert list(firm.parked().values()) == ["contacts_full"]
    firm.delete(side, "AxContact" if side is AJERA else "Contacts", 2 if side is AJERA else "C1")
    firm.settle()
    firm.wait()
    assert firm.parked() == {}
    assert "Moe 5" in names(firm, other)


def key_of(firm: World, name: str) -> str:
    return str(firm.do(DPS, 'SELECT "ClientID" FROM "Clendor" WHERE "Name" = %s', name))


def test_a_parked_contact_goes_on_when_the_limit_is_raised(firm: World) -> None:
    """A later DPS allows more."""
    firm.firm("A", "Hill")
    for number in range(7):
        firm.contact(DPS, f"C{number}", f"Moe {number}", ClientID="A")
    firm.settle()
    assert (len(names(firm, AJERA)), len(firm.parked())) == (5, 2)
    firm.restart_with(contact=6)
    firm.wait()
    assert (len(names(firm, AJERA)), len(firm.parked())) == (6, 1)
    firm.restart_with(contact=None)
    firm.wait()
    assert (len(names(firm, AJERA)), len(firm.parked())) == (7, 0)


def test_a_contact_that_is_parked_for_another_reason_takes_no_place(firm: World) -> None:
    """The next one of the same batch has it."""
    firm.restart_with(contact=1)
    firm.contact(AJERA, 1, "Moe")
    firm.contact(AJERA, 2, "Moe")
    firm.firm("A", "Hill")
    firm.contact(DPS, "C1", "Moe", ClientID="A")
    firm.contact(DPS, "C2", "Roe", ClientID="A")
    firm.deliver(DPS)
    assert set(firm.parked().values()) == {"ambiguous_match"}
    assert "Roe" in names(firm, AJERA)


def test_a_contact_that_moves_to_another_firm_makes_room(firm: World) -> None:
    """The count follows the firm that the contact belongs to now."""
    firm.firm("A", "Hill")
    firm.firm("B", "Vale")
    for number in range(6):
        firm.contact(DPS, f"C{number}", f"Moe {number}", ClientID="A")
    firm.settle()
    assert len(firm.parked()) == 1
    firm.edit(DPS, "Contacts", "C0", ClientID="B")
    firm.settle()
    firm.wait()
    assert firm.parked() == {}
    assert len(names(firm, AJERA)) == 6


@pytest.mark.parametrize("side", list(Side))
def test_a_contact_gets_its_firm_when_that_is_linked(firm: World, side: Side) -> None:
    """The contact does not wait for a firm that is not exchanged; only that line does."""
    if side is AJERA:
        firm.client(1, "Hill", vecSyncToCRM=False)
        firm.contact(AJERA, 1, "Moe", cntFirstName="Ann", cntClient=1)
    else:
        firm.firm("A", "Hill", AjeraSync="N")
        firm.contact(DPS, "C", "Moe", FirstName="Ann", ClientID="A")
    firm.settle()
    assert names(firm, side.other) == ["Moe"]
    assert firm.rows(side.other, *(("AxContact", "cntClient") if side is DPS else ("Contacts", "ClientID"))) == [None]
    assert set(firm.parked().values()) == {"reference_missing"}
    if side is AJERA:
        firm.edit(AJERA, "AxVec", vecSyncToCRM=True)
    else:
        firm.edit(DPS, "Clendor", AjeraSync="Y")
    firm.settle()
    assert firm.parked() == {}
    if side is AJERA:
        assert firm.rows(DPS, "Contacts", "ClientID") == firm.rows(DPS, "Clendor", "ClientID")
    else:
        assert firm.rows(AJERA, "AxContact", "cntClient") == firm.rows(AJERA, "AxVec", "vecKey")


def test_a_contact_that_comes_before_its_firm_in_the_logs_gets_it(firm: World) -> None:
    """Each table has its own topic, so nothing promises an order."""
    firm.firm("A", "Hill")
    firm.contact(DPS, "C", "Moe", ClientID="A")
    firm.deliver(DPS, None, "Contacts")
    firm.deliver(DPS, None, "Clendor")
    firm.settle()
    assert firm.rows(AJERA, "AxContact", "cntClient") == firm.rows(AJERA, "AxVec", "vecKey")
    assert firm.parked() == {}


def test_contacts_are_matched_by_all_three_names(firm: World) -> None:
    """Case aside; a namesake with another first name is somebody else."""
    firm.contact(AJERA, 1, "MOE", cntFirstName="Ann")
    firm.contact(DPS, "C1", "Moe", FirstName="ann", Title="Director")
    firm.contact(DPS, "C2", "Moe", FirstName="Bob")
    firm.settle()
    firm.wait()
    assert sorted(firm.rows(AJERA, "AxContact", "cntFirstName", "cntTitle"), key=str) == [
        ("Ann", "Director"),
        ("Bob", None),
    ]
    assert len(firm.rows(DPS, "Contacts", "ContactID")) == 2


# -- of projects --------------------------------------------------------------------------------------------------------


def project_with_contacts(firm: World, count: int) -> None:
    firm.project(DPS, "P-1", "Harbour")
    for number in range(count):
        firm.contact(DPS, f"C{number}", f"Moe {number}")
        firm.insert(DPS, "PRContactAssoc", WBS1="P-1", ContactID=f"C{number}", AjeraSync="Y")


def test_a_projects_contacts_go_to_ajera_five_at_most(firm: World) -> None:
    """The sixth is parked, and goes on when one is taken off in DPS; those that are not flagged are left alone."""
    project_with_contacts(firm, 7)
    firm.do(DPS, """UPDATE "PRContactAssoc" SET "AjeraSync" = 'N' WHERE "ContactID" = 'C6'""")
    firm.settle()
    firm.wait()
    assert len(firm.rows(AJERA, "AxContact", "cntKey")) == 7
    assert len(firm.rows(AJERA, "AxProjectContact", "pcKey")) == 5
    assert set(firm.rows(AJERA, "AxProjectContact", "pcProject")) == set(firm.rows(AJERA, "AxProject", "prjKey"))
    assert list(firm.parked().values()) == ["contacts_full"]
    firm.do(DPS, """DELETE FROM "PRContactAssoc" WHERE "ContactID" = 'C2'""")
    firm.settle()
    firm.wait()
    assert firm.parked() == {}
    # A row that we linked stays in Ajera: nothing is ever deleted there.
    assert len(firm.rows(AJERA, "AxProjectContact", "pcKey")) == 6
    before = len(firm.writes(AJERA))
    firm.rewind()
    firm.settle()
    assert len(firm.writes(AJERA)) == before


def test_a_projects_contacts_and_client_are_never_written_to_dps(firm: World) -> None:
    """What is changed in Ajera stays there."""
    firm.firm("A", "Hill")
    firm.project(DPS, "P-1", "Harbour", ClientID="A")
    firm.contact(DPS, "C0", "Moe")
    firm.insert(DPS, "PRContactAssoc", WBS1="P-1", ContactID="C0", AjeraSync="Y")
    firm.settle()
    (client,) = firm.rows(AJERA, "AxVec", "vecKey")
    (project,) = firm.rows(AJERA, "AxProject", "prjKey")
    assert firm.rows(AJERA, "AxInvoiceGroup", "igProject", "igClient") == [(project, client)]
    before = len(firm.writes(DPS))
    firm.client(7, "Vale")
    firm.settle()
    firm.edit(AJERA, "AxInvoiceGroup", igClient=7)
    firm.insert(AJERA, "AxProjectContact", pcProject=project, pcContact=99)
    firm.insert(AJERA, "AxInvoiceGroup", igProject=project, igClient=7)
    firm.settle()
    assert firm.rows(DPS, "PR", "ClientID") == ["A"]
    assert len(firm.rows(DPS, "PRContactAssoc", "ContactID")) == 1
    assert [table for table, _, _, _ in firm.writes(DPS)[before:] if table in ("PR", "PRContactAssoc")] == []
    firm.edit(DPS, "PR", ClientID=key_of(firm, "Vale"))
    firm.settle()
    assert firm.rows(AJERA, "AxInvoiceGroup", "igClient")[0] == 7
    assert not any(link.parked for link in firm.links())


@pytest.mark.parametrize("order", [("PRContactAssoc", "Contacts", "PR"), ("PR", "PRContactAssoc", "Contacts")])
def test_a_projects_contacts_follow_in_whatever_order_the_topics_are_read(firm: World, order: tuple[str, ...]) -> None:
    """The row waits for its project, or for its contact."""
    project_with_contacts(firm, 2)
    for table in order:
        firm.deliver(DPS, None, table)
    firm.settle()
    assert firm.parked() == {}
    assert len(firm.rows(AJERA, "AxProjectContact", "pcKey")) == 2
