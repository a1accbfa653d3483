"""Rows of one name are told apart by their city,
e-mail and the like before a person must decide.
"""

from __future__ import annotations

import random

import pytest

from pipeline.conflicts.rules import Side
from pipeline.errors import ParkReason
from tests.support.outbox import World

AJERA, DPS = Side.AJERA, Side.DPS
BOTH_ORDERS = pytest.mark.parametrize("first", [AJERA, DPS], ids=["ajera first", "dps first"])


def firm_in(firm: World, key: str, name: str, city: str | None, **others: object) -> None:
    firm.firm(key, name, **others)
    firm.insert(
        DPS,
        "CLAddress",
        ClientID=key,
        Address="Main",
        PrimaryInd="Y",
        City=city,
    )


def linked(firm: World, entity: str) -> set[tuple[str | None, str | None]]:
    return {(link.ajera.key, link.dps.key) for link in firm.links() if link.entity == entity}


@BOTH_ORDERS
def test_two_firms_of_one_name_on_either_side_are_linked_by_their_cities(
    firm: World, first: Side
) -> None:
    """The city is the primary address's in DPS; nothing is parked, and nothing made twice."""
    firm.client(1, "Hill", vecCity="Oslo")
    firm.client(2, "Hill", vecCity="Bergen")
    firm_in(firm, "B", "HILL", " bergen ")
    firm_in(firm, "O", "Hill", "OSLO")
    firm.insert(
        DPS,
        "CLAddress",
        ClientID="B",
        Address="Old",
        PrimaryInd="N",
        City="Oslo",
    )
    firm.deliver(first)
    firm.settle()
    assert linked(firm, "firm") == {("1", "O"), ("2", "B")}
    assert firm.parked() == {}


@BOTH_ORDERS
def test_contacts_employees_and_projects_have_marks_of_their_own(firm: World, first: Side) -> None:
    """E-mail or telephone; a project's number."""
    for number in (1, 2):
        mail, phone = f"{number}@berg.example", f"+47 {number}"
        firm.contact(AJERA, number, "Berg", cntEmail=mail.upper())
        firm.contact(
            DPS,
            f"C{3 - number}",
            "Berg",
            EMail=f"{3 - number}@berg.example",
        )
        firm.insert(
            AJERA,
            "AxVec",
            vecKey=number + 10,
            vecLastName="Dahl",
            vecPhone1=phone,
            vecIsEmployee=True,
        )
        firm.insert(
            DPS,
            "EM",
            Employee=f"E{number}",
            LastName="Dahl",
            HomePhone=phone,
        )
        firm.project(AJERA, number, "Harbour", prjID=f"P-{number}")
        firm.project(DPS, f"P-{number}", "Harbour")
    firm.deliver(first)
    firm.settle()
    assert linked(firm, "contact") == {("1", "C1"), ("2", "C2")}
    assert linked(firm, "employee") == {("11", "E1"), ("12", "E2")}
    assert linked(firm, "project") == {("1", "P-1| | "), ("2", "P-2| | ")}
    assert firm.parked() == {}


@BOTH_ORDERS
def test_what_no_mark_tells_apart_is_parked_with_the_marks_named(firm: World, first: Side) -> None:
    """It goes on once somebody types one on both sides."""
    firm.client(1, "Hill", vecCity="Oslo")
    firm_in(firm, "A", "Hill", "Oslo")
    firm_in(firm, "B", "Hill", "Oslo")
    firm.deliver(first)
    firm.settle()
    assert set(firm.parked().values()) == {"exchange.ambiguous_match"}
    hints = {hint for (hint,) in firm.dps.execute("SELECT hint FROM sync.parked")}
    assert hints == {
        (
            f"{ParkReason.AMBIGUOUS_MATCH.hint} Or type what tells them apart on both sides: "
            "city, email."
        )
    }
    firm.edit(AJERA, "AxVec", 1, vecEmail="b@hill.example")
    firm.do(
        DPS,
        """UPDATE "CLAddress" SET "EMail" = 'B@hill.example' WHERE "ClientID" = 'B'""",
    )
    firm.settle()
    firm.wait()
    assert ("1", "B") in linked(firm, "firm")
    assert firm.parked() == {}


@BOTH_ORDERS
def test_a_row_that_nobody_ticked_does_not_give_way_to_a_ticked_one_of_another_city(
    firm: World, first: Side
) -> None:
    """Whichever side is read first."""
    firm.client(1, "Hill", vecCity="Oslo")
    firm_in(firm, "T", "Hill", "Bergen")
    firm_in(firm, "U", "Hill", "Oslo", AjeraSync="N")
    firm.deliver(first)
    firm.settle()
    firm.wait()
    assert ("1", "U") in linked(firm, "firm")
    assert {key for _, key in linked(firm, "firm")} == {
        "U",
        "T",
    }  # which is another firm, and made in Ajera


@pytest.mark.parametrize("seed", range(6))
def test_the_same_pairs_are_found_whichever_side_is_read_first(firm: World, seed: int) -> None:
    """Random namesakes with random cities and e-mails, some of them blank."""
    chosen: list[object] = []
    print(f"seed {seed}")
    for order in ((AJERA, DPS), (DPS, AJERA)):
        firm.clear()
        dice = random.Random(seed)
        for number in range(dice.randrange(1, 4)):
            city, email = (
                dice.choice([None, "Oslo", "Bergen"]),
                dice.choice([None, "a", "b"]),
            )
            firm.client(number + 1, "Hill", vecCity=city, vecEmail=email)
        for number in range(dice.randrange(1, 4)):
            firm_in(
                firm,
                f"K{number}",
                "Hill",
                dice.choice([None, "Oslo", "Bergen"]),
            )
            email = dice.choice([None, "a", "b"])
            firm.do(
                DPS,
                'UPDATE "CLAddress" SET "EMail" = %s WHERE "ClientID" = %s',
                email,
                f"K{number}",
            )
        for side in order:
            firm.deliver(side)
        firm.settle()
        firm.wait()
        ours = {
            row
            for row in linked(firm, "firm")
            if str(row[1]).startswith("K") and int(row[0] or 99) < 4
        }
        chosen.append((ours, sorted(firm.parked())))
    assert chosen[0] == chosen[1]


def test_a_rehearsal_lists_apart_the_rows_that_nobody_ticked(
    firm: World,
) -> None:
    """And the run says it too; pairs that both sides ticked, and rows that we make,
    are none of them.
    """
    firm.client(1, "Ticked")
    firm.firm("A", "Ticked")
    firm.client(2, "Half")
    firm.firm("B", "Half", AjeraSync="N")
    firm.contact(AJERA, 7, "Berg", cntSyncToCRM=False)
    firm.contact(DPS, "C", "Berg")
    firm.client(3, "Made")
    wanted = [
        {"entity": "firm", "ajera_key": "2", "dps_key": "B", "side": "dps"},
        {
            "entity": "contact",
            "ajera_key": "7",
            "dps_key": "C",
            "side": "ajera",
        },
    ]
    assert firm.command("link", "--dry-run")["unticked"] == wanted
    assert firm.links() == []
    assert firm.command("link", "--yes")["unticked"] == wanted
    assert firm.command("link", "--yes")["unticked"] == []
