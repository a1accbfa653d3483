"""Values of lines as JSON text, and back, exactly: plain ones go through as they are, the others
are tagged.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

import orjson

from pipeline.conflicts.link import Values
from pipeline.model.event import Value

# What the JSON library reads and writes: a link's document, and values in it. Only this package
# looks into one.
Json: TypeAlias = Any
Document: TypeAlias = dict[str, Json]

_PLAIN = frozenset({str, int, bool, type(None)})
_TIMES = frozenset({date, datetime})


def dump_values(values: Values) -> str:
    """Line values as JSON text."""
    return text_of(values_out(values))


def load_values(text: str) -> dict[str, Value]:
    """The line values of such a text."""
    return values_in(orjson.loads(text))


def dump_value(value: Value) -> str:
    """One value as JSON text."""
    return text_of(value_out(value))


def load_value(text: str) -> Value:
    """The value of such a text."""
    return value_in(orjson.loads(text))


def value_out(value: Value) -> Json:
    """Times are tagged as values; the link's own times are not."""
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    return {"date": value.isoformat()} if isinstance(value, date) else value


def values_out(values: Values) -> Json:
    """The same of many, by line."""
    if _TIMES.isdisjoint(map(type, values.values())):
        return values
    return {name: value_out(value) for name, value in values.items()}


def _tagged(value: object) -> Json:
    """A number as it is written. Raises TypeError for anything that is no value."""
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    raise TypeError("not a value of a link")


def value_in(found: Json) -> Value:
    """A value as JSON has it. Raises ValueError for a tag that is not known."""
    match found:
        case {"decimal": str(text)}:
            return Decimal(text)
        case {"datetime": str(text)}:
            return datetime.fromisoformat(text)
        case {"date": str(text)}:
            return date.fromisoformat(text)
        case None | str() | bool() | int():
            return found
        case _:
            raise ValueError("not a value of a link")


def text_of(document: Json) -> str:
    """As JSON text. Raises TypeError for anything that is no value."""
    return orjson.dumps(document, default=_tagged).decode()


def values_in(found: dict[str, Json]) -> dict[str, Value]:
    """The same of many, by line."""
    if _PLAIN.issuperset(map(type, found.values())):
        return found
    return {
        name: value if value.__class__ in _PLAIN else value_in(value)
        for name, value in found.items()
    }


def is_same(one: object, other: object) -> bool:
    """To the letter: 1 and true, or 1.0 and 1.00, are equal and not the same."""
    return one is other or (
        one.__class__ is other.__class__
        and one == other
        and (one.__class__ in _PLAIN or str(one) == str(other))
    )
