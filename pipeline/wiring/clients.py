"""Clients of everything outside the process, made from the settings;
for consumers and commands alike.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import SecretStr

from pipeline.config.section import database_url
from pipeline.config.settings import Settings
from pipeline.errors import TopicMissing
from pipeline.mapping.route import Route
from pipeline.model.ledger import Incarnation
from pipeline.wiring.identity import consumer_id

if TYPE_CHECKING:  # imported by the functions that make them: a command starts with its own alone
    from sqlalchemy import Engine

    from pipeline.config.routes import RouteSection
    from pipeline.connect.client import ConnectClient
    from pipeline.engine.consumer.circuit import Limits
    from pipeline.engine.consumer.loop import LoopSettings
    from pipeline.engine.consumer.start import Describe
    from pipeline.kafka.admin import KafkaAdmin
    from pipeline.kafka.dead_letters import KafkaDeadLetters
    from pipeline.kafka.registry import Registry

LASTING_NAME = "group.instance.id"  # of a static member
TITLES = {"ajera": "Ajera", "dps": "DPS"}  # what errors call the captured databases


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


def target_engine(settings: Settings, route: Route) -> Engine:
    """A projection's target database. Raises ConfigurationInvalid where it is not configured."""
    from pipeline.database.sql.engine import create_engine

    own = settings.routes.projection(route)
    url = _url(own.database, f"routes.{route.name}.database")
    return create_engine(url, name=route.target_system)


def source_engine(settings: Settings, system: str) -> Engine:
    """A captured database, for commands that look at it, and for the exchange.
    A projection's consumers never connect to it. Raises ConfigurationInvalid where it is not
    captured.
    """
    from pipeline.database.sql.engine import create_engine

    url = _url(settings.source(system).database, f"sources.{system}.database")
    return create_engine(url, name=TITLES.get(system, system))


def ajera_engine(settings: Settings) -> Engine:
    return source_engine(settings, "ajera")


def dps_engine(settings: Settings) -> Engine:
    """Raises ConfigurationInvalid where DPS is not captured."""
    return source_engine(settings, "dps")


def _url(secret: SecretStr, key: str) -> str:
    database_url(secret, key)
    return secret.get_secret_value()


def kafka_settings(settings: Settings) -> dict[str, str]:
    """librdkafka's further settings, secrets revealed: for its clients only."""
    return {name: secret.get_secret_value() for name, secret in settings.kafka.client.items()}


def member_settings(settings: Settings, group: str, member: int) -> dict[str, str]:
    """The same, of a member of a group: the process, or a further member of it. Where the process
    has a name that lasts (`group.instance.id`), a further one gets its own: whoever joins under a
    name puts out who had it.
    """
    found = {"client.id": consumer_id(group, member), **kafka_settings(settings)}
    if member > 1 and LASTING_NAME in found:
        found[LASTING_NAME] += f"-{member}"
    return found


def kafka_admin(settings: Settings) -> KafkaAdmin:
    from pipeline.kafka.admin import KafkaAdmin

    return KafkaAdmin(settings.kafka.bootstrap_servers, kafka_settings(settings))


def dead_letters(settings: Settings, section: RouteSection) -> KafkaDeadLetters:
    """The producer of a route's dead letters."""
    from pipeline.kafka.dead_letters import KafkaDeadLetters

    return KafkaDeadLetters(
        settings.kafka.bootstrap_servers,
        kafka_settings(settings),
        section.dead_letter_topic,
        section.group,
    )


def registry_client(settings: Settings) -> Registry:
    from pipeline.kafka.registry import Registry

    client = {name: secret.get_secret_value() for name, secret in settings.registry.client.items()}
    return Registry(settings.registry.url, client)


def connect_client(settings: Settings, timeout_seconds: float = 60.0) -> ConnectClient:
    """`timeout_seconds` bounds one request."""
    from pipeline.connect.client import ConnectClient

    connect = settings.connect
    auth = None
    if connect.username is not None:
        auth = (
            connect.username,
            "" if connect.password is None else connect.password.get_secret_value(),
        )
    return ConnectClient(connect.url, timeout_seconds, auth=auth)


def topic_describer(admin: KafkaAdmin) -> Describe:
    """Asks Kafka for a topic's id and partitions.
    Raises TopicMissing when it is not there.
    """

    def describe(topic: str) -> Incarnation:
        found = admin.topic_description(topic)
        if found is None:
            raise TopicMissing(f"Kafka has no topic {topic}.")
        return Incarnation(found.topic_id, found.partitions)

    return describe


def limits_of(settings: Settings) -> Limits:
    from pipeline.engine.consumer.circuit import Limits

    run = settings.run
    return Limits(
        in_a_row=run.max_consecutive_dead_letters,
        share=run.max_dead_letter_ratio,
        window=run.dead_letter_window,
        unknown_schema_seconds=settings.registry.unknown_schema_timeout_seconds,
        clock_tolerance_seconds=run.clock_tolerance_seconds,
        refused_retry_seconds=run.halted_retry_seconds,
    )


def pace_of(settings: Settings) -> LoopSettings:
    from pipeline.engine.consumer.loop import LoopSettings

    run = settings.run
    return LoopSettings(
        batch_size=run.batch_size,
        poll_seconds=run.poll_timeout_seconds,
        retry_first_seconds=run.retry_initial_seconds,
        retry_most_seconds=run.retry_max_seconds,
        refused_seconds=run.refused_retry_seconds,
        waiting_retry_seconds=run.parked_retry_seconds,
        parked_limit=run.parked_limit,
        parked_per_minute=run.parked_per_minute,
        halted_retry_seconds=run.halted_retry_seconds,
    )
