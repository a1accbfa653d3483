"""The signal table of a source, as its connector and our commands know it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pipeline.database.systems.signals import SignalTable, creation
from pipeline.operations.own_tables import OwnTable
from pipeline.wiring.source import Source

CHUNK_ROWS: Final = 1024
SETTING: Final = "signal.data.collection"
NOTHING: Final = "(?!)"  # a pattern that no name fits
SIGNAL_TABLE: Final = OwnTable(
    "signal table", "signal_table", "SELECT, INSERT, DELETE", SignalTable, creation
)


@contextmanager
def signal_table(source: Source) -> Iterator[SignalTable]:
    """The table, connected."""
    engine = source.engine()
    try:
        yield SignalTable(engine, *SIGNAL_TABLE.names(source))
    finally:
        engine.dispose()


def signal_values(source: Source, *, signals: bool) -> dict[str, str]:
    """What the connector's configuration says about it. `signals`: it is there."""
    schema, table = SIGNAL_TABLE.names(source)
    prefix = re.escape(source.topic_prefix)
    topic = rf"{prefix}\.(?:[^.]+\.)?{re.escape(schema)}\.{re.escape(table)}"
    return {
        "signal_collection": source.collection(table, schema) if signals else "",
        "signal_topic_pattern": topic if signals else NOTHING,
        "chunk_rows": str(CHUNK_ROWS),
        "notification_topic": source.notification_topic,
    }
