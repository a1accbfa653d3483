"""The databases of the routes: a captured one as its connector needs it, and the target of a
projection with our own schema.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Engine

from pipeline.config.settings import Settings
from pipeline.database.state.schema import sync_metadata
from pipeline.database.systems.grants import (
    EVERYTHING,
    missing_rights,
    rights_on_links,
    rights_on_target,
)
from pipeline.database.systems.inspect import source_findings
from pipeline.database.systems.live import describe_target
from pipeline.domain.routes import captured
from pipeline.errors import PipelineError, RightMissing, SyncSchemaOutdated, TargetMismatch
from pipeline.mapping.route import Route
from pipeline.operations.areas import area_of
from pipeline.operations.finding import Line, fault, line_of, rights
from pipeline.operations.heartbeats import HEARTBEAT_TABLE
from pipeline.wiring.clients import source_engine, target_engine
from pipeline.wiring.exchange import setup_of
from pipeline.wiring.exchange_decoding import needs_of
from pipeline.wiring.links import require_links, schema_of_links
from pipeline.wiring.offered import require_offered, switched_on
from pipeline.wiring.projection import needs_in
from pipeline.wiring.source import Source, contract_of, source_of
from pipeline.wiring.state import State, state_of

ROW = "the heartbeat row"


def source(system: str, area: str, settings: Settings) -> Iterator[Line]:
    """What the configured routes read of a system, and what its connector needs."""
    readers = [one for one in settings.routes.configured if system in one.reads]
    if not readers:
        return
    engine = source_engine(settings, system)
    try:
        findings = source_findings(
            engine,
            captured(system, readers),
            _needs(settings, system),
            settings.site,
            contract_of(system, *readers),
            settings.source(system).db_schema,
        )
        heartbeat = _heartbeat_row(source_of(settings, system), area, engine)
    finally:
        engine.dispose()
    yield from (line_of(area, finding) for finding in findings)
    yield heartbeat


def _heartbeat_row(source: Source, area: str, engine: Engine) -> Line:
    """The row that the connector writes and reads back; `connectors apply` creates its table."""
    if not source.settings.heartbeat_table:
        return Line(
            area, ROW, is_ok=True, found="switched off: a log that stands still is not told"
        )
    schema, table = HEARTBEAT_TABLE.names(source)
    try:
        if HEARTBEAT_TABLE.table(engine, schema, table).is_ready():
            missing = missing_rights(engine, schema, {table: ("SELECT", "UPDATE")})
            return rights(area, ROW, missing)
    except RightMissing as error:  # a finding beside the others
        return fault(area, ROW, error)
    return Line(area, ROW, is_ok=True, found="not there: `connectors apply` creates its table")


def _needs(settings: Settings, system: str) -> dict[str, dict[str, str]]:
    """By table and column a line that needs it, of the first route that does."""
    found: dict[str, dict[str, str]] = {}
    for route in (one for one in settings.routes.configured if system in one.reads):
        if isinstance(route, Route):
            needs = needs_in(settings, switched_on(settings, route), system)
        else:
            needs = needs_of(route.reads[system], setup_of(settings).entities)
        for table, columns in needs.items():
            found[table] = columns | found.get(table, {})
    return found


def target(route: Route, settings: Settings) -> Iterator[Line]:
    """A projection's target; nothing, where it is not configured."""
    if route not in settings.routes.configured:
        return
    area = area_of(route)
    try:
        require_offered(settings, route)
    except PipelineError as error:
        yield fault(area, "the route", error)
        return
    engine = target_engine(settings, route)
    try:
        yield from _tables(settings, route, engine)
        yield from _state(area, state_of(settings, route), engine)
        yield from _links(area, schema_of_links(settings, route), engine)
    finally:
        engine.dispose()


def _tables(settings: Settings, route: Route, engine: Engine) -> Iterator[Line]:
    area, schema = area_of(route), settings.routes.projection(route).db_schema
    try:
        found = describe_target(engine, switched_on(settings, route), settings.site, schema)
    except TargetMismatch as error:
        yield fault(area, "tables", error)
        return
    told = f"{len(found)} tables, every mapped column is there"
    yield Line(area, "tables", is_ok=True, found=told)
    wanted = rights_on_target(route, settings.site)
    yield rights(area, f"{area}'s tables", missing_rights(engine, schema, wanted))


def _links(area: str, schema: str | None, engine: Engine) -> Iterator[Line]:
    """The exchange's tables, where the route follows its links."""
    if schema is None:
        return
    try:
        require_links(engine, schema)
    except SyncSchemaOutdated as error:
        yield fault(area, "the exchange's links", error)
        return
    missing = missing_rights(engine, schema, rights_on_links(engine))
    yield rights(area, "the exchange's links", missing)


def _state(area: str, of: State, engine: Engine) -> Iterator[Line]:
    try:
        of.require_latest(engine)
    except SyncSchemaOutdated as error:
        yield fault(area, "sync schema", error)
        return
    yield Line(area, "sync schema", is_ok=True, found="at this program's version")
    own = {
        table.name: EVERYTHING for table in sync_metadata(of.schema, of.mirrored).tables.values()
    }
    yield rights(area, "the sync schema", missing_rights(engine, of.schema, own))
