"""What capture needs of a PostgreSQL source."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy import Connection

from pipeline.database.systems.finding import Finding, number, one

ON_TRUNCATE = 32  # in pg_trigger.tgtype


def postgres_findings(connection: Connection, schema: str, tables: list[str]) -> Iterator[Finding]:
    """Whether the log is logical, and who may read it; then each table."""
    level = str(one(connection, "SHOW wal_level"))
    action = (
        ""
        if level == "logical"
        else "ALTER SYSTEM SET wal_level = logical, then restart the server."
    )
    yield Finding("wal_level", level == "logical", level, action)
    may = bool(
        one(
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
    yield _slots(connection)
    yield _replica_identity(connection, schema, tables)
    yield _truncate_guards(connection, schema, tables)


def _slots(connection: Connection) -> Finding:
    query = (
        "SELECT current_setting('max_replication_slots')::int"
        " - (SELECT count(*) FROM pg_replication_slots)"
    )
    free = number(connection, query)
    used = bool(one(connection, "SELECT EXISTS (SELECT 1 FROM pg_replication_slots)"))
    return Finding(
        "replication slots",
        free > 0 or used,
        f"{free} free",
        "" if free > 0 or used else "Raise max_replication_slots.",
    )


def _replica_identity(connection: Connection, schema: str, tables: list[str]) -> Finding:
    query = sa.text(
        "SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE n.nspname = :schema AND c.relname = ANY(:tables) AND c.relreplident <> 'f'"
        " ORDER BY 1"
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
    return Finding("replica identity", is_ok=True, found=found, action=action)


def _truncate_guards(connection: Connection, schema: str, tables: list[str]) -> Finding:
    """Debezium's flattening drops truncates, so PostgreSQL has to refuse them,
    as SQL Server does by itself.
    """
    query = sa.text(
        "SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE n.nspname = :schema AND c.relname = ANY(:tables) AND NOT EXISTS (SELECT 1"
        " FROM pg_trigger AS t"
        " WHERE t.tgrelid = c.oid AND t.tgenabled <> 'D' AND (t.tgtype & :on_truncate) <> 0)"
        " ORDER BY 1"
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
