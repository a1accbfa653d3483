"""The statement that adds up many rows, of which most are alike: the same on both databases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AggregatedRows:
    """Expressions over the rows `t` of a table that match given values, for each of these and,
    within, each group of rows that hold the same in the columns `by`.

    Rows that are alike in all that tells them apart (`held`, with `by` in it) are added up first:
    an expression, over each of many rows, costs more than all else. The `expressions` see one row
    `t` for them, with what is held and their `parts`, each by its name. `joins`: tables that these
    two read.
    """

    table: str
    only_if: str
    joins: str
    held: Mapping[str, str]
    parts: Mapping[str, str]
    by: Sequence[str]
    expressions: Sequence[str]

    def over(self, given: str, reference: str, quote: Callable[[str], str]) -> str:
        """The statement, of rows that are joined with the given values, each a `reference`."""
        named = [
            f"{one} AS {quote(name)}" for name, one in (*self.held.items(), *self.parts.items())
        ]
        groups = ", ".join(["t.given", *(f"t.{quote(column)}" for column in self.by)])
        return (
            f"SELECT {', '.join((groups, *self.expressions))} FROM (SELECT"
            f" {', '.join((f'{reference} AS given', *named))} FROM {given} AND {self.only_if}"
            f"{self.joins} GROUP BY {', '.join((reference, *self.held.values()))}) AS t"
            f" GROUP BY {groups}"
        )
