"""Looking at a live source database: its columns against the contract,
and what capture needs of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.dialects import mssql

from pipeline.database.sql.engine import dialect_of
from pipeline.database.sql.session import translated
from pipeline.decoding.contract import Contract
from pipeline.mapping.site import Site
from pipeline.mapping.source import ColumnType, SourceTable


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `action` where it is not ok, or where something better is advised."""

    name: str
    is_ok: bool
    found: str
    action: str = ""


# What a column may be in the database, by what the contract wants of it.
FITTING: Mapping[ColumnType, tuple[type[Any], ...]] = {
    ColumnType.INTEGER: (sa.Integer,),
    ColumnType.FLAG: (sa.Boolean, sa.Integer),
    ColumnType.TEXT: (sa.String,),
    ColumnType.SHORT_TEXT: (sa.String,),
    ColumnType.INSTANT: (sa.DateTime,),
    ColumnType.DATE: (sa.Date, sa.DateTime),
    ColumnType.DECIMAL: (sa.Numeric, sa.Float, sa.Integer, mssql.MONEY, mssql.SMALLMONEY),
}
ON_TRUNCATE = 32  # in pg_trigger.tgtype
SCHEMAS = {"postgresql": "public", "mssql": "dbo"}


def source_findings(
    engine: Engine,
    sources: Sequence[SourceTable],
    needs: Mapping[str, Mapping[str, str]],
    site: Site,
    contract: Contract,
    schema: str | None,
) -> list[Finding]:
    """Every finding; raises TargetBusy when the database does not answer. `needs` as the decoder's."""
    contract.refuse_unlike(sources)
    schema = schema or SCHEMAS[engine.dialect.name]
    with (
        translated(dialect_of(engine), "the source's catalogue"),
        engine.connect() as connection,
    ):
        inspector = sa.inspect(connection)
        found = [
            _columns(inspector, table, site, schema, needs.get(table.name, {})) for table in sources
        ]
        names = [site.source_table(table.name) for table in sources]
        looks = _postgres if engine.dialect.name == "postgresql" else _sqlserver
        return [*found, *looks(connection, schema, names)]


def _columns(
    inspector: Any,
    table: SourceTable,
    site: Site,
    schema: str,
    needed: Mapping[str, str],
) -> Finding:
    name = site.source_table(table.name)
    if not inspector.has_table(name, schema):
        return Finding(
            f"table {name}",
            is_ok=False,
            found="is missing",
            action="Name it in the site profile, [source].",
        )
    live = {str(column["name"]): column["type"] for column in inspector.get_columns(name, schema)}
    faults = []
    for column in table.columns:
        here = site.source_column(table.name, column.name)
        if column.name not in needed:
            continue
        if here not in live:
            faults.append(f"{here} is missing, needed by {needed[column.name]}")
        elif not isinstance(live[here], FITTING[column.kind]):
            faults.append(
                f"{here} is {live[here]}, wanted is {column.kind.value}, needed by {needed[column.name]}"
            )
    if faults:
        return Finding(
            f"table {name}",
            is_ok=False,
            found="; ".join(faults),
            action="Name the column in the site profile.",
        )
    key = inspector.get_pk_constraint(name, schema)["constrained_columns"]
    if key != [site.source_column(table.name, column.name) for column in table.key_columns]:
        wanted = ", ".join(column.name for column in table.key_columns)
        found = f"its primary key is {', '.join(key) or 'missing'}"
        return Finding(
            f"table {name}",
            is_ok=False,
            found=found,
            action=f"Wanted is {wanted}: what names a row in its messages.",
        )
    return Finding(f"table {name}", is_ok=True, found="every needed column is there")


# -- PostgreSQL ------------------------------------------------------------------------------------


def _postgres(connection: Connection, schema: str, tables: list[str]) -> Iterator[Finding]:
    level = str(_one(connection, "SHOW wal_level"))
    action = (
        ""
        if level == "logical"
        else "ALTER SYSTEM SET wal_level = logical, then restart the server."
    )
    yield Finding("wal_level", level == "logical", level, action)
    may = bool(
        _one(
            connection,
            "SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user",
        )
    )
    yield Finding(
        "replication",
        may,
        "granted" if may else "not granted",
        "" if may else "ALTER ROLE the user WITH REPLICATION.",
    )
    free = int(
        str(
            _one(
                connection,
                "SELECT current_setting('max_replication_slots')::int - (SELECT count(*) FROM pg_replication_slots)",
            )
        )
    )
    used = bool(_one(connection, "SELECT EXISTS (SELECT 1 FROM pg_replication_slots)"))
    yield Finding(
        "replication slots",
        free > 0 or used,
        f"{free} free",
        "" if free > 0 or used else "Raise max_replication_slots.",
    )
    query = sa.text(
        "SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE n.nspname = :schema AND c.relname = ANY(:tables) AND c.relreplident <> 'f' ORDER BY 1"
    )
    without = [
        str(row[0]) for row in connection.execute(query, {"schema": schema, "tables": tables})
    ]
    found = "FULL on every table" if not without else f"not FULL on {', '.join(without)}"
    action = (
        ""
        if not without
        else "Not needed: untouched long texts come from the mirror. FULL spares a look there."
    )
    yield Finding("replica identity", is_ok=True, found=found, action=action)
    yield _truncate_guards(connection, schema, tables)


def _truncate_guards(connection: Connection, schema: str, tables: list[str]) -> Finding:
    """Debezium's flattening drops truncates, so PostgreSQL has to refuse them,
    as SQL Server does by itself.
    """
    query = sa.text(
        "SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE n.nspname = :schema AND c.relname = ANY(:tables) AND NOT EXISTS (SELECT 1 FROM pg_trigger AS t"
        " WHERE t.tgrelid = c.oid AND t.tgenabled <> 'D' AND (t.tgtype & :on_truncate) <> 0) ORDER BY 1"
    )
    parameters = {
        "schema": schema,
        "tables": tables,
        "on_truncate": ON_TRUNCATE,
    }
    without = [str(row[0]) for row in connection.execute(query, parameters)]
    found = (
        "refused by a trigger"
        if not without
        else f"possible on {', '.join(without)}, and would be missed"
    )
    action = (
        ""
        if not without
        else "Create a BEFORE TRUNCATE trigger that raises an exception on each of these tables."
    )
    return Finding("TRUNCATE", not without, found, action)


# -- SQL Server ------------------------------------------------------------------------------------

ENABLE_DATABASE = "EXEC sys.sp_cdc_enable_db; it needs sysadmin once."
ENABLE_TABLE = "EXEC sys.sp_cdc_enable_table @source_schema = N'{schema}', @source_name = N'{table}', @role_name = NULL;"
EXPRESS = 4


def _sqlserver(connection: Connection, schema: str, tables: list[str]) -> Iterator[Finding]:
    edition = int(
        str(
            _one(
                connection,
                "SELECT CAST(SERVERPROPERTY('EngineEdition') AS int)",
            )
        )
    )
    name = str(
        _one(
            connection,
            "SELECT CAST(SERVERPROPERTY('Edition') AS nvarchar(128))",
        )
    )
    lacks_it = edition == EXPRESS or name.startswith("Web")
    yield Finding(
        "edition",
        not lacks_it,
        name,
        "Change data capture is not in SQL Server Express or Web: Standard (2016 SP1 or later), Enterprise or Developer is needed."
        if lacks_it
        else "",
    )
    enabled = bool(
        _one(
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
    snapshots = int(
        str(
            _one(
                connection,
                "SELECT snapshot_isolation_state FROM sys.databases WHERE database_id = DB_ID()",
            )
        )
    )
    yield Finding(
        "snapshot isolation",
        snapshots == 1,
        "allowed" if snapshots == 1 else "not allowed",
        ""
        if snapshots == 1
        else "ALTER DATABASE CURRENT SET ALLOW_SNAPSHOT_ISOLATION ON: the snapshot locks nobody out.",
    )
    query = sa.text(
        "SELECT t.is_tracked_by_cdc FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id"
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


def _agent(connection: Connection) -> Finding:
    """The capture job writes its time into lsn_time_mapping;
    nothing there means that nobody captures.
    """
    newest = _one(connection, "SELECT MAX(tran_end_time) FROM cdc.lsn_time_mapping")
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


def _one(connection: Connection, query: str) -> object:
    return connection.execute(sa.text(query)).scalar_one_or_none()
