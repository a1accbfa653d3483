"""The exchange with DPS, put together: from settings to a consumer that runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from pipeline.config.settings import Settings
from pipeline.conflicts.first import FirstLinkPolicy
from pipeline.conflicts.rules import Rule, Side
from pipeline.conflicts.version import is_two_way, parse
from pipeline.database.pairs import DatabasePairs
from pipeline.database.state.migrate import require_latest
from pipeline.database.systems.key_sources import generated_keys
from pipeline.database.systems.rows import Names
from pipeline.decoding.by_topic import DecoderByTopic
from pipeline.domain.choice import CONSULTANTS, EMPLOYEES, Choice
from pipeline.domain.exchange import entities
from pipeline.domain.exchange_tables import (
    CODE_LISTS,
    CREATED_IN_AJERA,
    FILLS,
    SIDES,
)
from pipeline.domain.status import StatusCoding
from pipeline.engine.consumer import ports
from pipeline.engine.consumer.loop import Loop
from pipeline.engine.consumer.ports import DeadLetters, Messages, Telemetry
from pipeline.engine.consumer.start import Incarnations
from pipeline.engine.exchange.ajera_writer import AjeraWriter
from pipeline.engine.exchange.ports import Pairs
from pipeline.engine.exchange.processor import Exchange
from pipeline.engine.exchange.reconciler import Reconciler
from pipeline.engine.exchange.unit_of_work import ExchangeConfig
from pipeline.errors import ChoiceMissing
from pipeline.kafka.consumer import KafkaMessages
from pipeline.telemetry.health import Health
from pipeline.telemetry.prometheus import PrometheusTelemetry
from pipeline.wiring.clients import (
    SystemClock,
    ajera_engine,
    dead_letters,
    dps_engine,
    kafka_admin,
    limits_of,
    pace_of,
    registry_client,
    topic_describer,
)
from pipeline.wiring.exchange_decoding import decoders_of
from pipeline.wiring.identity import consumer_id
from pipeline.wiring.membership import join_group
from pipeline.wiring.time_entries import require_time


def setup_of(settings: Settings) -> ExchangeConfig:
    """How this installation exchanges. Raises ConfigurationInvalid, ProfileInvalid,
    AjeraVersionInvalid.
    """
    dps, site = settings.exchange, settings.site
    of_version = entities(
        two_way=is_two_way(parse(settings.ajera.version or "")),
        rules={name: Rule(rule) for name, rule in site.rules.items()},
        clock_tolerance=timedelta(seconds=dps.clock_tolerance_seconds),
        status=StatusCoding(dps.status_coding),
        choices={
            EMPLOYEES: Choice(dps.employees or "none"),
            CONSULTANTS: Choice(dps.consultants or "none"),
        },
    )
    window = timedelta(seconds=dps.recheck_window_seconds)
    limits = {
        "contact": dps.contacts_per_firm or None,
        "project_contact": dps.contacts_per_project or None,
    }
    return ExchangeConfig(
        entities=tuple(
            replace(one, rules=replace(one.rules, look_window=window)) for one in of_version
        ),
        tables=SIDES,
        lists=CODE_LISTS,
        numbers={
            "project": dps.project_number,
            "employee": dps.employee_number,
        },
        limits=limits,
        policy=FirstLinkPolicy(
            prefers=None if dps.initial_match_policy == "park" else Side(dps.initial_match_policy)
        ),
        rewound_tolerance=timedelta(seconds=settings.run.clock_tolerance_seconds),
    )


def require_choices(settings: Settings) -> None:
    """Nothing of them begins before somebody chose. Raises ChoiceMissing, and
    AjeraVersionInvalid.
    """
    dps = settings.exchange
    missing = [name for name in ("employees", "consultants") if getattr(dps, name) is None]
    if missing and is_two_way(parse(settings.ajera.version or "")):
        raise ChoiceMissing(
            f"{' and '.join(f'routes.dps.{name}' for name in missing)}: not stated."
        )


@contextmanager
def pairs_of(settings: Settings) -> Iterator[DatabasePairs]:
    """Both databases, connected. Raises SyncSchemaOutdated, TargetBusy, ConfigurationInvalid."""
    dps, site = settings.exchange, settings.site
    with ExitStack() as resources:
        in_dps, in_ajera = dps_engine(settings), ajera_engine(settings)
        resources.callback(in_dps.dispose)
        resources.callback(in_ajera.dispose)
        require_latest(in_dps, dps.sync_schema, "dps")
        require_latest(in_ajera, settings.ajera.sync_schema, "ajera")
        yield DatabasePairs(
            in_dps,
            in_ajera,
            Names(site, Side.DPS, settings.dps.db_schema),
            Names(
                site,
                Side.AJERA,
                settings.ajera.db_schema,
                FILLS,
                generated_keys(
                    in_ajera,
                    settings.ajera.db_schema,
                    site,
                    CREATED_IN_AJERA,
                ),
            ),
            dps.sync_schema,
            settings.ajera.sync_schema,
        )


# -- the consumer ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class ExchangeParts:
    """What a consumer of the exchange is made of.
    A fault test replaces single parts before `assembled`.
    """

    settings: Settings
    setup: ExchangeConfig
    pairs: DatabasePairs
    decoder: ports.Decoder
    topics: Sequence[str]
    sides: Mapping[str, Side]
    dead_letters: DeadLetters
    incarnations: Incarnations
    telemetry: PrometheusTelemetry
    health: Health
    member: int = 1  # of those in this process


@contextmanager
def parts(
    settings: Settings, telemetry: PrometheusTelemetry, health: Health
) -> Iterator[ExchangeParts]:
    """Everything but the membership in the group, connected.

    Raises what `require_choices`, `setup_of`, `pairs_of` and `require_time` raise.
    """
    with ExitStack() as resources:
        require_choices(settings)
        setup = setup_of(settings)
        pairs = resources.enter_context(pairs_of(settings))
        require_time(setup, pairs)
        registry = registry_client(settings)
        resources.callback(registry.close)
        ajera, of_dps = decoders_of(settings, setup, registry.writer_schema)
        both = DecoderByTopic((ajera, of_dps))
        admin = kafka_admin(settings)
        resources.callback(admin.close)
        letters = dead_letters(settings, settings.exchange)
        resources.callback(letters.close)
        yield ExchangeParts(
            settings=settings,
            setup=setup,
            pairs=pairs,
            decoder=both,
            topics=both.topics,
            sides={
                ajera.heartbeat_topic: Side.AJERA,
                of_dps.heartbeat_topic: Side.DPS,
            },
            dead_letters=letters,
            incarnations=Incarnations(topic_describer(admin), pairs, admin.topic_ids),
            telemetry=telemetry,
            health=health,
        )


Join = Callable[[ExchangeParts, Exchange], Messages]


def build_consumer(of: ExchangeParts, stop: Callable[[], bool], join: Join | None = None) -> Loop:
    """A member of the group, ready to run. `join` makes the membership;
    a fault test gives its own.
    """
    exchange = exchange_of(of)
    return Loop(
        messages=(join or member)(of, exchange),
        processor=exchange,
        keeper=of.pairs,
        loading=exchange.sweep,
        incarnation=of.incarnations.of,
        renewed=of.incarnations.renewed,
        telemetry=of.telemetry,
        clock=SystemClock(),
        pace=pace_of(of.settings),
        stop=stop,
        consumer=consumer_id(of.settings.exchange.group, of.member),
    )


def reconciler(setup: ExchangeConfig, pairs: Pairs, telemetry: Telemetry) -> Reconciler:
    """What decides and carries out, for consumers and for commands."""
    return Reconciler(
        setup=setup,
        pairs=pairs,
        writer=AjeraWriter(pairs, telemetry),
        telemetry=telemetry,
        clock=SystemClock(),
    )


def exchange_of(of: ExchangeParts) -> Exchange:
    """The processor of the exchange."""
    return Exchange(
        setup=of.setup,
        pairs=of.pairs,
        reconciler=reconciler(of.setup, of.pairs, of.telemetry),
        sides=of.sides,
        decoder=of.decoder,
        dead_letters=of.dead_letters,
        telemetry=of.telemetry,
        clock=SystemClock(),
        limits=limits_of(of.settings),
    )


@contextmanager
def consumer(
    settings: Settings,
    telemetry: PrometheusTelemetry,
    health: Health,
    stop: Callable[[], bool],
    member: int,
) -> Iterator[Loop]:
    """A consumer of the exchange, ready to run. Raises what `parts` raises."""
    with parts(settings, telemetry, health) as connected:
        yield build_consumer(replace(connected, member=member), stop)


def member(of: ExchangeParts, exchange: Exchange) -> KafkaMessages:
    """The membership in the exchange's consumer group."""
    return join_group(
        of,
        of.settings.exchange.group,
        of.topics,
        of.pairs,
        exchange.on_assigned,
    )
