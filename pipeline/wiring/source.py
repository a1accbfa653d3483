"""The captured systems: each with its connector, its topics, and the states that know its epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pipeline.config.section import database_url
from pipeline.config.settings import Settings
from pipeline.config.sources import AjeraSource, DpsSource
from pipeline.config.url import Url
from pipeline.connect.templates import Dialect
from pipeline.decoding.contract import Contract
from pipeline.decoding.naming import HEARTBEAT_PREFIX, topic_name
from pipeline.domain.routes import AnyRoute, captured
from pipeline.errors import ConfigurationInvalid
from pipeline.mapping.route import Route
from pipeline.mapping.source import SourceTable
from pipeline.resources import schemas_directory
from pipeline.wiring.clients import source_engine
from pipeline.wiring.state import State, state_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

DEFAULT_SCHEMAS: dict[Dialect, str] = {
    "postgres": "public",
    "sqlserver": "dbo",
}
NOTIFICATION_PREFIX = "__debezium-notification."


@dataclass(frozen=True)
class Source:
    """A captured database. `states`: of the routes that read it;
    each keeps the epoch of its connector.
    """

    system: str
    settings: AjeraSource | DpsSource
    url: Url
    tables: tuple[str, ...]  # as this site calls them
    topics: tuple[str, ...]  # one for each table, in their order
    engine: Callable[[], Engine]
    states: tuple[State, ...]

    @property
    def dialect(self) -> Dialect:
        """Which connector reads it."""
        return "postgres" if self.url.backend == "postgresql" else "sqlserver"

    @property
    def connector(self) -> str:
        return self.settings.connector_name

    @property
    def slot(self) -> str:
        return self.settings.slot_name

    @property
    def topic_prefix(self) -> str:
        return self.settings.topic_prefix

    @property
    def heartbeat_topic(self) -> str:
        return f"{HEARTBEAT_PREFIX}{self.topic_prefix}"

    @property
    def row_topic(self) -> str:
        """Of the row that the connector writes with each heartbeat; "" where there is none."""
        _, _, table = self.settings.heartbeat_table.partition(".")
        return topic_name(self.topic_prefix, table) if table else ""

    @property
    def notification_topic(self) -> str:
        """Where the connector says how far a backfill is."""
        return f"{NOTIFICATION_PREFIX}{self.topic_prefix}"

    @property
    def db_schema(self) -> str:
        """The schema of its tables."""
        return self.settings.db_schema or DEFAULT_SCHEMAS[self.dialect]

    def collection(self, table: str, schema: str | None = None) -> str:
        """The connector's name of a table, by this site's name of it."""
        name = f"{schema or self.db_schema}.{table}"
        return f"{self.url.database}.{name}" if self.dialect == "sqlserver" else name


def source_of(settings: Settings, system: str) -> Source:
    """Raises ConfigurationInvalid for a system that is not configured,
    or an address that hides its host.
    """
    own, key = settings.source(system), f"sources.{system}.database"
    readers = [one for one in settings.routes.configured if system in one.reads]
    tables = captured(system, readers)
    return Source(
        system=system,
        settings=own,
        url=_address(database_url(own.database, key), key),
        tables=tuple(settings.site.source_table(table.name) for table in tables),
        topics=topics_in(settings, system, tables),
        engine=partial(source_engine, settings, system),
        states=tuple(state_of(settings, route) for route in readers),
    )


def topics_in(settings: Settings, system: str, tables: Iterable[SourceTable]) -> tuple[str, ...]:
    """The topics of these tables of a system."""
    prefix, site = settings.source(system).topic_prefix, settings.site
    return tuple(topic_name(prefix, site.source_table(table.name)) for table in tables)


def contract_of(system: str, *routes: AnyRoute) -> Contract:
    """The contract of a system's tables, with what these routes add to it."""
    added = [one.schemas for one in routes if isinstance(one, Route) and one.schemas is not None]
    return Contract.load(schemas_directory() / system, *added)


def systems_of(settings: Settings) -> tuple[str, ...]:
    """The systems that a configured route reads."""
    return tuple(dict.fromkeys(one for route in settings.routes.configured for one in route.reads))


def _address(url: Url, key: str) -> Url:
    if "odbc_connect" in url.query:
        raise ConfigurationInvalid(
            f"{key}: the connector needs host, database and user in the address, not in "
            "odbc_connect."
        )
    return url
