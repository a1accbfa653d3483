"""How much is written while something is unavailable: few lines, and none of them lost."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest
import structlog

from pipeline.engine.consumer.retry import Retrier
from pipeline.errors import PipelineError, RegistryUnavailable, ServiceUnreachable, TargetBusy
from pipeline.telemetry import log
from pipeline.telemetry.folding import REPEATED_AFTER_SECONDS
from pipeline.telemetry.health import Health
from pipeline.telemetry.outages import Outages
from pipeline.telemetry.prometheus import PrometheusTelemetry
from tests.twins.clock import SimulatedClock

HOUR = 3_600.0
KAFKA = logging.getLogger("ajera_cdc.kafka")
FAILS = (
    "FAIL [rdkafka#consumer-%d] [thrd:kafka:9092/bootstrap]: kafka:9092/bootstrap: Connect to "
    "ipv4#10.0.0.7:9092 failed: Connection refused (after %dms in state CONNECT)"
)


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
def written(clock: SimulatedClock) -> io.StringIO:
    """What is logged as JSON lines."""
    stream = io.StringIO()
    log.configure("INFO", "json", stream, clock.monotonic)
    return stream


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


@pytest.mark.parametrize(
    "error",
    [ServiceUnreachable("Kafka"), RegistryUnavailable("registry"), TargetBusy("PIM")],
    ids=lambda error: error.code,
)
def test_an_hour_without_a_service_is_a_handful_of_lines(
    error: PipelineError, clock: SimulatedClock, written: io.StringIO
) -> None:
    """The first failure at once, then ever more rarely, then how long it took and how many tries;
    librdkafka says meanwhile, several times a second, what we know.
    """
    outages = Outages(clock.monotonic)
    telemetry = PrometheusTelemetry(Health(), clock.monotonic, outages)

    def rest(seconds: float) -> None:
        clock.advance(seconds)
        for number in range(2):
            KAFKA.error(FAILS, number, number)

    def service() -> None:
        if clock.monotonic() < HOUR:
            raise error

    Retrier(
        first_seconds=0.2,
        most_seconds=30.0,
        telemetry=telemetry,
        clock=clock,
        stop=lambda: False,
        rest=rest,
    ).attempt(service)
    found = lines(written)
    ours = [line for line in found if "code" in line or line["action"] == "recovered"]
    assert len(ours) <= 10
    assert len(found) <= 20
    assert (ours[0]["action"], ours[0]["code"], ours[0]["tries"]) == ("retrying", error.code, 1)
    assert ours[-1]["action"] == "recovered"
    assert ours[-1]["seconds"] >= HOUR
    assert ours[-1]["tries"] > 100


def test_the_next_outage_is_logged_at_once(clock: SimulatedClock, written: io.StringIO) -> None:
    """What was over begins anew."""
    telemetry = PrometheusTelemetry(Health(), outages=Outages(clock.monotonic))
    for _ in range(2):
        telemetry.retried(TargetBusy("PIM"))
        telemetry.retried(TargetBusy("PIM"))
        telemetry.recovered()
    assert [line["action"] for line in lines(written)] == ["retrying", "recovered"] * 2


def test_another_cause_of_an_outage_is_logged_at_once(
    clock: SimulatedClock, written: io.StringIO
) -> None:
    """First the database was busy, then it was away."""
    telemetry = PrometheusTelemetry(Health(), outages=Outages(clock.monotonic))
    for error in (TargetBusy("PIM"), ServiceUnreachable("PIM"), TargetBusy("PIM")):
        telemetry.retried(error)
    assert [line["code"] for line in lines(written)] == ["target.busy", "environment.unreachable"]


def test_a_line_that_a_library_repeats_says_how_often(
    clock: SimulatedClock, written: io.StringIO
) -> None:
    """When it is written again, after the stated time."""
    for number in range(5):
        KAFKA.error(FAILS, number, number)
    clock.advance(REPEATED_AFTER_SECONDS)
    KAFKA.error(FAILS, 9, 9)
    first, again = lines(written)
    assert "more in" not in first["action"]
    assert again["action"].endswith(f"(4 more in {REPEATED_AFTER_SECONDS:.0f} s)")


def test_lines_about_two_brokers_are_two_lines(written: io.StringIO) -> None:
    """Addresses are no counters."""
    KAFKA.error("kafka-1:9092: Connection refused (after 1ms)")
    KAFKA.error("kafka-2:9092: Connection refused (after 1ms)")
    KAFKA.error("kafka-2:9092: Connection refused (after 2ms)")
    assert len(lines(written)) == 2


def test_our_own_lines_are_never_folded(written: io.StringIO) -> None:
    """Each of them says something that happened."""
    for _ in range(3):
        structlog.stdlib.get_logger("ajera_cdc").info("table loaded", table="AxVec")
    assert len(lines(written)) == 3
