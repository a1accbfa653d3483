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
from pipeline.database.systems.own_tables import READY, created

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


COLUMNS: Final = {
    "postgresql": '("id" varchar(64) PRIMARY KEY, "type" varchar(32), "data" text)',
    "mssql": (
        "([id] varchar(64) NOT NULL PRIMARY KEY, [type] varchar(32) NULL,"
        " [data] nvarchar(max) NULL)"
    ),
}


def creation(dialect: Dialect, schema: str, table: str) -> tuple[str, ...]:
    """The statements that create it: for a person, where our user may not."""
    return created(dialect, schema, table, COLUMNS[dialect.name])
