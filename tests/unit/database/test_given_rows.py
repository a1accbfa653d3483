"""Rows as the texts that a statement takes."""

from __future__ import annotations

import json
import random
from decimal import Decimal

from pipeline.database.sql.given_rows import arrays, json_rows
from pipeline.model.event import Value


def test_a_decimal_travels_without_an_exponent() -> None:
    """SQL Server reads none in a text; every place stays."""
    given = [(Decimal("1E+3"), Decimal("1E-7"), Decimal("-12.3400"))]
    assert json_rows(given) == '[{"c0":"1000","c1":"0.0000001","c2":"-12.3400"}]'


def test_a_column_of_keys_is_the_json_that_its_objects_would_be() -> None:
    """Whatever the keys hold: quotes, commas, what looks like the objects' own text, NULs."""
    chance = random.Random(5)
    parts = ('"', ",", '","', '"},{"c0":"', "\\", "é", "\x00", "\n", "7", "a", "")
    for _ in range(500):
        texts = ["".join(chance.choices(parts, k=3)) for _ in range(chance.randint(1, 4))]
        numbers = [chance.choice((0, -1, 2**63 - 1, 5)) for _ in texts]
        columns: list[list[Value]] = [[*texts], [*numbers], [*texts, *numbers], [True], [None, 1]]
        for keys in columns:
            plain = [one.replace("\x00", "") if isinstance(one, str) else one for one in keys]
            assert json.loads(json_rows([(one,) for one in keys])) == [{"c0": one} for one in plain]


def test_a_column_is_an_array_whose_texts_are_escaped_as_arrays_are() -> None:
    """What JSON escapes with a letter, an array has as it is; a NUL is left out."""
    given = [(1, "a,{}", True), (-2, 'q"\\\n\x00', None), (None, "null", False)]
    assert arrays(given) == [
        "{1,-2,null}",
        '{"a,{}","q\\"\\\\\n","null"}',
        "{true,null,false}",
    ]


def test_any_texts_are_an_array_whether_json_escapes_only_their_quotes_or_more() -> None:
    """Quotes and backslashes are escaped by a backslash, and nothing else is."""
    chance = random.Random(6)
    parts = ('"', ",", "\\", "é", "\x00", "\n", "n", "{}", "a", "")
    for _ in range(500):
        texts = ["".join(chance.choices(parts, k=3)) for _ in range(chance.randint(1, 4))]
        held = [one.replace("\x00", "") for one in texts]
        escaped = [one.replace("\\", "\\\\").replace('"', '\\"') for one in held]
        assert arrays([(one,) for one in texts]) == [
            "{" + ",".join(f'"{one}"' for one in escaped) + "}"
        ]
