"""A target of ours whose tables people fill, too, of each kind of database."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from pipeline.database.state.migrate import upgrade
from pipeline.database.systems.live import create_target_tables
from pipeline.database.target import DatabaseTarget
from pipeline.engine.consumer.ports import Target
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site, TargetNames
from pipeline.mapping.target import TargetRow
from pipeline.model.event import Row, Value
from tests.contracts.conftest import SQL_SERVER
from tests.support.tabs import theirs
from tests.twins.target import MemoryTarget

SITE = Site(target={"PR": TargetNames(name="the PR", columns={"WBS2": "WBS 2"})})


@dataclass(frozen=True)
class Both:
    """Our target, and the same tables as people write them."""

    ours: Target
    theirs: Target
    route: Route
    rows: Callable[[str], Sequence[Row]]
    people_delete: Callable[[str, str], object]  # a table's row, by its one key

    def people_write(self, table: str, *key: str, **columns: Value) -> None:
        with self.theirs.transaction() as transaction:
            transaction.upsert(table, [TargetRow(table, key, columns)])

    def held(self, table: str, column: str) -> dict[tuple[Value, ...], Value]:
        """What each row holds in a column, by its whole key."""
        key = self.route.target(table).key
        return {tuple(row[name] for name in key): row[column] for row in self.rows(table)}


def both_of(request: pytest.FixtureRequest, route: Route) -> Both:
    """Nothing in the tables."""
    kind: str = request.param
    people = theirs(route)
    if kind == "memory":
        memory, other = MemoryTarget(route), MemoryTarget(people)
        other.targets, other.locks = memory.targets, memory.locks

        def removed(table: str, key: str) -> object:
            return memory.targets[table].rows.pop((key,))

        return Both(memory, other, people, memory.rows, removed)
    if kind == "sqlserver" and not os.environ.get(SQL_SERVER):
        pytest.skip(f"{SQL_SERVER} is not set: no SQL Server to hold to the contract")
    engine: sa.Engine = request.getfixturevalue(f"{kind}_engine")
    schema = f"tabs_{uuid.uuid4().hex[:8]}"
    upgrade(engine, schema, mirrored=route.sources)
    create_target_tables(engine, route, SITE, schema)

    def rows(table: str) -> list[Row]:
        name = SITE.target_table(table)
        described = sa.Table(name, sa.MetaData(schema=schema), autoload_with=engine)
        columns = [
            described.c[SITE.target_column(table, column)].label(column)
            for column in route.target(table).by_name()
        ]
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(sa.select(*columns)).mappings()]

    def deleted(table: str, key: str) -> object:
        name = SITE.target_table(table)
        described = sa.Table(name, sa.MetaData(schema=schema), autoload_with=engine)
        (column,) = described.primary_key.columns
        with engine.begin() as connection:
            return connection.execute(sa.delete(described).where(column == key))

    return Both(
        DatabaseTarget(engine, route, SITE, schema, schema),
        DatabaseTarget(engine, people, SITE, schema, schema),
        people,
        rows,
        deleted,
    )
