"""A consumer's signs of life in its route's state, in PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import NoReturn

import pytest
from sqlalchemy import Engine

from deploy.local.stack import Stack
from pipeline.database.sql.engine import create_engine
from pipeline.database.state.consumers import ConsumerStatus, consumers_of
from pipeline.database.state.migrate import upgrade
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.operations.presence import present
from pipeline.telemetry.health import Health
from pipeline.wiring.identity import consumer_id
from pipeline.wiring.route import RouteHandle
from pipeline.wiring.state import State
from tests.contracts.test_messages import until

pytestmark = pytest.mark.postgres
SCHEMA, GROUP = "sync", "ajera-cdc-pim"


def nobody(*_: object) -> NoReturn:
    raise AssertionError("no consumer is made here")


def handle(connect: Callable[[], Engine]) -> RouteHandle:
    return RouteHandle(
        of=AJERA_TO_PIM,
        group=GROUP,
        dead_letter_topic="",
        topics=(),
        state=State("pim", "projection", SCHEMA, connect),
        consumer=nobody,
        keeper=nobody,
    )


@pytest.fixture
def database(postgres: Stack) -> Iterator[Engine]:
    url = postgres.create_database(f"presence_{uuid.uuid4().hex[:8]}")
    engine = create_engine(url)
    upgrade(engine, SCHEMA)
    yield engine
    engine.dispose()


@contextmanager
def seen(database: Engine, health: Health) -> Iterator[Callable[[], list[ConsumerStatus]]]:
    """A consumer that lives; what the state says of the route's consumers."""
    url = database.url.render_as_string(hide_password=False)
    with present(handle(partial(create_engine, url)), health, "http://127.0.0.1:9"):
        yield partial(consumers_of, database, SCHEMA)


def nothing() -> None:
    return


def test_a_consumer_is_seen_with_its_state_and_its_reasons_and_no_more_after_its_end(
    database: Engine,
) -> None:
    """By any process that can read the state."""
    health = Health()
    with seen(database, health) as consumers:
        until(lambda: bool(consumers()), nothing)
        (one,) = consumers()
        assert (one.id, one.state, one.address) == (consumer_id(GROUP), "ok", "http://127.0.0.1:9")
        assert one.is_seen(datetime.now(UTC))
        health.halt("ajera.AxVec[0]", "decode.contract: column vecName is missing.")
        until(lambda: consumers()[0].state == "halted", nothing)
        assert consumers()[0].reasons == dict(health.report()[1])
        assert consumers()[0].started_at == one.started_at
    assert consumers() == []


def test_a_consumer_whose_state_is_away_goes_on_and_ends(database: Engine) -> None:
    """Nobody can be told, and nothing waits for that."""
    url = database.url.set(port=1).render_as_string(hide_password=False)
    with present(handle(partial(create_engine, url)), Health(), ""):
        assert consumers_of(database, SCHEMA) == []
