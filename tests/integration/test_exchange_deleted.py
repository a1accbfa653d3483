"""Rows that people deleted are not made again: by no replay, no snapshot, no flag;
what is new is exchanged again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import count

import pytest

from pipeline.conflicts.link import State
from pipeline.conflicts.rules import Side
from tests.support.outbox import Crash, World, at_once

AJERA, DPS = Side.AJERA, Side.DPS


def replay(firm: World) -> None:
    """Everything is read again from the beginning."""
    firm.rewind()
    firm.settle()
    firm.wait()


def tick_firm(firm: World) -> None:
    for value in (False, True):
        firm.edit(AJERA, "AxVec", 1, vecSyncToCRM=value)
        firm.settle()
    for flag in ("N", "Y"):
        firm.do(DPS, 'UPDATE "Clendor" SET "AjeraSync" = %s', flag)
        firm.settle()
    firm.wait()


def tick_project(firm: World) -> None:
    for flag in ("N", "Y"):
        firm.do(DPS, 'UPDATE "PR" SET "AjeraSync" = %s', flag)
        firm.do(DPS, 'UPDATE "PRContactAssoc" SET "AjeraSync" = %s', flag)
        firm.do(AJERA, 'UPDATE "AxProject" SET "prjSyncToCRM" = %s', flag == "Y")
        firm.settle()
    firm.wait()


def read_by_snapshot(firm: World) -> None:
    """Both captures are made again: every row that is there is read."""
    for side in Side:
        firm.capture_again(side)
    firm.settle()
    firm.wait()


def after_a_gap(firm: World) -> None:
    """Ajera's capture is made again, and what happened meanwhile comes by no event."""
    firm.forget(AJERA)
    firm.capture_again(AJERA)
    firm.settle()
    firm.exchange.sweep.ended(AJERA, firm.epochs[AJERA])
    firm.exchange.sweep.advance(at_once)


def die_at(firm: World, boundary: int) -> None:
    """Deliver everything; the process dies at that commit and comes back."""
    reached = count()
    firm.pairs.may_die = lambda: next(reached) == boundary
    with suppress(Crash):
        firm.settle()
    firm.pairs.may_die = lambda: False
    firm.restart()


AGAIN = pytest.mark.parametrize("again", [replay, tick_firm, tick_project, read_by_snapshot])
Again = Callable[[World], None]


def addressed(firm: World) -> None:
    """A client of Ajera with its firm and address in DPS."""
    firm.client(1, "Hill", vecCity="Oslo")
    firm.settle()
    assert firm.rows(DPS, "CLAddress", "City") == ["Oslo"]


def billed(firm: World) -> None:
    """A project made from DPS whose client and contact are in Ajera."""
    firm.firm("A", "Hill")
    firm.project(DPS, "P-1", "Harbour", ClientID="A")
    firm.contact(DPS, "C", "Moe")
    firm.insert(DPS, "PRContactAssoc", WBS1="P-1", ContactID="C", AjeraSync="Y")
    firm.settle()
    assert (
        len(firm.rows(AJERA, "AxInvoiceGroup", "igKey"))
        == len(firm.rows(AJERA, "AxProjectContact", "pcKey"))
        == 1
    )


def counts(firm: World) -> tuple[int, ...]:
    tables = (
        (DPS, "CLAddress"),
        (AJERA, "AxInvoiceGroup"),
        (AJERA, "AxProjectContact"),
    )
    return tuple(firm.do(side, f'SELECT count(*) FROM "{table}"') for side, table in tables)


# -- addresses -------------------------------------------------------------------------------------


@AGAIN
def test_an_address_that_was_deleted_in_dps_is_not_made_again(firm: World, again: Again) -> None:
    """Neither is anything parked for it."""
    addressed(firm)
    firm.do(DPS, 'DELETE FROM "CLAddress"')
    firm.settle()
    before = len(firm.writes(DPS))
    again(firm)
    assert firm.rows(DPS, "CLAddress", "City") == []
    assert len(firm.writes(DPS)) == before
    assert firm.parked() == {}
    firm.edit(AJERA, "AxVec", 1, vecCity="Bergen")
    firm.settle()
    assert firm.rows(DPS, "CLAddress", "City") == []


@pytest.mark.parametrize("name", ["Main", "HQ"])
def test_an_address_that_is_typed_after_the_delete_is_exchanged(firm: World, name: str) -> None:
    """Be it under the name of the one that was deleted or another."""
    addressed(firm)
    firm.do(DPS, 'DELETE FROM "CLAddress"')
    firm.settle()
    (key,) = firm.rows(DPS, "Clendor", "ClientID")
    firm.insert(
        DPS,
        "CLAddress",
        ClientID=key,
        Address=name,
        PrimaryInd="Y",
        City="OSLO",
    )
    firm.settle()
    firm.edit(AJERA, "AxVec", 1, vecCity="Bergen")
    firm.settle()
    assert firm.rows(DPS, "CLAddress", "Address", "City") == [(name, "Bergen")]
    replay(firm)
    assert firm.rows(DPS, "CLAddress", "Address", "City") == [(name, "Bergen")]
    assert firm.parked() == {}


def test_a_firm_that_is_typed_again_gets_its_address(firm: World) -> None:
    """It is a new pair: the address that was deleted was the old firm's."""
    addressed(firm)
    firm.do(DPS, 'DELETE FROM "Clendor"')
    firm.settle()
    firm.firm("N", "HILL")
    firm.settle()
    assert firm.rows(DPS, "CLAddress", "ClientID", "City") == [("N", "Oslo")]
    before = len(firm.writes(DPS))
    replay(firm)
    assert len(firm.writes(DPS)) == before


# -- a project's client ----------------------------------------------------------------------------


@AGAIN
def test_an_invoice_group_that_was_deleted_is_not_made_again(firm: World, again: Again) -> None:
    """Nor when the project gets another client;
    the client goes to the next group that somebody makes.
    """
    billed(firm)
    firm.do(AJERA, 'DELETE FROM "AxInvoiceGroup"')
    firm.settle()
    before = len(firm.writes(AJERA))
    again(firm)
    assert firm.rows(AJERA, "AxInvoiceGroup", "igKey") == []
    assert len(firm.writes(AJERA)) == before
    assert firm.parked() == {}
    firm.firm("B", "Vale")
    firm.edit(DPS, "PR", "P-1", ClientID="B")
    firm.settle()
    assert firm.rows(AJERA, "AxInvoiceGroup", "igKey") == []
    (project,) = firm.projects("prjKey")
    firm.insert(AJERA, "AxInvoiceGroup", igProject=project)
    firm.settle()
    vale = firm.do(
        AJERA,
        """SELECT "vecKey" FROM "AxVec" WHERE "vecDescription" = 'Vale'""",
    )
    assert firm.rows(AJERA, "AxInvoiceGroup", "igClient") == [vale]


@pytest.mark.parametrize("size", [1, None], ids=["one by one", "in one batch"])
def test_after_the_first_invoice_group_is_deleted_the_next_lowest_gets_the_client(
    firm: World, size: int | None
) -> None:
    """At once and without a replay."""
    billed(firm)
    (project,) = firm.projects("prjKey")
    (client,) = firm.rows(AJERA, "AxVec", "vecKey")
    for _ in range(2):
        firm.insert(AJERA, "AxInvoiceGroup", igProject=project)
    firm.settle()
    assert firm.rows(AJERA, "AxInvoiceGroup", "igClient") == [
        client,
        None,
        None,
    ]
    firm.do(AJERA, 'DELETE FROM "AxInvoiceGroup" WHERE "igClient" IS NOT NULL')
    while firm.deliver(AJERA, size):
        pass
    firm.settle()
    assert firm.rows(AJERA, "AxInvoiceGroup", "igClient") == [client, None]
    replay(firm)
    assert firm.rows(AJERA, "AxInvoiceGroup", "igClient") == [client, None]
    assert firm.parked() == {}


def test_the_next_group_follows_also_when_the_delete_is_seen_by_a_write(
    firm: World,
) -> None:
    """The project gets its client in DPS before the delete was read."""
    firm.firm("A", "Hill")
    firm.project(DPS, "P-1", "Harbour")
    firm.settle()
    (project,) = firm.projects("prjKey")
    (client,) = firm.rows(AJERA, "AxVec", "vecKey")
    firm.insert(AJERA, "AxInvoiceGroup", igProject=project)
    firm.settle()
    firm.delete(
        AJERA,
        "AxInvoiceGroup",
        firm.rows(AJERA, "AxInvoiceGroup", "igKey")[0],
    )
    firm.edit(DPS, "PR", "P-1", ClientID="A")
    firm.deliver(DPS)
    firm.settle()
    assert firm.rows(AJERA, "AxInvoiceGroup", "igClient") == [client]


def test_the_next_group_follows_also_when_nobody_captured_the_delete(
    firm: World,
) -> None:
    """What is missing is found after the capture was made again."""
    billed(firm)
    (project,) = firm.projects("prjKey")
    (client,) = firm.rows(AJERA, "AxVec", "vecKey")
    firm.insert(AJERA, "AxInvoiceGroup", igProject=project)
    firm.settle()
    firm.do(AJERA, 'DELETE FROM "AxInvoiceGroup" WHERE "igClient" IS NOT NULL')
    after_a_gap(firm)
    firm.settle()
    assert firm.rows(AJERA, "AxInvoiceGroup", "igClient") == [client]


def test_a_group_that_is_given_to_another_project_takes_no_client_along(
    firm: World,
) -> None:
    """The next group of its old project gets that one's client."""
    billed(firm)
    (client,) = firm.rows(AJERA, "AxVec", "vecKey")
    (harbour,) = firm.projects("prjKey")
    firm.firm("B", "Vale")
    firm.settle()
    firm.project(DPS, "P-2", "Airport", ClientID="B")
    firm.insert(AJERA, "AxInvoiceGroup", igProject=harbour)
    firm.settle()
    (airport,) = {*firm.projects("prjKey")} - {harbour}
    firm.edit(
        AJERA,
        "AxInvoiceGroup",
        firm.rows(AJERA, "AxInvoiceGroup", "igKey")[0],
        igProject=airport,
    )
    firm.settle()
    vale = firm.do(
        AJERA,
        """SELECT "vecKey" FROM "AxVec" WHERE "vecDescription" = 'Vale'""",
    )
    groups = sorted(firm.rows(AJERA, "AxInvoiceGroup", "igProject", "igClient"))
    assert groups == sorted([(airport, client), (harbour, client), (airport, vale)])
    assert firm.parked() == {}


@AGAIN
def test_a_projects_contact_that_was_deleted_in_ajera_is_not_made_again(
    firm: World, again: Again
) -> None:
    """Nobody captures that table: it is found missing after a gap."""
    billed(firm)
    firm.do(AJERA, 'DELETE FROM "AxProjectContact"')
    after_a_gap(firm)
    assert {link.state for link in firm.links() if link.entity == "project_contact"} == {
        State.ENDED
    }
    again(firm)
    assert firm.rows(AJERA, "AxProjectContact", "pcKey") == []
    assert firm.parked() == {}
    firm.do(DPS, 'DELETE FROM "PRContactAssoc"')
    firm.settle()
    firm.insert(DPS, "PRContactAssoc", WBS1="P-1", ContactID="C", AjeraSync="Y")
    firm.settle()
    assert len(firm.rows(AJERA, "AxProjectContact", "pcKey")) == 1


# -- projects that are made again ------------------------------------------------------------------


@pytest.mark.parametrize("cascades", [True, False])
def test_a_project_that_is_made_again_gets_its_client_and_contacts(
    firm: World, cascades: bool
) -> None:
    """Whether what belonged to the old one was deleted with it or left behind;
    that is not written any more.
    """
    billed(firm)
    firm.do(AJERA, 'DELETE FROM "AxProject"')
    if cascades:
        firm.do(AJERA, 'DELETE FROM "AxInvoiceGroup"')
        firm.do(AJERA, 'DELETE FROM "AxProjectContact"')
    firm.settle()
    old = set(firm.rows(AJERA, "AxInvoiceGroup", "igKey"))
    firm.project(AJERA, 777, "HARBOUR")
    firm.settle()
    (client,) = firm.rows(AJERA, "AxVec", "vecKey")
    made = [
        row
        for row in firm.rows(AJERA, "AxInvoiceGroup", "igKey", "igProject", "igClient")
        if row[0] not in old
    ]
    assert [row[1:] for row in made] == [(777, client)]
    assert firm.rows(AJERA, "AxProjectContact", "pcProject")[-1] == 777
    before = counts(firm)
    replay(firm)
    assert counts(firm) == before


# -- rows that hang on no other --------------------------------------------------------------------


@pytest.mark.parametrize("side", list(Side))
def test_linking_once_more_makes_no_row_again_that_was_deleted(firm: World, side: Side) -> None:
    """`link` looks at rows without a pair; one whose counterpart was deleted had one."""
    addressed(firm)
    table, key = ("AxVec", "vecKey") if side is AJERA else ("Clendor", "ClientID")
    firm.do(side, f'DELETE FROM "{table}"')
    firm.settle()
    firm.command("link", "--yes")
    firm.settle()
    assert firm.rows(side, table, key) == []


# -- deaths ----------------------------------------------------------------------------------------


def test_the_next_group_gets_the_client_whenever_the_process_dies(
    firm: World,
) -> None:
    """At each commit of the batch with the delete, and of what follows."""
    for death in range(1, 12):
        firm.clear()
        billed(firm)
        (project,) = firm.projects("prjKey")
        (client,) = firm.rows(AJERA, "AxVec", "vecKey")
        firm.insert(AJERA, "AxInvoiceGroup", igProject=project)
        firm.settle()
        firm.do(
            AJERA,
            'DELETE FROM "AxInvoiceGroup" WHERE "igClient" IS NOT NULL',
        )
        die_at(firm, death)
        firm.settle()
        firm.wait()
        assert firm.rows(AJERA, "AxInvoiceGroup", "igClient") == [client], death
        assert firm.parked() == {}, death
