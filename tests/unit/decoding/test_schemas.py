"""Writer schemas: fetched once, and none of them makes reading dangerous."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

import orjson
import pytest

from pipeline.decoding.avro import Schemas, WriterSchema
from pipeline.decoding.wire import join, split
from pipeline.errors import (
    ContractBroken,
    MessageMalformed,
    PipelineError,
    RegistryUnavailable,
    SchemaUnknown,
)
from tests.unit.decoding.connector import AX_VEC, Connector, flat, writer_schema

SECONDS = 2.0
BYTES = 8_000_000


def record(*types: Any) -> dict[str, Any]:
    """A record with fields of these types."""
    return {
        "type": "record",
        "name": "R",
        "fields": [{"name": f"f{n}", "type": t} for n, t in enumerate(types)],
    }


def schema_of(schema: Any) -> WriterSchema | PipelineError:
    """What becomes of this schema."""
    return Schemas(lambda _: orjson.dumps(schema).decode()).find(1)


def long(number: int) -> bytes:
    """Avro's zigzag form of a number."""
    rest, out = (number << 1) ^ (number >> 63), bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


@pytest.mark.parametrize(
    "failure",
    [
        SchemaUnknown("The registry has no schema with id 1."),
        RegistryUnavailable("Away."),
        ContractBroken("JSON."),
    ],
    ids=lambda error: error.code,
)
def test_a_refusal_of_the_registry_passes_through_and_is_not_remembered(
    failure: PipelineError,
) -> None:
    """Its class decides what is done about it; the next try asks anew."""
    connector = Connector()
    schema = connector.register(writer_schema(AX_VEC))
    message = connector.message(AX_VEC, schema, flat(AX_VEC, 5))
    connector.failure = failure
    assert connector.error(message) is failure
    assert connector.error(message) is failure
    connector.failure = None
    assert connector.event(message).key == "5"
    assert connector.asked == [schema] * 3


def test_an_unforeseen_failure_of_the_registry_client_is_tried_again() -> None:
    """Its library's own exceptions do not escape, and say nothing of what they hold."""

    def fetch(_: int) -> str:
        raise OSError("CANARY")

    found = Schemas(fetch).find(9)
    assert isinstance(found, RegistryUnavailable)
    assert str(found) == "Asked for schema 9: OSError."


def test_a_schema_is_fetched_once_for_all_messages_and_tables() -> None:
    """Ten thousand messages, one request."""
    connector = Connector()
    schema = connector.register(writer_schema(AX_VEC))
    for number in range(5):
        connector.event(connector.message(AX_VEC, schema, flat(AX_VEC, number)))
    assert connector.asked == [schema]


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", '"string"', "{", '{"type": "record"}', "\udcff"],
)
def test_a_text_that_is_no_schema_breaks_the_contract_and_is_fetched_once(
    text: str,
) -> None:
    """Asking again would bring the same."""
    asked = []

    def fetch(schema_id: int) -> str:
        asked.append(schema_id)
        return text

    schemas = Schemas(fetch)
    assert isinstance(schemas.find(3), ContractBroken)
    assert schemas.find(3) is schemas.find(3)
    assert asked == [3]


@pytest.mark.parametrize(
    "schema",
    [
        record("int", "nonsense"),
        record({"type": "fixed", "name": "F"}),
        record({"type": "record", "name": "I", "fields": 5}),
        record({"type": "array"}),
        record({}),
        record(5),
        record(None),
    ],
    ids=str,
)
def test_a_schema_that_is_not_valid_avro_breaks_the_contract(
    schema: Any,
) -> None:
    """No exception of the parser escapes."""
    assert isinstance(schema_of(schema), ContractBroken)


@pytest.mark.parametrize(
    "inner",
    [
        ["null", "R"],
        ["null", {"type": "array", "items": "R"}],
        ["null", {"type": "map", "values": ["null", "R"]}],
        [
            "null",
            {
                "type": "record",
                "name": "I",
                "fields": [{"name": "up", "type": ["null", "R"]}],
            },
        ],
    ],
    ids=str,
)
def test_a_schema_that_contains_itself_is_refused(inner: Any) -> None:
    """A message could nest without end, and end the process."""
    found = schema_of(record("int", inner))
    assert isinstance(found, ContractBroken)
    assert "contains itself" in str(found)


EMPTY = {"type": "record", "name": "E", "fields": []}


@pytest.mark.parametrize(
    "schema",
    [
        record("int", {"type": "array", "items": "null"}),
        record("int", {"type": "array", "items": {"type": "null"}}),
        record("int", {"type": "array", "items": {"type": {"type": "null"}}}),
        record("int", {"type": "array", "items": EMPTY}),
        record(
            "int",
            {
                "type": "array",
                "items": record("null", "null") | {"name": "N"},
            },
        ),
        record(
            "int",
            {
                "type": "array",
                "items": {"type": "fixed", "name": "F", "size": 0},
            },
        ),
        record("int", EMPTY, {"type": "array", "items": "E"}),
        record(
            "int",
            [
                "null",
                {
                    "type": "map",
                    "values": {"type": "array", "items": "null"},
                },
            ],
        ),
    ],
    ids=str,
)
def test_a_schema_under_which_a_few_bytes_can_claim_any_number_of_values_is_refused(
    schema: Any,
) -> None:
    """A list of what takes no bytes is never at its end."""
    found = schema_of(schema)
    assert isinstance(found, ContractBroken)
    assert "no bytes" in str(found) or "list of nulls" in str(found)


@pytest.mark.parametrize("depth", [100, 300, 1_000, 100_000])
def test_a_deeply_nested_schema_does_not_end_the_process(
    depth: int,
) -> None:
    """It is read, or refused; nothing escapes."""
    opening, closing = '{"type":"array","items":', "}"
    text = (
        '{"type":"record","name":"R","fields":[{"name":"f","type":'
        + opening * depth
        + '"int"'
        + closing * depth
        + "}]}"
    )
    found = Schemas(lambda _: text).find(1)
    if depth > 500:
        assert isinstance(found, ContractBroken)
    else:
        assert isinstance(found, WriterSchema)
        assert found.read(b"\x00") == {"f": []}


@pytest.mark.parametrize("length", [1 << 31, 1 << 40, 1 << 60, (1 << 63) - 1, -1, -(1 << 63)])
@pytest.mark.parametrize(
    "declared",
    [
        "string",
        "bytes",
        {"type": "array", "items": "int"},
        {"type": "array", "items": ["null", "string"]},
        {"type": "map", "values": "string"},
        {"type": "array", "items": {"type": "array", "items": "boolean"}},
    ],
    ids=str,
)
def test_a_claimed_length_costs_neither_memory_nor_time(declared: Any, length: int) -> None:
    """Two to the sixtieth bytes in a message of twelve."""
    schema = schema_of(record("int", declared))
    assert isinstance(schema, WriterSchema)
    tracemalloc.start()
    start = time.monotonic()
    try:
        with pytest.raises(MessageMalformed) as caught:
            schema.read(long(1) + long(length) + b"\x02\x02\x02")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.monotonic() - start < SECONDS
    assert peak < BYTES
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("number", [127, 300])
def test_a_number_that_never_ends_is_set_aside(number: int) -> None:
    """A varint of hundreds of bytes."""
    schema = schema_of(record("long"))
    assert isinstance(schema, WriterSchema)
    with pytest.raises(MessageMalformed):
        schema.read(b"\xff" * number)


@pytest.mark.parametrize(
    "text",
    [b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\x80", b"\xf8\x88\x80\x80\x80"],
)
def test_text_that_is_not_utf8_is_set_aside(text: bytes) -> None:
    """Lone surrogates and overlong forms among it."""
    schema = schema_of(record("string"))
    assert isinstance(schema, WriterSchema)
    with pytest.raises(MessageMalformed, match="UnicodeDecodeError"):
        schema.read(long(len(text)) + text)


@pytest.mark.parametrize("branch", [2, 1000, -3, 1 << 40])
def test_a_branch_that_the_union_lacks_is_set_aside(branch: int) -> None:
    """Which type it is cannot be known."""
    schema = schema_of(record(["null", "string"]))
    assert isinstance(schema, WriterSchema)
    with pytest.raises(MessageMalformed):
        schema.read(long(branch) + b"\x02a")


def test_the_wire_format_is_split_as_it_was_joined() -> None:
    """The greatest id among them."""
    for schema_id in (0, 1, (1 << 31) - 1):
        assert split(join(schema_id, b"body")) == (schema_id, b"body")
