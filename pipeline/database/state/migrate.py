"""Bringing the `sync` schema to the version that this program needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.migration import MigrationInfo
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from pipeline.database.sql.dialect import Dialect
from pipeline.database.sql.engine import dialect_of
from pipeline.database.sql.session import translated
from pipeline.database.state.mirrors import add_lacking, lacking
from pipeline.database.state.schema import DEFAULT_SCHEMA
from pipeline.errors import SyncSchemaOutdated
from pipeline.mapping.mirror import MirroredTable

VERSION_TABLE = "schema_version"
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
    head = ScriptDirectory.from_config(_config(part)).get_current_head()
    if head is None:
        raise SyncSchemaOutdated("this program carries no version of the schema")
    return head


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
    options = {
        "version_table": VERSION_TABLE,
        "version_table_schema": schema,
    }
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def _create_schema(dialect: Dialect, schema: str) -> str:
    """CREATE SCHEMA where it is missing; T-SQL wants it alone in its batch."""
    if dialect.name == "postgresql":
        return f"CREATE SCHEMA IF NOT EXISTS {dialect.quote(schema)}"
    created = f"CREATE SCHEMA {dialect.quote(schema)}".replace("'", "''")
    name = schema.replace("'", "''")
    return f"IF SCHEMA_ID(N'{name}') IS NULL EXEC(N'{created}')"


def _config(part: Part) -> Config:
    config, folder = Config(), Path(__file__).with_name("migrations")
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("version_locations", str(folder / FOLDERS[part]).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
