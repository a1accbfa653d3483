"""Columns that were added to mirrors since the first release, and which rows do not have them yet.

A migration adds a column to a mirror and a row to `sync.added_column`; it touches no row of the
mirror. A mirror row says which of the added columns its last writer knew (`columns_version`), and
that it was the last one (`columns_revision`, the row's own revision at that time): what a program
of an older release wrote over has unknown values again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.database.sql.session import Session, number_of

ADDED_COLUMN = "added_column"
WHOLE_TABLE = ""  # in place of a column's name: the table was added


@dataclass(frozen=True, slots=True)
class AddedColumn:
    """`version` numbers additions in their order. Every row has the column once its table was
    loaded in `known_epoch`, or a later one.
    """

    table: str
    name: str
    version: int
    known_epoch: int


class AddedColumns:
    """The added columns of one `sync`. They change with the schema, so they are read once."""

    def __init__(self, columns: tuple[AddedColumn, ...]) -> None:
        self._columns = columns
        self._pending = columns

    def versions(self, table: str) -> dict[str, int]:
        return {one.name: one.version for one in self._columns if one.table == table}

    def first_epoch(self, table: str) -> int:
        """In which epoch a snapshot of a table can be read at the earliest: none holds a table that
        was added after it was taken.
        """
        found = (one for one in self._columns if (one.table, one.name) == (table, WHOLE_TABLE))
        return max((one.known_epoch for one in found), default=0)

    @property
    def pending(self) -> tuple[AddedColumn, ...]:
        """Those that may be unknown in some row."""
        return self._pending

    def unknown(self, loaded: Mapping[str, int]) -> frozenset[tuple[str, str]]:
        """Table and name of those that are not known in every row, by the epochs in which tables
        were loaded last. A column that is known in every row stays so.
        """
        self._pending = tuple(
            one for one in self._pending if loaded.get(one.table, 0) < one.known_epoch
        )
        return frozenset((one.table, one.name) for one in self._pending)


def added_columns(session: Session, schema: str) -> AddedColumns:
    """Every addition that the state has stored."""
    quote = session.dialect.quote
    names = ("source_table", "name", "version", "known_epoch")
    answers = session.ask(
        ADDED_COLUMN,
        f"SELECT {', '.join(map(quote, names))}"
        f" FROM {session.dialect.qualify(schema, ADDED_COLUMN)}",
    )
    return AddedColumns(
        tuple(
            AddedColumn(str(table), str(name), number_of(version), number_of(epoch))
            for table, name, version, epoch in answers
        )
    )
