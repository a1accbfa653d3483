"""The mappings as they are shown: in this site's names and assumptions, with what they rest on."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.domain.status import StatusCoding
from pipeline.mapping.site import Assumptions, Site, TableNames
from pipeline.operations.exchange_mappings import shown as exchanged
from pipeline.operations.mappings import (
    ShownTable,
    shown,
)
from tests.support.tabs import TABS
from tests.support.totals import TOTALS

ROOT = Path(__file__).parents[3]
WORD = re.compile(r"\w+")


def line(tables: tuple[ShownTable, ...], table: str, target: str) -> str:
    return next(
        one.source
        for each in tables
        if each.name == table
        for one in each.lines
        if one.target == target
    )


def test_no_canonical_name_is_left_where_a_profile_renames_everything() -> None:
    """Neither in the columns nor in the words of a line, a note or a condition."""
    site = Site.model_validate(
        tomllib.loads((ROOT / "deploy" / "sample" / "other-names.toml").read_text())
    )
    canonical = {column.name for table in AJERA_TO_PIM.sources for column in table.columns}
    renamed = {
        name
        for table in AJERA_TO_PIM.sources
        for name in canonical
        if site.source_column(table.name, name) != name
    }
    assert renamed
    for table in shown(site, AJERA_TO_PIM):
        texts = [
            table.only_if,
            *(text for one in table.lines for text in (one.source, one.note)),
        ]
        assert not renamed & set(WORD.findall(" ".join(texts))), table.name


def test_two_columns_that_changed_names_with_each_other_are_told_apart() -> None:
    """Each word is renamed once."""
    swapped = TableNames(columns={"vecPhone1": "vecPhone2", "vecPhone2": "vecPhone1"})
    words = line(shown(Site(source={"AxVec": swapped}), AJERA_TO_PIM), "client", "Phone Number")
    assert words == "first of vecPhone2, vecPhone1 that is not blank"


def test_a_line_says_what_this_site_assumes() -> None:
    """The employee's phones follow CRM's map; the organization of employees is the site's."""
    site = Site(assumptions=Assumptions(employee_mobile="vecPhone1", internal_organization="Staff"))
    assert line(shown(site, AJERA_TO_PIM), "employee", "Mobile") == "vecPhone1"
    assert line(shown(site, AJERA_TO_PIM), "employee", "Organization ID") == "'Staff'"


def test_a_condition_and_a_remembered_value_are_told_in_words() -> None:
    """Not by the name of a column of ours."""
    ours = {one.name for table in AJERA_TO_PIM.sources for one in table.remembered}
    for table in shown(Site(), AJERA_TO_PIM):
        assert not ours & set(
            WORD.findall(" ".join([table.only_if, *(one.source for one in table.lines)]))
        ), table.name
    assert line(shown(Site(), AJERA_TO_PIM), "project", "Project ID") == "prjKey"


def test_aggregates_and_the_values_of_child_rows_are_shown_line_by_line() -> None:
    """In words that name the rows, their condition and the way to them."""
    (table,) = shown(Site(), TOTALS)
    lines = {one.target: one.source for one in table.lines}
    assert lines["Open Jobs"] == (
        "count of rows of Job where jobStatus is 1 or 2, by jobFirm of Job"
    )
    assert lines["Amount"] == (
        "sum of entryAmount of Entry where entryVoid is not set or blank,"
        " by jobFirm of Job and entryJob of Entry"
    )
    assert lines["rows of Staff"] == "the people of the firm"
    assert (lines["Staff: Name"], lines["Staff: Rate"]) == ("personName", "personRate")


def test_the_columns_that_hold_one_value_in_every_row_are_shown_with_it() -> None:
    """Beside the key: which rows are meant."""
    (table,) = shown(Site(), TABS)
    keys = [(one.target, one.source) for one in table.lines if one.written == "key"]
    assert keys == [
        ("WBS1", "WBS1 of the project that it is linked with"),
        ("WBS2", "one blank"),
        ("WBS3", "one blank"),
    ]


def test_every_assumption_that_a_line_rests_on_is_written_down() -> None:
    """And every line that is named here is one of the mappings."""
    page = (ROOT / "docs" / "assumptions.md").read_text()
    numbers = {int(number) for number in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    assert {number for rests_on in AJERA_TO_PIM.rests_on.values() for number in rests_on} <= numbers
    places = {
        (m.name, one.target) for m in AJERA_TO_PIM.mappings for one in (*m.lines, *m.children)
    }
    assert {*AJERA_TO_PIM.rests_on, *AJERA_TO_PIM.assumed} <= places


def test_a_status_without_a_coding_is_shown_as_not_written() -> None:
    """In every entity that has one; with a coding it is Ajera's."""
    for coding, words in (
        (StatusCoding.NONE, ("not written", "-")),
        (StatusCoding.ZERO_IS_ACTIVE, ("Ajera to DPS", "ajera")),
    ):
        found = {
            table.entity: line
            for table in exchanged(Site(), status=coding)
            for line in table.lines
            if line.name == "status"
        }
        assert found.keys() == {"firm", "contact", "vendor", "project"}
        assert {(line.direction, line.owner) for line in found.values()} == {words}
