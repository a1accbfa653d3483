"""Metrics, health, logs: names that are documented, states that a probe can tell, and no row values."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import get_args

import httpx
import pytest
import structlog
from prometheus_client import generate_latest

from pipeline.errors import ConfigurationInvalid, TargetBusy
from pipeline.model.outcome import RowCounts
from pipeline.telemetry import log
from pipeline.telemetry.health import Health
from pipeline.telemetry.http import TelemetryServer
from pipeline.telemetry.metrics import METRICS, Name, PrometheusTelemetry


@pytest.fixture
def server() -> Iterator[tuple[TelemetryServer, Health, PrometheusTelemetry]]:
    """A server on a free port."""
    health = Health()
    telemetry = PrometheusTelemetry(health)
    found = TelemetryServer("127.0.0.1", 0, telemetry.registry, health)
    found.start()
    yield found, health, telemetry
    found.stop()


def test_every_metric_is_in_the_table_once_and_named_by_noun_and_unit() -> None:
    """The names are a type; the table says what an operator does."""
    assert {metric.name for metric in METRICS} == set(get_args(Name))
    assert len(METRICS) == len(get_args(Name))
    for metric in METRICS:
        assert re.fullmatch(r"pipeline_[a-z_]+_(total|seconds|rows|state|partitions)", metric.name)
        assert metric.operator


def test_counts_are_what_was_told() -> None:
    """Labels carry names and codes only."""
    telemetry = PrometheusTelemetry(Health(), clock=lambda: 12.0)
    telemetry.events_read("ajera.AxVec", 5)
    telemetry.event_ended("ajera.AxVec", "written", "", 3)
    telemetry.rows("Organization", RowCounts(created=2, changed=1))
    telemetry.values_fitted("Organization", "Name", "cut", 1)
    text = generate_latest(telemetry.registry).decode()
    assert 'pipeline_events_read_total{topic="ajera.AxVec"} 5.0' in text
    assert 'pipeline_events_total{outcome="written",reason="",topic="ajera.AxVec"} 3.0' in text
    assert 'pipeline_target_rows_total{result="created",table="Organization"} 2.0' in text
    assert 'pipeline_values_fitted_total{column="Name",how="cut",table="Organization"} 1.0' in text
    assert "pipeline_last_batch_timestamp_seconds 12.0" in text


def test_health_is_degraded_while_it_retries_ok_after_and_halted_for_good(
    server: tuple[TelemetryServer, Health, PrometheusTelemetry],
) -> None:
    """Degraded answers 200 with the reason: it will go on by itself. Halted answers 503."""
    http, _, telemetry = server
    telemetry.retried(TargetBusy("PIM is away"))
    degraded = httpx.get(f"{http.address}/health")
    assert (degraded.status_code, degraded.json()["state"]) == (200, "degraded")
    assert "PIM is away" in degraded.json()["reasons"]["target.busy"]
    telemetry.recovered()
    assert httpx.get(f"{http.address}/health").json() == {"state": "ok", "reasons": {}}
    telemetry.halted("ajera.AxVec", 2, TargetBusy("stopped"))
    telemetry.recovered()
    halted = httpx.get(f"{http.address}/health")
    assert (halted.status_code, halted.json()["state"]) == (503, "halted")
    assert "ajera.AxVec[2]" in halted.json()["reasons"]


def test_ready_only_once_the_consumer_takes_part_in_its_group(
    server: tuple[TelemetryServer, Health, PrometheusTelemetry],
) -> None:
    """A probe before that answers 503."""
    http, health, _ = server
    assert httpx.get(f"{http.address}/ready").status_code == 503
    health.become_ready()
    assert httpx.get(f"{http.address}/ready").status_code == 200
    assert httpx.get(f"{http.address}/other").status_code == 404
    assert "pipeline_degraded_state" in httpx.get(f"{http.address}/metrics").text


def test_a_port_that_is_taken_is_told_as_a_setting(server: tuple[TelemetryServer, Health, PrometheusTelemetry]) -> None:
    """With the way out: 0 takes any."""
    port = int(server[0].address.rsplit(":", 1)[1])
    with pytest.raises(ConfigurationInvalid, match=r"run\.metrics_port"):
        TelemetryServer("127.0.0.1", port, server[2].registry, server[1])


def test_logs_are_lines_of_json_that_hold_no_containers_and_no_long_texts() -> None:
    """A row could only be in one of these."""
    stream = io.StringIO()
    log.configure("INFO", "json", stream)
    logger = structlog.stdlib.get_logger("ajera_cdc")
    logger.info("batch", topic="ajera.AxVec", row={"name": "Jane Doe"}, note="x" * 600, count=3)
    line = json.loads(stream.getvalue())
    assert (line["action"], line["level"], line["topic"], line["count"]) == ("batch", "info", "ajera.AxVec", 3)
    assert line["row"] == line["note"] == log.REDACTED
    assert "Jane" not in stream.getvalue()
