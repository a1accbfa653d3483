"""Child rows that are told by an id, of which several may have one key, and others may have made
some: the twin in memory and PostgreSQL always, SQL Server where PIPELINE_TEST_SQLSERVER_URL names
one.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from pipeline.mapping.target import Adopted, TargetRow
from pipeline.model.event import Value
from pipeline.model.outcome import RowCounts
from tests.contracts.beside import Both, both_of
from tests.contracts.conftest import KINDS
from tests.support.tabs import LEAD, TABS, TEAM

MADE = TEAM.made_id(("P-1", "7", LEAD))
LOW, HIGH = "0" * 32, "f" * 32
KEY: dict[str, Value] = {
    "WBS1": "P-1",
    "WBS2": " ",
    "WBS3": " ",
    "Employee": "7",
    "Role": LEAD,
}


@pytest.fixture(params=KINDS)
def both(request: pytest.FixtureRequest) -> Both:
    return both_of(request, TABS)


def member(employee: str, hours: int | None, number: str = "P-1") -> TargetRow:
    value = None if hours is None else Decimal(hours)
    return TargetRow(TEAM.name, (number, employee, LEAD), {"Hours": value})


def write(both: Both, *rows: TargetRow, of: Sequence[str] = ("P-1",)) -> Adopted:
    """Make the team of these projects exactly this."""
    wanted = {number: [row for row in rows if row.key[0] == number] for number in of}
    with both.ours.transaction() as transaction:
        return transaction.adopt_children(TEAM.name, wanted, {"Hours": None})


def test_a_row_that_is_missing_is_made_with_an_id_of_ours(both: Both) -> None:
    """Always the same one; and it is deleted when it is not wanted any more."""
    adopted = write(both, member("7", 5))
    assert adopted == Adopted(RowCounts(created=1), {("P-1", ("P-1", "7", LEAD)): MADE})
    (row,) = both.rows(TEAM.name)
    assert row == KEY | {"RecordID": MADE, "Hours": 5, "RoleDescription": None}
    assert write(both, member("7", 5)).counts == RowCounts(unchanged=1)
    assert write(both, member("7", 6)).counts == RowCounts(changed=1)
    gone = write(both)
    assert (gone.counts, gone.left) == (RowCounts(changed=1), frozenset({MADE}))
    assert both.rows(TEAM.name) == []
    assert write(both).counts == RowCounts()


def test_a_row_that_is_there_is_taken_over_with_what_a_person_wrote_in_it(both: Both) -> None:
    """When it is not wanted any more it stays, without our values, and is taken over again."""
    both.people_write(TEAM.name, HIGH, **KEY, Hours=Decimal(3), RoleDescription="theirs")
    for _ in range(2):
        adopted = write(both, member("7", 5))
        assert adopted.counts == RowCounts(changed=1)
        assert adopted.ids == {("P-1", ("P-1", "7", LEAD)): HIGH}
        assert both.held(TEAM.name, "Hours") == {(HIGH,): 5}
        assert write(both).counts == RowCounts(changed=1)
        assert both.held(TEAM.name, "Hours") == {(HIGH,): None}
        assert both.held(TEAM.name, "RoleDescription") == {(HIGH,): "theirs"}


def test_what_a_row_held_before_is_told(both: Both) -> None:
    """Of those that were there."""
    both.people_write(TEAM.name, HIGH, **KEY, Hours=Decimal(3), RoleDescription="theirs")
    held = write(both, member("7", 5), member("8", 1)).held
    assert held == {HIGH: KEY | {"RecordID": HIGH, "Hours": 3, "RoleDescription": "theirs"}}
    assert write(both, member("7", 6), member("8", 1)).held[HIGH]["Hours"] == 5


def test_of_several_rows_of_a_key_the_one_with_the_lowest_id_is_written(both: Both) -> None:
    """And stays the one that is, though one with a lower id comes."""
    middle = "8" * 32
    for one in (HIGH, middle):
        both.people_write(TEAM.name, one, **KEY, Hours=Decimal(3))
    write(both, member("7", 5))
    both.people_write(TEAM.name, LOW, **KEY, Hours=Decimal(3))
    write(both, member("7", 6))
    assert both.held(TEAM.name, "Hours") == {(LOW,): 3, (middle,): 6, (HIGH,): 3}


def test_a_row_of_ours_is_known_whatever_its_key_is_by_now(both: Both) -> None:
    """A person gave it another employee: it gets ours back, and no second row is made."""
    write(both, member("7", 5))
    both.people_write(TEAM.name, MADE, Employee="9", WBS2="1")
    assert write(both, member("7", 5)).counts == RowCounts(changed=1)
    (row,) = both.rows(TEAM.name)
    assert {name: row[name] for name in KEY} == KEY


def test_a_row_that_a_person_deleted_is_made_again(both: Both) -> None:
    """One that was taken over, too; then it is ours."""
    both.people_write(TEAM.name, HIGH, **KEY, Hours=Decimal(3))
    write(both, member("7", 5), member("8", 1))
    for one in (HIGH, TEAM.made_id(("P-1", "8", LEAD))):
        both.people_delete(TEAM.name, one)
    assert write(both, member("7", 5), member("8", 1)).counts == RowCounts(created=2)
    assert both.held(TEAM.name, "Hours")[MADE,] == 5
    assert write(both).counts == RowCounts(changed=2)
    assert both.rows(TEAM.name) == []


def test_a_row_of_another_project_that_a_person_moved_here_is_not_taken_over(both: Both) -> None:
    """It goes back to its own when that one is written; until then there are two."""
    theirs = TEAM.made_id(("P-2", "7", LEAD))
    write(both, member("7", 5, "P-2"), of=["P-2"])
    both.people_write(TEAM.name, theirs, WBS1="P-1")
    assert write(both, member("7", 6)).counts == RowCounts(created=1)
    write(both, member("7", 5, "P-2"), of=["P-2"])
    assert both.held(TEAM.name, "Hours") == {(theirs,): 5, (MADE,): 6}
    assert both.held(TEAM.name, "WBS1") == {(theirs,): "P-2", (MADE,): "P-1"}


def test_a_row_with_the_id_that_we_give_is_ours_though_it_was_forgotten(both: Both) -> None:
    """Our own tables were made anew: what we made before is changed and deleted as ever."""
    both.people_write(TEAM.name, MADE, **KEY, Hours=Decimal(3))
    assert write(both, member("7", 5)).counts == RowCounts(changed=1)
    write(both)
    assert both.rows(TEAM.name) == []


def test_teams_of_several_projects_are_written_together(both: Both) -> None:
    """Each is a set of its own."""
    rows = member("7", 5), member("7", 1, "P-2"), member("8", 2, "P-2")
    assert write(both, *rows, of=["P-1", "P-2"]).counts == RowCounts(created=3)
    counts = write(both, member("7", 6), of=["P-1", "P-2"]).counts
    assert counts == RowCounts(changed=3)
    assert both.held(TEAM.name, "Hours") == {(MADE,): 6}
