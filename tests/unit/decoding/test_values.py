"""Decimals and dates as Debezium writes them, and what is none."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from pipeline.decoding.contract import types
from pipeline.decoding.values import conversion
from pipeline.errors import MessageMalformed
from pipeline.mapping.source import ColumnType

PRECISE = {
    "type": "bytes",
    "scale": 4,
    "precision": 19,
    "connect.parameters": {"scale": "4"},
    "connect.name": "org.apache.kafka.connect.data.Decimal",
    "logicalType": "decimal",
}
VARIABLE = {
    "type": "record",
    "name": "VariableScaleDecimal",
    "namespace": "io.debezium.data",
    "fields": [{"name": "scale", "type": "int"}, {"name": "value", "type": "bytes"}],
    "connect.name": "io.debezium.data.VariableScaleDecimal",
}


def converted(kind: ColumnType, declared: Any, value: Any) -> Any:
    convert = conversion("tAmount", kind, declared)
    assert convert is not None
    return convert(value)


@pytest.mark.parametrize(
    ("declared", "value", "expected"),
    [
        (["null", PRECISE], (-12_345).to_bytes(3, "big", signed=True), Decimal("-1.2345")),
        (PRECISE, (10**22 + 1).to_bytes(10, "big"), Decimal("1000000000000000000.0001")),
        (PRECISE, b"", Decimal(0)),
        (["null", VARIABLE], {"scale": 2, "value": b"\x00\xff"}, Decimal("2.55")),
        (VARIABLE, {"scale": -2, "value": b"\x07"}, Decimal(700)),
        ("long", 7, Decimal(7)),
        ("double", 0.1 + 0.2, Decimal("0.3")),
        (PRECISE, None, None),
    ],
)
def test_a_decimal_is_exact_in_every_form_in_which_it_may_arrive(
    declared: Any, value: Any, expected: Decimal | None
) -> None:
    """Of a double, which was not exact in the source, ten places."""
    assert converted(ColumnType.DECIMAL, declared, value) == expected


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ({"type": "int", "connect.name": "io.debezium.time.Date"}, 20_786),
        ({"type": "int", "logicalType": "date"}, 20_786),
        ({"type": "long", "connect.name": "io.debezium.time.Timestamp"}, 20_786 * 86_400_000 + 5),
        (
            ["null", {"type": "long", "connect.name": "io.debezium.time.MicroTimestamp"}],
            20_787 * 86_400_000_000 - 1,
        ),
        ({"type": "long", "connect.name": "io.debezium.time.NanoTimestamp"}, 20_786 * 864 * 10**11),
    ],
)
def test_a_date_is_the_day_of_whatever_counts_time(declared: Any, value: int) -> None:
    """Also of a date with a time of day, and to the last moment of the day."""
    assert converted(ColumnType.DATE, declared, value) == date(2026, 11, 29)


def test_a_date_before_1970_is_the_day_on_which_it_was() -> None:
    """Rounded down, not towards 1970."""
    declared = {"type": "long", "connect.name": "io.debezium.time.Timestamp"}
    assert converted(ColumnType.DATE, declared, -1) == date(1969, 12, 31)


@pytest.mark.parametrize(
    ("kind", "declared", "value"),
    [
        (ColumnType.DECIMAL, VARIABLE, {"scale": 11, "value": b"\x01"}),
        (ColumnType.DECIMAL, "double", float("nan")),
        (ColumnType.DECIMAL, "string", "canary"),
        (ColumnType.DATE, {"type": "int", "logicalType": "date"}, 2**31),
    ],
)
def test_a_value_that_cannot_be_held_is_an_error_that_does_not_say_it(
    kind: ColumnType, declared: Any, value: Any
) -> None:
    """More places than a mirror has would be rounded silently."""
    with pytest.raises(MessageMalformed, match=f"^tAmount holds no {kind}$"):
        converted(kind, declared, value)


def test_the_contract_knows_decimals_by_their_meaning() -> None:
    """Bytes and records alone could be anything."""
    assert types(["null", PRECISE]) == {"null", "decimal"}
    assert types(VARIABLE) == {"io.debezium.data.VariableScaleDecimal"}
