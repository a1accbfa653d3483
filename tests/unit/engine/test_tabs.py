"""Rows of tables that others fill, too: what the route owns there, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from pipeline.mapping.target import TargetTable
from tests.support.office import Office, group, project
from tests.support.tabs import LEAD, PROJECT, TABS, TEAM


def as_it_lives(table: TargetTable) -> TargetTable:
    """A vendor's table requires little."""
    columns = (replace(one, nullable=one.name != table.row_id) for one in table.columns)
    return replace(table, columns=tuple(columns))


def test_a_project_gets_its_columns_and_its_phases_are_left_alone() -> None:
    """They have its number, and so have people's team rows of a phase."""
    office = Office()
    phase = {"AjeraName": None, "AjeraGroups": None, "Memo": "theirs"}
    for place in ((" ", " "), ("1", " "), ("1", "2")):
        office.people_write(PROJECT.name, "P-1", *place, **phase)
    theirs = {"WBS1": "P-1", "WBS2": "1", "WBS3": " ", "Employee": "5", "Role": LEAD}
    office.people_write(TEAM.name, "a" * 32, **theirs, Hours=None)
    office.link(1, "P-1")
    office.take(project(1, 1, "Hill"), group(5, 2, 1, client=8))
    office.drain()
    assert office.rows(PROJECT.name) == {
        ("P-1", " ", " "): phase | {"AjeraName": "Hill", "AjeraGroups": 1},
        ("P-1", "1", " "): phase,
        ("P-1", "1", "2"): phase,
    }
    team, made = office.rows(TEAM.name), TEAM.made_id(("P-1", "5", LEAD))
    assert team == {
        ("a" * 32,): theirs | {"Hours": None, "RoleDescription": None},
        (made,): theirs | {"WBS2": " ", "Hours": 8, "RoleDescription": None},
    }


def test_a_project_of_which_only_phases_are_there_gets_no_row() -> None:
    """Neither it, nor a team."""
    office = Office()
    office.people_write(PROJECT.name, "P-1", "1", " ", Memo="theirs")
    office.link(1, "P-1")
    office.take(project(1, 1, "Hill"), group(5, 2, 1))
    office.drain()
    assert list(office.rows(PROJECT.name)) == [("P-1", "1", " ")]
    assert office.rows(TEAM.name) == {}


def test_a_team_row_that_a_person_made_is_taken_over_and_given_back() -> None:
    """With their notes; what is not wanted any more leaves it without hours, and with its key,
    whatever the table requires.
    """
    office = Office(replace(TABS, targets=tuple(map(as_it_lives, TABS.targets))))
    office.people_write(PROJECT.name, "P-1", " ", " ", Memo=None)
    theirs = {"WBS1": "P-1", "WBS2": " ", "WBS3": " ", "Employee": "5", "Role": LEAD}
    office.people_write(TEAM.name, "f" * 32, **theirs, RoleDescription="theirs")
    office.link(1, "P-1")
    office.take(project(1, 1, "Hill"), group(5, 2, 1, client=8), group(6, 3, 1, client=9))
    office.drain()
    hours = {
        row["Employee"]: (row["Hours"], row["RoleDescription"])
        for row in office.target.rows(TEAM.name)
    }
    assert hours == {"5": (8, "theirs"), "6": (9, None)}
    office.take(group(5, 4, 2), group(6, 5, 2))
    office.drain()
    assert office.rows(TEAM.name) == {
        ("f" * 32,): theirs | {"Hours": None, "RoleDescription": "theirs"}
    }
