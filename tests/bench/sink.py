"""The peer: Debezium's JDBC sink, in a Connect worker of its own with the JVM's default compiler.

The embedded worker stops at the first compiler, so that it starts soon; the sink runs at half its
speed there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from deploy.local.install import Report, install_plugin, stack_directory
from deploy.local.java import java_process
from deploy.local.processes import Child, free_port
from deploy.local.settings import connect_settings, properties
from deploy.local.stack import Stack

POM = Path(__file__).with_suffix(".xml")
MAIN = "org.apache.kafka.connect.cli.ConnectDistributed"
VERSION = "3.5.0.Final"  # as POM has it
UP_SECONDS = 150
TASK_SECONDS = 60
BUFFERED = {"batch.size": "5000", "use.reduction.buffer": "true"}
# The sink's plain mode, and the fastest that it has for PostgreSQL. Its UNNEST sends a date as a
# number of days, which PostgreSQL refuses: a table with dates it writes without.
MODES: Mapping[str, Mapping[str, str]] = {
    "plain": {"batch.size": "1000"},
    "buffered": BUFFERED,
    "fastest": {**BUFFERED, "dialect.postgres.unnest.insert.enabled": "true"},
}


class SinkFailed(RuntimeError):
    """The sink's task failed; the message is its trace."""


class Worker:
    """A running worker that knows the sink."""

    def __init__(self, stack: Stack, address: str, child: Child) -> None:
        self._stack = stack
        self._address = address
        self._child = child

    @property
    def pid(self) -> int:
        return self._child.pid

    @contextmanager
    def sinking(
        self, name: str, topics: Sequence[str], keys: Sequence[str], database: str, mode: str
    ) -> Iterator[str]:
        """One task writes each topic into a table of its name, with its dots as underscores; its
        consumer group.
        """
        config = {
            "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
            "tasks.max": "1",
            "topics": ",".join(topics),
            "connection.url": (
                f"jdbc:postgresql://{self._stack.postgres_host}:{self._stack.postgres_port}"
                f"/{database}"
            ),
            "connection.username": self._stack.postgres_user,
            "connection.password": self._stack.postgres_password,
            "insert.mode": "upsert",
            "primary.key.mode": "record_value",
            "primary.key.fields": ",".join(keys),
            "schema.evolution": "basic",
            "quote.identifiers": "true",
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "key.converter.schemas.enable": "false",
            "value.converter": "io.apicurio.registry.utils.converter.AvroConverter",
            "value.converter.apicurio.registry.url": self._stack.registry_native,
            "value.converter.apicurio.registry.as-confluent": "true",
            "value.converter.apicurio.registry.use-id": "contentId",
            "value.converter.apicurio.registry.headers.enabled": "false",
            **MODES[mode],
            "consumer.override.max.poll.records": MODES[mode]["batch.size"],
        }
        url = f"{self._address}/connectors/{name}"
        httpx.put(f"{url}/config", json=config, timeout=30).raise_for_status()
        try:
            self._wait_until_running(url)
            yield f"connect-{name}"
        finally:
            httpx.delete(url, timeout=30).raise_for_status()

    def check(self, name: str) -> None:
        """Raises SinkFailed."""
        found = httpx.get(f"{self._address}/connectors/{name}/status", timeout=30)
        for task in found.json().get("tasks", ()):
            if task["state"] == "FAILED":
                raise SinkFailed(task["trace"])

    def _wait_until_running(self, url: str) -> None:
        deadline = time.monotonic() + TASK_SECONDS
        while time.monotonic() < deadline:
            found = httpx.get(f"{url}/status", timeout=30)
            states = {task["state"] for task in found.json().get("tasks", ())}
            if states == {"RUNNING"}:
                return
            if "FAILED" in states:
                break
            time.sleep(0.1)
        raise SinkFailed(f"it does not run: {found.text}")


@contextmanager
def worker(stack: Stack, report: Report) -> Iterator[Worker]:
    """Fetch the sink, once, and run a worker with it."""
    home = stack_directory()
    plugins = home / "lib" / "sink"
    if not (plugins / "jdbc" / "declared-converter.jar").exists():
        report("Fetching Debezium's JDBC sink with Maven (once) ...")
        install_plugin(home, POM, plugins / "jdbc")
        for jar in (plugins / "jdbc").glob("jackson-*.jar"):
            jar.unlink()  # beside the worker's own, Hibernate finds modules of another class loader
    address = f"http://127.0.0.1:{free_port()}"
    settings = connect_settings(stack.bootstrap, address, plugins) | {
        "group.id": "bench-sink",
        "config.storage.topic": "sink-configs",
        "offset.storage.topic": "sink-offsets",
        "status.storage.topic": "sink-status",
        "offset.flush.interval.ms": "200",
        "session.timeout.ms": "60000",  # it sleeps while topics fill
    }
    file = stack.directory / "sink.properties"
    file.write_text(properties(settings))
    child = java_process(
        "sink",
        "-Xmx1g",
        f"{home / 'lib' / 'kafka'}/*",
        [MAIN, str(file)],
        log=stack.logs / "sink.log",
        environment={},
        options=(),
    )
    try:
        child.wait_until(lambda: _answers(address), seconds=UP_SECONDS)
        yield Worker(stack, address, child)
    finally:
        child.stop()


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/connectors", timeout=5).is_success
    except httpx.HTTPError:
        return False
