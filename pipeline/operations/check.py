"""Reaching everything once: what answers, what differs from what the route needs,
and what to grant or set.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial

from pipeline.config.settings import Settings
from pipeline.domain.routes import Routes
from pipeline.errors import ExitCode, KafkaRightMissing, PipelineError, SchemaUnknown
from pipeline.kafka.topics import (
    TopicDescription,
    TopicSettings,
    differences_between,
)
from pipeline.mapping.route import Route
from pipeline.operations import areas, check_databases, check_exchange
from pipeline.operations.connectors import topics_of
from pipeline.operations.finding import Line, fault
from pipeline.wiring.clients import (
    connect_client,
    kafka_admin,
    registry_client,
)
from pipeline.wiring.route import routes_of
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


def looks_of(routes: Routes) -> dict[str, Looks]:
    """How each area is looked at."""
    targets = {
        areas.area_of(route): partial(check_databases.target, route)
        for route in routes
        if isinstance(route, Route)
    }
    return {
        areas.AJERA: partial(check_databases.source, "ajera", areas.AJERA),
        **targets,
        areas.DPS: check_exchange.lines,
        areas.KAFKA: _kafka,
        areas.REGISTRY: _registry,
        areas.CONNECT: _connect,
    }


def check(settings: Settings, only: Collection[str] = ()) -> Check:
    """Looks at every area, or at those named, whatever the others say;
    raises nothing that a line can tell.
    """
    known = looks_of(settings.routes.listed).items()
    chosen = [(area, looks) for area, looks in known if not only or area in only]
    return Check(tuple(line for area, looks in chosen for line in _guarded(area, looks, settings)))


def _guarded(area: str, looks: Looks, settings: Settings) -> Iterator[Line]:
    try:
        yield from looks(settings)
    except PipelineError as error:
        yield fault(area, "reachable", error)


def _kafka(settings: Settings) -> Iterator[Line]:
    rights = {topic: READ for route in routes_of(settings) for topic in route.topics}
    rights |= {source_of(settings, one).heartbeat_topic: READ for one in systems_of(settings)}
    rights |= {route.dead_letter_topic: WRITE for route in routes_of(settings)}
    admin = kafka_admin(settings)
    try:
        for system in systems_of(settings):
            for one in topics_of(settings, system):
                found = admin.topic_description(one.name)
                yield _topic(one, found, rights.get(one.name))
    finally:
        admin.close()


def _topic(wanted: TopicSettings, found: TopicDescription | None, right: str | None) -> Line:
    """`right`: what a consumer needs on the topic, if anything."""
    if found is None:
        return Line(
            "Kafka",
            wanted.name,
            is_ok=False,
            found="is missing",
            action="`ajera-cdc connectors apply` creates it.",
        )
    if right is not None and found.rights is not None and right not in found.rights:
        return Line(
            "Kafka",
            wanted.name,
            is_ok=False,
            found=f"{KafkaRightMissing.code}: this user may not {right.lower()} it",
            action=f"Add the access rule (ACL) {right.title()} in Kafka.",
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


READ, WRITE = "READ", "WRITE"  # rights on a topic, as Kafka names them
ALTER = (
    "Change the topic with Kafka's own tools, or the setting; partitions cannot be changed in "
    "place."
)


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
        for dialect in dict.fromkeys(
            source_of(settings, one).dialect for one in systems_of(settings)
        ):
            yield _plugin(plugins.get(CONNECTORS[dialect]))
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


def _plugin(version: str | None) -> Line:
    return Line(
        "Connect",
        "Debezium",
        is_ok=version is not None,
        found=f"version {version}" if version else "is missing",
        action="" if version else "Put Debezium's connector into Connect's plugin.path.",
    )
