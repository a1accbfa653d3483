"""Projects: numbers, templates and their phases, closed ones,
and what flows in one direction only.
"""

from __future__ import annotations

import pytest

from deploy.local.stack import Stack
from pipeline.conflicts.rules import Side
from tests.support.outbox import World, world

AJERA, DPS = Side.AJERA, Side.DPS


@pytest.fixture
def firm(made: World) -> World:
    made.clear()
    for table in ("AxProjectTemplate", "AxProjectTemplatePhase"):
        made.do(AJERA, f'DELETE FROM "{table}"')
    made.do(DPS, """DELETE FROM "CFGProjectTemplateDescriptions" """)
    made.insert(
        DPS,
        "CFGProjectTemplateDescriptions",
        Code="T1",
        Description="Standard",
    )
    return made


def template(firm: World) -> None:
    firm.insert(AJERA, "AxProjectTemplate", tplKey=1, tplDescription="STANDARD")
    for key, (order, name) in enumerate([(2, "Design"), (1, "Sketch")]):
        firm.insert(
            AJERA,
            "AxProjectTemplatePhase",
            tphKey=key,
            tphTemplate=1,
            tphOrder=order,
            tphDescription=name,
        )
    firm.insert(
        AJERA,
        "AxProjectTemplatePhase",
        tphKey=9,
        tphTemplate=2,
        tphOrder=1,
        tphDescription="Another's",
    )


def test_a_project_from_dps_gets_its_templates_phases_once(
    firm: World,
) -> None:
    """The phases are rows of the project, and are not exchanged themselves."""
    template(firm)
    firm.restart()
    firm.project(DPS, "P-1", "Harbour", ProjectTemplate="T1", Memo="by the sea")
    firm.settle()
    firm.rewind()
    firm.settle()
    (project,) = firm.projects("prjKey")
    assert firm.rows(
        AJERA,
        "AxProject",
        "prjDescription",
        "prjProject",
        "prjStatus",
        "prjOrder",
        "prjID",
    ) == [
        ("Harbour", None, 0, None, "P-1"),
        ("Sketch", project, 0, 1, None),
        ("Design", project, 0, 2, None),
    ]
    assert firm.rows(DPS, "PR", "WBS1") == ["P-1"]
    assert firm.writes(DPS) == []


def test_a_project_whose_template_is_missing_is_parked_until_it_is_there(
    firm: World,
) -> None:
    """With the hint that names must be the same; one without a template does not wait."""
    firm.project(DPS, "P-1", "Harbour", ProjectTemplate="T1")
    firm.project(DPS, "P-2", "Airport")
    firm.restart()
    firm.settle()
    firm.wait()
    assert list(firm.parked().values()) == ["exchange.template_missing"]
    assert firm.projects("prjDescription") == ["Airport"]
    template(firm)
    firm.wait()
    assert firm.parked() == {}
    assert firm.projects("prjDescription") == ["Airport", "Harbour"]
    assert firm.rows(AJERA, "AxProject", "prjDescription")[2:] == [
        "Harbour",
        "Sketch",
        "Design",
    ]


def test_a_project_made_in_ajera_gets_its_project_id_as_its_number(
    firm: World,
) -> None:
    """If it is to be created in DPS at all; phases are not."""
    firm.project(AJERA, 5, "Harbour", prjID="P-5", prjNotes="by the sea")
    firm.project(AJERA, 6, "Airport", prjID="P-6", prjCreateInCRM=False)
    firm.project(AJERA, 7, "Sketch", prjID="S", prjProject=5)
    firm.settle()
    assert firm.rows(DPS, "PR", "WBS1", "WBS2", "WBS3", "Name", "Memo") == [
        ("P-5", " ", " ", "Harbour", "by the sea")
    ]
    assert firm.parked() == {}
    firm.edit(AJERA, "AxProject", 6, prjCreateInCRM=True)
    firm.settle()
    assert firm.rows(DPS, "PR", "WBS1") == ["P-5", "P-6"]


def test_without_a_project_id_and_auto_numbering_a_project_is_parked_until_one_is_typed(
    firm: World,
) -> None:
    """Blanks are no ID."""
    firm.project(AJERA, 5, "Harbour", prjID=" ")
    firm.settle()
    firm.wait()
    assert firm.parked() == {"project/ajera/5": "exchange.no_project_number"}
    assert firm.rows(DPS, "PR", "WBS1") == []
    firm.edit(AJERA, "AxProject", prjID="P-5")
    firm.settle()
    assert firm.parked() == {}
    assert firm.rows(DPS, "PR", "WBS1") == ["P-5"]


def test_with_auto_numbering_a_project_without_an_id_gets_a_number(
    postgres: Stack,
) -> None:
    """Its ID in Ajera stays blank: the number is not written back."""
    with world(postgres, numbers={"project": "AJ-{key}"}) as firm:
        firm.project(AJERA, 5, "Harbour")
        firm.settle()
        assert firm.rows(DPS, "PR", "WBS1") == ["AJ-5"]
        assert firm.projects("prjID") == [None]
        assert firm.writes(AJERA) == []


def test_a_number_that_is_taken_parks_the_project_until_it_gets_another_one(
    firm: World,
) -> None:
    """The project of that number in DPS is somebody else's and is not touched."""
    firm.project(DPS, "P-5", "Airport", AjeraSync="N", Memo="theirs")
    firm.project(AJERA, 5, "Harbour", prjID="P-5")
    firm.settle()
    firm.wait()
    assert list(firm.parked().values()) == ["exchange.key_taken"]
    assert [kind for kind, _, _ in firm.conflicts()] == ["insert_exists"]
    assert firm.rows(DPS, "PR", "WBS1", "Name", "Memo") == [("P-5", "Airport", "theirs")]
    firm.edit(AJERA, "AxProject", prjID="P-55", prjNotes="mine")
    firm.settle()
    firm.wait()
    assert firm.parked() == {}
    assert firm.rows(DPS, "PR", "WBS1", "Name", "Memo") == [
        ("P-5", "Airport", "theirs"),
        ("P-55", "Harbour", "mine"),
    ]


def test_a_closed_project_is_not_created_but_closing_one_is_told(
    firm: World,
) -> None:
    """Its status in DPS becomes inactive."""
    firm.project(AJERA, 5, "Harbour", prjID="P-5", prjStatus=5)
    firm.project(AJERA, 6, "Airport", prjID="P-6", prjStatus=1)
    firm.settle()
    assert firm.rows(DPS, "PR", "WBS1", "Status") == [("P-6", "A")]
    firm.edit(AJERA, "AxProject", 6, prjStatus=5)
    firm.settle()
    assert firm.rows(DPS, "PR", "WBS1", "Status") == [("P-6", "I")]
    firm.edit(AJERA, "AxProject", 5, prjStatus=1)
    firm.settle()
    assert firm.rows(DPS, "PR", "WBS1", "Status") == [
        ("P-5", "A"),
        ("P-6", "I"),
    ]


def test_chance_and_disposition_go_to_ajera_only(firm: World) -> None:
    """What is typed over them in Ajera is left alone until DPS is edited;
    a stage that is not final is none.
    """
    firm.project(DPS, "P-1", "Harbour", Probability=40, Stage="Pursuit")
    firm.settle()
    columns = "prjChanceOfWinning", "prjFinalDisposition"
    assert firm.projects(*columns) == [(40, None)]
    firm.edit(DPS, "PR", Stage="Won", Probability=100)
    firm.settle()
    assert firm.projects(*columns) == [(100, "Won")]
    firm.edit(AJERA, "AxProject", prjChanceOfWinning=7, prjFinalDisposition="Lost")
    firm.settle()
    assert firm.rows(DPS, "PR", "Probability", "Stage") == [(100, "Won")]
    assert firm.projects(*columns) == [(7, "Lost")]
    firm.edit(DPS, "PR", Probability=90)
    firm.settle()
    assert firm.projects(*columns) == [(90, "Lost")]


def test_lower_levels_of_a_project_in_dps_are_not_exchanged(
    firm: World,
) -> None:
    """Only rows with a blank WBS2 and WBS3 are."""
    firm.project(DPS, "P-1", "Harbour")
    firm.project(DPS, "P-1", "Quay", WBS2="1")
    firm.settle()
    assert firm.projects("prjDescription") == ["Harbour"]


@pytest.mark.parametrize("kind", ["none", "empty"])
def test_a_project_from_dps_has_a_phase_and_an_invoice_group(firm: World, kind: str) -> None:
    """As Ajera's own API demands; their events make nothing,
    and a client that is typed later goes to that group.
    """
    more = {}
    if kind == "empty":
        firm.insert(AJERA, "AxProjectTemplate", tplKey=1, tplDescription="Standard")
        firm.restart()
        more = {"ProjectTemplate": "T1"}
    firm.firm("A", "Hill")
    firm.project(DPS, "P-1", "Harbour", **more)
    firm.settle()
    (project,) = firm.projects("prjKey")
    phases = firm.rows(AJERA, "AxProject", "prjDescription", "prjProject", "prjStatus")[1:]
    assert phases == [("Harbour", project, 0)]
    assert firm.rows(AJERA, "AxInvoiceGroup", "igProject", "igClient") == [(project, None)]
    firm.edit(DPS, "PR", ClientID="A")
    firm.settle()
    firm.rewind()
    firm.settle()
    firm.wait()
    assert firm.rows(AJERA, "AxInvoiceGroup", "igProject", "igClient") == [
        (project, firm.rows(AJERA, "AxVec", "vecKey")[0])
    ]
    assert firm.rows(AJERA, "AxProject", "prjDescription") == [
        "Harbour",
        "Harbour",
    ]
    assert len(firm.rows(DPS, "PR", "WBS1")) == 1
    assert firm.parked() == {}
