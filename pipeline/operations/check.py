"""Reaching everything once: what answers, what differs from what the route needs, and what to grant or set."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from pipeline.config import Settings
from pipeline.database.grants import EVERYTHING, missing_rights, rights_on_target
from pipeline.database.inspect import Finding, source_findings
from pipeline.database.live import describe_target
from pipeline.database.migrate import require_latest
from pipeline.database.schema import sync_metadata
from pipeline.errors import ExitCode, PipelineError, SchemaUnknown, SyncSchemaOutdated, TargetMismatch
from pipeline.kafka.admin import TopicDescription, TopicSettings, differences_between
from pipeline.operations.connectors import topics_of
from pipeline.operations.sources import source_of
from pipeline.wiring import (
    ajera_engine,
    connect_client,
    kafka_admin,
    pim_engine,
    registry_client,
    route_of,
    source_contract,
)

NO_SCHEMA = 2**31 - 1
CONNECTORS = {
    "postgres": "io.debezium.connector.postgresql.PostgresConnector",
    "sqlserver": "io.debezium.connector.sqlserver.SqlServerConnector",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at. `todo` says what to grant, set or correct where it is not well."""

    area: str
    name: str
    well: bool
    found: str
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """Every line found, area by area."""

    lines: tuple[Line, ...]

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.OK if all(line.well for line in self.lines) else ExitCode.ENVIRONMENT


Looks = Callable[[Settings], Iterator[Line]]


def check(settings: Settings, only: Collection[str] = ()) -> Check:
    """Looks at every area, or at those named, whatever the others say; raises nothing that a line can tell."""
    chosen = [(area, looks) for area, looks in AREAS.items() if not only or area in only]
    return Check(tuple(line for area, looks in chosen for line in _guarded(area, looks, settings)))


def _guarded(area: str, looks: Looks, settings: Settings) -> Iterator[Line]:
    try:
        yield from looks(settings)
    except PipelineError as error:
        yield _fault(area, "reachable", error)


def _ajera(settings: Settings) -> Iterator[Line]:
    engine = ajera_engine(settings)
    try:
        findings = source_findings(
            engine, route_of(settings), settings.site(), source_contract(settings), settings.ajera.db_schema
        )
    finally:
        engine.dispose()
    yield from (_line("Ajera", finding) for finding in findings)


def _line(area: str, finding: Finding) -> Line:
    return Line(area, finding.name, finding.well, finding.found, finding.todo)


def _pim(settings: Settings) -> Iterator[Line]:
    engine, route, site = pim_engine(settings), route_of(settings), settings.site()
    schema, sync = settings.pim.db_schema, settings.pim.sync_schema
    try:
        try:
            found = describe_target(engine, route, site, schema)
        except TargetMismatch as error:
            yield _fault("PIM", "tables", error)
        else:
            yield Line("PIM", "tables", well=True, found=f"{len(found)} tables, every mapped column is there")
            yield _rights("PIM's tables", missing_rights(engine, schema, rights_on_target(route, site)))
        try:
            require_latest(engine, sync)
        except SyncSchemaOutdated as error:
            yield _fault("PIM", "sync schema", error)
        else:
            yield Line("PIM", "sync schema", well=True, found="at this program's version")
            own = {table.name: EVERYTHING for table in sync_metadata(sync).tables.values()}
            yield _rights("the sync schema", missing_rights(engine, sync, own))
    finally:
        engine.dispose()


def _rights(where: str, missing: list[str]) -> Line:
    found = "granted" if not missing else f"missing on {len(missing)} tables"
    todo = f"{'; '.join(missing)}, each TO our user." if missing else ""
    return Line("PIM", f"rights on {where}", not missing, found, todo)


def _kafka(settings: Settings) -> Iterator[Line]:
    admin = kafka_admin(settings)
    try:
        for wanted in topics_of(settings, settings.site()):
            yield _topic(wanted, admin.topic_description(wanted.name))
    finally:
        admin.close()


def _topic(wanted: TopicSettings, found: TopicDescription | None) -> Line:
    if found is None:
        return Line(
            "Kafka", wanted.name, well=False, found="is missing", todo="`ajera-cdc connectors apply` creates it."
        )
    differences = differences_between(wanted, found)
    well = not differences
    return Line("Kafka", wanted.name, well, " ".join(differences) or "as it should be", "" if well else ALTER)


ALTER = "Change the topic with Kafka's own tools, or the setting; partitions cannot be changed in place."


def _registry(settings: Settings) -> Iterator[Line]:
    """Asked as consumers ask, for a schema that nobody has: a registry that says so is the right one."""
    registry = registry_client(settings)
    try:
        registry.writer_schema(NO_SCHEMA)
    except SchemaUnknown:
        pass
    finally:
        registry.close()
    yield Line("registry", "reachable", well=True, found="answers as a registry does")


def _connect(settings: Settings) -> Iterator[Line]:
    client = connect_client(settings)
    try:
        plugins = client.plugins()
        wanted = CONNECTORS[source_of(settings).dialect]
        found = plugins.get(wanted)
        todo = "" if found is not None else "Put Debezium's connector into Connect's plugin.path."
        yield Line("Connect", "Debezium", found is not None, f"version {found}" if found else "is missing", todo)
        status = client.status(settings.connect.connector_name)
        todo = "" if status.is_running else status.failure or "`ajera-cdc connectors apply`."
        yield Line("Connect", "connector", status.is_running, status.sentence, todo)
    finally:
        client.close()


def _fault(area: str, name: str, error: PipelineError) -> Line:
    return Line(area, name, well=False, found=f"{error.code}: {error}", todo=error.hint)


AREAS: Mapping[str, Looks] = {
    "Ajera": _ajera,
    "PIM": _pim,
    "Kafka": _kafka,
    "registry": _registry,
    "Connect": _connect,
}
