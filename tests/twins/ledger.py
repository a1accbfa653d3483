"""Ledger and mirror of the twin: one row for each source row,
as `pipeline.database.state.ledger` keeps them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from pipeline.engine.projection import guard
from pipeline.errors import ConcurrentWrite, RowRejected
from pipeline.mapping.aggregate import (
    Aggregate,
    AggregateGroups,
    Function,
    Where,
    WhereRelated,
)
from pipeline.mapping.mirror import MirroredTable
from pipeline.mapping.path import Path
from pipeline.mapping.site import Site
from pipeline.mapping.source import ColumnType
from pipeline.mapping.table import Groups
from pipeline.model import applied
from pipeline.model.event import Event, Value
from pipeline.model.ledger import LedgerRow
from pipeline.model.plain import PlainChange, PlainEvent
from pipeline.model.position import NOWHERE
from tests.twins.locks import Strength
from tests.twins.tables import Session, Table, View

SHORT_TEXT_LENGTH = 450
INTEGERS = range(-(2**63), 2**63)


class Ledger:
    """Reads and writes ledger rows."""

    def __init__(
        self,
        session: Session,
        tables: Mapping[str, Table[LedgerRow]],
        sources: Sequence[MirroredTable],
    ) -> None:
        self._session = session
        self._views = {name: View(session, table) for name, table in tables.items()}
        self._sources = {source.name: source for source in sources}

    def lock_rows(
        self, table: str, keys: Sequence[str], *, placed: bool = True
    ) -> dict[str, LedgerRow]:
        self._session.statement("lock_rows")
        view = self._views[table]
        there = [key for key in sorted(set(keys)) if view.get((key,)) is not None]
        locked = {key: view.lock((key,), Strength.UPDATE) for key in there}
        found = {key: self._read(row) for key, row in locked.items() if row is not None}
        return found if placed else {key: _without_place(row) for key, row in found.items()}

    def lock_page(self, table: str, after: str, limit: int) -> list[LedgerRow]:
        self._session.statement("lock_page")
        keys = [row.key for _, row in self._views[table].items() if row.key > after]
        return [*self.lock_rows(table, sorted(keys)[:limit]).values()]

    def rows_by_key(
        self, table: str, keys: Sequence[str], *, placed: bool = True
    ) -> list[LedgerRow]:
        self._session.statement("rows_by_key")
        found = (self._views[table].get((key,)) for key in sorted(set(keys)))
        rows = [self._read(row) for row in found if row is not None]
        return rows if placed else [*map(_without_place, rows)]

    def rows_where(self, table: str, column: str, values: Sequence[Value]) -> list[LedgerRow]:
        self._session.statement("rows_where")
        wanted = set(values) - {None}
        rows = [self._read(row) for _, row in self._views[table].items()]
        return [_without_place(row) for row in rows if row.values[column] in wanted]

    def values_where(
        self, table: str, wanted: str, column: str, values: Sequence[Value]
    ) -> list[Value]:
        return [_of(row, wanted) for row in self.rows_where(table, column, values)]

    def distinct_values(
        self, table: str, wanted: str, column: str, values: Sequence[Value]
    ) -> list[Value]:
        self._session.statement("distinct_values")
        asked = set(values) - {None}
        there = map(self._read, self._there(table))
        rows = [row for row in there if _of(row, column) in asked]
        return [*dict.fromkeys(_of(row, wanted) for row in rows)]

    def aggregated(
        self, lines: Sequence[Aggregate], keys: Sequence[str]
    ) -> dict[str, dict[str, Value]]:
        self._session.statement("aggregated")
        found: dict[str, dict[str, Value]] = {}
        for key in keys:
            found[key] = {}
            for line in lines:
                rows = self._reached(line, key)
                if rows is not None and all(self._is_known(line, row) for row in rows):
                    found[key][line.target] = self._value(line, rows)
        return found

    def grouped(
        self, groups: Sequence[AggregateGroups], keys: Sequence[str]
    ) -> dict[str, dict[str, Groups]]:
        self._session.statement("grouped")
        found: dict[str, dict[str, Groups]] = {key: {} for key in keys}
        for key in keys:
            for one in groups:
                rows = self._reached(one, key)
                if rows is not None and self._are_known(one, rows):
                    found[key][one.name] = self._groups(one, rows)
        return found

    def _are_known(self, groups: AggregateGroups, rows: Sequence[LedgerRow]) -> bool:
        return all(
            not row.unknown & {*groups.by}
            and all(self._is_known(line, row) for line in groups.whole)
            for row in rows
        )

    def _groups(self, groups: AggregateGroups, rows: Sequence[LedgerRow]) -> Groups:
        found: dict[tuple[Value, ...], list[LedgerRow]] = {} if groups.by else {(): []}
        for row in rows:
            held = tuple(row.values[column] for column in groups.by)
            if None not in held and all(self._holds(one, row) for one in groups.where):
                found.setdefault(held, []).append(row)
        return {
            held: {line.target: self._value(line, some) for line in groups.lines}
            for held, some in found.items()
        }

    def _there(self, table: str) -> list[LedgerRow]:
        return [row for _, row in self._views[table].items() if not row.retired_at]

    def _reached(self, line: Aggregate | AggregateGroups, key: str) -> list[LedgerRow] | None:
        """The rows that belong to a root; None where that cannot be known."""
        first, last = line.along[0], line.along[-1]
        if first.levels:
            return self._below(first, last, key)
        rows = [row for row in self._there(first.table) if str(row.values[first.column]) == key]
        followed = {first.column, last.column} if last.table == first.table else {first.column}
        if any(not row.unknown.isdisjoint(followed) for row in rows):
            return None
        if len(line.along) == 1:
            return rows
        if last.table != first.table:
            between = {row.key for row in rows}
            below = [r for r in self._there(last.table) if str(r.values[last.column]) in between]
            return None if any(last.column in row.unknown for row in below) else below
        looked_up = {str(row.values[last.column]) for row in rows}
        return [row for row in self._there(last.to) if row.key in looked_up]

    def _below(self, tree: Path, last: Path, key: str) -> list[LedgerRow] | None:
        """The rows that refer to the root or to a row of its tree."""
        found, level = {key}, {key}
        for _ in range(tree.levels):
            rows = [r for r in self._there(tree.table) if str(r.values[tree.column]) in level]
            if any(tree.column in row.unknown for row in rows):
                return None
            level = {row.key for row in rows} - found
            found |= level
        rows = [row for row in self._there(last.table) if str(row.values[last.column]) in found]
        return None if any(last.column in row.unknown for row in rows) else rows

    def _is_known(self, line: Aggregate, row: LedgerRow) -> bool:
        related = ((one, self._related(one, row)) for one in line.related)
        return line.reads.isdisjoint(row.unknown) and not any(
            other is not None and one.column in other.unknown for one, other in related
        )

    def _related(self, where: WhereRelated, row: LedgerRow) -> LedgerRow | None:
        other = self._views[where.path.to].get((str(row.values[where.path.column]),))
        return None if other is None or other.retired_at else self._read(other)

    def _holds(self, where: Where | WhereRelated, row: LedgerRow) -> bool:
        if isinstance(where, Where):
            return row.values[where.column] in where.values
        other = self._related(where, row)
        holds = other is not None and other.values[where.column] in where.values
        return holds is not where.is_not

    def _value(self, line: Aggregate, rows: Sequence[LedgerRow]) -> Value:
        kept = [row for row in rows if all(self._holds(one, row) for one in line.where)]
        if line.function is Function.COUNT:
            return len(kept)
        held: list[Any] = [v for row in kept if (v := row.values[line.column]) is not None]
        match line.function:
            case Function.SUM:
                kinds = {one.name: one.kind for one in self._sources[line.table].mirrored()}
                zero = 0 if kinds[line.column] is ColumnType.INTEGER else Decimal(0)
                return sum(held, start=zero)
            case Function.MIN:
                return min(held, default=None)
            case _:
                return max(held, default=None)

    def write_rows(self, rows: Sequence[LedgerRow]) -> None:
        """New rows are inserted, others changed where they
        still have the revision that was read.
        """
        if not rows:
            return
        self._session.statement("write_rows")
        view = self._views[rows[0].table]
        missed = 0
        for row in sorted(rows, key=lambda row: (row.revision > 0, row.key)):
            stored = self._checked(row)
            there = view.claim((row.key,))
            if (0 if there is None else there.revision) == row.revision:
                view.put((row.key,), replace(stored, revision=row.revision + 1))
            else:
                missed += 1
        if missed:
            raise ConcurrentWrite(f"{missed} rows of mirror_{rows[0].table} changed meanwhile")

    def write_plain(self, table: str, events: Sequence[PlainEvent]) -> dict[str, PlainChange]:
        """By the guards in Python, over each row as it is once it is locked."""
        self._session.statement("write_plain")
        view, source = self._views[table], self._sources[table]
        found: dict[str, PlainChange] = {}
        for one in sorted(events, key=lambda one: one.event.key):
            stored = view.claim((one.event.key,))
            before = None if stored is None else self._read(stored)
            if before is not None and not _is_before(before, one.event):
                continue
            after = guard.apply(source, Site(), before, one.event)
            view.put((after.key,), self._checked(replace(after, revision=after.revision + 1)))
            found[after.key] = _change(source, before, after)
        return found

    def unseen(self, table: str, epoch: int, limit: int) -> list[LedgerRow]:
        self._session.statement("unseen")
        view = self._views[table]
        older = [key for key, row in view.items() if _is_unseen(row, epoch)][:limit]
        locked = [view.lock(key, Strength.UPDATE) for key in older]
        return [self._read(row) for row in locked if row is not None and _is_unseen(row, epoch)]

    def keys(self, table: str, only_if: str | None = None) -> list[str]:
        self._session.statement("keys")
        rows = [row for _, row in self._views[table].items()]
        return [row.key for row in rows if only_if is None or row.values.get(only_if)]

    def _read(self, row: LedgerRow) -> LedgerRow:
        """The row with every column of this program;
        what its last writer did not know is unknown.
        """
        names = [column.name for column in self._sources[row.table].mirrored()]
        missing = frozenset(names) - row.values.keys()
        values = {name: row.values.get(name) for name in names}
        return replace(row, values=values, unknown=row.unknown | missing)

    def _checked(self, row: LedgerRow) -> LedgerRow:
        """The row as a database stores it: without NULs.
        Raises RowRejected for what no column holds.
        """
        columns = self._sources[row.table].mirrored()
        values = {
            column.name: _held(row.table, column.name, column.kind, row.values[column.name])
            for column in columns
        }
        return replace(row, values=values)


def _without_place(row: LedgerRow) -> LedgerRow:
    return replace(row, position="", place=NOWHERE, epoch=0, committed_at=None)


def _is_before(before: LedgerRow, event: Event) -> bool:
    """Is this row plain, and the event a streamed one that the guard puts after it."""
    is_plain = not (before.unknown or before.retired_at or before.deleted)
    return is_plain and not event.is_snapshot and not applied.is_stale(before, event)


def _change(source: MirroredTable, before: LedgerRow | None, after: LedgerRow) -> PlainChange:
    old = {} if before is None else before.values
    return PlainChange(
        before is None or old != after.values,
        bool(source.shared)
        and (before is None or any(old[one] != after.values[one] for one in source.shared)),
        tuple(after.values[one.name] for one in source.remembered),
    )


def _held(table: str, column: str, kind: ColumnType, value: Value) -> Value:
    value = value.replace("\x00", "") if isinstance(value, str) else value
    if kind is ColumnType.SHORT_TEXT and isinstance(value, str) and len(value) > SHORT_TEXT_LENGTH:
        raise RowRejected(f"a text is too long at mirror_{table}, column {column}")
    if kind is ColumnType.INTEGER and isinstance(value, int) and value not in INTEGERS:
        raise RowRejected(f"a number is out of range at mirror_{table}, column {column}")
    return value


def _of(row: LedgerRow, column: str) -> Value:
    return row.values[column] if column else row.key


def _is_unseen(row: LedgerRow, epoch: int) -> bool:
    return row.epoch < epoch and not row.deleted


def ledger_tables(
    sources: Sequence[MirroredTable],
) -> dict[str, Table[LedgerRow]]:
    return {source.name: Table(f"mirror_{source.name}") for source in sources}
