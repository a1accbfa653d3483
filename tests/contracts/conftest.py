"""The targets that the contract suite holds to the port: in memory, PostgreSQL,
and SQL Server where one is given.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from deploy.local.stack import Stack
from pipeline.database.sql.engine import create_engine, dialect_of
from pipeline.database.state.migrate import upgrade
from pipeline.database.state.schema import sync_metadata
from pipeline.database.systems.live import create_target_tables
from pipeline.database.target import DatabaseTarget
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.engine.consumer.ports import Target
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from tests.twins.target import MemoryTarget

SQL_SERVER = "PIPELINE_TEST_SQLSERVER_URL"
SUFFIX = uuid.uuid4().hex[:8]
SYNC, PIM = (
    f"sync_{SUFFIX}",
    f"pim_{SUFFIX}",
)  # never the names of a database in use
KINDS = (
    pytest.param("memory"),
    pytest.param("postgres", marks=pytest.mark.postgres),
    pytest.param("sqlserver", marks=pytest.mark.sqlserver),
)


@pytest.fixture(params=KINDS)
def target(request: pytest.FixtureRequest) -> Target:
    """An empty target database of each kind."""
    kind: str = request.param
    if kind == "memory":
        return MemoryTarget(AJERA_TO_PIM)
    if kind == "sqlserver" and not os.environ.get(SQL_SERVER):
        pytest.skip(f"{SQL_SERVER} is not set: no SQL Server to hold to the contract")
    engine: sa.Engine = request.getfixturevalue(f"{kind}_engine")
    _empty(engine)
    return DatabaseTarget(engine, AJERA_TO_PIM, Site(), SYNC, PIM)


@pytest.fixture(scope="session")
def postgres_engine(postgres: Stack) -> Iterator[sa.Engine]:
    """A database of the suite's own."""
    engine = create_engine(postgres.create_database("contract"), lock_timeout_seconds=10)
    yield _prepared(engine)
    engine.dispose()


@pytest.fixture(scope="session")
def sqlserver_engine() -> Iterator[sa.Engine]:
    """The database that the environment names; two schemas in it are made for this run,
    and stay.
    """
    engine = create_engine(os.environ[SQL_SERVER], lock_timeout_seconds=10)
    yield _prepared(engine)
    engine.dispose()


def _prepared(engine: sa.Engine) -> sa.Engine:
    upgrade(engine, SYNC, mirrored=AJERA_TO_PIM.sources)
    with engine.begin() as connection:
        if not sa.inspect(connection).has_schema(PIM):
            connection.execute(sa.schema.CreateSchema(PIM))
    create_target_tables(engine, AJERA_TO_PIM, Site(), PIM)
    return engine


def _empty(engine: sa.Engine) -> None:
    dialect = dialect_of(engine)
    names = [
        dialect.qualify(SYNC, table.name)
        for table in sync_metadata(SYNC, AJERA_TO_PIM.sources).tables.values()
    ]
    names += [dialect.qualify(PIM, table.name) for table in reversed(AJERA_TO_PIM.targets)]
    with engine.begin() as connection:
        for name in names:
            connection.execute(sa.text(f"DELETE FROM {name}"))


@dataclass(frozen=True)
class Release:
    """A target as a release keeps it, and may keep it on while a newer one has its own. `upgraded`
    gives the target of the next release, with this route: the schema is upgraded.
    """

    target: Target
    upgraded: Callable[[Route], Target]


@pytest.fixture(params=KINDS)
def older(request: pytest.FixtureRequest) -> Iterator[Release]:
    """A target of its own for each test, which may be carried over to another release."""
    kind: str = request.param
    if kind == "memory":
        memory = [MemoryTarget(AJERA_TO_PIM)]

        def carried(after: Route) -> Target:
            memory.append(memory[-1].carried_over(after))
            return memory[-1]

        yield Release(memory[0], carried)
        return
    if kind == "sqlserver" and not os.environ.get(SQL_SERVER):
        pytest.skip(f"{SQL_SERVER} is not set: no SQL Server to hold to the contract")
    engine: sa.Engine = request.getfixturevalue(f"{kind}_engine")
    schema = f"sync_{uuid.uuid4().hex[:8]}"
    upgrade(engine, schema, mirrored=AJERA_TO_PIM.sources)

    def upgraded(after: Route) -> Target:
        upgrade(engine, schema, mirrored=after.sources)
        return DatabaseTarget(engine, after, Site(), schema, PIM)

    yield Release(DatabaseTarget(engine, AJERA_TO_PIM, Site(), schema, PIM), upgraded)
