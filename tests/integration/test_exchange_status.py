"""A status is written to DPS once somebody has said what Ajera's codes mean,
since the sources contradict each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from deploy.local.stack import Stack
from pipeline.conflicts.rules import Side
from pipeline.domain.status import StatusCoding
from tests.support.kinds import kinds_of
from tests.support.outbox import World, world

AJERA, DPS = Side.AJERA, Side.DPS


@pytest.fixture
def unsaid(postgres: Stack) -> Iterator[World]:
    """No coding is set."""
    with world(postgres, status=StatusCoding.NONE) as made:
        yield made


@pytest.fixture
def coded(postgres: Stack) -> Iterator[World]:
    """One is active."""
    with world(postgres, status=StatusCoding.ONE_IS_ACTIVE) as made:
        yield made


def restart_with(firm: World, status: StatusCoding) -> None:
    """A new process, with this coding."""
    firm.setup = replace(firm.setup, entities=kinds_of(status=status))
    firm.restart()


def fill(firm: World) -> None:
    """A firm, a contact and a project on both sides, whose statuses differ by either coding."""
    firm.client(1, "Hill", vecStatus=2)
    firm.firm("A", "Hill", Status="A")
    firm.contact(AJERA, 1, "Berg", cntStatus=2)
    firm.contact(DPS, "C", "Berg", Status="A")
    firm.project(AJERA, 5, "Harbour", prjID="P-5", prjStatus=2)
    firm.project(DPS, "P-5", "Harbour", Status="A")


def statuses(firm: World) -> list[object]:
    return [firm.rows(DPS, table, "Status") for table in ("Clendor", "Contacts", "PR")]


def test_without_a_coding_no_status_is_written_neither_at_a_link_nor_later(
    unsaid: World,
) -> None:
    """Nor is what DPS types put back, and no entry of the log speaks of a status."""
    fill(unsaid)
    unsaid.settle()
    assert statuses(unsaid) == [["A"], ["A"], ["A"]]
    unsaid.edit(AJERA, "AxVec", 1, vecStatus=0)
    unsaid.edit(AJERA, "AxContact", 1, cntStatus=0)
    unsaid.edit(AJERA, "AxProject", 5, prjStatus=5)
    unsaid.edit(DPS, "Contacts", "C", Status="I")
    unsaid.settle()
    assert statuses(unsaid) == [["A"], ["I"], ["A"]]
    assert unsaid.rows(AJERA, "AxContact", "cntStatus") == [0]
    assert "status" not in {line for _, line, _ in unsaid.conflicts()}
    assert unsaid.parked() == {}


def test_a_row_made_in_dps_without_a_coding_is_in_use(
    unsaid: World,
) -> None:
    """Whatever Ajera's code says of it, until a coding is set, which comes before that."""
    unsaid.client(1, "Hill", vecStatus=2)
    unsaid.contact(AJERA, 1, "Berg", cntStatus=2)
    unsaid.project(AJERA, 5, "Harbour", prjID="P-5", prjStatus=2)
    unsaid.settle()
    assert statuses(unsaid) == [["A"], ["A"], ["A"]]
    restart_with(unsaid, StatusCoding.ONE_IS_ACTIVE)
    unsaid.client(2, "Vale", vecStatus=2)
    unsaid.settle()
    assert sorted(unsaid.rows(DPS, "Clendor", "Name", "Status")) == [
        ("Hill", "D"),
        ("Vale", "D"),
    ]


@pytest.mark.parametrize("coding", [StatusCoding.ONE_IS_ACTIVE, StatusCoding.ZERO_IS_ACTIVE])
def test_a_coding_that_is_set_later_is_applied_without_an_edit(
    unsaid: World, coding: StatusCoding
) -> None:
    """Rows that are linked already are looked at; another coding is applied to them, too. A row
    whose status in Ajera is blank keeps DPS's.
    """
    fill(unsaid)
    unsaid.client(2, "Vale", vecStatus=0)
    unsaid.firm("B", "Vale", Status="A")
    unsaid.client(3, "Moe", vecStatus=None)
    unsaid.firm("C", "Moe", Status="X")
    unsaid.settle()
    assert statuses(unsaid) == [["A", "A", "X"], ["A"], ["A"]]
    restart_with(unsaid, coding)
    unsaid.settle()
    vale = {StatusCoding.ZERO_IS_ACTIVE: "A", StatusCoding.ONE_IS_ACTIVE: "D"}
    assert statuses(unsaid) == [["D", vale[coding], "X"], ["I"], ["D"]]
    before = unsaid.writes(DPS)
    unsaid.rewind()
    unsaid.settle()
    assert unsaid.writes(DPS) == before
    other = next(one for one in vale if one is not coding)
    restart_with(unsaid, other)
    unsaid.settle()
    assert unsaid.rows(DPS, "Clendor", "Status") == ["D", vale[other], "X"]


@pytest.mark.parametrize("coding", [StatusCoding.ONE_IS_ACTIVE, StatusCoding.ZERO_IS_ACTIVE])
def test_a_status_that_is_typed_once_the_coding_is_set_is_carried_over(
    unsaid: World, coding: StatusCoding
) -> None:
    """The pair was linked without one, and its columns were observed since."""
    fill(unsaid)
    unsaid.settle()
    restart_with(unsaid, coding)
    zero, one = ("A", "D") if coding is StatusCoding.ZERO_IS_ACTIVE else ("D", "A")
    unsaid.edit(AJERA, "AxVec", 1, vecStatus=0)
    unsaid.settle()
    assert unsaid.rows(DPS, "Clendor", "Status") == [zero]
    unsaid.edit(AJERA, "AxVec", 1, vecStatus=1)
    unsaid.settle()
    assert unsaid.rows(DPS, "Clendor", "Status") == [one]
    unsaid.edit(DPS, "Clendor", "A", Status="X")
    unsaid.settle()
    assert unsaid.rows(DPS, "Clendor", "Status") == [one]


def test_a_project_made_from_dps_shows_what_its_status_in_ajera_means(
    coded: World,
) -> None:
    """Ajera owns the status, and makes a project as Preliminary: the pair agrees,
    and the log tells what DPS said.
    """
    coded.project(DPS, "P-5", "Harbour", Status="D")
    coded.project(DPS, "P-6", "Quay", Status="A")
    coded.settle()
    assert coded.projects("prjStatus") == [0, 0]
    assert coded.rows(DPS, "PR", "Status") == ["A", "A"]
    assert [what for what in coded.conflicts() if what[1] == "status"] == [
        ("first_link", "status", "ajera")
    ]
    assert coded.logged("status") == [(0, "D")]
    before = coded.writes(DPS)
    coded.rewind()
    coded.settle()
    assert coded.writes(DPS) == before


@pytest.mark.parametrize(
    ("default", "shown"),
    [(None, ["D", "I"]), (1, ["A", "A"]), (0, ["D", "I"])],
)
def test_a_firm_made_from_dps_shows_what_ajera_says_of_it_from_the_start(
    coded: World, default: int | None, shown: list[str]
) -> None:
    """By the column's default there, if it has one; a row without a status says nothing,
    and DPS keeps its own.
    """
    for table, column in (
        ("AxVec", "vecStatus"),
        ("AxContact", "cntStatus"),
    ):
        coded.do(
            AJERA,
            (
                f'ALTER TABLE "{table}" ALTER "{column}" SET DEFAULT '
                f"{'NULL' if default is None else default}"
            ),
        )
    coded.firm("A", "Hill", Status="D")
    coded.contact(DPS, "C", "Berg", Status="I")
    coded.settle()
    assert coded.rows(DPS, "Clendor", "Status") + coded.rows(DPS, "Contacts", "Status") == shown


def test_without_a_coding_a_row_made_from_dps_keeps_its_status_there(
    unsaid: World,
) -> None:
    """Whatever Ajera's own says."""
    unsaid.do(AJERA, 'ALTER TABLE "AxVec" ALTER "vecStatus" SET DEFAULT 1')
    unsaid.firm("A", "Hill", Status="D")
    unsaid.project(DPS, "P-5", "Harbour", Status="D")
    unsaid.settle()
    assert unsaid.rows(DPS, "Clendor", "Status") + unsaid.rows(DPS, "PR", "Status") == ["D", "D"]
    assert unsaid.conflicts() == []


def test_check_counts_the_rows_by_each_coding(unsaid: World) -> None:
    """And says that nothing is written until one is set."""
    for key, status in enumerate((0, 0, 0, 1, None)):
        unsaid.client(key, f"Client {key}", vecStatus=status)
        unsaid.contact(AJERA, key, f"Contact {key}", cntStatus=status)
    for key, status in enumerate((0, 1, 2, 5, 5, 6)):
        unsaid.project(AJERA, key, f"Project {key}", prjStatus=status)
    unsaid.project(
        AJERA,
        9,
        "Not exchanged",
        prjStatus=1,
        prjSyncToCRM=False,
        prjCreateInCRM=False,
    )
    lines = unsaid.command("check", "--only", "DPS", status_coding="none")["lines"]
    found = {line["name"]: line for line in lines}
    told = "one_is_active: 2 active, 3 not; zero_is_active: 4 active, 1 not"
    assert (
        found["status of clients"]["found"]
        == found["status of contacts"]["found"]
        == f"{told}; not written"
    )
    assert found["status of clients"]["is_ok"]
    assert "routes.dps.status_coding" in found["status of clients"]["action"]
    assert found["status of projects"]["found"].startswith(
        "by either coding 3 active, 1 dormant, 2 inactive"
    )
    assert (
        found["status of employees"]["found"]
        == "one_is_active: 0 active, 0 not; zero_is_active: 0 active, 0 not"
    )


@pytest.mark.parametrize("coding", ["none", "one_is_active", "zero_is_active"])
def test_a_rehearsal_tells_how_many_statuses_each_coding_would_change(
    unsaid: World, coding: str
) -> None:
    """The same numbers whichever is set, and the run itself says them too;
    rows that we make are none of them.
    """
    for key, (status, letter) in enumerate(((1, "A"), (1, "A"), (0, "A"), (0, "D"), (None, "D"))):
        unsaid.client(key, f"Firm {key}", vecStatus=status)
        unsaid.firm(str(key), f"Firm {key}", Status=letter)
    unsaid.client(8, "Only in Ajera", vecStatus=0)
    unsaid.firm("9", "Only in DPS", Status="D")
    for words in (["link", "--dry-run"], ["link", "--yes"]):
        found = unsaid.command(*words, status_coding=coding)["entities"]
        assert {one["entity"]: one["statuses"] for one in found}["firm"] == {
            "one_is_active": 1,
            "zero_is_active": 3,
        }
    before = [("0", "A"), ("1", "A"), ("2", "A"), ("3", "D"), ("4", "D")]
    kept = [row for row in unsaid.rows(DPS, "Clendor", "ClientID", "Status") if row in before]
    assert len(kept) == {"none": 5, "one_is_active": 4, "zero_is_active": 2}[coding]
