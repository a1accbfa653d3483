"""At a first link a blank wipes nothing, whoever sends or owns the line;
and who is billed is never replaced.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from deploy.sample import agreement
from deploy.sample.naming import Naming
from pipeline.conflicts.first import FirstLinkPolicy
from pipeline.conflicts.rules import Side
from tests.support.outbox import World

AJERA, DPS = Side.AJERA, Side.DPS
BOTH_ORDERS = pytest.mark.parametrize("first", [AJERA, DPS], ids=["ajera first", "dps first"])


def again(firm: World) -> None:
    """Everything is read again, and tried again; and the judge of the demo is asked."""
    firm.wait()
    firm.rewind()
    firm.settle()
    assert agreement.compare(firm.ajera, firm.dps, Naming()) == []


def two_clients(firm: World) -> None:
    for key, name in ((1, "Hill"), (2, "Vale")):
        firm.client(key, name)
        firm.firm("AB"[key - 1], name)


def billed(firm: World, in_ajera: int | None, in_dps: str | None, **others: object) -> None:
    """A project that both sides have, each with its client."""
    firm.project(AJERA, 5, "Harbour")
    firm.insert(AJERA, "AxInvoiceGroup", igKey=50, igProject=5, igClient=in_ajera)
    firm.project(DPS, "P-1", "Harbour", ClientID=in_dps, **others)


def types(firm: World) -> None:
    """One entry in each list of types on both sides."""
    for ajera, key, dps in (
        ("AxClientType", "ct", "CFGClientTypeDescriptions"),
        ("AxProjectType", "pt", "CFGProjectTypeDescriptions"),
    ):
        firm.do(AJERA, f'DELETE FROM "{ajera}"')
        firm.do(DPS, f'DELETE FROM "{dps}"')
        firm.insert(AJERA, ajera, **{f"{key}Key": 3, f"{key}Description": "Public"})
        firm.insert(DPS, dps, Code="PU", Description="Public")
    firm.restart()


# -- blanks ----------------------------------------------------------------------------------------
@BOTH_ORDERS
def test_employees_keep_their_mail_and_phone_in_dps_where_ajera_has_none(
    firm: World, first: Side
) -> None:
    """Ajera owns them, and has nothing to say; what it does have is carried over."""
    firm.insert(
        AJERA,
        "AxVec",
        vecKey=7,
        vecFirstName="Kari",
        vecLastName="Berg",
        vecIsEmployee=True,
    )
    firm.insert(
        DPS,
        "EM",
        Employee="001",
        FirstName="Kari",
        LastName="Berg",
        EMail="kari@x.example",
        HomePhone="1",
    )
    firm.deliver(first)
    firm.settle()
    assert firm.rows(DPS, "EM", "EMail", "HomePhone") == [("kari@x.example", "1")]
    assert [entry for entry in firm.conflicts() if entry[1] in ("email", "phone")] == [
        ("first_link", "email", "dps"),
        ("first_link", "phone", "dps"),
    ]
    again(firm)
    firm.edit(DPS, "EM", HomePhone="2")
    firm.settle()
    assert firm.rows(DPS, "EM", "EMail", "HomePhone") == [("kari@x.example", "2")]
    again(firm)
    firm.edit(AJERA, "AxVec", vecPhone1="3")
    firm.settle()
    assert firm.rows(DPS, "EM", "HomePhone") == ["3"]
    firm.edit(AJERA, "AxVec", vecPhone1=None)
    firm.settle()
    assert firm.rows(DPS, "EM", "EMail", "HomePhone") == [("kari@x.example", None)]
    again(firm)


@BOTH_ORDERS
def test_types_of_one_side_fill_the_blank_ones_of_the_other(firm: World, first: Side) -> None:
    """DPS owns the client's type, Ajera the project's, and each of them is blank there."""
    types(firm)
    firm.client(1, "Hill", vecClientType=3)
    firm.firm("A", "Hill", Type=None)
    firm.project(AJERA, 5, "Harbour", prjProjectType=None, prjCreateInCRM=False)
    firm.project(DPS, "P-1", "Harbour", ProjectType="PU")
    firm.deliver(first)
    firm.settle()
    assert firm.rows(DPS, "Clendor", "Type") + firm.rows(AJERA, "AxVec", "vecClientType") == [
        "PU",
        3,
    ]
    assert firm.rows(DPS, "PR", "ProjectType") + firm.projects("prjProjectType") == ["PU", 3]
    again(firm)


def test_the_chance_and_disposition_in_ajera_stay_where_dps_has_none(
    firm: World,
) -> None:
    """They come from DPS, where nobody has said anything yet; a stage that is not final is none."""
    firm.project(
        AJERA,
        5,
        "Harbour",
        prjChanceOfWinning=50,
        prjFinalDisposition="Lost",
        prjCreateInCRM=False,
    )
    firm.project(DPS, "P-1", "Harbour", Probability=None, Stage="Lead")
    firm.settle()
    assert firm.projects("prjChanceOfWinning", "prjFinalDisposition") == [(50, "Lost")]
    assert {entry for entry in firm.conflicts() if entry[1] in ("chance", "disposition")} == {
        ("first_link", "chance", "ajera"),
        ("first_link", "disposition", "ajera"),
    }
    again(firm)
    firm.edit(DPS, "PR", Probability=80, Stage="Won")
    firm.settle()
    assert firm.projects("prjChanceOfWinning", "prjFinalDisposition") == [(80, "Won")]


def test_what_stayed_at_a_first_link_can_be_reversed(firm: World) -> None:
    """Then the blank wins after all: a person said so."""
    firm.insert(
        AJERA,
        "AxVec",
        vecKey=7,
        vecFirstName="Kari",
        vecLastName="Berg",
        vecIsEmployee=True,
    )
    firm.insert(
        DPS,
        "EM",
        Employee="001",
        FirstName="Kari",
        LastName="Berg",
        HomePhone="1",
    )
    firm.settle()
    (number,) = firm.dps.execute(
        "SELECT number FROM sync.conflict WHERE line = 'phone'"
    ).fetchone() or (0,)
    firm.command("conflicts", "reverse", str(number))
    assert firm.rows(DPS, "EM", "HomePhone") == [None]
    firm.settle()
    again(firm)


# -- who is billed ---------------------------------------------------------------------------------
@BOTH_ORDERS
def test_the_client_of_a_project_stays_in_ajera_where_dps_has_none(
    firm: World, first: Side
) -> None:
    """The sender's blank is nobody's decision; it is logged."""
    two_clients(firm)
    billed(firm, 1, None)
    firm.deliver(first)
    firm.settle()
    assert firm.rows(AJERA, "AxInvoiceGroup", "igClient") == [1]
    assert firm.logged("client") == [(1, None)]
    assert [entry for entry in firm.conflicts() if entry[1] == "client"] == [
        ("first_link", "client", "ajera")
    ]
    again(firm)


@pytest.mark.parametrize("prefers", [None, DPS], ids=["park", "dps"])
def test_two_clients_of_one_project_are_left_to_a_person(firm: World, prefers: Side | None) -> None:
    """Whoever is preferred; what is decided is carried out, and stays."""
    firm.setup = replace(firm.setup, policy=FirstLinkPolicy(prefers=prefers))
    firm.restart()
    two_clients(firm)
    billed(firm, 1, "B")
    firm.settle()
    again(firm)
    assert firm.rows(AJERA, "AxInvoiceGroup", "igClient") == [1]
    assert firm.rows(DPS, "PR", "ClientID") == ["B"]
    assert firm.logged("client") == [(1, "B")]
    (link,) = [link for link in firm.links() if link.entity == "project_client"]
    assert set(link.parked) == {"client"}
    firm.command("conflicts", "resolve", link.id, "client", "--take", "dps")
    assert firm.rows(AJERA, "AxInvoiceGroup", "igClient") == [2]
    firm.settle()
    again(firm)
    assert not any(
        link.parked or link.ajera.has_pending_edits or link.dps.has_pending_edits
        for link in firm.links()
    )
    assert firm.rows(AJERA, "AxInvoiceGroup", "igClient") == [2]


def test_a_blank_client_is_filled_once_and_a_later_change_in_dps_is_left_to_a_person(
    firm: World,
) -> None:
    """Neither another client nor none replaces the one that is billed."""
    two_clients(firm)
    billed(firm, None, "A")
    firm.settle()
    assert firm.rows(AJERA, "AxInvoiceGroup", "igClient") == [1]
    for client in ("B", None):
        firm.edit(DPS, "PR", ClientID=client)
        firm.settle()
        again(firm)
        assert firm.rows(AJERA, "AxInvoiceGroup", "igClient") == [1]
        assert firm.conflicts()[-1] == ("filled_already", "client", None)
    firm.edit(DPS, "PR", ClientID="A")
    firm.settle()
    again(firm)
    assert not any(link.parked or link.dps.has_pending_edits for link in firm.links())


def waiting_client(firm: World) -> None:
    """Hill is linked. Two firms in DPS are called like the other client, so that neither is,
    until one is renamed.
    """
    two_clients(firm)
    firm.firm("C", "Vale")


def test_a_client_that_is_linked_later_replaces_nobody(firm: World) -> None:
    """The pair of the project began while DPS's client was not linked yet."""
    waiting_client(firm)
    billed(firm, 1, "B")
    firm.settle()
    firm.edit(DPS, "Clendor", "C", Name="Dale")
    firm.settle()
    again(firm)
    assert firm.rows(AJERA, "AxInvoiceGroup", "igClient") == [1]
    assert [set(link.parked) for link in firm.links() if link.entity == "project_client"] == [
        {"client"}
    ]


def test_a_client_filled_in_ajera_while_dps_waited_is_not_replaced(
    firm: World,
) -> None:
    """Nobody's event of DPS's project comes any more when its client is linked."""
    waiting_client(firm)
    billed(firm, None, "B")
    firm.settle()
    firm.edit(AJERA, "AxInvoiceGroup", igClient=1)
    firm.settle()
    firm.edit(DPS, "Clendor", "C", Name="Dale")
    firm.settle()
    again(firm)
    assert firm.rows(AJERA, "AxInvoiceGroup", "igClient") == [1]
    assert [set(link.parked) for link in firm.links() if link.entity == "project_client"] == [
        {"client"}
    ]
