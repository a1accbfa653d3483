"""Connections that were idle are asked whether they still are one before they are used.

Not each time, as a pool can: a consumer takes one several times a batch, and each question
is a round trip. One that breaks within the second fails the statement, which is tried again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

ASKED_AFTER_SECONDS: Final = 1.0
_IDLE_SINCE: Final = "idle since"


def ask_idle_connections(engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
    """From now on, of those that this engine gives out."""

    @event.listens_for(engine, "checkin")
    def note(_: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info[_IDLE_SINCE] = clock()

    @event.listens_for(engine, "checkout")
    def ask(
        connection: DBAPIConnection, entry: ConnectionPoolEntry, _: PoolProxiedConnection
    ) -> None:
        since = entry.info.get(_IDLE_SINCE)
        if since is None or clock() - since < ASKED_AFTER_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError("an idle connection does not answer") from error
