"""Incidents of capture: Connect killed, a task that failed, a deleted topic."""

from __future__ import annotations

import pytest
from confluent_kafka.admin import AdminClient

from deploy.demo.consumers import EXCHANGE, TO_PIM
from pipeline.errors import ExitCode
from tests.incidents.firm import Firm, Seen

pytestmark = pytest.mark.stack
BOTH = ("ajera", "dps")


def test_connect_is_killed(firm: Firm) -> None:
    """Status says so at once. Lag does not say 0 s of a source that nobody hears."""
    person = firm.person("environment.unreachable")
    with firm.edits():
        firm.live.stack.kill_part("connect")
        firm.shows(
            lambda seen: seen.status_code == ExitCode.ENVIRONMENT and "Connect" in seen.problems,
            "status names Connect",
        )
        firm.shows(is_silent, "sources are silent, and the delay is unknown")
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
        assert "FAILED" in person.look(SOURCE="ajera")
        stack.start_part("registry")
        for source in BOTH:
            person.heal(SOURCE=source)
        firm.wait_until_healthy()
    assert all(person.is_over(SOURCE=source) for source in BOTH)


def is_silent(seen: Seen) -> bool:
    routes = [seen.route(name) for name in (TO_PIM, EXCHANGE)]
    return all(
        route["delay_seconds"] is None and all(one["is_silent"] for one in route["sources"])
        for route in routes
    )


def test_a_topic_is_deleted(firm: Firm) -> None:
    """What it held is unknown, and not zero; a new snapshot brings every row again."""
    person = firm.person("kafka.offset_lost")
    topic = f"{firm.live.name}.AxInvoiceGroup"
    kafka = AdminClient({"bootstrap.servers": firm.live.stack.bootstrap})
    with firm.edits():
        kafka.delete_topics([topic])[topic].result(10)
        seen = firm.shows(
            lambda seen: seen.status_code == ExitCode.HALTED and topic in seen.problems,
            "status names the topic",
        )
        assert all(seen.route(name)["lag"] is None for name in (TO_PIM, EXCHANGE))
        assert all(topic in seen.route(name)["missing"] for name in (TO_PIM, EXCHANGE))
        person.heal(SOURCE="ajera")
        firm.restart(TO_PIM, EXCHANGE)
        firm.wait_until_healthy()
    assert person.is_over()
