"""A firm chooses which employees and consultants go to DPS: all, those in use, or none;
those long gone need not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from deploy.local.stack import Stack
from pipeline.conflicts.rules import Side
from pipeline.domain.choice import CONSULTANTS, EMPLOYEES, Choice
from tests.support.outbox import World, world

AJERA, DPS = Side.AJERA, Side.DPS


@pytest.fixture
def active(postgres: Stack) -> Iterator[World]:
    """Only those in use."""
    with world(
        postgres,
        choices={EMPLOYEES: Choice.ACTIVE, CONSULTANTS: Choice.ACTIVE},
    ) as made:
        made.insert(
            AJERA,
            "AxVendorType",
            vtKey=1,
            vtDescription="Consultant",
            vtIsConsultant=True,
        )
        made.restart()
        yield made


@pytest.fixture
def none(postgres: Stack) -> Iterator[World]:
    """Nobody."""
    with world(postgres, choices={EMPLOYEES: Choice.NONE, CONSULTANTS: Choice.NONE}) as made:
        yield made


@pytest.fixture
def charging(postgres: Stack) -> Iterator[World]:
    """Only those with time on linked projects."""
    chosen = Choice.ON_LINKED_PROJECTS
    with world(postgres, choices={EMPLOYEES: chosen, CONSULTANTS: chosen}) as made:
        made.insert(
            AJERA,
            "AxVendorType",
            vtKey=1,
            vtDescription="Consultant",
            vtIsConsultant=True,
        )
        made.restart()
        yield made


def entry(firm: World, project: int, **others: object) -> None:
    """A time entry: of whom `others` says."""
    firm.insert(
        AJERA,
        "AxTransaction",
        **{
            "tProject": project,
            "tIsDeleted": False,
            "tIsCurrent": True,
            **others,
        },
    )


def employee(firm: World, key: int, name: str, status: int | None) -> None:
    firm.insert(
        AJERA,
        "AxVec",
        vecKey=key,
        vecLastName=name,
        vecIsEmployee=True,
        vecStatus=status,
    )


def consultant(firm: World, key: int, name: str, status: int | None) -> None:
    kind = {"vecIsVendor": True, "vecVendorType": 1}
    firm.insert(
        AJERA,
        "AxVec",
        vecKey=key,
        vecDescription=name,
        vecStatus=status,
        **kind,
    )


def test_only_those_in_use_go_to_dps(active: World) -> None:
    """A row without a status is in use; one that comes back into use follows."""
    for key, (name, status) in enumerate((("Here", 1), ("Unsaid", None), ("Gone", 0))):
        employee(active, 10 + key, name, status)
        consultant(active, 20 + key, f"{name} Ltd", status)
    active.settle()
    assert sorted(active.rows(DPS, "EM", "LastName")) == ["Here", "Unsaid"]
    assert sorted(active.rows(DPS, "Clendor", "Name")) == [
        "Here Ltd",
        "Unsaid Ltd",
    ]
    active.edit(AJERA, "AxVec", 12, vecStatus=1)
    active.edit(AJERA, "AxVec", 22, vecStatus=1)
    active.settle()
    assert "Gone" in active.rows(DPS, "EM", "LastName")
    assert "Gone Ltd" in active.rows(DPS, "Clendor", "Name")
    assert active.parked() == {}


@pytest.mark.parametrize("first", [AJERA, DPS])
def test_one_that_is_gone_is_not_linked_with_a_namesake_from_either_side(
    active: World, first: Side
) -> None:
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


def test_a_linked_one_goes_on_when_it_is_in_use_no_longer(
    active: World,
) -> None:
    """DPS would else show what was true once; its status in DPS is its own,
    as an employee's is not exchanged.
    """
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


def test_link_refuses_until_the_choice_is_stated_and_check_says_so(
    firm: World,
) -> None:
    """Rehearsing, too; what it needs is named."""
    employee(firm, 10, "Berg", 1)
    for missing in (
        {"employees": None},
        {"consultants": None},
        {"employees": None, "consultants": None},
    ):
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


# -- those with time on linked projects ------------------------------------------------------------

BY_TIME: dict[str, Any] = {
    "employees": "on_linked_projects",
    "consultants": "on_linked_projects",
}


def test_only_those_with_time_on_a_linked_project_or_a_phase_of_it_go_to_dps(
    charging: World,
) -> None:
    """Six levels of phases down; deleted entries and those of former versions do not count,
    nor other projects.
    """
    charging.project(AJERA, 100, "School", prjID="S1")
    charging.project(AJERA, 200, "Own office", prjSyncToCRM=False, prjCreateInCRM=False)
    for level in range(1, 7):
        charging.project(AJERA, 100 + level, "Phase", prjProject=99 + level)
    names = (
        "Project",
        "Phase",
        "Deepest",
        "Deleted",
        "Former",
        "Elsewhere",
        "Idle",
    )
    for key, name in enumerate(names):
        employee(charging, 10 + key, name, 1)
        consultant(charging, 30 + key, f"{name} Ltd", 1)
    for column, first in (("tEmployee", 10), ("tVendor", 30)):
        entry(charging, 100, **{column: first})
        entry(charging, 101, tIsDeleted=None, **{column: first + 1})
        entry(charging, 106, **{column: first + 2})
        entry(charging, 100, tIsDeleted=True, **{column: first + 3})
        entry(charging, 100, tIsCurrent=False, **{column: first + 4})
        entry(charging, 200, **{column: first + 5})
    charging.settle()
    charging.wait()
    assert sorted(charging.rows(DPS, "EM", "LastName")) == [
        "Deepest",
        "Phase",
        "Project",
    ]
    assert sorted(charging.rows(DPS, "Clendor", "Name")) == [
        "Deepest Ltd",
        "Phase Ltd",
        "Project Ltd",
    ]
    assert charging.parked() == {}


def test_who_gets_time_later_follows_by_itself(charging: World) -> None:
    """Neither a time entry nor the link of a project is an event of the employee's."""
    employee(charging, 10, "Berg", 1)
    employee(charging, 11, "Dahl", 1)
    charging.project(AJERA, 100, "School", prjID="S1")
    charging.project(
        AJERA,
        200,
        "Bridge",
        prjID="B1",
        prjSyncToCRM=False,
        prjCreateInCRM=False,
    )
    entry(charging, 200, tEmployee=11)
    charging.settle()
    charging.wait()
    assert charging.rows(DPS, "EM", "LastName") == []
    entry(charging, 100, tEmployee=10)
    charging.wait()
    assert charging.rows(DPS, "EM", "LastName") == ["Berg"]
    charging.edit(AJERA, "AxProject", 200, prjSyncToCRM=True, prjCreateInCRM=True)
    charging.settle()
    charging.wait()
    assert sorted(charging.rows(DPS, "EM", "LastName")) == ["Berg", "Dahl"]


@pytest.mark.parametrize("first", [AJERA, DPS])
def test_one_without_time_is_not_linked_with_a_namesake_from_either_side(
    charging: World, first: Side
) -> None:
    """Nor does it stand in the way of the one that has."""
    charging.project(AJERA, 100, "School", prjID="S1")
    charging.settle()
    employee(charging, 10, "Berg", 1)
    charging.insert(DPS, "EM", Employee="001", LastName="BERG")
    charging.deliver(first)
    charging.settle()
    charging.wait()
    assert [link for link in charging.links() if link.entity == "employee"] == []
    employee(charging, 11, "Berg", 1)
    entry(charging, 100, tEmployee=11)
    charging.settle()
    found = [(one.ajera.key, one.dps.key) for one in charging.links() if one.entity == "employee"]
    assert found == [("11", "001")]


def test_a_linked_one_goes_on_when_its_time_is_deleted(
    charging: World,
) -> None:
    """It is asked once."""
    charging.project(AJERA, 100, "School", prjID="S1")
    employee(charging, 10, "Berg", 1)
    entry(charging, 100, tEmployee=10)
    charging.settle()
    charging.wait()
    charging.do(AJERA, 'UPDATE "AxTransaction" SET "tIsDeleted" = true')
    charging.edit(AJERA, "AxVec", 10, vecLastName="Dahl")
    charging.settle()
    assert charging.rows(DPS, "EM", "LastName") == ["Dahl"]


def test_a_first_link_begins_projects_before_those_whom_they_choose(
    firm: World,
) -> None:
    """Rehearsed as done; `check` counts."""
    firm.project(AJERA, 100, "School", prjID="S1")
    employee(firm, 10, "Berg", 1)
    employee(firm, 11, "Idle", 1)
    entry(firm, 100, tEmployee=10)
    for words in (["link", "--dry-run"], ["link", "--yes"]):
        found = firm.command(*words, **BY_TIME)
        (told,) = [one for one in found["entities"] if one["entity"] == "employee"]
        assert told["created_in_dps"] == 1
    assert firm.rows(DPS, "EM", "LastName") == ["Berg"]
    lines = firm.command("check", "--only", "DPS", **BY_TIME)["lines"]
    (told,) = [line for line in lines if line["name"] == "time on linked projects"]
    assert told["is_ok"]
    assert "employee: 1, vendor: 0" in told["found"]


def test_without_the_table_of_time_link_refuses_and_check_says_so(
    charging: World,
) -> None:
    """A profile may name it; other choices need no such table."""
    firm = charging
    employee(firm, 10, "Berg", 1)
    firm.project(AJERA, 100, "School", prjID="S1")
    entry(firm, 100, tEmployee=10)
    firm.do(AJERA, 'ALTER TABLE "AxTransaction" RENAME "tEmployee" TO "who"')
    firm.do(AJERA, 'ALTER TABLE "AxTransaction" RENAME TO "Hours"')
    assert firm.command("link", "--dry-run", expect=2, **BY_TIME) == {}
    assert firm.command("link", "--yes", expect=2, **BY_TIME) == {}
    lines = firm.command("check", "--only", "DPS", expect=3, **BY_TIME)["lines"]
    (told,) = [line for line in lines if line["name"] == "time on linked projects"]
    assert not told["is_ok"]
    assert "AxTransaction" in told["found"] + told["action"]
    assert firm.command("link", "--dry-run", employees="all", consultants="none") != {}
    profile = (
        '[source.AxTransaction]\nname = "Hours"\n[source.AxTransaction.columns]\ntEmployee = '
        '"who"\n'
    )
    firm.command("link", "--yes", profile=profile, **BY_TIME)
    assert firm.rows(DPS, "EM", "LastName") == ["Berg"]
