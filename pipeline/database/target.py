"""The target database (port `Target`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from pipeline.database.sql.dialect import Copying
from pipeline.database.sql.engine import dialect_of
from pipeline.database.sql.session import (
    ConnectedSession,
    copying_of,
    translated,
)
from pipeline.database.state.added import AddedColumns, added_columns
from pipeline.database.state.schema import DEFAULT_SCHEMA
from pipeline.database.table_names import TableNames
from pipeline.database.transaction import DatabaseTransaction
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site


class DatabaseTarget:
    """A target database. `target_schema` None is the connection's default schema; `links_schema`
    that of an exchange whose links give keys.
    """

    def __init__(
        self,
        engine: Engine,
        route: Route,
        site: Site,
        sync_schema: str = DEFAULT_SCHEMA,
        target_schema: str | None = None,
        links_schema: str | None = None,
    ) -> None:
        self._engine = engine
        self._dialect = dialect_of(engine)
        self._route = route
        self._site = site
        self._sync_schema = sync_schema
        self._target_schema = target_schema
        self._links_schema = links_schema
        self._added: AddedColumns | None = None
        self._copying: Copying | None = None
        self._tables: TableNames | None = None

    @property
    def counts_utf16(self) -> bool:
        return self._dialect.counts_utf16

    @contextmanager
    def transaction(self) -> Iterator[DatabaseTransaction]:
        """Ours alone pass through: an error of the caller, a driver's error at begin or commit,
        translated.
        """
        with (
            translated(self._engine, "the transaction"),
            self._engine.begin() as connection,
        ):
            if self._added is None:
                self._copying = copying_of(connection, self._dialect)
            session = ConnectedSession(connection, self._dialect, self._copying)
            if self._added is None:
                self._added = added_columns(session, self._sync_schema)
            places = (self._route, self._site, self._sync_schema, self._target_schema, self._added)
            found = DatabaseTransaction(session, *places, self._links_schema, self._tables)
            self._tables = found.known
            yield found
