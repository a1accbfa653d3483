"""A firm chooses which employees and consultants go to DPS: all, those in use, or none; those long gone need not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.local.stack import Stack
from pipeline.conflicts.rules import Side
from pipeline.domain.choice import CONSULTANTS, EMPLOYEES, Choice
from tests.support.outbox import World, world

AJERA, DPS = Side.AJERA, Side.DPS


@pytest.fixture
def active(postgres: Stack) -> Iterator[World]:
    """Only those in use."""
    with world(postgres, choices={EMPLOYEES: Choice.ACTIVE, CONSULTANTS: Choice.ACTIVE}) as made:
        made.insert(AJERA, "AxVendorType", vtKey=1, vtDescription="Consultant", vtIsConsultant=True)
        made.restart()
        yield made


@pytest.fixture
def none(postgres: Stack) -> Iterator[World]:
    """Nobody."""
    with world(postgres, choices={EMPLOYEES: Choice.NONE, CONSULTANTS: Choice.NONE}) as made:
        yield made


def employee(firm: World, key: int, name: str, status: int | None) -> None:
    firm.insert(AJERA, "AxVec", vecKey=key, vecLastName=name, vecIsEmployee=True, vecStatus=status)


def consultant(firm: World, key: int, name: str, status: int | None) -> None:
    kind = {"vecIsVendor": True, "vecVendorType": 1}
    firm.insert(AJERA, "AxVec", vecKey=key, vecDescription=name, vecStatus=status, **kind)


def test_only_those_in_use_go_to_dps(active: World) -> None:
    """A row without a status is in use; one that comes back into use follows."""
    for key, (name, status) in enumerate((("Here", 1), ("Unsaid", None), ("Gone", 0))):
        employee(active, 10 + key, name, status)
        consultant(active, 20 + key, f"{name} Ltd", status)
    active.settle()
    assert sorted(active.rows(DPS, "EM", "LastName")) == ["Here", "Unsaid"]
    assert sorted(active.rows(DPS, "Clendor", "Name")) == ["Here Ltd", "Unsaid Ltd"]
    active.edit(AJERA, "AxVec", 12, vecStatus=1)
    active.edit(AJERA, "AxVec", 22, vecStatus=1)
    active.settle()
    assert "Gone" in active.rows(DPS, "EM", "LastName")
    assert "Gone Ltd" in active.rows(DPS, "Clendor", "Name")
    assert active.parked() == {}


@pytest.mark.parametrize("first", [AJERA, DPS])
def test_one_that_is_gone_is_not_linked_with_a_namesake_from_either_side(active: World, first: Side) -> None:
    """Nor does it stand in the way of the one that is here."""
    employee(active, 10, "Berg", 0)
    active.insert(DPS, "EM", Employee="001", LastName="BERG", EMail="dps@berg.example")
    active.deliver(first)
    active.settle()
    assert active.links() == []
    assert active.writes(DPS) == []
    employee(active, 11, "Berg", 1)
    active.settle()
    assert [(link.ajera.key, link.dps.key) for link in active.links()] == [("11", "001")]


def test_a_linked_one_goes_on_when_it_is_in_use_no_longer(active: World) -> None:
    """DPS would else show what was true once; its status in DPS is its own, as an employee's is not exchanged."""
    employee(active, 10, "Berg", 1)
    active.settle()
    active.edit(AJERA, "AxVec", 10, vecStatus=0)
    active.edit(AJERA, "AxVec", 10, vecLastName="Dahl")
    active.settle()
    assert active.rows(DPS, "EM", "LastName") == ["Dahl"]


def test_with_none_nobody_goes_and_nobody_is_linked(none: World) -> None:
    """Clients are firms still."""
    employee(none, 10, "Berg", 1)
    consultant(none, 20, "Soil Lab", 1)
    none.insert(DPS, "EM", Employee="001", LastName="BERG")
    none.client(1, "Hill")
    none.settle()
    assert none.rows(DPS, "EM", "LastName") == ["BERG"]
    assert none.rows(DPS, "Clendor", "Name") == ["Hill"]
    assert {link.entity for link in none.links()} == {"firm"}
    assert none.parked() == {}


def test_link_refuses_until_the_choice_is_stated_and_check_says_so(firm: World) -> None:
    """Rehearsing, too; what it needs is named."""
    employee(firm, 10, "Berg", 1)
    for missing in ({"employees": None}, {"consultants": None}, {"employees": None, "consultants": None}):
        for words in (["link", "--dry-run"], ["link", "--yes"]):
            assert firm.command(*words, expect=2, **missing) == {}
        lines = firm.command("check", "--only", "DPS", expect=3, **missing)["lines"]
        (told,) = [line for line in lines if line["name"] == "employees and consultants"]
        assert not told["is_ok"]
        assert all(f"routes.dps.{name}" in told["found"] for name in missing)
    assert firm.rows(DPS, "EM", "LastName") == []
    firm.command("link", "--yes", employees="none")
    assert firm.rows(DPS, "EM", "LastName") == []
    firm.command("link", "--yes", employees="active")
    assert firm.rows(DPS, "EM", "LastName") == ["Berg"]
