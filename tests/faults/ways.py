"""Which way rows went, as PIM's database saw it: many by COPY and one statement, or by statements
that hold them; marks as one row, or each as its own. A trigger looks at the statement it runs in.
"""

from __future__ import annotations

from collections import Counter

import psycopg
from psycopg import sql

COPIED = '%pg_temp."staged %'  # what a statement reads whose rows came by COPY
WAYS = """
CREATE TABLE audit.way (place text, at_once boolean, rows bigint);
CREATE FUNCTION audit.note_way() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit.way SELECT TG_TABLE_NAME, current_query() LIKE {copied}, count(*)
        FROM written HAVING count(*) > 0;
    RETURN NULL;
END $$;
"""
OF_STATE = """SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = 'sync' AND relkind = 'r' AND (relname LIKE 'mirror%' OR relname LIKE 'due%')"""


Ways = Counter[tuple[str, bool]]  # rows, by what they are and whether they were written at once
MIRRORED, WRITTEN, MARKS = "mirror rows", "target rows", "marks"


def untaken(ways: Ways) -> list[str]:
    """What never went the way that is made for many."""
    return [f"no {rows} at once" for rows in (MIRRORED, WRITTEN, MARKS) if ways[rows, True] == 0]


def told(ways: Ways) -> str:
    """How many rows went either way; many marks count as one row."""
    return "at once / singly: " + ", ".join(
        f"{rows} {ways[rows, True]:,} / {ways[rows, False]:,}"
        for rows in (MIRRORED, WRITTEN, MARKS)
    )


def watch(connection: psycopg.Connection, tables: tuple[str, ...]) -> None:
    """Note from now on which way rows of the state and of these tables go; the schema `audit` is
    there.
    """
    connection.execute(sql.SQL(WAYS).format(copied=sql.Literal(COPIED)))
    places = [("sync", str(name)) for (name,) in connection.execute(OF_STATE)]
    for schema, name in (*places, *(("public", name) for name in tables)):
        for event in ("INSERT", "UPDATE"):  # one that may do both is told by each of its own rows
            connection.execute(
                sql.SQL(
                    "CREATE TRIGGER {} AFTER {} ON {} REFERENCING NEW TABLE AS written"
                    " FOR EACH STATEMENT EXECUTE FUNCTION audit.note_way()"
                ).format(
                    sql.Identifier(f"way_{event.lower()}"),
                    sql.SQL(event),
                    sql.Identifier(schema, name),
                )
            )


def taken(connection: psycopg.Connection) -> Ways:
    """Since it is watched, or was asked last."""
    found: Ways = Counter()
    for place, at_once, rows in connection.execute(
        "DELETE FROM audit.way RETURNING place, at_once, rows"
    ):
        match str(place):
            case "due" | "due_together" as marks:
                found[MARKS, marks == "due_together"] += rows
            case place if place.startswith("mirror"):
                found[MIRRORED, at_once] += rows
            case _:
                found[WRITTEN, at_once] += rows
    return found
