"""The captured systems: Ajera, and DPS where the exchange is configured; each with its connector, topics and epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import Engine
from sqlalchemy.engine import URL

from pipeline.config import Settings, database_url
from pipeline.connect.templates import Dialect
from pipeline.database.migrate import Part
from pipeline.decoding.event import HEARTBEAT_PREFIX
from pipeline.decoding.naming import topic_name
from pipeline.domain.dps import DPS_TABLES
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.errors import ConfigurationInvalid
from pipeline.mapping.site import Site
from pipeline.wiring import ajera_engine, dps_engine, pim_engine

System = Literal["ajera", "dps"]
RouteName = Literal["ajera-to-pim", "ajera-dps"]
TO_PIM: Final = "ajera-to-pim"
EXCHANGE: Final = "ajera-dps"


def group_of(settings: Settings, route: RouteName) -> str:
    """The consumer group of a route. Raises ConfigurationInvalid for one that is not configured."""
    return settings.kafka.group if route == TO_PIM else settings.exchange().group


@dataclass(frozen=True)
class Source:
    """A captured database. `sync` is where the epoch of its connector is kept."""

    system: System
    url: URL
    db_schema: str | None
    tables: tuple[str, ...]  # as this site calls them
    topic_prefix: str
    dead_letter_topic: str
    connector: str
    slot: str
    host: str | None
    port: int | None
    password_expression: str
    engine: Callable[[], Engine]
    sync: Callable[[], Engine]
    sync_schema: str
    part: Part

    @property
    def dialect(self) -> Dialect:
        """Which connector reads it."""
        return "postgres" if self.url.get_backend_name() == "postgresql" else "sqlserver"

    @property
    def topics(self) -> list[str]:
        """A topic for each table, in their order."""
        return [topic_name(self.topic_prefix, table) for table in self.tables]

    @property
    def heartbeat_topic(self) -> str:
        return f"{HEARTBEAT_PREFIX}{self.topic_prefix}"


def source_of(settings: Settings, system: System = "ajera", site: Site | None = None) -> Source:
    """Raises ConfigurationInvalid for a system that is not configured, or an address that hides its host."""
    site = settings.site() if site is None else site
    if system == "dps":
        dps = settings.exchange()
        return Source(
            system="dps",
            url=_address(database_url(dps.database, "dps.database"), "dps.database"),
            db_schema=dps.db_schema,
            tables=tuple(site.source_table(table.name) for table in DPS_TABLES),
            topic_prefix=dps.topic_prefix,
            dead_letter_topic=dps.dead_letter_topic,
            connector=dps.connector_name,
            slot=dps.slot_name,
            host=dps.source_host,
            port=dps.source_port,
            password_expression=dps.source_password_expression,
            engine=lambda: dps_engine(settings),
            sync=lambda: dps_engine(settings),
            sync_schema=dps.sync_schema,
            part="dps",
        )
    connect = settings.connect
    return Source(
        system="ajera",
        url=_address(database_url(settings.ajera.database, "ajera.database"), "ajera.database"),
        db_schema=settings.ajera.db_schema,
        tables=tuple(site.source_table(table.name) for table in AJERA_TO_PIM.sources),
        topic_prefix=settings.kafka.topic_prefix,
        dead_letter_topic=settings.kafka.dead_letter_topic,
        connector=connect.connector_name,
        slot=connect.slot_name,
        host=connect.source_host,
        port=connect.source_port,
        password_expression=connect.source_password_expression,
        engine=lambda: ajera_engine(settings),
        sync=lambda: pim_engine(settings),
        sync_schema=settings.pim.sync_schema,
        part="pim",
    )


def _address(url: URL, key: str) -> URL:
    if "odbc_connect" in url.query:
        raise ConfigurationInvalid(
            f"{key}: the connector needs host, database and user in the address, not in odbc_connect."
        )
    return url
