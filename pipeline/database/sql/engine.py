"""Connecting: one SQLAlchemy engine for each database,
with time-outs that give up before a consumer's membership does.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

import sqlalchemy
from sqlalchemy import Engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry

from pipeline.database.sql import odbc
from pipeline.database.sql.address import OPTION, UNNAMED, address
from pipeline.database.sql.dialect import Dialect
from pipeline.database.sql.idle import ask_idle_connections
from pipeline.database.sql.postgres import Postgres
from pipeline.database.sql.sqlserver import SqlServer
from pipeline.errors import ConfigurationInvalid, DriverMissing

APPLICATION = "ajera-cdc"
LOOK_SECONDS = 3  # the network itself is asked after that, for two seconds at most
_DIALECTS: dict[str, Dialect] = {
    "postgresql": Postgres(),
    "mssql": SqlServer(),
}
# A module that fails to load is seen half loaded by another thread that asks for it meanwhile.
_LOADING = threading.Lock()
_DRIVERS = {"postgresql": "postgresql+psycopg", "mssql": "mssql+pyodbc"}
# A server that vanishes without a word (a power cut,
# a firewall that forgets) is noticed after half a minute, not two hours.
_NOTICED_GONE = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}


def dialect_of(engine: Engine) -> Dialect:
    """The dialect of an engine's database. Raises ConfigurationInvalid."""
    found = _DIALECTS.get(engine.dialect.name)
    if found is None:
        raise ConfigurationInvalid(f"a database of the kind {engine.dialect.name} is not supported")
    return found


def create_engine(
    url: str,
    *,
    name: str = UNNAMED.name,
    application: str = APPLICATION,
    connect_timeout_seconds: int = 5,
    statement_timeout_seconds: int = 60,
    lock_timeout_seconds: int = 30,
    pool_size: int = 5,
) -> Engine:
    """An engine for `postgresql://` or `mssql://`; errors call its database by `name`. Raises
    ConfigurationInvalid, DriverMissing, DriverUnsupported.
    """
    parsed = _parsed(url)
    options: dict[str, object] = {
        "pool_size": pool_size,
        "isolation_level": "READ COMMITTED",
        "execution_options": {OPTION: address(parsed, name)},
    }
    if not (is_sqlserver := parsed.get_backend_name() == "mssql"):
        options["connect_args"] = {
            "connect_timeout": connect_timeout_seconds,
            "application_name": application,
            **_NOTICED_GONE,
            "options": _limits(statement_timeout_seconds, lock_timeout_seconds),
        }
    else:
        options["connect_args"] = {"timeout": connect_timeout_seconds}
        options["ignore_no_transaction_on_rollback"] = True
    engine = _loaded(parsed, options, application)
    ask_idle_connections(engine)
    if is_sqlserver:
        odbc.refuse_other_drivers(engine)
        _limit_sqlserver(engine, statement_timeout_seconds, lock_timeout_seconds)
    return engine


def _loaded(url: URL, options: Mapping[str, object], application: str) -> Engine:
    backend = url.get_backend_name()
    try:
        with _LOADING:
            if backend == "mssql":
                url = odbc.connecting(url, application)
            return sqlalchemy.create_engine(url, **options)
    except ImportError as error:
        raise DriverMissing(f"{_DRIVERS[backend]} cannot be loaded: {error}") from None


def impatient(engine: Engine, seconds: int = LOOK_SECONDS) -> Engine:
    """The engine, for somebody who waits for the answer: a server that is silent is given up
    sooner. A consumer would only try again.
    """
    name = "timeout" if engine.dialect.name == "mssql" else "connect_timeout"

    @event.listens_for(engine, "do_connect")
    def limit(_: object, __: object, ___: object, options: dict[str, object]) -> None:
        options[name] = seconds

    return engine


def _parsed(url: str) -> URL:
    """The address with our driver. An address that cannot be read is not repeated:
    it may hold a password.
    """
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise ConfigurationInvalid("the database's address is not a URL") from None
    if backend == "postgres":
        backend = "postgresql"
    if backend not in _DRIVERS:
        raise ConfigurationInvalid(f"{backend} is not supported: postgresql:// or mssql://")
    return parsed.set(drivername=_DRIVERS[backend])


def _limits(statement_timeout_seconds: int, lock_timeout_seconds: int) -> str:
    """What each connection to PostgreSQL begins with."""
    return (
        f"-c timezone=UTC -c statement_timeout={statement_timeout_seconds}s"
        f" -c lock_timeout={lock_timeout_seconds}s"
    )


def _limit_sqlserver(
    engine: Engine,
    statement_timeout_seconds: int,
    lock_timeout_seconds: int,
) -> None:
    """Time-outs of each new connection. XACT_ABORT: an error ends the whole transaction,
    as it does in PostgreSQL.
    """

    @event.listens_for(engine, "connect")
    def limit(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.timeout = statement_timeout_seconds
        cursor = connection.cursor()
        cursor.execute(f"SET XACT_ABORT ON; SET LOCK_TIMEOUT {lock_timeout_seconds * 1000}")
        cursor.close()
        connection.commit()
