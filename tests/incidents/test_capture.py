"""Incidents of capture: Connect killed, a task that failed, a deleted topic."""

from __future__ import annotations

from functools import partial
from math import isnan

import pytest
from confluent_kafka.admin import AdminClient
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from deploy.demo.consumers import EXCHANGE, TO_PIM
from pipeline.errors import ExitCode
from tests.incidents.firm import Firm
from tests.incidents.seen import Seen
from tests.support.live import wait_until
from tests.support.runbook import OnCall

pytestmark = pytest.mark.stack
BOTH = ("ajera", "dps")
ROUTES = (TO_PIM, EXCHANGE)
RUNNING = "pipeline_connector_running_state"
FROM_ENVIRONMENT = "${env:AJERA_CDC_SOURCE_PASSWORD}"


def test_connect_is_killed(firm: Firm) -> None:
    """Status says so at once. Lag does not say 0 s of a source that nobody hears."""
    person = firm.person("environment.unreachable")
    with firm.edits():
        firm.live.stack.kill_part("connect")
        firm.shows(
            lambda seen: seen.status_code == ExitCode.ENVIRONMENT and "Connect" in seen.problems,
            "status names Connect",
        )
        seen = firm.shows(is_silent, "sources are silent, and the delay is unknown")
        for route in ROUTES:
            assert (seen.metric(route, "pipeline_source_seen_seconds", source="ajera") or 0) > 1
            assert seen.health[route]["delay_seconds"] is None
        assert person.code in person.look()
        firm.live.stack.start_part("connect")
        for source in BOTH:
            person.heal(SOURCE=source)
        firm.wait_until_healthy()
    assert person.is_over()


def test_a_task_has_failed(firm: Firm) -> None:
    """A registry that was unavailable at the wrong moment ended it. It is shown as FAILED."""
    person, stack = firm.person("connect.failed"), firm.live.stack
    with firm.edits():
        stack.kill_part("registry")
        firm.live.edit('ALTER TABLE "AxVec" ADD COLUMN IF NOT EXISTS "vecColour" text')
        seen = firm.shows(
            lambda seen: seen.status_code == ExitCode.HALTED and "FAILED" in seen.problems,
            "status says that the task FAILED",
        )
        assert "registry" in seen.problems
        firm.shows(lambda seen: is_running(firm, seen) == 0, "the metric of the connector says so")
        assert "FAILED" in person.look(SOURCE="ajera")
        stack.start_part("registry")
        for source in BOTH:
            person.heal(SOURCE=source)
        firm.wait_until_healthy()
    assert all(person.is_over(SOURCE=source) for source in BOTH)


def is_silent(seen: Seen) -> bool:
    """In lag, in health, and for the connectors' metric."""
    routes = [seen.route(name) for name in ROUTES]
    return all(
        route["delay_seconds"] is None and all(one["is_silent"] for one in route["sources"])
        for route in routes
    ) and all(
        all(one["is_silent"] for one in (seen.health[name].get("sources") or {}).values())
        and isnan(seen.metric(name, RUNNING) or 0)
        for name in ROUTES
    )


def is_running(firm: Firm, seen: Seen) -> float | None:
    """What the route to PIM reports of Ajera's connector."""
    connector = firm.live.settings()["sources"]["ajera"]["connector_name"]
    return seen.metric(TO_PIM, RUNNING, connector=connector)


def test_the_password_of_the_connector_is_another_one(firm: Firm) -> None:
    """Debezium tries again without end with a task that stays RUNNING, or FAILED if a heartbeat was
    refused before: status says that nobody reads the log, or that it failed, and whom the database
    refuses; lag, health and metrics that the source is silent.
    """
    person, before = firm.person("connect.failed"), firm.live.settings()["sources"]["ajera"]
    whole = make_url(before["database"])
    role = f"{firm.live.name}-capture"
    name = sql.Identifier(role)
    firm.live.ajera.execute(
        sql.SQL("CREATE ROLE {} SUPERUSER LOGIN PASSWORD 'before'").format(name)
    )
    use(firm, whole.set(username=role, password="before"))
    person.heal(SOURCE="ajera")
    with firm.edits():
        firm.live.ajera.execute(sql.SQL("ALTER ROLE {} PASSWORD 'after'").format(name))
        firm.live.edit(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", role
        )
        seen = firm.shows(
            lambda seen: "environment.credentials" in seen.problems and is_late(seen),
            "status names the refusal, lag and health the source that is silent",
        )
        assert seen.status_code != ExitCode.OK
        assert f"/{whole.database} as {role}" in seen.problems
        for route in ROUTES:
            assert (seen.metric(route, "pipeline_source_seen_seconds", source="ajera") or 0) > 5
        use(firm, whole.set(username=role, password="after"))
        seen = firm.look()
        found = "Nobody reads its log" in seen.problems, "password was refused" in seen.problems
        assert any(found)
        assert "connectors apply --source ajera" in seen.problems
        person.heal(SOURCE="ajera")
        firm.wait_until_healthy()
    assert person.is_over(SOURCE="ajera")
    firm.live.configure(sources={"ajera": {"connect_password": FROM_ENVIRONMENT, **before}})
    person.heal(SOURCE="ajera")


def use(firm: Firm, url: URL) -> None:
    """Another user of Ajera, in the settings: for us, and for the connector."""
    text = url.render_as_string(hide_password=False)
    both = {"database": text, "connect_password": url.password}
    firm.live.configure(sources={"ajera": both})


def is_late(seen: Seen) -> bool:
    """Nothing of Ajera was seen for longer than its heartbeats allow: in lag, and in health."""
    return all(
        one["is_silent"]
        for route in ROUTES
        for one in (
            *(each for each in seen.route(route)["sources"] if each["source"] == "ajera"),
            (seen.health[route].get("sources") or {"ajera": {"is_silent": False}})["ajera"],
        )
    )


def test_a_topic_is_deleted(firm: Firm) -> None:
    """What it held is unknown, and not zero; a new snapshot brings every row again, and nobody
    restarts a consumer.
    """
    person, again = firm.person("kafka.offset_lost"), firm.person("kafka.renewed")
    topic = f"{firm.live.name}.AxInvoiceGroup"
    kafka = AdminClient({"bootstrap.servers": firm.live.stack.bootstrap})
    with firm.edits():
        kafka.delete_topics([topic])[topic].result(10)
        seen = firm.shows(
            lambda seen: seen.status_code == ExitCode.HALTED and topic in seen.problems,
            "status names the topic",
        )
        assert all(seen.route(name)["lag"] is None for name in ROUTES)
        assert all(topic in seen.route(name)["missing"] for name in ROUTES)
        for name in ROUTES:
            assert seen.metric(name, "pipeline_delay_oldest_seconds", topic=topic) is None
        person.heal(SOURCE="ajera")
        firm.wait_until_healthy()
        for name in ROUTES:
            wait_until(partial(has_renewed, firm, name, again), "it says that the topic is new")
        again.heal(SOURCE="ajera", TABLE="AxInvoiceGroup")
        firm.wait_until_healthy()
    assert person.is_over()
    assert again.is_over()


def has_renewed(firm: Firm, route: str, person: OnCall) -> bool:
    """In its log, and as a metric."""
    name = "pipeline_rewinds_total"
    return person.code in firm.said(route) and bool(
        firm.look().metric(route, name, code=person.code)
    )
