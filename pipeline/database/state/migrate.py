"""Bringing the `sync` schema to the version that this program needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, inspect, select, text

from pipeline.database.sql.dialect import Dialect
from pipeline.database.sql.engine import dialect_of
from pipeline.database.sql.session import translated
from pipeline.database.state.mirrors import add_lacking, lacking
from pipeline.database.state.schema import DEFAULT_SCHEMA
from pipeline.errors import SyncSchemaOutdated
from pipeline.mapping.mirror import MirroredTable

if TYPE_CHECKING:  # Alembic takes as long to import as everything else: only what uses it does
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext, MigrationInfo

VERSION_TABLE = "schema_version"
MIGRATIONS = Path(__file__).with_name("migrations")
Part = Literal["projection", "dps", "ajera"]  # which of our schemas: each has versions of its own
FOLDERS: dict[Part, str] = {
    "projection": "versions",
    "dps": "dps",
    "ajera": "ajera",
}
Report = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """What migrations/env.py needs of one run."""

    connection: Connection
    schema: str
    report: Report
    version_table: str = VERSION_TABLE

    def told(
        self,
        _: MigrationContext,
        step: MigrationInfo,
        *__: object,
        **___: object,
    ) -> None:
        """Alembic's call after each step."""
        self.report(f"{self.schema}: version {step.up_revision_id}")


def upgrade(
    engine: Engine,
    schema: str = DEFAULT_SCHEMA,
    report: Report = lambda _: None,
    part: Part = "projection",
    mirrored: Sequence[MirroredTable] = (),
) -> tuple[str | None, str]:
    """The versions before and after. All steps in one transaction;
    creates the schema if it is missing, and what its mirrors lack: no version names those.
    """
    from alembic import command

    dialect = dialect_of(engine)
    with (
        translated(engine, f"schema {schema}"),
        engine.begin() as connection,
    ):
        connection.execute(text(_create_schema(dialect, schema)))
        before = _version(connection, schema)
        config = _config(part)
        config.attributes["run"] = Run(connection, schema, report)
        command.upgrade(config, "head")
        add_lacking(connection, schema, mirrored, report)
    return before, latest(part)


def current(engine: Engine, schema: str = DEFAULT_SCHEMA) -> str | None:
    """The version of the schema in the database, None if there is none."""
    with (
        translated(engine, f"schema {schema}"),
        engine.connect() as connection,
    ):
        return _version(connection, schema)


def latest(part: Part = "projection") -> str:
    """The version that this program needs."""
    newest = max((MIGRATIONS / FOLDERS[part]).glob("?[0-9]*_*.py"), key=lambda path: path.name)
    found = re.search(r'^revision = "(\w+)"$', newest.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise SyncSchemaOutdated(f"{newest.name} does not say which version of the schema it makes")
    return found[1]


def require_latest(
    engine: Engine,
    schema: str = DEFAULT_SCHEMA,
    part: Part = "projection",
    mirrored: Sequence[MirroredTable] = (),
) -> None:
    """Raises SyncSchemaOutdated unless the database has the version that this program needs,
    and these mirrors with all their columns.
    """
    found = current(engine, schema)
    if found != latest(part):
        raise SyncSchemaOutdated(
            f"schema {schema} has version {found or '(none)'}, this program needs {latest(part)}"
        )
    with (
        translated(engine, f"schema {schema}"),
        engine.connect() as connection,
    ):
        missing = [name for one in lacking(connection, schema, mirrored) for name in one.names]
    if missing:
        raise SyncSchemaOutdated(f"schema {schema} lacks {', '.join(missing)}")


def _version(connection: Connection, schema: str) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE, schema):
        return None
    versions = Table(VERSION_TABLE, MetaData(), Column("version_num", String), schema=schema)
    found: str | None = connection.scalar(select(versions.c.version_num))
    return found


def _create_schema(dialect: Dialect, schema: str) -> str:
    """CREATE SCHEMA where it is missing; T-SQL wants it alone in its batch."""
    if dialect.name == "postgresql":
        return f"CREATE SCHEMA IF NOT EXISTS {dialect.quote(schema)}"
    created = f"CREATE SCHEMA {dialect.quote(schema)}".replace("'", "''")
    name = schema.replace("'", "''")
    return f"IF SCHEMA_ID(N'{name}') IS NULL EXEC(N'{created}')"


def _config(part: Part) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("version_locations", str(MIGRATIONS / FOLDERS[part]).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
