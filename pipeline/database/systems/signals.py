"""The table in a captured database through which its connector is asked for something: Debezium's
signal table. What is asked is read from the source's log, in its order, also after an outage.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine, text

from pipeline.database.sql.dialect import Dialect
from pipeline.database.sql.engine import dialect_of
from pipeline.database.sql.session import translated

EXECUTE: Final = "execute-snapshot"
STOP: Final = "stop-snapshot"
RESUME: Final = "resume-snapshot"
LONGEST_DATA: Final = 20_000  # characters: SQL Server's CDC takes 65,536 bytes of a long text


@dataclass(frozen=True, slots=True)
class Signal:
    """A row of the table: `data` is JSON, in Debezium's words and ours."""

    id: str
    kind: str
    data: str


class SignalTable:
    """`schema` and `table` name it. Each call is a transaction of its own, and raises TargetBusy or
    TargetRefused for what the database refuses.
    """

    def __init__(self, engine: Engine, schema: str, table: str) -> None:
        self._engine = engine
        self._dialect = dialect_of(engine)
        self._schema = schema
        self._table = table
        self._name = self._dialect.qualify(schema, table)

    def is_ready(self) -> bool:
        """Is it there and, on SQL Server, captured."""
        with self._connected() as connection:
            query = text(READY[self._dialect.name])
            names = {"schema": self._schema, "table": self._table}
            return bool(connection.execute(query, names).scalar_one_or_none())

    def create(self) -> None:
        """Create what is missing of it."""
        with self._connected() as connection:
            for statement in creation(self._dialect, self._schema, self._table):
                connection.execute(text(statement))

    def send(self, signal: Signal) -> None:
        quote = self._dialect.quote
        columns = ", ".join(map(quote, ("id", "type", "data")))
        with self._connected() as connection:
            connection.execute(
                text(f"INSERT INTO {self._name} ({columns}) VALUES (:id, :kind, :data)"),
                {"id": signal.id, "kind": signal.kind, "data": signal.data},
            )

    def sent(self, kind: str) -> list[Signal]:
        """Those of a kind, by their ids. Debezium's own rows are of other kinds."""
        quote = self._dialect.quote
        query = text(
            f"SELECT {quote('id')}, {quote('data')} FROM {self._name}"
            f" WHERE {quote('type')} = :kind ORDER BY {quote('id')}"
        )
        with self._connected() as connection:
            found = connection.execute(query, {"kind": kind}).all()
        return [Signal(str(number), kind, str(data)) for number, data in found]

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with (
            translated(self._engine, f"the signal table {self._schema}.{self._table}"),
            self._engine.begin() as connection,
        ):
            yield connection


READY: Final = {
    "postgresql": (
        "SELECT 1 FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE n.nspname = :schema AND c.relname = :table"
    ),
    "mssql": (
        "SELECT 1 FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id"
        " WHERE s.name = :schema AND t.name = :table AND t.is_tracked_by_cdc = 1"
    ),
}


def creation(dialect: Dialect, schema: str, table: str) -> tuple[str, ...]:
    """The statements that create it: for a person, where our user may not."""
    name, quote = dialect.qualify(schema, table), dialect.quote
    if dialect.name == "postgresql":
        columns = '("id" varchar(64) PRIMARY KEY, "type" varchar(32), "data" text)'
        return (
            f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}",
            f"CREATE TABLE IF NOT EXISTS {name} {columns}",
        )
    made = _text(f"CREATE SCHEMA {quote(schema)}")
    key = "[id] varchar(64) NOT NULL PRIMARY KEY"
    columns = f"({key}, [type] varchar(32) NULL, [data] nvarchar(max) NULL)"
    is_captured = (
        "EXISTS (SELECT 1 FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id"
        f" WHERE s.name = {_text(schema)} AND t.name = {_text(table)} AND t.is_tracked_by_cdc = 1)"
    )
    enable = (
        f"EXEC sys.sp_cdc_enable_table @source_schema = {_text(schema)},"
        f" @source_name = {_text(table)}, @role_name = NULL"
    )
    return (
        f"IF SCHEMA_ID({_text(schema)}) IS NULL EXEC({made})",
        f"IF OBJECT_ID({_text(name)}, N'U') IS NULL CREATE TABLE {name} {columns}",
        f"IF NOT {is_captured} {enable}",
    )


def _text(value: str) -> str:
    """A literal of T-SQL."""
    quoted = value.replace("'", "''")
    return f"N'{quoted}'"
