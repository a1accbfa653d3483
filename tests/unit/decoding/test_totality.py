"""Any bytes give an event or a classified error: nothing escapes, nothing of the row stands in an error's text."""

from __future__ import annotations

import os
import random
import resource
import struct
from dataclasses import replace

import pytest

from pipeline.errors import MessageMalformed, PipelineError, Remedy
from pipeline.model.event import Event, Heartbeat, Message, Tombstone, Undecodable
from tests.support.wire import Wire, flat, schema

RUNS = int(os.environ.get("AJERA_CDC_FUZZ_RUNS", "6000"))
CANARY = "canary-7f3a"


def mutated(rng: random.Random, message: Message) -> Message:
    """One of many ways in which a message can be spoiled."""
    value, key = bytearray(message.value or b""), bytearray(message.key or b"")
    match rng.randrange(10):
        case 0:
            value = value[: rng.randrange(len(value))]
        case 1:
            value[0] = rng.randrange(1, 256)
        case 2:
            value[1:5] = struct.pack(">i", rng.choice([0, 99, -1, 2**31 - 1]))
        case 3:
            value[rng.randrange(5, len(value))] = rng.randrange(256)
        case 4:
            at = rng.randrange(5, len(value))
            value[at:at] = rng.randbytes(rng.randrange(1, 40))
        case 5:
            value[5:] = rng.randbytes(rng.randrange(200))
        case 6:
            at = rng.randrange(5, len(value))
            value[at : at + 10] = b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"  # a length of 2^62
        case 7:
            at = rng.randrange(5, len(value))
            value[at : at + 3] = b"\xed\xa0\x80"  # half of a surrogate pair
        case 8:
            key = bytearray(rng.choice([b"", b"{", b"null", b"[1]", rng.randbytes(20), b'{"vecKey": 1e400}']))
        case _:
            value += rng.randbytes(rng.randrange(1, 20))
    return replace(message, value=bytes(value), key=bytes(key))


@pytest.mark.timeout(600)
def test_no_bytes_escape_classification_and_no_value_stands_in_an_error(record_property: object) -> None:
    """Thousands of spoiled messages among good ones; AJERA_CDC_FUZZ_RUNS makes it longer."""
    del record_property
    seed = int(os.environ.get("AJERA_CDC_SEED", "20261125"))
    print(f"seed {seed}, {RUNS} runs")
    rng, wire = random.Random(seed), Wire()
    good = [
        wire.message(flat(vecDescription=CANARY, vecEmail=f"{CANARY}@example.example")),
        wire.message(flat("AxProject", prjNotes=CANARY * 500, prjStatus=1), table="AxProject"),
        wire.message(flat(op="d", vecDescription=CANARY)),
        wire.message(
            flat(vecDescription=CANARY) | {"extra": [1.5]}, schema(extra={"type": "array", "items": "double"})
        ),
    ]
    for _ in range(RUNS):
        found = wire.decoder.decode(mutated(rng, rng.choice(good)), 1)
        match found:
            case Event() | Tombstone() | Heartbeat():
                continue
            case Undecodable(error):
                assert isinstance(error, PipelineError)
                assert error.remedy in set(Remedy)
                assert CANARY not in error.sentence
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert peak_mb < 1_000, "a declared length was believed"


@pytest.mark.parametrize("milliseconds", [-(2**62), 2**62, 10**17])
def test_a_commit_time_that_no_calendar_has_is_set_aside(milliseconds: int) -> None:
    """Out of range is malformed, not a crash."""
    wire = Wire()
    found = wire.decoder.decode(wire.message(flat(__source_ts_ms=milliseconds)), 1)
    assert isinstance(found, Undecodable)
    assert isinstance(found.error, MessageMalformed)


def test_a_schema_that_contains_itself_or_a_list_of_nulls_is_refused() -> None:
    """A message under it could end the process, or never end."""
    wire = Wire()
    endless = schema(loop=["null", "ajera.AxVec.Value"])
    nothing = schema(nulls={"type": "array", "items": "null"})
    for writer in (endless, nothing):
        number = wire.register(writer)
        message = Message("ajera.AxVec", 0, 1, b'{"vecKey":1}', b"\0" + struct.pack(">i", number) + b"\0" * 50)
        found = wire.decoder.decode(message, 1)
        assert isinstance(found, Undecodable)
        assert found.error.remedy is Remedy.HALT
