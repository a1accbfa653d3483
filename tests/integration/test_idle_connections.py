"""A connection that was idle is asked before it is used; one that is in use is not, each time."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from deploy.local.stack import Stack
from pipeline.database.sql.idle import ASKED_AFTER_SECONDS, ask_idle_connections
from tests.support.events import NOON
from tests.twins.clock import Ticks

pytestmark = pytest.mark.postgres
END_OTHERS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


@dataclass
class Server:
    """One database, an engine that asks by a clock of ours, and another one that ends its
    connections.
    """

    engine: Engine
    other: Engine
    clock: Ticks

    def number(self) -> int:
        with self.engine.begin() as connection:
            return int(connection.execute(sa.text("SELECT 7")).scalar_one())

    def end_connections(self) -> None:
        with self.other.begin() as connection:
            assert connection.execute(sa.text(END_OTHERS)).scalar_one()


@pytest.fixture
def server(postgres: Stack) -> Iterator[Server]:
    url = sa.make_url(postgres.create_database(f"idle-{uuid.uuid4().hex[:8]}"))
    engine, other = (sa.create_engine(url.set(drivername="postgresql+psycopg")) for _ in range(2))
    clock = Ticks(NOON)
    ask_idle_connections(engine, clock.monotonic)
    yield Server(engine, other, clock)
    engine.dispose()
    other.dispose()


def test_an_idle_connection_that_was_ended_is_replaced_before_it_is_used(server: Server) -> None:
    """A server that was restarted, or a firewall that forgot: no statement fails."""
    assert server.number() == 7
    server.end_connections()
    server.clock.wait(timedelta(seconds=ASKED_AFTER_SECONDS))
    assert server.number() == 7


def test_one_that_was_used_just_now_is_not_asked_and_fails_its_statement_once(
    server: Server,
) -> None:
    """Which is tried again, on another one."""
    assert server.number() == 7
    server.end_connections()
    with pytest.raises(OperationalError):
        server.number()
    assert server.number() == 7
