"""Metrics, health, logs: names that are documented, states that a probe can tell,
and no row values.
"""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Literal, get_args

import httpx
import pytest
import structlog
from prometheus_client import generate_latest

from pipeline.errors import ConfigurationInvalid, ContractBroken, SchemaUnknown, TargetBusy
from pipeline.model.outcome import RowCounts
from pipeline.telemetry import log
from pipeline.telemetry.health import Health
from pipeline.telemetry.http import PORTS, TelemetryServer
from pipeline.telemetry.metrics import DELAY_BUCKETS, METRICS, Name
from pipeline.telemetry.prometheus import PrometheusTelemetry

CANARY = "CANARY"


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
        assert re.fullmatch(
            r"pipeline_[a-z_]+_(total|seconds|rows|state|partitions)",
            metric.name,
        )
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


def test_what_is_put_back_is_counted_by_column_and_logged_once_a_row(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With table and columns, and that they are the source's."""
    telemetry = PrometheusTelemetry(Health(), clock=lambda: 12.0)
    with caplog.at_level("INFO"):
        telemetry.put_back("PR", ("AjeraCost", "AjeraWIP"))
        telemetry.put_back("PR", ("AjeraCost",))
    text = generate_latest(telemetry.registry).decode()
    assert 'pipeline_put_back_total{column="AjeraCost",table="PR"} 2.0' in text
    assert 'pipeline_put_back_total{column="AjeraWIP",table="PR"} 1.0' in text
    told = [str(record.msg) for record in caplog.records]
    assert len(told) == 2
    assert "owned by the source" in told[0]
    assert "AjeraWIP" in told[0]


def test_every_kind_of_news_moves_its_metric() -> None:
    """What the table names is counted, and nothing else is."""
    telemetry = PrometheusTelemetry(Health(), clock=lambda: 12.0)
    before = samples(telemetry)
    telemetry.assigned(4)
    telemetry.events_read("t", 1)
    telemetry.event_ended("t", "skipped", "stale", 1)
    telemetry.rows("T", RowCounts(1, 1, 1))
    telemetry.delay("T", 0.5, 2)
    telemetry.step("stage", 0.1)
    telemetry.hop("captured", 0.1)
    telemetry.values_fitted("T", "c", "cut", 1)
    telemetry.put_back("T", ["c"])
    telemetry.retried(TargetBusy("x"))
    telemetry.parked(3)
    telemetry.conflict("update_origin_differs", "newest", "dps")
    telemetry.second_writer("switch it off")
    telemetry.dead_lettered(TargetBusy("x"))
    telemetry.halted("t", 1, TargetBusy("x"))
    telemetry.halted("t", 2, TargetBusy("x"))
    telemetry.halted_place("Contact", TargetBusy("x"))
    telemetry.connector_held("ajera", "it failed")
    telemetry.connector_restarted("ajera", 1)
    telemetry.rewound(TargetBusy("x"))
    telemetry.renewed(TargetBusy("x"))
    after = samples(telemetry)
    moved = {name for name in after if after[name] != before.get(name)}
    told = [metric for metric in METRICS if not metric.is_asked]
    for metric in told:
        assert any(name.startswith(metric.name) for name in moved), metric.name
    assert after["pipeline_assigned_partitions"] == 4
    assert after["pipeline_parked_rows"] == 3
    assert after["pipeline_degraded_state"] == 1
    assert after['pipeline_halted_partitions{code="target.busy",topic="t"}'] == 2
    assert after['pipeline_delay_seconds_sum{table="T"}'] == 2 * 0.5
    assert after['pipeline_delay_seconds_bucket{le="0.4",table="T"}'] == 0
    assert after['pipeline_delay_seconds_bucket{le="0.5",table="T"}'] == 2
    assert after['pipeline_delay_seconds_count{table="T"}'] == 2
    telemetry.recovered()
    assert samples(telemetry)["pipeline_degraded_state"] == 0


def samples(telemetry: PrometheusTelemetry) -> dict[str, float]:
    """Every sample of the registry's text by name and labels."""
    lines = generate_latest(telemetry.registry).decode().splitlines()
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in lines
        if not line.startswith("#")
    }


def test_delays_about_the_objective_are_told_apart() -> None:
    """A p99 of a second is read from buckets that lie close there."""
    assert list(DELAY_BUCKETS) == sorted(set(DELAY_BUCKETS))
    assert {0.5, 1, 1.5, 2, 5} <= set(DELAY_BUCKETS)


def test_health_is_degraded_while_it_retries_ok_after_and_halted_for_good(
    server: tuple[TelemetryServer, Health, PrometheusTelemetry],
) -> None:
    """Degraded answers 200 with the reason: it will go on by itself. Halted answers 503."""
    http, _, telemetry = server
    telemetry.retried(TargetBusy("PIM is away"))
    degraded = httpx.get(f"{http.address}/health")
    assert (degraded.status_code, degraded.json()["state"]) == (
        200,
        "degraded",
    )
    assert "PIM is away" in degraded.json()["reasons"]["target.busy"]
    telemetry.recovered()
    assert httpx.get(f"{http.address}/health").json() == {
        "state": "ok",
        "reasons": {},
    }
    telemetry.halted("ajera.AxVec", 3, SchemaUnknown("no schema 7"))
    assert httpx.get(f"{http.address}/health").json()["state"] == "degraded"
    telemetry.halted("ajera.AxVec", 2, ContractBroken("stopped"))
    telemetry.recovered()
    halted = httpx.get(f"{http.address}/health")
    assert (halted.status_code, halted.json()["state"]) == (503, "halted")
    assert "ajera.AxVec[2]" in halted.json()["reasons"]
    telemetry.resumed("ajera.AxVec", 2, ContractBroken("stopped"))
    telemetry.resumed("ajera.AxVec", 3, SchemaUnknown("no schema 7"))
    assert httpx.get(f"{http.address}/health").json() == {"state": "ok", "reasons": {}}


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


def test_a_port_that_is_taken_is_told_as_a_setting(
    server: tuple[TelemetryServer, Health, PrometheusTelemetry],
) -> None:
    """With the way out: 0 takes any."""
    port = int(server[0].address.rsplit(":", 1)[1])
    with pytest.raises(ConfigurationInvalid, match=r"run\.metrics_port"):
        TelemetryServer("127.0.0.1", port, server[2].registry, server[1])


def test_many_parked_rows_degrade_health_and_are_logged_once(
    server: tuple[TelemetryServer, Health, PrometheusTelemetry],
) -> None:
    """Until no more come."""
    http, _, telemetry = server
    stream = io.StringIO()
    log.configure("INFO", "json", stream)
    for rise in (5, 5000, 6000):
        telemetry.parking(rise, 1000)
    found = httpx.get(f"{http.address}/health").json()
    assert found["state"] == "degraded"
    assert "5000 more rows wait" in found["reasons"]["parking"]
    telemetry.parking(0, 1000)
    assert httpx.get(f"{http.address}/health").json()["state"] == "ok"
    actions = [json.loads(line)["action"] for line in stream.getvalue().splitlines()]
    assert actions == ["many rows parked", "no longer many rows parked"]


def test_a_second_consumer_on_a_host_takes_the_next_free_port() -> None:
    """Unless a port is stated: then it is that one or an error."""
    health = Health()
    registry = PrometheusTelemetry(health).registry
    servers = [TelemetryServer("127.0.0.1", None, registry, health) for _ in range(3)]
    ports = [int(one.address.rsplit(":", 1)[1]) for one in servers]
    for one in servers:
        one.stop()
    assert len(set(ports)) == len(ports)
    assert set(ports) <= set(PORTS)


def test_health_shows_the_figures_that_it_is_given() -> None:
    """Beside the state, and null where unknown."""
    health = Health()
    registry = PrometheusTelemetry(health).registry
    server = TelemetryServer("127.0.0.1", 0, registry, health, lambda: {"delay_seconds": None})
    server.start()
    try:
        found = httpx.get(f"{server.address}/health").json()
    finally:
        server.stop()
    assert found == {"state": "ok", "reasons": {}, "delay_seconds": None}


def test_logs_are_lines_of_json_that_hold_no_containers_and_no_long_texts() -> None:
    """A row could only be in one of these."""
    stream = io.StringIO()
    log.configure("INFO", "json", stream)
    logger = structlog.stdlib.get_logger("ajera_cdc")
    logger.info(
        "batch",
        topic="ajera.AxVec",
        row={"name": "Jane Doe"},
        note="x" * 600,
        count=3,
    )
    line = json.loads(stream.getvalue())
    assert (
        line["action"],
        line["level"],
        line["topic"],
        line["count"],
    ) == ("batch", "info", "ajera.AxVec", 3)
    assert line["row"] == line["note"] == log.REDACTED
    assert "Jane" not in stream.getvalue()


def line_of(
    write: Callable[[], object],
    form: Literal["json", "console"] = "json",
    level: str = "INFO",
) -> str:
    """What is written to the log while something happens."""
    stream = io.StringIO()
    log.configure(level, form, stream)
    write()
    return stream.getvalue()


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize(
    "value",
    [
        {"name": CANARY},
        [CANARY],
        (CANARY,),
        {CANARY},
        CANARY.encode(),
        CANARY * 100,
        Decimal("815.50"),
        ValueError(CANARY),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_field_that_could_hold_a_row_is_not_written(
    value: object, form: Literal["json", "console"]
) -> None:
    """Containers, bytes, money, exceptions, long texts: on a terminal as in JSON."""
    logger = structlog.stdlib.get_logger("ajera_cdc")
    written = line_of(lambda: logger.warning("batch", field=value), form)
    assert CANARY not in written
    assert "815.50" not in written
    assert "redacted" in written


@pytest.mark.parametrize("form", ["json", "console"])
def test_an_exception_is_logged_without_its_text(
    form: Literal["json", "console"],
) -> None:
    """Its text may quote a row; a library's log line with one as well."""

    def fail() -> None:
        try:
            int(CANARY)
        except ValueError as error:
            structlog.stdlib.get_logger("ajera_cdc").exception("odd")
            structlog.stdlib.get_logger("ajera_cdc").error("odd", exc_info=error)
            logging.getLogger("library").exception("failed")

    lines = line_of(fail, form).splitlines()
    assert len(lines) == 3
    for line in lines:
        assert CANARY not in line
        assert "ValueError" in line
        assert "test_telemetry.py:" in line


def test_warnings_of_libraries_are_written_in_the_same_form() -> None:
    """What they say below that is not."""

    def speak() -> None:
        logging.getLogger("library").warning("careful %s", "now")
        logging.getLogger("library").info("chatter")

    lines = line_of(speak).splitlines()
    assert len(lines) == 1
    assert (
        json.loads(lines[0])["action"],
        json.loads(lines[0])["level"],
    ) == ("careful now", "warning")


def test_the_level_that_is_set_decides_what_is_written() -> None:
    """As configured under log.level."""
    logger = structlog.stdlib.get_logger("ajera_cdc")
    assert line_of(lambda: logger.info("x"), level="WARNING") == ""
    assert line_of(lambda: logger.debug("x"), level="DEBUG") != ""


def test_a_server_that_was_never_started_frees_its_port_at_once() -> None:
    """A fault between making and starting it must not hang the end of the program."""
    telemetry = PrometheusTelemetry(Health())
    first = TelemetryServer("127.0.0.1", 0, telemetry.registry, Health())
    port = int(first.address.rsplit(":", 1)[1])
    first.stop()
    TelemetryServer("127.0.0.1", port, telemetry.registry, Health()).stop()


def test_a_host_that_is_not_ours_is_told_as_a_setting() -> None:
    """An address of another machine."""
    with pytest.raises(ConfigurationInvalid, match=r"run\.metrics_host"):
        TelemetryServer("192.0.2.1", 0, PrometheusTelemetry(Health()).registry, Health())


def test_halted_wins_over_degraded_and_all_reasons_are_told() -> None:
    """One place a partition; what is degraded can recover meanwhile, what is halted not."""
    health = Health()
    assert health.report() == ("ok", {})
    health.degrade("target.busy", "away")
    health.halt("t[1]", "broken")
    health.halt("t[2]", "broken")
    assert health.report() == (
        "halted",
        {"target.busy": "away", "t[1]": "broken", "t[2]": "broken"},
    )
    health.recover()
    assert health.report() == (
        "halted",
        {"t[1]": "broken", "t[2]": "broken"},
    )
