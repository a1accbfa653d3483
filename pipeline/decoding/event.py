"""Messages to events. Total: any bytes give an event, or an error that says what to do; nothing escapes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from pipeline.decoding.avro import Schemas
from pipeline.errors import MessageMalformed, MetadataMissing, PipelineError, SourceTruncated
from pipeline.mapping.site import Site
from pipeline.mapping.source import Kind, SourceTable
from pipeline.model.event import Decoded, Event, Heartbeat, Message, Operation, Tombstone, Undecodable, Value
from pipeline.model.position import Place, postgres_position, sqlserver_position

UNAVAILABLE = "__debezium_unavailable_value"
HEARTBEAT = "__debezium-heartbeat."
LONGEST_KEY = 4096


class Decoder:
    """Decodes the messages of one source system; `prefix` is the connector's topic prefix ("ajera")."""

    def __init__(self, sources: Sequence[SourceTable], site: Site, schemas: Schemas, prefix: str) -> None:
        self._schemas = schemas
        self._heartbeat_topic = f"{HEARTBEAT}{prefix}"
        self._tables = {f"{prefix}.{site.source_table(table.name)}": table for table in sources}
        self._columns = {
            table.name: [(site.source_column(table.name, c.name), c.name, c.kind) for c in table.columns]
            for table in sources
        }
        self._keys = {table.name: site.source_column(table.name, table.key) for table in sources}

    @property
    def topics(self) -> dict[str, str]:
        """Topic of each source table: table -> topic."""
        return {table.name: topic for topic, table in self._tables.items()}

    @property
    def heartbeat_topic(self) -> str:
        return self._heartbeat_topic

    def decode(self, message: Message, incarnation: int) -> Decoded:
        """What the message is; an error says where it stands, never what it holds."""
        try:
            return self._decode(message, incarnation)
        except PipelineError as error:
            place = f"{message.topic}[{message.partition}]@{message.offset}"
            return Undecodable(type(error)(f"{place}: {error}"))
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError, AttributeError) as error:
            place = f"{message.topic}[{message.partition}]@{message.offset}"
            return Undecodable(MessageMalformed(f"{place}: {type(error).__name__} while reading the row"))

    def _decode(self, message: Message, incarnation: int) -> Decoded:
        if message.topic == self._heartbeat_topic:
            return Heartbeat()
        table = self._tables.get(message.topic)
        if table is None:
            raise MetadataMissing("no source table has this topic")
        if message.value is None:
            return Tombstone()
        key = self._key(table, message.key)
        flat = self._schemas.read(table, message.value)
        operation = _operation(flat)
        row = {} if operation is Operation.DELETE else self._row(table, flat, key)
        epoch = _integer(flat, "__epoch")
        return Event(
            table=table.name,
            key=key,
            operation=operation,
            row=row,
            position="" if operation is Operation.READ else _position(flat, epoch),
            place=Place(incarnation, message.partition, message.offset),
            committed_at=_instant(flat),
            epoch=epoch,
            snapshot_ended=operation is not Operation.READ or flat.get("__source_snapshot") == "last",
        )

    def _key(self, table: SourceTable, key: bytes | None) -> str:
        if key is None:
            raise MetadataMissing("the message has no key")
        if len(key) > LONGEST_KEY:
            raise MessageMalformed("the key is longer than any key can be")
        try:
            found = orjson.loads(key)
        except ValueError:
            raise MessageMalformed("the key is not JSON") from None
        value = found.get(self._keys[table.name]) if isinstance(found, dict) else None
        if not isinstance(value, int) or isinstance(value, bool):
            raise MetadataMissing(f"the key does not hold {self._keys[table.name]} as a whole number")
        return str(value)

    def _row(self, table: SourceTable, flat: dict[str, Any], key: str) -> dict[str, Value]:
        row: dict[str, Value] = {}
        for name, canonical, kind in self._columns[table.name]:
            value = flat[name]
            if value is None:
                row[canonical] = None
            elif kind is Kind.INTEGER:
                row[canonical] = int(value)
            elif kind is Kind.FLAG:
                row[canonical] = _flag(value)
            elif value != UNAVAILABLE:
                row[canonical] = _text(value)
        if str(row[table.key]) != key:
            raise MessageMalformed("key and row name different rows")
        return row


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise MessageMalformed("a text column holds no text")
    return value


def _flag(value: object) -> bool:
    if value in (0, 1):
        return bool(value)
    raise MessageMalformed("a flag is neither 0 nor 1")


def _operation(flat: dict[str, Any]) -> Operation:
    letter = flat.get("__op")
    if letter == "t":
        raise SourceTruncated("the table was truncated")
    try:
        return Operation(str(letter))
    except ValueError:
        raise MetadataMissing("__op is none of c, u, d, r") from None


def _integer(flat: dict[str, Any], name: str) -> int:
    try:
        return int(flat[name])
    except (KeyError, TypeError, ValueError):
        raise MetadataMissing(f"{name} is missing or no number") from None


def _instant(flat: dict[str, Any]) -> datetime:
    milliseconds = _integer(flat, "__source_ts_ms")
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        raise MessageMalformed("__source_ts_ms is out of range") from None


def _position(flat: dict[str, Any], epoch: int) -> str:
    try:
        if flat.get("__source_commit_lsn") is not None:
            return sqlserver_position(
                epoch,
                flat["__source_commit_lsn"],
                flat.get("__source_change_lsn"),
                flat.get("__source_event_serial_no"),
            )
        return postgres_position(epoch, flat["__source_sequence"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise MetadataMissing("the source's log position is missing or has another form") from None
