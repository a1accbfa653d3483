"""Rows of DPS that only receive: where a name is not enough, the row of Ajera waits;
theirs does not wait beside it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.conflicts.link import State
from pipeline.conflicts.rules import Side
from tests.support.outbox import World

AJERA, DPS = Side.AJERA, Side.DPS


def replay(firm: World) -> None:
    """Everything is read again from the beginning."""
    firm.rewind()
    firm.settle()
    firm.wait()


def replay_dps_first(firm: World) -> None:
    """The same, row by row, all of DPS before Ajera."""
    firm.rewind()
    for side in (DPS, AJERA):
        while firm.deliver(side, 1):
            pass
    firm.settle()
    firm.wait()


def capture_again(firm: World) -> None:
    """Both captures are made again: every row that is there is read."""
    for side in Side:
        firm.capture_again(side)
    firm.settle()
    firm.wait()


AGAIN = pytest.mark.parametrize("again", [replay, replay_dps_first, capture_again])
Again = Callable[[World], None]


def employee(firm: World, key: int) -> None:
    firm.insert(
        AJERA,
        "AxVec",
        vecKey=key,
        vecFirstName="Ann",
        vecLastName="Lee",
        vecIsEmployee=True,
    )


def in_dps(firm: World, key: str) -> None:
    firm.insert(DPS, "EM", Employee=key, FirstName="Ann", LastName="Lee", Status="A")


def consultant(firm: World, key: int) -> None:
    firm.insert(
        AJERA,
        "AxVec",
        vecKey=key,
        vecDescription="Soil",
        vecIsVendor=True,
        vecVendorType=7,
    )


def vendor_in_dps(firm: World, key: str) -> None:
    firm.firm(key, "Soil", ClientInd="N", VendorInd="Y")


KINDS = pytest.mark.parametrize(
    ("entity", "begin", "type_in_dps", "table"),
    [
        ("employee", employee, in_dps, "EM"),
        ("vendor", consultant, vendor_in_dps, "Clendor"),
    ],
    ids=["employees", "vendors"],
)
COLUMNS = {"EM": ("Employee", "LastName", "EMail"), "Clendor": ("ClientID", "Name", "WebSite")}
Begin = Callable[[World, int], None]
Typed = Callable[[World, str], None]


def linked(firm: World, entity: str) -> list[tuple[str | None, str | None]]:
    """Pairs that have not ended."""
    return [
        (link.ajera.key, link.dps.key)
        for link in firm.links()
        if link.entity == entity and link.state is State.LINKED
    ]


@pytest.fixture(autouse=True)
def types(firm: World) -> None:
    """A vendor type that is a consultant's."""
    firm.do(AJERA, 'DELETE FROM "AxVendorType"')
    firm.insert(
        AJERA,
        "AxVendorType",
        vtKey=7,
        vtDescription="Consultant",
        vtIsConsultant=True,
    )


@KINDS
@AGAIN
def test_of_namesakes_in_dps_none_is_parked_beside_the_row_that_waits(
    firm: World,
    entity: str,
    begin: Begin,
    type_in_dps: Typed,
    table: str,
    again: Again,
) -> None:
    """Read before it or after, or once more; when one of the two goes,
    it is linked and nothing waits.
    """
    type_in_dps(firm, "X1")
    firm.settle()
    type_in_dps(firm, "X2")
    firm.settle()
    begin(firm, 3)
    firm.settle()
    firm.wait()
    waiting = {f"{entity}/ajera/3": "exchange.ambiguous_match"}
    assert firm.parked() == waiting
    again(firm)
    assert firm.parked() == waiting
    firm.delete(DPS, table, "X1")
    firm.settle()
    firm.wait()
    assert firm.parked() == {}
    assert [(link.ajera.key, link.dps.key) for link in firm.links() if link.entity == entity] == [
        ("3", "X2")
    ]


@KINDS
@AGAIN
def test_namesakes_in_dps_do_not_wait_for_one_whose_counterpart_was_deleted(
    firm: World,
    entity: str,
    begin: Begin,
    type_in_dps: Typed,
    table: str,
    again: Again,
) -> None:
    """They were there beside it, and are nobody's new row: once parked they would wait for ever."""
    begin(firm, 1)
    firm.settle()
    type_in_dps(firm, "X1")
    type_in_dps(firm, "X2")
    firm.settle()
    (made,) = (link.dps.key for link in firm.links() if link.entity == entity)
    firm.delete(DPS, table, made)
    firm.settle()
    firm.wait()
    assert firm.parked() == {}
    again(firm)
    assert firm.parked() == {}


@KINDS
def test_a_row_typed_after_the_deletes_of_two_namesakes_waits_for_a_person(
    firm: World, entity: str, begin: Begin, type_in_dps: Typed, table: str
) -> None:
    """Nobody else would say that it may be either's; when one of the two goes, it is linked."""
    begin(firm, 1)
    begin(firm, 2)
    firm.settle()
    for key in [link.dps.key for link in firm.links() if link.entity == entity]:
        firm.delete(DPS, table, key)
    firm.settle()
    type_in_dps(firm, "X1")
    firm.settle()
    waiting = {f"{entity}/dps/X1": "exchange.ambiguous_match"}
    assert firm.parked() == waiting
    firm.wait()
    replay(firm)
    assert firm.parked() == waiting
    firm.delete(AJERA, "AxVec", 1)
    firm.settle()
    firm.wait()
    assert firm.parked() == {}
    assert ("2", "X1") in {(link.ajera.key, link.dps.key) for link in firm.links()}


@KINDS
@AGAIN
def test_a_namesake_that_stood_alone_does_not_get_the_row_whose_counterpart_was_deleted(
    firm: World,
    entity: str,
    begin: Begin,
    type_in_dps: Typed,
    table: str,
    again: Again,
) -> None:
    """Nobody asked for its values to be replaced: it is linked no more by a replay than before."""
    begin(firm, 1)
    firm.settle()
    type_in_dps(firm, "X2")
    firm.settle()
    (made,) = (link.dps.key for link in firm.links() if link.entity == entity)
    firm.delete(DPS, table, made)
    firm.settle()
    before = firm.rows(DPS, table, *COLUMNS[table])
    again(firm)
    assert linked(firm, entity) == []
    assert firm.rows(DPS, table, *COLUMNS[table]) == before
    assert firm.parked() == {}


@KINDS
def test_it_gets_that_row_once_somebody_edits_it(
    firm: World,
    entity: str,
    begin: Begin,
    type_in_dps: Typed,
    table: str,
) -> None:
    """As it would have before the replay."""
    begin(firm, 1)
    firm.settle()
    type_in_dps(firm, "X2")
    firm.settle()
    (made,) = (link.dps.key for link in firm.links() if link.entity == entity)
    firm.delete(DPS, table, made)
    firm.settle()
    replay(firm)
    firm.edit(DPS, table, "X2", Status="I")
    firm.settle()
    assert linked(firm, entity) == [("1", "X2")]
    replay(firm)
    assert linked(firm, entity) == [("1", "X2")]


@AGAIN
def test_a_project_of_ajera_that_is_not_created_in_dps_is_not_linked_by_a_replay_either(
    firm: World, again: Again
) -> None:
    """The same on the other side: Sync to CRM without Create in CRM."""
    firm.project(AJERA, 1, "Harbour", prjID="P-1")
    firm.settle()
    firm.project(AJERA, 2, "Harbour", prjCreateInCRM=False)
    firm.settle()
    firm.delete(AJERA, "AxProject", 1)
    firm.settle()
    assert linked(firm, "project") == []
    firm.do(DPS, """UPDATE "PR" SET "AjeraSync" = 'N'""")
    firm.settle()
    again(firm)
    assert linked(firm, "project") == []
    firm.edit(AJERA, "AxProject", 2, prjCreateInCRM=True)
    firm.settle()
    assert linked(firm, "project") == [("2", "P-1| | ")]
