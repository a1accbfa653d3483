"""The judge's memory: what each Ajera row last held, and what it ever was,
kept by triggers in a schema of its own.

Rules that hang on the past need it: a deleted row keeps its last values in PIM, a flag once set
stays, the last Project ID that was not blank is kept, so is the last assigned client.
Tables and columns here have canonical names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import psycopg
from psycopg import sql

from deploy.sample import retirement
from deploy.sample.naming import BLANKS, Naming, quoted

ASSIGNED = (
    "CASE WHEN COALESCE(NEW.{AxContact.cntClient}, 0) <> 0 THEN 'cl-' || NEW.{AxContact.cntClient}"
    " WHEN COALESCE(NEW.{AxContact.cntVendor}, 0) <> 0 THEN 've-' || NEW.{AxContact.cntVendor} END"
)
# Name, type, value of the row as it is now, and how it follows what was before.
REMEMBERED: Mapping[str, tuple[tuple[str, str, str, str], ...]] = {
    "AxVec": tuple(
        (
            f"ever_{kind.lower()}",
            "boolean",
            f"NEW.{{AxVec.vecIs{kind}}}",
            "was OR now",
        )
        for kind in ("Client", "Vendor", "Employee")
    ),
    "AxContact": (
        (
            "organization",
            "text",
            ASSIGNED,
            "COALESCE(now, was)",
        ),
    ),
    "AxProject": (
        (
            "ever_project",
            "boolean",
            "COALESCE(NEW.{AxProject.prjProject}, 0) IN (0, NEW.{AxProject.prjKey})",
            "was OR now",
        ),
        (
            "last_id",
            "text",
            "history.cut(history.clean(NEW.{AxProject.prjID}), 50)",
            "COALESCE(now, was)",
        ),
    ),
    "AxInvoiceGroup": (),
    "AxResource": (),
}
CLEAN = f"""
CREATE SCHEMA history;
CREATE FUNCTION history.clean(value text) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT NULLIF(btrim(value, {BLANKS}), '') $$;
CREATE FUNCTION history.cut(value text, length integer) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT CASE WHEN char_length(value) > length THEN rtrim(left(value, length), {BLANKS})
        ELSE value END $$;
CREATE TABLE history.role_ever (role text PRIMARY KEY);
CREATE FUNCTION history.refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'rows would vanish without events: use DELETE (as on SQL Server)';
END $$;
"""
REFUSE = """
CREATE TRIGGER refuse BEFORE TRUNCATE ON {table} EXECUTE FUNCTION history.refuse_truncate();
"""
TRIGGER = """
CREATE FUNCTION history.{function}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        {retire_old}
        UPDATE history.{table} SET deleted = true, touched = clock_timestamp()
            WHERE {key} = OLD.{site_key};
        RETURN NULL;
    END IF;
    {retire_new}
    INSERT INTO history.{table} AS h ({columns}, deleted, touched)
        VALUES ({values}, false, clock_timestamp())
        ON CONFLICT ({key}) DO UPDATE SET deleted = false, touched = excluded.touched,
            retired_at = NULL, {changes};
    {then}
    RETURN NULL;
END $$;
CREATE TRIGGER remember AFTER INSERT OR UPDATE OR DELETE ON {site_table} FOR EACH ROW
    EXECUTE FUNCTION history.{function}();
"""
NUMBERING = re.compile(r" GENERATED [^)]*\)")  # the history is given its keys
ROLE_EVER = """
    INSERT INTO history.role_ever SELECT history.cut(history.clean(NEW.{AxResource.resRole}), 100)
        WHERE history.clean(NEW.{AxResource.resRole}) IS NOT NULL ON CONFLICT DO NOTHING;
"""


def create(
    connection: psycopg.Connection,
    naming: Naming,
    tables: Mapping[str, tuple[tuple[str, str], ...]],
) -> None:
    """The history tables and their triggers."""
    _run(connection, CLEAN)
    for table, columns in tables.items():
        remembered = REMEMBERED[table]
        listed = ", ".join(
            [f"{quoted(name)} {NUMBERING.sub('', kind)}" for name, kind in columns]
            + [f"{name} {kind}" for name, kind, _, _ in remembered]
            + [
                "deleted boolean NOT NULL",
                "touched timestamptz NOT NULL",
                "retired_at timestamptz",
                "kept_code text",
            ]
        )
        _run(connection, f"CREATE TABLE history.{quoted(table)} ({listed})")
        _run(
            connection,
            _trigger(naming, table, [name for name, _ in columns]),
        )
        _run(connection, REFUSE.format(table=quoted(naming.table(table))))
    retirement.create(connection, naming)


def _trigger(naming: Naming, table: str, columns: list[str]) -> str:
    remembered = REMEMBERED[table]
    plain = [quoted(name) for name in columns]
    folded = [
        f"{name} = {fold.replace('was', f'h.{name}').replace('now', f'excluded.{name}')}"
        for name, _, _, fold in remembered
    ]
    return TRIGGER.format(
        function=f"remember_{table.lower()}",
        table=quoted(table),
        key=plain[0],
        site_key=quoted(naming.column(table, columns[0])),
        site_table=quoted(naming.table(table)),
        columns=", ".join(plain + [name for name, _, _, _ in remembered]),
        values=", ".join(
            [f"NEW.{quoted(naming.column(table, name))}" for name in columns]
            + [naming.sql(value) for _, _, value, _ in remembered]
        ),
        changes=", ".join([f"{name} = excluded.{name}" for name in plain] + folded),
        then=naming.sql(ROLE_EVER) if table == "AxResource" else "",
        retire_old=naming.sql(retirement.OLD) if table == "AxProject" else "",
        retire_new=naming.sql(retirement.NEW) if table == "AxProject" else "",
    )


def _run(connection: psycopg.Connection, text: str) -> None:
    connection.execute(sql.SQL(text))  # built from our own names, never from values
