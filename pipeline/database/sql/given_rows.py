"""Rows as parameters of a statement: texts that a database reads as rows. A NUL, which no
database text holds, is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import orjson

from pipeline.database.sql.dialect import Cells
from pipeline.model.event import Value

NUL = "\\u0000"  # as JSON writes it


def json_rows(rows: Sequence[Cells]) -> str:
    """Rows as JSON objects with the keys c0, c1, ..."""
    if rows and len(rows[0]) == 1:
        short = _keys_as_json([key for (key,) in rows])
        if short is not None:
            return short
    names = [f"c{number}" for number in range(len(rows[0]))] if rows else []
    text = orjson.dumps(
        [dict(zip(names, row, strict=True)) for row in rows], default=_plain
    ).decode()
    if NUL not in text:
        return text
    without = [
        [value.replace("\x00", "") if isinstance(value, str) else value for value in row]
        for row in rows
    ]
    return orjson.dumps(
        [dict(zip(names, row, strict=True)) for row in without],
        default=_plain,
    ).decode()


def _keys_as_json(keys: list[Value]) -> str | None:
    """The same of one column, where nothing in it needs to be escaped: put together from the
    values' own JSON, since thousands of objects would be garbage to collect.
    """
    text = orjson.dumps(keys, default=_plain).decode()
    if "\\" in text or text.count(",") >= len(keys):
        return None
    kinds = {*map(type, keys)}
    if kinds == {str}:
        return '[{"c0":' + text[1:-1].replace('","', '"},{"c0":"') + "}]"
    if kinds == {int}:
        return '[{"c0":' + text[1:-1].replace(",", '},{"c0":') + "}]"
    return None


def _plain(value: object) -> str:
    """A decimal without an exponent, which SQL Server does not read."""
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def arrays(rows: Sequence[Cells]) -> list[str]:
    """A column each as the literal of an array of PostgreSQL's, of whatever type its cells are."""
    return [_array(column) for column in zip(*rows, strict=True)]


def _array(cells: Cells) -> str:
    """As JSON has it where nothing but quotes is escaped: the rest is escaped differently."""
    text = orjson.dumps(cells, default=_plain).decode()
    if text.count("\\") != text.count('\\"'):
        text = f"[{','.join(map(_element, cells))}]"
    return f"{{{text[1:-1]}}}"


def _element(value: Value) -> str:
    if not isinstance(value, str):
        return orjson.dumps(value, default=_plain).decode()
    escaped = value.replace("\x00", "").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
