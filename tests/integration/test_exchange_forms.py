"""How one side stores the other's values never comes back as an edit: cut, trimmed, a full stop,
a long name.
"""

from __future__ import annotations

import pytest

from pipeline.conflicts.rules import Side
from tests.support.outbox import World

AJERA, DPS = Side.AJERA, Side.DPS
LONG = "The Harbour Hall and its Quays, Sheds and Cranes"  # 48 characters


def count(firm: World) -> tuple[int, int]:
    return len(firm.writes(AJERA)), len(firm.writes(DPS))


def again(firm: World) -> None:
    """Everything is read again, and tried again."""
    firm.wait()
    firm.rewind()
    firm.settle()


def test_a_long_project_name_stands_in_the_long_name_and_its_beginning_in_the_short_one(
    firm: World,
) -> None:
    """Nothing comes back, and a change of either is carried over."""
    firm.project(AJERA, 5, LONG, prjID="P-5")
    firm.settle()
    assert firm.rows(DPS, "PR", "Name", "LongName") == [(LONG[:40].strip(), LONG)]
    again(firm)
    assert count(firm) == (0, 1)
    firm.edit(DPS, "PR", LongName=f"{LONG}, Bergen")
    firm.settle()
    assert firm.projects("prjDescription") == [f"{LONG}, Bergen"]
    firm.edit(AJERA, "AxProject", prjDescription="Harbour")
    firm.settle()
    assert firm.rows(DPS, "PR", "Name", "LongName") == [("Harbour", None)]
    again(firm)
    assert count(firm) == (1, 2)


def test_a_rename_in_ajera_leaves_dps_its_own_long_name(
    firm: World,
) -> None:
    """One of up to forty characters is not what is compared;
    nor is it read as an edit when somebody changes it.
    """
    firm.project(DPS, "P-1", "Lib", LongName="The Library of Oslo")
    firm.settle()
    firm.edit(AJERA, "AxProject", prjDescription="Lib 2")
    firm.settle()
    assert firm.rows(DPS, "PR", "Name", "LongName") == [("Lib 2", "The Library of Oslo")]
    firm.edit(DPS, "PR", LongName="The Library of Bergen")
    firm.settle()
    again(firm)
    assert firm.projects("prjDescription") == ["Lib 2"]
    assert firm.rows(DPS, "PR", "Name", "LongName") == [("Lib 2", "The Library of Bergen")]
    firm.edit(DPS, "PR", Name="Library")
    firm.settle()
    again(firm)
    assert firm.projects("prjDescription") == ["Library"]
    assert firm.rows(DPS, "PR", "Name", "LongName") == [("Library", "The Library of Bergen")]


def test_a_short_name_typed_beside_a_long_one_stays_in_dps(
    firm: World,
) -> None:
    """What is compared is the long name, in both directions."""
    firm.project(AJERA, 5, LONG, prjID="P-5")
    firm.settle()
    firm.edit(DPS, "PR", Name="Harbour")
    firm.settle()
    firm.edit(AJERA, "AxProject", prjDescription=f"{LONG}, Bergen")
    firm.settle()
    again(firm)
    assert firm.projects("prjDescription") == [f"{LONG}, Bergen"]
    assert firm.rows(DPS, "PR", "Name", "LongName") == [("Harbour", f"{LONG}, Bergen")]


def test_a_long_project_name_from_dps_is_the_name_in_ajera(
    firm: World,
) -> None:
    """And with a short one both are matched by that."""
    firm.project(DPS, "P-1", "Harbour Hall", LongName=LONG)
    firm.project(DPS, "P-2", "Airport", LongName="Airport")
    firm.project(AJERA, 9, LONG.upper(), prjCreateInCRM=False)
    firm.settle()
    again(firm)
    assert len(firm.projects("prjKey")) == 2
    assert sorted(firm.projects("prjDescription"))[0] == "Airport"


def test_a_blank_last_name_is_a_full_stop_in_dps_and_does_not_come_back(
    firm: World,
) -> None:
    """DPS requires a last name."""
    firm.contact(AJERA, 1, None, cntFirstName="Ann")
    firm.settle()
    assert firm.rows(DPS, "Contacts", "FirstName", "LastName") == [("Ann", ".")]
    firm.edit(DPS, "Contacts", Title="Director")
    firm.settle()
    again(firm)
    assert firm.rows(AJERA, "AxContact", "cntLastName", "cntTitle") == [(None, "Director")]
    assert count(firm) == (1, 1)
    firm.edit(DPS, "Contacts", LastName="Moe")
    firm.settle()
    firm.edit(AJERA, "AxContact", cntLastName=" ")
    firm.settle()
    assert firm.rows(DPS, "Contacts", "LastName") == ["."]


def test_text_that_dps_cuts_does_not_come_back_to_ajera(
    firm: World,
) -> None:
    """Whatever else is edited, on either side, and whatever is read again."""
    firm.client(
        1,
        "H" * 150,
        vecCity="C" * 50,
        vecPhone1="1" * 40,
        vecAddress1=f"{'A' * 49} B",
    )
    firm.settle()
    firm.edit(DPS, "Clendor", WebSite="hill.example")
    firm.edit(DPS, "CLAddress", State="NY")
    firm.settle()
    again(firm)
    assert firm.rows(DPS, "Clendor", "Name") == ["H" * 100]
    assert firm.rows(DPS, "CLAddress", "City", "Phone", "Address1") == [
        ("C" * 30, "1" * 24, "A" * 49)
    ]
    assert firm.rows(AJERA, "AxVec", "vecDescription", "vecCity", "vecPhone1") == [
        ("H" * 150, "C" * 50, "1" * 40)
    ]
    assert count(firm) == (1, 2)  # firm and address are one row in Ajera


def test_an_edit_beyond_what_dps_can_hold_is_not_written_there(
    firm: World,
) -> None:
    """The two agree as far as DPS can store it."""
    firm.client(1, "H" * 150)
    firm.settle()
    before = count(firm)
    firm.edit(AJERA, "AxVec", vecDescription="H" * 120)
    firm.settle()
    assert count(firm) == before
    firm.edit(DPS, "Clendor", Name="H" * 99)
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecDescription") == ["H" * 99]


def test_blanks_around_text_are_no_edit(firm: World) -> None:
    """Neither is a blank for nothing."""
    firm.client(1, " Hill ", vecWebsite="")
    firm.settle()
    before = count(firm)
    firm.edit(DPS, "Clendor", Name="Hill  ", WebSite="  ")
    firm.edit(AJERA, "AxVec", vecDescription="Hill", vecWebsite=None)
    firm.settle()
    again(firm)
    assert count(firm) == before
    assert firm.conflicts() == []


@pytest.mark.parametrize(
    "text",
    [
        "Æsop & Sønner – Ελλάδα 東京 🏗",
        'O\'Hill; DROP TABLE "PR"',
        "a\nb\tc",
        "%s {x} \\",
    ],
)
def test_any_text_is_carried_over_as_it_is(firm: World, text: str) -> None:
    """In both directions."""
    firm.client(1, "Hill")
    firm.settle()
    firm.edit(AJERA, "AxVec", vecDescription=text, vecClientNotes=text)
    firm.settle()
    assert firm.rows(DPS, "Clendor", "Name", "Memo") == [(text, text)]
    firm.edit(DPS, "Clendor", Name=f"{text}!")
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecDescription") == [f"{text}!"]


def test_a_value_that_the_database_refuses_parks_that_pair_only_and_heals(
    firm: World,
) -> None:
    """A type code longer than its column, say; the other rows of the batch are written."""
    firm.do(
        DPS,
        """ALTER TABLE "Clendor" ADD CONSTRAINT no_beck CHECK ("Name" <> 'Beck')""",
    )
    firm.client(1, "Hill")
    firm.settle()
    for key, name in ((2, "Vale"), (3, "Beck"), (4, "Moor")):
        firm.client(key, name)
    firm.edit(AJERA, "AxVec", 1, vecDescription="Hills")
    firm.settle()
    assert sorted(firm.rows(DPS, "Clendor", "Name")) == [
        "Hills",
        "Moor",
        "Vale",
    ]
    assert len(firm.parked()) == 1
    firm.edit(AJERA, "AxVec", 1, vecDescription="Beck", vecWebsite="hill.example")
    firm.settle()
    assert len(firm.parked()) == 2
    assert sorted(firm.rows(DPS, "Clendor", "Name")) == [
        "Hills",
        "Moor",
        "Vale",
    ]
    firm.do(DPS, """ALTER TABLE "Clendor" DROP CONSTRAINT no_beck""")
    firm.wait()
    assert firm.parked() == {}
    assert sorted(firm.rows(DPS, "Clendor", "Name")) == [
        "Beck",
        "Beck",
        "Moor",
        "Vale",
    ]


def test_a_value_that_ajera_refuses_parks_that_pair_only_and_heals(
    firm: World,
) -> None:
    """Both a row to be created and one to be changed."""
    firm.do(
        AJERA,
        """ALTER TABLE "AxVec" ADD CONSTRAINT no_beck CHECK ("vecDescription" <> 'Beck')""",
    )
    firm.firm("A", "Hill")
    firm.settle()
    for key, name in (("B", "Vale"), ("C", "Beck"), ("D", "Moor")):
        firm.firm(key, name)
    firm.edit(DPS, "Clendor", "A", Name="Beck")
    firm.settle()
    assert sorted(firm.rows(AJERA, "AxVec", "vecDescription")) == [
        "Hill",
        "Moor",
        "Vale",
    ]
    assert len(firm.parked()) == 2
    firm.wait()
    assert len(firm.parked()) == 2
    firm.do(AJERA, """ALTER TABLE "AxVec" DROP CONSTRAINT no_beck""")
    firm.wait()
    assert firm.parked() == {}
    assert sorted(firm.rows(AJERA, "AxVec", "vecDescription")) == [
        "Beck",
        "Beck",
        "Moor",
        "Vale",
    ]
