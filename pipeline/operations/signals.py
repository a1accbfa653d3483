"""The signal table of a source, as its connector and our commands know it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from pipeline.database.sql.engine import dialect_of
from pipeline.database.systems.signals import SignalTable, creation
from pipeline.errors import PipelineError
from pipeline.wiring.source import Source

Report = Callable[[str], None]
CHUNK_ROWS: Final = 1024
SETTING: Final = "signal.data.collection"
NOTHING: Final = "(?!)"  # a pattern that no name fits
SWITCHED_OFF: Final = "sources.{system}.signal_table is empty"


def signal_names(source: Source) -> tuple[str, str]:
    """Schema and name of the table."""
    schema, _, table = source.settings.signal_table.partition(".")
    return schema, table


@contextmanager
def signal_table(source: Source) -> Iterator[SignalTable]:
    """The table, connected."""
    engine = source.engine()
    try:
        yield SignalTable(engine, *signal_names(source))
    finally:
        engine.dispose()


def signal_values(source: Source, *, signals: bool) -> dict[str, str]:
    """What the connector's configuration says about it. `signals`: it is there."""
    schema, table = signal_names(source)
    prefix = re.escape(source.topic_prefix)
    topic = rf"{prefix}\.(?:[^.]+\.)?{re.escape(schema)}\.{re.escape(table)}"
    return {
        "signal_collection": source.collection(table, schema) if signals else "",
        "signal_topic_pattern": topic if signals else NOTHING,
        "chunk_rows": str(CHUNK_ROWS),
        "notification_topic": source.notification_topic,
    }


def prepared(source: Source, report: Report, *, is_known: bool) -> str:
    """Create the table where it is missing; why there is none, "" if there is.

    A user who may not create it, or a source that we do not reach, is captured all the same: only
    backfills need the table. `is_known`: the connector has it already; then a source that is not
    reached now changes nothing.
    """
    if not source.settings.signal_table:
        return f"{SWITCHED_OFF.format(system=source.system)}."
    with signal_table(source) as table:
        try:
            if table.is_ready():
                return ""
        except PipelineError as error:
            return "" if is_known else lacking(source, str(error))
        try:
            table.create()
        except PipelineError as error:
            return lacking(source, str(error))
    report(f"created the signal table {source.settings.signal_table}")
    return ""


def lacking(source: Source, why: str) -> str:
    """How a person creates it."""
    engine = source.engine()
    try:
        statements = "; ".join(creation(dialect_of(engine), *signal_names(source)))
    finally:
        engine.dispose()
    return (
        f"the signal table {source.settings.signal_table} cannot be created ({why}); somebody who"
        f" may: {statements}; then GRANT SELECT, INSERT, DELETE on it to the connector's user, and"
        f" `ajera-cdc connectors apply --source {source.system}`."
    )
