"""The tables of our own in a source on PostgreSQL: who may create them, and what they keep."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from deploy.local.stack import Stack
from pipeline.config.settings import Settings, settings_for
from pipeline.database.sql.engine import create_engine, dialect_of
from pipeline.database.systems.heartbeat import HeartbeatTable, beat
from pipeline.database.systems.signals import EXECUTE, STOP, Signal, SignalTable
from pipeline.domain.routes import ROUTES
from pipeline.operations import heartbeats, signals
from pipeline.operations.connectors import NONE, OwnTables, configuration
from pipeline.operations.heartbeats import HEARTBEAT_TABLE
from pipeline.operations.own_tables import OwnTable
from pipeline.operations.signals import SIGNAL_TABLE
from pipeline.wiring.source import source_of

NAME = ("ajera_cdc", "signal")
BOTH = OwnTables(signals=True, heartbeat=True)
KINDS = {"signal": SIGNAL_TABLE, "heartbeat": HEARTBEAT_TABLE}
SETTINGS = {"signal": signals.SETTING, "heartbeat": heartbeats.SETTING}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def own(kind: str) -> OwnTable:
    """Each kind of table."""
    return KINDS[kind]


@pytest.fixture
def url(postgres: Stack) -> str:
    """A database of its own, without the table."""
    return postgres.create_database(f"signals_{uuid.uuid4().hex[:8]}")


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    found = create_engine(url)
    yield found
    found.dispose()


def settings(url: str, **changed: str) -> Settings:
    return settings_for(ROUTES).model_validate(
        {
            "sources": {"ajera": {"database": url, **changed}},
            "routes": {"pim": {"database": url}},
        }
    )


def of_a_user_who_only_reads(engine: sa.Engine, url: str) -> str:
    """The address of the database for such a user."""
    name = f"reader_{uuid.uuid4().hex[:8]}"
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE ROLE {name} LOGIN PASSWORD 'reads'"))
    return make_url(url).set(username=name, password="reads").render_as_string(hide_password=False)


def test_the_table_is_created_once_and_gives_back_what_was_sent(engine: sa.Engine) -> None:
    """By kind, in the order of the ids; created again, it keeps its rows."""
    table = SignalTable(engine, *NAME)
    assert not table.is_ready()
    table.create()
    assert table.is_ready()
    sent = [Signal("b", EXECUTE, '{"it": "is: JSON"}'), Signal("a", EXECUTE, "{}")]
    for signal in (*sent, Signal("c", STOP, "{}")):
        table.send(signal)
    table.create()
    assert table.sent(EXECUTE) == sorted(sent, key=lambda one: one.id)
    assert [one.id for one in table.sent(STOP)] == ["c"]


def test_the_heartbeat_table_has_one_row_which_the_connector_writes(engine: sa.Engine) -> None:
    """Created again, it keeps it; without the row it is not ready, and created again it is."""
    table = HeartbeatTable(engine, "ajera_cdc", "heartbeat")
    assert not table.is_ready()
    for _ in range(2):
        table.create()
        assert table.is_ready()
    statement = beat(dialect_of(engine), "ajera_cdc", "heartbeat")
    with engine.begin() as connection:
        before = connection.execute(sa.text("SELECT at FROM ajera_cdc.heartbeat")).scalar_one()
    with engine.begin() as connection:
        assert connection.execute(sa.text(statement)).rowcount == 1
        assert (
            connection.execute(sa.text("SELECT at FROM ajera_cdc.heartbeat")).scalar_one() > before
        )
        connection.execute(sa.text("DELETE FROM ajera_cdc.heartbeat"))
    assert not table.is_ready()
    table.create()
    assert table.is_ready()


def test_apply_creates_the_table_and_says_so(
    url: str, engine: sa.Engine, own: OwnTable, kind: str
) -> None:
    """Once; then the connector is told of it."""
    told: list[str] = []
    found = settings(url)
    assert own.prepared(source_of(found, "ajera"), told.append, is_known=False) == ""
    assert own.prepared(source_of(found, "ajera"), told.append, is_known=False) == ""
    assert told == [f"created the {kind} table ajera_cdc.{kind}"]
    assert own.table(engine, "ajera_cdc", kind).is_ready()
    config = configuration(found, 1, "ajera", BOTH)
    assert f"ajera_cdc.{kind}" in config[SETTINGS[kind]].replace('"', "")
    assert rf",ajera_cdc\.{kind}" in config["table.include.list"]


def test_a_user_who_may_not_create_it_captures_all_the_same(
    url: str, engine: sa.Engine, own: OwnTable, kind: str
) -> None:
    """What somebody else has to run is told; the connector's configuration has no such table."""
    found = settings(of_a_user_who_only_reads(engine, url))
    why = own.prepared(source_of(found, "ajera"), lambda _: None, is_known=False)
    assert f'CREATE TABLE IF NOT EXISTS "ajera_cdc"."{kind}"' in why
    assert "reads" not in why
    config = configuration(found, 1, "ajera", NONE)
    assert SETTINGS[kind] not in config
    assert kind not in config["table.include.list"]


@pytest.mark.parametrize(("is_known", "is_kept"), [(True, True), (False, False)])
def test_a_source_that_is_not_reached_now_changes_nothing_of_a_connector_that_has_the_table(
    url: str, own: OwnTable, is_known: bool, is_kept: bool
) -> None:
    """Connect may reach it where we do not."""
    away = make_url(url).set(port=1).render_as_string(hide_password=False)
    why = own.prepared(source_of(settings(away), "ajera"), lambda _: None, is_known=is_known)
    assert (why == "") is is_kept


def test_an_empty_setting_makes_no_table(
    url: str, engine: sa.Engine, own: OwnTable, kind: str
) -> None:
    """For a firm that wants none of ours in its database."""
    found = settings(url, **{f"{kind}_table": ""})
    why = own.prepared(source_of(found, "ajera"), lambda _: None, is_known=False)
    assert f"{kind}_table is empty" in why
    assert not own.table(engine, "ajera_cdc", kind).is_ready()
