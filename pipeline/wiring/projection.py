"""The route from Ajera to PIM, put together: from settings to a consumer that runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version

from pipeline.config.settings import Settings
from pipeline.database.state.migrate import require_latest
from pipeline.database.systems.live import describe_target
from pipeline.database.target import DatabaseTarget
from pipeline.decoding.avro import Schemas
from pipeline.decoding.contract import Contract
from pipeline.decoding.event import Decoder
from pipeline.decoding.needs import needed_by
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.engine.consumer import ports
from pipeline.engine.consumer.loop import Loop
from pipeline.engine.consumer.ports import DeadLetters, Messages, Target
from pipeline.engine.consumer.start import Incarnations
from pipeline.engine.projection.loading import Loading
from pipeline.engine.projection.processor import Processor
from pipeline.engine.projection.recompute import Recompute
from pipeline.engine.projection.remapping import Remapped, remap
from pipeline.kafka.consumer import KafkaMessages
from pipeline.kafka.dead_letters import KafkaDeadLetters
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.mapping.target import TargetTable
from pipeline.resources import schemas_directory
from pipeline.telemetry.health import Health
from pipeline.telemetry.metrics import PrometheusTelemetry
from pipeline.wiring.clients import (
    SystemClock,
    kafka_admin,
    kafka_settings,
    limits_of,
    pace_of,
    pim_engine,
    registry_client,
    topic_describer,
)
from pipeline.wiring.membership import join_group
from pipeline.wiring.state import state_of_pim


def route_of(settings: Settings) -> Route:
    """Ajera to PIM with the entities that are switched on."""
    return AJERA_TO_PIM.only(frozenset(settings.to_pim.entities))


def source_contract() -> Contract:
    """The contract of the source system's tables."""
    return Contract.load(schemas_directory() / AJERA_TO_PIM.source_system)


def decoder_of(settings: Settings, site: Site, fetch: Callable[[int], str]) -> Decoder:
    """The decoder of the route's topics; `fetch` gives a writer schema's text by id."""
    route = route_of(settings)
    return Decoder(
        sources=route.reads[route.source_system],
        needs=needed_by(route.sources, route.mappings, site),
        site=site,
        contract=source_contract(),
        schemas=Schemas(fetch),
        topic_prefix=settings.ajera.topic_prefix,
    )


# -- the consumer ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class ConsumerParts:
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
def parts(
    settings: Settings, telemetry: PrometheusTelemetry, health: Health
) -> Iterator[ConsumerParts]:
    """Everything but the membership in the group, connected.

    Raises ConfigurationInvalid, ProfileInvalid, SyncSchemaOutdated, TargetMismatch, TargetBusy,
    ServiceUnreachable.
    """
    with ExitStack() as resources:
        site, route, schema = (
            settings.site,
            route_of(settings),
            settings.to_pim.sync_schema,
        )
        engine = pim_engine(settings)
        resources.callback(engine.dispose)
        require_latest(engine, schema)
        target = DatabaseTarget(engine, route, site, schema, settings.to_pim.db_schema)
        live = describe_target(engine, route, site, settings.to_pim.db_schema)
        apply_maps(target, route, site, telemetry)
        registry = registry_client(settings)
        resources.callback(registry.close)
        decoder = decoder_of(settings, site, registry.writer_schema)
        admin = kafka_admin(settings)
        resources.callback(admin.close)
        kafka, to_pim = settings.kafka, settings.to_pim
        letters = KafkaDeadLetters(
            kafka.bootstrap_servers,
            kafka_settings(settings),
            to_pim.dead_letter_topic,
            to_pim.group,
        )
        resources.callback(letters.close)
        yield ConsumerParts(
            settings=settings,
            route=route,
            site=site,
            targets={table.name: table for table in live},
            target=target,
            decoder=decoder,
            topics=decoder.topics,
            heartbeat_topic=decoder.heartbeat_topic,
            dead_letters=letters,
            incarnations=Incarnations(topic_describer(admin), target),
            telemetry=telemetry,
            health=health,
        )


def apply_maps(
    target: DatabaseTarget, route: Route, site: Site, telemetry: PrometheusTelemetry
) -> Remapped:
    """Mark what maps that changed since they were applied last have to write."""
    with target.transaction() as transaction:
        remapped = remap(transaction, route, site, version("ajera-cdc"), SystemClock().now())
    telemetry.remapped(remapped.recomputed, remapped.left)
    return remapped


@contextmanager
def keeper(settings: Settings) -> Iterator[DatabaseTarget]:
    """The database that holds the route's offsets. Raises SyncSchemaOutdated, TargetBusy."""
    with state_of_pim(settings).opened() as engine:
        own = settings.to_pim
        yield DatabaseTarget(
            engine,
            route_of(settings),
            settings.site,
            own.sync_schema,
            own.db_schema,
        )


Join = Callable[[ConsumerParts, Processor], Messages]


def build_consumer(of: ConsumerParts, stop: Callable[[], bool], join: Join | None = None) -> Loop:
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
        loading=Loading(
            route=of.route,
            topics=of.topics,
            messages=messages,
            target=of.target,
            clock=clock,
        ),
        incarnation=of.incarnations.of,
        telemetry=of.telemetry,
        clock=clock,
        pace=pace_of(of.settings),
        stop=stop,
    )


@contextmanager
def consumer(
    settings: Settings,
    telemetry: PrometheusTelemetry,
    health: Health,
    stop: Callable[[], bool],
) -> Iterator[Loop]:
    """A consumer of the route, ready to run. Raises what `parts` raises."""
    with parts(settings, telemetry, health) as connected:
        yield build_consumer(connected, stop)


def member(of: ConsumerParts, processor: Processor) -> KafkaMessages:
    """The membership in the route's consumer group."""
    topics = [*of.topics.values(), of.heartbeat_topic]
    return join_group(
        of,
        of.settings.to_pim.group,
        topics,
        kafka_settings(of.settings),
        of.target,
        processor.on_assigned,
    )
