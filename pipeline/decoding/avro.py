"""Avro in the Confluent wire format: magic byte 0, schema id in four bytes, body."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import fastavro
import orjson

from pipeline.decoding.contract import Contract
from pipeline.errors import MessageMalformed, PipelineError, RegistryUnavailable
from pipeline.mapping.site import Site
from pipeline.mapping.source import SourceTable

HEADER = 5
Fetch = Callable[[int], str]


class Schemas:
    """Writer schemas by id, parsed once, each checked once against the contract of the table it came for."""

    def __init__(self, fetch: Fetch, contract: Contract, site: Site) -> None:
        self._fetch, self._contract, self._site = fetch, contract, site
        self._known: dict[tuple[int, str], Any] = {}

    def read(self, table: SourceTable, value: bytes) -> dict[str, Any]:
        """The flat record of a message's value.

        Raises MessageMalformed, ContractBroken, SchemaUnknown, RegistryUnavailable.
        """
        if len(value) < HEADER or value[0] != 0:
            raise MessageMalformed("not in the Confluent wire format (magic byte 0 and a schema id)")
        schema = self._schema(table, int.from_bytes(value[1:HEADER], "big"))
        body = io.BytesIO(value)
        body.seek(HEADER)
        try:
            found = fastavro.schemaless_reader(body, schema, None)
        except Exception as error:  # any fault of the bytes; the reader has no common base for them
            raise MessageMalformed(f"the body does not follow its writer schema ({type(error).__name__})") from None
        if body.read(1):
            raise MessageMalformed("bytes follow the end of the row")
        if not isinstance(found, dict):
            raise MessageMalformed("the body is not a row")
        return found

    def _schema(self, table: SourceTable, schema_id: int) -> Any:
        known = self._known.get((schema_id, table.name))
        if known is None:
            known = self._checked(table, schema_id)
            self._known[schema_id, table.name] = known
        if isinstance(known, PipelineError):
            raise known
        return known

    def _checked(self, table: SourceTable, schema_id: int) -> Any:
        """The parsed schema, or the contract's error: the same answer every time, so both are kept."""
        text = self._fetch(schema_id)
        try:
            raw = orjson.loads(text)
            parsed = fastavro.parse_schema(raw, named_schemas={})
        except Exception as error:
            raise RegistryUnavailable(f"schema {schema_id} is not an Avro schema ({type(error).__name__})") from None
        if not isinstance(raw, dict) or raw.get("type") != "record":
            return MessageMalformed(f"schema {schema_id} is not of a row")
        try:
            self._contract.check(table, raw, schema_id, self._site)
        except PipelineError as error:
            return error
        return parsed
