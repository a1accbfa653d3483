"""Reaching everything once: what answers, what differs from what the route needs, and what to grant or set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx

from pipeline.config import Settings
from pipeline.database.inspect import Finding, source_findings
from pipeline.database.live import describe_target
from pipeline.database.migrate import require_latest
from pipeline.errors import ExitCode, PipelineError
from pipeline.kafka.admin import differences_between
from pipeline.operations.connectors import source_dialect, topics_of
from pipeline.wiring import ajera_engine, connect_client, kafka_admin, pim_engine, route_of, source_contract

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


def check(settings: Settings) -> Check:
    """Looks at every area, whatever the others say; raises nothing that a line can tell."""
    areas: tuple[tuple[str, Looks], ...] = (
        ("Ajera", _ajera),
        ("PIM", _pim),
        ("Kafka", _kafka),
        ("registry", _registry),
        ("Connect", _connect),
    )
    return Check(tuple(line for area, looks in areas for line in _guarded(area, looks, settings)))


def _guarded(area: str, looks: Looks, settings: Settings) -> Iterator[Line]:
    try:
        yield from looks(settings)
    except PipelineError as error:
        yield Line(area, "reachable", well=False, found=f"{error.code}: {error}", todo=error.hint)


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
    engine = pim_engine(settings)
    try:
        found = describe_target(engine, route_of(settings), settings.site(), settings.pim.db_schema)
        yield Line("PIM", "tables", well=True, found=f"{len(found)} tables, every mapped column is there")
        yield _try(
            "PIM", "sync schema", lambda: require_latest(engine, settings.pim.sync_schema), "at this program's version"
        )
    finally:
        engine.dispose()


def _kafka(settings: Settings) -> Iterator[Line]:
    admin = kafka_admin(settings)
    try:
        for wanted in topics_of(settings, settings.site()):
            found = admin.topic_description(wanted.name)
            if found is None:
                yield Line(
                    "Kafka",
                    wanted.name,
                    well=False,
                    found="is missing",
                    todo="`ajera-cdc connectors apply` creates it.",
                )
                continue
            differences = differences_between(wanted, found)
            yield Line(
                "Kafka",
                wanted.name,
                not differences,
                " ".join(differences) or "as it should be",
                ALTER if differences else "",
            )
    finally:
        admin.close()


ALTER = "Change the topic with Kafka's own tools, or the setting; partitions cannot be changed in place."


def _registry(settings: Settings) -> Iterator[Line]:
    """Asked without a client of a schema: any of a registry's own answers will do."""
    url = settings.registry.url.split(",")[0].rstrip("/")
    try:
        answer = httpx.get(f"{url}/subjects", timeout=5.0)
    except httpx.HTTPError as error:
        yield Line("registry", "reachable", well=False, found=type(error).__name__, todo="Check `registry.url`.")
        return
    is_one = answer.status_code in (httpx.codes.OK, httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
    todo = "" if is_one else "`registry.url` must be the root of Confluent's API (Apicurio: /apis/ccompat/v7)."
    yield Line("registry", "reachable", is_one, f"HTTP {answer.status_code}", todo)


def _connect(settings: Settings) -> Iterator[Line]:
    client = connect_client(settings)
    try:
        plugins = client.plugins()
        wanted = CONNECTORS[source_dialect(settings)]
        found = plugins.get(wanted)
        todo = "" if found is not None else "Put Debezium's connector into Connect's plugin.path."
        yield Line("Connect", "Debezium", found is not None, f"version {found}" if found else "is missing", todo)
        status = client.status(settings.connect.connector_name)
        is_well = status.is_running
        yield Line(
            "Connect",
            "connector",
            is_well,
            status.sentence,
            "" if is_well else status.failure or "`ajera-cdc connectors apply`.",
        )
    finally:
        client.close()


def _try(area: str, name: str, call: Callable[[], None], well: str) -> Line:
    try:
        call()
    except PipelineError as error:
        return Line(area, name, well=False, found=f"{error.code}: {error}", todo=error.hint)
    return Line(area, name, well=True, found=well)
