"""One of the two exchanged databases in memory: its tables, its clock,
and a log of what was committed, with positions.

It behaves as PostgreSQL does at READ COMMITTED;
the contract suite holds both to it (tests/contracts/test_pairs.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from pipeline.errors import ConcurrentWrite, RowRejected, TargetRefused
from pipeline.mapping.source import ColumnType, SourceColumn, SourceTable
from pipeline.model.event import Operation, Row, Value
from tests.twins.clock import Ticks
from tests.twins.locks import Locks, Strength
from tests.twins.tables import Change, Key, Session, Table, View
from tests.twins.turns import FreeTurns, Turns

US = "ajera-cdc"
TEXTS = frozenset({ColumnType.TEXT, ColumnType.SHORT_TEXT})
INTEGERS = range(-(2**63), 2**63)


@dataclass(frozen=True)
class SystemTable:
    """A table as a system has it. `extra`: columns that no mapping knows. `first_key`:
    the database gives keys, from this one.
    """

    source: SourceTable
    extra: tuple[SourceColumn, ...] = ()
    first_key: int | None = None
    lengths: Mapping[str, int] = field(default_factory=dict)
    required: frozenset[str] = frozenset()

    @property
    def kinds(self) -> dict[str, ColumnType]:
        return {column.name: column.kind for column in (*self.source.columns, *self.extra)}

    def cast(self, name: str, value: Value) -> Value:
        """A value as a column of that kind compares it. Raises TargetRefused, RowRejected."""
        kinds, where = self.kinds, f"{self.source.name}, column {name}"
        if name not in kinds:
            raise TargetRefused(f"no such column at {where}")
        return _cast(kinds[name], value, where)

    def stored(self, row: Row) -> dict[str, Value]:
        """Values as they are stored. Raises RowRejected for what the column does not hold."""
        values = {name: self.cast(name, value) for name, value in row.items()}
        for name, value in values.items():
            where = f"{self.source.name}, column {name}"
            if value is None and name in self.required:
                raise RowRejected(f"no value where one is required at {where}")
            if isinstance(value, str) and len(value) > self.lengths.get(name, len(value)):
                raise RowRejected(f"a text is too long at {where}")
        return values

    def whole(self, row: Row) -> dict[str, Value]:
        """A new row with every column."""
        return self.stored({**dict.fromkeys(self.kinds), **row})

    def key_of(self, row: Row) -> Key:
        return tuple(_part(row[column.name]) for column in self.source.key_columns)


@dataclass(frozen=True, slots=True)
class Version:
    """A row as one write left it. No two are equal: a write that changes nothing is in the log,
    too.
    """

    values: Row
    lsn: int


@dataclass(frozen=True, slots=True)
class Committed:
    """A committed change as the log tells it: who made it, the place of the commit before it,
    its own, and when it was committed.

    `row`: as it is since; of a deleted one as it was.
    """

    who: str
    table: SourceTable
    operation: Operation
    was: Row
    row: Row
    last_commit: int
    lsn: int
    at: datetime


class MemoryDatabase:
    """A database. `log` holds every committed change of a row in commit order; `tells_positions`:
    its log may be read.
    """

    def __init__(
        self,
        tables: Sequence[SystemTable],
        clock: Ticks,
        *,
        turns: Turns | None = None,
        tells_positions: bool = True,
    ) -> None:
        self.clock = clock
        self.turns = turns or FreeTurns()
        self.tells_positions = tells_positions
        self.described = {table.source.name: table for table in tables}
        self.tables: dict[str, Table[Version]] = {name: Table(name) for name in self.described}
        self.log: list[Committed] = []
        self.locks = Locks(self.turns)
        self.lsn = 0  # the place of the newest record
        self._last_commit = 0
        self._keys = {
            name: count(one.first_key)
            for name, one in self.described.items()
            if one.first_key is not None
        }

    @contextmanager
    def transaction(self, who: str = US) -> Iterator[Open]:
        """Commits at the end, rolls back on an error."""
        session = Session(next(self.locks.owners), self.locks, self.turns)
        one = Open(self, session)
        try:
            yield one
            self.turns.reached("commit")
            if not session.is_spoiled:
                with self.locks.changed:
                    session.commit()
                    self._record(who, one.changes())
        finally:
            session.release()
        self.turns.reached("committed")

    def record(self) -> int:
        """The place of a new record in the log,
        which stays there whatever comes of its transaction.
        """
        with self.locks.changed:
            self.lsn += 1
            return self.lsn

    def next_key(self, table: str) -> int:
        """The key that the database gives next; it is not given again,
        whatever comes of the transaction.
        """
        return next(self._keys[table])

    def gives_keys(self, table: str) -> bool:
        return table in self._keys

    def rows(self, table: str) -> list[Row]:
        """The committed rows of a table, by key."""
        with self.locks.changed:
            rows = self.tables[table].rows
            return [rows[key].values for key in sorted(rows)]

    def _record(self, who: str, changes: Sequence[tuple[int, Change[Version]]]) -> None:
        if not changes:
            return
        at = self.clock.now()
        for lsn, change in sorted(changes, key=lambda pair: pair[0]):
            before, after = (
                None if one is None else one.values for one in (change.before, change.after)
            )
            operation = Operation.UPDATE
            if before is None or after is None:
                operation = Operation.CREATE if before is None else Operation.DELETE
            table, was, row = (
                self.described[change.table].source,
                before or {},
                after or before or {},
            )
            self.log.append(
                Committed(
                    who,
                    table,
                    operation,
                    was,
                    row,
                    self._last_commit,
                    lsn,
                    at,
                )
            )
        self._last_commit = self.record()


class Open:
    """An open transaction over the system's tables."""

    def __init__(self, database: MemoryDatabase, session: Session) -> None:
        self.database = database
        self.session = session
        self._changes: list[Change[Version]] = []
        self._deleted: dict[tuple[str, Key], list[int]] = {}
        self._views = {
            name: View(session, table, self._changes.append)
            for name, table in database.tables.items()
        }

    def described(self, table: str) -> SystemTable:
        """Raises TargetRefused where there is no such table."""
        if table not in self.database.described:
            raise TargetRefused(f"no such table at {table}")
        return self.database.described[table]

    def view(self, table: str) -> View[Version]:
        self.described(table)
        return self._views[table]

    def insert(self, table: str, row: Row) -> bool:
        """A new row; False where its key is there already,
        once nobody else is about to insert it.
        """
        described, view = self.described(table), self.view(table)
        values = described.whole(row)
        key = described.key_of(values)
        self.session.lock(table, (), Strength.WRITE)
        if view.get(key) is not None or view.claim(key) is not None:
            return False
        view.put(key, Version(values, self.database.record()))
        return True

    def insert_generated(
        self,
        table: str,
        row: Row,
        take: Callable[[str], int | None] = lambda _: None,
    ) -> int:
        """A new row with the key that the database gives, else with the one that `take` takes,
        else with the highest plus one.

        That is found under a lock of the table. Raises ConcurrentWrite.
        """
        described, taken = self.described(table), None
        if self.database.gives_keys(table):
            key = self.database.next_key(table)
        elif (taken := take(table)) is not None:
            key = taken
        else:
            self.session.lock(table, (), Strength.UPDATE)
            key = self.highest(table) + 1
        if not self.insert(table, {**row, described.source.key[0]: key}):
            raise ConcurrentWrite(f"the next key is taken at {table}")
        return key

    def highest(self, table: str) -> int:
        return max((int(key[0]) for key, _ in self.view(table).items()), default=0)

    def change(self, table: str, key: Key, row: Row) -> bool:
        """Set columns of a row once it is locked; False where it is not there."""
        values, view = self.described(table).stored(row), self.view(table)
        self.session.lock(table, (), Strength.WRITE)
        there = view.lock(key, Strength.CHANGE)
        if there is None:
            return False
        view.put(key, Version({**there.values, **values}, self.database.record()))
        return True

    def delete(self, table: str, key: Key) -> bool:
        """Delete a row once it is locked; False where it is not there."""
        view = self.view(table)
        self.session.lock(table, (), Strength.WRITE)
        if view.lock(key, Strength.UPDATE) is None:
            return False
        view.delete(key)
        self._deleted.setdefault((table, key), []).append(self.database.record())
        return True

    def changes(self) -> list[tuple[int, Change[Version]]]:
        """What was committed, each change with its place in the log."""
        return [
            (
                self._deleted[one.table, one.key].pop(0) if one.after is None else one.after.lsn,
                one,
            )
            for one in self._changes
        ]


def _cast(kind: ColumnType, value: Value, where: str) -> Value:
    """As a database casts what it is sent. Raises RowRejected. No database text holds a NUL."""
    if value is None:
        return None
    if kind in TEXTS:
        return (str(value).lower() if isinstance(value, bool) else str(value)).replace("\x00", "")
    if kind is ColumnType.FLAG and isinstance(value, bool):
        return value
    if (
        kind is ColumnType.INTEGER
        and isinstance(value, int)
        and not isinstance(value, bool)
        and value in INTEGERS
    ):
        return value
    if kind is ColumnType.INSTANT and isinstance(value, datetime):
        return value
    raise RowRejected(f"a value is of another kind or out of range at {where}")


def _part(value: Value) -> str | int:
    if not isinstance(value, str | int):
        raise RowRejected("a part of a key has no value")
    return value
