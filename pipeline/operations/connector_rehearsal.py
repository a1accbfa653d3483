"""What `connectors apply` would do: the differences, and what follows from them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from pipeline.config.settings import Settings
from pipeline.connect.client import TABLES, ConnectClient
from pipeline.connect.status import ABSENT, RESUMED, ConnectorStatus
from pipeline.database.state.settings import current_epoch, following_epoch
from pipeline.errors import ConnectorFailed, SnapshotNeeded
from pipeline.kafka.admin import KafkaAdmin
from pipeline.kafka.topics import TopicSettings, differences_between
from pipeline.operations.connectors import OwnTables, configuration, refuse_unread, topics_of
from pipeline.wiring.clients import connect_client, kafka_admin
from pipeline.wiring.source import source_of

SECRET: Final = re.compile(
    r"password|secret|token|jaas|credential|user\.info|\.key$", re.IGNORECASE
)
EXPRESSION: Final = re.compile(r"\$\{[^{}]+\}")


@dataclass(frozen=True, slots=True)
class SettingDifference:
    """A setting of the connector as it runs and as it would be: None where it is not set.
    A secret is ***, unless it is an expression that the worker resolves.
    """

    setting: str
    running: str | None
    applied: str | None


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What `apply` would do. `refused` says why it would not, "" if it would."""

    connector: str
    status: ConnectorStatus
    epoch: int
    is_resnapshot: bool
    differences: tuple[SettingDifference, ...]
    new_tables: tuple[str, ...]
    new_topics: tuple[str, ...]
    topic_differences: tuple[str, ...]
    consequences: tuple[str, ...]
    refused: str


def rehearse(settings: Settings, system: str = "ajera") -> Rehearsed:
    """Changes nothing; Connect is asked to validate the configuration.
    Raises ServiceUnreachable, SyncSchemaOutdated.
    """
    source, connect = source_of(settings, system), connect_client(settings)
    with ExitStack() as resources:
        resources.callback(connect.close)
        states = [(resources.enter_context(one.opened()), one.schema) for one in source.states]
        admin = kafka_admin(settings)
        resources.callback(admin.close)
        status = connect.status(source.connector)
        running = connect.config(source.connector)
        known = current_epoch(states, source.connector)
        is_resnapshot = known is None or not connect.has_offsets(source.connector)
        epoch = following_epoch(states) if known is None or is_resnapshot else known
        own = OwnTables(
            signals=bool(source.settings.signal_table),
            heartbeat=bool(source.settings.heartbeat_table),
        )
        applied = configuration(settings, epoch, system, own)
        ours = configuration(settings, epoch, system)
        refused = _refused(connect, source.connector, applied, None if is_resnapshot else ours)
        new_topics, topic_differences = _topics(admin, topics_of(settings, system))
    differences = tuple(compare(running, applied))
    return Rehearsed(
        connector=source.connector,
        status=status,
        epoch=epoch,
        is_resnapshot=is_resnapshot,
        differences=differences,
        new_tables=new_tables(running, ours),
        new_topics=new_topics,
        topic_differences=topic_differences,
        consequences=tuple(
            consequences(status, epoch, is_resnapshot=is_resnapshot, is_changed=bool(differences))
        ),
        refused=refused,
    )


def _refused(
    connect: ConnectClient,
    name: str,
    applied: Mapping[str, str],
    ours: Mapping[str, str] | None,
) -> str:
    """Why `apply` would refuse it; "" if it would not. `ours`: None with a new snapshot."""
    try:
        if ours is not None:
            refuse_unread(ours, connect.captured(name))
        connect.validate(name, applied)
    except (SnapshotNeeded, ConnectorFailed) as error:
        return error.sentence
    return ""


def compare(
    running: Mapping[str, str] | None, applied: Mapping[str, str]
) -> Iterator[SettingDifference]:
    """Each setting that would be another one, in the order of their names."""
    have = {name: text for name, text in (running or {}).items() if name != "name"}
    for name in sorted({*have, *applied}):
        if have.get(name) != applied.get(name):
            yield SettingDifference(
                name, masked(name, have.get(name)), masked(name, applied.get(name))
            )


def masked(name: str, text: str | None) -> str | None:
    """A setting as it may be shown."""
    if text is None or not SECRET.search(name) or EXPRESSION.fullmatch(text):
        return text
    return "***"


def new_tables(running: Mapping[str, str] | None, applied: Mapping[str, str]) -> tuple[str, ...]:
    """The tables that the connector does not capture yet."""
    captured = (running or {}).get(TABLES, "").split(",")
    return tuple(
        table.replace("\\", "") for table in applied[TABLES].split(",") if table not in captured
    )


def consequences(
    status: ConnectorStatus, epoch: int, *, is_resnapshot: bool, is_changed: bool
) -> Iterator[str]:
    """What would happen, a sentence each."""
    if status.state == ABSENT:
        yield "The connector is created."
    elif is_changed:
        yield "The configuration is changed; Connect restarts the connector's task with it."
    if is_resnapshot:
        yield f"A new snapshot of every table is taken, as epoch {epoch}."
    if status.is_failed:
        yield "What failed is restarted."
    if status.is_held:
        yield f"The connector stays {status.state}; {RESUMED}"
    if not (is_changed or is_resnapshot or status.is_failed):
        yield "Nothing changes."


def _topics(
    admin: KafkaAdmin, wanted: list[TopicSettings]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The topics that would be created, and in what those that are there differ."""
    new: list[str] = []
    differences: list[str] = []
    for topic in wanted:
        found = admin.topic_description(topic.name)
        if found is None:
            new.append(topic.name)
        else:
            differences += differences_between(topic, found)
    return tuple(new), tuple(differences)
