"""What a projection needs of rows in the target's database (parts of the port `Transaction`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from pipeline.mapping.observed import Root, Written
from pipeline.mapping.target import Adopted, TargetRow
from pipeline.model.event import Row, Value
from pipeline.model.ledger import LedgerRow
from pipeline.model.outcome import RowCounts
from pipeline.model.plain import PlainChange, PlainEvent


class LedgerRows(Protocol):
    """What is remembered of source rows: ledger and mirror."""

    def lock_rows(
        self, table: str, keys: Sequence[str], *, placed: bool = True
    ) -> dict[str, LedgerRow]:
        """The ledger rows of these source rows, locked until the end of the transaction;
        absent ones are left out. Not `placed`: without how far the source was read (position,
        place, epoch, commit time), for whoever writes no ledger row.
        """

    def write_rows(self, rows: Sequence[LedgerRow]) -> None:
        """Store ledger rows of one table as read by `lock_rows`, changed.
        Raises ConcurrentWrite if one changed meanwhile.
        """

    @property
    def takes_plain(self) -> bool:
        """Can this database take many rows at once: `write_plain` and `upsert_plain`."""

    def write_plain(self, table: str, events: Sequence[PlainEvent]) -> Mapping[str, PlainChange]:
        """Apply events of one table, one a row, to rows that are new, or neither retired nor partly
        unknown and before which the guard puts the event; by key, what was written. The other rows
        are locked and left as they are. Raises RowRejected.
        """

    def rows_by_key(
        self, table: str, keys: Sequence[str], *, placed: bool = True
    ) -> list[LedgerRow]:
        """Committed ledger rows by key, not locked; `placed` as in `lock_rows`."""

    def rows_where(self, table: str, column: str, values: Sequence[Value]) -> list[LedgerRow]:
        """Committed ledger rows whose mirrored column holds one of the values, not locked and not
        placed.
        """

    def values_where(
        self, table: str, wanted: str, column: str, values: Sequence[Value]
    ) -> list[Value]:
        """What the column `wanted` ("": the key) holds in the committed rows whose mirrored column
        holds one of the values, once or more often. Not locked.
        """

    def distinct_values(
        self, table: str, wanted: str, column: str, values: Sequence[Value]
    ) -> list[Value]:
        """What the column `wanted` holds in the committed rows that are not retired and hold one of
        these values in `column`, each once. "" for a column is the row's key. Not locked.
        """

    def unseen(self, table: str, epoch: int, limit: int) -> list[LedgerRow]:
        """Rows that exist and have an older epoch, locked: at most so many, by key."""

    def lock_page(self, table: str, after: str, limit: int) -> list[LedgerRow]:
        """The next ledger rows of a table by key, locked."""


class WrittenRows(Protocol):
    """What rows of the target hold, and what they held after we wrote them last. `keys` are a
    table's one key, or the ids by which its rows are told.
    """

    def held(self, table: str, keys: Collection[str]) -> dict[str, Row]:
        """Every column of those rows that are there, locked until the end of the transaction."""

    def of(self, table: str, keys: Collection[str]) -> dict[str, Written]:
        """What is remembered of these rows, not locked."""

    def for_roots(self, roots: Collection[Root]) -> dict[tuple[str, str], Root]:
        """Table and key of every row that was written for one of these, with the one."""

    def remember(self, table: str, rows: Mapping[str, Written]) -> None: ...

    def forget(self, table: str, keys: Collection[str]) -> None: ...


class TargetRows(Protocol):
    """Rows of the target's own tables."""

    @property
    def written(self) -> WrittenRows: ...

    def existing(self, table: str, keys: Sequence[str]) -> set[str]:
        """Those rows of a target table, by its one key column, that exist;
        locked against deletion.
        """

    def create_missing(self, table: str, rows: Sequence[Row]) -> int:
        """Insert those rows whose key the target lacks; how many."""

    def holders(self, table: str, column: str, values: Sequence[str]) -> dict[str, str]:
        """Who holds these values of a unique column: value as the target holds it -> key."""

    def upsert_plain(
        self, table: str, columns: Sequence[str], prefilled: int, rows: Sequence[Sequence[Value]]
    ) -> RowCounts:
        """As `upsert`, of rows that all have their key and these columns, the last of which are
        prefilled. Raises RowRejected, also for a value of another type than its column.
        """

    def upsert(self, table: str, rows: Sequence[TargetRow]) -> RowCounts:
        """Create or change target rows; a row that holds its values already is not touched."""

    def replace_children(self, table: str, wanted: Mapping[str, Sequence[TargetRow]]) -> RowCounts:
        """For each parent key, make our rows of a child table exactly these, and their values;
        what holds them already is not written. Rows that others made stay as they are.
        """

    def adopt_children(
        self, table: str, wanted: Mapping[str, Sequence[TargetRow]], left: Row
    ) -> Adopted:
        """The same where rows are told by an id, which several rows of one key may have: the row
        that we wrote before; else one that is there, of several the one with the lowest id; else
        one that we make. Rows that we made are deleted when they are not wanted any more; others
        get the values `left` and are nobody's. All are locked. Raises ConcurrentWrite.
        """
