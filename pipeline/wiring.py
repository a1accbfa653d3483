"""The one place that knows everyone: from settings to clients, and to a consumer that runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import SecretStr
from sqlalchemy import Engine

from pipeline.config import Settings, database_url
from pipeline.connect.client import ConnectClient
from pipeline.database.engine import create_engine
from pipeline.database.live import describe_target
from pipeline.database.migrate import require_latest
from pipeline.database.remapping import recompute_if_changed
from pipeline.database.target import DatabaseTarget
from pipeline.decoding.avro import Schemas
from pipeline.decoding.contract import Contract
from pipeline.decoding.event import Decoder
from pipeline.decoding.needs import needed_by
from pipeline.domain.routes import AJERA_TO_PIM, Route
from pipeline.engine import ports
from pipeline.engine.circuit import Limits
from pipeline.engine.loading import Loading
from pipeline.engine.loop import Loop, Pace
from pipeline.engine.ports import DeadLetters, Messages, Target
from pipeline.engine.processor import Processor
from pipeline.engine.recompute import Recompute
from pipeline.engine.start import Describe, Incarnations
from pipeline.errors import ServiceUnreachable
from pipeline.kafka.admin import KafkaAdmin
from pipeline.kafka.consumer import KafkaMessages
from pipeline.kafka.dead_letters import KafkaDeadLetters
from pipeline.kafka.registry import Registry
from pipeline.mapping.site import Site
from pipeline.mapping.target import TargetTable
from pipeline.membership import join_group
from pipeline.model.ledger import Incarnation
from pipeline.resources import schemas_directory
from pipeline.telemetry.health import Health
from pipeline.telemetry.metrics import PrometheusTelemetry


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


# -- clients, for commands too ------------------------------------------------------------------------------------------


def route_of(settings: Settings) -> Route:
    """Ajera to PIM with the entities that are switched on."""
    return AJERA_TO_PIM.only(settings.pim.entities)


def pim_engine(settings: Settings) -> Engine:
    """The target database."""
    return create_engine(_url(settings.pim.database, "pim.database"))


def ajera_engine(settings: Settings) -> Engine:
    """The Ajera database, for commands that look at it, and for the exchange. PIM's consumers never connect to it."""
    return create_engine(_url(settings.ajera.database, "ajera.database"))


def dps_engine(settings: Settings) -> Engine:
    """The DPS database. Raises ConfigurationInvalid where nothing is exchanged."""
    return create_engine(_url(settings.exchange().database, "dps.database"))


def _url(secret: SecretStr, key: str) -> str:
    return database_url(secret, key).render_as_string(hide_password=False)


def kafka_settings(settings: Settings) -> dict[str, str]:
    """librdkafka's further settings, secrets revealed: for its clients only."""
    return {name: secret.get_secret_value() for name, secret in settings.kafka.client.items()}


def kafka_admin(settings: Settings) -> KafkaAdmin:
    return KafkaAdmin(settings.kafka.bootstrap, kafka_settings(settings))


def registry_client(settings: Settings) -> Registry:
    client = {name: secret.get_secret_value() for name, secret in settings.registry.client.items()}
    return Registry(settings.registry.url, client)


def connect_client(settings: Settings) -> ConnectClient:
    connect = settings.connect
    auth = None
    if connect.username is not None:
        auth = (connect.username, "" if connect.password is None else connect.password.get_secret_value())
    return ConnectClient(connect.url, auth=auth)


def source_contract(settings: Settings) -> Contract:
    """The contract of the source system's tables."""
    del settings  # one source system so far
    return Contract.load(schemas_directory() / AJERA_TO_PIM.source_system)


def decoder_of(settings: Settings, site: Site, fetch: Callable[[int], str]) -> Decoder:
    """The decoder of the route's topics; `fetch` gives a writer schema's text by id."""
    route = route_of(settings)
    return Decoder(
        sources=route.sources,
        needs=needed_by(route.sources, route.mappings, site),
        site=site,
        contract=source_contract(settings),
        schemas=Schemas(fetch),
        topic_prefix=settings.kafka.topic_prefix,
    )


# -- the consumer -------------------------------------------------------------------------------------------------------


def described(admin: KafkaAdmin) -> Describe:
    """Asks Kafka for a topic's id and partitions. Raises ServiceUnreachable when it is not there."""

    def describe(topic: str) -> Incarnation:
        found = admin.topic_description(topic)
        if found is None:
            raise ServiceUnreachable(f"Kafka has no topic {topic}; `ajera-cdc connectors apply` creates it.")
        return Incarnation(found.topic_id, found.partitions)

    return describe


@dataclass(frozen=True)
class Parts:
    """What a consumer is made of. A fault test replaces single parts before `assembled`."""

    settings: Settings
    route: Route
    site: Site
    targets: Mapping[str, TargetTable]
    target: Target
    decoder: ports.Decoder
    topics: Mapping[str, str]
    heartbeat_topic: str
    dead_letters: DeadLetters
    incarnations: Incarnations
    telemetry: PrometheusTelemetry
    health: Health


@contextmanager
def parts(settings: Settings, telemetry: PrometheusTelemetry, health: Health) -> Iterator[Parts]:
    """Everything but the membership in the group, connected.

    Raises ConfigurationInvalid, ProfileInvalid, SyncSchemaOutdated, TargetMismatch, TargetBusy, ServiceUnreachable.
    """
    with ExitStack() as resources:
        site, route, schema = settings.site(), route_of(settings), settings.pim.sync_schema
        engine = pim_engine(settings)
        resources.callback(engine.dispose)
        require_latest(engine, schema)
        target = DatabaseTarget(engine, route, site, schema, settings.pim.db_schema)
        live = describe_target(engine, route, site, settings.pim.db_schema)
        recompute_if_changed(engine, target, route, site, schema)
        registry = registry_client(settings)
        resources.callback(registry.close)
        decoder = decoder_of(settings, site, registry.writer_schema)
        admin = kafka_admin(settings)
        resources.callback(admin.close)
        kafka = settings.kafka
        letters = KafkaDeadLetters(kafka.bootstrap, kafka_settings(settings), kafka.dead_letter_topic, kafka.group)
        resources.callback(letters.close)
        yield Parts(
            settings=settings,
            route=route,
            site=site,
            targets={table.name: table for table in live},
            target=target,
            decoder=decoder,
            topics=decoder.topics,
            heartbeat_topic=decoder.heartbeat_topic,
            dead_letters=letters,
            incarnations=Incarnations(described(admin), target),
            telemetry=telemetry,
            health=health,
        )


Join = Callable[[Parts, Processor], Messages]


def assembled(of: Parts, stop: Callable[[], bool], join: Join | None = None) -> Loop:
    """A member of the group, ready to run. `join` makes the membership; a fault test gives its own."""
    clock, limits = SystemClock(), limits_of(of.settings)
    processor = Processor(
        route=of.route,
        site=of.site,
        decoder=of.decoder,
        target=of.target,
        recompute=Recompute(of.route, of.site, of.targets, of.target.counts_utf16),
        dead_letters=of.dead_letters,
        telemetry=of.telemetry,
        clock=clock,
        limits=limits,
    )
    messages = (join or member)(of, processor)
    return Loop(
        messages=messages,
        processor=processor,
        keeper=of.target,
        loading=Loading(route=of.route, topics=of.topics, messages=messages, target=of.target, clock=clock),
        incarnation=of.incarnations.of,
        telemetry=of.telemetry,
        clock=clock,
        pace=pace_of(of.settings),
        stop=stop,
    )


@contextmanager
def consumer(
    settings: Settings, telemetry: PrometheusTelemetry, health: Health, stop: Callable[[], bool]
) -> Iterator[Loop]:
    """A consumer of the route, ready to run. Raises what `parts` raises."""
    with parts(settings, telemetry, health) as connected:
        yield assembled(connected, stop)


def member(of: Parts, processor: Processor) -> KafkaMessages:
    """The membership in the route's consumer group."""
    topics = [*of.topics.values(), of.heartbeat_topic]
    return join_group(of, of.settings.kafka.group, topics, kafka_settings(of.settings), of.target, processor.take_over)


def limits_of(settings: Settings) -> Limits:
    run = settings.run
    return Limits(
        in_a_row=run.dead_letters_in_a_row,
        share=run.dead_letter_share,
        window=run.dead_letter_window,
        unknown_schema_seconds=settings.registry.unknown_seconds,
        clock_tolerance_seconds=run.clock_tolerance_seconds,
    )


def pace_of(settings: Settings) -> Pace:
    run = settings.run
    return Pace(
        batch_size=run.batch_size,
        poll_seconds=run.poll_seconds,
        retry_first_seconds=run.retry_first_seconds,
        retry_most_seconds=run.retry_most_seconds,
        waiting_retry_seconds=run.waiting_retry_seconds,
        parked_limit=run.parked_limit,
    )
