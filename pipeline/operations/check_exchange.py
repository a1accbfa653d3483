"""What the exchange with DPS needs: DPS as a source and a target, Ajera as a target,
both connectors, and nobody else at it.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Engine

from pipeline.config.settings import Settings
from pipeline.database.state.migrate import Part, require_latest
from pipeline.database.state.schema_links import (
    ajera_metadata,
    dps_metadata,
)
from pipeline.database.state.settings import read_setting
from pipeline.database.systems.grants import (
    EVERYTHING,
    READ_AND_WRITE,
    Rights,
    missing_rights,
)
from pipeline.database.systems.key_sources import key_findings
from pipeline.domain.exchange_tables import (
    CODE_LISTS,
    CREATED_IN_AJERA,
    DPS_TABLES,
)
from pipeline.engine.exchange.second_writer import SECOND_WRITER, TODO
from pipeline.engine.exchange.unit_of_work import ExchangeConfig
from pipeline.errors import PipelineError
from pipeline.operations import check_databases, check_statuses
from pipeline.operations.areas import DPS as AREA
from pipeline.operations.finding import Line, fault, line_of, rights
from pipeline.pairing.entity import ListTable
from pipeline.wiring.clients import ajera_engine, dps_engine
from pipeline.wiring.exchange import (
    pairs_of,
    require_choices,
    setup_of,
)
from pipeline.wiring.time_entries import chosen_by_time


def lines(settings: Settings) -> Iterator[Line]:
    """Nothing, where nothing is exchanged."""
    if settings.routes.exchange is None:
        return
    yield from _in_dps(settings)
    yield from _in_ajera(settings)


def _in_dps(settings: Settings) -> Iterator[Line]:
    dps, site = settings.exchange, settings.site
    yield from check_databases.source("dps", AREA, settings)
    engine = dps_engine(settings)
    try:
        yield _version(engine, dps.sync_schema, "dps", "sync schema")
        own = {table.name: EVERYTHING for table in dps_metadata(dps.sync_schema).tables.values()}
        yield _rights(engine, "our tables in DPS", dps.sync_schema, own)
        written = {site.source_table(table.name): READ_AND_WRITE for table in DPS_TABLES}
        yield _rights(engine, "DPS's tables", settings.dps.db_schema, written)
        yield from _lists(
            engine,
            settings.dps.db_schema,
            settings,
            [one.dps for one in CODE_LISTS if one.dps is not None],
        )
        yield _second_writer(engine, dps.sync_schema)
    finally:
        engine.dispose()


def _in_ajera(settings: Settings) -> Iterator[Line]:
    site, setup, ajera = settings.site, setup_of(settings), settings.ajera
    engine = ajera_engine(settings)
    try:
        yield _version(engine, ajera.sync_schema, "ajera", "our schema in Ajera")
        own = {
            table.name: EVERYTHING for table in ajera_metadata(ajera.sync_schema).tables.values()
        }
        yield _rights(engine, "our table in Ajera", ajera.sync_schema, own)
        yield from _keys(engine, settings)
        written = {site.source_table(table.name): READ_AND_WRITE for table in CREATED_IN_AJERA}
        counter = {site.keys.table: ("SELECT", "UPDATE")} if site.keys else {}
        yield _rights(
            engine,
            "Ajera's tables",
            ajera.db_schema,
            {**counter, **written},
        )
        yield from _lists(
            engine,
            ajera.db_schema,
            settings,
            [one.ajera for one in CODE_LISTS],
        )
        yield _choices(settings)
        yield from _time(settings, setup)
        yield from check_statuses.lines(engine, settings, AREA)
    finally:
        engine.dispose()


def _keys(engine: Engine, settings: Settings) -> Iterator[Line]:
    """For each table in which we create rows, where their keys come from."""
    try:
        for finding in key_findings(
            engine,
            settings.ajera.db_schema,
            settings.site,
            CREATED_IN_AJERA,
        ):
            yield line_of(AREA, finding)
    except PipelineError as error:
        yield fault(AREA, "keys in Ajera", error)


def _choices(settings: Settings) -> Line:
    dps = settings.exchange
    try:
        require_choices(settings)
    except PipelineError as error:
        return fault(AREA, "employees and consultants", error)
    found = f"employees: {dps.employees or '-'}, consultants: {dps.consultants or '-'}"
    return Line(AREA, "employees and consultants", is_ok=True, found=found)


def _time(settings: Settings, setup: ExchangeConfig) -> Iterator[Line]:
    """How many are chosen by their time on linked projects, where somebody is."""
    if all(entity.ajera.time is None for entity in setup.entities):
        return
    name = "time on linked projects"
    try:
        with pairs_of(settings) as pairs:
            counts = chosen_by_time(setup, pairs)
    except PipelineError as error:
        yield fault(AREA, name, error)
    else:
        told = ", ".join(f"{entity}: {count}" for entity, count in counts.items())
        yield Line(AREA, name, is_ok=True, found=f"may be read; chosen now: {told}")


def _version(engine: Engine, schema: str, part: Part, name: str) -> Line:
    try:
        require_latest(engine, schema, part)
    except PipelineError as error:
        return fault(AREA, name, error)
    return Line(AREA, name, is_ok=True, found="at this program's version")


def _rights(engine: Engine, where: str, schema: str | None, wanted: Rights) -> Line:
    try:
        return rights(AREA, where, missing_rights(engine, schema, wanted))
    except PipelineError as error:
        return fault(AREA, f"rights on {where}", error)


def _lists(
    engine: Engine,
    schema: str | None,
    settings: Settings,
    tables: list[ListTable],
) -> Iterator[Line]:
    site = settings.site
    for table in tables:
        name = site.source_table(table.table)
        try:
            lacking = missing_rights(engine, schema, {name: ("SELECT",)})
        except PipelineError as error:
            yield fault(AREA, f"list {name}", error)
        else:
            found = "may be read" if not lacking else "may not be read"
            yield Line(AREA, f"list {name}", not lacking, found, "; ".join(lacking))


def _second_writer(engine: Engine, schema: str) -> Line:
    """What the consumers have seen of another program that copies between the two systems."""
    try:
        seen = read_setting(engine, SECOND_WRITER, schema)
    except PipelineError as error:
        return fault(AREA, "second writer", error)
    if seen is None:
        return Line(
            AREA,
            "second writer",
            is_ok=True,
            found="no other sync detected",
        )
    return Line(
        AREA,
        "second writer",
        is_ok=False,
        found=f"its traces were seen last at {seen}",
        action=TODO,
    )
