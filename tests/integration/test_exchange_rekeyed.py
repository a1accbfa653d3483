"""A row is deleted and made again under another key, and the create is read before the delete:
one counterpart, of the new row.
"""

from __future__ import annotations

import pytest

from pipeline.conflicts.link import State
from pipeline.conflicts.rules import Side
from tests.support.outbox import KEYS, World

AJERA, DPS = Side.AJERA, Side.DPS


@pytest.fixture
def firm(made: World) -> World:
    made.clear()
    made.restart_with(contact=5, project_contact=5)
    return made


def rekey(firm: World, side: Side, table: str, old: object, new: object) -> None:
    """In one transaction, the new row first: its event stands before that of the delete."""
    connection = firm.connection(side)
    (row,) = connection.execute(
        f'SELECT to_jsonb(t) FROM "{table}" t WHERE "{KEYS[table]}" = %s',
        (old,),
    ).fetchone() or ({},)
    with connection.transaction():
        firm.insert(side, table, **{**row, KEYS[table]: new})
        if table == "Clendor":
            firm.do(
                side,
                'UPDATE "CLAddress" SET "ClientID" = %s WHERE "ClientID" = %s',
                new,
                old,
            )
        firm.delete(side, table, old)


def deliver(firm: World, side: Side, count: int | None) -> None:
    """In batches of so many events, all in one for None; then until nothing happens any more,
    and once more from the start.
    """
    while firm.deliver(side, count):
        pass
    firm.settle()
    firm.wait()
    firm.rewind()
    firm.settle()
    firm.wait()


def linked(firm: World, entity: str) -> list[tuple[str | None, str | None]]:
    return [
        (one.ajera.key, one.dps.key)
        for one in firm.links()
        if one.entity == entity and one.state is State.LINKED
    ]


@pytest.mark.parametrize("count", [1, None], ids=["one by one", "in one batch"])
def test_a_firm_under_a_new_key_in_dps_keeps_its_counterpart(
    firm: World, count: int | None
) -> None:
    """The key conversion of DPS: firm and address; what is typed afterwards goes over."""
    firm.client(1, "Hill", vecCity="Oslo")
    firm.settle()
    (old,) = firm.rows(DPS, "Clendor", "ClientID")
    rekey(firm, DPS, "Clendor", old, "NEW")
    deliver(firm, DPS, count)
    assert firm.rows(AJERA, "AxVec", "vecKey", "vecDescription") == [(1, "Hill")]
    assert firm.rows(DPS, "Clendor", "ClientID") == ["NEW"]
    assert linked(firm, "firm") == [("1", "NEW")]
    assert [one for one, _ in linked(firm, "firm_address")] == ["1"]
    firm.edit(AJERA, "AxVec", vecDescription="Hills", vecCity="Rome")
    firm.settle()
    assert firm.rows(DPS, "Clendor", "Name") + firm.rows(DPS, "CLAddress", "City") == [
        "Hills",
        "Rome",
    ]
    assert firm.parked() == {}


@pytest.mark.parametrize("count", [1, None], ids=["one by one", "in one batch"])
def test_a_client_that_was_typed_again_in_ajera_keeps_its_counterpart(
    firm: World, count: int | None
) -> None:
    """Under the next key."""
    firm.client(1, "Hill", vecCity="Oslo")
    firm.settle()
    (key,) = firm.rows(DPS, "Clendor", "ClientID")
    rekey(firm, AJERA, "AxVec", 1, 2)
    deliver(firm, AJERA, count)
    assert linked(firm, "firm") == [("2", key)]
    assert firm.rows(AJERA, "AxVec", "vecKey") == [2]
    firm.edit(DPS, "CLAddress", City="Rome")
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecCity") == ["Rome"]
    assert len(firm.rows(DPS, "CLAddress", "City")) == 1
    assert firm.parked() == {}


@pytest.mark.parametrize("side", Side)
def test_a_namesake_of_a_row_that_is_there_is_a_row_of_its_own(firm: World, side: Side) -> None:
    """Its pair goes on, and the new row gets a counterpart of its own."""
    firm.client(1, "Hill")
    firm.settle()
    before = linked(firm, "firm")
    if side is AJERA:
        firm.client(2, "Hill")
    else:
        firm.firm("F2", "Hill")
    firm.settle()
    assert len(linked(firm, "firm")) == 2
    assert before[0] in linked(firm, "firm")


@pytest.mark.parametrize("count", [1, None], ids=["one by one", "in one batch"])
def test_five_contacts_under_new_keys_keep_their_counterparts(
    firm: World, count: int | None
) -> None:
    """The pairs that have ended make room for those that begin."""
    firm.firm("F", "Hill")
    for number in range(5):
        firm.contact(DPS, f"C{number}", f"Moe {number}", ClientID="F")
    firm.settle()
    before = dict(firm.rows(AJERA, "AxContact", "cntLastName", "cntKey"))
    assert len(before) == 5
    for number in range(5):
        rekey(firm, DPS, "Contacts", f"C{number}", f"N{number}")
    while firm.deliver(DPS, count):
        assert firm.parked() == {}
    deliver(firm, DPS, count)
    assert dict(firm.rows(AJERA, "AxContact", "cntLastName", "cntKey")) == before
    assert sorted(key or "" for _, key in linked(firm, "contact")) == [
        f"N{number}" for number in range(5)
    ]
    assert firm.parked() == {}


@pytest.mark.parametrize("count", [1, None], ids=["one by one", "in one batch"])
def test_a_project_under_a_new_number_keeps_its_counterpart_its_client_and_its_contact(
    firm: World, count: int | None
) -> None:
    """What hangs on it follows."""
    firm.firm("F", "Hill")
    firm.contact(DPS, "C", "Moe")
    firm.project(DPS, "P-1", "Harbour", ClientID="F")
    firm.insert(DPS, "PRContactAssoc", WBS1="P-1", ContactID="C", AjeraSync="Y")
    firm.settle()
    before = [firm.rows(AJERA, table, column) for table, column in PROJECT]
    rekey(firm, DPS, "PR", "P-1", "P-2")
    firm.do(DPS, """DELETE FROM "PRContactAssoc" """)
    firm.insert(DPS, "PRContactAssoc", WBS1="P-2", ContactID="C", AjeraSync="Y")
    deliver(firm, DPS, count)
    assert [firm.rows(AJERA, table, column) for table, column in PROJECT] == before
    assert [key for _, key in linked(firm, "project")] == ["P-2| | "]
    assert firm.parked() == {}


PROJECT = (
    ("AxProject", "prjKey"),
    ("AxInvoiceGroup", "igKey"),
    ("AxInvoiceGroup", "igClient"),
    ("AxProjectContact", "pcKey"),
)
