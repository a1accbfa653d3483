"""Halts, skips and consumers in a route's state: the twins and the databases keep the same
promises.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from deploy.local.stack import Stack
from pipeline.conflicts.rules import Side
from pipeline.database.pairs import DatabasePairs
from pipeline.database.sql.engine import create_engine
from pipeline.database.state.consumers import (
    FORGOTTEN_AFTER,
    ConsumerStatus,
    consumers_of,
    remove_consumer,
    store_consumer,
)
from pipeline.database.state.halts import halts_of, skipped_of
from pipeline.database.state.migrate import Part, upgrade
from pipeline.database.systems.rows import Names
from pipeline.database.target import DatabaseTarget
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.engine.consumer.ports import Offsets
from pipeline.mapping.site import Site
from pipeline.model.halt import Halt, Skip, SkippedMessage, place_of
from pipeline.model.outcome import SkipReason
from pipeline.model.position import TopicPartition
from tests.twins.clock import Ticks
from tests.twins.systems import both_systems
from tests.twins.target import MemoryTarget

SQL_SERVER = "PIPELINE_TEST_SQLSERVER_URL"
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
VEC = TopicPartition("ajera.AxVec", 0)
ODD = 'O\'Brien "q" [x] {y} :z Ωμέγα 🏗️'
HALT = Halt(place_of(VEC), VEC, 3, 41, "decode.contract", ODD, NOON, "us-host-1")
TABLE = Halt("Contact", None, None, None, "target.refused", "no right", NOON, "us-host-1")
PARTS: dict[str, Part] = {"projection": "projection", "exchange": "dps"}
Transaction = Callable[[], AbstractContextManager[Offsets]]


@dataclass(frozen=True)
class Schema:
    """A schema of ours in a real database, and transactions over it."""

    engine: Engine
    name: str
    transaction: Transaction


def kinds(*names: str) -> list[object]:
    """Each kind of database for each kind of route."""
    marks = {"postgres": [pytest.mark.postgres], "sqlserver": [pytest.mark.sqlserver]}
    return [
        pytest.param((name, route), marks=marks.get(name, []), id=f"{name}-{route}")
        for name in names
        for route in PARTS
    ]


@pytest.fixture(params=kinds("memory", "postgres", "sqlserver"))
def transaction(request: pytest.FixtureRequest) -> Iterator[Transaction]:
    """Transactions over an empty state."""
    kind, route = request.param
    if kind == "memory":
        yield (
            MemoryTarget(AJERA_TO_PIM).transaction
            if route == "projection"
            else both_systems(Ticks(NOON)).transaction
        )
    else:
        for schema in in_database(request, kind, route):
            yield schema.transaction


@pytest.fixture(params=kinds("postgres", "sqlserver"))
def schema(request: pytest.FixtureRequest) -> Iterator[Schema]:
    """A state in a real database."""
    yield from in_database(request, *request.param)


def in_database(request: pytest.FixtureRequest, kind: str, route: str) -> Iterator[Schema]:
    if kind == "sqlserver" and not os.environ.get(SQL_SERVER):
        pytest.skip(f"{SQL_SERVER} is not set: nothing was run on SQL Server")
    suffix = uuid.uuid4().hex[:8]
    stack: Stack | None = request.getfixturevalue("postgres") if kind == "postgres" else None
    url = os.environ[SQL_SERVER] if stack is None else stack.create_database(f"halts_{suffix}")
    engine, name = create_engine(url, lock_timeout_seconds=10), f"sync_{suffix}"
    upgrade(engine, name, part=PARTS[route])
    dps, ajera = (Names(Site(), side, None) for side in (Side.DPS, Side.AJERA))
    transactions: Transaction = (
        DatabaseTarget(engine, replace(AJERA_TO_PIM, sources=()), Site(), name).transaction
        if route == "projection"
        else DatabasePairs(engine, engine, dps, ajera, name).transaction
    )
    yield Schema(engine, name, transactions)
    engine.dispose()


# -- halts -----------------------------------------------------------------------------------------


def test_a_halt_is_there_for_every_process_until_it_is_lifted(transaction: Transaction) -> None:
    """Whoever looks next sees it as it was told."""
    with transaction() as one:
        assert one.halts.halted() == []
        one.halts.halt([HALT, TABLE])
    with transaction() as other:
        assert other.halts.halted() == [TABLE, HALT]
        other.halts.lift({HALT.place, "nowhere"})
        other.halts.lift([])
    with transaction() as one:
        assert one.halts.halted() == [TABLE]


@pytest.mark.parametrize(
    ("then", "since"),
    [
        (replace(HALT, consumer="us-host-2", sentence="again"), NOON),
        (replace(HALT, offset=42), NOON + timedelta(hours=1)),
        (replace(HALT, incarnation=4), NOON + timedelta(hours=1)),
        (replace(HALT, code="registry.lost"), NOON + timedelta(hours=1)),
    ],
    ids=("the same", "another message", "another topic", "another reason"),
)
def test_a_halt_keeps_its_age_as_long_as_it_is_the_same(
    transaction: Transaction, then: Halt, since: datetime
) -> None:
    """Also with another consumer: who is called must know how long it has been."""
    later = replace(then, since=NOON + timedelta(hours=1))
    with transaction() as one:
        one.halts.halt([HALT])
        one.halts.halt([later])
        assert one.halts.halted() == [replace(later, since=since)]


def test_a_table_that_is_halted_again_keeps_its_age(transaction: Transaction) -> None:
    """It has no offset, and nothing is equal to nothing."""
    with transaction() as one:
        one.halts.halt([TABLE])
        one.halts.halt([replace(TABLE, since=NOON + timedelta(hours=1))])
        assert one.halts.halted() == [TABLE]


# -- skips -----------------------------------------------------------------------------------------


def test_what_may_be_skipped_is_there_until_it_is_forgotten(transaction: Transaction) -> None:
    """One of the same first offset is replaced."""
    narrow = Skip(VEC, 3, 41, 41, ODD, NOON)
    wide, other = replace(narrow, last=60), replace(narrow, first=90, last=91)
    with transaction() as one:
        assert one.halts.skips() == []
        one.halts.skip([narrow, other])
        one.halts.skip([wide])
    with transaction() as one:
        assert one.halts.skips() == [wide, other]
        one.halts.forget_skips([wide])
        assert one.halts.skips() == [other]


def test_a_skipped_message_is_noted_once(transaction: Transaction) -> None:
    """Read again after a crash, it is the same one."""
    message = SkippedMessage(VEC, 3, 41, '{"vecKey":7}', "decode.contract", SkipReason.OPERATOR)
    other = replace(message, offset=42, key="")
    with transaction() as one:
        one.halts.note_skipped([message], NOON)
        one.halts.note_skipped([replace(message, code="registry.lost"), other], NOON)
        assert one.halts.skipped() == [message, other]


def test_a_skipped_message_is_there_until_its_row_has_come(transaction: Transaction) -> None:
    """One of the same key, and one of the same offset elsewhere, stay."""
    message = SkippedMessage(VEC, 3, 41, '{"vecKey":7}', "decode.contract", SkipReason.OPERATOR)
    others = [
        replace(message, offset=42),
        replace(message, incarnation=4),
        replace(message, partition=TopicPartition("ajera.AxVec", 1)),
    ]
    with transaction() as one:
        one.halts.note_skipped([message, *others], NOON)
    with transaction() as one:
        one.halts.forget_skipped([message, replace(message, offset=99)])
        one.halts.forget_skipped([])
    with transaction() as one:
        assert set(one.halts.skipped()) == set(others)


# -- reading ---------------------------------------------------------------------------------------


def test_halts_are_read_without_a_consumer(schema: Schema) -> None:
    """By a command in another process."""
    message = SkippedMessage(VEC, 3, 41, ODD, "decode.contract", SkipReason.OPERATOR)
    with schema.transaction() as one:
        one.halts.halt([HALT])
        one.halts.note_skipped([message], NOON)
    assert halts_of(schema.engine, schema.name) == [HALT]
    assert skipped_of(schema.engine, schema.name) == [message]


def test_a_consumer_is_there_from_its_first_sign_of_life_to_its_orderly_end(
    schema: Schema,
) -> None:
    """Each sign replaces the one before."""
    consumer = ConsumerStatus(
        *("us-host-1", "höst", 1, "1.2.3", NOON, NOON, "ok", {}, "http://127.0.0.1:9"),
    )
    later = replace(
        consumer,
        seen_at=NOON + timedelta(seconds=3),
        state="halted",
        reasons={"ajera.AxVec[0]": ODD},
    )
    store_consumer(schema.engine, schema.name, consumer)
    store_consumer(schema.engine, schema.name, later)
    assert consumers_of(schema.engine, schema.name) == [later]
    remove_consumer(schema.engine, schema.name, consumer.id)
    assert consumers_of(schema.engine, schema.name) == []


def test_a_consumer_that_crashed_is_shown_as_not_seen_and_forgotten_after_a_day(
    schema: Schema,
) -> None:
    """Its row is left behind; another consumer's signs of life clear it away."""
    crashed = ConsumerStatus("a", "host", 1, "1.2.3", NOON, NOON, "ok", {}, "")
    alive = replace(crashed, id="b", seen_at=NOON + FORGOTTEN_AFTER)
    store_consumer(schema.engine, schema.name, crashed)
    store_consumer(schema.engine, schema.name, alive)
    assert consumers_of(schema.engine, schema.name) == [crashed, alive]
    assert (crashed.is_seen(alive.seen_at), alive.is_seen(alive.seen_at)) == (False, True)
    later = replace(alive, seen_at=alive.seen_at + timedelta(seconds=1))
    store_consumer(schema.engine, schema.name, later)
    assert consumers_of(schema.engine, schema.name) == [later]
