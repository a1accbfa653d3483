"""Applying and removing a source's connector, with everything around it: topics, epoch,
replication slot.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import tenacity
from sqlalchemy import Engine, text

from pipeline.config.settings import Settings
from pipeline.connect.client import TABLES, ConnectClient
from pipeline.connect.status import ConnectorStatus
from pipeline.connect.templates import Dialect, fill, load
from pipeline.database.sql.session import translated
from pipeline.database.state.settings import current_epoch, store_epoch
from pipeline.errors import ConnectorFailed, SnapshotNeeded
from pipeline.kafka.topics import TopicSettings
from pipeline.wiring.clients import connect_client, kafka_admin
from pipeline.wiring.route import routes_of
from pipeline.wiring.source import Source, source_of

Report = Callable[[str], None]
KEEP_FOR_EVER = -1
HOUR_MS = 3_600_000
SLOT_PATIENCE_SECONDS = 15.0
DEFAULT_PORTS: dict[Dialect, int] = {"postgres": 5432, "sqlserver": 1433}
DEFAULT_SCHEMAS: dict[Dialect, str] = {
    "postgres": "public",
    "sqlserver": "dbo",
}


@dataclass(frozen=True, slots=True)
class Applied:
    """What `apply` came to. `is_resnapshot`: a new snapshot of every table is taken;
    `differences` name topics.
    """

    status: ConnectorStatus
    epoch: int
    is_resnapshot: bool
    topics: tuple[str, ...]
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Removed:
    """What `remove` found. `slot` is the replication slot that was dropped."""

    was_there: bool
    slot: str | None


# -- operations ------------------------------------------------------------------------------------


def apply(settings: Settings, report: Report, system: str = "ajera") -> Applied:
    """Create what the connector needs, then the connector, or change it; returns when it runs.
    What failed is restarted; what was paused or stopped stays so.

    Without stored offsets a new snapshot is taken: an old replication slot is dropped and the epoch
    rises, so that the snapshot sorts above everything captured before. Raises SnapshotNeeded,
    ConnectorFailed, ServiceUnreachable, SyncSchemaOutdated.
    """
    source, connect = source_of(settings, system), connect_client(settings)
    with ExitStack() as resources:
        resources.callback(connect.close)
        states = [(resources.enter_context(one.opened()), one.schema) for one in source.states]
        is_resnapshot = not connect.has_offsets(source.connector)
        if not is_resnapshot:
            refuse_unread(configuration(settings, 0, system), connect.captured(source.connector))
        topics = topics_of(settings, system)
        report("creating topics")
        admin = kafka_admin(settings)
        resources.callback(admin.close)
        differences = admin.ensure_topics(topics)
        epoch = current_epoch(states, source.connector)
        if is_resnapshot or epoch is None:
            _drop_old_slot(source, report)
            epoch = None
        epoch = store_epoch(states, source.connector, epoch)
        timeout = settings.connect.timeout_seconds
        config = configuration(settings, epoch, system)
        status = _applied(connect, source.connector, config, timeout, report)
        names = tuple(topic.name for topic in topics)
        return Applied(status, epoch, is_resnapshot, names, tuple(differences))


def remove(settings: Settings, report: Report, system: str = "ajera") -> Removed:
    """Stop and delete the connector with its offsets and its replication slot.
    Topics and what was applied stay.

    The slot goes because an idle one makes the source keep its log for ever.
    Raises ConnectorFailed, ServiceUnreachable.
    """
    source, connect = source_of(settings, system), connect_client(settings)
    try:
        was_there = connect.remove(source.connector)
    finally:
        connect.close()
    slot = _drop_slot(source, report) if source.dialect == "postgres" else None
    return Removed(was_there, slot)


def configuration(settings: Settings, epoch: int, system: str = "ajera") -> dict[str, str]:
    """The connector's configuration as sent to Connect;
    secrets stay expressions that the worker resolves.
    """
    source = source_of(settings, system)
    own = source.settings
    common = {
        "topic_prefix": source.topic_prefix,
        "topic_prefix_pattern": re.escape(source.topic_prefix),
        "source_host": own.connect_host or source.url.host or "localhost",
        "source_port": str(own.connect_port or source.url.port or DEFAULT_PORTS[source.dialect]),
        "source_user": source.url.username or "",
        "source_password": own.connect_password,
        "source_database": source.url.database or "",
        "tables": ",".join(_pattern(source, table) for table in source.tables),
        "heartbeat_interval_ms": str(int(own.heartbeat_seconds * 1000)),
        "epoch": str(epoch),
        "partitions": str(settings.kafka.partitions),
        "replicas": str(settings.kafka.replication_factor),
        "retention_ms": str(settings.kafka.retention_hours * HOUR_MS),
        "registry_url": _converter_url(settings),
    }
    template = load(source.system, source.dialect, settings.registry.kind)
    return fill(template, common | _of_the_dialect(settings, source))


def topics_of(settings: Settings, system: str = "ajera") -> list[TopicSettings]:
    """Every topic that the source's consumers need, as it should be."""
    source, kafka = source_of(settings, system), settings.kafka
    retention_ms = kafka.retention_hours * HOUR_MS
    topics = [
        TopicSettings(name, kafka.partitions, kafka.replication_factor, retention_ms)
        for name in source.topics
    ]
    topics.append(
        TopicSettings(
            source.heartbeat_topic,
            1,
            kafka.replication_factor,
            retention_ms,
        )
    )
    for route in routes_of(settings):
        if system in route.systems:
            topics.append(
                TopicSettings(
                    route.dead_letter_topic,
                    1,
                    kafka.replication_factor,
                    KEEP_FOR_EVER,
                )
            )
    if source.dialect == "sqlserver":
        topics.append(
            TopicSettings(
                _history_topic(source),
                1,
                kafka.replication_factor,
                KEEP_FOR_EVER,
            )
        )
    return topics


# -- parts -----------------------------------------------------------------------------------------


def refuse_unread(config: Mapping[str, str], captured: Collection[str]) -> None:
    """Raise SnapshotNeeded for tables that a connector without a new snapshot would begin with.

    Debezium reads what changes in them from then on. Consumers would take them for loaded.
    """
    new = [table for table in config[TABLES].split(",") if table not in captured]
    if captured and new:
        names = ", ".join(table.replace("\\", "") for table in new)
        raise SnapshotNeeded(f"The connector did not capture {names} until now.")


def _applied(
    connect: ConnectClient,
    name: str,
    config: Mapping[str, str],
    timeout_seconds: float,
    report: Report,
) -> ConnectorStatus:
    """Store the configuration and wait until it runs. Connect itself leaves a failed task as it is
    where the configuration is the same.
    """
    before = connect.status(name)
    connect.apply(name, config)
    if before.is_held:
        return connect.status(name)
    if before.is_failed:
        report(f"restarting what failed: {before.sentence}")
        connect.restart(name)
        return connect.wait_until_restarted(name, timeout_seconds, report)
    return connect.wait_until_running(name, timeout_seconds, report)


def _of_the_dialect(settings: Settings, source: Source) -> dict[str, str]:
    query = {name.lower(): str(value).lower() for name, value in source.url.query.items()}
    match source.dialect:
        case "postgres":
            return {
                "source_sslmode": query.get("sslmode", "prefer"),
                "slot_name": source.slot,
                "publication_name": source.slot,
            }
        case "sqlserver":
            return {
                "source_encrypt": "false"
                if query.get("encrypt", "yes") in ("no", "false", "optional")
                else "true",
                "source_trust_certificate": str(
                    query.get("trustservercertificate", "no") in ("yes", "true")
                ).lower(),
                "kafka_bootstrap": settings.kafka.bootstrap_servers,
                "schema_history_topic": _history_topic(source),
            }


def _history_topic(source: Source) -> str:
    return f"{source.topic_prefix}.schema-history"


def _pattern(source: Source, table: str) -> str:
    schema = source.settings.db_schema or DEFAULT_SCHEMAS[source.dialect]
    return rf"{re.escape(schema)}\.{re.escape(table)}"


def _converter_url(settings: Settings) -> str:
    registry = settings.registry
    if registry.converter_url is not None:
        return registry.converter_url
    return (
        registry.url.replace("/apis/ccompat/v7", "/apis/registry/v2")
        if registry.kind == "apicurio"
        else registry.url
    )


def _drop_old_slot(source: Source, report: Report) -> None:
    """An old slot would deliver changes from before the new snapshot, under the new epoch:
    above what is newer.
    """
    if source.dialect == "postgres":
        _drop_slot(source, report)


def _drop_slot(source: Source, report: Report) -> str | None:
    """Drop the replication slot if it is there.
    Raises ConnectorFailed if somebody still reads it after a while.
    """
    engine = source.engine()
    patient = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(ConnectorFailed),
        stop=tenacity.stop_after_delay(SLOT_PATIENCE_SECONDS),
        wait=tenacity.wait_fixed(0.2),
        reraise=True,
    )
    try:
        dropped = patient(_drop_idle_slot, engine, source.slot)
    finally:
        engine.dispose()
    if not dropped:
        return None
    report(f"dropped the replication slot {source.slot}")
    return source.slot


def _drop_idle_slot(engine: Engine, slot: str) -> bool:
    with (
        translated(engine, "the replication slot"),
        engine.begin() as connection,
    ):
        query = text("SELECT active FROM pg_replication_slots WHERE slot_name = :slot")
        is_active = connection.execute(query, {"slot": slot}).scalar_one_or_none()
        if is_active:
            raise ConnectorFailed(
                f"The replication slot {slot} is in use, though its connector has no offsets."
            )
        if is_active is not None:
            connection.execute(
                text("SELECT pg_drop_replication_slot(:slot)"),
                {"slot": slot},
            )
        return is_active is not None
