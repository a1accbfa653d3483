"""Many messages decoded by one function give what each gives alone, and stop before one that is
not plain. `make decoders` is the long form.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from pipeline.decoding.avro import Schemas
from pipeline.decoding.contract import Contract
from pipeline.decoding.event import Decoder
from pipeline.decoding.runs import UNAVAILABLE
from pipeline.domain.routes import AJERA_AND_DPS
from pipeline.model.event import Event, Message, Undecodable
from pipeline.resources import schemas_directory
from tests.unit.decoding.connector import (
    AX_VEC,
    SITE,
    Connector,
    Dialect,
    encoded,
    flat,
    optional,
    writer_schema,
)
from tests.unit.decoding.test_totality import MUTATIONS

RUNS = int(os.environ.get("AJERA_CDC_DECODER_BODIES", "6000")) // 2
SEED = os.environ.get("AJERA_CDC_DECODER_SEED", str(random.SystemRandom().randrange(1 << 32)))
DIALECTS: tuple[Dialect, ...] = ("postgres", "sqlserver")
TEXTS = ("", " a ", "Ωmega", "山" * 40, "x" * 9000, '"', "\\", "\x00")


def random_message(
    chance: random.Random, connector: Connector, number: int, offset: int
) -> Message:
    """Of any operation, with odd texts, nulls and flags."""
    dialect = DIALECTS[number % 2]
    row: dict[str, Any] = {
        column.name: chance.choice((None, *TEXTS, column.name))
        for column in AX_VEC.columns
        if column.kind == "text"
    }
    if chance.random() < 0.1:
        row["vecTitle"] = UNAVAILABLE
    operation = chance.choice("ccuuudr")
    values = flat(AX_VEC, chance.randrange(-5, 1 << 31), operation, dialect, **row)
    return connector.message(AX_VEC, number, values, offset=offset)


def damaged(chance: random.Random, message: Message) -> Message:
    """With another value, or another key."""
    value, key = bytearray(message.value or b""), bytearray(message.key or b"")
    for _ in range(chance.randint(1, 3)):
        chance.choice(MUTATIONS)(chance, value if chance.random() < 0.8 else key)
    return Message(message.topic, message.partition, message.offset, bytes(key), bytes(value))


def taken(connector: Connector, messages: Sequence[Message], start: int = 0) -> Sequence[Event]:
    return connector.decoder.decode_many(messages, start, 5)


@pytest.fixture
def connector() -> Connector:
    """That knows the schemas 1 (SQL Server's) and 2 (PostgreSQL's), and has decoded one of each."""
    found = Connector()
    for dialect in reversed(DIALECTS):
        schema_id = found.register(writer_schema(AX_VEC, dialect=dialect))
        found.event(found.message(AX_VEC, schema_id, flat(AX_VEC, 1, dialect=dialect)))
    return found


def test_random_messages_are_read_together_as_each_is_read_alone(connector: Connector) -> None:
    """Good and damaged ones of two schemas; nothing is taken that gives no event alone."""
    print(f"AJERA_CDC_DECODER_SEED={SEED} AJERA_CDC_DECODER_BODIES={2 * RUNS}")
    chance = random.Random(SEED)
    counts: Counter[str] = Counter()
    messages = []
    for offset in range(RUNS):
        message = random_message(chance, connector, chance.choice((1, 1, 1, 2)), offset)
        messages.append(damaged(chance, message) if chance.random() < 0.2 else message)
    at = 0
    while at < RUNS:
        events = taken(connector, messages, at)
        assert events == [connector.decode(one) for one in messages[at : at + len(events)]]
        counts["together"] += len(events)
        at += len(events) + 1
        counts["alone"] += at <= RUNS
    print(dict(counts))
    assert counts["together"] > RUNS / 3
    assert counts["alone"] > RUNS / 20


@pytest.mark.parametrize("dialect", DIALECTS)
def test_plain_messages_of_every_operation_are_read_together(dialect: Dialect) -> None:
    """Of either source; those of another schema, too."""
    connector = Connector()
    first = connector.register(writer_schema(AX_VEC, dialect=dialect))
    added = (optional("vecSince", "string"),)
    second = connector.register(writer_schema(AX_VEC, dialect=dialect, added=added))
    messages = [
        connector.message(
            AX_VEC, schema_id, flat(AX_VEC, 9, operation, dialect, vecTitle="Ω"), offset=offset
        )
        for offset, (schema_id, operation) in enumerate(
            (schema_id, operation) for schema_id in (first, second) for operation in "crud"
        )
    ]
    alone = [connector.event(one) for one in messages]
    assert taken(connector, messages) == alone
    assert taken(connector, messages, 5) == alone[5:]


def test_a_schema_that_nobody_asked_for_yet_is_left_to_decode() -> None:
    """It asks the registry, and says what is wrong if that does not answer."""
    connector = Connector()
    schema_id = connector.register(writer_schema(AX_VEC))
    messages = [connector.message(AX_VEC, schema_id, flat(AX_VEC, 9))]
    assert taken(connector, messages) == []
    connector.event(messages[0])
    assert len(taken(connector, messages)) == 1


@pytest.mark.parametrize(
    "key",
    [b'{"vecKey":8}', b'{"vecKey": 9}', b'{"vecKey":9,"a":1}', b"9", None],
    ids=["another", "blank", "more", "bare", "none"],
)
def test_a_key_that_is_not_the_rows_own_byte_for_byte_is_left_to_decode(
    connector: Connector, key: bytes | None
) -> None:
    """Which tells the row's own from another's."""
    messages = [connector.message(AX_VEC, 2, flat(AX_VEC, 9), key)]
    assert taken(connector, messages) == []


def test_keys_of_several_texts_are_those_that_decode_gives() -> None:
    """Vantagepoint's projects; a text that JSON writes in another way is left to decode."""
    table = next(one for one in AJERA_AND_DPS.reads["dps"] if one.name == "PR")
    schema = writer_schema(table)
    for field in schema["fields"]:
        if field["name"] in table.key:
            field["type"] = "string"
    decoder = Decoder(
        sources=AJERA_AND_DPS.reads["dps"],
        needs={},
        site=SITE,
        contract=Contract.load(schemas_directory() / "dps"),
        schemas=Schemas(lambda _: orjson.dumps(schema).decode()),
        topic_prefix="dps",
    )
    names = ("WBS1", "WBS2", "WBS3")
    keys = [("P|1", "2%", " "), ("Ω", "", ""), ('a"', "", "b"), ("\\n", "", "")]
    messages = []
    for offset, key in enumerate(keys):
        values = flat(table, 0) | dict(zip(names, key, strict=True))
        value = b"\x00\x00\x00\x00\x01" + encoded(schema, values)
        named = orjson.dumps(dict(zip(names, key, strict=True)))
        messages.append(Message("dps.PR", 0, offset, named, value))
    alone = [decoder.decode(one, 5) for one in messages]
    assert all(isinstance(one, Event) for one in alone), alone
    assert decoder.decode_many(messages, 0, 5) == alone[:2]
    assert decoder.decode_many(messages, 2, 5) == []
    another = Message("dps.PR", 0, 4, rb'{"WBS1":"\n","WBS2":"","WBS3":""}', messages[3].value)
    assert isinstance(decoder.decode(another, 5), Undecodable)
    assert decoder.decode_many([another], 0, 5) == []
