"""Who reads a workload: our consumers, Debezium's JDBC sink, and COPY with one upsert."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psycopg
import tomli_w
from psycopg import sql

from deploy.demo.consumers import running
from deploy.local.stack import Stack
from deploy.sample import databases
from pipeline.config.settings import settings_for
from pipeline.domain.routes import ROUTES
from pipeline.kafka.admin import KafkaAdmin
from pipeline.operations.connectors import topics_of
from tests.bench import targets
from tests.bench.comparing import require_equal
from tests.bench.feed import Feed
from tests.bench.measuring import Meter, Result, Used, peak_mb, wait_until
from tests.bench.sink import Worker
from tests.bench.waiting import check, has_joined
from tests.bench.workloads import Phase, Workload

UPSERT_ROWS = 2_000
LAST = 64  # changes of which each partition has one


@dataclass(frozen=True)
class Arena:
    """What every contender uses. `server`: where our target is, if not in the stack; `digests`: by
    workload what it left in a target.
    """

    stack: Stack
    worker: Worker
    admin: KafkaAdmin
    watching: psycopg.Connection
    server: str | None = None
    digests: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reader:
    """A contender that waits for messages. `has(phase, events)`: is the phase committed whose last
    event is so many since the first one; `verify` raises AssertionError.
    """

    pids: Sequence[int]
    has: Callable[[Phase, int], bool]
    check: Callable[[], None]
    verify: Callable[[], None]


def ours(arena: Arena, workload: Workload, feed: Feed, processes: int, members: int = 1) -> Result:
    """Guards, mirror and maps are on, as in every run of the product. `members` of each process."""
    meter = Meter(arena.watching if arena.server is None else None)
    return _result(meter, workload, feed, _consumers(arena, workload, processes, members))


def sink(arena: Arena, workload: Workload, feed: Feed, mode: str) -> Result:
    """The sink writes each table as its topic has it: no maps, no guard, no mirror."""
    return _result(Meter(arena.watching), workload, feed, _sink(arena, workload, mode))


def _result(
    meter: Meter, workload: Workload, feed: Feed, running: Iterator[tuple[str, Reader]]
) -> Result:
    used, sent = Used(), 0
    with contextmanager(lambda: running)() as (prefix, reader):
        for phase in workload.before:
            feed.send(prefix, phase)
            sent += len(phase.changes)
            wait_until(lambda p=phase, n=sent: reader.has(p, n), reader.check)  # type: ignore[misc]
        for phase in workload.phases:
            sent += len(phase.changes)
            used += meter.used(
                reader.pids,
                len(phase.changes),
                lambda p=phase: feed.send(prefix, p),  # type: ignore[misc]
                lambda p=phase, n=sent: reader.has(p, n),  # type: ignore[misc]
                reader.check,
            )
        memory = sum(map(peak_mb, reader.pids))
        reader.verify()
    return Result.of(used, memory)


def _consumers(
    arena: Arena, workload: Workload, processes: int, members: int
) -> Iterator[tuple[str, Reader]]:
    name = new_name()
    with targets.empty(arena.stack, workload.route, name, arena.server) as target:
        raw = targets.settings(arena.stack, target.url, workload.route, name)
        raw["run"]["members"] = members
        _ensure_topics(arena, raw)
        config = Path(arena.stack.directory) / f"{name}.toml"
        config.write_text(tomli_w.dumps(raw))
        with (
            running(config, arena.stack.logs, processes, workload.route) as consumers,
            target.engine.connect() as connection,
        ):
            alive = partial(check, consumers)
            wait_until(lambda: has_joined(arena.admin, name, processes * members), alive)
            yield (
                name,
                Reader(
                    [consumer.process.pid for consumer in consumers],
                    lambda _, events: (
                        target.has(connection, events)
                        and (not workload.before or target.has_loaded(connection, workload.tables))
                    ),
                    alive,
                    lambda: target.verify(workload, arena.digests),
                ),
            )


def _ensure_topics(arena: Arena, raw: targets.Raw) -> None:
    settings = settings_for(ROUTES).model_validate(raw)
    for system in raw["sources"]:
        arena.admin.ensure_topics(topics_of(settings, system))


def _sink(arena: Arena, workload: Workload, mode: str) -> Iterator[tuple[str, Reader]]:
    name = new_name()
    url = arena.stack.create_database(name)
    _ensure_topics(arena, targets.settings(arena.stack, url, workload.route, name))
    topics = [f"{name}.{table}" for table in workload.tables]
    keys = sorted({table.key[0] for table in workload.tables.values()})
    with (
        arena.worker.sinking(name, topics, keys, name, mode) as group,
        databases.connect(url) as connection,
    ):
        wait_until(lambda: has_joined(arena.admin, group, 1), lambda: arena.worker.check(name))
        yield (
            name,
            Reader(
                [arena.worker.pid],
                lambda phase, _: _has_last(connection, name, phase),
                lambda: arena.worker.check(name),
                lambda: _verify_copies(connection, name, workload),
            ),
        )
    discard(arena, name)


def _has_last(connection: psycopg.Connection, prefix: str, phase: Phase) -> bool:
    """Each partition is read in order: are the newest changes there."""
    newest = phase.changes[-LAST:]
    query = sql.SQL(
        'SELECT count(*) FROM {} WHERE {} = ANY(%s) AND "__source_sequence" = ANY(%s)'
    ).format(sql.Identifier(f"{prefix}_{phase.table.name}"), sql.Identifier(phase.key))
    keys = [change.row[phase.key] for change in newest]
    places = [change.sequence for change in newest]
    try:
        ((found,),) = connection.execute(query, [keys, places]).fetchall()
    except psycopg.errors.UndefinedTable:
        return False
    return bool(found == len(newest))


def _verify_copies(connection: psycopg.Connection, prefix: str, workload: Workload) -> None:
    for name, table in workload.tables.items():
        columns = [column.name for column in table.columns]
        query = sql.SQL("SELECT {} FROM {}").format(
            sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(f"{prefix}_{name}")
        )
        held = {row[0]: row for row in connection.execute(query)}
        require_equal(name, held, workload.newest[name], columns)


def copied(arena: Arena, workload: Workload, feed: Feed) -> Result:
    """The limit: rows of one table that are ready, by COPY to a staging table and one upsert a
    batch; no Kafka, no decoding.
    """
    del feed
    (phase,) = workload.phases
    name = new_name()
    columns = [column.name for column in phase.table.columns]
    rows = [[change.row.get(column) for column in columns] for change in phase.changes]
    meter, me = Meter(arena.watching), [os.getpid()]
    with databases.connect(arena.stack.create_database(name)) as connection:
        copy, upsert = _prepare(connection, columns)
        first = meter.sample(me)
        for start in range(0, len(rows), UPSERT_ROWS):
            with connection.transaction():
                connection.execute("TRUNCATE stage")
                with connection.cursor().copy(copy) as writer:
                    for row in rows[start : start + UPSERT_ROWS]:
                        writer.write_row(row)
                connection.execute(upsert)
        last = meter.sample(me)
    discard(arena, name)
    return Result.of(last.since(first, len(rows)), None)


def _prepare(
    connection: psycopg.Connection, columns: Sequence[str]
) -> tuple[sql.Composed, sql.Composed]:
    """Make both tables; the statements."""
    key, *others = map(sql.Identifier, columns)
    names = sql.SQL(", ").join([key, *others])
    kinds = sql.SQL(", ").join(sql.SQL("{} text").format(one) for one in others)
    sets = sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(one) for one in others)
    table = sql.SQL("TABLE {} ({} bigint PRIMARY KEY, {})")
    for word, name in (("CREATE ", "bench"), ("CREATE TEMP ", "stage")):
        connection.execute(sql.SQL(word) + table.format(sql.Identifier(name), key, kinds))
    copy = sql.SQL("COPY stage ({}) FROM STDIN").format(names)
    upsert = sql.SQL(
        "INSERT INTO bench ({0}) SELECT {0} FROM stage ON CONFLICT ({1}) DO UPDATE SET {2}"
    ).format(names, key, sets)
    return copy, upsert


def discard(arena: Arena, database: str) -> None:
    """Drop it: what is left of one run must not be vacuumed in another."""
    arena.watching.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(database)))


def new_name() -> str:
    return f"bench-{uuid.uuid4().hex[:8]}"
