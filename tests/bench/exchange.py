"""The exchange's part of the benchmark: edits in Ajera of linked firms, carried over to DPS,
and their echoes.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
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
from tests.bench.contenders import Arena, discard, ours
from tests.bench.contest import growth
from tests.bench.feed import Feed
from tests.bench.measuring import Meter, Result, Used, peak_mb
from tests.bench.produce import Change, Topic
from tests.bench.report import Line, Say
from tests.bench.targets import require
from tests.bench.waiting import events_read, has_joined, wait
from tests.bench.workloads import clients

LATER_MS = 2 * 3_600_000  # beyond the time in which a row that was linked just now is looked at
WHAT = "exchange"
ONE_WAY, EDITS, ECHOES = "one way, Ajera to PIM", "edits, Ajera to DPS", "their echoes"
BOTH = "each edit with its echo"


def measure(arena: Arena, rows: int, rounds: int, seed: int, say: Say) -> list[Line]:
    """One consumer: as many edits in Ajera of linked firms as `rows`, their echoes, and as many
    events one way in the same round.
    """
    workload = clients(rows // 2, seed)
    feed = Feed(arena.stack, workload)
    results: dict[str, list[Result]] = {ONE_WAY: [], EDITS: [], ECHOES: [], BOTH: []}
    for number in range(1, rounds + 1):
        one_way = ours(arena, workload, feed, 1)
        edits, echoes, memory = _round(arena, rows)
        of_round = {
            ONE_WAY: one_way,
            EDITS: Result.of(edits, memory),
            ECHOES: Result.of(echoes, memory),
            # In the stream that both captures give, an echo follows each edit.
            BOTH: Result.of(edits + echoes, memory),
        }
        for name, result in of_round.items():
            results[name].append(result)
            say(f"{WHAT}, round {number}: {name}: {result.rate:,.0f} events/s")
    base = [one.rate for one in results[ONE_WAY]]
    return [
        Line(
            WHAT,
            name,
            workload.events if name == ONE_WAY else rows * (2 if name == BOTH else 1),
            found,
            [one.rate / by for one, by in zip(found, base, strict=True)],
        )
        for name, found in results.items()
    ]


def grown(arena: Arena, least: int, say: Say) -> list[Line]:
    """One consumer: edits of 1, 10 and 100 times the linked firms, each with its echo."""

    def measured(rows: int) -> tuple[str, int, Result]:
        edits, echoes, memory = _round(arena, rows)
        return WHAT, 2 * rows, Result.of(edits + echoes, memory)

    return growth(BOTH, least, measured, say)


def _round(arena: Arena, rows: int) -> tuple[Used, Used, float]:
    """What edits and echoes used, and the largest memory in MB."""
    stack, name = arena.stack, f"two-{uuid.uuid4().hex[:8]}"
    ajera_url, dps_url = both_empty(stack, name)
    config, admin = configured(stack, name, ajera_url, dps_url)
    with (
        closing(admin),
        databases.connect(ajera_url) as ajera,
        databases.connect(dps_url) as in_dps,
    ):
        firm.insert(ajera, Naming(), "AxVec", [client(key) for key in range(1, rows + 1)])
        command(config, "link", "--yes")
        with running(config, stack.logs, 1, EXCHANGE) as members:
            wait(members, lambda: has_joined(admin, f"{name}-group", 1))
            ajera.execute(
                sql.SQL('UPDATE "AxVec" SET "vecWebsite" = %s || "vecKey"'),
                ("www.new.example/",),
            )
            meter = Meter(arena.watching)
            topic = Topic(AX_VEC, f"{name}.AxVec", stack.bootstrap, stack.registry)
            in_echo = Topic(CLENDOR, f"{name}-dps.Clendor", stack.bootstrap, stack.registry)
            _captured(members, in_dps, in_echo)
            edits = _timed(meter, members, in_dps, topic, _edits(ajera))
            echoes = _timed(meter, members, in_dps, in_echo, _echoes(in_dps))
            memory = peak_mb(members[0].process.pid)
            _verify(ajera, in_dps, rows)
    for url in (ajera_url, dps_url):
        discard(arena, url.rsplit("/", 1)[1])
    return edits, echoes, memory


def _captured(members: list[Consumer], in_dps: psycopg.Connection, topic: Topic) -> None:
    """DPS's capture has begun, so that its epoch is known: an echo is told from an edit by its
    place in that log.
    """
    before = events_read(in_dps)
    topic.send([Change("r", next(_rows(in_dps, "Clendor")), 0)])
    wait(members, lambda: events_read(in_dps) > before)


def _verify(ajera: psycopg.Connection, in_dps: psycopg.Connection, rows: int) -> None:
    """Raises AssertionError: an edit is not in DPS, an echo came to Ajera, or was taken for an edit
    of the same text.
    """
    twice = in_dps.execute("SELECT count(*) FROM sync.link WHERE document LIKE '%coincident%'")
    require(f"echoes taken for edits: {twice.fetchall()}", "echoes taken for edits: [(0,)]")
    for connection, table, column in (
        (in_dps, "Clendor", "WebSite"),
        (ajera, "AxVec", "vecWebsite"),
    ):
        query = sql.SQL("SELECT count(*) FROM {} WHERE {} LIKE 'www.new.example/%%'")
        found = connection.execute(query.format(sql.Identifier(table), sql.Identifier(column)), ())
        require(f"{table}: {found.fetchall()}", f"{table}: [({rows},)]")


def both_empty(stack: Stack, name: str) -> tuple[str, str]:
    """Databases of that name for Ajera and DPS, with the vendors' tables; their URLs."""
    ajera_url, dps_url = (
        stack.create_database(f"{name}-ajera"),
        stack.create_database(f"{name}-dps"),
    )
    databases.create_ajera(ajera_url, Naming())
    dps.create_dps(dps_url, Naming())
    return ajera_url, dps_url


def client(key: int) -> dict[str, object]:
    """A row of AxVec that the exchange carries."""
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
    meter: Meter,
    members: list[Consumer],
    in_dps: psycopg.Connection,
    topic: Topic,
    changes: list[Change],
) -> Used:
    before = events_read(in_dps)
    return meter.used(
        [member.process.pid for member in members],
        len(changes),
        lambda: _send(topic, changes),
        lambda: events_read(in_dps) >= before + len(changes),
        lambda: None,
    )


def _send(topic: Topic, changes: list[Change]) -> None:
    topic.send(changes)
