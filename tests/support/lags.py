"""Messages with a commit time of the source, and a route to lag behind them."""

from __future__ import annotations

import io
import json
from datetime import datetime
from pathlib import Path

import fastavro

from pipeline.config.load import load
from pipeline.config.settings import Settings
from pipeline.decoding.avro import Schemas
from pipeline.decoding.source_time import SourceTimes
from pipeline.decoding.wire import join
from pipeline.domain.routes import ROUTES

SCHEMA = {
    "type": "record",
    "name": "Value",
    "fields": [{"name": "__source_ts_ms", "type": "long"}, {"name": "secret", "type": "string"}],
}
SCHEMA_ID = 7
SETTINGS = """
[sources.ajera]
database = "postgresql+psycopg://reader@127.0.0.1:1/ajera"
heartbeat_seconds = 5.0
[routes.pim]
database = "postgresql+psycopg://writer@127.0.0.1:1/pim"
"""


def settings_in(folder: Path) -> Settings:
    path = folder / "ajera-cdc.toml"
    path.write_text(SETTINGS)
    return load(path, {}, ROUTES)


def times() -> SourceTimes:
    """Knows the one schema."""
    return SourceTimes(Schemas({SCHEMA_ID: json.dumps(SCHEMA)}.__getitem__).find)


def change(committed_at: datetime) -> bytes:
    """A change that was committed then."""
    body = io.BytesIO()
    row = {"__source_ts_ms": milliseconds(committed_at), "secret": "CANARY"}
    fastavro.schemaless_writer(body, fastavro.parse_schema(SCHEMA), row)
    return join(SCHEMA_ID, body.getvalue())


def milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
