"""Rows without a link find each other by name, or are parked with what a person must do,
and go on once that is done.
"""

from __future__ import annotations

import pytest

from deploy.local.stack import Stack
from pipeline.conflicts.rules import Side
from pipeline.errors import ParkReason
from tests.support.outbox import World, world

AJERA, DPS = Side.AJERA, Side.DPS
BOTH_ORDERS = pytest.mark.parametrize("first", [AJERA, DPS], ids=["ajera first", "dps first"])


def hints(firm: World) -> list[str]:
    return [hint for (hint,) in firm.dps.execute("SELECT hint FROM sync.parked ORDER BY id")]


@BOTH_ORDERS
def test_rows_of_one_name_are_linked_case_aside_and_nothing_is_created(
    firm: World, first: Side
) -> None:
    """What differs is decided by the first-link policy, line by line,
    and logged with both values.
    """
    firm.client(
        1,
        "ACME Supplies",
        vecWebsite="ajera.example",
        vecClientNotes="Ann's",
        vecPhone1="1",
        vecStatus=0,
    )
    firm.firm("A", "acme supplies ", Memo="Bob's", Status="A", WebSite=None)
    firm.insert(
        DPS,
        "CLAddress",
        ClientID="A",
        Address="Main",
        PrimaryInd="Y",
        City="Oslo",
        Phone="2",
    )
    firm.deliver(first)
    firm.settle()
    assert (
        len(firm.rows(AJERA, "AxVec", "vecKey")),
        len(firm.rows(DPS, "Clendor", "ClientID")),
    ) == (1, 1)
    assert len(firm.rows(DPS, "CLAddress", "ClientID")) == 1
    # A blank is filled; the owner of a line wins;
    # what has no owner and is filled on both sides is parked.
    assert firm.rows(DPS, "Clendor", "WebSite", "Status", "Memo") == [
        ("ajera.example", "D", "Bob's")
    ]
    assert firm.rows(AJERA, "AxVec", "vecClientNotes", "vecCity", "vecPhone1") == [
        ("Ann's", "Oslo", "1")
    ]
    assert {line for link in firm.links() for line in link.parked} == {
        "notes",
        "phone",
    }
    assert {(line, winner) for kind, line, winner in firm.conflicts() if kind == "first_link"} == {
        *(("name", AJERA), ("notes", None), ("phone", None)),
        *(("website", AJERA), ("status", AJERA), ("city", DPS)),
    }
    assert firm.logged("notes") == [("Ann's", "Bob's")]


def test_rows_of_one_name_whose_events_come_in_one_batch_are_linked_once(
    firm: World,
) -> None:
    """A consumer reads both systems' topics."""
    firm.client(1, "Hill & Co")
    firm.firm("A", "Hill & Co")
    firm.read_logs()
    firm.process([*firm.events[DPS], *firm.events[AJERA]])
    firm.settle()
    assert (
        len(firm.rows(AJERA, "AxVec", "vecKey")) == len(firm.rows(DPS, "Clendor", "ClientID")) == 1
    )
    assert [link.entity for link in firm.links() if link.entity == "firm"] == ["firm"]


@pytest.mark.parametrize("side", list(Side))
def test_two_namesakes_are_parked_until_one_is_renamed(firm: World, side: Side) -> None:
    """Neither is linked nor created meanwhile."""
    for key in (1, 2):
        firm.client(key, "Hill") if side is AJERA else firm.firm(str(key), "Hill")
    firm.firm("X", "HILL") if side is AJERA else firm.client(9, "HILL")
    firm.settle()
    firm.wait()
    assert set(firm.parked().values()) == {"exchange.ambiguous_match"}
    assert {hint.startswith(ParkReason.AMBIGUOUS_MATCH.hint) for hint in hints(firm)} == {True}
    assert firm.links() == []
    assert [firm.writes(side) for side in Side] == [[], []]
    if side is AJERA:
        firm.edit(AJERA, "AxVec", 2, vecDescription="Vale")
    else:
        firm.edit(DPS, "Clendor", "2", Name="Vale")
    firm.settle()
    firm.wait()
    assert firm.parked() == {}
    assert sorted(name.upper() for name in firm.rows(DPS, "Clendor", "Name")) == ["HILL", "VALE"]
    assert sorted(name.upper() for name in firm.rows(AJERA, "AxVec", "vecDescription")) == [
        "HILL",
        "VALE",
    ]


def test_a_parked_row_that_is_deleted_waits_no_longer(firm: World) -> None:
    """Nor one that is not to be exchanged any more."""
    for key in ("1", "2", "3"):
        firm.firm(key, "Hill")
    firm.client(9, "Hill")
    firm.settle()
    assert len(firm.parked()) == 4
    firm.delete(DPS, "Clendor", "1")
    firm.edit(DPS, "Clendor", "2", AjeraSync="N")
    firm.settle()
    firm.wait()
    # An unflagged row is still a candidate for a namesake that is set to be exchanged.
    assert set(firm.parked()) <= {"firm/dps/3", "firm/ajera/9"}


def test_a_project_whose_namesake_is_not_flagged_is_parked_with_the_vendors_remedy(
    firm: World,
) -> None:
    """It is never created a second time, and is linked once the flag is ticked."""
    firm.project(AJERA, 5, "Harbour", prjSyncToCRM=False, prjCreateInCRM=False)
    firm.project(DPS, "P-1", "HARBOUR", Memo="Bob's")
    firm.settle()
    firm.wait()
    assert list(firm.parked().values()) == ["exchange.namesake_not_flagged"]
    assert hints(firm) == [ParkReason.NAMESAKE_NOT_FLAGGED.hint]
    assert firm.projects("prjKey") == [5]
    firm.edit(AJERA, "AxProject", prjSyncToCRM=True)
    firm.settle()
    firm.wait()
    assert firm.parked() == {}
    assert firm.projects("prjKey", "prjNotes") == [(5, "Bob's")]


def test_a_row_without_a_name_is_parked_until_it_has_one(
    firm: World,
) -> None:
    """The other system requires one."""
    firm.client(1, None)
    firm.firm("A", " ")
    firm.settle()
    firm.wait()
    assert set(firm.parked().values()) == {"exchange.required_missing"}
    firm.edit(AJERA, "AxVec", vecDescription="Hill")
    firm.edit(DPS, "Clendor", Name="Vale")
    firm.settle()
    assert firm.parked() == {}
    assert sorted(firm.rows(DPS, "Clendor", "Name")) == ["Hill", "Vale"]


def test_a_code_that_the_other_list_lacks_parks_that_line_only(
    firm: World,
) -> None:
    """It is written once an entry of the same description is there;
    the row and its other lines do not wait.
    """
    firm.do(DPS, """DELETE FROM "CFGClientTypeDescriptions" """)
    firm.do(AJERA, """DELETE FROM "AxClientType" """)
    firm.insert(AJERA, "AxClientType", ctKey=3, ctDescription="Public sector")
    firm.insert(DPS, "CFGClientTypeDescriptions", Code="PR", Description="Private")
    firm.restart()
    firm.client(1, "Hill", vecClientType=3)
    firm.firm("B", "Beck", Type="PR")
    firm.settle()
    firm.wait()
    assert sorted(firm.rows(DPS, "Clendor", "Name", "Type"), key=str) == [
        ("Beck", "PR"),
        ("Hill", None),
    ]
    assert sorted(
        firm.rows(AJERA, "AxVec", "vecDescription", "vecClientType"),
        key=str,
    ) == [
        ("Beck", None),
        ("Hill", 3),
    ]
    assert set(firm.parked().values()) == {"exchange.type_missing"}
    firm.edit(AJERA, "AxVec", 1, vecWebsite="hill.example")
    firm.settle()
    assert "hill.example" in firm.rows(DPS, "Clendor", "WebSite")
    firm.insert(
        DPS,
        "CFGClientTypeDescriptions",
        Code="PU",
        Description="PUBLIC SECTOR",
    )
    firm.insert(AJERA, "AxClientType", ctKey=4, ctDescription="private")
    firm.wait()
    assert firm.parked() == {}
    assert dict(firm.rows(DPS, "Clendor", "Name", "Type")) == {
        "Hill": "PU",
        "Beck": "PR",
    }
    assert dict(firm.rows(AJERA, "AxVec", "vecDescription", "vecClientType")) == {
        "Hill": 3,
        "Beck": 4,
    }


def test_employees_go_to_dps_and_are_never_made_in_ajera(
    firm: World,
) -> None:
    """What is typed over them in DPS is put back."""
    firm.insert(
        AJERA,
        "AxVec",
        vecKey=7,
        vecFirstName="Kari",
        vecLastName="Berg",
        vecIsEmployee=True,
    )
    firm.insert(DPS, "EM", Employee="001", FirstName="Ola", LastName="Dahl")
    firm.settle()
    assert firm.rows(DPS, "EM", "Employee", "LastName") == [
        ("001", "Dahl"),
        ("E7", "Berg"),
    ]
    assert firm.rows(AJERA, "AxVec", "vecKey") == [7]
    firm.edit(DPS, "EM", "E7", LastName="Bergh")
    firm.settle()
    assert firm.rows(DPS, "EM", "LastName") == ["Dahl", "Berg"]


def test_with_employee_numbering_off_a_new_employee_is_parked(
    postgres: Stack,
) -> None:
    """One of the same name in DPS is linked all the same."""
    with world(postgres, numbers={"employee": ""}) as firm:
        firm.insert(
            AJERA,
            "AxVec",
            vecKey=7,
            vecFirstName="Kari",
            vecLastName="Berg",
            vecIsEmployee=True,
        )
        firm.insert(
            AJERA,
            "AxVec",
            vecKey=8,
            vecFirstName="Ola",
            vecLastName="Dahl",
            vecIsEmployee=True,
        )
        firm.insert(DPS, "EM", Employee="001", FirstName="Ola", LastName="DAHL")
        firm.settle()
        assert firm.parked() == {"employee/ajera/7": "exchange.no_employee_number"}
        assert "routes.dps.employee_number" in hints(firm)[0]
        assert firm.rows(DPS, "EM", "Employee", "LastName") == [("001", "Dahl")]


def test_a_number_that_dps_cannot_hold_whole_is_parked_and_not_cut(postgres: Stack) -> None:
    """Cut to 20 characters, those of two employees would be one."""
    with world(postgres, numbers={"employee": "EMPLOYEE-OF-THE-FIRM-{key}"}) as firm:
        for key, name in ((7, "Berg"), (8, "Dahl")):
            firm.insert(
                AJERA,
                "AxVec",
                vecKey=key,
                vecFirstName="Kari",
                vecLastName=name,
                vecIsEmployee=True,
            )
        firm.settle()
        assert firm.parked() == {
            "employee/ajera/7": "exchange.number_too_long",
            "employee/ajera/8": "exchange.number_too_long",
        }
        assert "20 characters" in hints(firm)[0]
        assert firm.rows(DPS, "EM", "Employee") == []


def test_a_consultant_vendor_becomes_a_firm_of_its_own(firm: World) -> None:
    """Other vendors do not, and a vendor typed in DPS is not made in Ajera."""
    firm.do(AJERA, """DELETE FROM "AxVendorType" """)
    firm.insert(
        AJERA,
        "AxVendorType",
        vtKey=1,
        vtDescription="Consultant",
        vtIsConsultant=True,
    )
    firm.insert(
        AJERA,
        "AxVendorType",
        vtKey=2,
        vtDescription="Supplier",
        vtIsConsultant=False,
    )
    firm.restart()
    for key, name, kind in ((1, "Soil Lab", 1), (2, "Paper Mill", 2)):
        firm.insert(
            AJERA,
            "AxVec",
            vecKey=key,
            vecDescription=name,
            vecVendorType=kind,
            vecIsVendor=True,
        )
    firm.firm("V", "Typed in DPS", ClientInd="N", VendorInd="Y")
    firm.settle()
    assert sorted(firm.rows(DPS, "Clendor", "Name", "ClientInd", "VendorInd")) == [
        ("Soil Lab", "N", "Y"),
        ("Typed in DPS", "N", "Y"),
    ]
    assert len(firm.rows(AJERA, "AxVec", "vecKey")) == 2
