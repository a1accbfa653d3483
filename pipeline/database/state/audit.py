"""The audit lines of a route: `sync.audit`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Insert, MetaData, Select, Table, func, select

from pipeline.database.sql.session import translated
from pipeline.database.state.schema import DEFAULT_SCHEMA
from pipeline.database.state.schema_audit import LENGTHS, audit_table
from pipeline.mapping.convert import cut
from pipeline.model.audit import AuditEntry, AuditLine


class DatabaseAuditTrail:
    """Lines are added, and never changed. Each call is a transaction of its own."""

    def __init__(self, engine: Engine, schema: str = DEFAULT_SCHEMA) -> None:
        self._engine = engine
        self._table = audit_table(MetaData(schema=schema))

    def append(self, entry: AuditEntry) -> None:
        """Texts are cut to the columns. Raises TargetBusy, TargetRefused."""
        with translated(self._engine, "audit"), self._engine.begin() as connection:
            connection.execute(insertion(self._table, entry))

    def newest(self, limit: int) -> list[AuditLine]:
        """So many lines, the newest first. Raises TargetBusy, TargetRefused."""
        with translated(self._engine, "audit"), self._engine.connect() as connection:
            return _lines(connection, selection(self._table, limit))


def insertion(table: Table, entry: AuditEntry) -> Insert:
    values: dict[str, Any] = asdict(entry)
    for name, length in LENGTHS.items():
        values[name] = cut(values[name], length, utf16=True)
    return table.insert().values(**values, database_user=func.current_user())


def selection(table: Table, limit: int) -> Select[Any]:
    return select(table).order_by(table.c.number.desc()).limit(limit)


def _lines(connection: Connection, query: Select[Any]) -> list[AuditLine]:
    found = []
    for row in connection.execute(query).mappings():
        texts = (str(row[name]) for name in ("who", "command", "arguments", "outcome"))
        at: datetime = row["at"]
        entry = AuditEntry(at.astimezone(UTC), *texts)
        found.append(AuditLine(int(row["number"]), entry, str(row["database_user"])))
    return found
