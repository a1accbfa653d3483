"""A mapping made ready for rows whose columns are all known and whose values fit as they are: one
pass over its lines in place of `build` and `fit`. Whatever is not so plain goes the general way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from pipeline.errors import ValueRefused
from pipeline.mapping.convert import text
from pipeline.mapping.site import Site
from pipeline.mapping.table import Column, CreateOnly, Derived, TableMapping
from pipeline.mapping.target import TargetColumn, TargetRow, TargetTable
from pipeline.mapping.terms import Term
from pipeline.model.event import Row, Value

Of = Callable[[Row, Site], Value]
Cells = tuple[Value, ...]
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
    """One mapping on one site, into a table as it lives. `columns` are written beside the key; the
    last of them, `prefilled` in number, only when a row is made.
    """

    mapping: TableMapping
    columns: tuple[str, ...]
    prefilled: int
    cells: Callable[[Row], Cells | None]

    @property
    def can_change(self) -> bool:
        """Is there a column that is written in a row that is there."""
        return len(self.columns) > self.prefilled

    def place(self, column: str) -> int:
        """Where a column stands in what `cells` gives."""
        return 1 + self.columns.index(column)

    def row(self, values: Row) -> TargetRow | None:
        """The target row of a root all of whose columns are known, as `build` and `fit` give it;
        None where a value would have to be made to fit, or is refused.
        """
        cells = self.cells(values)
        return None if cells is None else self.row_of(cells)

    def row_of(self, cells: Cells) -> TargetRow:
        """The target row of what `cells` gave."""
        made = len(self.columns) - self.prefilled
        found = [*zip(self.columns, cells[1:], strict=True)]
        return TargetRow(
            self.mapping.target, (str(cells[0]),), dict(found[:made]), dict(found[made:])
        )


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
    lines = [*_lines(mapping, table, 2 if utf16 else 1)]
    lines.sort(key=lambda line: line.target in prefilled)
    columns = tuple(line.target for line in lines)
    return PlainMapping(
        mapping, columns, len(prefilled), _compiled(mapping.key.expression.of, lines, site)
    )


def _lines(mapping: TableMapping, table: TargetTable, units: int) -> Iterator[_Line]:
    """`units`: those that the database may count a character as."""
    for line in mapping.lines:
        column = table.column(line.target)
        longest = longest_of(column, units)
        match line:
            case Column(source=source):
                yield _Line(line.target, Term(f"{{{source}}}"), longest, column.nullable)
            case Derived(expression=expression):
                yield _Line(line.target, expression.of, longest, column.nullable)
            case CreateOnly(of=of):
                yield _Line(line.target, _of_site(of), longest, column.nullable)


def _of_site(of: Callable[[Site], Value]) -> Of:
    return lambda _, site: of(site)


class _Texts(dict[str, str]):
    """By source column the variable that holds its text, and the code that fills them."""

    def __init__(self) -> None:
        self.code: list[str] = []

    def __missing__(self, column: str) -> str:
        name = self[column] = f"t{len(self)}"
        self.code += (
            f"  {name} = row[{column!r}]",
            f"  if type({name}) is str and NUL not in {name}:",
            f"   {name} = {name}.strip() or None",
            f"  elif {name} is not None: {name} = text({name})",
        )
        return name


def _compiled(key: Of, lines: Sequence[_Line], site: Site) -> Callable[[Row], Cells | None]:
    """The key and the lines' values of a row, as one function made for these lines."""
    scope: dict[str, object] = {
        "NUL": "\x00",
        "Decimal": Decimal,
        "key": key,
        "site": site,
        "text": text,
        "Refused": ValueRefused,
    }
    texts, body = _Texts(), list[str]()
    for number, line in enumerate(lines):
        scope[f"of{number}"] = line.of
        body += (f"  {part}" for part in _value(line, number, texts))
    made = f"({key.within(texts)})" if isinstance(key, Term) else "key(row, site)"
    values = "".join(f"v{number}, " for number in range(len(lines)))
    body.append(f"  return (str({made}), {values})")
    code = ["def cells(row):", " try:", *texts.code, *body, " except Refused:", "  return None"]
    exec("\n".join(code), scope)  # noqa: S102 - made of numbers and our own column names
    return cast("Callable[[Row], Cells | None]", scope["cells"])


def _value(line: _Line, number: int, texts: _Texts) -> Iterator[str]:
    name, longest = f"v{number}", line.longest
    if isinstance(line.of, Term):
        yield f"{name} = {line.of.within(texts)}"
    else:
        yield f"{name} = of{number}(row, site)"
        yield f"if isinstance({name}, Decimal): return None"
    if not line.nullable:
        yield f"if {name} is None: return None"
    if longest == UNLIMITED:
        return
    if isinstance(line.of, Term):
        yield f"if {name} is not None and len({name}) > {longest}: return None"
    else:
        yield f"if isinstance({name}, str) and len({name}) > {longest}: return None"


def longest_of(column: TargetColumn, units: int) -> int:
    """Up to which length a text plainly fits, -1 if none does. `units`: those that the database may
    count a character as.
    """
    if column.encoding is not None:
        return -1
    return UNLIMITED if column.length is None else column.length // units
