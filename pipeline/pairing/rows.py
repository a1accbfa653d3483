"""The rows of one side of the exchange, as everything that decides about them sees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from pipeline.mapping.source import SourceTable
from pipeline.model.event import Row, Value
from pipeline.pairing.entity import CodeList, Lists, NewRow

Keys = Sequence[str]


class Rows(Protocol):
    """The rows of one side, in a transaction. Rows are locked and written in key order."""

    def clock(self) -> datetime:
        """That database's own time, now and not at the transaction's beginning."""

    def log_position(self) -> str | None:
        """The change part of a position, at or after everything that this transaction wrote;
        None if it may not be read.
        """

    def read(self, table: SourceTable, keys: Keys, *, lock: bool = False) -> dict[str, Row]:
        """Rows by key; those that are not there are left out."""

    def named(
        self,
        table: SourceTable,
        columns: Sequence[str],
        texts: Sequence[str],
        length: int | None = None,
    ) -> dict[str, Row]:
        """Rows one of whose columns holds one of the texts, case and all blanks aside.

        `length`: how many characters of trimmed text are compared, None for all.
        What `folded` makes equal is found.
        """

    def having(
        self,
        table: SourceTable,
        columns: Sequence[str],
        values: Sequence[tuple[Value, ...]],
    ) -> dict[str, Row]:
        """Rows whose columns hold one of these groups of values."""

    def distinct(
        self,
        table: SourceTable,
        columns: Sequence[str],
        by: str,
        values: Sequence[Value],
    ) -> set[tuple[Value, ...]]:
        """The different values of these columns,
        in rows whose column `by` holds one of the values.
        """

    def keys(self, table: SourceTable) -> list[str]:
        """The keys of all rows."""

    def update(self, table: SourceTable, changes: Mapping[str, Row]) -> None:
        """Set columns of rows, by key; they are locked by `read` before."""

    def insert(self, table: SourceTable, rows: Sequence[NewRow]) -> list[str | None]:
        """The keys of the rows, each None where a row of that key is there already."""

    def lists(self, lists: Iterable[CodeList]) -> Lists:
        """This side's entries of code lists."""
