"""Looking at a live source database: its columns against the contract,
and what capture needs of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.dialects import mssql, postgresql

from pipeline.database.sql.session import translated
from pipeline.database.systems.capture_postgres import postgres_findings
from pipeline.database.systems.capture_sqlserver import sqlserver_findings
from pipeline.database.systems.finding import Finding
from pipeline.decoding.contract import Contract
from pipeline.mapping.site import Site
from pipeline.mapping.source import ColumnType, SourceTable

# What a column may be in the database, by what the contract wants of it.
FITTING: Mapping[ColumnType, tuple[type[Any], ...]] = {
    ColumnType.INTEGER: (sa.Integer,),
    ColumnType.FLAG: (sa.Boolean, sa.Integer),
    ColumnType.TEXT: (sa.String,),
    ColumnType.SHORT_TEXT: (sa.String,),
    ColumnType.INSTANT: (sa.DateTime,),
    ColumnType.DATE: (sa.Date, sa.DateTime),
    ColumnType.DECIMAL: (
        sa.Numeric,
        sa.Float,
        sa.Integer,
        mssql.MONEY,
        mssql.SMALLMONEY,
        postgresql.MONEY,
    ),
}
# What looks as if it fitted: not exact to more than seven digits.
UNFIT: Mapping[ColumnType, tuple[type[Any], ...]] = {
    ColumnType.DECIMAL: (sa.REAL,),
    ColumnType.DATE: (mssql.DATETIMEOFFSET,),
}
SCHEMAS = {"postgresql": "public", "mssql": "dbo"}


def source_findings(
    engine: Engine,
    sources: Sequence[SourceTable],
    needs: Mapping[str, Mapping[str, str]],
    site: Site,
    contract: Contract,
    schema: str | None,
) -> list[Finding]:
    """Every finding; raises TargetBusy when the database does not answer.
    `needs` as the decoder's.
    """
    contract.refuse_unlike(sources)
    schema = schema or SCHEMAS[engine.dialect.name]
    with (
        translated(engine, "the source's catalogue"),
        engine.connect() as connection,
    ):
        inspector = sa.inspect(connection)
        found = [
            _columns(inspector, table, site, schema, needs.get(table.name, {})) for table in sources
        ]
        names = [site.source_table(table.name) for table in sources]
        looks = postgres_findings if engine.dialect.name == "postgresql" else sqlserver_findings
        return [*found, *looks(connection, schema, names)]


def is_fitting(kind: ColumnType, live: object) -> bool:
    """Can a column of this type in the database be what the contract wants. An instant with a time
    zone is no date: its day would hang on the zone in which it is told.
    """
    is_zoned = kind is ColumnType.DATE and bool(getattr(live, "timezone", False))
    return isinstance(live, FITTING[kind]) and not (
        is_zoned or isinstance(live, UNFIT.get(kind, ()))
    )


def _columns(
    inspector: Any,
    table: SourceTable,
    site: Site,
    schema: str,
    needed: Mapping[str, str],
) -> Finding:
    name = site.source_table(table.name)
    if not inspector.has_table(name, schema):
        return Finding(
            f"table {name}",
            is_ok=False,
            found="is missing",
            action="Name it in the site profile, [source].",
        )
    live = {str(column["name"]): column["type"] for column in inspector.get_columns(name, schema)}
    faults = list(_unlike(live, table, site, needed))
    if faults:
        return Finding(
            f"table {name}",
            is_ok=False,
            found="; ".join(faults),
            action="Name the column in the site profile.",
        )
    key = inspector.get_pk_constraint(name, schema)["constrained_columns"]
    if key != [site.source_column(table.name, column.name) for column in table.key_columns]:
        wanted = ", ".join(column.name for column in table.key_columns)
        found = f"its primary key is {', '.join(key) or 'missing'}"
        return Finding(
            f"table {name}",
            is_ok=False,
            found=found,
            action=f"Wanted is {wanted}: what names a row in its messages.",
        )
    return Finding(f"table {name}", is_ok=True, found="every needed column is there")


def _unlike(
    live: Mapping[str, object],
    table: SourceTable,
    site: Site,
    needed: Mapping[str, str],
) -> Iterator[str]:
    """A sentence for each needed column that is missing or of another type."""
    for column in table.columns:
        here = site.source_column(table.name, column.name)
        if column.name not in needed:
            continue
        if here not in live:
            yield f"{here} is missing, needed by {needed[column.name]}"
        elif not is_fitting(column.kind, live[here]):
            yield (
                f"{here} is {live[here]}, wanted is {column.kind.value}, "
                f"needed by {needed[column.name]}"
            )
