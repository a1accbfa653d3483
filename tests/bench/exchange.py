"""The exchange's part of the benchmark: edits in Ajera of linked firms, carried over to DPS,
and their echoes.
"""

from __future__ import annotations

import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import tomli_w
from psycopg import sql

from deploy.demo.consumers import EXCHANGE, Consumer, command, running
from deploy.local.stack import Stack
from deploy.sample import databases, dps, firm
from deploy.sample.naming import Naming
from pipeline.config.settings import settings_for
from pipeline.domain.dps import CLENDOR
from pipeline.domain.exchange_tables import AX_VEC
from pipeline.domain.routes import ROUTES
from pipeline.kafka.admin import KafkaAdmin
from pipeline.operations.connectors import topics_of
from tests.bench.produce import Change, Topic
from tests.bench.waiting import events_read, is_settled, wait

PARTITIONS = (4 + 6) * 4 + 2  # of four tables of Ajera and six of DPS, and of two heartbeats
LATER_MS = 2 * 3_600_000  # beyond the time in which a row that was linked just now is looked at


@dataclass(frozen=True, slots=True)
class Rates:
    """Events or rows a second: rows linked and created by `link`, edits carried over,
    echoes recognised.
    """

    linked: float
    edits: float
    echoes: float

    @property
    def together(self) -> float:
        """Of a stream in which each edit is followed by its echo,
        as it is when both systems are captured.
        """
        return 2 / (1 / self.edits + 1 / self.echoes)


def measure(stack: Stack, rows: int) -> Rates:
    """One consumer, and as many firms as `rows`."""
    name = f"two-{uuid.uuid4().hex[:8]}"
    ajera_url, dps_url = both_empty(stack, name)
    config, admin = configured(stack, name, ajera_url, dps_url)
    with (
        databases.connect(ajera_url) as ajera,
        databases.connect(dps_url) as in_dps,
    ):
        firm.insert(
            ajera,
            Naming(),
            "AxVec",
            [_client(key) for key in range(1, rows + 1)],
        )
        started = time.monotonic()
        command(config, "link", "--yes")
        linked = rows / (time.monotonic() - started)
        with running(config, stack.logs, 1, EXCHANGE) as members:
            wait(
                members,
                lambda: is_settled(admin, f"{name}-group", 1, PARTITIONS),
            )
            ajera.execute(
                sql.SQL('UPDATE "AxVec" SET "vecWebsite" = %s || "vecKey"'),
                ("www.new.example/",),
            )
            edits = _timed(
                members,
                in_dps,
                Topic(AX_VEC, f"{name}.AxVec", stack.bootstrap, stack.registry),
                _edits(ajera),
            )
            topic = Topic(
                CLENDOR,
                f"{name}-dps.Clendor",
                stack.bootstrap,
                stack.registry,
            )
            echoes = _timed(members, in_dps, topic, _echoes(in_dps))
    admin.close()
    return Rates(linked, edits, echoes)


def both_empty(stack: Stack, name: str) -> tuple[str, str]:
    """Databases of that name for Ajera and DPS, with the vendors' tables; their URLs."""
    ajera_url, dps_url = (
        stack.create_database(f"{name}-ajera"),
        stack.create_database(f"{name}-dps"),
    )
    databases.create_ajera(ajera_url, Naming())
    dps.create_dps(dps_url, Naming())
    return ajera_url, dps_url


def _client(key: int) -> dict[str, object]:
    kinds = {
        "vecIsClient": True,
        "vecIsVendor": False,
        "vecIsEmployee": False,
        "vecSyncToCRM": True,
    }
    return {
        "vecKey": key,
        "vecDescription": f"Client {key}",
        "vecWebsite": f"www.old.example/{key}",
        **kinds,
    }


def configured(stack: Stack, name: str, ajera: str, in_dps: str) -> tuple[Path, KafkaAdmin]:
    """Settings for two databases, their `sync` schemas and their topics made."""
    raw: dict[str, dict[str, object]] = {
        "sources": {
            "ajera": {
                "database": ajera,
                "version": "9.08",
                "topic_prefix": name,
            },
            "dps": {"database": in_dps, "topic_prefix": f"{name}-dps"},
        },
        "routes": {
            "dps": {
                "group": f"{name}-group",
                "employees": "all",
                "consultants": "all",
            }
        },
        "kafka": {"bootstrap_servers": stack.bootstrap, "partitions": 4},
        "registry": {"url": stack.registry},
        "run": {"metrics_port": 0},
        "log": {"level": "WARNING"},
    }
    config = Path(stack.directory) / f"{name}.toml"
    config.write_text(tomli_w.dumps(raw))
    command(config, "schema", "upgrade")
    admin = KafkaAdmin(stack.bootstrap, {})
    settings = settings_for(ROUTES).model_validate(raw)
    admin.ensure_topics(topics_of(settings))
    admin.ensure_topics(topics_of(settings, "dps"))
    return config, admin


def _rows(connection: psycopg.Connection, table: str) -> Iterator[dict[str, object]]:
    with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        yield from cursor.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))


def _edits(ajera: psycopg.Connection) -> list[Change]:
    return [
        Change("u", row, number, LATER_MS)
        for number, row in enumerate(_rows(ajera, "AxVec"), start=1)
    ]


def _echoes(in_dps: psycopg.Connection) -> list[Change]:
    """What the connector says of our own writes: the rows as they are,
    at a place before the one that we read after them.
    """
    return [
        Change("u", row, number, LATER_MS)
        for number, row in enumerate(_rows(in_dps, "Clendor"), start=1)
    ]


def _timed(
    members: list[Consumer],
    in_dps: psycopg.Connection,
    topic: Topic,
    changes: list[Change],
) -> float:
    """Events a second; the member sleeps while the topic fills."""
    with _asleep(members):
        before = events_read(in_dps)
        topic.send(changes)
    started = time.monotonic()
    wait(members, lambda: events_read(in_dps) >= before + len(changes))
    return len(changes) / (time.monotonic() - started)


@contextmanager
def _asleep(members: list[Consumer]) -> Iterator[None]:
    for member in members:
        member.process.send_signal(signal.SIGSTOP)
    yield
    for member in members:
        member.process.send_signal(signal.SIGCONT)
