"""A small firm as a stream of events, and a model of what PIM must hold after them.
Every edit has a growing number.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import tomli_w

from deploy.demo.settings import merge
from deploy.local.stack import Stack
from deploy.sample import databases
from pipeline.config.settings import settings_for
from pipeline.database.sql.engine import create_engine
from pipeline.database.state.migrate import upgrade
from pipeline.database.systems.live import create_target_tables
from pipeline.domain.routes import AJERA_TO_PIM, ROUTES
from pipeline.kafka.admin import KafkaAdmin
from pipeline.mapping.site import Site
from pipeline.operations.connectors import topics_of
from tests.bench.produce import Change, Topic
from tests.faults import audit, ways

CLIENTS, PROJECTS = 40, 15
ONE_AT_A_TIME = threading.Lock()  # Alembic keeps what it upgrades in a module
UNSHOWN = 0.1  # which share of the edits PIM shows nothing of
TABLES = ("AxVec", "AxProject", "AxInvoiceGroup")


@dataclass
class Firm:
    """Its topics, its PIM, and its model: client -> name, and project -> client."""

    stack: Stack
    name: str
    config: Path
    pim_url: str
    pim: psycopg.Connection
    topics: Mapping[str, Topic]
    rng: random.Random
    names: dict[int, str] = field(default_factory=dict)
    client_of: dict[int, int] = field(default_factory=dict)
    number: int = 0
    sent: int = 0

    # -- edits -------------------------------------------------------------------------------------

    def found(self) -> None:
        """The first rows: clients, projects, an invoice group each."""
        for key in range(1, CLIENTS + 1):
            self.rename(key, "c")
        for key in range(1, PROJECTS + 1):
            self.client_of[key] = self.rng.randint(1, CLIENTS)
            self._send(
                "AxProject",
                "c",
                {
                    "prjKey": key,
                    "prjDescription": f"Project {key}",
                    "prjStatus": 1,
                },
            )
            self._send(
                "AxInvoiceGroup",
                "c",
                {
                    "igKey": key,
                    "igProject": key,
                    "igClient": self.client_of[key],
                },
            )

    def edit(self, count: int) -> None:
        """So many changed clients. A new name must show in its organization and its projects;
        the rest in no write at all.
        """
        for _ in range(count):
            change = self._touch if self.rng.random() < UNSHOWN else self.rename
            change(self.rng.randint(1, CLIENTS), "u")

    def grow(self, count: int) -> None:
        """So many new clients, which nothing renames by chance: what is lost of them,
        no later edit brings back.
        """
        for key in range(max(self.names) + 1, max(self.names) + 1 + count):
            self.rename(key, "c")

    def rename(self, key: int, operation: str) -> None:
        name = f"n-{self.number + 1:08}"
        self.names[key] = name
        self._send("AxVec", operation, {**self.row(key), "vecDescription": name})

    def _touch(self, key: int, operation: str) -> None:
        """Change what PIM does not show of a client."""
        changed = {
            "vecDescription": self.names[key],
            "vecMiddleName": f"m-{self.number}",
        }
        self._send("AxVec", operation, {**self.row(key), **changed})

    @staticmethod
    def row(key: int) -> dict[str, Any]:
        return {
            "vecKey": key,
            "vecIsClient": True,
            "vecIsVendor": False,
            "vecIsEmployee": False,
            "vecCity": "Portland",
        }

    def late(self, operation: str) -> Change:
        """A change from the beginning of the log that committed an hour from now:
        what a restored source sends.
        """
        return Change(
            operation,
            {**self.row(1), "vecDescription": "n-00000000"},
            1,
            later_ms=3_600_000,
        )

    def _send(self, table: str, operation: str, row: Mapping[str, Any]) -> None:
        self.number += 1
        self.sent += self.topics[table].send([Change(operation, row, self.number)], flush=False)

    def flush(self) -> None:
        for topic in self.topics.values():
            topic.flush()

    # -- the judge ---------------------------------------------------------------------------------

    def is_quiet(self) -> bool:
        """Was every message handled, is every table loaded, and nothing left to recompute."""
        row = self.pim.execute(
            "SELECT (SELECT COALESCE(sum(next_offset), 0) FROM sync.progress WHERE topic LIKE %s),"
            " (SELECT count(*) FROM sync.due WHERE reason IS NULL)"
            " + (SELECT count(*) FROM sync.due_together),"
            " (SELECT count(*) FROM sync.source_table WHERE epoch > 0)",
            [f"{self.name}.%"],
        ).fetchone()
        return (
            row is not None
            and row[0] >= self.sent
            and row[1] == 0
            and row[2] == len(AJERA_TO_PIM.sources)
        )

    def standing(self) -> str:
        """Why it is not quiet: sent, what the topics hold, and what was handled."""
        admin = KafkaAdmin(self.stack.bootstrap, {})
        marks = admin.watermarks([f"{self.name}.{table.name}" for table in AJERA_TO_PIM.sources])
        admin.close()
        progress = self.pim.execute(
            "SELECT topic, partition, next_offset FROM sync.progress ORDER BY 1, 2"
        ).fetchall()
        return (
            f"{self.sent} sent, topics "
            f"{[(one.topic, one.partition, high) for one, (_, high) in marks.items()]}, handled "
            f"{progress}"
        )

    def lost(self) -> int:
        """Organizations that are not there, or stand at an older name."""
        held: dict[str, str | None] = dict(
            self.pim.execute('SELECT "Organization ID", "Name" FROM "Organization"').fetchall()
        )
        return sum(held.get(f"cl-{key}") != name for key, name in self.names.items())

    def wrong(self) -> int:
        """Projects that do not show their client's newest name,
        and rows that should not be there.
        """
        held: dict[str, str | None] = dict(
            self.pim.execute('SELECT "Project ID", "Client" FROM "Project"').fetchall()
        )
        surplus = self.pim.execute('SELECT count(*) FROM "Organization"').fetchone()
        faults = sum(
            held.get(str(key)) != self.names[client] for key, client in self.client_of.items()
        )
        return faults + int((surplus or (0,))[0]) - len(self.names)

    def waiting(self) -> int:
        row = self.pim.execute("SELECT count(*) FROM sync.due WHERE reason IS NOT NULL").fetchone()
        return 0 if row is None else int(row[0])

    def waits_for_nothing(self) -> bool:
        return self.waiting() == 0

    def dead_letters(self) -> int:
        return messages_in(self.stack, f"{self.name}.dead")


def messages_in(stack: Stack, topic: str) -> int:
    """How many messages a topic holds."""
    admin = KafkaAdmin(stack.bootstrap, {})
    marks = admin.watermarks([topic])
    admin.close()
    return sum(high - low for low, high in marks.values())


def through(config: str, stack: Stack, port: int) -> str:
    """The text of a settings file whose databases are reached at another port."""
    return config.replace(f":{stack.postgres_port}/", f":{port}/")


def raw_settings(
    stack: Stack, name: str, pim_url: str, **changed: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """The settings file's content; sections given are merged in."""
    client = {"session.timeout.ms": "6000", "heartbeat.interval.ms": "1000"}
    raw: dict[str, dict[str, Any]] = {
        # Nobody reads Ajera: the topics are filled by us.
        "sources": {"ajera": {"database": pim_url, "topic_prefix": name}},
        "routes": {
            "pim": {
                "database": pim_url,
                "group": name,
                "dead_letter_topic": f"{name}.dead",
            }
        },
        "kafka": {
            "bootstrap_servers": stack.bootstrap,
            "partitions": 2,
            "client": client,
        },
        "registry": {"url": stack.registry},
        "connect": {"watch": False},  # and no connector fills them
        "run": {
            "metrics_port": 0,
            "retry_max_seconds": 1.0,
            "batch_size": 200,
        },
        "log": {"level": "INFO", "format": "json"},
    }
    merge(raw, changed)
    return raw


def founded(stack: Stack, name: str, seed: int, **changed: Mapping[str, Any]) -> Iterator[Firm]:
    """A firm with its first rows in its topics and an empty, audited PIM.
    Closed when the iteration goes on.
    """
    pim_url = stack.create_database(name)
    engine = create_engine(pim_url)
    create_target_tables(engine, AJERA_TO_PIM, Site())
    with ONE_AT_A_TIME:
        upgrade(engine, mirrored=AJERA_TO_PIM.sources)
    engine.dispose()
    raw = raw_settings(stack, name, pim_url, **changed)
    config = stack.directory / f"{name}.toml"
    config.write_text(tomli_w.dumps(raw))
    admin = KafkaAdmin(stack.bootstrap, {})
    admin.ensure_topics(topics_of(settings_for(ROUTES).model_validate(raw)))
    admin.close()
    topics = {
        table: Topic(
            AJERA_TO_PIM.source(table).table,
            f"{name}.{table}",
            stack.bootstrap,
            stack.registry,
        )
        for table in TABLES
    }
    with databases.connect(pim_url) as pim:
        audit.begin(pim)
        ways.watch(pim, audit.TABLES)
        firm = Firm(stack, name, config, pim_url, pim, topics, random.Random(seed))
        firm.found()
        firm.flush()
        try:
            yield firm
        finally:
            firm.pim.close()  # it may be another by now
