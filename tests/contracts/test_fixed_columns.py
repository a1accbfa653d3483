"""Tables whose rows of ours hold one value in some columns, beside rows of others that hold other
values there: the twin in memory and PostgreSQL always, SQL Server where PIPELINE_TEST_SQLSERVER_URL
names one.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from decimal import Decimal

import pytest
import sqlalchemy as sa

from pipeline.database.systems.live import create_target_tables, describe_target
from pipeline.errors import TargetMismatch, TargetRefused
from pipeline.mapping.target import TargetRow
from pipeline.model.event import Row
from pipeline.model.outcome import RowCounts
from tests.contracts.beside import SITE, Both, both_of
from tests.contracts.conftest import KINDS
from tests.support.tabs import LEAD, PROJECT, TABS, TEAM

# The team without ids: its key is the table's own.
WITHOUT_IDS = replace(
    TABS,
    targets=(
        PROJECT,
        replace(
            TEAM,
            columns=tuple(one for one in TEAM.columns if one.name != TEAM.row_id),
            row_id="",
        ),
    ),
    mappings=(),
    observed=(),
)


@pytest.fixture(params=KINDS)
def both(request: pytest.FixtureRequest) -> Both:
    return both_of(request, WITHOUT_IDS)


def named(number: str, name: str) -> TargetRow:
    return TargetRow(PROJECT.name, (number,), {"AjeraName": name})


def member(number: str, employee: str, hours: int) -> TargetRow:
    return TargetRow(TEAM.name, (number, employee, LEAD), {"Hours": Decimal(hours)})


def test_a_row_is_changed_and_the_rows_beside_it_are_not(both: Both) -> None:
    """The phases of a project have its number, too."""
    both.people_write(PROJECT.name, "P-1", " ", " ", AjeraName="before")
    both.people_write(PROJECT.name, "P-1", "1", " ", AjeraName="before")
    both.people_write(PROJECT.name, "P-1", "1", "1", AjeraName="before")
    with both.ours.transaction() as transaction:
        assert transaction.upsert(PROJECT.name, [named("P-1", "after")]) == RowCounts(changed=1)
    assert both.held(PROJECT.name, "AjeraName") == {
        ("P-1", " ", " "): "after",
        ("P-1", "1", " "): "before",
        ("P-1", "1", "1"): "before",
    }


def test_a_row_with_another_value_there_is_none_of_ours(both: Both) -> None:
    """A phase whose project is gone: neither found, nor the holder of a value."""
    both.people_write(PROJECT.name, "P-1", "1", " ", AjeraName="before")
    both.people_write(PROJECT.name, "P-2", " ", " ", AjeraName="mine")
    with both.ours.transaction() as transaction:
        assert transaction.existing(PROJECT.name, ["P-1", "P-2"]) == {"P-2"}
        held = transaction.holders(PROJECT.name, "AjeraName", ["before", "mine"])
        assert held == {"mine": "P-2"}


def test_rows_that_others_make_are_never_made_whatever_is_known_of_them(both: Both) -> None:
    """Every column that the table requires is given, and there is no such row."""
    both.people_write(PROJECT.name, "P-1", "1", " ", AjeraName="before")
    row = TargetRow(PROJECT.name, ("P-1",), {"AjeraName": "after", "AjeraGroups": 1})
    with (
        pytest.raises(TargetRefused, match="PR lacks a row that others make"),
        both.ours.transaction() as transaction,
    ):
        transaction.upsert(PROJECT.name, [row])
    assert both.held(PROJECT.name, "AjeraName") == {("P-1", "1", " "): "before"}


def test_child_rows_are_made_changed_and_deleted_with_that_value_alone(both: Both) -> None:
    """A person's row of a phase has the same employee and role."""
    both.people_write(TEAM.name, "P-1", "7", LEAD, "1", " ", Hours=Decimal(3))
    phase, whole = ("P-1", "7", LEAD, "1", " "), ("P-1", "7", LEAD, " ", " ")
    with both.ours.transaction() as transaction:
        for hours, counts in ((5, RowCounts(created=1)), (6, RowCounts(changed=1))):
            wanted = {"P-1": [member("P-1", "7", hours)]}
            assert transaction.replace_children(TEAM.name, wanted) == counts
    assert both.held(TEAM.name, "Hours") == {phase: 3, whole: 6}
    with both.ours.transaction() as transaction:
        assert transaction.replace_children(TEAM.name, {"P-1": []}) == RowCounts(changed=1)
    assert both.held(TEAM.name, "Hours") == {phase: 3}


def test_rows_that_are_missing_are_made_with_that_value(both: Both) -> None:
    """Once, whatever else has the key."""
    row: Row = {"WBS1": "P-1", "Employee": "7", "Role": LEAD}
    both.people_write(TEAM.name, "P-1", "7", LEAD, "1", " ", Hours=None)
    with both.ours.transaction() as transaction:
        assert transaction.create_missing(TEAM.name, [row]) == 1
        assert transaction.create_missing(TEAM.name, [row]) == 0
    assert len(both.rows(TEAM.name)) == 2


@pytest.mark.postgres
def test_a_fixed_column_that_the_database_lacks_is_named(postgres_engine: sa.Engine) -> None:
    """As any column that we rely on."""
    schema = f"tabs_{uuid.uuid4().hex[:8]}"
    with postgres_engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(schema))
    create_target_tables(postgres_engine, TABS, SITE, schema)
    found = describe_target(postgres_engine, TABS, SITE, schema)
    assert [one.fixed for one in found] == [one.fixed for one in TABS.targets]
    with postgres_engine.begin() as connection:
        connection.execute(sa.text(f'ALTER TABLE {schema}."the PR" RENAME "WBS 2" TO other'))
    with pytest.raises(TargetMismatch, match=r"the PR\.WBS 2"):
        describe_target(postgres_engine, TABS, SITE, schema)
