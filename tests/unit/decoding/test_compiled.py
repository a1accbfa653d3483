"""The reader that is compiled for a writer schema gives what fastavro gives, or fastavro's error.
`make decoders` is the long form.
"""

from __future__ import annotations

import os
import random

import orjson
import pytest

from pipeline.decoding.avro import Schemas, WriterSchema
from pipeline.errors import MessageMalformed
from tests.unit.decoding.bodies import compare

BODIES = int(os.environ.get("AJERA_CDC_DECODER_BODIES", "6000"))
SEED = os.environ.get("AJERA_CDC_DECODER_SEED", str(random.SystemRandom().randrange(1 << 32)))


def schema_of(*types: object) -> WriterSchema:
    fields = [{"name": f"f{number}", "type": kind} for number, kind in enumerate(types)]
    text = orjson.dumps({"type": "record", "name": "R", "fields": fields}).decode()
    found = Schemas(lambda _: text).find(1)
    assert isinstance(found, WriterSchema), found
    return found


def test_random_bodies_are_read_as_fastavro_reads_them() -> None:
    """Good, cut, grown, flipped and random ones, under random schemas; the seed is printed."""
    print(f"AJERA_CDC_DECODER_SEED={SEED} AJERA_CDC_DECODER_BODIES={BODIES}")
    counts = compare(BODIES, SEED)
    print(dict(counts))
    assert {"good, read", "odd, read", "odd, refused", "left to fastavro"} <= counts.keys()


@pytest.mark.parametrize(
    "body",
    [b"", b"\x02", b"\x02\x00\x00", b"\x02\x04a", b"\x02\x02\xff", b"\x02\x01", b"\x02\x80\x80"],
    ids=["empty", "cut", "left over", "short text", "no UTF-8", "negative length", "cut number"],
)
def test_a_body_that_its_schema_does_not_describe_is_refused(body: bytes) -> None:
    """By fastavro: its error is the error."""
    schema = schema_of("int", "string")
    assert schema.quick is not None
    with pytest.raises(MessageMalformed) as quick:
        schema.read(body)
    with pytest.raises(MessageMalformed) as slow:
        schema.read_slowly(body)
    assert str(quick.value) == str(slow.value)


def test_a_branch_whose_number_takes_two_bytes_is_not_taken_for_another() -> None:
    """Branch 65 is 0x82 0x01: taken for one byte, what follows would be a whole body, too."""
    schema = schema_of(
        ["null", *({"type": "int", "connect.version": n} for n in range(70))], "bytes"
    )
    assert schema.read(b"\x82\x01\x04\x02a") == {"f0": 2, "f1": b"a"}


@pytest.mark.parametrize(
    "kind",
    [
        {"type": "array", "items": "string"},
        {"type": "map", "values": "long"},
        {"type": "fixed", "name": "F", "size": 2},
        {"type": "enum", "name": "E", "symbols": ["A"]},
        {"type": "record", "name": "Inner", "fields": [{"name": "a", "type": "int"}]},
    ],
    ids=lambda kind: str(kind["type"]),
)
def test_types_that_the_compiler_does_not_know_are_read_by_fastavro(kind: object) -> None:
    """The whole body is, since a value of unknown length hides where the next one begins."""
    schema = schema_of("int", kind)
    assert schema.quick is None
    with pytest.raises(MessageMalformed):
        schema.read(b"\x02")
