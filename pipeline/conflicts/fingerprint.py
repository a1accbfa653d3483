"""The fingerprint of a line: what it compares, by value, and where edits of it flow.

What its functions say of some values is hashed, not their source text: a comment, a new name or
another way to compute the same changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from pipeline.conflicts.forms import Convert
from pipeline.model.event import Value

if TYPE_CHECKING:
    from pipeline.conflicts.rules import ColumnPair, Field

T = TypeVar("T")
LENGTH = 8  # hexadecimal digits
# Longer than any text column that is compared, and no part of it is like another, so that the
# length to which a line cuts it shows.
LONG_TEXT = "".join(f"{number:04d}" for number in range(500))
SAMPLES: tuple[Value, ...] = (
    *(None, "", " a ", "A  b", "ß", ".", "Y", "N", "0", "1.005", LONG_TEXT),
    *(
        True,
        False,
        *range(-1, 13),
        Decimal("0.005"),
        Decimal("-1234.56789"),
    ),
    *(date(2026, 2, 28), datetime(2026, 2, 28, 23, 59, tzinfo=UTC)),
)


def fingerprint(pair: ColumnPair) -> str:
    """What is compared, the sides whose edits ask for anything, and the rule: `3f2a9c01/AD/n`.

    A side whose edits are only put back is a small letter. The last part has an `f` where the line
    only fills blanks. A link keeps one for each line.
    """
    is_code = bool(pair.through)
    compared = _compared(
        pair.ajera,
        pair.dps,
        None if is_code else pair.to_dps,
        None if is_code else pair.to_ajera,
        pair.through,
        pair.samples,
    )
    sides = "".join(
        side[0].upper() if pair.flows_to(side.other) else side[0] for side in pair.sides_that_ask
    )
    return f"{compared}/{sides}/{pair.rule[0]}{'f' if pair.only_fills else ''}"


def compares(line: str | None) -> str | None:
    """The part of a fingerprint that says what is compared."""
    return None if line is None else line.partition("/")[0]


def asking(line: str) -> frozenset[str]:
    """The part that says which sides' edits ask for anything, as letters."""
    return frozenset(line.split("/")[1])


def of_lines(lines: Mapping[str, str]) -> str:
    """One fingerprint of many lines."""
    return _of_items(tuple(lines.items()))


@lru_cache(maxsize=4096)
def _of_items(lines: tuple[tuple[str, str], ...]) -> str:
    return _digest(sorted(lines))


@lru_cache(maxsize=4096)
def _compared(
    ajera: Field,
    dps: Field,
    to_dps: Convert | None,
    to_ajera: Convert | None,
    through: str,
    samples: tuple[Value, ...],
) -> str:
    """`to_dps` and `to_ajera` are None where lists and links convert (`through`)."""
    values = (*SAMPLES, *samples)
    read = [
        (
            field.columns,
            [_said(field.read, row) for row in _rows(field, values)],
        )
        for field in (ajera, dps)
    ]
    converted = [
        None if convert is None else [_said(convert, value) for value in values]
        for convert in (to_dps, to_ajera)
    ]
    return _digest((read, converted, through))


def _rows(field: Field, values: tuple[Value, ...]) -> list[dict[str, Value]]:
    """Rows that hold each value in all columns of the field, and in one alone."""
    rows: list[dict[str, Value]] = [dict.fromkeys(field.columns, value) for value in values]
    blank: dict[str, Value] = dict.fromkeys(field.columns)
    if len(field.columns) > 1:
        rows += [{**blank, name: value} for name in field.columns for value in values]
    return rows


def _said(function: Callable[[T], Value], of: T) -> str:
    """What a form says of a value, which may be of a type that it never meets."""
    try:
        return repr(function(of))
    except (
        TypeError,
        ValueError,
        LookupError,
        ArithmeticError,
        AttributeError,
    ) as error:
        return type(error).__name__


def _digest(found: object) -> str:
    return hashlib.sha256(repr(found).encode()).hexdigest()[:LENGTH]
