"""The firm of a project that is exchanged is exchanged too, though nobody ticked it."""

from __future__ import annotations

import pytest

from pipeline.conflicts.rules import Side
from tests.support.outbox import World

AJERA, DPS = Side.AJERA, Side.DPS


def clients(firm: World) -> list[tuple[object, object]]:
    """The projects in Ajera whose client is known, with its name."""
    found = firm.ajera.execute(
        """SELECT p."prjDescription", v."vecDescription" FROM "AxInvoiceGroup" g JOIN "AxProject" p
            ON "prjKey" = "igProject"
        JOIN "AxVec" v ON "vecKey" = "igClient" ORDER BY 1"""
    )
    return list(found)


@pytest.mark.parametrize("order", [("PR", "Clendor"), ("Clendor", "PR")])
@pytest.mark.parametrize("size", [1, None])
def test_a_firm_of_a_project_that_is_missing_in_ajera_is_created(
    firm: World, order: tuple[str, ...], size: int | None
) -> None:
    """Once, whatever is read first; nothing is parked,
    and nothing is made when all is read again.
    """
    firm.firm("A", "Hill", AjeraSync="N", WebSite="hill.example")
    firm.project(DPS, "P-1", "Harbour", ClientID="A")
    firm.project(DPS, "P-2", "Airport", ClientID="A")
    for table in order:
        while firm.deliver(DPS, size, table):
            pass
    firm.settle()
    assert clients(firm) == [("Airport", "Hill"), ("Harbour", "Hill")]
    assert firm.rows(AJERA, "AxVec", "vecDescription", "vecWebsite") == [("Hill", "hill.example")]
    assert firm.rows(DPS, "Clendor", "AjeraSync") == ["N"]
    firm.wait()
    assert firm.parked() == {}
    before = [len(firm.writes(side)) for side in Side]
    firm.rewind()
    firm.settle()
    firm.wait()
    assert [len(firm.writes(side)) for side in Side] == before


def test_a_firm_that_was_created_for_a_project_sends_nothing_more_until_it_is_ticked(
    firm: World,
) -> None:
    """What is typed in Ajera arrives in DPS, as for any firm that is not ticked there."""
    firm.firm("A", "Hill", AjeraSync="N")
    firm.project(DPS, "P-1", "Harbour", ClientID="A")
    firm.settle()
    firm.edit(DPS, "Clendor", "A", Name="Hill & Co")
    firm.edit(AJERA, "AxVec", vecWebsite="hill.example")
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecDescription") == ["Hill"]
    assert firm.rows(DPS, "Clendor", "WebSite") == ["hill.example"]
    firm.edit(DPS, "Clendor", "A", AjeraSync="Y")
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecDescription") == ["Hill & Co"]


def test_a_client_of_the_same_name_in_ajera_is_not_made_a_second_time(
    firm: World,
) -> None:
    """It is linked; of several a person must say which."""
    firm.client(1, "HILL", vecSyncToCRM=False)
    firm.client(2, "Vale", vecSyncToCRM=False)
    firm.client(3, "VALE", vecSyncToCRM=False)
    firm.firm("A", "Hill", AjeraSync="N")
    firm.firm("B", "Vale", AjeraSync="N")
    firm.project(DPS, "P-1", "Harbour", ClientID="A")
    firm.project(DPS, "P-2", "Airport", ClientID="B")
    firm.settle()
    firm.wait()
    assert firm.rows(AJERA, "AxVec", "vecKey") == [1, 2, 3]
    assert firm.do(
        AJERA,
        'SELECT array_agg("igClient") FROM "AxInvoiceGroup" WHERE "igClient" > 0',
    ) == [1]
    assert set(firm.parked().values()) == {
        "exchange.ambiguous_match",
        "exchange.reference_missing",
    }


def test_a_firm_that_is_no_client_parks_the_projects_client_with_the_reason(
    firm: World,
) -> None:
    """It goes on once the firm is one."""
    firm.firm("A", "Hill", AjeraSync="N", ClientInd="N", VendorInd="Y")
    firm.project(DPS, "P-1", "Harbour", ClientID="A")
    firm.settle()
    firm.wait()
    assert list(firm.parked().values()) == ["exchange.not_a_client"]
    assert firm.rows(AJERA, "AxVec", "vecKey") == []
    firm.edit(DPS, "Clendor", "A", ClientInd="Y")
    firm.settle()
    firm.wait()
    assert clients(firm) == [("Harbour", "Hill")]
    assert firm.parked() == {}


def test_a_project_that_gets_its_client_later_brings_the_firm_too(
    firm: World,
) -> None:
    """Its invoice group is there already."""
    firm.firm("A", "Hill", AjeraSync="N")
    firm.project(DPS, "P-1", "Harbour")
    firm.settle()
    (project,) = firm.projects("prjKey")[:1]
    firm.insert(AJERA, "AxInvoiceGroup", igProject=project)
    firm.settle()
    firm.edit(DPS, "PR", "P-1", ClientID="A")
    firm.settle()
    assert clients(firm) == [("Harbour", "Hill")]
    assert firm.parked() == {}


def test_two_firms_of_one_name_that_projects_bring_are_parked(
    firm: World,
) -> None:
    """Which of the two the client in Ajera is, a person must say."""
    firm.client(1, "Hill")
    for key in ("A", "B"):
        firm.firm(key, "Hill", AjeraSync="N")
        firm.project(DPS, f"P-{key}", f"Harbour {key}", ClientID=key)
    firm.deliver(DPS)
    firm.settle()
    firm.wait()
    assert firm.rows(AJERA, "AxVec", "vecKey") == [1]
    assert "exchange.ambiguous_match" in firm.parked().values()
    assert clients(firm) == []
