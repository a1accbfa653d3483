"""The embedded stack as one context manager: free ports, everything started is stopped,
also after a failure.
"""

from __future__ import annotations

import shutil
import signal
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

from deploy.local import postgres
from deploy.local.install import Report, install, stack_directory
from deploy.local.java import format_storage, java, java_process
from deploy.local.processes import Child, PartFailed, free_port
from deploy.local.settings import (
    connect_settings,
    kafka_settings,
    properties,
)

PARTS = ("postgres", "kafka", "registry", "connect")


class Stack:
    """A running stack. Single parts can be stopped and started
    again on the same port with the same data.
    """

    def __init__(
        self,
        directory: Path,
        libraries: Path,
        report: Report,
        environment: Mapping[str, str],
    ) -> None:
        self.directory = directory
        self._libraries = libraries
        self._report = report
        self._environment = dict(environment)
        self._children: dict[str, Child] = {}
        # The kernel ends a child with the thread that started it:
        # these threads live as long as the stack.
        self._pool = ThreadPoolExecutor(max_workers=len(PARTS))
        self._ports = {name: free_port() for name in (*PARTS, "controller", "management")}
        self.logs = directory / "logs"
        self.logs.mkdir(parents=True)

    # -- addresses ---------------------------------------------------------------------------------

    postgres_host = "127.0.0.1"
    postgres_user = postgres.USER
    postgres_password = postgres.PASSWORD

    @property
    def postgres_port(self) -> int:
        return self._ports["postgres"]

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self._ports['kafka']}"

    @property
    def registry(self) -> str:
        """The Confluent-compatible address: what our consumers ask."""
        return f"http://127.0.0.1:{self._ports['registry']}/apis/ccompat/v7"

    @property
    def registry_native(self) -> str:
        """The registry's own address: what the connector's converter asks."""
        return f"http://127.0.0.1:{self._ports['registry']}/apis/registry/v2"

    @property
    def connect(self) -> str:
        return f"http://127.0.0.1:{self._ports['connect']}"

    def postgres_url(self, database: str) -> str:
        """A SQLAlchemy URL."""
        return (
            f"postgresql+psycopg://{self.postgres_user}:{self.postgres_password}"
            f"@{self.postgres_host}:{self.postgres_port}/{database}"
        )

    def create_database(self, name: str) -> str:
        """Create an empty database; returns its URL."""
        with postgres.connect(self.postgres_port, "postgres") as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        return self.postgres_url(name)

    # -- parts -------------------------------------------------------------------------------------

    def start(self, parts: Sequence[str]) -> None:
        """Start these parts, those that do not wait for each other side by side."""
        for together in (("postgres", "kafka"), ("registry", "connect")):
            for started in [
                self._pool.submit(self.start_part, part) for part in parts if part in together
            ]:
                started.result()

    def start_part(self, part: str) -> None:
        """Start one part and wait until it answers. Raises PartFailed."""
        begun = time.monotonic()
        starters: dict[str, Callable[[], Child]] = {
            "postgres": self._start_postgres,
            "kafka": self._start_kafka,
            "registry": self._start_registry,
            "connect": self._start_connect,
        }
        self._children[part] = starters[part]()
        self._report(f"{part} is up on port {self._ports[part]} ({time.monotonic() - begun:.1f} s)")

    def stop_part(self, part: str) -> None:
        child = self._children.pop(part, None)
        if child is not None:
            child.stop(signal.SIGINT if part == "postgres" else signal.SIGTERM)

    def kill_part(self, part: str) -> None:
        """SIGKILL, for fault tests; `start_part` brings it back."""
        self._children.pop(part).kill()

    def stop(self) -> None:
        """All of it, at once: what the parts stored is deleted with it."""
        for part in reversed(PARTS):
            if part == "postgres":
                self.stop_part(part)
            elif part in self._children:
                self.kill_part(part)
        self._pool.shutdown()

    def _start_postgres(self) -> Child:
        data = self.directory / "postgres" / "data"
        if not data.exists():
            postgres.initialise(data)
        return postgres.start(data, self.postgres_port, self.logs / "postgres.log")

    def _kafka_class_path(self) -> str:
        return f"{self._libraries / 'kafka'}/*"

    def _start_kafka(self) -> Child:
        settings, controller = (
            self.directory / "kafka.properties",
            f"127.0.0.1:{self._ports['controller']}",
        )
        if not settings.exists():
            settings.write_text(
                properties(kafka_settings(self.directory, self.bootstrap, controller))
            )
            format_storage(self._kafka_class_path(), settings)
        child = java_process(
            "kafka",
            "-Xmx768m",
            self._kafka_class_path(),
            ["kafka.Kafka", str(settings)],
            log=self.logs / "kafka.log",
            environment=self._environment,
        )
        child.wait_until(lambda: _listens(self._ports["kafka"]), seconds=90)
        return child

    def _start_registry(self) -> Child:
        home = self._libraries / "registry"
        jar = next(home.rglob("quarkus-run.jar"))
        child = Child(
            "registry",
            [
                java(),
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-jar",
                str(jar),
            ],
            log=self.logs / "registry.log",
            environment=self._registry_environment(),
            directory=jar.parent,
        )
        child.wait_until(lambda: _answers(f"{self.registry}/subjects"), seconds=120)
        return child

    def _registry_environment(self) -> dict[str, str]:
        """Stored in our PostgreSQL, so that a restarted registry still knows its ids."""
        found = {
            "QUARKUS_HTTP_PORT": str(self._ports["registry"]),
            "QUARKUS_HTTP_HOST": "127.0.0.1",
            "QUARKUS_MANAGEMENT_PORT": str(
                self._ports["management"]
            ),  # a second address, 9000 if nothing is said
            "QUARKUS_MANAGEMENT_HOST": "127.0.0.1",
        }
        if "postgres" in self._children:
            with postgres.connect(self.postgres_port, "postgres") as connection:
                known = connection.execute(
                    "SELECT 1 FROM pg_database WHERE datname = 'registry'"
                ).fetchone()
            if known is None:
                self.create_database("registry")
            found |= {
                "APICURIO_STORAGE_KIND": "sql",
                "APICURIO_STORAGE_SQL_KIND": "postgresql",
                "APICURIO_DATASOURCE_URL": (
                    f"jdbc:postgresql://127.0.0.1:{self.postgres_port}/registry"
                ),
                "APICURIO_DATASOURCE_USERNAME": postgres.USER,
                "APICURIO_DATASOURCE_PASSWORD": postgres.PASSWORD,
            }
        return found

    def _start_connect(self) -> Child:
        settings = self.directory / "connect.properties"
        settings.write_text(
            properties(
                connect_settings(
                    self.bootstrap,
                    self.connect,
                    self._libraries / "plugins",
                )
            )
        )
        main = "org.apache.kafka.connect.cli.ConnectDistributed"
        child = java_process(
            "connect",
            "-Xmx1g",
            self._kafka_class_path(),
            [main, str(settings)],
            log=self.logs / "connect.log",
            environment=self._environment,
        )
        child.wait_until(lambda: _answers(f"{self.connect}/connectors"), seconds=150)
        return child


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5.0, verify=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


@contextmanager
def running_stack(
    report: Report,
    *,
    parts: Sequence[str] = PARTS,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Stack]:
    """Install what is missing, start these parts, and stop them at the end.
    Logs stay where they are after a failure.

    `environment` is given to Connect, whose connector files name secrets as `${env:NAME}`.
    """
    libraries = install(report) if set(parts) != {"postgres"} else stack_directory() / "lib"
    directory = stack_directory() / "run" / uuid.uuid4().hex[:8]
    defaults = dict.fromkeys(
        ("AJERA_CDC_SOURCE_PASSWORD", "AJERA_CDC_DPS_PASSWORD"),
        postgres.PASSWORD,
    )
    stack = Stack(directory, libraries, report, {**defaults, **(environment or {})})
    failed = True
    try:
        stack.start(parts)
        yield stack
        failed = False
    except PartFailed:
        report(f"The logs of this run are in {stack.logs}")
        raise
    finally:
        stack.stop()
        for part in (
            *PARTS,
            "kafka.properties",
            "connect.properties",
            "password",
        ):
            path = directory / part
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
        if not failed:
            shutil.rmtree(directory, ignore_errors=True)
