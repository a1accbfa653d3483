"""For people: which added columns are unknown in how many rows of their mirrors."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from pipeline.database.sql.session import translated
from pipeline.database.state.added import WHOLE_TABLE
from pipeline.database.state.schema import mirror_name, sync_metadata


@dataclass(frozen=True, slots=True)
class UnknownColumn:
    """A column that was added, and the rows of existing source rows in which it is unknown. It
    becomes known in each with its next event, and in all with a snapshot of `known_epoch` or later.
    """

    table: str
    column: str
    rows: int
    known_epoch: int


def unknown_columns(engine: Engine, schema: str) -> tuple[UnknownColumn, ...]:
    """Those that no later snapshot has made known in every row."""
    tables = sync_metadata(schema).tables
    added, loads = (
        tables[f"{schema}.added_column"],
        tables[f"{schema}.source_table"],
    )
    query = (
        sa.select(added, loads.c.epoch)
        .outerjoin(loads, loads.c.name == added.c.source_table)
        .where(added.c.name != WHOLE_TABLE)
        .order_by(added.c.source_table, added.c.name)
    )
    with (
        translated(engine, "the sync schema"),
        engine.connect() as connection,
    ):
        return tuple(
            UnknownColumn(
                str(row["source_table"]),
                str(row["name"]),
                _rows(
                    connection,
                    schema,
                    str(row["source_table"]),
                    str(row["name"]),
                    row["version"],
                ),
                int(row["known_epoch"]),
            )
            for row in connection.execute(query).mappings().all()
            if (row["epoch"] or 0) < row["known_epoch"]
        )


def _rows(
    connection: Connection,
    schema: str,
    table: str,
    column: str,
    version: int,
) -> int:
    names = (
        "revision",
        "columns_version",
        "columns_revision",
        "deleted",
        "unknown",
    )
    columns: list[sa.ColumnClause[object]] = [sa.column(name) for name in names]
    mirror = sa.table(mirror_name(table), *columns, schema=schema)
    listed = sa.literal(",") + mirror.c.unknown + sa.literal(",")
    is_unknown = sa.or_(
        mirror.c.columns_revision.is_(None),
        mirror.c.columns_revision != mirror.c.revision,
        mirror.c.columns_version < version,
        listed.contains(f",{column},", autoescape=True),
    )
    count = sa.select(sa.func.count()).select_from(mirror)
    there = mirror.c.deleted == sa.literal(value=False, type_=sa.Boolean)
    return int(connection.execute(count.where(there, is_unknown)).scalar_one())
