"""Rows of a captured table that a person or a key chooses, as a condition in the source's SQL."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Engine, text

from pipeline.database.sql.dialect import Dialect
from pipeline.database.sql.engine import dialect_of
from pipeline.database.sql.session import translated
from pipeline.errors import UsageError
from pipeline.mapping.site import Site
from pipeline.mapping.source import SourceTable
from pipeline.model.event import Value


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which rows: in words, without a value of theirs, and as a condition ("": all). `keys`: how
    many there are at most, where they are chosen by key.
    """

    what: str
    condition: str
    keys: int | None = None


def by_keys(dialect: Dialect, site: Site, table: SourceTable, keys: Collection[str]) -> Chosen:
    """The rows with these keys, as the ledger writes them. Raises UsageError for one that is none
    of this table.
    """
    names = [
        dialect.quote(site.source_column(table.name, column.name)) for column in table.key_columns
    ]
    rows = [_values(table, key) for key in sorted({*keys})]
    what = f"{len(rows):,} key" + ("s" if len(rows) != 1 else "")
    if len(names) == 1:
        listed = ", ".join(_literal(dialect, value) for (value,) in rows)
        return Chosen(what, f"{names[0]} IN ({listed})", len(rows))
    each = (
        " AND ".join(
            f"{name} = {_literal(dialect, value)}" for name, value in zip(names, row, strict=True)
        )
        for row in rows
    )
    return Chosen(what, " OR ".join(f"({one})" for one in each), len(rows))


def by_filter(condition: str) -> Chosen:
    """The rows that a condition chooses, typed by the operator in the source's SQL."""
    return Chosen("a condition", condition)


def count(engine: Engine, schema: str, table: str, chosen: Chosen) -> int:
    """How many there are now. Raises TargetRefused for a condition that the database refuses,
    TargetBusy.
    """
    dialect = dialect_of(engine)
    condition = f" WHERE ({chosen.condition})" if chosen.condition else ""
    query = f"SELECT COUNT(*) FROM {dialect.qualify(schema, table)}{condition}"
    with translated(engine, f"counting rows of {table}"), engine.connect() as connection:
        return int(connection.execute(text(query.replace(":", r"\:"))).scalar_one())


def _values(table: SourceTable, key: str) -> tuple[Value, ...]:
    try:
        return table.key_values(key)
    except ValueError:
        columns = "|".join(table.key)
        raise UsageError(f"A key is none of {table.name}: it is {columns}.") from None


def _literal(dialect: Dialect, value: Value) -> str:
    match value:
        case bool():
            is_one = "1" if value else "0"
            return is_one if dialect.name == "mssql" else str(value).upper()
        case int():
            return str(value)
        case _:
            quoted = str(value).replace("'", "''")
            return f"N'{quoted}'" if dialect.name == "mssql" else f"'{quoted}'"
