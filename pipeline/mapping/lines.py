"""The lines of a mapping as one function, which gives the target row of a root that is there and of
which all is known, where its values fit as they are: one pass in place of `build` and `fit`. Of
whatever is not so plain it gives nothing, and the general way is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import cast

from pipeline.errors import ValueRefused
from pipeline.mapping.aggregate import Aggregate
from pipeline.mapping.apply import Built, children_of
from pipeline.mapping.convert import text
from pipeline.mapping.fit import plainly_fits
from pipeline.mapping.known import ValueUnknown
from pipeline.mapping.neighbours import Graph, GraphNeighbours
from pipeline.mapping.plain import UNLIMITED, longest_of
from pipeline.mapping.table import (
    ChangedSince,
    Column,
    CreateOnly,
    Derived,
    Expression,
    Kept,
    Line,
    Related,
    RowMissing,
    TableMapping,
    TextOfRow,
)
from pipeline.mapping.target import TargetColumn, TargetRow, TargetTable
from pipeline.mapping.terms import Term
from pipeline.model.ledger import LedgerRow

# the target row, or nothing
Lines = Callable[[GraphNeighbours], TargetRow | None]


def built_at_once(
    mapping: TableMapping,
    root: LedgerRow,
    graph: Graph,
    loaded: frozenset[str],
    lines: Lines,
) -> Built | None:
    """As `build` gives it, with a row that `fit` leaves as it is; None where it would take these.
    Raises ValueRefused where a rule of a child row refuses a source value.
    """
    if root.retired_at or root.unknown:
        return None
    neighbours = GraphNeighbours(root, graph, mapping)
    row = lines(neighbours)
    if row is None:
        return None
    children, lacking = children_of(mapping, neighbours, loaded)
    return Built(mapping, root, row, children, lacking, fits=True)


@lru_cache(maxsize=256)  # asked for every batch
def lines_of(
    mapping: TableMapping, table: TargetTable, loaded: frozenset[str], *, utf16: bool
) -> Lines:
    """The lines that need no other tables than these, as one function made for them.

    `utf16`: the database counts text lengths in UTF-16 units.
    """
    scope: dict[str, object] = {
        "Decimal": Decimal,
        "Kept": Kept,
        "TargetRow": TargetRow,
        "text": text,
        "fits": plainly_fits,
        "not_plain": (ChangedSince, ValueUnknown, RowMissing, ValueRefused),
    }
    code = [
        "def lines(near):",
        " row, site = near.root.values, near.graph.site",
        " try:",
    ]
    if any(isinstance(line, Aggregate) for line in mapping.lines):
        code.append("  aggregated = near.aggregated")
    given: dict[bool, list[str]] = {True: [], False: []}
    found: dict[object, str] = {}  # rows that several lines read
    for number, line in enumerate(mapping.lines):
        if isinstance(line, Related) and not loaded.issuperset(line.needs):
            continue
        column = table.column(line.target)
        scope |= {f"of{number}": _function(line), f"column{number}": column}
        code += (f"  {part}" for part in _value(line, number, found))
        code += (f"  {part}" for part in _fits(column, number, 2 if utf16 else 1))
        given[isinstance(line, CreateOnly)].append(f"{line.target!r}: v{number}")
    values, prefill = ", ".join(given[False]), ", ".join(given[True])
    code += [
        f"  return TargetRow({mapping.target!r}, ({_key(mapping)},), {{{values}}}, {{{prefill}}})",
        " except not_plain:",
        "  return None",
    ]
    exec("\n".join(code), scope)  # noqa: S102 - made of numbers and our own column names
    return cast("Lines", scope["lines"])


def _key(mapping: TableMapping) -> str:
    match mapping.key:
        case Derived(expression=Expression(of=Term() as term)):
            return f"str({term.python})"
        case _:
            return "near.key"


def _function(line: Line) -> object:
    match line:
        case Derived(expression=expression):
            return expression.of
        case Related(of=TextOfRow(row=row)):
            return row
        case Related(of=related):
            return related
        case CreateOnly(of=of_site):
            return of_site
        case Column() | Aggregate():
            return None


def _value(line: Line, number: int, found: dict[object, str]) -> Iterator[str]:
    """`found`: the rows that lines before this one read."""
    match line:
        case Column(source=source):
            yield f"v{number} = text(row[{source!r}])"
        case Derived(expression=Expression(of=Term() as term)):
            yield f"v{number} = {term.python}"
        case Derived():
            yield f"v{number} = of{number}(row, site)"
        case CreateOnly():
            yield f"v{number} = of{number}(site)"
        case Aggregate(target=target):
            yield f"if {target!r} not in aggregated: return None"
            yield f"v{number} = aggregated[{target!r}]"
        case Related(of=TextOfRow(row=row, column=source)):
            if row not in found:
                found[row] = f"row{number}"
                yield f"row{number} = of{number}(near)"
            held = f"text({found[row]}.values[{source!r}])"
            yield f"v{number} = None if {found[row]} is None else {held}"
        case Related():
            yield f"v{number} = of{number}(near)"
            yield f"if type(v{number}) is Kept: return None"


def _fits(column: TargetColumn, number: int, units: int) -> Iterator[str]:
    value, most = f"v{number}", longest_of(column, units)
    yield f"if type({value}) is str:"  # as nearly all are
    yield f" if len({value}) > {most}: return None" if most != UNLIMITED else " pass"
    yield f"elif {value} is None:"
    yield " pass" if column.nullable else " return None"
    if most != UNLIMITED:
        yield f"elif isinstance({value}, str) and len({value}) > {most}: return None"
    yield f"elif isinstance({value}, Decimal) and not fits(column{number}, {value}): return None"
