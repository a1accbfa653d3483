"""How capture of a source is, as the source itself says: its replication slot (PostgreSQL),
or its capture job and what that keeps (SQL Server).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Engine

from pipeline.database.sql.session import translated

SLOT: Final = """
SELECT active, wal_status,
       pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn) AS behind_bytes,
       safe_wal_size
  FROM pg_replication_slots WHERE slot_name = :slot
"""
# The newest session of the job that reads the log; session 0 adds all of them up.
CAPTURE_JOB: Final = """
SELECT TOP (1) latency, error_count, end_time
  FROM sys.dm_cdc_log_scan_sessions WHERE session_id > 0 ORDER BY session_id DESC
"""
# What the job captured last; it writes a line every five minutes where nothing changes.
CAPTURED: Final = """
SELECT DATEDIFF(second, MAX(tran_end_time), GETDATE()) FROM cdc.lsn_time_mapping
"""
# How far back the change tables reach. The clean-up job moves this on.
KEPT: Final = """
SELECT DATEDIFF(second, sys.fn_cdc_map_lsn_to_time(MIN(start_lsn)), GETDATE())
  FROM cdc.change_tables
"""


@dataclass(frozen=True, slots=True)
class CaptureHealth:
    """None: the source does not say, or its dialect has no such thing.

    `is_read`: is the slot in use, or did the capture job ever run. `behind_bytes`: log that the
    connector has not confirmed. `lost`: the source gave up what the connector did not read.
    `latency_seconds`: of the capture job. `errors`: of its newest session. `captured_seconds`:
    since it captured last, five minutes at most while it runs. `kept_seconds`: how far back changes
    are kept; a connector that stands still for longer loses some.
    `left_bytes`: of log, before the slot loses its place.
    """

    is_there: bool
    is_read: bool | None = None
    is_lost: bool | None = None
    behind_bytes: int | None = None
    left_bytes: int | None = None
    latency_seconds: int | None = None
    errors: int | None = None
    captured_seconds: int | None = None
    kept_seconds: int | None = None


def capture_health(engine: Engine, slot: str) -> CaptureHealth:
    """Raises TargetBusy, TargetRefused (the user may not look)."""
    with translated(engine, "how capture is"), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            return _slot(connection, slot)
        return _job(connection)


def _slot(connection: sa.Connection, slot: str) -> CaptureHealth:
    row = connection.execute(sa.text(SLOT), {"slot": slot}).one_or_none()
    if row is None:
        return CaptureHealth(is_there=False)
    return CaptureHealth(
        is_there=True,
        is_read=bool(row.active),
        is_lost=row.wal_status == "lost",
        behind_bytes=_whole(row.behind_bytes),
        left_bytes=_whole(row.safe_wal_size),
    )


def _job(connection: sa.Connection) -> CaptureHealth:
    row = connection.execute(sa.text(CAPTURE_JOB)).one_or_none()
    kept = connection.execute(sa.text(KEPT)).scalar_one_or_none()
    captured = connection.execute(sa.text(CAPTURED)).scalar_one_or_none()
    if row is None:
        return CaptureHealth(is_there=False, kept_seconds=_whole(kept))
    return CaptureHealth(
        is_there=True,
        is_read=True,
        latency_seconds=_whole(row.latency),
        errors=_whole(row.error_count),
        captured_seconds=_whole(captured),
        kept_seconds=_whole(kept),
    )


def _whole(value: object) -> int | None:
    return None if value is None else int(str(value).partition(".")[0])
