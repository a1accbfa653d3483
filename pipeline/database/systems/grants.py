"""What our user may do: the rights that the route needs on tables, and those that are missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Engine

from pipeline.database.sql.engine import dialect_of
from pipeline.database.sql.session import translated
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.mapping.target import TargetTable

READ_AND_CHANGE: Final = ("SELECT", "UPDATE")
READ_AND_WRITE: Final = ("SELECT", "INSERT", "UPDATE")
EVERYTHING: Final = (*READ_AND_WRITE, "DELETE")
# Of an exchange whose links a projection follows; whoever locks a row in PostgreSQL may change it.
ON_LINKS: Final[Mapping[str, Mapping[str, Collection[str]]]] = {
    "postgresql": {"link": READ_AND_CHANGE},
    "mssql": {"link": ("SELECT",)},
}
QUERIES: Final[Mapping[str, str]] = {
    "postgresql": "SELECT has_table_privilege(CAST(:name AS text), :right)",
    "mssql": "SELECT HAS_PERMS_BY_NAME(:name, N'OBJECT', :right)",
}

Rights = Mapping[str, Collection[str]]  # by table


def rights_on_target(route: Route, site: Site) -> Rights:
    """Rows are deleted only where a mapping replaces them as a set, and none are made where they
    are others'.
    """
    replaced = {child.target for mapping in route.mappings for child in mapping.children}

    def rights(table: TargetTable) -> Collection[str]:
        if table.is_others:
            return READ_AND_CHANGE
        return EVERYTHING if table.name in replaced else READ_AND_WRITE

    return {site.target_table(table.name): rights(table) for table in route.targets}


def rights_on_links(engine: Engine) -> Rights:
    """What a projection needs of the tables of an exchange whose links it follows."""
    return {
        **ON_LINKS[engine.dialect.name],
        "link_reader": ("SELECT", "INSERT", "DELETE"),
        "link_change": ("SELECT", "DELETE"),
        "conflict": ("INSERT",),
    }


def missing_rights(engine: Engine, schema: str | None, wanted: Rights) -> list[str]:
    """A GRANT for each table of the schema (None:
    the connection's own) on which our user lacks rights.

    The tables must exist. Raises TargetBusy.
    """
    dialect = dialect_of(engine)
    with (
        translated(engine, "the catalogue of rights"),
        engine.connect() as connection,
    ):
        schema = schema or str(sa.inspect(connection).default_schema_name)
        query = sa.text(QUERIES[engine.dialect.name])
        grants = []
        for table, rights in wanted.items():
            name = dialect.qualify(schema, table)
            asked = [(right, {"name": name, "right": right}) for right in rights]
            lacking = [
                right
                for right, values in asked
                if not connection.execute(query, values).scalar_one()
            ]
            if lacking:
                grants.append(f"GRANT {', '.join(lacking)} ON {name}")
        return grants
