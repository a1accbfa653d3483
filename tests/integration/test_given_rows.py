"""Rows as PostgreSQL reads them from a statement's parameters."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa

from deploy.local.stack import Stack
from pipeline.database.sql.dialect import Field, Lock, Update, given
from pipeline.database.sql.engine import create_engine
from pipeline.database.sql.postgres import Postgres
from pipeline.database.sql.session import ConnectedSession, stored
from pipeline.mapping.source import ColumnType
from pipeline.model.event import Value
from tests.support.plans import Explaining

pytestmark = pytest.mark.postgres

KINDS = (
    ("bigint", ColumnType.INTEGER, (0, -(2**63), 2**63 - 1, None)),
    ("boolean", ColumnType.FLAG, (True, False, None)),
    (
        "text",
        ColumnType.TEXT,
        ("", " ", "null", "NULL", "{}", 'a,"b"\\', "a\nb\t\r\x1f", "Ω🏗️", None),
    ),
    ("timestamptz", ColumnType.INSTANT, (datetime(2026, 11, 27, 23, 59, 59, 999999, UTC), None)),
    ("date", ColumnType.DATE, (date(1, 1, 1), date(9999, 12, 31), None)),
    ("numeric", ColumnType.DECIMAL, (Decimal("1E+3"), Decimal("-0.0000000001"), None)),
)
KEY = Field("key", ColumnType.TEXT)
FIELDS = tuple(Field(f"of {sql}", kind) for sql, kind, _ in KINDS)
ROWS = 100_000


@pytest.fixture
def connection(postgres: Stack) -> Iterator[sa.Connection]:
    engine = create_engine(postgres.create_database(f"given-{uuid.uuid4().hex[:8]}"))
    columns = ", ".join(f'"of {sql}" {sql}' for sql, _, _ in KINDS)
    with engine.connect() as connection:
        connection.execute(sa.text(f'CREATE TABLE given ("key" text PRIMARY KEY, {columns})'))
        yield connection
    engine.dispose()


def test_what_a_statement_is_given_is_what_the_table_holds(connection: sa.Connection) -> None:
    """Of every kind of column, whatever texts hold; a NUL is left out."""
    session, chance = ConnectedSession(connection, Postgres()), random.Random(16)
    given: dict[str, tuple[Value, ...]] = {
        f"k{number}": tuple(chance.choice(values) for _, _, values in KINDS)
        for number in range(500)
    }
    session.run(
        "given",
        session.dialect.insert_missing("given", (KEY,), FIELDS),
        [(f"\x00{key}", *values) for key, values in given.items()],
    )
    names = [field.name for field in (KEY, *FIELDS)]
    found = session.run(
        "given",
        session.dialect.select("given", (KEY,), names, Lock.NONE),
        [(key,) for key in given],
    )
    assert {str(key): tuple(stored(FIELDS, values).values()) for key, *values in found} == given


def test_thousands_of_keys_are_looked_up_by_the_index(connection: sa.Connection) -> None:
    """A table that grows is not read whole for a batch, however well its rows are counted."""
    connection.execute(
        sa.text(f"INSERT INTO given SELECT 'k' || number FROM generate_series(1, {ROWS}) AS number")
    )
    connection.execute(sa.text("ANALYZE given"))
    session = Explaining(connection)
    keys: list[tuple[Value, ...]] = [(f"k{number}",) for number in range(1, ROWS + 1, 50)]
    for lock in (Lock.NONE, Lock.UPDATE):
        session.run("given", session.dialect.select("given", (KEY,), ["key"], lock), keys)
    assert session.answers == 2 * len(keys)
    assert {node for _, node, _ in session.nodes}.isdisjoint({"Seq Scan"})


def test_a_few_rows_of_a_small_table_are_looked_up_by_the_index(connection: sa.Connection) -> None:
    """Those of a small batch, also where they are locked, changed or deleted: to read thousands of
    rows for twenty takes as long as all else of the batch.
    """
    connection.execute(
        sa.text(
            "INSERT INTO given (\"key\", \"of text\") SELECT 'k' || number, repeat('wide ', 80)"
            " FROM generate_series(1, 4000) AS number"
        )
    )
    connection.execute(sa.text("ANALYZE given"))
    session, dialect = Explaining(connection), Postgres()
    keys: list[tuple[Value, ...]] = [(f"k{number}",) for number in range(20)]
    flag = Field("of boolean", ColumnType.FLAG)
    update = Update("given", (KEY,), (flag,), (given(flag.name),))
    session.run("given", dialect.select("given", (KEY,), ["key"], Lock.UPDATE), keys)
    session.run("given", dialect.update(update), [(*key, True) for key in keys])
    session.run("given", dialect.delete("given", (KEY,)), keys)
    assert {node for _, node, _ in session.nodes}.isdisjoint({"Seq Scan"})
