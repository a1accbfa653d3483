"""The heartbeat table of a source, as its connector knows it."""

from __future__ import annotations

from typing import Final

from pipeline.database.sql.engine import dialect_of
from pipeline.database.systems.heartbeat import HeartbeatTable, beat, creation
from pipeline.operations.own_tables import OwnTable
from pipeline.wiring.source import Source

SETTING: Final = "heartbeat.action.query"
HEARTBEAT_TABLE: Final = OwnTable(
    "heartbeat table", "heartbeat_table", "SELECT, UPDATE", HeartbeatTable, creation
)


def heartbeat_query(source: Source) -> str:
    """What the connector runs with each heartbeat."""
    engine = source.engine()
    try:
        return beat(dialect_of(engine), *HEARTBEAT_TABLE.names(source))
    finally:
        engine.dispose()
