"""The replication slot of a PostgreSQL source."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import tenacity
from sqlalchemy import Connection, Engine, Row, text

from pipeline.database.sql.session import translated
from pipeline.errors import ConnectorFailed
from pipeline.wiring.source import Source

Report = Callable[[str], None]
SLOT_PATIENCE_SECONDS: Final = 15.0
# A task that Connect gave up may read on for as long as it waits for its database: minutes.
LEFT_OVER_SECONDS: Final = 3.0

HOLDER: Final = text("""
SELECT active_pid AS pid, application_name, host(client_addr) AS address
  FROM pg_replication_slots LEFT JOIN pg_stat_activity ON pid = active_pid
 WHERE slot_name = :slot AND active
""")
# A new slot begins when every transaction of the server that was open has ended.
BLOCKER: Final = text("""
SELECT pid, datname, usename, state, xact_start
  FROM pg_stat_activity
 WHERE pid = ANY(pg_blocking_pids(
         (SELECT active_pid FROM pg_replication_slots WHERE slot_name = :slot)))
 ORDER BY pid LIMIT 1
""")


def drop_slot(source: Source, report: Report, *, of_removed: bool = False) -> str | None:
    """Drop the replication slot if it is there. `of_removed`: its connector is no more, so whoever
    still reads it is left over, and is ended.

    Raises ConnectorFailed if somebody still reads it after a while.
    """
    engine = source.engine()
    patient = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(ConnectorFailed),
        stop=tenacity.stop_after_delay(SLOT_PATIENCE_SECONDS),
        wait=tenacity.wait_fixed(0.2),
        reraise=True,
    )
    ends = time.monotonic() + (LEFT_OVER_SECONDS if of_removed else float("inf"))
    try:
        for attempt in patient:
            with attempt, translated(engine, "the replication slot"):
                dropped = _drop_idle_slot(engine, source.slot, ends, report)
    finally:
        engine.dispose()
    if not dropped:
        return None
    report(f"dropped the replication slot {source.slot}")
    return source.slot


def what_blocks(source: Source) -> str:
    """Which open transaction the new replication slot waits for; "" if for none."""
    if source.dialect != "postgres":
        return ""
    engine = source.engine()
    try:
        with translated(engine, "the replication slot"), engine.connect() as connection:
            return _what_blocks(connection, source.slot)
    finally:
        engine.dispose()


def _drop_idle_slot(engine: Engine, slot: str, ends: float, report: Report) -> bool:
    """Raises ConnectorFailed while it is read; from `ends` on its reader is ended."""
    with engine.begin() as connection:
        holder = connection.execute(HOLDER, {"slot": slot}).one_or_none()
        if holder is not None:
            if time.monotonic() >= ends:
                report(f"ending what still reads the replication slot {slot}: {_who(holder)}")
                connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": holder.pid})
            raise ConnectorFailed(
                f"The replication slot {slot} is in use by {_who(holder)}, though its connector has"
                f" no offsets.{_what_blocks(connection, slot)}"
            )
        found = connection.execute(
            text(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                " WHERE slot_name = :slot"
            ),
            {"slot": slot},
        )
        return bool(found.all())


def _who(holder: Row[tuple[object, ...]]) -> str:
    what = f" ({holder.application_name})" if holder.application_name else ""
    where = f" at {holder.address}" if holder.address else ""
    return f"process {holder.pid}{what}{where}"


def _what_blocks(connection: Connection, slot: str) -> str:
    blocker = connection.execute(BLOCKER, {"slot": slot}).one_or_none()
    if blocker is None:
        return ""
    since = f", since {blocker.xact_start:%Y-%m-%d %H:%M:%S%z}" if blocker.xact_start else ""
    state = f", {blocker.state}" if blocker.state else ""
    return (
        f" The slot is made when the transactions end that were open before it: of process"
        f" {blocker.pid} in the database {blocker.datname}, user {blocker.usename}{state}{since}."
        f" Let it end, or end it (SELECT pg_terminate_backend({blocker.pid}))."
    )
