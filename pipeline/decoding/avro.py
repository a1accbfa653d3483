"""Writer schemas: fetched once an id, parsed, and made safe to read any bytes with."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import fastavro
import orjson

from pipeline.decoding.compiled import ODD, Reader, UnknownType, compiled, dictionary
from pipeline.errors import (
    ContractBroken,
    MessageMalformed,
    PipelineError,
    RegistryUnavailable,
)

_NAMED: Final = ("record", "error", "enum", "fixed")


@dataclass(frozen=True, slots=True)
class WriterSchema:
    """A writer schema: `fields` holds the declared type of each field,
    with the connector's annotations.
    """

    schema_id: int
    declared: Mapping[str, Any]
    fields: Mapping[str, Any]
    parsed: Any
    quick: Reader | None = None  # compiled, where each type of the schema is known

    def read(self, body: bytes) -> dict[str, Any]:
        """The values of a message's body. Raises MessageMalformed,
        whose text holds nothing of the body.
        """
        if self.quick is not None:
            try:
                values: dict[str, Any] = self.quick(body)
            except ODD:
                pass  # fastavro says what it is
            else:
                return values
        return self.read_slowly(body)

    def read_slowly(self, body: bytes) -> dict[str, Any]:
        """The same by fastavro, which knows every type."""
        source = io.BytesIO(body)
        try:
            found = fastavro.schemaless_reader(source, self.parsed, None)
        except Exception as error:
            fault = type(error).__name__  # its text may quote the body
        else:
            if source.tell() == len(body) and isinstance(found, dict):
                return found
            fault = "bytes are left over"
        raise MessageMalformed(
            f"the body is not what its writer schema {self.schema_id} says ({fault})"
        )


class Schemas:
    """Writer schemas by id. An unusable schema gives the same error each time;
    a failed fetch is retried.
    """

    def __init__(self, fetch: Callable[[int], str]) -> None:
        self._fetch = fetch
        self._known: dict[int, WriterSchema | PipelineError] = {}

    def known(self, schema_id: int) -> WriterSchema | None:
        """The schema with this id, if it was fetched before and is usable."""
        found = self._known.get(schema_id)
        return found if isinstance(found, WriterSchema) else None

    def find(self, schema_id: int) -> WriterSchema | PipelineError:
        """The schema with this id, or why there is none: what `fetch` raised, or ContractBroken."""
        known = self._known.get(schema_id)
        if known is not None:
            return known
        try:
            text = self._fetch(schema_id)
        except PipelineError as error:
            return error
        except Exception as error:
            return RegistryUnavailable(f"Asked for schema {schema_id}: {type(error).__name__}.")
        found = _parse(schema_id, text)
        self._known[schema_id] = found
        return found


def _parse(schema_id: int, text: str) -> WriterSchema | PipelineError:
    try:
        declared = orjson.loads(text)
        if not isinstance(declared, dict) or declared.get("type") != "record":
            return ContractBroken(f"Schema {schema_id} is not an Avro record.")
        fields = {field["name"]: field["type"] for field in declared["fields"]}
        parsed = fastavro.parse_schema(_plain(declared, frozenset()), named_schemas={})
    except _Unreadable as error:
        return ContractBroken(f"Schema {schema_id} {error}.")
    except Exception as error:
        return ContractBroken(f"Schema {schema_id} is not valid Avro ({type(error).__name__}).")
    try:
        quick = compiled(declared, dictionary)
    except UnknownType:
        quick = None
    return WriterSchema(schema_id, declared, fields, parsed, quick)


class _Unreadable(Exception):
    """A schema under which some bytes would never end, or would end the process."""


def _plain(schema: Any, within: frozenset[str]) -> Any:
    """The schema without logical types,
    so that a value of a column we do not rely on cannot fail its conversion.

    Refuses a schema that contains itself: fastavro's C code has no limit of depth, and a message
    could end the process. Refuses a list of nulls, and a named type that takes no bytes:
    a few bytes can claim any number of them.
    """
    if isinstance(schema, str):
        if schema.rpartition(".")[2] in within:
            raise _Unreadable("contains itself")
        return schema
    if isinstance(schema, list):
        return [_plain(branch, within) for branch in schema]
    kept = {name: part for name, part in schema.items() if name != "logicalType"}
    if kept["type"] in _NAMED:
        within |= {kept["name"].rpartition(".")[2]}
    if "fields" in kept:
        kept["fields"] = [
            {**field, "type": _plain(field["type"], within)} for field in kept["fields"]
        ]
    for inner in ("items", "values"):
        if inner in kept:
            kept[inner] = _plain(kept[inner], within)
    if not isinstance(kept["type"], str):
        kept["type"] = _plain(kept["type"], within)
    _refuse_endless(kept)
    return kept


def _refuse_endless(schema: Mapping[str, Any]) -> None:
    if "items" in schema and _takes_no_bytes(schema["items"]):
        raise _Unreadable("holds a list of nulls")
    if schema["type"] in _NAMED and _takes_no_bytes(schema):
        raise _Unreadable("holds a type that takes no bytes")


def _takes_no_bytes(schema: Any) -> bool:
    if not isinstance(schema, Mapping):
        return bool(schema == "null")
    match schema["type"]:
        case "record" | "error":
            return all(_takes_no_bytes(field["type"]) for field in schema["fields"])
        case "fixed":
            return bool(schema["size"] == 0)
        case "array" | "map" | "enum":
            return False
        case inner:
            return _takes_no_bytes(inner)
