"""The target's tables as they live: reading their lengths,
and creating them for tests and the sample.
"""

from __future__ import annotations

import codecs
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.dialects import mssql
from sqlalchemy.engine.interfaces import ReflectedColumn
from sqlalchemy.types import TypeEngine

from pipeline.database.sql.session import translated
from pipeline.errors import TargetMismatch
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.mapping.source import DECIMAL_PLACES, ColumnType
from pipeline.mapping.target import TargetColumn, TargetTable


def describe_target(
    engine: Engine, route: Route, site: Site, schema: str | None = None
) -> tuple[TargetTable, ...]:
    """The route's target tables with the lengths and the NOT NULLs of the live database.

    Raises TargetMismatch that names every table and column that is missing.
    """
    tables, lacking = describe_live(engine, route, site, schema)
    if lacking:
        missing = [what for names in lacking.values() for what in names]
        raise TargetMismatch(f"the target lacks {', '.join(missing)}")
    return tables


def describe_live(
    engine: Engine, route: Route, site: Site, schema: str | None = None
) -> tuple[tuple[TargetTable, ...], dict[str, list[str]]]:
    """The same; and what is missing of each table that lacks something, which is described as the
    maps have it.
    """
    found: list[TargetTable] = []
    lacking: dict[str, list[str]] = {}
    with translated(engine, "the target's catalogue"):
        inspector, encodings = sa.inspect(engine), _Codecs(engine)
        names = {
            *inspector.get_table_names(schema),
            *inspector.get_view_names(schema),
        }
        for table in route.targets:
            name = site.target_table(table.name)
            if name not in names:
                lacking[table.name] = [f"table {name}"]
                found.append(table)
                continue
            live = {str(column["name"]): column for column in inspector.get_columns(name, schema)}
            called = {
                column: site.target_column(table.name, column.name) for column in table.columns
            }
            missing = [f"column {name}.{one}" for one in called.values() if one not in live]
            if missing:
                lacking[table.name] = missing
            columns = [
                _described(column, live[one], encodings) if one in live else column
                for column, one in called.items()
            ]
            found.append(replace(table, columns=tuple(columns)))
    return tuple(found), lacking


def _described(column: TargetColumn, found: ReflectedColumn, encodings: _Codecs) -> TargetColumn:
    return replace(
        column,
        length=getattr(found["type"], "length", None),
        nullable=bool(found["nullable"]),
        encoding=encodings.of(found["type"]),
        places=getattr(found["type"], "scale", None),
    )


class _Codecs:
    """The Python codec of a text column that cannot hold every character.

    A server encoding that Python does not know by its name is not judged:
    the database refuses what it cannot hold, and the row waits.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known = dict[str, str | None]()

    def of(self, column_type: object) -> str | None:
        if not isinstance(column_type, sa.String):
            return None
        if self._engine.dialect.name == "mssql":
            if isinstance(
                column_type,
                (
                    sa.Unicode,
                    sa.UnicodeText,
                    sa.NVARCHAR,
                    sa.NCHAR,
                    mssql.NTEXT,
                ),
            ):
                return None
            return self._asked(
                "SELECT COLLATIONPROPERTY(:name, 'CodePage')",
                str(column_type.collation),
            )
        return self._asked(
            "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = :name",
            _here(self._engine),
        )

    def _asked(self, sql: str, name: str) -> str | None:
        if name not in self._known:
            with self._engine.connect() as connection:
                self._known[name] = codec_name(
                    connection.execute(sa.text(sql), {"name": name}).scalar_one_or_none()
                )
        return self._known[name]


def _here(engine: Engine) -> str:
    return engine.url.database or ""


def codec_name(encoding: object) -> str | None:
    """Python's name for a code page (1252) or an encoding (WIN1252, LATIN1);
    None for Unicode and for unknown ones.
    """
    word = str(encoding).upper()
    if word in ("65001", "UTF8", "SQL_ASCII", "NONE", "0"):
        return None
    try:
        found = codecs.lookup(
            f"cp{word.removeprefix('WIN')}" if word.removeprefix("WIN").isdigit() else word
        ).name
    except LookupError:
        return None
    return None if found == "utf-8" else found


def create_target_tables(
    engine: Engine, route: Route, site: Site, schema: str | None = None
) -> None:
    """Create the route's target tables, parents first, as their descriptions say."""
    with translated(engine, "the target's tables"):
        target_metadata(route, site, schema).create_all(engine)


def target_metadata(route: Route, site: Site, schema: str | None) -> sa.MetaData:
    """The route's target tables as SQLAlchemy knows tables."""
    metadata = sa.MetaData(schema=schema)
    for table in sorted(route.targets, key=lambda table: table.rank):
        _table(metadata, table, route, site, schema)
    return metadata


def _table(
    metadata: sa.MetaData,
    table: TargetTable,
    route: Route,
    site: Site,
    schema: str | None,
) -> sa.Table:
    name = site.target_table(table.name)
    key = {table.row_id} if table.row_id else {*table.key, *table.fixed_names}
    looked_up = [site.target_column(table.name, table.key[0])] if table.row_id else []
    return sa.Table(
        name,
        metadata,
        *(
            sa.Column(
                site.target_column(table.name, column.name),
                _type(column),
                nullable=column.nullable and column.name not in key,
                primary_key=column.name in key,
            )
            for column in table.columns
        ),
        *(
            _reference(table, column, route.target(parent), site, schema)
            for column, parent in table.references
        ),
        *(sa.UniqueConstraint(site.target_column(table.name, column)) for column in table.unique),
        *(sa.Index(f"ix_{name}_{column}", column) for column in looked_up),
    )


def _reference(
    table: TargetTable,
    column: str,
    parent: TargetTable,
    site: Site,
    schema: str | None,
) -> sa.ForeignKeyConstraint:
    full_name = (
        site.target_table(parent.name)
        if schema is None
        else f"{schema}.{site.target_table(parent.name)}"
    )
    own = (column, *parent.fixed_names)
    referred = (parent.key[0], *parent.fixed_names)
    return sa.ForeignKeyConstraint(
        [site.target_column(table.name, one) for one in own],
        [f"{full_name}.{site.target_column(parent.name, one)}" for one in referred],
    )


def _type(column: TargetColumn) -> TypeEngine[Any]:
    match column.kind:
        case ColumnType.INTEGER:
            return sa.BigInteger()
        case ColumnType.FLAG:
            return sa.Boolean()
        case ColumnType.INSTANT:
            return sa.DateTime(timezone=True)
        case ColumnType.DATE:
            return sa.Date()
        case ColumnType.DECIMAL:
            places = DECIMAL_PLACES if column.places is None else column.places
            return sa.Numeric(28 + places, places)
        case ColumnType.SHORT_TEXT:
            return sa.Unicode(column.length or 450)
        case ColumnType.TEXT:
            return sa.Unicode(column.length) if column.length else sa.UnicodeText()
