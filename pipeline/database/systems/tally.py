"""How many rows of a table hold which values."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine

from pipeline.database.sql.engine import dialect_of
from pipeline.database.sql.session import (
    ConnectedSession,
    number_of,
    translated,
)
from pipeline.model.event import Value


def tally(
    engine: Engine, schema: str | None, table: str, columns: Sequence[str]
) -> list[tuple[tuple[Value, ...], int]]:
    """The values that these columns hold together, each with its number of rows."""
    dialect = dialect_of(engine)
    names = ", ".join(dialect.quote(column) for column in columns)
    sql = f"SELECT {names}, COUNT(*) AS held FROM {dialect.qualify(schema, table)} GROUP BY {names}"
    with translated(engine, table), engine.begin() as connection:
        answers = ConnectedSession(connection, dialect).ask(table, sql)
    return [(tuple(values), number_of(count)) for *values, count in answers]
