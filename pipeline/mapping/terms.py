"""Expressions that are a line of Python each, so that all lines of a map can be one function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import cast

from pipeline.mapping.convert import text
from pipeline.mapping.site import Site
from pipeline.mapping.table import Expression
from pipeline.model.event import Row, Value

Of = Callable[[Row, Site], Value]


@dataclass(frozen=True)
class Term:
    """A text or none; any value where it is remembered of a row. In the line `{column}` stands for
    the text of a column (convert.text), `row` and `site` for themselves.
    """

    line: str

    @cached_property
    def python(self) -> str:
        """The line as it is computed alone."""
        return self.within(_Texts())

    def within(self, texts: Mapping[str, str]) -> str:
        """The line, with what the texts of its columns are called where it is computed."""
        return self.line.format_map(texts)

    @cached_property
    def _made(self) -> Callable[[Row, Site], Value]:
        made = eval(f"lambda row, site: {self.python}", {"text": text})  # noqa: S307 - our own line
        return cast("Callable[[Row, Site], Value]", made)

    def __call__(self, row: Row, site: Site) -> Value:
        """Its value of a row. Raises KeyError for a column that the row lacks."""
        return self._made(row, site)


class _Texts(dict[str, str]):
    def __missing__(self, column: str) -> str:
        return f"text(row[{column!r}])"


@lru_cache(maxsize=64)  # asked for every batch
def values_of(functions: tuple[Of, ...]) -> Callable[[Row, Site], tuple[Value, ...]]:
    """Values of a row as one function: the lines of terms, calls of other functions."""
    scope: dict[str, object] = {"text": text}
    values = ""
    for number, of in enumerate(functions):
        scope[f"of{number}"] = of
        values += f"{of.python}, " if isinstance(of, Term) else f"of{number}(row, site), "
    made = eval(f"lambda row, site: ({values})", scope)  # noqa: S307 - our own lines
    return cast("Callable[[Row, Site], tuple[Value, ...]]", made)


def prefixed(prefix: str, column: str) -> Expression:
    """`prefix` before the key, as in cl-101."""
    return Expression(
        (column,), f"'{prefix}' + {column}", Term(f"{prefix!r} + str(row[{column!r}])")
    )


def first_of(*columns: str) -> Expression:
    """The first of these columns that is not blank."""
    return Expression(
        columns,
        f"first of {', '.join(columns)} that is not blank",
        Term(" or ".join(f"{{{column}}}" for column in columns)),
    )


def joined(*columns: str) -> Expression:
    """The parts that are not blank, with the site's separator between them."""
    texts = ", ".join(f"{{{column}}}" for column in columns)
    return Expression(
        columns,
        f"{', '.join(columns)} joined, blanks left out",
        Term(f"site.assumptions.address_separator.join(filter(None, ({texts},))) or None"),
    )


def text_or_key(column: str, prefix: str, key: str) -> Expression:
    """The column, or the row's own key where it is blank and the target requires a value."""
    return Expression(
        (column, key),
        f"{column}, or the key if blank",
        Term(f"{{{column}}} or {prefix!r} + str(row[{key!r}])"),
    )


def initials_of(first: str, last: str) -> Expression:
    """First letters of first and last name, upper case; a missing part is left out (S-PIM,
    Document Initials).
    """
    return Expression(
        (first, last),
        f"first letters of {first} and {last}",
        Term(f"(({{{first}}} or '')[:1] + ({{{last}}} or '')[:1]).upper() or None"),
    )
