"""Any bytes give an event or a classified error: nothing escapes, nothing of a row is in any text.

The short form runs everywhere; `AJERA_CDC_FUZZ_RUNS=100000` runs the long one.
"""

from __future__ import annotations

import os
import random
import traceback
from collections import Counter
from collections.abc import Callable

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.decoding.wire import join
from pipeline.errors import PipelineError
from pipeline.mapping.source import SourceTable
from pipeline.model.event import (
    Decoded,
    Event,
    Heartbeat,
    Message,
    Tombstone,
    Undecodable,
)
from tests.unit.decoding.connector import (
    AX_VEC,
    READ,
    Connector,
    Dialect,
    flat,
    optional,
    writer_schema,
)

RUNS = int(os.environ.get("AJERA_CDC_FUZZ_RUNS", "5000"))
SEED = int(os.environ.get("AJERA_CDC_FUZZ_SEED", str(random.SystemRandom().randrange(1 << 32))))
CANARY = "CANARY"
MONEY = b"7\xff\x00CANARY"
UNRELATED = (
    optional("vecRate", "bytes"),
    optional("vecScore", "double"),
    optional("vecShare", "float"),
    optional("vecTags", {"type": "array", "items": ["null", "string"]}),
    optional("vecNotes", {"type": "map", "values": "string"}),
    optional("vecHash", {"type": "fixed", "name": "Hash", "size": 6}),
    optional("vecKind", {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}),
)
ODD = {
    "vecRate": MONEY,
    "vecScore": float("nan"),
    "vecShare": float("-inf"),
    "vecTags": [CANARY, None],
    "vecNotes": {CANARY: CANARY},
    "vecHash": b"CANARY",
    "vecKind": "B",
}
DIALECTS: tuple[Dialect, ...] = ("postgres", "sqlserver")
CONNECTOR = Connector()
SCHEMAS = {
    dialect: CONNECTOR.register(writer_schema(AX_VEC, dialect=dialect, added=UNRELATED))
    for dialect in DIALECTS
}


def original(dialect: Dialect, operation: str) -> Message:
    """A good message with something secret in every text."""
    texts = {c.name: f"{CANARY} {c.name} +1 555 0199" for c in AX_VEC.columns if c.kind == "text"}
    row = flat(AX_VEC, 4_711_815, operation, dialect) | texts | ODD
    return CONNECTOR.message(AX_VEC, SCHEMAS[dialect], row)


ORIGINALS = [
    original(dialect, operation) for dialect in DIALECTS for operation in ("c", "u", "d", "r")
]
LENGTHS = (
    b"\xff" * 9 + b"\x01",
    b"\xfe" * 9 + b"\x01",
    b"\x80" * 9 + b"\x01",
    b"\x01",
    b"\xff" * 12,
)
TEXTS = (
    b"\xed\xa0\x80",
    b"\xff\xfe\xfd",
    b"\xc0\x80",
    b"\x00",
    "\U0001f600".encode(),
)

Mutation = Callable[[random.Random, bytearray], None]


def place(chance: random.Random, data: bytearray) -> int:
    return chance.randrange(len(data)) if data else 0


def truncate(chance: random.Random, data: bytearray) -> None:
    del data[place(chance, data) :]


def flip(chance: random.Random, data: bytearray) -> None:
    for _ in range(chance.randint(1, 8)):
        if data:
            data[place(chance, data)] ^= 1 << chance.randrange(8)


def overwrite(chance: random.Random, data: bytearray) -> None:
    at = place(chance, data)
    data[at : at + chance.randint(0, 12)] = chance.randbytes(chance.randint(0, 12))


def claim_length(chance: random.Random, data: bytearray) -> None:
    at = place(chance, data)
    data[at : at + 1] = chance.choice(LENGTHS)


def spoil_text(chance: random.Random, data: bytearray) -> None:
    at = place(chance, data)
    spoilt = chance.choice(TEXTS)
    data[at : at + len(spoilt)] = spoilt


def drop(chance: random.Random, data: bytearray) -> None:
    at = place(chance, data)
    del data[at : at + chance.randint(1, 20)]


def double(chance: random.Random, data: bytearray) -> None:
    at = place(chance, data)
    data[at:at] = data[at : at + chance.randint(1, 40)]


def append(chance: random.Random, data: bytearray) -> None:
    data += chance.randbytes(chance.randint(1, 9))


def change_header(chance: random.Random, data: bytearray) -> None:
    data[:5] = chance.choice(
        (
            b"\x01\x00\x00\x00\x01",
            b"\x00\x00\x00\x00\x02",
            b"\x00\xff\xff\xff\xff",
            b"\x00\x00\x00\x63",
        )
    )


def replace(chance: random.Random, data: bytearray) -> None:
    data[5:] = chance.randbytes(chance.randint(0, 400))


MUTATIONS: tuple[Mutation, ...] = (
    *(
        truncate,
        flip,
        overwrite,
        claim_length,
        spoil_text,
        drop,
        double,
        append,
        change_header,
        replace,
    ),
)
COLUMNS = {column.name for column in AX_VEC.columns}


def refuse_a_leak(error: PipelineError) -> None:
    """Nothing of the row in the text, the hint, or whatever a log could print of the error."""
    printed = "".join(traceback.format_exception(error)) + repr(error) + error.sentence
    assert CANARY not in printed
    assert "4711815" not in printed
    assert "555 0199" not in printed


def refuse_what_no_caller_expects(found: Decoded) -> str:
    """The kind of the answer."""
    match found:
        case Event():
            assert set(found.row) <= COLUMNS
            assert all(
                value is None or isinstance(value, str | int) for value in found.row.values()
            )
            assert found.committed_at.tzinfo is not None
            assert int(found.key) is not None
            assert (found.position == "") == found.is_snapshot
            return "event"
        case Undecodable(error=error):
            refuse_a_leak(error)
            assert error.code.startswith(("decode.", "registry."))
            return error.code
        case Tombstone() | Heartbeat():
            return type(found).__name__


@pytest.mark.timeout(3600)
def test_random_damage_never_escapes_and_never_shows_a_row() -> None:
    """Good messages, damaged in one to three ways, in process; the seed is printed."""
    print(f"AJERA_CDC_FUZZ_SEED={SEED} AJERA_CDC_FUZZ_RUNS={RUNS}")
    chance = random.Random(SEED)
    counts: Counter[str] = Counter()
    for number in range(RUNS):
        message = chance.choice(ORIGINALS)
        value, key = (
            bytearray(message.value or b""),
            bytearray(message.key or b""),
        )
        for _ in range(chance.randint(1, 3)):
            chance.choice(MUTATIONS)(chance, value)
        if chance.random() < 0.1:
            chance.choice(MUTATIONS[:-2])(chance, key)
        topic = chance.choice(
            (
                message.topic,
                message.topic,
                "ajera.AxContact",
                CONNECTOR.decoder.heartbeat_topic,
            )
        )
        damaged = Message(topic, 0, number, bytes(key) or None, bytes(value))
        if topic == message.topic or topic == CONNECTOR.decoder.heartbeat_topic:
            counts[refuse_what_no_caller_expects(CONNECTOR.decode(damaged))] += 1
        else:
            found = CONNECTOR.decode(damaged)
            assert isinstance(found, Undecodable)
            refuse_a_leak(found.error)
    print(dict(counts))
    assert {
        "event",
        "decode.malformed",
        "decode.metadata",
        "registry.unknown",
    } <= counts.keys()


@settings(
    max_examples=min(RUNS, 5000) // 10,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    topic=st.sampled_from(
        [
            *CONNECTOR.decoder.topics.values(),
            CONNECTOR.decoder.heartbeat_topic,
            "ajera.None",
        ]
    ),
    key=st.none() | st.binary(max_size=40) | st.just(b'{"vecKey":5}'),
    value=st.none()
    | st.binary(max_size=200)
    | st.builds(
        join,
        st.sampled_from([*SCHEMAS.values(), 0, 99]),
        st.binary(max_size=300),
    ),
)
@example(topic="ajera.AxVec", key=None, value=b"")
def test_any_bytes_give_an_answer(topic: str, key: bytes | None, value: bytes | None) -> None:
    """Found by search, and made small when it fails."""
    found = CONNECTOR.decode(Message(topic, 0, 0, key, value))
    assert isinstance(found, Event | Tombstone | Heartbeat | Undecodable)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.sampled_from(["string", "int", "null", "record", "array"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "name",
                    "fields",
                    "items",
                    "values",
                    "symbols",
                    "size",
                    "logicalType",
                    "default",
                ]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@settings(
    max_examples=min(RUNS, 5000) // 10,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(declared=JSON, body=st.binary(max_size=60))
def test_any_schema_gives_an_answer(declared: object, body: bytes) -> None:
    """What the registry answers may be anything as well, in one column or as a whole."""
    connector = Connector()
    schema = writer_schema(AX_VEC)
    schema["fields"].append({"name": "vecMore", "type": declared})
    connector.texts = {
        1: orjson.dumps(schema, default=str).decode() if is_plain(declared) else "",
        2: orjson.dumps(declared).decode() if is_plain(declared) else "{}",
    }
    for schema_id in (1, 2):
        value = join(schema_id, body)
        assert isinstance(
            connector.decode(connector.raw(AX_VEC, value, b'{"vecKey":5}')),
            Event | Undecodable,
        )


def is_plain(declared: object) -> bool:
    """Can it be written as JSON at all: a lone surrogate or a huge number cannot."""
    try:
        orjson.dumps(declared)
    except TypeError:
        return False
    return True


@pytest.mark.parametrize("message", ORIGINALS, ids=range(len(ORIGINALS)))
def test_the_messages_that_are_damaged_are_good_before(
    message: Message,
) -> None:
    """Or the damage would prove nothing."""
    assert refuse_what_no_caller_expects(CONNECTOR.decode(message)) == "event"


@pytest.mark.parametrize("table", READ, ids=lambda table: table.name)
def test_every_cut_of_a_good_message_is_set_aside(
    table: SourceTable,
) -> None:
    """Byte by byte, so that each field is cut once in each of its parts."""
    connector = Connector()
    schema = connector.register(writer_schema(table))
    message = connector.message(table, schema, flat(table, 4_711_815))
    value = message.value or b""
    for length in range(len(value)):
        found = connector.decode(connector.raw(table, value[:length], message.key))
        assert isinstance(found, Undecodable)
        assert found.error.code == "decode.malformed"
