"""The Confluent wire format: a zero byte, the schema's id in four bytes, then the Avro body."""

from __future__ import annotations

import struct
from typing import Final

from pipeline.errors import MessageMalformed

MAGIC: Final = 0
HEADER: Final = struct.Struct(">bi")


def split(value: bytes) -> tuple[int, bytes]:
    """Schema id and Avro body. Raises MessageMalformed."""
    if len(value) < HEADER.size:
        raise MessageMalformed(
            "the message is shorter than the header of the Confluent wire format"
        )
    magic, schema_id = HEADER.unpack_from(value)
    if magic != MAGIC:
        raise MessageMalformed(
            "the message does not start with the zero byte of the Confluent wire format"
        )
    if schema_id < 0:
        raise MessageMalformed("the schema id in the message's header is negative")
    return schema_id, value[HEADER.size :]


def join(schema_id: int, body: bytes) -> bytes:
    """A message in the wire format."""
    return HEADER.pack(MAGIC, schema_id) + body
