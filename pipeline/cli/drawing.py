"""What answers are drawn of, for a person: text, tables, and groups of them. A terminal gets them
from rich; a pipe gets plain lines, and starts sooner without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.console import Group as RichGroup
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text as RichText

BETWEEN = "  "


class Drawn(Protocol):
    """Something that can be drawn in either way."""

    def plain(self) -> Iterator[str]:
        """Its lines, as wide as they are."""

    def __rich__(self) -> RenderableType: ...


@dataclass(frozen=True, slots=True)
class Text:
    """Lines of text. `style` is of rich, and for a terminal."""

    text: str
    style: str = ""

    def plain(self) -> Iterator[str]:
        yield from self.text.split("\n")

    def __rich__(self) -> RichText:
        from rich.text import Text as RichText

        return RichText(self.text, style=self.style)


class Group:
    """One below the other."""

    def __init__(self, *parts: Drawn) -> None:
        self._parts = parts

    def plain(self) -> Iterator[str]:
        for part in self._parts:
            yield from part.plain()

    def __rich__(self) -> RichGroup:
        from rich.console import Group as RichGroup

        return RichGroup(*(part.__rich__() for part in self._parts))


@dataclass(slots=True)
class Columns:
    """A table. No text in it is cut off: a terminal wraps it."""

    headings: Sequence[str]
    title: str | None = None
    rows: list[Sequence[str]] = field(default_factory=list)

    def add_row(self, *cells: str | None) -> None:
        """As many as there are headings; None is empty."""
        self.rows.append([cell or "" for cell in cells])

    def plain(self) -> Iterator[str]:
        """A line each, in which columns begin at the same place; more for a cell of several."""
        if self.title is not None:
            yield self.title
        cells = [[cell.split("\n") for cell in row] for row in (self.headings, *self.rows)]
        widths = [
            max(len(line) for cell in column for line in cell)
            for column in zip(*cells, strict=True)
        ]
        for row in cells:
            for lines in zip_longest(*row, fillvalue=""):
                padded = (line.ljust(width) for line, width in zip(lines, widths, strict=True))
                yield BETWEEN.join(padded).rstrip()

    def __rich__(self) -> Table:
        from rich.table import Table

        table = Table(title=self.title, title_justify="left")
        for heading in self.headings:
            table.add_column(heading, overflow="fold")
        for row in self.rows:
            table.add_row(*row)
        return table
