"""Messages as the connector writes them: flat rows under schemas of Debezium's form,
in the Confluent wire format.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import fastavro
import orjson

from pipeline.decoding.avro import Schemas
from pipeline.decoding.contract import Contract
from pipeline.decoding.event import Decoder
from pipeline.decoding.naming import field_name, topic_name
from pipeline.decoding.needs import needed_by
from pipeline.decoding.wire import join
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.errors import PipelineError, SchemaUnknown
from pipeline.mapping.site import Site
from pipeline.mapping.source import ColumnType, SourceTable
from pipeline.model.event import Decoded, Event, Message, Undecodable
from pipeline.resources import schemas_directory

Dialect = Literal["postgres", "sqlserver"]

SITE = Site()
COMMITTED_MS = 1_764_072_000_123
STREAMED: Mapping[Dialect, Mapping[str, Any]] = {
    "postgres": {"__source_sequence": '["24874304","24875416"]'},
    "sqlserver": {
        "__source_commit_lsn": "00000025:00000d98:00a2",
        "__source_change_lsn": "00000025:00000d98:0002",
        "__source_event_serial_no": 1,
    },
}
_METADATA: Mapping[Dialect, Mapping[str, Any]] = {
    "postgres": {"__source_sequence": "string"},
    "sqlserver": {
        "__source_commit_lsn": "string",
        "__source_change_lsn": "string",
        "__source_event_serial_no": "long",
    },
}
_TYPES: Mapping[Dialect, Mapping[ColumnType, Any]] = {
    "postgres": {
        ColumnType.INTEGER: "int",
        ColumnType.FLAG: "boolean",
        ColumnType.TEXT: "string",
    },
    "sqlserver": {
        ColumnType.INTEGER: "int",
        ColumnType.FLAG: {"type": "int", "connect.type": "int16"},
        ColumnType.TEXT: {
            "type": "string",
            "connect.version": 1,
            "connect.parameters": {"origin": "nvarchar"},
        },
    },
}


# What the route to PIM reads of Ajera.
READ = AJERA_TO_PIM.reads["ajera"]
AX_VEC, AX_CONTACT, AX_PROJECT, *_ = READ


def optional(name: str, declared: Any) -> dict[str, Any]:
    """A field that may be null, as the converter declares it."""
    return {"name": name, "type": ["null", declared], "default": None}


def writer_schema(
    table: SourceTable,
    site: Site = SITE,
    dialect: Dialect = "postgres",
    *,
    without: tuple[str, ...] = (),
    retyped: Mapping[str, Any] | None = None,
    added: tuple[dict[str, Any], ...] = (),
) -> dict[str, Any]:
    """The schema of a table's flat rows; `without` and `retyped` go by canonical columns,
    or by the connector's fields.
    """
    changed = retyped or {}
    fields: list[dict[str, Any]] = []
    for column in table.columns:
        if column.name in without:
            continue
        name = field_name(site.source_column(table.name, column.name))
        declared = changed.get(column.name, _TYPES[dialect][column.kind])
        fields.append(
            {"name": name, "type": declared}
            if column.name in table.key
            else optional(name, declared)
        )
    common = {
        "__op": "string",
        "__source_ts_ms": "long",
        "__source_snapshot": "string",
        "__deleted": "string",
    }
    for name, declared in {
        **common,
        **_METADATA[dialect],
        "__epoch": "string",
    }.items():
        if name not in without:
            fields.append(optional(name, changed.get(name, declared)))
    schema = "public" if dialect == "postgres" else "dbo"
    return {
        "type": "record",
        "name": "Value",
        "namespace": f"ajera.{schema}.{field_name(site.source_table(table.name))}",
        "fields": [*fields, *added],
        "connect.version": 1,
        "connect.name": f"ajera.{table.name}.Value",
    }


def flat(
    table: SourceTable,
    key: int,
    operation: str = "u",
    dialect: Dialect = "postgres",
    site: Site = SITE,
    **columns: Any,
) -> dict[str, Any]:
    """What the connector says of one change: every column null but those given;
    `__…` names go to its own fields.
    """
    own = {name: value for name, value in columns.items() if name.startswith("__")}
    row = {c.name: None for c in table.columns} | {table.key[0]: key}
    row |= {name: value for name, value in columns.items() if name not in own}
    return {
        **{field_name(site.source_column(table.name, name)): value for name, value in row.items()},
        "__op": operation,
        "__source_ts_ms": COMMITTED_MS,
        "__source_snapshot": "true" if operation == "r" else "false",
        "__deleted": "true" if operation == "d" else "false",
        "__epoch": "3",
        **STREAMED[dialect],
        **own,
    }


def encoded(schema: Mapping[str, Any], values: Mapping[str, Any]) -> bytes:
    """The Avro body of these values."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(dict(schema), named_schemas={}), values)
    return out.getvalue()


@dataclass
class Connector:
    """A registry of schemas by id, a decoder that asks it, and messages."""

    site: Site = SITE
    schemas: dict[int, dict[str, Any]] = field(default_factory=dict)
    texts: dict[int, str] = field(default_factory=dict)
    failure: PipelineError | None = None
    asked: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.decoder = Decoder(
            sources=AJERA_TO_PIM.reads["ajera"],
            needs=needed_by(AJERA_TO_PIM.sources, AJERA_TO_PIM.mappings, self.site),
            site=self.site,
            contract=Contract.load(schemas_directory() / "ajera"),
            schemas=Schemas(self.fetch),
            topic_prefix="ajera",
        )

    def fetch(self, schema_id: int) -> str:
        """The schema's text, as the registry answers."""
        self.asked.append(schema_id)
        if self.failure is not None:
            raise self.failure
        if schema_id not in self.texts:
            raise SchemaUnknown(f"The registry has no schema with id {schema_id}.")
        return self.texts[schema_id]

    def register(self, schema: dict[str, Any]) -> int:
        """Take in a schema; its id."""
        schema_id = len(self.texts) + 1
        self.schemas[schema_id] = schema
        self.texts[schema_id] = orjson.dumps(schema).decode()
        return schema_id

    def message(
        self,
        table: SourceTable,
        schema_id: int,
        values: Mapping[str, Any],
        key: bytes | None = b"",
        offset: int = 7,
    ) -> Message:
        """A message of a table's topic; its key is that of the row unless one is given."""
        if key == b"":
            name = field_name(self.site.source_column(table.name, table.key[0]))
            key = orjson.dumps({name: values.get(name)})
        body = encoded(self.schemas[schema_id], values)
        return self.raw(table, join(schema_id, body), key, offset)

    def raw(
        self,
        table: SourceTable,
        value: bytes | None,
        key: bytes | None,
        offset: int = 7,
    ) -> Message:
        """A message of a table's topic with these very bytes."""
        return Message(
            topic_name("ajera", self.site.source_table(table.name)),
            2,
            offset,
            key,
            value,
        )

    def decode(self, message: Message) -> Decoded:
        """What the decoder makes of it, in incarnation 5."""
        return self.decoder.decode(message, 5)

    def event(self, message: Message) -> Event:
        """The event it must give."""
        found = self.decode(message)
        assert isinstance(found, Event), found
        return found

    def error(self, message: Message) -> PipelineError:
        """The error it must give."""
        found = self.decode(message)
        assert isinstance(found, Undecodable), found
        return found.error
