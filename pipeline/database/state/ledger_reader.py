"""Answers of a mirror as ledger rows, by a function that is made for the columns asked for: one
pass, without a list of a row's cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, cast

from pipeline.database.sql.dialect import Fields
from pipeline.database.sql.session import CONVERTED, canonical
from pipeline.mapping.source import ColumnType
from pipeline.model.ledger import LedgerRow
from pipeline.model.position import NOWHERE, TopicOffset

AT_POSITION: Final = "="  # in place of `changed_at` where that is the row's position, as of most
Answer = Sequence[Any]
Reader = Callable[[Iterable[Answer], Callable[[Answer], LedgerRow]], list[LedgerRow]]


@lru_cache(maxsize=256)  # asked for with every statement
def reader(table: str, columns: tuple[str, ...], values: Fields) -> Reader:
    """Rows of this table from answers with these columns, of which `values` are mirrored: a row of
    which something is unknown is given to the second argument. Without `offset` among the columns a
    row is nowhere.
    """
    at = {name: f"c{number}" for number, name in enumerate(columns)}
    cells = (f"{field.name!r}: {_value(at[field.name], field.kind)}" for field in values)
    changed_at = (
        f"{at['position']} if {at['changed_at']} == {AT_POSITION!r} else {at['changed_at']}"
    )
    position, place, epoch, committed_at = "''", "NOWHERE", "0", "None"
    if "offset" in at:
        position, epoch = at["position"], at["epoch"]
        place = f"Place({at['incarnation']}, {at['partition']}, {at['offset']})"
        committed_at = _value(at["committed_at"], ColumnType.INSTANT)
    made = (
        f"Row({table!r}, {at['key']}, {{{', '.join(cells)}}}, {position}, {place},"
        f" bool({at['deleted']}), NOTHING, {epoch}, {committed_at}, {at['revision']},"
        f" {at['retired_at']}, {changed_at})"
    )
    code = (
        "def read(answers, other):\n"
        " found = []\n"
        " for answer in answers:\n"
        f"  {', '.join(at.values())} = answer\n"
        f"  found.append(other(answer) if {at['unknown']} else {made})\n"
        " return found\n"
    )
    scope: dict[str, object] = {
        "Row": LedgerRow,
        "Place": TopicOffset,
        "NOWHERE": NOWHERE,
        "NOTHING": frozenset[str](),
        "canonical": canonical,
        "Kind": ColumnType,
    }
    exec(code, scope)  # noqa: S102 - made of numbers and our own column names
    return cast("Reader", scope["read"])


def _value(cell: str, kind: ColumnType) -> str:
    """Drivers differ in flags and instants alone."""
    if kind is ColumnType.FLAG:
        return f"None if {cell} is None else bool({cell})"
    return f"canonical({cell}, Kind.{kind.name})" if kind in CONVERTED else cell
