"""Reaching everything once: what answers, what differs from what the route needs,
and what to grant or set.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from pipeline.config.settings import Settings
from pipeline.database.state.migrate import require_latest
from pipeline.database.state.schema import sync_metadata
from pipeline.database.systems.grants import (
    EVERYTHING,
    missing_rights,
    rights_on_target,
)
from pipeline.database.systems.inspect import source_findings
from pipeline.database.systems.live import describe_target
from pipeline.decoding.needs import needed_by
from pipeline.domain.exchange_tables import AJERA_TABLES
from pipeline.errors import (
    ExitCode,
    PipelineError,
    SchemaUnknown,
    SyncSchemaOutdated,
    TargetMismatch,
)
from pipeline.kafka.admin import (
    TopicDescription,
    TopicSettings,
    differences_between,
)
from pipeline.operations import check_exchange
from pipeline.operations.connectors import topics_of
from pipeline.operations.finding import Line, fault, line_of, rights
from pipeline.wiring.clients import (
    ajera_engine,
    connect_client,
    kafka_admin,
    pim_engine,
    registry_client,
)
from pipeline.wiring.exchange import needs_of, setup_of
from pipeline.wiring.projection import route_of, source_contract
from pipeline.wiring.source import source_of, systems_of

NO_SCHEMA = 2**31 - 1
CONNECTORS = {
    "postgres": "io.debezium.connector.postgresql.PostgresConnector",
    "sqlserver": "io.debezium.connector.sqlserver.SqlServerConnector",
}


@dataclass(frozen=True, slots=True)
class Check:
    """Every line found, area by area."""

    lines: tuple[Line, ...]

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.OK if all(line.is_ok for line in self.lines) else ExitCode.ENVIRONMENT


Looks = Callable[[Settings], Iterator[Line]]


def check(settings: Settings, only: Collection[str] = ()) -> Check:
    """Looks at every area, or at those named, whatever the others say;
    raises nothing that a line can tell.
    """
    chosen = [(area, looks) for area, looks in AREAS.items() if not only or area in only]
    return Check(tuple(line for area, looks in chosen for line in _guarded(area, looks, settings)))


def _guarded(area: str, looks: Looks, settings: Settings) -> Iterator[Line]:
    try:
        yield from looks(settings)
    except PipelineError as error:
        yield fault(area, "reachable", error)


def _ajera(settings: Settings) -> Iterator[Line]:
    """As a source: what any configured route reads of it."""
    site, contract = settings.site, source_contract()
    if settings.routes.pim is not None:
        route = route_of(settings)
        tables, needs = (
            route.reads[route.source_system],
            needed_by(route.sources, route.mappings, site),
        )
    else:
        tables, needs = (
            AJERA_TABLES,
            needs_of(AJERA_TABLES, setup_of(settings).entities),
        )
    engine = ajera_engine(settings)
    try:
        findings = source_findings(engine, tables, needs, site, contract, settings.ajera.db_schema)
    finally:
        engine.dispose()
    yield from (line_of("Ajera", finding) for finding in findings)


def _pim(settings: Settings) -> Iterator[Line]:
    if settings.routes.pim is None:
        return
    engine, route, site = (
        pim_engine(settings),
        route_of(settings),
        settings.site,
    )
    schema, sync = settings.to_pim.db_schema, settings.to_pim.sync_schema
    try:
        try:
            found = describe_target(engine, route, site, schema)
        except TargetMismatch as error:
            yield fault("PIM", "tables", error)
        else:
            yield Line(
                "PIM",
                "tables",
                is_ok=True,
                found=f"{len(found)} tables, every mapped column is there",
            )
            yield rights(
                "PIM",
                "PIM's tables",
                missing_rights(engine, schema, rights_on_target(route, site)),
            )
        try:
            require_latest(engine, sync)
        except SyncSchemaOutdated as error:
            yield fault("PIM", "sync schema", error)
        else:
            yield Line(
                "PIM",
                "sync schema",
                is_ok=True,
                found="at this program's version",
            )
            own = {table.name: EVERYTHING for table in sync_metadata(sync).tables.values()}
            yield rights("PIM", "the sync schema", missing_rights(engine, sync, own))
    finally:
        engine.dispose()


def _kafka(settings: Settings) -> Iterator[Line]:
    admin = kafka_admin(settings)
    try:
        for system in systems_of(settings):
            for one in topics_of(settings, system):
                yield _topic(one, admin.topic_description(one.name))
    finally:
        admin.close()


def _topic(wanted: TopicSettings, found: TopicDescription | None) -> Line:
    if found is None:
        return Line(
            "Kafka",
            wanted.name,
            is_ok=False,
            found="is missing",
            action="`ajera-cdc connectors apply` creates it.",
        )
    differences = differences_between(wanted, found)
    is_ok = not differences
    return Line(
        "Kafka",
        wanted.name,
        is_ok,
        " ".join(differences) or "as it should be",
        "" if is_ok else ALTER,
    )


ALTER = "Change the topic with Kafka's own tools, or the setting; partitions cannot be changed in place."


def _registry(settings: Settings) -> Iterator[Line]:
    """Asked as consumers ask, for a schema that nobody has:
    a registry that says so is the right one.
    """
    registry = registry_client(settings)
    try:
        registry.writer_schema(NO_SCHEMA)
    except SchemaUnknown:
        pass
    finally:
        registry.close()
    yield Line("registry", "reachable", is_ok=True, found="reachable")


def _connect(settings: Settings) -> Iterator[Line]:
    client = connect_client(settings)
    try:
        plugins = client.plugins()
        wanted = CONNECTORS[source_of(settings).dialect]
        found = plugins.get(wanted)
        action = "" if found is not None else "Put Debezium's connector into Connect's plugin.path."
        yield Line(
            "Connect",
            "Debezium",
            found is not None,
            f"version {found}" if found else "is missing",
            action,
        )
        for system in systems_of(settings):
            status = client.status(source_of(settings, system).connector)
            action = (
                ""
                if status.is_running
                else status.failure or f"`ajera-cdc connectors apply --source {system}`."
            )
            name = "connector" if system == "ajera" else "connector of DPS"
            yield Line("Connect", name, status.is_running, status.sentence, action)
    finally:
        client.close()


AREAS: Mapping[str, Looks] = {
    "Ajera": _ajera,
    "PIM": _pim,
    check_exchange.AREA: check_exchange.lines,
    "Kafka": _kafka,
    "registry": _registry,
    "Connect": _connect,
}
