"""Paths: how rows of other tables reach a mapping's root, and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.mapping.mirror import MirroredTable
from pipeline.model.event import Value


@dataclass(frozen=True, slots=True)
class Path:
    """How rows of other tables reach a mapping's root, and back.

    `table.column` holds a key of `to`. With `table` the root's: a look-up. With `to` the root's:
    children. With neither: a look-up through a child that has a path of its own to the root. Where
    `prefixes` are given, the column holds a target key made from `to`'s key (cl-101), and only its
    arrival matters, not its values. `left`: the column that remembers which root a child left.
    `levels`: of a tree, whose rows refer to rows of the same table: the row itself, and the rows
    below it down to so many levels. A row that names itself, or no row, is at the top.
    """

    table: str
    column: str
    to: str
    prefixes: tuple[str, ...] = ()
    left: str = ""
    levels: int = 0

    def values_of(self, to: MirroredTable, keys: Iterable[str]) -> list[Value]:
        """What the column holds in rows that refer to these keys of the table `to`."""
        if self.prefixes:
            return [f"{prefix}{key}" for key in keys for prefix in self.prefixes]
        return [*map(to.as_reference, keys)]
