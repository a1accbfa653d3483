"""A row that exists on both sides, in the form in which each holds it,
is linked and never made twice on both.
"""

from __future__ import annotations

import pytest

from pipeline.conflicts.rules import Side
from tests.support.outbox import World

AJERA, DPS = Side.AJERA, Side.DPS
BOTH_ORDERS = pytest.mark.parametrize("first", [AJERA, DPS], ids=["ajera first", "dps first"])
LONG = "Anna Katharina Wilhelmina von und zu Hohenstein-Lauterbach"


@BOTH_ORDERS
@pytest.mark.parametrize(
    ("ajera", "dps"),
    [
        ((None, "Cher"), (".", "Cher")),
        (("\u00a0", "Cher"), (".", "CHER")),
        ((LONG, LONG), (LONG[:30], LONG[:25])),
        (("van\u00a0der  Berg", "Ann"), ("VAN DER BERG", " Ann\t")),
        (("Straße", "Ann"), ("STRASSE", "Ann")),
    ],
    ids=["full stop", "no-break space", "cut", "blanks", "sharp s"],
)
def test_a_person_is_linked_in_the_forms_of_both_sides(
    firm: World, first: Side, ajera: tuple[str, str], dps: tuple[str, str]
) -> None:
    """Contacts, whichever side is read first, and employees, who are made in DPS only."""
    firm.contact(AJERA, 1, ajera[0], cntFirstName=ajera[1])
    firm.contact(DPS, "C", dps[0], FirstName=dps[1])
    names = {"vecLastName": ajera[0], "vecFirstName": ajera[1]}
    of_employee = LONG[:50] if ajera[0] == LONG else dps[0]  # there a last name has more letters
    firm.insert(DPS, "EM", Employee="001", LastName=of_employee, FirstName=dps[1])
    firm.insert(AJERA, "AxVec", vecKey=7, **names, vecIsEmployee=True)
    firm.deliver(first)
    firm.settle()
    assert firm.rows(AJERA, "AxContact", "cntKey") == [1]
    assert firm.rows(DPS, "Contacts", "ContactID") == ["C"]
    assert firm.rows(DPS, "EM", "Employee") == ["001"]
    assert sorted(link.entity for link in firm.links()) == [
        "contact",
        "employee",
    ]
    assert [line for link in firm.links() for line in link.parked] == []


@BOTH_ORDERS
def test_a_firm_and_a_project_with_cut_names_are_linked(firm: World, first: Side) -> None:
    """Neither the long name in Ajera nor the cut one in DPS is touched by that."""
    firm.client(1, "x" * 120)
    firm.firm("A", "X" * 100)
    firm.project(AJERA, 5, "y" * 300)
    firm.project(DPS, "P-1", "y" * 40, LongName="y" * 255)
    firm.deliver(first)
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecDescription") == ["x" * 120]
    assert len(firm.rows(DPS, "Clendor", "ClientID")) == 1
    assert firm.projects("prjDescription") == ["y" * 300]
    assert len(firm.rows(DPS, "PR", "WBS1")) == 1
    assert sorted(link.entity for link in firm.links()) == [
        "firm",
        "project",
    ]


def test_a_row_that_we_made_is_its_rows_namesake_once_the_pair_is_forgotten(
    firm: World,
) -> None:
    """As after a restored `sync` schema: nothing is made twice."""
    firm.contact(AJERA, 1, None, cntFirstName="  Ann \u2003 Marie  ")
    firm.contact(AJERA, 2, LONG, cntFirstName=LONG)
    firm.contact(DPS, "C", ".", FirstName="Bob\u00a0\u00a0B")
    firm.settle()
    counts = (
        len(firm.rows(AJERA, "AxContact", "cntKey")),
        len(firm.rows(DPS, "Contacts", "ContactID")),
    )
    assert counts == (3, 3)
    for table in ("link", "conflict", "parked", "unlinked", "progress"):
        firm.do(DPS, f"DELETE FROM sync.{table}")
    firm.do(AJERA, "DELETE FROM ajera_cdc.intention")
    firm.rewind()
    firm.settle()
    assert (
        len(firm.rows(AJERA, "AxContact", "cntKey")),
        len(firm.rows(DPS, "Contacts", "ContactID")),
    ) == counts
    assert len(firm.links()) == 3
