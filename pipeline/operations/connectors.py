"""Applying a source's connector, with everything around it: topics, epoch, replication slot."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from pipeline.config.settings import Settings
from pipeline.connect.client import TABLES, ConnectClient
from pipeline.connect.status import ConnectorStatus
from pipeline.connect.templates import Dialect, fill, load
from pipeline.database.state.settings import current_epoch, store_epoch
from pipeline.errors import ConnectorFailed, SnapshotNeeded
from pipeline.kafka.topics import TopicSettings
from pipeline.operations import heartbeats, signals
from pipeline.operations.slots import drop_slot, what_blocks
from pipeline.wiring.clients import connect_client, kafka_admin
from pipeline.wiring.route import routes_of
from pipeline.wiring.source import Source, source_of

Report = Callable[[str], None]
KEEP_FOR_EVER = -1
HOUR_MS = 3_600_000
DEFAULT_PORTS: dict[Dialect, int] = {"postgres": 5432, "sqlserver": 1433}


@dataclass(frozen=True, slots=True)
class Applied:
    """What `apply` came to. `is_resnapshot`: a new snapshot of every table is taken;
    `differences` name topics; `no_backfill`: why it has no signal table, "" if it has;
    `no_heartbeat`: why it has no heartbeat table, likewise.
    """

    status: ConnectorStatus
    epoch: int
    is_resnapshot: bool
    topics: tuple[str, ...]
    differences: tuple[str, ...]
    no_backfill: str
    no_heartbeat: str


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
        running = connect.config(source.connector) or {}
        no_signals, no_beats = _prepared(source, running, report)
        tables = OwnTables(signals=not no_signals, heartbeat=not no_beats)
        config = configuration(settings, epoch, system, tables)
        try:
            status = _applied(connect, source.connector, config, timeout, report)
        except ConnectorFailed as error:
            raise ConnectorFailed(f"{error}{what_blocks(source)}") from error
        names = tuple(topic.name for topic in topics)
        return Applied(
            status, epoch, is_resnapshot, names, tuple(differences), no_signals, no_beats
        )


@dataclass(frozen=True, slots=True)
class OwnTables:
    """Which tables of our own a source has, so that its connector captures them."""

    signals: bool = False
    heartbeat: bool = False


NONE = OwnTables()


def configuration(
    settings: Settings, epoch: int, system: str = "ajera", tables: OwnTables = NONE
) -> dict[str, str]:
    """The connector's configuration as sent to Connect;
    secrets stay expressions that the worker resolves. `tables`: of our own, that are there.
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
        "tables": ",".join(_patterns(source, tables)),
        "heartbeat_interval_ms": str(int(own.heartbeat_seconds * 1000)),
        "heartbeat_query": heartbeats.heartbeat_query(source) if tables.heartbeat else "",
        "epoch": str(epoch),
        "partitions": str(settings.kafka.partitions),
        "replicas": str(settings.kafka.replication_factor),
        "retention_ms": str(settings.kafka.retention_hours * HOUR_MS),
        "registry_url": _converter_url(settings),
    }
    template = load(source.system, source.dialect, settings.registry.kind)
    return fill(
        template,
        common
        | signals.signal_values(source, signals=tables.signals)
        | _of_the_dialect(settings, source),
    )


def topics_of(settings: Settings, system: str = "ajera") -> list[TopicSettings]:
    """Every topic that the source's consumers need, as it should be."""
    source, kafka = source_of(settings, system), settings.kafka
    make = partial(TopicSettings, replicas=kafka.replication_factor)
    retention_ms = kafka.retention_hours * HOUR_MS
    letters = [route.dead_letter_topic for route in routes_of(settings) if system in route.systems]
    of_connector = [source.heartbeat_topic, *([source.row_topic] if source.row_topic else ())]
    history = [_history_topic(source)] if source.dialect == "sqlserver" else []
    return [
        *(make(one, kafka.partitions, retention_ms=retention_ms) for one in source.topics),
        *(
            make(one, 1, retention_ms=retention_ms)
            for one in (*of_connector, source.notification_topic)
        ),
        *(make(one, 1, retention_ms=KEEP_FOR_EVER) for one in (*letters, *history)),
    ]


# -- parts -----------------------------------------------------------------------------------------


def refuse_unread(config: Mapping[str, str], captured: Collection[str]) -> None:
    """Raise SnapshotNeeded for tables that a connector without a new snapshot would begin with.

    Debezium reads what changes in them from then on. Consumers would take them for loaded.
    """
    new = [table for table in config[TABLES].split(",") if table not in captured]
    if captured and new:
        names = ", ".join(table.replace("\\", "") for table in new)
        raise SnapshotNeeded(f"The connector did not capture {names} until now.")


def _prepared(source: Source, running: Mapping[str, str], report: Report) -> list[str]:
    """Why it has no signal table, and no heartbeat table; "" for each that it has."""
    return [
        own.prepared(source, report, is_known=setting in running)
        for own, setting in (
            (signals.SIGNAL_TABLE, signals.SETTING),
            (heartbeats.HEARTBEAT_TABLE, heartbeats.SETTING),
        )
    ]


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
    query = {name.lower(): value.lower() for name, value in source.url.query.items()}
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


def _patterns(source: Source, own: OwnTables) -> list[str]:
    tables = [(source.db_schema, table) for table in source.tables]
    if own.signals:
        tables.append(signals.SIGNAL_TABLE.names(source))
    if own.heartbeat:
        tables.append(heartbeats.HEARTBEAT_TABLE.names(source))
    return [rf"{re.escape(schema)}\.{re.escape(table)}" for schema, table in tables]


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
        drop_slot(source, report)
