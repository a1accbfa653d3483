"""A mapping made ready for rows whose columns are all known and whose values fit as they are: one
pass over its lines in place of `build` and `fit`. Whatever is not so plain goes the general way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from pipeline.errors import ValueRefused
from pipeline.mapping.convert import text
from pipeline.mapping.site import Site
from pipeline.mapping.table import Column, CreateOnly, Derived, TableMapping
from pipeline.mapping.target import TargetColumn, TargetRow, TargetTable
from pipeline.model.event import Row, Value

Of = Callable[[Row, Site], Value]
UNLIMITED = 1 << 62


@dataclass(frozen=True, slots=True)
class _Line:
    """A target column: its value, how long a text plainly fits (-1: none does), and whether it may
    be null.
    """

    target: str
    of: Of
    longest: int
    nullable: bool


@dataclass(frozen=True)
class PlainMapping:
    """One mapping on one site, into a table as it lives."""

    mapping: TableMapping
    key: Of
    lines: tuple[_Line, ...]
    prefilled: tuple[_Line, ...]
    site: Site

    def row(self, values: Row) -> TargetRow | None:
        """The target row of a root all of whose columns are known, as `build` and `fit` give it;
        None where a value would have to be made to fit, or is refused.
        """
        try:
            found = self._values(self.lines, values)
            prefill = self._values(self.prefilled, values)
        except ValueRefused:
            return None
        if found is None or prefill is None:
            return None
        return TargetRow(self.mapping.target, (str(self.key(values, self.site)),), found, prefill)

    def _values(self, lines: tuple[_Line, ...], values: Row) -> dict[str, Value] | None:
        found: dict[str, Value] = {}
        site = self.site
        for line in lines:
            value = line.of(values, site)
            if value is None:
                if not line.nullable:
                    return None
            elif isinstance(value, str):
                if len(value) > line.longest:
                    return None
            elif isinstance(value, Decimal):
                return None
            found[line.target] = value
        return found


def plain(
    mapping: TableMapping, table: TargetTable, site: Site, *, utf16: bool
) -> PlainMapping | None:
    """The mapping made ready, None where the target row depends on more than its root.

    `utf16`: the database counts text lengths in UTF-16 units.
    """
    if (
        not isinstance(mapping.key, Derived)
        or mapping.children
        or mapping.groups
        or mapping.grouped
        or not all(path.prefixes for path in mapping.paths)
        or not all(isinstance(line, Column | Derived | CreateOnly) for line in mapping.lines)
        or not table.required <= {line.target for line in mapping.lines}
        or table.is_others
        or table.unique
        or table.row_id
    ):
        return None
    prefilled = {line.target for line in mapping.lines if isinstance(line, CreateOnly)}
    lines = tuple(_lines(mapping, table, 2 if utf16 else 1))
    return PlainMapping(
        mapping,
        mapping.key.expression.of,
        tuple(line for line in lines if line.target not in prefilled),
        tuple(line for line in lines if line.target in prefilled),
        site,
    )


def _lines(mapping: TableMapping, table: TargetTable, units: int) -> Iterator[_Line]:
    """`units`: those that the database may count a character as."""
    for line in mapping.lines:
        column = table.column(line.target)
        longest = _longest(column, units)
        match line:
            case Column(source=source):
                yield _Line(line.target, _text(source), longest, column.nullable)
            case Derived(expression=expression):
                yield _Line(line.target, expression.of, longest, column.nullable)
            case CreateOnly(of=of):
                yield _Line(line.target, _of_site(of), longest, column.nullable)


def _text(source: str) -> Of:
    return lambda row, _: text(row[source])


def _of_site(of: Callable[[Site], Value]) -> Of:
    return lambda _, site: of(site)


def _longest(column: TargetColumn, units: int) -> int:
    if column.encoding is not None:
        return -1
    return UNLIMITED if column.length is None else column.length // units
