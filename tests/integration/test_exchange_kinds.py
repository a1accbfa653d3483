"""A row that stops being of its kind stops being exchanged; one that takes its place begins;
one that is both is parked.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from deploy.sample import agreement
from deploy.sample.naming import Naming
from pipeline.conflicts.link import State
from pipeline.conflicts.rules import Side
from pipeline.model.event import Event
from tests.support.outbox import World

AJERA, DPS = Side.AJERA, Side.DPS


def again(firm: World) -> None:
    """Everything is read again and tried again: nothing is written;
    and the judge of the demo is asked.
    """
    firm.settle()
    firm.wait()
    before = [len(firm.writes(side)) for side in Side]
    firm.rewind()
    firm.settle()
    firm.wait()
    assert [len(firm.writes(side)) for side in Side] == before
    assert agreement.compare(firm.ajera, firm.dps, Naming()) == []


def live(firm: World, entity: str) -> list[tuple[str | None, str | None]]:
    return [
        (one.ajera.key, one.dps.key)
        for one in firm.links()
        if one.entity == entity and one.state is State.LINKED
    ]


def deliver(firm: World, events: Sequence[Event], *, one_by_one: bool) -> None:
    for batch in [[event] for event in events] if one_by_one else [list(events)]:
        assert not firm.process(batch).halted
    for event in events:
        firm.next[event.table] = max(firm.next[event.table], event.place.offset + 1)


def new_events(firm: World, side: Side) -> list[Event]:
    firm.read_logs()
    return [event for event in firm.events[side] if event.place.offset >= firm.next[event.table]]


# -- addresses -------------------------------------------------------------------------------------
def two_addresses(firm: World) -> None:
    firm.client(1, "Hill")
    firm.firm("A", "Hill")
    firm.insert(
        DPS,
        "CLAddress",
        ClientID="A",
        Address="Main",
        PrimaryInd="Y",
        City="Oslo",
        ZIP="0001",
    )
    firm.insert(
        DPS,
        "CLAddress",
        ClientID="A",
        Address="HQ",
        PrimaryInd="N",
        City="Bergen",
        Address1="Quay 1",
    )
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecCity") == ["Oslo"]


def addresses(firm: World) -> dict[str, tuple[str | None, str | None]]:
    return {
        name: (city, code)
        for name, city, code in firm.rows(DPS, "CLAddress", "Address", "City", "ZIP")
    }


def primary(firm: World, address: str, value: str) -> None:
    firm.do(
        DPS,
        'UPDATE "CLAddress" SET "PrimaryInd" = %s WHERE "Address" = %s',
        value,
        address,
    )


@pytest.mark.parametrize("one_by_one", [True, False], ids=["one by one", "in one batch"])
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_ajeras_address_becomes_that_of_the_new_primary_one(
    firm: World, order: tuple[int, ...], one_by_one: bool
) -> None:
    """In whatever order and batches the two rows' events are read;
    the former one is exchanged no more.
    """
    two_addresses(firm)
    primary(firm, "Main", "N")
    primary(firm, "HQ", "Y")
    firm.do(
        DPS,
        """UPDATE "CLAddress" SET "City" = 'Tromsø' WHERE "Address" = 'Main'""",
    )
    events = new_events(firm, DPS)
    main, _, later = events
    chosen = [events[place] for place in order]
    if chosen.index(later) > chosen.index(main):  # events of one row keep their order
        deliver(firm, chosen, one_by_one=one_by_one)
    firm.settle()
    assert live(firm, "firm_address") == [("1", "A|HQ")]
    assert firm.rows(AJERA, "AxVec", "vecCity", "vecZip", "vecAddress1") == [
        ("Bergen", None, "Quay 1")
    ]
    firm.do(
        DPS,
        """UPDATE "CLAddress" SET "City" = 'Hammerfest' WHERE "Address" = 'Main'""",
    )
    firm.edit(AJERA, "AxVec", vecZip="5003")
    firm.settle()
    assert addresses(firm) == {
        "Main": ("Hammerfest", "0001"),
        "HQ": ("Bergen", "5003"),
    }
    assert firm.rows(AJERA, "AxVec", "vecCity") == ["Bergen"]
    again(firm)


def test_an_address_that_becomes_the_primary_one_again_is_exchanged_again(
    firm: World,
) -> None:
    """There and back, each in its own time, and with both ticked for a while."""
    two_addresses(firm)
    for former, new, city in (
        ("Main", "HQ", "Bergen"),
        ("HQ", "Main", "Oslo"),
        ("Main", "HQ", "Bergen"),
    ):
        primary(firm, new, "Y")
        firm.settle()
        assert live(firm, "firm_address") == [("1", f"A|{former}")]
        primary(firm, former, "N")
        firm.settle()
        assert live(firm, "firm_address") == [("1", f"A|{new}")]
        assert firm.rows(AJERA, "AxVec", "vecCity") == [city]
    for former, new, city in (
        ("HQ", "Main", "Oslo"),
        ("Main", "HQ", "Bergen"),
    ):
        primary(firm, former, "N")
        firm.settle()
        primary(firm, new, "Y")
        firm.settle()
        assert firm.rows(AJERA, "AxVec", "vecCity") == [city]
    again(firm)


def test_a_former_primary_address_is_not_written_though_its_event_has_not_come(
    firm: World,
) -> None:
    """What it holds is looked at where it is written; Ajera's newer edit goes to the new one."""
    two_addresses(firm)
    primary(firm, "Main", "N")
    primary(firm, "HQ", "Y")
    firm.edit(AJERA, "AxVec", vecCity="Narvik")
    firm.deliver(AJERA)
    assert addresses(firm) == {
        "Main": ("Oslo", "0001"),
        "HQ": ("Bergen", None),
    }
    firm.settle()
    assert addresses(firm) == {
        "Main": ("Oslo", "0001"),
        "HQ": ("Narvik", None),
    }
    assert firm.rows(AJERA, "AxVec", "vecCity") == ["Narvik"]
    again(firm)


def test_ajeras_edit_made_after_the_switch_is_not_replaced_by_it(
    firm: World,
) -> None:
    """Its event comes last."""
    two_addresses(firm)
    primary(firm, "Main", "N")
    primary(firm, "HQ", "Y")
    firm.edit(AJERA, "AxVec", vecCity="Narvik")
    firm.deliver(DPS)
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecCity", "vecAddress1") == [("Narvik", "Quay 1")]
    assert addresses(firm) == {
        "Main": ("Oslo", "0001"),
        "HQ": ("Narvik", None),
    }
    again(firm)


def test_without_a_primary_address_nothing_is_exchanged(
    firm: World,
) -> None:
    """What is typed meanwhile is carried over once there is one again."""
    two_addresses(firm)
    primary(firm, "Main", "N")
    firm.settle()
    firm.edit(AJERA, "AxVec", vecZip="0002")
    firm.do(
        DPS,
        """UPDATE "CLAddress" SET "City" = 'Moss' WHERE "Address" = 'Main'""",
    )
    firm.settle()
    assert addresses(firm)["Main"] == ("Moss", "0001")
    assert firm.rows(AJERA, "AxVec", "vecCity", "vecZip") == [("Oslo", "0002")]
    again(firm)
    primary(firm, "Main", "Y")
    firm.settle()
    assert addresses(firm)["Main"] == ("Moss", "0002")
    assert firm.rows(AJERA, "AxVec", "vecCity", "vecZip") == [("Moss", "0002")]
    again(firm)


# -- firms, employees, projects --------------------------------------------------------------------
def test_a_firm_that_became_vendor_only_renames_the_client_no_more(
    firm: World,
) -> None:
    """Nor does its address; once it is a client again, what was typed meanwhile is carried over."""
    two_addresses(firm)
    firm.edit(DPS, "Clendor", ClientInd="N", VendorInd="Y")
    firm.settle()
    assert [kind for kind, _, _ in firm.conflicts()] == ["suspended"]
    firm.edit(DPS, "Clendor", Name="Hill Supplies")
    firm.do(
        DPS,
        """UPDATE "CLAddress" SET "City" = 'Moss' WHERE "Address" = 'Main'""",
    )
    firm.edit(AJERA, "AxVec", vecWebsite="hill.example", vecZip="0002")
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecDescription", "vecCity") == [("Hill", "Oslo")]
    assert firm.rows(DPS, "Clendor", "Name", "WebSite") == [("Hill Supplies", None)]
    assert addresses(firm)["Main"] == ("Moss", "0001")
    again(firm)
    firm.edit(DPS, "Clendor", ClientInd="Y", VendorInd="N")
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecDescription", "vecCity") == [("Hill Supplies", "Moss")]
    assert firm.rows(DPS, "Clendor", "Name", "WebSite") == [("Hill Supplies", "hill.example")]
    assert addresses(firm)["Main"] == ("Moss", "0002")
    again(firm)


@pytest.mark.parametrize("new_first", [True, False])
def test_the_firm_that_takes_the_place_of_one_that_became_vendor_only_is_linked(
    firm: World, new_first: bool
) -> None:
    """Client and vendor of one company are two firms in DPS: somebody made two of one."""
    two_addresses(firm)
    firm.edit(DPS, "Clendor", ClientInd="N", VendorInd="Y")
    firm.firm("B", "Hill")
    events = new_events(firm, DPS)
    deliver(firm, events[::-1] if new_first else events, one_by_one=True)
    firm.settle()
    assert live(firm, "firm") == [("1", "B")]
    assert firm.rows(AJERA, "AxVec", "vecKey") == [1]
    firm.edit(DPS, "Clendor", "A", Name="Hill Supplies")
    firm.edit(DPS, "Clendor", "B", Name="Hill & Co")
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecDescription") == ["Hill & Co"]
    again(firm)


@pytest.mark.parametrize(
    ("column", "gone", "table", "dps_column"),
    [
        ("vecIsClient", False, "Clendor", "Name"),
        ("vecIsEmployee", False, "EM", "LastName"),
    ],
)
def test_a_row_of_ajera_that_is_not_of_its_kind_any_more_is_left_alone(
    firm: World, column: str, gone: object, table: str, dps_column: str
) -> None:
    """Neither side is written; when it is of its kind again it goes on."""
    name = "vecDescription" if table == "Clendor" else "vecLastName"
    firm.insert(
        AJERA,
        "AxVec",
        **{"vecKey": 1, name: "Hill", column: True, "vecSyncToCRM": True},
    )
    firm.settle()
    firm.edit(AJERA, "AxVec", **{column: gone})
    firm.settle()
    firm.edit(AJERA, "AxVec", **{name: "Hills"})
    firm.settle()
    assert firm.rows(DPS, table, dps_column) == ["Hill"]
    firm.edit(AJERA, "AxVec", **{column: True})
    firm.settle()
    assert firm.rows(DPS, table, dps_column) == ["Hills"]
    again(firm)


def test_a_project_that_became_a_phase_is_exchanged_no_more_and_nor_is_its_client(
    firm: World,
) -> None:
    """Phases are not exchanged."""
    for key, name in ((1, "Hill"), (2, "Vale")):
        firm.client(key, name)
        firm.firm("AB"[key - 1], name)
    firm.project(AJERA, 1, "Harbour")
    firm.project(DPS, "P-1", "Harbour")
    firm.settle()
    firm.edit(AJERA, "AxProject", prjProject=99)
    firm.insert(AJERA, "AxInvoiceGroup", igKey=50, igProject=1)
    firm.settle()
    firm.edit(DPS, "PR", Name="Harbour Hall", ClientID="A")
    firm.settle()
    assert firm.rows(AJERA, "AxProject", "prjDescription") == ["Harbour"]
    assert firm.rows(AJERA, "AxInvoiceGroup", "igClient") == [None]
    again(firm)
    firm.edit(AJERA, "AxProject", prjProject=None)
    firm.settle()
    assert firm.rows(AJERA, "AxProject", "prjDescription") == ["Harbour Hall"]
    again(firm)


# -- client and vendor -----------------------------------------------------------------------------
def consultants(firm: World) -> None:
    firm.do(AJERA, """DELETE FROM "AxVendorType" """)
    firm.insert(
        AJERA,
        "AxVendorType",
        vtKey=1,
        vtDescription="Consultant",
        vtIsConsultant=True,
    )
    firm.restart()


def vendor(firm: World, key: int, name: str, **others: object) -> None:
    firm.client(
        key,
        name,
        vecIsClient=False,
        vecIsVendor=True,
        vecVendorType=1,
        vecSyncToCRM=False,
        **others,
    )


@pytest.mark.parametrize("first", list(Side))
def test_a_firm_that_is_client_and_vendor_in_dps_belongs_to_the_clients_map_alone(
    firm: World, first: Side
) -> None:
    """Ajera's vendor of that name waits, with what to do; nothing of the client's is undone."""
    consultants(firm)
    vendor(firm, 2, "Soil Lab", vecWebsite="vendor.example")
    firm.client(1, "Soil Lab")
    firm.firm("A", "Soil Lab", VendorInd="Y")
    firm.deliver(first)
    firm.settle()
    assert live(firm, "firm") == [("1", "A")]
    assert live(firm, "vendor") == []
    assert firm.parked() == {"vendor/ajera/2": "exchange.client_and_vendor"}
    firm.edit(AJERA, "AxVec", 2, vecDescription="Soil Laboratory")
    firm.edit(DPS, "Clendor", Name="Soil & Rock", WebSite="client.example")
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecDescription", "vecWebsite")[0] == (
        "Soil & Rock",
        "client.example",
    )
    assert firm.do(DPS, 'SELECT "Name" FROM "Clendor" WHERE "ClientID" = %s', "A") == "Soil & Rock"
    again(firm)


def test_a_vendor_that_waits_for_two_firms_goes_on_once_there_are_two(
    firm: World,
) -> None:
    """One of its own is linked; without one, and the client no vendor any more, one is made."""
    consultants(firm)
    vendor(firm, 2, "Soil Lab")
    vendor(firm, 3, "Wood Lab")
    for key, name in ((4, "Soil Lab"), (5, "Wood Lab")):
        firm.client(key, name)
        firm.firm(str(key), name, VendorInd="Y")
    firm.settle()
    firm.firm("V", "Soil Lab", ClientInd="N", VendorInd="Y")
    firm.edit(DPS, "Clendor", "5", VendorInd="N")
    firm.settle()
    firm.wait()
    assert firm.parked() == {}
    assert ("2", "V") in live(firm, "vendor")
    assert sorted(firm.rows(DPS, "Clendor", "Name", "ClientInd", "VendorInd")) == [
        ("Soil Lab", "N", "Y"),
        ("Soil Lab", "Y", "Y"),
        ("Wood Lab", "N", "Y"),
        ("Wood Lab", "Y", "N"),
    ]
    again(firm)


def test_a_vendors_firm_that_becomes_a_client_too_is_exchanged_as_a_client_alone(
    firm: World,
) -> None:
    """In DPS, with the flag ticked: the vendor's pair is
    suspended until it is no client any more.
    """
    consultants(firm)
    vendor(firm, 2, "Soil Lab")
    firm.settle()
    ((_, key),) = live(firm, "vendor")
    firm.edit(DPS, "Clendor", ClientInd="Y", AjeraSync="Y")
    firm.settle()
    firm.edit(AJERA, "AxVec", 2, vecDescription="Soil Laboratory")
    firm.edit(DPS, "Clendor", Name="Soil & Rock")
    firm.settle()
    assert firm.rows(DPS, "Clendor", "Name") == ["Soil & Rock"]
    (client,) = [one for one, other in live(firm, "firm") if other == key]
    assert client != "2"
    assert (
        firm.do(
            AJERA,
            'SELECT "vecDescription" FROM "AxVec" WHERE "vecKey" = %s',
            client,
        )
        == "Soil & Rock"
    )
    again(firm)
    firm.edit(DPS, "Clendor", ClientInd="N")
    firm.settle()
    assert firm.rows(DPS, "Clendor", "Name") == ["Soil Laboratory"]
    again(firm)
