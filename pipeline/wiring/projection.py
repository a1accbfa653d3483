"""A projection, put together: from settings to a consumer that runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version

from sqlalchemy import Engine

from pipeline.config.settings import Settings
from pipeline.database.systems.live import describe_live
from pipeline.database.target import DatabaseTarget
from pipeline.decoding.avro import Schemas
from pipeline.decoding.by_topic import DecoderByTopic, topics_of
from pipeline.decoding.event import Decoder
from pipeline.decoding.needs import needed_by
from pipeline.engine.consumer import ports
from pipeline.engine.consumer.loop import Loop
from pipeline.engine.consumer.ports import DeadLetters, Messages, Target
from pipeline.engine.consumer.start import Incarnations
from pipeline.engine.projection.filling import fill_sticky
from pipeline.engine.projection.following import follow
from pipeline.engine.projection.loading import Loading
from pipeline.engine.projection.processor import Processor
from pipeline.engine.projection.recompute import Recompute
from pipeline.engine.projection.refusals import Described
from pipeline.engine.projection.remapping import Remapped, remap
from pipeline.errors import TargetMismatch
from pipeline.kafka.consumer import KafkaMessages
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.mapping.target import TargetTable
from pipeline.telemetry.health import Health
from pipeline.telemetry.prometheus import PrometheusTelemetry
from pipeline.wiring.clients import (
    SystemClock,
    dead_letters,
    kafka_admin,
    limits_of,
    pace_of,
    registry_client,
    topic_describer,
)
from pipeline.wiring.identity import consumer_id
from pipeline.wiring.links import require_links, schema_of_links
from pipeline.wiring.membership import join_group
from pipeline.wiring.offered import offered, switched_on
from pipeline.wiring.source import contract_of
from pipeline.wiring.state import state_of


def decoders_for(
    settings: Settings, route: Route, fetch: Callable[[int], str]
) -> tuple[Decoder, ...]:
    """The source's, and one of each system whose tables are observed; `fetch` gives a writer
    schema's text by id.
    """
    schemas = Schemas(fetch)
    return tuple(
        Decoder(
            sources=tables,
            needs=needs_in(settings, route, system),
            site=settings.site,
            contract=contract_of(system, route),
            schemas=schemas,
            topic_prefix=settings.source(system).topic_prefix,
        )
        for system, tables in route.reads.items()
    )


def needs_in(settings: Settings, route: Route, system: str) -> dict[str, dict[str, str]]:
    """By table and column of a system what needs it: lines, or that people's changes of what the
    route writes are put back.
    """
    if system == route.source_system:
        return needed_by(route.sources, route.mappings, settings.site)
    return {
        table.name: {column.name: f"{route.name}, put back" for column in table.columns}
        for table in route.reads[system]
    }


# -- the consumer ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class ConsumerParts:
    """What a consumer is made of. A fault test replaces single parts before `assembled`."""

    settings: Settings
    route: Route
    group: str
    targets: Mapping[str, TargetTable]
    describe: Callable[[], Described]
    target: Target
    decoder: ports.Decoder
    topics: Mapping[str, str]
    further_topics: tuple[str, ...]  # the source's heartbeats, then all of the target's system
    dead_letters: DeadLetters
    incarnations: Incarnations
    telemetry: PrometheusTelemetry
    health: Health
    member: int = 1  # of those in this process


@contextmanager
def parts(
    route: Route,
    settings: Settings,
    telemetry: PrometheusTelemetry,
    health: Health,
) -> Iterator[ConsumerParts]:
    """Everything but the membership in the group, connected.

    Raises ConfigurationInvalid, ProfileInvalid, SyncSchemaOutdated, TargetBusy,
    ServiceUnreachable.
    """
    own, site = settings.routes.projection(route), settings.site
    route = offered(settings, route)
    with ExitStack() as resources:
        engine = resources.enter_context(state_of(settings, route).opened())
        target = target_of(settings, route, engine)
        describe = partial(described, engine, route, site, own.db_schema)
        apply_maps(target, route, site, telemetry)
        registry = registry_client(settings)
        resources.callback(registry.close)
        decoder, *others = decoders_for(settings, route, registry.writer_schema)
        admin = kafka_admin(settings)
        resources.callback(admin.close)
        letters = dead_letters(settings, own)
        resources.callback(letters.close)
        yield ConsumerParts(
            settings=settings,
            route=route,
            group=own.group,
            targets=describe().tables,
            describe=describe,
            target=target,
            decoder=DecoderByTopic([decoder, *others]) if others else decoder,
            topics=decoder.topics,
            further_topics=(decoder.heartbeat_topic, *topics_of(others)),
            dead_letters=letters,
            incarnations=Incarnations(topic_describer(admin), target, admin.topic_ids),
            telemetry=telemetry,
            health=health,
        )


def described(engine: Engine, route: Route, site: Site, schema: str | None) -> Described:
    """The target's tables as they live; those that lack something refuse what is written."""
    tables, lacking = describe_live(engine, route, site, schema)
    return Described(
        {table.name: table for table in tables},
        {
            name: TargetMismatch(f"the target lacks {', '.join(missing)}")
            for name, missing in lacking.items()
        },
    )


def apply_maps(
    target: Target,
    route: Route,
    site: Site,
    telemetry: PrometheusTelemetry,
) -> Remapped:
    """Fill in what was added to the mirror, and mark what maps that changed since they were applied
    last have to write, and what links give keys of that were not followed until now.
    """
    fill_sticky(target, route, site, SystemClock().now())
    with target.transaction() as transaction:
        remapped = remap(
            transaction,
            route,
            site,
            version("ajera-cdc"),
            SystemClock().now(),
        )
    with target.transaction() as transaction:
        follow(transaction, route, SystemClock().now())
    telemetry.remapped(remapped.recomputed, remapped.left)
    return remapped


@contextmanager
def keeper(route: Route, settings: Settings) -> Iterator[DatabaseTarget]:
    """The database that holds the route's offsets. Raises SyncSchemaOutdated, TargetBusy."""
    with state_of(settings, route).opened() as engine:
        yield target_of(settings, switched_on(settings, route), engine)


def target_of(settings: Settings, route: Route, engine: Engine) -> DatabaseTarget:
    """The route's target database, with the links of an exchange where the route needs them.

    Raises ConfigurationInvalid, SyncSchemaOutdated.
    """
    own, links = settings.routes.projection(route), schema_of_links(settings, route)
    require_links(engine, links)
    return DatabaseTarget(engine, route, settings.site, own.sync_schema, own.db_schema, links)


Join = Callable[[ConsumerParts, Processor], Messages]


def build_consumer(of: ConsumerParts, stop: Callable[[], bool], join: Join | None = None) -> Loop:
    """A member of the group, ready to run. `join` makes the membership;
    a fault test gives its own.
    """
    clock, limits = SystemClock(), limits_of(of.settings)
    processor = Processor(
        route=of.route,
        site=of.settings.site,
        decoder=of.decoder,
        target=of.target,
        recompute=Recompute(of.route, of.settings.site, of.targets, of.target.counts_utf16),
        dead_letters=of.dead_letters,
        telemetry=of.telemetry,
        clock=clock,
        limits=limits,
        describe=of.describe,
        observed=of.further_topics[1:],
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
            telemetry=of.telemetry,
            clock=clock,
        ),
        incarnation=of.incarnations.of,
        renewed=of.incarnations.renewed,
        telemetry=of.telemetry,
        clock=clock,
        pace=pace_of(of.settings),
        stop=stop,
        consumer=consumer_id(of.group, of.member),
        restored=partial(apply_maps, of.target, of.route, of.settings.site, of.telemetry),
    )


@contextmanager
def consumer(
    route: Route,
    settings: Settings,
    telemetry: PrometheusTelemetry,
    health: Health,
    stop: Callable[[], bool],
    member: int,
) -> Iterator[Loop]:
    """A consumer of the route, ready to run. Raises what `parts` raises."""
    with parts(route, settings, telemetry, health) as connected:
        yield build_consumer(replace(connected, member=member), stop)


def member(of: ConsumerParts, processor: Processor) -> KafkaMessages:
    """The membership in the route's consumer group."""
    topics = [*of.topics.values(), *of.further_topics]
    return join_group(
        of,
        of.group,
        topics,
        of.target,
        processor.on_assigned,
    )
