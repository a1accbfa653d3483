"""Conversions of single values; each is used by name in a mapping line."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, localcontext
from typing import Final

from pipeline.model.event import Value

MOST_DIGITS: Final = 60  # more than a column of any database has


def text(value: Value) -> str | None:
    """Text without NULs and surrounding blanks; blank is null (assumption 26)."""
    if value is None:
        return None
    if type(value) is not str:
        value = str(value)
    if "\x00" in value:
        value = value.replace("\x00", "")
    return value.strip() or None


def cut(value: str, length: int, *, utf16: bool = False) -> str:
    """The first `length` characters (UTF-16 units where the database counts those),
    without trailing blanks.
    """
    if utf16 and not value.isascii():
        return value.encode("utf-16-le")[: 2 * length].decode("utf-16-le", errors="ignore").rstrip()
    return value[:length].rstrip()


def rounded(value: Decimal, places: int) -> Decimal:
    """A decimal with so many places, however many digits it has before them."""
    with localcontext() as context:
        context.prec = MOST_DIGITS
        return round(value, places)


def added(numbers: Iterable[int | Decimal]) -> int | Decimal:
    """Their sum to the last place; 0 of none."""
    with localcontext() as context:
        context.prec = MOST_DIGITS
        return sum(numbers)


def reference(value: Value) -> int | None:
    """A key of another table; Ajera's 0 means none (`docs/assumptions.md`, references)."""
    if isinstance(value, int) and value != 0:
        return int(value)
    return None


def names_row(value: Value) -> bool:
    """Does a reference name a row: null, Ajera's 0 and blank text name none."""
    return value != 0 and text(value) is not None
