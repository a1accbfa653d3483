"""Messages as the connector writes them, produced straight into a topic:
what is measured is the consumer alone.
"""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import fastavro
import orjson
from confluent_kafka import Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from pipeline.decoding.wire import join
from pipeline.mapping.source import ColumnType, SourceTable

EPOCH = 1
QUIET = logging.getLogger(
    "deploy.producer"
)  # librdkafka's own word on a broker that went, a line each try
QUIET.addHandler(logging.NullHandler())
METADATA: tuple[tuple[str, str], ...] = (
    ("__deleted", "string"),
    ("__op", "string"),
    ("__source_ts_ms", "long"),
    ("__source_sequence", "string"),
    ("__source_snapshot", "string"),
    ("__epoch", "string"),
)
TYPES: Mapping[ColumnType, Any] = {
    ColumnType.INTEGER: "int",
    ColumnType.FLAG: "boolean",
    ColumnType.TEXT: "string",
    ColumnType.DATE: {"type": "int", "connect.name": "io.debezium.time.Date", "connect.version": 1},
    ColumnType.DECIMAL: {
        "type": "bytes",
        "logicalType": "decimal",
        "precision": 19,
        "scale": 4,
        "connect.name": "org.apache.kafka.connect.data.Decimal",
        "connect.parameters": {"scale": "4", "connect.decimal.precision": "19"},
        "connect.version": 1,
    },
}
FIRST_DAY = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Change:
    """One row change: `number` is its place in the source's log,
    `later_ms` how much later than now it committed.
    """

    operation: str
    row: Mapping[str, Any]
    number: int
    later_ms: int = 0

    @property
    def sequence(self) -> str:
        """Its place as the connector writes it."""
        return f'["{self.number}","{self.number}"]'


def writer_schema(table: SourceTable, topic: str) -> dict[str, Any]:
    """The schema of a table's flat rows; its first column is its key."""
    key, *others = table.columns
    fields: list[dict[str, Any]] = [{"name": key.name, "type": TYPES[key.kind]}]
    fields += [{"name": c.name, "type": ["null", TYPES[c.kind]], "default": None} for c in others]
    fields += [{"name": name, "type": kind} for name, kind in METADATA]
    namespace = topic.replace("-", "_")
    return {"type": "record", "name": "Value", "namespace": namespace, "fields": fields}


def encoded(table: SourceTable, parsed: Any, change: Change) -> tuple[bytes, bytes]:
    """Key and Avro body of a change, as the connector writes them."""
    body = io.BytesIO()
    fastavro.schemaless_writer(body, parsed, _flat(table, change))
    return orjson.dumps({name: change.row[name] for name in table.key}), body.getvalue()


def _flat(table: SourceTable, change: Change) -> dict[str, Any]:
    columns = {column.name: _sent(change.row.get(column.name)) for column in table.columns}
    is_read = change.operation == "r"
    return columns | {
        "__deleted": "true" if change.operation == "d" else "false",
        "__op": change.operation,
        "__source_ts_ms": int(time.time() * 1000) + change.later_ms,
        "__source_sequence": change.sequence,
        "__source_snapshot": "true" if is_read else "false",
        "__epoch": str(EPOCH),
    }


def _sent(value: Any) -> Any:
    """A date as Debezium sends it: days."""
    return (value - FIRST_DAY).days if isinstance(value, date) else value


def registered(table: SourceTable, topic: str, registry: str) -> tuple[int, Any]:
    """The id of a topic's schema, which is registered, and the schema for fastavro."""
    schema = writer_schema(table, topic)
    client = SchemaRegistryClient({"url": registry})
    try:
        known = client.register_schema(f"{topic}-value", Schema(json.dumps(schema), "AVRO"))
    finally:
        client.close()
    return known, fastavro.parse_schema(schema)


def producer(bootstrap: str) -> Producer:
    """One that sends what it has every 20 ms."""
    return Producer(
        {
            "bootstrap.servers": bootstrap,
            "linger.ms": 20,
            "enable.idempotence": True,
            "queue.buffering.max.messages": 500_000,
        },
        logger=QUIET,
    )


class Topic:
    """A source table's topic, with its schema registered."""

    def __init__(self, table: SourceTable, topic: str, bootstrap: str, registry: str) -> None:
        self._table = table
        self.name = topic
        self.schema_id, self._parsed = registered(table, topic, registry)
        self._producer = producer(bootstrap)

    def send(self, changes: Iterable[Change], *, flush: bool = True) -> int:
        """Produce these, keyed as the connector keys them; returns when the broker has all,
        unless told not to wait. How many.
        """
        sent = 0
        for change in changes:
            key, body = encoded(self._table, self._parsed, change)
            self._producer.produce(self.name, join(self.schema_id, body), key)
            sent += 1
            if sent % 10_000 == 0:
                self._producer.poll(0)
        if flush:
            self.flush()
        return sent

    def flush(self) -> None:
        """Return when the broker has all."""
        self._producer.flush(120)

    def send_raw(self, key: bytes | None, value: bytes | None) -> None:
        """Produce bytes as they are."""
        self._producer.produce(self.name, value, key)
