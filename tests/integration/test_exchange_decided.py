"""A person's decision about a value of a list or a reference: done, or refused with the reason;
never a blank.
"""

from __future__ import annotations

import pytest

from pipeline.conflicts.rules import Side
from tests.support.outbox import World

AJERA, DPS = Side.AJERA, Side.DPS


@pytest.fixture
def market(firm: World) -> World:
    """A firm of the public sector on both sides; Ajera knows of railways too,
    DPS of the private sector.
    """
    firm.do(DPS, """DELETE FROM "CFGClientTypeDescriptions" """)
    firm.do(AJERA, """DELETE FROM "AxClientType" """)
    firm.insert(AJERA, "AxClientType", ctKey=3, ctDescription="Public sector")
    firm.insert(AJERA, "AxClientType", ctKey=9, ctDescription="Railways")
    firm.insert(
        DPS,
        "CFGClientTypeDescriptions",
        Code="PU",
        Description="Public sector",
    )
    firm.insert(DPS, "CFGClientTypeDescriptions", Code="PR", Description="Private")
    firm.client(1, "Hill", vecClientType=3)
    firm.settle()
    return firm


def types(firm: World) -> list[object]:
    return [
        *firm.rows(AJERA, "AxVec", "vecClientType"),
        *firm.rows(DPS, "Clendor", "Type"),
    ]


def newest(firm: World, line: str) -> str:
    log = firm.command("conflicts", "list")["log"]
    return str(max(one["number"] for one in log if one["line"] == line and one["winner"]))


def test_reversing_to_an_entry_that_the_other_list_lacks_is_refused_and_blanks_nothing(
    market: World,
) -> None:
    """It says so with a code; once the entry is there, the same command does it."""
    market.edit(AJERA, "AxVec", vecClientType=9)
    market.settle()
    assert types(market) == [3, "PU"]
    number = newest(market, "market")
    market.command("conflicts", "reverse", number, expect=2)
    market.settle()
    assert types(market) == [3, "PU"]
    market.insert(DPS, "CFGClientTypeDescriptions", Code="RA", Description="railways")
    market.command("conflicts", "reverse", number)
    market.wait()  # the consumer may still have the lists as they were: then the line is parked,
    market.wait()  # and tried again with the lists read again
    assert types(market) == [9, "RA"]


def test_reversing_to_a_firm_that_is_linked_but_held_by_neither_side_any_more_does_it(
    firm: World,
) -> None:
    """The reference is looked up, though no row names it at the moment."""
    for key, name in ((1, "Hill"), (2, "Vale"), (3, "Dale")):
        firm.client(key, name)
    firm.contact(AJERA, 7, "Moe", cntClient=1)
    firm.settle()
    keys = dict(firm.rows(DPS, "Clendor", "Name", "ClientID"))
    firm.edit(AJERA, "AxContact", cntClient=2)
    firm.edit(DPS, "Contacts", ClientID=keys["Dale"])
    firm.settle()
    assert firm.rows(AJERA, "AxContact", "cntClient") == [3]
    firm.command("conflicts", "reverse", newest(firm, "firm"))
    firm.settle()
    assert firm.rows(AJERA, "AxContact", "cntClient") == [2]
    assert firm.rows(DPS, "Contacts", "ClientID") == [keys["Vale"]]


def test_reversing_to_a_firm_that_is_not_linked_is_refused_and_blanks_nothing(
    firm: World,
) -> None:
    """The contact keeps the firm that it has."""
    firm.client(1, "Hill")
    firm.client(2, "Off", vecSyncToCRM=False)
    firm.contact(AJERA, 7, "Moe", cntClient=1)
    firm.settle()
    (hill,) = firm.rows(DPS, "Clendor", "ClientID")
    firm.edit(AJERA, "AxContact", cntClient=2)
    firm.firm("D9", "Dale")
    firm.settle()
    firm.edit(DPS, "Contacts", ClientID="D9")
    firm.settle()
    before = (
        firm.rows(AJERA, "AxContact", "cntClient"),
        firm.rows(DPS, "Contacts", "ClientID"),
    )
    assert before[1] == ["D9"]
    firm.command("conflicts", "reverse", newest(firm, "firm"), expect=2)
    firm.settle()
    assert (
        firm.rows(AJERA, "AxContact", "cntClient"),
        firm.rows(DPS, "Contacts", "ClientID"),
    ) == before
    assert hill not in before[1]
