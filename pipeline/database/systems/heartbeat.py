"""The heartbeat table of a captured database: one row, which the connector writes with each of its
heartbeats, and reads back from the log. On SQL Server it comes through the capture job.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Engine, text

from pipeline.database.sql.dialect import Dialect
from pipeline.database.sql.engine import dialect_of
from pipeline.database.sql.session import translated
from pipeline.database.systems.own_tables import READY, created

COLUMNS: Final = {
    "postgresql": '("id" integer PRIMARY KEY, "at" timestamptz NOT NULL)',
    "mssql": "([id] int NOT NULL PRIMARY KEY, [at] datetime2 NOT NULL)",
}
NOW: Final = {"postgresql": "now()", "mssql": "SYSUTCDATETIME()"}


class HeartbeatTable:
    """`schema` and `table` name it. Each call is a transaction of its own, and raises TargetBusy or
    TargetRefused for what the database refuses.
    """

    def __init__(self, engine: Engine, schema: str, table: str) -> None:
        self._engine = engine
        self._dialect = dialect_of(engine)
        self._schema = schema
        self._table = table

    def is_ready(self) -> bool:
        """Is it there, captured (on SQL Server), and has its row."""
        name = self._dialect.qualify(self._schema, self._table)
        with translated(self._engine, self._what), self._engine.connect() as connection:
            there = connection.execute(
                text(READY[self._dialect.name]), {"schema": self._schema, "table": self._table}
            ).scalar_one_or_none()
            if there is None:
                return False
            rows = connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()
            return bool(rows == 1)

    def create(self) -> None:
        """Create what is missing of it."""
        with translated(self._engine, self._what), self._engine.begin() as connection:
            for statement in creation(self._dialect, self._schema, self._table):
                connection.execute(text(statement))

    @property
    def _what(self) -> str:
        return f"the heartbeat table {self._schema}.{self._table}"


def creation(dialect: Dialect, schema: str, table: str) -> tuple[str, ...]:
    """The statements that create it: for a person, where our user may not."""
    name = dialect.qualify(schema, table)
    values = f"INSERT INTO {name} VALUES (1, {NOW[dialect.name]})"
    row = (
        f"{values} ON CONFLICT DO NOTHING"
        if dialect.name == "postgresql"
        else f"IF NOT EXISTS (SELECT 1 FROM {name}) {values}"
    )
    return (*created(dialect, schema, table, COLUMNS[dialect.name]), row)


def beat(dialect: Dialect, schema: str, table: str) -> str:
    """The statement that the connector runs with each heartbeat."""
    name, quote = dialect.qualify(schema, table), dialect.quote
    return f"UPDATE {name} SET {quote('at')} = {NOW[dialect.name]} WHERE {quote('id')} = 1"
