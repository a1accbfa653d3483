"""What a consumer and the commands say, beside what is true: on the real stack."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest
from confluent_kafka.admin import AdminClient
from prometheus_client.parser import text_string_to_metric_families

from deploy.demo.consumers import Consumer
from deploy.local.stack import Stack
from deploy.sample import databases
from pipeline.decoding.naming import HEARTBEAT_PREFIX
from pipeline.errors import ExitCode
from pipeline.kafka.admin import KafkaAdmin
from pipeline.operations.backlog import LEAST_SILENCE_SECONDS
from tests.support.live import Live, client, live_firm, wait_until

pytestmark = pytest.mark.stack

DELAY, SEEN = "pipeline_delay_oldest_seconds", "pipeline_source_seen_seconds"
WITHIN_SECONDS = 10.0  # so soon a person is told


@pytest.fixture(scope="module")
def live(stack: Stack) -> Iterator[Live]:
    with live_firm(stack, "told") as found:
        found.insert("AxVec", *(client(key, f"n{key}") for key in range(1, 21)))
        found.command("connectors", "apply")
        yield found


@dataclass(frozen=True)
class Scrape:
    """The gauges of one consumer (none before it answers), and when they were asked for."""

    delays: dict[tuple[str, str], float]
    seen: dict[str, float]
    at: datetime


def scrape(consumer: Consumer) -> Scrape:
    try:
        text = httpx.get(f"{consumer.address}/metrics", timeout=5.0).text
    except httpx.ConnectError:
        text = ""
    at = datetime.now(UTC)
    samples = [
        sample for family in text_string_to_metric_families(text) for sample in family.samples
    ]
    return Scrape(
        {
            (one.labels["topic"], one.labels["partition"]): one.value
            for one in samples
            if one.name == DELAY
        },
        {one.labels["source"]: one.value for one in samples if one.name == SEEN},
        at,
    )


def test_a_blocked_consumer_shows_how_old_what_waits_is_within_a_second(live: Live) -> None:
    """By the database's clock; and zero again when it is applied. The command says the same."""
    with live.consumers() as (member,):
        wait_until(lambda: live.organization(20) == "n20", "the snapshot is applied")
        wait_until(lambda: set(scrape(member).delays.values()) == {0.0}, "nothing waits")
        with databases.connect(live.pim_url) as other, other.transaction():
            other.execute('LOCK TABLE "Organization" IN EXCLUSIVE MODE')
            live.edit('UPDATE "AxVec" SET "vecDescription" = %s WHERE "vecKey" = 1', "later")
            committed_at = live.ajera.execute("SELECT clock_timestamp()").fetchone()
            assert committed_at is not None
            wait_until(lambda: max(scrape(member).delays.values()) > 2.0, "it waits")
            for _ in range(3):
                found = scrape(member)
                truth = (found.at - committed_at[0]).total_seconds()
                assert abs(max(found.delays.values()) - truth) < 1.0
            (lag,) = live.command("lag")["data"]["routes"]
            truth = (datetime.now(UTC) - committed_at[0]).total_seconds()
            assert lag["lag"] == 1
            assert abs(lag["delay_seconds"] - truth) < 1.0
            assert live.command("lag", "--max-seconds", "1", expect=ExitCode.DEGRADED)
        wait_until(lambda: set(scrape(member).delays.values()) == {0.0}, "it is applied")
        assert live.organization(1) == "later"
        assert scrape(member).seen["ajera"] < WITHIN_SECONDS


def test_a_partitions_gauge_is_where_its_consumer_is(live: Live) -> None:
    """Of two consumers each has its own; when one leaves, the other has all."""
    with live.consumers(2) as (one, two):

        def are_shared() -> bool:
            left, right = scrape(one).delays.keys(), scrape(two).delays.keys()
            return bool(left) and bool(right) and not left & right

        wait_until(are_shared, "each has some")
        all_of_them = scrape(one).delays.keys() | scrape(two).delays.keys()
        two.process.terminate()
        two.process.wait(30)
        wait_until(lambda: scrape(one).delays.keys() == all_of_them, "one has all")


def test_a_paused_capture_is_told_and_nothing_is_zero(live: Live) -> None:
    """Within ten seconds of the last heartbeat's limit; and it is over when it goes on."""
    connector = (
        f"{live.stack.connect}/connectors/{live.settings()['sources']['ajera']['connector_name']}"
    )
    with live.consumers() as (member,):
        wait_until(lambda: 0.0 in scrape(member).delays.values(), "nothing waits")
        httpx.put(f"{connector}/pause", timeout=10.0).raise_for_status()
        try:
            begun = time.monotonic()
            wait_until(lambda: not scrape(member).delays, "no delay is known")
            assert time.monotonic() - begun < LEAST_SILENCE_SECONDS + WITHIN_SECONDS
            found = live.command("status", expect=ExitCode.HALTED)["data"]
            assert "PAUSED" in found["problems"][0]["what"]
            assert found["routes"][0]["group"]["delay_seconds"] is None
            assert live.command("lag", "--max-seconds", "60", expect=ExitCode.ENVIRONMENT)
        finally:
            httpx.put(f"{connector}/resume", timeout=10.0).raise_for_status()
        wait_until(lambda: 0.0 in scrape(member).delays.values(), "it is known again")


def test_a_log_that_is_not_read_to_its_end_is_told_though_heartbeats_come(live: Live) -> None:
    """The row that the connector writes does not come back, as with a capture job of SQL Server
    that stands still: metrics and status say so, and it is over when it comes again.
    """
    publication = live.settings()["sources"]["ajera"]["slot_name"]
    with live.consumers() as (member,):
        wait_until(lambda: 0.0 in scrape(member).delays.values(), "nothing waits")
        live.edit(f'ALTER PUBLICATION "{publication}" DROP TABLE ajera_cdc.heartbeat')
        begun, before = time.monotonic(), heartbeats(live)
        wait_until(lambda: not scrape(member).delays, "no delay is known")
        assert time.monotonic() - begun < LEAST_SILENCE_SECONDS + WITHIN_SECONDS
        assert scrape(member).seen["ajera"] > LEAST_SILENCE_SECONDS
        assert heartbeats(live) > before
        found = live.command("status", expect=ExitCode.ENVIRONMENT)["data"]
        assert found["problems"][0]["place"] == "source ajera"
        live.edit(f'ALTER PUBLICATION "{publication}" ADD TABLE ajera_cdc.heartbeat')
        wait_until(lambda: 0.0 in scrape(member).delays.values(), "it is known again")
        assert live.command("status")["data"]["problems"] == []


def heartbeats(live: Live) -> int:
    """How many Debezium has sent."""
    admin = KafkaAdmin(live.stack.bootstrap, {})
    try:
        return sum(high for _, high in admin.watermarks([f"{HEARTBEAT_PREFIX}told"]).values())
    finally:
        admin.close()


def test_a_topic_that_is_gone_is_told_and_its_lag_is_unknown(live: Live) -> None:
    """By its name, and with what to type."""
    topic = f"{live.name}.AxResource"
    admin = AdminClient({"bootstrap.servers": live.stack.bootstrap})
    for future in admin.delete_topics([topic]).values():
        future.result(10)
    begun = time.monotonic()
    wait_until(
        lambda: topic in live.command("lag")["data"]["routes"][0]["missing"], "the topic is gone"
    )
    found = live.command("status", expect=ExitCode.HALTED)["data"]
    assert time.monotonic() - begun < WITHIN_SECONDS
    (problem,) = [one for one in found["problems"] if topic in one["what"]]
    assert problem["command"].startswith("ajera-cdc connectors apply")
    assert found["routes"][0]["group"]["lag"] is None
