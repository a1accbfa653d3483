"""Tables of our own in a captured database, which its connector captures beside the vendor's."""

from __future__ import annotations

from typing import Final

from pipeline.database.sql.dialect import Dialect

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


def created(dialect: Dialect, schema: str, table: str, columns: str) -> tuple[str, ...]:
    """The statements that create a table where it is missing, and on SQL Server capture it."""
    name, quote = dialect.qualify(schema, table), dialect.quote
    if dialect.name == "postgresql":
        return (
            f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}",
            f"CREATE TABLE IF NOT EXISTS {name} {columns}",
        )
    made = _text(f"CREATE SCHEMA {quote(schema)}")
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
