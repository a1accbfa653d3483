"""The signal table of a source on PostgreSQL: who may create it, and what is kept in it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from deploy.local.stack import Stack
from pipeline.config.settings import Settings, settings_for
from pipeline.database.sql.engine import create_engine
from pipeline.database.systems.signals import EXECUTE, STOP, Signal, SignalTable
from pipeline.domain.routes import ROUTES
from pipeline.operations.connectors import configuration
from pipeline.operations.signals import SETTING, prepared
from pipeline.wiring.source import source_of

NAME = ("ajera_cdc", "signal")


@pytest.fixture
def url(postgres: Stack) -> str:
    """A database of its own, without the table."""
    return postgres.create_database(f"signals_{uuid.uuid4().hex[:8]}")


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    found = create_engine(url)
    yield found
    found.dispose()


def settings(url: str, signal_table: str = "ajera_cdc.signal") -> Settings:
    return settings_for(ROUTES).model_validate(
        {
            "sources": {"ajera": {"database": url, "signal_table": signal_table}},
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


def test_apply_creates_the_table_and_says_so(url: str, engine: sa.Engine) -> None:
    """Once; then the connector is told of it."""
    told: list[str] = []
    found = settings(url)
    assert prepared(source_of(found, "ajera"), told.append, is_known=False) == ""
    assert prepared(source_of(found, "ajera"), told.append, is_known=False) == ""
    assert told == ["created the signal table ajera_cdc.signal"]
    assert SignalTable(engine, *NAME).is_ready()
    config = configuration(found, 1, signals=True)
    assert config[SETTING] == "ajera_cdc.signal"
    assert config["table.include.list"].endswith(r",ajera_cdc\.signal")


def test_a_user_who_may_not_create_it_captures_all_the_same(url: str, engine: sa.Engine) -> None:
    """What somebody else has to run is told; the connector's configuration has no such table."""
    found = settings(of_a_user_who_only_reads(engine, url))
    why = prepared(source_of(found, "ajera"), lambda _: None, is_known=False)
    assert 'CREATE TABLE IF NOT EXISTS "ajera_cdc"."signal"' in why
    assert "reads" not in why
    config = configuration(found, 1, signals=False)
    assert SETTING not in config
    assert "signal" not in config["table.include.list"]


@pytest.mark.parametrize(("is_known", "is_kept"), [(True, True), (False, False)])
def test_a_source_that_is_not_reached_now_changes_nothing_of_a_connector_that_has_the_table(
    url: str, is_known: bool, is_kept: bool
) -> None:
    """Connect may reach it where we do not."""
    away = make_url(url).set(port=1).render_as_string(hide_password=False)
    why = prepared(source_of(settings(away), "ajera"), lambda _: None, is_known=is_known)
    assert (why == "") is is_kept


def test_an_empty_setting_makes_no_table(url: str, engine: sa.Engine) -> None:
    """For a firm that wants none of ours in its database."""
    why = prepared(source_of(settings(url, ""), "ajera"), lambda _: None, is_known=False)
    assert "signal_table is empty" in why
    assert not SignalTable(engine, *NAME).is_ready()
