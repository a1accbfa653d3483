"""The captured systems: each with its connector, its topics, and the states that know its epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Engine
from sqlalchemy.engine import URL

from pipeline.config.section import database_url
from pipeline.config.settings import Settings
from pipeline.config.systems import AjeraSource, DpsSource
from pipeline.connect.templates import Dialect
from pipeline.decoding.event import HEARTBEAT_PREFIX
from pipeline.decoding.naming import topic_name
from pipeline.domain.routes import ROUTES, captured
from pipeline.errors import ConfigurationInvalid
from pipeline.wiring.clients import ajera_engine, dps_engine
from pipeline.wiring.state import State, states_of

System = Literal["ajera", "dps"]


@dataclass(frozen=True)
class Source:
    """A captured database. `states`: of the routes that read it;
    each keeps the epoch of its connector.
    """

    system: System
    settings: AjeraSource | DpsSource
    url: URL
    tables: tuple[str, ...]  # as this site calls them
    engine: Callable[[], Engine]
    states: tuple[State, ...]

    @property
    def dialect(self) -> Dialect:
        """Which connector reads it."""
        return "postgres" if self.url.get_backend_name() == "postgresql" else "sqlserver"

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
    def topics(self) -> list[str]:
        """A topic for each table, in their order."""
        return [topic_name(self.topic_prefix, table) for table in self.tables]

    @property
    def heartbeat_topic(self) -> str:
        return f"{HEARTBEAT_PREFIX}{self.topic_prefix}"


def source_of(settings: Settings, system: System = "ajera") -> Source:
    """Raises ConfigurationInvalid for a system that is not configured,
    or an address that hides its host.
    """
    own = settings.ajera if system == "ajera" else settings.dps
    configured = [one for one in ROUTES if getattr(settings.routes, one.name) is not None]
    tables = captured(system, configured)
    return Source(
        system=system,
        settings=own,
        url=_address(
            database_url(own.database, f"sources.{system}.database"),
            f"sources.{system}.database",
        ),
        tables=tuple(settings.site.source_table(table.name) for table in tables),
        engine=lambda: (ajera_engine if system == "ajera" else dps_engine)(settings),
        states=states_of(settings, system),
    )


def systems_of(settings: Settings) -> tuple[System, ...]:
    """The systems that a configured route reads."""
    return ("ajera",) if settings.routes.dps is None else ("ajera", "dps")


def _address(url: URL, key: str) -> URL:
    if "odbc_connect" in url.query:
        raise ConfigurationInvalid(
            f"{key}: the connector needs host, database and user in the address, not in odbc_connect."
        )
    return url
