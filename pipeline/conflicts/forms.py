"""How a side stores a value, and conversions made of that:
each is idempotent and used by name in a mapping line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from pipeline.model.event import Value

Convert = Callable[[Value], Value]


def as_is(value: Value) -> Value:
    """The value itself."""
    return value


def trimmed(value: Value) -> Value:
    """Text without surrounding blanks, blank text is null; other values as they are."""
    if not isinstance(value, str):
        return value
    return value.strip() or None


def cut(length: int) -> Convert:
    """The first `length` characters of trimmed text, without blanks at the new end."""

    def convert(value: Value) -> Value:
        text = trimmed(value)
        return trimmed(text[:length]) if isinstance(text, str) else text

    return convert


def folded(text: str) -> str:
    """Text as names are compared: the case of letters aside, and one blank for several,
    none around.

    Letter by letter, so that a database can do the same:
    `ß` and the final sigma are what casefold makes of them.
    """
    lower = "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)
    return " ".join(lower.replace("\x00", "").replace("ß", "ss").replace("ς", "σ").split())


def upper(value: Value) -> Value:
    """Trimmed text in upper case."""
    text = trimmed(value)
    return text.upper() if isinstance(text, str) else text


def number(places: int) -> Convert:
    """A number with `places` decimals, half rounded up. Text that is no number, and null,
    stay as they are.
    """
    unit = Decimal(1).scaleb(-places)

    def convert(value: Value) -> Value:
        if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
            return value
        try:
            return Decimal(value).quantize(unit, rounding=ROUND_HALF_UP)
        except InvalidOperation:
            return value

    return convert


def listed(values: Mapping[Value, Value]) -> Convert:
    """Codes of one side as codes of the other; a value that is not listed stays as it is."""
    return lambda value: values.get(value, value)


def chain(*steps: Convert) -> Convert:
    """One conversion after the other."""

    def convert(value: Value) -> Value:
        for step in steps:
            value = step(value)
        return value

    return convert
