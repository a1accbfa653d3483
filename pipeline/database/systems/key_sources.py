"""Where the keys of rows that we create in Ajera come from: looked up in the catalogue,
and shown with what is there now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy import Engine

from pipeline.database.sql.engine import dialect_of
from pipeline.database.sql.session import ConnectedSession, translated
from pipeline.database.systems.finding import Finding
from pipeline.database.systems.keys import NewKeys
from pipeline.errors import KeyTableInvalid
from pipeline.mapping.site import Holds, KeyTable, Site
from pipeline.mapping.source import SourceTable

CORRECT = "Correct that row of the key table in Ajera, or [keys] in the site profile."


def generated_keys(
    engine: Engine,
    schema: str | None,
    site: Site,
    tables: Iterable[SourceTable],
) -> frozenset[str]:
    """Those of the tables whose key the database gives by itself."""
    with translated(engine, "the catalogue"):
        inspector = sa.inspect(engine)
        return frozenset(
            table.name
            for table in tables
            for column in inspector.get_columns(site.source_table(table.name), schema)
            if column["name"] == site.source_column(table.name, table.key[0])
            and ("identity" in column or column.get("autoincrement") is True)
        )


def key_findings(
    engine: Engine,
    schema: str | None,
    site: Site,
    tables: Sequence[SourceTable],
) -> Iterator[Finding]:
    """The key table, where the profile names one, and each table. Raises TargetBusy,
    TargetRefused.
    """
    lacking = "" if site.keys is None else _lacking(engine, schema, site.keys)
    if site.keys is not None:
        name, action = (
            f"key table {site.keys.table}",
            "Correct [keys] in the site profile." if lacking else "",
        )
        yield Finding(
            name,
            is_ok=not lacking,
            found=lacking or "its columns are there",
            action=action,
        )
    for table in tables:
        yield _of_table(engine, schema, site, table, lacking)


def _lacking(engine: Engine, schema: str | None, counter: KeyTable) -> str:
    """What of the key table is missing, nothing if it is there."""
    with (
        translated(engine, "the catalogue"),
        engine.connect() as connection,
    ):
        inspector = sa.inspect(connection)
        if not inspector.has_table(counter.table, schema):
            return f"the key table {counter.table} is missing"
        there = {str(column["name"]) for column in inspector.get_columns(counter.table, schema)}
        missing = [name for name in (counter.table_column, counter.key_column) if name not in there]
        return f"the key table {counter.table} lacks {', '.join(missing)}" if missing else ""


def _of_table(
    engine: Engine,
    schema: str | None,
    site: Site,
    table: SourceTable,
    lacking: str,
) -> Finding:
    dialect, here = dialect_of(engine), site.source_table(table.name)
    name = f"keys of {here}"
    with translated(engine, "the catalogue"):
        if not sa.inspect(engine).has_table(here, schema):
            return Finding(
                name,
                is_ok=False,
                found="the table is missing",
                action="Name it in the site profile.",
            )
    is_generated = table.name in generated_keys(engine, schema, site, [table])
    with translated(engine, here), engine.begin() as connection:
        keys = NewKeys(ConnectedSession(connection, dialect), site, schema)
        highest = keys.highest(table.name, table.key[0])
        if is_generated:
            return Finding(name, is_ok=True, found=f"identity; highest key {highest}")
        if site.keys is None:
            return Finding(
                name,
                is_ok=True,
                found=f"highest plus one; highest key {highest}",
            )
        if lacking:
            return Finding(
                name,
                is_ok=False,
                found=f"{lacking}; highest key {highest}",
                action=CORRECT,
            )
        return _of_key_table(keys, site.keys, table, name, highest)


def _of_key_table(
    keys: NewKeys,
    counter: KeyTable,
    table: SourceTable,
    name: str,
    highest: int,
) -> Finding:
    now = f"highest key {highest}"
    try:
        new = keys.next_counted(counter, table.name)
    except KeyTableInvalid as error:
        return Finding(name, is_ok=False, found=f"{error}; {now}", action=CORRECT)
    if new is None:
        return Finding(
            name,
            is_ok=False,
            found=f"no row in the key table {counter.table}: highest plus one; {now}",
            action="Name what the table is called there: [keys.names] in the site profile.",
        )
    held = new if counter.holds is Holds.NEXT else new - 1
    found = f"key table {counter.table}, {counter.holds.value} key {held}; {now}"
    return Finding(
        name,
        is_ok=new > highest,
        found=found,
        action="" if new > highest else CORRECT,
    )
