"""`python -m deploy.sample.script`: the sample's databases as one SQL script,
for deploy/compose.yaml.
"""

from __future__ import annotations

from pathlib import Path

from deploy.sample.accounting_tables import BOOKS
from deploy.sample.databases import AJERA_LISTS, AJERA_TABLES, PIM_TABLES
from deploy.sample.naming import Naming, quoted

PATH = Path(__file__).parents[1] / "compose" / "databases.sql"
HEAD = """-- Ajera's tables as far as they are known, PIM's, and the registry's database.
-- Written by `python -m deploy.sample.script`; a test keeps it up to date.
CREATE DATABASE registry;
CREATE DATABASE ajera;
CREATE DATABASE pim;
\\connect ajera
CREATE FUNCTION refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'rows would vanish without an event each: use DELETE';
END $$;
"""


def script() -> str:
    """The whole script, for psql."""
    parts = [HEAD]
    for table, columns in {**AJERA_TABLES, **BOOKS}.items():
        parts.append(
            f"{_table(table, columns)}"
            f"CREATE TRIGGER refuse BEFORE TRUNCATE ON {quoted(table)}"
            " EXECUTE FUNCTION refuse_truncate();\n"
        )
    parts += [_table(table, columns) for table, columns in AJERA_LISTS.items()]
    parts.append(f"\\connect pim\n{Naming().sql(PIM_TABLES).strip()}\n")
    return "".join(parts)


def _table(name: str, columns: tuple[tuple[str, str], ...]) -> str:
    listed = ",\n    ".join(f"{quoted(column)} {kind}" for column, kind in columns)
    return f"CREATE TABLE {quoted(name)} (\n    {listed}\n);\n"


if __name__ == "__main__":
    PATH.write_text(script())
