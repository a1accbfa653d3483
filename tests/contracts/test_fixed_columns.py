"""Tables whose rows of ours hold one value in some columns, beside rows of others that hold other
values there: the twin in memory and PostgreSQL always, SQL Server where PIPELINE_TEST_SQLSERVER_URL
names one.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import pytest
import sqlalchemy as sa

from pipeline.database.state.migrate import upgrade
from pipeline.database.systems.live import create_target_tables, describe_target
from pipeline.database.target import DatabaseTarget
from pipeline.engine.consumer.ports import Target
from pipeline.errors import TargetMismatch, TargetRefused
from pipeline.mapping.site import Site, TargetNames
from pipeline.mapping.target import TargetRow
from pipeline.model.event import Row, Value
from pipeline.model.outcome import RowCounts
from tests.contracts.conftest import KINDS, SQL_SERVER
from tests.support.tabs import LEAD, PROJECT, TABS, TEAM, THEIRS
from tests.twins.target import MemoryTarget

SITE = Site(target={"PR": TargetNames(name="the PR", columns={"WBS2": "WBS 2"})})


@dataclass(frozen=True)
class Both:
    """Our target, and the same tables as people write them."""

    ours: Target
    theirs: Target
    rows: Callable[[str], Sequence[Row]]

    def people_write(self, table: str, *key: str, **columns: Value) -> None:
        with self.theirs.transaction() as transaction:
            transaction.upsert(table, [TargetRow(table, key, columns)])

    def held(self, table: str, column: str) -> dict[tuple[Value, ...], Value]:
        """What each row holds in a column, by its whole key."""
        key = next(one.key for one in THEIRS.targets if one.name == table)
        return {tuple(row[name] for name in key): row[column] for row in self.rows(table)}


@pytest.fixture(params=KINDS)
def both(request: pytest.FixtureRequest) -> Iterator[Both]:
    """Nothing in the tables."""
    kind: str = request.param
    if kind == "memory":
        memory, people = MemoryTarget(TABS), MemoryTarget(THEIRS)
        people.targets, people.locks = memory.targets, memory.locks
        yield Both(memory, people, memory.rows)
        return
    if kind == "sqlserver" and not os.environ.get(SQL_SERVER):
        pytest.skip(f"{SQL_SERVER} is not set: no SQL Server to hold to the contract")
    engine: sa.Engine = request.getfixturevalue(f"{kind}_engine")
    schema = f"tabs_{uuid.uuid4().hex[:8]}"
    upgrade(engine, schema, mirrored=TABS.sources)
    create_target_tables(engine, TABS, SITE, schema)

    def rows(table: str) -> list[Row]:
        name = SITE.target_table(table)
        described = sa.Table(name, sa.MetaData(schema=schema), autoload_with=engine)
        columns = [
            described.c[SITE.target_column(table, column)].label(column)
            for column in TABS.target(table).by_name()
        ]
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(sa.select(*columns)).mappings()]

    yield Both(
        DatabaseTarget(engine, TABS, SITE, schema, schema),
        DatabaseTarget(engine, THEIRS, SITE, schema, schema),
        rows,
    )


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
