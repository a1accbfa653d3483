"""What outlives the process beside rows: the epoch of each connector, and named settings."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine

from pipeline.database.dialect import Field, Lock, Merge, given
from pipeline.database.engine import dialect_of
from pipeline.database.schema import DEFAULT_SCHEMA
from pipeline.database.session import ConnectedSession, number_of, translated
from pipeline.mapping.source import Kind

_CONNECTOR = (Field("connector", Kind.SHORT_TEXT),)
_EPOCH = (Field("epoch", Kind.INTEGER), Field("created_at", Kind.INSTANT))
_NAME = (Field("name", Kind.SHORT_TEXT),)
_VALUE = Field("value", Kind.TEXT)


def current_epoch(engine: Engine, connector: str, schema: str = DEFAULT_SCHEMA) -> int | None:
    """The epoch that a connector stamps into its messages, None before its first."""
    dialect = dialect_of(engine)
    with translated(dialect, "epoch"), engine.begin() as connection:
        session = ConnectedSession(connection, dialect)
        sql = dialect.select(dialect.qualify(schema, "epoch"), _CONNECTOR, ["epoch"], Lock.NONE)
        answers = session.run("epoch", sql, [(connector,)])
        return number_of(answers[0][0]) if answers else None


def raise_epoch(engine: Engine, connector: str, schema: str = DEFAULT_SCHEMA) -> int:
    """A new epoch for a connector, greater than every epoch of every connector."""
    dialect = dialect_of(engine)
    table = dialect.qualify(schema, "epoch")
    with translated(dialect, "epoch"), engine.begin() as connection:
        session = ConnectedSession(connection, dialect)
        session.tell("epoch", dialect.lock_table(table))
        ((newest,),) = session.ask("epoch", f"SELECT COALESCE(MAX({dialect.quote('epoch')}), 0) AS newest FROM {table}")
        epoch = number_of(newest) + 1
        merge = Merge(table, _CONNECTOR, _EPOCH, (given("epoch"), given("created_at")))
        session.run("epoch", dialect.merge(merge), [(connector, epoch, datetime.now(UTC))])
        return epoch


def read_setting(engine: Engine, name: str, schema: str = DEFAULT_SCHEMA) -> str | None:
    dialect = dialect_of(engine)
    with translated(dialect, "setting"), engine.begin() as connection:
        session = ConnectedSession(connection, dialect)
        sql = dialect.select(dialect.qualify(schema, "setting"), _NAME, ["value"], Lock.NONE)
        answers = session.run("setting", sql, [(name,)])
        return str(answers[0][0]) if answers else None


def write_setting(engine: Engine, name: str, value: str, schema: str = DEFAULT_SCHEMA) -> None:
    dialect = dialect_of(engine)
    with translated(dialect, "setting"), engine.begin() as connection:
        session = ConnectedSession(connection, dialect)
        merge = Merge(dialect.qualify(schema, "setting"), _NAME, (_VALUE,), (given("value"),))
        session.run("setting", dialect.merge(merge), [(name, value)])
