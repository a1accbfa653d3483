"""What PIM's own log says of every write: so that a repeat or a step back in between is seen,
not only the end state.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

AUDIT = """
CREATE SCHEMA audit;
CREATE TABLE audit.write (number bigserial PRIMARY KEY, source text, operation text, was jsonb,
    now jsonb);
CREATE FUNCTION audit.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit.write (source, operation, was, now)
        VALUES (TG_TABLE_NAME, TG_OP, to_jsonb(OLD), to_jsonb(NEW));
    RETURN NULL;
END $$;
"""
TABLES = (
    "Project_Status",
    "Role_Type",
    "Organization",
    "Contact",
    "Project",
    "Project_Contact",
)
KEYS = {
    "Organization": "Organization ID",
    "Contact": "Contact ID",
    "Project": "Project ID",
}
NUMBER = re.compile(r"^n-(\d+)$")


@dataclass(frozen=True, slots=True)
class Write:
    """One write of a row, as a trigger saw it."""

    table: str
    operation: str
    was: Mapping[str, Any] | None
    now: Mapping[str, Any] | None


def begin(
    connection: psycopg.Connection,
    tables: tuple[str, ...] = TABLES,
    *,
    ours: bool = False,
) -> None:
    """Log every write from now on, or only those of our consumers;
    a log that is there begins anew.
    """
    if connection.execute("SELECT to_regclass('audit.write')").fetchone() == (None,):
        connection.execute(sql.SQL(AUDIT))
        for table in tables:
            trigger = "CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON {} FOR EACH ROW"
            if ours:
                trigger += " WHEN (current_setting('application_name') = 'ajera-cdc')"
            connection.execute(
                sql.SQL(f"{trigger} EXECUTE FUNCTION audit.note()").format(sql.Identifier(table))
            )
    connection.execute("TRUNCATE audit.write")


def writes(connection: psycopg.Connection) -> list[Write]:
    """Every write since `begin`, in order."""
    query = "SELECT source, operation, was, now FROM audit.write ORDER BY number"
    return [Write(*row) for row in connection.execute(query)]


def repeated(log: list[Write]) -> int:
    """Writes that changed nothing: an effect that was there already."""
    return sum(1 for write in log if write.operation == "UPDATE" and write.was == write.now)


def backwards(log: list[Write]) -> int:
    """Writes that showed an older state than one shown before: texts "n-<number>" must grow,
    by row and column.
    """
    newest: Counter[tuple[str, str, str]] = Counter()
    fell = 0
    for write in log:
        if write.now is None or write.table not in KEYS:
            continue
        key, was = str(write.now[KEYS[write.table]]), write.was or {}
        for column, value in write.now.items():
            number = _number(value)
            if number is None:
                continue
            place = (write.table, key, column)
            before = max(newest[place], _number(was.get(column)) or 0)
            fell += number < before
            newest[place] = max(before, number)
    return fell


def _number(value: object) -> int | None:
    found = NUMBER.match(str(value))
    return None if found is None else int(found[1])
