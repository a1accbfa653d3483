"""Random bodies under random schemas, read by the compiled reader and by fastavro:
`make decoders` compares a million; a test, fewer.

Both must give the same values or the same error. Of good bodies the compiled reader must read
every one itself, or it would prove nothing.
"""

from __future__ import annotations

import io
import math
import random
import struct
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import fastavro
import orjson

from pipeline.decoding.avro import Schemas, WriterSchema
from pipeline.decoding.compiled import ODD
from pipeline.errors import MessageMalformed

BODIES_A_SCHEMA = 200
EDGES = (0, 1, -1, 63, 64, -64, -65, 8191, 8192, 2**31 - 1, -(2**31), 2**32, 2**63 - 1, -(2**63))
TEXTS = ("", "a", " ", "Ωmega", "山" * 40, "\x00", "\U0001f600", "x" * 63, "x" * 64, "x" * 9000)
ANNOTATED = (
    {"type": "int", "connect.type": "int16"},
    {"type": "string", "connect.version": 1},
    {"type": "bytes", "logicalType": "decimal", "precision": 19, "scale": 4},
    {"type": "long", "connect.name": "io.debezium.time.MicroTimestamp"},
)
PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
NUMBERS = (b"\x80\x00", b"\xff" * 9 + b"\x01", b"\xfe" * 10, b"\x80" * 9 + b"\x02", b"\xff" * 12)


def random_type(chance: random.Random) -> Any:
    """A type that the compiler knows, alone or in a union."""
    kinds = (*PRIMITIVES, *ANNOTATED)
    if chance.random() < 0.5:
        return chance.choice(kinds)
    branches = {plain(one): one for one in ("null", chance.choice(kinds), chance.choice(kinds))}
    shuffled = list(branches.values())
    chance.shuffle(shuffled)
    return shuffled


def plain(kind: Any) -> str:
    """The primitive type of an annotated one."""
    while isinstance(kind, dict):
        kind = kind["type"]
    return str(kind)


def random_value(chance: random.Random, kind: Any) -> Any:
    """A value of this type, often an edge of it."""
    if isinstance(kind, list):
        return random_value(chance, chance.choice(kind))
    match plain(kind):
        case "null":
            return None
        case "boolean":
            return chance.random() < 0.5
        case "int":
            return chance.choice((*EDGES[:11], chance.randint(-(2**31), 2**31 - 1)))
        case "long":
            return chance.choice((*EDGES, chance.randint(-(2**63), 2**63 - 1)))
        case "float":
            (value,) = struct.unpack("<f", struct.pack("<f", chance.uniform(-1e9, 1e9)))
            return chance.choice((0.0, -0.0, math.inf, math.nan, value))
        case "double":
            return chance.choice((0.0, -0.0, -math.inf, math.nan, chance.uniform(-1e300, 1e300)))
        case "bytes":
            return chance.randbytes(chance.choice((0, 1, 8, 63, 64, 200)))
    return chance.choice(TEXTS)


def random_schema(chance: random.Random, number: int) -> WriterSchema:
    kinds = ["long", *(random_type(chance) for _ in range(chance.randint(0, 11)))]
    fields = [{"name": f"f{place}", "type": kind} for place, kind in enumerate(kinds)]
    text = orjson.dumps({"type": "record", "name": f"R{number}", "fields": fields}).decode()
    found = Schemas(lambda _: text).find(number)
    assert isinstance(found, WriterSchema), (found, text)
    return found


def good_body(chance: random.Random, schema: WriterSchema) -> bytes:
    out = io.BytesIO()
    row = {name: random_value(chance, kind) for name, kind in schema.fields.items()}
    fastavro.schemaless_writer(out, schema.parsed, row)
    return out.getvalue()


def spoilt(chance: random.Random, body: bytes) -> bytes:
    """Cut, grown, flipped, with an odd number in it, or garbage."""
    at = chance.randrange(len(body) + 1)
    match chance.randrange(6):
        case 0:
            return body[:at]
        case 1:
            return body + chance.randbytes(chance.randint(1, 9))
        case 2:
            changed = bytearray(body or b"\x00")
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
            return bytes(changed)
        case 3:
            return body[:at] + chance.choice(NUMBERS) + body[at:]
        case 4:
            return body[:at] + chance.randbytes(4) + body[at + 4 :]
    return chance.randbytes(chance.randint(0, 60))


def answer(read: Callable[[bytes], Any], body: bytes) -> str:
    """What it gives, or the text of its error; in a form in which NaN is NaN and true is not 1."""
    try:
        return repr(read(body))
    except MessageMalformed as error:
        return f"error: {error}"


def compare(bodies: int, seed: str) -> Counter[str]:
    """How many bodies were good, odd ones read alike, and refused alike. Fails at the first that
    is not read alike.
    """
    chance = random.Random(seed)
    counts: Counter[str] = Counter()
    for number in range(0, bodies, BODIES_A_SCHEMA):
        schema = random_schema(chance, number)
        assert schema.quick is not None, schema.declared
        for _ in range(BODIES_A_SCHEMA):
            body, kind = good_body(chance, schema), "good"
            if chance.random() < 0.6:
                body, kind = spoilt(chance, body), "odd"
            found, wanted = answer(schema.read, body), answer(schema.read_slowly, body)
            assert found == wanted, (seed, schema.declared, body, found, wanted)
            counts[f"{kind}, {'refused' if wanted.startswith('error: ') else 'read'}"] += 1
            counts["values"] += len(schema.fields)
            try:
                schema.quick(body)
            except ODD:
                assert kind == "odd", (seed, schema.declared, body)
                counts["left to fastavro"] += 1
    return counts


def main() -> None:
    """Print the counts."""
    bodies = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    seed = sys.argv[2] if len(sys.argv) > 2 else str(random.SystemRandom().randrange(1 << 32))
    print(f"seed {seed}")
    for name, count in sorted(compare(bodies, seed).items()):
        print(f"{name}: {count:,}")
    print("read differently: 0")


if __name__ == "__main__":
    main()
