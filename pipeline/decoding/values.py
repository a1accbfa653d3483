"""Flags, decimals and dates as Debezium writes them (`decimal.handling.mode=precise`,
`time.precision.mode=adaptive`), by the declared Avro type.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from pipeline.decoding.contract import types
from pipeline.errors import MessageMalformed
from pipeline.mapping.convert import rounded
from pipeline.mapping.source import DECIMAL_PLACES, ColumnType
from pipeline.model.event import Value

Conversion = Callable[[Any], Value]

_EPOCH: Final = date(1970, 1, 1)
_A_DAY: Final = {  # the unit that a declared type counts days in
    "date": 1,
    "io.debezium.time.Date": 1,
    "io.debezium.time.Timestamp": 86_400_000,
    "io.debezium.time.MicroTimestamp": 86_400_000_000,
    "io.debezium.time.NanoTimestamp": 86_400_000_000_000,
}


def conversion(column: str, kind: ColumnType, declared: Any) -> Conversion | None:
    """How a column's values become its kind; None for kinds whose values arrive as they are."""
    match kind:
        case ColumnType.DECIMAL:
            convert = _decimals(declared)
        case ColumnType.DATE:
            convert = _dates(declared)
        case ColumnType.FLAG if not types(declared) <= {"null", "boolean"}:
            return _flags(column)
        case _:
            return None

    def of(value: Any) -> Value:
        try:
            return None if value is None else convert(value)
        except (ArithmeticError, KeyError, TypeError, ValueError):
            fault = f"{column} holds no {kind}"
        raise MessageMalformed(fault)

    return of


def _flags(column: str) -> Conversion:
    """Of a flag that arrives as a number."""

    def of(value: Any) -> bool | None:
        if value is None or isinstance(value, bool):
            return value
        if value in (0, 1):
            return bool(value)
        raise MessageMalformed(f"{column} is neither 0 nor 1")

    return of


def _decimals(declared: Any) -> Conversion:
    scale = _scale(declared)

    def of(value: Any) -> Value:
        match value:
            case bytes():
                found = _unscaled(value, scale)
            case {"scale": int() as its_own, "value": bytes() as digits}:
                found = _unscaled(digits, its_own)
            case float():  # was not exact in the source
                found = rounded(Decimal(repr(value)), DECIMAL_PLACES)
            case _:
                found = Decimal(value)
        if found != rounded(found, DECIMAL_PLACES):
            raise ValueError
        return found

    return of


def _unscaled(digits: bytes, scale: int) -> Decimal:
    number = int.from_bytes(digits, "big", signed=True)
    return Decimal((int(number < 0), Decimal(abs(number)).as_tuple().digits, -scale))


def _scale(declared: Any) -> int:
    """The scale of a declared decimal; 0 where the type has none."""
    if isinstance(declared, list):
        return max(_scale(branch) for branch in declared)
    return int(declared.get("scale", 0)) if isinstance(declared, dict) else 0


def _dates(declared: Any) -> Conversion:
    units = next((_A_DAY[name] for name in types(declared) if name in _A_DAY), 1)
    return lambda value: _EPOCH + timedelta(days=value // units)
