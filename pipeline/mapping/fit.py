"""Making values fit the target's columns, by a stated policy for each column:
nothing is cut or replaced silently.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass, replace
from decimal import Decimal

from pipeline.errors import ValueRefused
from pipeline.mapping.convert import cut, rounded
from pipeline.mapping.site import ColumnPolicy, OverflowPolicy, Site
from pipeline.mapping.target import TargetColumn, TargetRow, TargetTable
from pipeline.model.event import Row, Value

UNENCODABLE = "?"


@dataclass(frozen=True, slots=True)
class Fitted:
    """The row as the target can hold it, and what was done to which columns."""

    row: TargetRow
    done: tuple[tuple[str, OverflowPolicy], ...]


def fit(table: TargetTable, row: TargetRow, site: Site, *, utf16: bool) -> Fitted:
    """Apply each column's policy. Raises ValueRefused naming the column whose policy refuses.

    `utf16`: the database counts text lengths in UTF-16 units.
    """
    columns = table.by_name()
    done: list[tuple[str, OverflowPolicy]] = []

    def fitted(values: Row) -> Row:
        changed: dict[str, Value] = {}
        for name, value in values.items():
            column = columns[name]
            if plainly_fits(column, value):
                continue
            policy = site.policy(table.name, name)
            changed[name], how = _fitted(table.name, column, policy, value, utf16=utf16)
            if how is not None:
                done.append((name, how))
        return {**values, **changed} if changed else values

    values, prefill = fitted(row.values), fitted(row.prefill)
    if values is row.values and prefill is row.prefill:
        return Fitted(row, ())
    return Fitted(replace(row, values=values, prefill=prefill), tuple(done))


def fit_key(table: TargetTable, key: tuple[str, ...], *, utf16: bool) -> tuple[str, ...]:
    """The key of a row that is nothing else, as the table's columns can hold it."""
    columns = [table.column(name) for name in table.key]
    return tuple(
        part if column.length is None else cut(part, column.length, utf16=utf16)
        for column, part in zip(columns, key, strict=True)
    )


def plainly_fits(column: TargetColumn, value: Value) -> bool:
    """Most values: decided without the policies. A character is at most two UTF-16 units."""
    if value is None:
        return column.nullable
    if isinstance(value, Decimal):
        return column.places is None or value == rounded(value, column.places)
    if not isinstance(value, str):
        return True
    return column.encoding is None and (column.length is None or 2 * len(value) <= column.length)


def _fitted(
    table: str,
    column: TargetColumn,
    policy: ColumnPolicy,
    value: Value,
    *,
    utf16: bool,
) -> tuple[Value, OverflowPolicy | None]:
    if value is None:
        return _filled(table, column, policy)
    if isinstance(value, Decimal) and column.places is not None:
        _refuse_if(
            policy.too_long,
            table,
            column,
            "has more places than the column",
        )
        return rounded(value, column.places), OverflowPolicy.CUT
    if not isinstance(value, str):
        return value, None
    text, how = _encodable(table, column, policy, value)
    if column.length is not None and _units(text, utf16=utf16) > column.length:
        _refuse_if(policy.too_long, table, column, "is longer than the column")
        return cut(text, column.length, utf16=utf16), OverflowPolicy.CUT
    return text, how


def _filled(
    table: str, column: TargetColumn, policy: ColumnPolicy
) -> tuple[Value, OverflowPolicy | None]:
    if column.nullable:
        return None, None
    _refuse_if(
        policy.null,
        table,
        column,
        "is empty, and the column requires a value",
    )
    return "", OverflowPolicy.REPLACE


def _encodable(
    table: str, column: TargetColumn, policy: ColumnPolicy, value: str
) -> tuple[str, OverflowPolicy | None]:
    if column.encoding is None:
        return value, None
    codec = codecs.lookup(column.encoding)
    held = codec.decode(codec.encode(value, "replace")[0])[0]
    if held == value:
        return value, None
    _refuse_if(
        policy.unencodable,
        table,
        column,
        "has characters that the column's encoding lacks",
    )
    return held, OverflowPolicy.REPLACE


def _refuse_if(policy: OverflowPolicy, table: str, column: TargetColumn, why: str) -> None:
    if policy is OverflowPolicy.REFUSE:
        raise ValueRefused(f"the value for {table}.{column.name} {why}")


def _units(text: str, *, utf16: bool) -> int:
    return len(text.encode("utf-16-le")) // 2 if utf16 else len(text)
