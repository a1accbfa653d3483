"""Messages of a second writer schema, whose further columns hold what is no number,
and dates that no calendar has.
"""

from __future__ import annotations

import io
import json
import math
import time
from contextlib import closing
from typing import Any

import fastavro
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from pipeline.decoding.wire import join
from tests.bench.produce import EPOCH
from tests.faults.firm import Firm

FURTHER: tuple[dict[str, Any], ...] = (
    {"name": "vecRate", "type": "double"},
    {
        "name": "vecSince",
        "type": {"type": "long", "logicalType": "timestamp-micros"},
    },
    {"name": "vecBorn", "type": {"type": "int", "logicalType": "date"}},
)


class OddTopic:
    """Writes AxVec as its topic does, with columns that nobody needs."""

    def __init__(self, firm: Firm) -> None:
        self._firm = firm
        client = SchemaRegistryClient({"url": firm.stack.registry})
        with closing(client):
            self._register(client)

    def _register(self, client: SchemaRegistryClient) -> None:
        firm = self._firm
        schema = json.loads(str(client.get_schema(firm.topics["AxVec"].schema_id).schema_str))
        self._names = [field["name"] for field in schema["fields"]]
        declared = {**schema, "fields": [*schema["fields"], *FURTHER]}
        self._schema_id = client.register_schema(
            f"{firm.name}.AxVec-odd", Schema(json.dumps(declared), "AVRO")
        )
        bare = [
            {"name": "vecRate", "type": "double"},
            {"name": "vecSince", "type": "long"},
            {"name": "vecBorn", "type": "int"},
        ]
        self._parsed = fastavro.parse_schema({**schema, "fields": [*schema["fields"], *bare]})

    def rename(self, key: int) -> None:
        """A good edit, as `Firm.rename`."""
        firm = self._firm
        firm.number += 1
        firm.names[key] = f"n-{firm.number:08}"
        metadata = {
            "__deleted": "false",
            "__op": "u",
            "__source_ts_ms": int(time.time() * 1000),
            "__source_sequence": f'["{firm.number}","{firm.number}"]',
            "__source_snapshot": "false",
            "__epoch": str(EPOCH),
        }
        row = {
            **dict.fromkeys(self._names),
            **firm.row(key),
            "vecDescription": firm.names[key],
            **metadata,
        }
        body = io.BytesIO()
        fastavro.schemaless_writer(
            body,
            self._parsed,
            {
                **row,
                "vecRate": math.nan,
                "vecSince": 2**62,
                "vecBorn": -(2**31),
            },
        )
        firm.topics["AxVec"].send_raw(
            b'{"vecKey":%d}' % key, join(self._schema_id, body.getvalue())
        )
        firm.sent += 1
