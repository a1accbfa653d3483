"""What capture needs of a SQL Server source."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy import Connection

from pipeline.database.systems.finding import Finding, number, one

ENABLE_DATABASE = "EXEC sys.sp_cdc_enable_db; it needs sysadmin once."
ENABLE_TABLE = (
    "EXEC sys.sp_cdc_enable_table @source_schema = N'{schema}', @source_name = N'{table}', "
    "@role_name = NULL;"
)
EXPRESS = 4


def sqlserver_findings(connection: Connection, schema: str, tables: list[str]) -> Iterator[Finding]:
    """Whether the edition has change data capture, and where it is on."""
    yield _edition(connection)
    enabled = bool(
        one(
            connection,
            "SELECT is_cdc_enabled FROM sys.databases WHERE database_id = DB_ID()",
        )
    )
    yield Finding(
        "CDC",
        enabled,
        "on" if enabled else "off",
        "" if enabled else ENABLE_DATABASE,
    )
    yield _snapshot_isolation(connection)
    query = sa.text(
        "SELECT t.is_tracked_by_cdc FROM sys.tables AS t JOIN sys.schemas AS s"
        " ON s.schema_id = t.schema_id"
        " WHERE s.name = :schema AND t.name = :table"
    )
    for table in tables:
        tracked = bool(
            connection.execute(query, {"schema": schema, "table": table}).scalar_one_or_none()
        )
        action = "" if tracked else ENABLE_TABLE.format(schema=schema, table=table)
        yield Finding(f"CDC of {table}", tracked, "on" if tracked else "off", action)
    if enabled:
        yield _agent(connection)


def _edition(connection: Connection) -> Finding:
    edition = number(connection, "SELECT CAST(SERVERPROPERTY('EngineEdition') AS int)")
    name = str(
        one(
            connection,
            "SELECT CAST(SERVERPROPERTY('Edition') AS nvarchar(128))",
        )
    )
    lacks_it = edition == EXPRESS or name.startswith("Web")
    action = (
        "Change data capture is not in SQL Server Express or Web: Standard (2016 SP1 or later), "
        "Enterprise or Developer is needed."
    )
    return Finding("edition", not lacks_it, name, action if lacks_it else "")


def _snapshot_isolation(connection: Connection) -> Finding:
    query = "SELECT snapshot_isolation_state FROM sys.databases WHERE database_id = DB_ID()"
    is_allowed = number(connection, query) == 1
    return Finding(
        "snapshot isolation",
        is_allowed,
        "allowed" if is_allowed else "not allowed",
        ""
        if is_allowed
        else (
            "ALTER DATABASE CURRENT SET ALLOW_SNAPSHOT_ISOLATION ON: the snapshot locks nobody out."
        ),
    )


def _agent(connection: Connection) -> Finding:
    """The capture job writes its time into lsn_time_mapping;
    nothing there means that nobody captures.
    """
    newest = one(connection, "SELECT MAX(tran_end_time) FROM cdc.lsn_time_mapping")
    action = (
        ""
        if newest is not None
        else "Start SQL Server Agent; its job cdc.<database>_capture reads the log."
    )
    return Finding(
        "capture job",
        newest is not None,
        "has captured" if newest is not None else "has never captured",
        action,
    )
