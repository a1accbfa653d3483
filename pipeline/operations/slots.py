"""The replication slot of a PostgreSQL source."""

from __future__ import annotations

from collections.abc import Callable

import tenacity
from sqlalchemy import Engine, text

from pipeline.database.sql.session import translated
from pipeline.errors import ConnectorFailed
from pipeline.wiring.source import Source

Report = Callable[[str], None]
SLOT_PATIENCE_SECONDS = 15.0


def drop_slot(source: Source, report: Report) -> str | None:
    """Drop the replication slot if it is there.
    Raises ConnectorFailed if somebody still reads it after a while.
    """
    engine = source.engine()
    patient = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(ConnectorFailed),
        stop=tenacity.stop_after_delay(SLOT_PATIENCE_SECONDS),
        wait=tenacity.wait_fixed(0.2),
        reraise=True,
    )
    try:
        dropped = patient(_drop_idle_slot, engine, source.slot)
    finally:
        engine.dispose()
    if not dropped:
        return None
    report(f"dropped the replication slot {source.slot}")
    return source.slot


def _drop_idle_slot(engine: Engine, slot: str) -> bool:
    with (
        translated(engine, "the replication slot"),
        engine.begin() as connection,
    ):
        query = text("SELECT active FROM pg_replication_slots WHERE slot_name = :slot")
        is_active = connection.execute(query, {"slot": slot}).scalar_one_or_none()
        if is_active:
            raise ConnectorFailed(
                f"The replication slot {slot} is in use, though its connector has no offsets."
            )
        if is_active is not None:
            connection.execute(
                text("SELECT pg_drop_replication_slot(:slot)"),
                {"slot": slot},
            )
        return is_active is not None
