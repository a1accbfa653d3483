"""Rows of skipped messages, which need a backfill, with the command that brings them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import orjson

from pipeline.config.settings import Settings
from pipeline.decoding.naming import field_name
from pipeline.mapping.source import SourceTable
from pipeline.model.halt import SkippedMessage
from pipeline.wiring.route import RouteHandle
from pipeline.wiring.source import topics_in

KEYS_NAMED = 20  # more rows than that: the whole table is to be read again


@dataclass(frozen=True, slots=True)
class SkippedRows:
    """Messages of a topic that were skipped, and whose rows did not come again since. `first` and
    `last` are their offsets.
    """

    topic: str
    partition: int
    messages: int
    first: int
    last: int
    backfill: str


def skipped_rows(
    settings: Settings, route: RouteHandle, skipped: Sequence[SkippedMessage]
) -> tuple[SkippedRows, ...]:
    """Of each partition. A topic that the route does not read any more is left out."""
    found = []
    tables = {
        name: (system, table)
        for system, read in route.of.reads.items()
        for table, name in zip(read, topics_in(settings, system, read), strict=True)
    }
    for place in dict.fromkeys(one.partition for one in skipped):
        if place.topic not in tables:
            continue
        system, table = tables[place.topic]
        names = key_names(settings, table)
        of = [one for one in skipped if one.partition == place]
        keys = [key_of(one.key, table, names) for one in of]
        offsets = [one.offset for one in of]
        command = backfill_of(system, table.name, keys)
        found.append(
            SkippedRows(place.topic, place.partition, len(of), min(offsets), max(offsets), command)
        )
    return tuple(found)


def backfill_of(system: str, table: str, keys: Collection[str | None]) -> str:
    """The command that brings these rows; where one is None, or they are many, the whole table."""
    command = f"ajera-cdc backfill {system} {table}"
    named = [key for key in dict.fromkeys(keys) if key is not None]
    if None in keys or not named or len(named) > KEYS_NAMED:
        return command
    return " ".join((command, *(f"--key '{key}'" for key in named)))


def key_names(settings: Settings, table: SourceTable) -> dict[str, str]:
    """What the key's columns are called in messages."""
    return {
        column.name: field_name(settings.site.source_column(table.name, column.name))
        for column in table.key_columns
    }


def key_of(key: str | bytes, table: SourceTable, names: Mapping[str, str]) -> str | None:
    """The row's key as one text, None where the message's key does not name a row."""
    try:
        found = orjson.loads(key)
        return table.key_text([found[names[column.name]] for column in table.key_columns])
    except (ValueError, KeyError, TypeError):
        return None
