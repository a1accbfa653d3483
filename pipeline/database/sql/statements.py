"""Statements on the driver's own cursor, within a connection of SQLAlchemy.

What SQLAlchemy does around each statement (names of the answer's columns, a result object) takes
more CPU than the driver and is used by nobody here: a small batch has some twenty statements.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, engine, text

from pipeline.database.sql.dialect import Dialect
from pipeline.model.event import Value

Parameters = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class DriverText:
    """A statement as its driver wants it; `places` are the parameters by place, None where the
    driver takes them by name.
    """

    text: str
    places: tuple[str, ...] | None

    def given(self, parameters: Parameters) -> Any:
        if self.places is None:
            return parameters
        return tuple(parameters[name] for name in self.places)


@lru_cache(maxsize=2048)
def _prepared(sql: str, dialect: engine.Dialect) -> DriverText:
    """`:name` in the driver's form, as SQLAlchemy writes it."""
    compiled = text(sql).compile(dialect=dialect)
    places = tuple(compiled.positiontup or ()) if compiled.positional else None
    return DriverText(str(compiled), places)


def answer_of(
    connection: Connection, dialect: Dialect, sql: str, parameters: Parameters
) -> list[tuple[Value, ...]]:
    """The first answer's rows. An answer closed before its end is cancelled,
    which under XACT_ABORT rolls back. Raises the driver's errors; a connection that is lost is not
    used again.
    """
    statement = _prepared(sql, connection.dialect)
    pooled: Any = connection.connection
    with closing(pooled.cursor()) as cursor:
        try:
            cursor.execute(statement.text, statement.given(parameters))
            if not dialect.has_rows(cursor):
                return []
            rows = [tuple(row) for row in cursor.fetchall()]
            while cursor.nextset():
                pass
        except connection.dialect.loaded_dbapi.Error as error:
            if connection.dialect.is_disconnect(error, pooled.driver_connection, cursor):
                connection.invalidate(error)
            raise
    return rows
