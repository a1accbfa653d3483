"""A database's schemas with their rows as SQL, in an order that does not change: what a release
left behind, for the tests of those after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, text

TABLES = """
SELECT c.oid, n.nspname, c.relname, format('%I.%I', n.nspname, c.relname) AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname = ANY(:schemas) ORDER BY 2, 3
"""
COLUMNS = """
SELECT a.attname, format('%I %s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
    CASE WHEN l.collname <> 'default' THEN format(' COLLATE %I', l.collname) ELSE '' END,
    CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END) AS definition
FROM pg_attribute a LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE a.attrelid = :table AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
CONSTRAINTS = """
SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s;', CAST(:name AS text), conname,
    pg_get_constraintdef(oid)) AS statement
FROM pg_constraint WHERE conrelid = :table AND contype IN ('p', 'u', 'f')
ORDER BY contype = 'f', conname
"""
INDEXES = """
SELECT pg_get_indexdef(indexrelid) || ';' AS statement FROM pg_index
WHERE indrelid = :table AND NOT EXISTS (
    SELECT 1 FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))
ORDER BY 1
"""


def dumped(connection: Connection, schemas: Sequence[str]) -> Iterator[str]:
    """Statements that make these schemas and fill them; rows before references."""
    for schema in schemas:
        yield f"CREATE SCHEMA IF NOT EXISTS {schema};"
    references: list[str] = []
    tables = connection.execute(text(TABLES), {"schemas": [*schemas]}).all()
    for oid, _, _, name in tables:
        found = connection.execute(text(COLUMNS), {"table": oid}).all()
        yield f"CREATE TABLE {name} (\n    " + ",\n    ".join(one for _, one in found) + "\n);"
        yield from _rows(connection, name, [column for column, _ in found])
        made = [*connection.execute(text(CONSTRAINTS), {"table": oid, "name": name}).scalars()]
        references += [one for one in made if "FOREIGN KEY" in one]
        yield from (one for one in made if "FOREIGN KEY" not in one)
        yield from connection.execute(text(INDEXES), {"table": oid}).scalars()
    yield from references


def _rows(connection: Connection, name: str, columns: Sequence[str]) -> Iterator[str]:
    quoted = [f'quote_nullable(CAST("{column}" AS text))' for column in columns]
    values = " || ', ' || ".join(quoted)
    rows = sorted(connection.execute(text(f"SELECT {values} FROM {name}")).scalars())
    if rows:
        yield f"INSERT INTO {name} VALUES\n(" + "),\n(".join(rows) + ");"
