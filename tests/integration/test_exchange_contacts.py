"""Contacts: they follow their firm, five of a firm and of a project at most,
and a project's go from DPS to Ajera only.
"""

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
    assert names(firm, other) == [
        *(f"Moe {number}" for number in range(5)),
        "Nobody's",
        "Vale's",
    ]
    assert list(firm.parked().values()) == ["exchange.contacts_full"]
    firm.delete(
        side,
        "AxContact" if side is AJERA else "Contacts",
        2 if side is AJERA else "C1",
    )
    firm.settle()
    firm.wait()
    assert firm.parked() == {}
    assert "Moe 5" in names(firm, other)


def key_of(firm: World, name: str) -> str:
    return str(firm.do(DPS, 'SELECT "ClientID" FROM "Clendor" WHERE "Name" = %s', name))


def test_a_parked_contact_goes_on_when_the_limit_is_raised(
    firm: World,
) -> None:
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


def test_a_contact_that_is_parked_for_another_reason_takes_no_place(
    firm: World,
) -> None:
    """The next one of the same batch has it."""
    firm.restart_with(contact=1)
    firm.contact(AJERA, 1, "Moe")
    firm.contact(AJERA, 2, "Moe")
    firm.firm("A", "Hill")
    firm.contact(DPS, "C1", "Moe", ClientID="A")
    firm.contact(DPS, "C2", "Roe", ClientID="A")
    firm.deliver(DPS)
    assert set(firm.parked().values()) == {"exchange.ambiguous_match"}
    assert "Roe" in names(firm, AJERA)


def test_a_contact_that_moves_to_another_firm_makes_room(
    firm: World,
) -> None:
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


def of_hill(firm: World) -> tuple[int, int]:
    """How many contacts either side has under the client Hill, and the firm of that name."""
    hill = "SELECT count(*) FROM {} WHERE {} = (SELECT {} FROM {} WHERE {} = 'Hill')"
    ajera = (
        '"AxContact"',
        '"cntClient"',
        '"vecKey"',
        '"AxVec"',
        '"vecDescription"',
    )
    dps = ('"Contacts"', '"ClientID"', '"ClientID"', '"Clendor"', '"Name"')
    return firm.do(AJERA, hill.format(*ajera)), firm.do(DPS, hill.format(*dps))


@pytest.mark.parametrize("size", [1, 3, None])
@pytest.mark.parametrize("way", ["contacts first", "ticked after"])
def test_the_limit_is_asked_when_a_contacts_firm_becomes_known(
    firm: World, size: int | None, way: str
) -> None:
    """In whatever order contacts and firm are read: those beyond it wait for their firm,
    and nothing else does.
    """
    firm.client(1, "Hill", vecSyncToCRM=way == "contacts first")
    for number in range(1, 8):
        firm.contact(AJERA, number, f"Moe {number}", cntClient=1)
    while firm.deliver(AJERA, size, "AxContact"):
        pass
    if way == "ticked after":
        firm.settle()
        assert len(names(firm, DPS)) == 7
        firm.edit(AJERA, "AxVec", 1, vecSyncToCRM=True)
    while firm.deliver(AJERA, size):
        pass
    firm.settle()
    firm.wait()
    assert (len(names(firm, DPS)), of_hill(firm)) == (7, (7, 5))
    assert list(firm.parked().values()) == ["exchange.contacts_full"] * 2
    before = len(firm.writes(DPS))
    firm.rewind()
    firm.settle()
    firm.wait()
    assert len(firm.writes(DPS)) == before
    (ticked,) = firm.do(
        DPS,
        """SELECT array_agg("LastName") FROM (SELECT "LastName" FROM "Contacts"
        WHERE "ClientID" IS NOT NULL ORDER BY 1 LIMIT 1) AS t""",
    )
    firm.edit(AJERA, "AxContact", int(ticked.split()[1]), cntSyncToCRM=False)
    firm.settle()
    firm.wait()
    assert of_hill(firm) == (7, 6)
    assert list(firm.parked().values()) == ["exchange.contacts_full"]


@pytest.mark.parametrize("side", list(Side))
def test_a_linked_contact_that_is_moved_to_a_full_firm_is_not_moved_on_the_other_side(
    firm: World, side: Side
) -> None:
    """That line waits until there is room; the contact's other lines do not."""
    firm.restart_with(contact=2)
    firm.client(1, "Hill")
    firm.client(2, "Vale")
    firm.settle()
    hill, vale = (1, 2) if side is AJERA else (key_of(firm, "Hill"), key_of(firm, "Vale"))
    column, title = ("cntClient", "cntTitle") if side is AJERA else ("ClientID", "Title")
    table = "AxContact" if side is AJERA else "Contacts"
    keys: list[int | str] = [1, 2, 3] if side is AJERA else ["C1", "C2", "C3"]
    for key, owner in zip(keys, (hill, hill, vale), strict=True):
        firm.contact(side, key, f"Moe {key}", **{column: owner})
    firm.settle()
    firm.edit(side, table, keys[2], **{column: hill, title: "Director"})
    firm.settle()
    firm.wait()
    assert of_hill(firm)[side is AJERA] == 2
    assert list(firm.parked().values()) == ["exchange.contacts_full"]
    other = ("Contacts", "Title") if side is AJERA else ("AxContact", "cntTitle")
    assert "Director" in firm.rows(side.other, *other)
    firm.edit(side, table, keys[0], **{column: vale})
    firm.settle()
    firm.wait()
    assert of_hill(firm) == (2, 2)
    assert firm.parked() == {}


@pytest.mark.parametrize("side", list(Side))
def test_a_contact_that_is_unticked_makes_room_and_asks_again_when_it_is_ticked(
    firm: World, side: Side
) -> None:
    """What is typed in it meanwhile waits, as for any row that is not ticked."""
    firm.restart_with(contact=1)
    firm.client(1, "Hill")
    firm.settle()
    hill: int | str = 1 if side is AJERA else key_of(firm, "Hill")
    column = "cntClient" if side is AJERA else "ClientID"
    table, title = ("AxContact", "cntTitle") if side is AJERA else ("Contacts", "Title")
    off, on = (
        {"cntSyncToCRM": one} if side is AJERA else {"AjeraSync": "Y" if one else "N"}
        for one in (False, True)
    )
    keys: list[int | str] = [1, 2] if side is AJERA else ["C1", "C2"]
    for key in keys:
        firm.contact(side, key, f"Moe {key}", **{column: hill})
    firm.settle()
    assert len(names(firm, side.other)) == 1
    firm.edit(side, table, keys[0], **off)
    firm.settle()
    firm.wait()
    assert len(names(firm, side.other)) == 2
    assert firm.parked() == {}
    firm.edit(side, table, keys[0], **{**on, title: "Director"})
    firm.settle()
    firm.wait()
    other = ("Contacts", "Title") if side is AJERA else ("AxContact", "cntTitle")
    assert firm.rows(side.other, *other).count("Director") == 0
    assert list(firm.parked().values()) == ["exchange.contacts_full"]
    firm.edit(side, table, keys[1], **off)
    firm.settle()
    firm.wait()
    assert firm.rows(side.other, *other).count("Director") == 1
    assert firm.parked() == {}


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
    assert firm.rows(
        side.other,
        *(("AxContact", "cntClient") if side is DPS else ("Contacts", "ClientID")),
    ) == [None]
    assert set(firm.parked().values()) == {"exchange.reference_missing"}
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


def test_a_contact_that_comes_before_its_firm_in_the_logs_gets_it(
    firm: World,
) -> None:
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


# -- of projects -----------------------------------------------------------------------------------


def project_with_contacts(firm: World, count: int) -> None:
    firm.project(DPS, "P-1", "Harbour")
    for number in range(count):
        firm.contact(DPS, f"C{number}", f"Moe {number}")
        firm.insert(
            DPS,
            "PRContactAssoc",
            WBS1="P-1",
            ContactID=f"C{number}",
            AjeraSync="Y",
        )


def test_a_projects_contacts_go_to_ajera_five_at_most(firm: World) -> None:
    """The sixth is parked, and goes on when one is taken off in DPS;
    those that are not flagged are left alone.
    """
    project_with_contacts(firm, 7)
    firm.do(
        DPS,
        """UPDATE "PRContactAssoc" SET "AjeraSync" = 'N' WHERE "ContactID" = 'C6'""",
    )
    firm.settle()
    firm.wait()
    assert len(firm.rows(AJERA, "AxContact", "cntKey")) == 7
    assert len(firm.rows(AJERA, "AxProjectContact", "pcKey")) == 5
    assert set(firm.rows(AJERA, "AxProjectContact", "pcProject")) == set(firm.projects("prjKey"))
    assert list(firm.parked().values()) == ["exchange.contacts_full"]
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


def test_a_projects_contacts_and_client_are_never_written_to_dps(
    firm: World,
) -> None:
    """What is changed in Ajera stays there."""
    firm.firm("A", "Hill")
    firm.project(DPS, "P-1", "Harbour", ClientID="A")
    firm.contact(DPS, "C0", "Moe")
    firm.insert(DPS, "PRContactAssoc", WBS1="P-1", ContactID="C0", AjeraSync="Y")
    firm.settle()
    (client,) = firm.rows(AJERA, "AxVec", "vecKey")
    (project,) = firm.projects("prjKey")
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
    assert [
        table for table, _, _, _ in firm.writes(DPS)[before:] if table in ("PR", "PRContactAssoc")
    ] == []
    firm.edit(DPS, "PR", ClientID=key_of(firm, "Vale"))
    firm.settle()
    assert firm.rows(AJERA, "AxInvoiceGroup", "igClient")[0] == 7
    assert not any(link.parked for link in firm.links())


@pytest.mark.parametrize(
    "order",
    [
        ("PRContactAssoc", "Contacts", "PR"),
        ("PR", "PRContactAssoc", "Contacts"),
    ],
)
def test_a_projects_contacts_follow_in_whatever_order_the_topics_are_read(
    firm: World, order: tuple[str, ...]
) -> None:
    """The row waits for its project, or for its contact."""
    project_with_contacts(firm, 2)
    for table in order:
        firm.deliver(DPS, None, table)
    firm.settle()
    assert firm.parked() == {}
    assert len(firm.rows(AJERA, "AxProjectContact", "pcKey")) == 2
