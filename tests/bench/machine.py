"""Where figures come from: machine, versions, commit, and who else used it."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psycopg
from confluent_kafka import libversion

LOAD_MATTERS = 0.3  # processes that wait beside ours, for each core


@dataclass(frozen=True)
class Machine:
    """As it was when the benchmark began."""

    at: str
    commit: str
    processor: str
    cores: int
    memory_gb: float
    load: float
    system: str
    python: str
    postgres: str
    kafka: str
    sink: str

    def sentences(self) -> list[str]:
        found = [
            f"{self.at}, commit {self.commit}; everything on this machine: {self.cores} cores,",
            f"{self.processor}, {self.memory_gb:.0f} GB, {self.system}",
            f"Python {self.python}, PostgreSQL {self.postgres}, librdkafka {self.kafka}",
            f"Debezium's JDBC sink {self.sink}",
        ]
        if self.load > LOAD_MATTERS * self.cores:
            found.append(
                f"The machine was busy when it began (load {self.load:.1f}): take ratios and CPU"
                " from it, not rates."
            )
        return found


def looked_at(connection: psycopg.Connection, sink: str, load: float) -> Machine:
    """This machine, now. `connection`: to the server that is measured; `load`: before we began."""

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    ((postgres,),) = connection.execute("SHOW server_version").fetchall()
    return Machine(
        at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        commit=_commit(),
        processor=_processor(),
        cores=os.cpu_count() or 1,
        memory_gb=memory / 2**30,
        load=load,
        system=platform.system() + " " + platform.release(),
        python=platform.python_version(),
        postgres=str(postgres),
        kafka=f"{libversion()[0]} (confluent-kafka {version('confluent-kafka')})",
        sink=sink,
    )


def _commit() -> str:
    """With a + where files differ from it; "unknown" outside a repository."""
    try:
        words = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
        found = subprocess.run(words, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.stdout.strip()


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
