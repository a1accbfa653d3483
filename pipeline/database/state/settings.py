"""What outlives the process beside rows: the epoch of each connector, and named settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

from sqlalchemy import Engine

from pipeline.database.sql.dialect import Field, Lock, Merge, given
from pipeline.database.sql.engine import dialect_of
from pipeline.database.sql.session import (
    ConnectedSession,
    Session,
    number_of,
    translated,
)
from pipeline.database.state.schema import DEFAULT_SCHEMA
from pipeline.mapping.source import ColumnType

State = tuple[Engine, str]  # a database and the schema of ours in it
_CONNECTOR = (Field("connector", ColumnType.SHORT_TEXT),)
_EPOCH = (
    Field("epoch", ColumnType.INTEGER),
    Field("created_at", ColumnType.INSTANT),
)
_NAME = (Field("name", ColumnType.SHORT_TEXT),)
_VALUE = Field("value", ColumnType.TEXT)


def current_epoch(states: Sequence[State], connector: str) -> int | None:
    """The epoch that a connector stamps into its messages, None before its first.

    The highest that any state knows: a route that was added later knows none yet.
    """
    found = [
        epoch
        for engine, schema in states
        if (epoch := _epoch(engine, connector, schema)) is not None
    ]
    return max(found, default=None)


def following_epoch(states: Sequence[State]) -> int:
    """The epoch that `store_epoch` would store next for a connector that starts anew."""
    newest = 0
    for engine, schema in states:
        dialect = dialect_of(engine)
        with translated(engine, "epoch"), engine.begin() as connection:
            newest = max(newest, _newest(ConnectedSession(connection, dialect), schema))
    return newest + 1


def store_epoch(states: Sequence[State], connector: str, epoch: int | None) -> int:
    """Store a connector's epoch in each state; None: a new one,
    greater than any that a state knows.

    Each state's table is locked, in their order, until all know it.
    """
    with ExitStack() as transactions:
        sessions = [(transactions.enter_context(_locked(*state)), state[1]) for state in states]
        if epoch is None:
            epoch = max(_newest(session, schema) for session, schema in sessions) + 1
        for session, schema in sessions:
            table = session.dialect.qualify(schema, "epoch")
            merge = Merge(
                table,
                _CONNECTOR,
                _EPOCH,
                (given("epoch"), given("created_at")),
            )
            session.run(
                "epoch",
                session.dialect.merge(merge),
                [(connector, epoch, datetime.now(UTC))],
            )
    return epoch


@contextmanager
def _locked(engine: Engine, schema: str) -> Iterator[ConnectedSession]:
    dialect = dialect_of(engine)
    with translated(engine, "epoch"), engine.begin() as connection:
        session = ConnectedSession(connection, dialect)
        session.tell("epoch", dialect.lock_table(dialect.qualify(schema, "epoch")))
        yield session


def _newest(session: ConnectedSession, schema: str) -> int:
    column, table = (
        session.dialect.quote("epoch"),
        session.dialect.qualify(schema, "epoch"),
    )
    ((newest,),) = session.ask("epoch", f"SELECT COALESCE(MAX({column}), 0) AS newest FROM {table}")
    return number_of(newest)


def _epoch(engine: Engine, connector: str, schema: str) -> int | None:
    dialect = dialect_of(engine)
    with translated(engine, "epoch"), engine.begin() as connection:
        session = ConnectedSession(connection, dialect)
        sql = dialect.select(
            dialect.qualify(schema, "epoch"),
            _CONNECTOR,
            ["epoch"],
            Lock.NONE,
        )
        answers = session.run("epoch", sql, [(connector,)])
        return number_of(answers[0][0]) if answers else None


class SettingsStore:
    """Named settings, in a transaction of their own or of the caller's."""

    def __init__(self, session: Session, schema: str) -> None:
        self._session = session
        self._table = session.dialect.qualify(schema, "setting")

    def read(self, name: str) -> str | None:
        sql = self._session.dialect.select(self._table, _NAME, ["value"], Lock.NONE)
        answers = self._session.run("setting", sql, [(name,)])
        return str(answers[0][0]) if answers else None

    def write(self, name: str, value: str) -> None:
        merge = Merge(self._table, _NAME, (_VALUE,), (given("value"),))
        self._session.run("setting", self._session.dialect.merge(merge), [(name, value)])


def read_setting(engine: Engine, name: str, schema: str = DEFAULT_SCHEMA) -> str | None:
    dialect = dialect_of(engine)
    with translated(engine, "setting"), engine.begin() as connection:
        return SettingsStore(ConnectedSession(connection, dialect), schema).read(name)
