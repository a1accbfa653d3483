"""Applying, showing and removing a source's connector, with everything around it: topics, epoch, replication slot."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import tenacity
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL

from pipeline.config import Settings, database_url
from pipeline.connect.client import ConnectorStatus
from pipeline.connect.templates import Dialect, fill, load
from pipeline.database.engine import dialect_of
from pipeline.database.migrate import require_latest
from pipeline.database.session import translated
from pipeline.database.settings import current_epoch, raise_epoch
from pipeline.decoding.event import HEARTBEAT_PREFIX
from pipeline.decoding.naming import topic_name
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.errors import ConfigurationInvalid, ConnectorFailed
from pipeline.kafka.admin import TopicSettings
from pipeline.mapping.site import Site
from pipeline.wiring import ajera_engine, connect_client, kafka_admin, pim_engine

Report = Callable[[str], None]
KEEP_FOR_EVER = -1
HOUR_MS = 3_600_000
SLOT_PATIENCE_SECONDS = 15.0
DEFAULT_PORTS: dict[Dialect, int] = {"postgres": 5432, "sqlserver": 1433}
DEFAULT_SCHEMAS: dict[Dialect, str] = {"postgres": "public", "sqlserver": "dbo"}


@dataclass(frozen=True, slots=True)
class Applied:
    """What `apply` came to. `anew` says that the source is captured from a new snapshot; `differences` name topics."""

    status: ConnectorStatus
    epoch: int
    anew: bool
    topics: tuple[str, ...]
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A connector as Connect tells of it, and the epoch of its messages (None before the first `apply`)."""

    status: ConnectorStatus
    epoch: int | None
    has_offsets: bool


@dataclass(frozen=True, slots=True)
class Removed:
    """What `remove` found. `slot` is the replication slot that was dropped."""

    was_there: bool
    slot: str | None


# -- operations ---------------------------------------------------------------------------------------------------------


def apply(settings: Settings, report: Report) -> Applied:
    """Create what the connector needs, then the connector, or change it; returns when it runs.

    Without stored offsets the source is captured anew: an old replication slot goes, and the epoch rises, so that the
    new snapshot sorts above everything captured before. Raises ConnectorFailed, ServiceUnreachable, SyncSchemaOutdated.
    """
    name, site = settings.connect.connector_name, settings.site()
    engine, connect = pim_engine(settings), connect_client(settings)
    try:
        require_latest(engine, settings.pim.sync_schema)
        topics = topics_of(settings, site)
        report("creating topics")
        admin = kafka_admin(settings)
        differences = admin.ensure_topics(topics)
        admin.close()
        anew = not connect.has_offsets(name)
        epoch = current_epoch(engine, name, settings.pim.sync_schema)
        if anew or epoch is None:
            _begin_anew(settings, report)
            epoch = raise_epoch(engine, name, settings.pim.sync_schema)
        connect.apply(name, configuration(settings, site, epoch))
        status = connect.wait_until_running(name, settings.connect.timeout_seconds, report)
        return Applied(status, epoch, anew, tuple(topic.name for topic in topics), tuple(differences))
    finally:
        connect.close()
        engine.dispose()


def show(settings: Settings) -> Shown:
    """The connector's state. Raises ServiceUnreachable."""
    name = settings.connect.connector_name
    engine, connect = pim_engine(settings), connect_client(settings)
    try:
        require_latest(engine, settings.pim.sync_schema)
        epoch = current_epoch(engine, name, settings.pim.sync_schema)
        return Shown(connect.status(name), epoch, connect.has_offsets(name))
    finally:
        connect.close()
        engine.dispose()


def remove(settings: Settings, report: Report) -> Removed:
    """Stop and delete the connector with its offsets and its replication slot. Topics and what was applied stay.

    The slot goes because an idle one makes the source keep its log for ever. Raises ConnectorFailed, ServiceUnreachable.
    """
    connect = connect_client(settings)
    try:
        was_there = connect.remove(settings.connect.connector_name)
    finally:
        connect.close()
    slot = _drop_slot(settings, report) if source_dialect(settings) == "postgres" else None
    return Removed(was_there, slot)


def configuration(settings: Settings, site: Site, epoch: int) -> dict[str, str]:
    """The connector's configuration as sent to Connect; secrets stay expressions that the worker resolves."""
    dialect = source_dialect(settings)
    url = _source_url(settings)
    common = {
        "topic_prefix": settings.kafka.topic_prefix,
        "topic_prefix_pattern": re.escape(settings.kafka.topic_prefix),
        "source_host": settings.connect.source_host or url.host or "localhost",
        "source_port": str(settings.connect.source_port or url.port or DEFAULT_PORTS[dialect]),
        "source_user": url.username or "",
        "source_password": settings.connect.source_password_expression,
        "source_database": url.database or "",
        "tables": ",".join(_pattern(settings, site, table.name) for table in AJERA_TO_PIM.sources),
        "heartbeat_interval_ms": str(int(settings.connect.heartbeat_seconds * 1000)),
        "epoch": str(epoch),
        "partitions": str(settings.kafka.partitions),
        "replicas": str(settings.kafka.replicas),
        "retention_ms": str(settings.kafka.retention_hours * HOUR_MS),
        "registry_url": _converter_url(settings),
    }
    template = load(AJERA_TO_PIM.source_system, dialect, settings.registry.kind)
    return fill(template, common | _of_the_dialect(settings, dialect, url))


def topics_of(settings: Settings, site: Site) -> list[TopicSettings]:
    """Every topic that the route needs, as it should be."""
    kafka = settings.kafka
    retention_ms = kafka.retention_hours * HOUR_MS
    names = [topic_name(kafka.topic_prefix, site.source_table(table.name)) for table in AJERA_TO_PIM.sources]
    topics = [TopicSettings(name, kafka.partitions, kafka.replicas, retention_ms) for name in names]
    topics.append(TopicSettings(f"{HEARTBEAT_PREFIX}{kafka.topic_prefix}", 1, kafka.replicas, retention_ms))
    topics.append(TopicSettings(kafka.dead_letter_topic, 1, kafka.replicas, KEEP_FOR_EVER))
    if source_dialect(settings) == "sqlserver":
        topics.append(TopicSettings(_history_topic(settings), 1, kafka.replicas, KEEP_FOR_EVER))
    return topics


def source_dialect(settings: Settings) -> Dialect:
    """Which connector reads the source."""
    return "postgres" if _source_url(settings).get_backend_name() == "postgresql" else "sqlserver"


# -- parts --------------------------------------------------------------------------------------------------------------


def _source_url(settings: Settings) -> URL:
    """The source's address. Raises ConfigurationInvalid for one that hides host and user from the connector."""
    url = database_url(settings.ajera.database, "ajera.database")
    if "odbc_connect" in url.query:
        raise ConfigurationInvalid(
            "ajera.database: the connector needs host, database and user in the address, not in odbc_connect."
        )
    return url


def _of_the_dialect(settings: Settings, dialect: Dialect, url: URL) -> dict[str, str]:
    query = {name.lower(): str(value).lower() for name, value in url.query.items()}
    match dialect:
        case "postgres":
            return {
                "source_sslmode": query.get("sslmode", "prefer"),
                "slot_name": settings.connect.slot_name,
                "publication_name": settings.connect.slot_name,
            }
        case "sqlserver":
            return {
                "source_encrypt": "false" if query.get("encrypt", "yes") in ("no", "false", "optional") else "true",
                "source_trust_certificate": str(query.get("trustservercertificate", "no") in ("yes", "true")).lower(),
                "kafka_bootstrap": settings.kafka.bootstrap,
                "schema_history_topic": _history_topic(settings),
            }


def _history_topic(settings: Settings) -> str:
    return f"{settings.kafka.topic_prefix}.schema-history"


def _pattern(settings: Settings, site: Site, table: str) -> str:
    schema = settings.ajera.db_schema or DEFAULT_SCHEMAS[source_dialect(settings)]
    return rf"{re.escape(schema)}\.{re.escape(site.source_table(table))}"


def _converter_url(settings: Settings) -> str:
    registry = settings.registry
    if registry.converter_url is not None:
        return registry.converter_url
    return (
        registry.url.replace("/apis/ccompat/v7", "/apis/registry/v2") if registry.kind == "apicurio" else registry.url
    )


def _begin_anew(settings: Settings, report: Report) -> None:
    """An old slot would deliver changes from before the new snapshot, under the new epoch: above what is newer."""
    if source_dialect(settings) == "postgres":
        _drop_slot(settings, report)


def _drop_slot(settings: Settings, report: Report) -> str | None:
    """Drop the replication slot if it is there. Raises ConnectorFailed if somebody still reads it after a while."""
    slot = settings.connect.slot_name
    engine = ajera_engine(settings)
    patient = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(ConnectorFailed),
        stop=tenacity.stop_after_delay(SLOT_PATIENCE_SECONDS),
        wait=tenacity.wait_fixed(0.2),
        reraise=True,
    )
    try:
        dropped = patient(_drop_idle_slot, engine, slot)
    finally:
        engine.dispose()
    if not dropped:
        return None
    report(f"dropped the replication slot {slot}")
    return slot


def _drop_idle_slot(engine: Engine, slot: str) -> bool:
    with translated(dialect_of(engine), "the replication slot"), engine.begin() as connection:
        query = text("SELECT active FROM pg_replication_slots WHERE slot_name = :slot")
        is_active = connection.execute(query, {"slot": slot}).scalar_one_or_none()
        if is_active:
            raise ConnectorFailed(f"The replication slot {slot} is in use, though its connector has no offsets.")
        if is_active is not None:
            connection.execute(text("SELECT pg_drop_replication_slot(:slot)"), {"slot": slot})
        return is_active is not None
