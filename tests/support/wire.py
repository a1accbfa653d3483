"""Messages in the connector's form, for tests of decoding."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro

from pipeline.decoding.avro import Schemas
from pipeline.decoding.contract import Contract
from pipeline.decoding.event import Decoder
from pipeline.decoding.wire import join
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.errors import SchemaUnknown
from pipeline.mapping.site import Site
from pipeline.mapping.source import Kind
from pipeline.model.event import Message
from pipeline.resources import schemas_directory

AVRO = {Kind.INTEGER: "int", Kind.FLAG: "boolean", Kind.TEXT: "string"}
METADATA = ("__deleted", "__op", "__source_sequence", "__source_snapshot", "__epoch")
NOON_MS = 1_795_608_000_000


def schema(table: str = "AxVec", **changed: Any) -> dict[str, Any]:
    """A writer schema as Debezium and the registry make it. A changed field of None is left out."""
    source = AJERA_TO_PIM.source(table)
    types: dict[str, Any] = {c.name: ["null", AVRO[c.kind]] for c in source.columns} | {source.key: "int"}
    types |= {name: ["null", "string"] for name in METADATA} | {"__source_ts_ms": ["null", "long"]}
    types |= changed
    fields = [{"name": name, "type": kind} for name, kind in types.items() if kind is not None]
    return {"type": "record", "name": "Value", "namespace": f"ajera.{table}", "fields": fields}


def flat(table: str = "AxVec", key: int = 1, op: str = "u", **changed: Any) -> dict[str, Any]:
    """The values of a flat event: every column null but for the key and those given."""
    source = AJERA_TO_PIM.source(table)
    return (
        {c.name: None for c in source.columns}
        | {source.key: key, "__deleted": "true" if op == "d" else "false", "__op": op, "__source_ts_ms": NOON_MS}
        | {"__source_sequence": '["100","101"]', "__source_snapshot": "true" if op == "r" else "false", "__epoch": "1"}
        | changed
    )


class Wire:
    """A registry in memory, and a decoder that asks it."""

    def __init__(self, site: Site | None = None) -> None:
        self.schemas: dict[int, str] = {}
        self.asked: list[int] = []
        self.decoder = Decoder(
            sources=AJERA_TO_PIM.sources,
            mappings=AJERA_TO_PIM.mappings,
            site=site or Site(),
            contract=Contract.load(schemas_directory() / "ajera"),
            schemas=Schemas(self._fetch),
            topic_prefix="ajera",
        )

    def register(self, writer: dict[str, Any]) -> int:
        self.schemas[len(self.schemas) + 1] = json.dumps(writer)
        return len(self.schemas)

    def message(
        self, values: dict[str, Any], writer: dict[str, Any] | None = None, *, table: str = "AxVec", offset: int = 7
    ) -> Message:
        """The message of a flat event, in the schema given (default: the plain one)."""
        writer = writer or schema(table)
        number = next((n for n, text in self.schemas.items() if json.loads(text) == writer), None) or self.register(
            writer
        )
        body = io.BytesIO()
        fastavro.schemaless_writer(body, fastavro.parse_schema(writer), values)
        source = AJERA_TO_PIM.source(table)
        key = json.dumps({source.key: values.get(source.key)}).encode()
        return Message(f"ajera.{table}", 0, offset, key, join(number, body.getvalue()))

    def _fetch(self, schema_id: int) -> str:
        self.asked.append(schema_id)
        if schema_id not in self.schemas:
            raise SchemaUnknown(f"The registry has no schema with id {schema_id}.")
        return self.schemas[schema_id]
