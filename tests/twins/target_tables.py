"""The target's own tables in the twin: lengths, required columns,
references and unique columns as a database keeps them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from pipeline.errors import ConcurrentWrite, RowRejected, TargetRefused
from pipeline.mapping.target import TargetColumn, TargetRow, TargetTable
from pipeline.model.event import Row, Value
from pipeline.model.outcome import RowCounts
from tests.twins.locks import Strength
from tests.twins.tables import Change, Key, Session, Table, View

Owned = tuple[str, ...]


class TargetTables:
    """Reads and writes target rows; every committed change is told to `committed`."""

    def __init__(
        self,
        session: Session,
        tables: Mapping[str, Table[Row]],
        described: Sequence[TargetTable],
        committed: Callable[[Change[Row]], None],
        *,
        utf16: bool,
    ) -> None:
        self._session = session
        self._utf16 = utf16
        self._views = {name: View(session, table, committed) for name, table in tables.items()}
        self._described = {table.name: table for table in described}

    def existing(self, table: str, keys: Sequence[str]) -> set[str]:
        self._session.statement("existing")
        view = self._views[table]
        there = [key for key in sorted(set(keys)) if view.get(self._key(table, key)) is not None]
        return {
            key for key in there if view.lock(self._key(table, key), Strength.PRESENCE) is not None
        }

    def holders(self, table: str, column: str, values: Sequence[str]) -> dict[str, str]:
        self._session.statement("holders")
        view, key = self._views[table], self._described[table].key[0]
        wanted = {view.table.key(value) for value in values}
        fixed = dict(self._described[table].fixed)
        held = ((row[column], row[key]) for _, row in view.items() if fixed.items() <= row.items())
        return {
            str(value): str(holder)
            for value, holder in held
            if view.table.key(str(value)) in wanted
        }

    def create_missing(self, table: str, rows: Sequence[Row]) -> int:
        if not rows:
            return 0
        self._session.statement("create_missing")
        return len(self._insert_missing(table, rows))

    def upsert(self, table: str, rows: Sequence[TargetRow]) -> RowCounts:
        if not rows:
            return RowCounts()
        self._session.statement("upsert")
        keys = [self._key(table, *row.key) for row in rows]
        if len(set(keys)) < len(keys):
            raise TargetRefused(f"{table} is given one row twice")
        counts = RowCounts()
        for key, row in sorted(zip(keys, rows, strict=True), key=lambda pair: pair[0]):
            counts += self._upsert(self._described[table], key, row)
        return counts

    def upsert_plain(
        self, table: str, columns: Sequence[str], prefilled: int, rows: Sequence[Sequence[Value]]
    ) -> RowCounts:
        width, made = len(self._described[table].key), len(columns) - prefilled
        return self.upsert(
            table,
            [
                TargetRow(
                    table,
                    tuple(str(part) for part in row[:width]),
                    dict(zip(columns[:made], row[width : width + made], strict=True)),
                    dict(zip(columns[made:], row[width + made :], strict=True)),
                )
                for row in rows
            ],
        )

    def insert_children(self, table: str, rows: Sequence[TargetRow]) -> set[Owned]:
        names = self._described[table].key
        given = [
            {**dict(zip(names, row.key, strict=True)), **row.prefill, **row.values} for row in rows
        ]
        return {
            tuple(str(row[name]) for name in names) for row in self._insert_missing(table, given)
        }

    def change_children(self, table: str, rows: Sequence[TargetRow]) -> int:
        """What differs in rows that are there; how many changed."""
        described, view, changed = self._described[table], self._views[table], 0
        for row in sorted(rows, key=lambda row: row.key):
            key = self._key(table, *row.key)
            there = view.lock(key, Strength.CHANGE) if row.values else None
            if (
                there is not None
                and (after := {**there, **self._held(described, row.values)}) != there
            ):
                self._put(described, key, there, after)
                changed += 1
        return changed

    def delete(self, table: str, keys: Iterable[Owned]) -> None:
        view = self._views[table]
        for parts in sorted(keys):
            key = self._key(table, *parts)
            if view.lock(key, Strength.UPDATE) is not None:
                self._refuse_referred(table, key)
                view.delete(key)

    # -- rows that are told by an id ---------------------------------------------------------------

    def described(self, table: str) -> TargetTable:
        return self._described[table]

    def lock_ids(self, table: str, ids: Iterable[str]) -> dict[str, Row]:
        """What the rows hold that are there."""
        view = self._views[table]
        held = {one: view.lock(view.table.key(one), Strength.UPDATE) for one in sorted({*ids})}
        return {one: row for one, row in held.items() if row is not None}

    def lock_told(self, table: str, keys: Iterable[str]) -> dict[str, Row]:
        """The same of any table: by id, or by its one key."""
        if self._described[table].row_id:
            return self.lock_ids(table, keys)
        view = self._views[table]
        held = {key: view.lock(self._key(table, key), Strength.UPDATE) for key in sorted({*keys})}
        return {key: row for key, row in held.items() if row is not None}

    def ids_of(self, table: str, key: Owned) -> list[str]:
        """The ids of the rows of a key."""
        described, view = self._described[table], self._views[table]
        names, wanted = (*described.key, *described.fixed_names), (*key, *described.fixed_values)
        return [
            str(row[described.row_id])
            for _, row in view.items()
            if view.table.key(*(str(row[name]) for name in names)) == view.table.key(*wanted)
        ]

    def insert_id(self, table: str, row_id: str, row: TargetRow) -> bool:
        """False if there is one with this id."""
        described, view = self._described[table], self._views[table]
        if view.claim(view.table.key(row_id)) is not None:
            return False
        given = {described.row_id: row_id, **self._told(described, row), **row.prefill}
        self._put(
            described, view.table.key(row_id), None, given | self._held(described, row.values)
        )
        return True

    def change_id(self, table: str, row_id: str, row: TargetRow) -> bool:
        """Key and values, where one differs; did it."""
        described = self._described[table]
        return self.fill_id(table, row_id, {**self._told(described, row), **row.values})

    def fill_id(self, table: str, row_id: str, values: Row) -> bool:
        """These values alone; did one differ."""
        described, view = self._described[table], self._views[table]
        key = view.table.key(row_id)
        there = view.lock(key, Strength.CHANGE)
        if there is None or (after := {**there, **self._held(described, values)}) == there:
            return False
        self._views[table].put(key, after)
        return True

    def delete_id(self, table: str, row_id: str) -> None:
        view = self._views[table]
        if view.lock(view.table.key(row_id), Strength.UPDATE) is not None:
            view.delete(view.table.key(row_id))

    def _told(self, table: TargetTable, row: TargetRow) -> Row:
        return dict(zip(table.key, row.key, strict=True)) | dict(table.fixed)

    def _key(self, table: str, *parts: str) -> Key:
        """A row's key, and what all of ours hold beside it."""
        return self._views[table].table.key(*parts, *self._described[table].fixed_values)

    def _upsert(self, table: TargetTable, key: Key, row: TargetRow) -> RowCounts:
        names = {column.name for column in table.columns} - {*table.key, *table.fixed_names}
        values = {name: value for name, value in row.values.items() if name in names}
        prefill = {
            name: value for name, value in row.prefill.items() if name in names - values.keys()
        }
        given = {
            **dict(zip(table.key, row.key, strict=True)),
            **prefill,
            **values,
        }
        view = self._views[table.name]
        if table.is_others or not table.required <= given.keys():
            there = view.lock(key, Strength.CHANGE)
            if there is None:
                lacking = ", ".join(sorted(table.required - given.keys()))
                raise TargetRefused(
                    f"{table.name} lacks a row that others make"
                    if table.is_others
                    else f"{table.name} lacks a row that cannot be created without {lacking}"
                )
        else:
            there = view.claim(key)
        held = self._held(table, given)
        if there is None:
            self._put(table, key, None, held)
            return RowCounts(created=1)
        after = {**there, **{name: held[name] for name in values}}
        if after == there:
            return RowCounts(unchanged=1)
        self._put(table, key, there, after)
        return RowCounts(changed=1)

    def _insert_missing(self, table: str, rows: Iterable[Row]) -> list[Row]:
        """Those rows that were inserted."""
        described, view = self._described[table], self._views[table]
        by_key = {
            self._key(table, *(str(row[name]) for name in described.key)): row for row in rows
        }
        inserted: list[Row] = []
        for key, row in sorted(by_key.items()):
            held = self._held(described, row)
            if view.claim(key) is None:
                self._put(described, key, None, held)
                inserted.append(held)
        return inserted

    def _put(self, table: TargetTable, key: Key, before: Row | None, after: Row) -> None:
        full = {column.name: after.get(column.name) for column in table.columns}
        full |= dict(table.fixed)
        for column in table.columns:
            if not column.nullable and full[column.name] is None:
                raise RowRejected(
                    f"no value where one is required at {table.name}, column {column.name}"
                )
        for unique in table.unique:
            self._refuse_taken(table.name, unique, key, before, full)
        for reference, parent in table.references:
            self._refuse_missing(table.name, reference, parent, full[reference])
        self._views[table.name].put(key, full)

    def _held(self, table: TargetTable, row: Row) -> dict[str, Value]:
        """The values as a database stores them: without NULs.
        Raises RowRejected for a text that is too long.
        """
        return {
            name: self._fitting(table.name, table.column(name), value)
            for name, value in row.items()
        }

    def _fitting(self, table: str, column: TargetColumn, value: Value) -> Value:
        if not isinstance(value, str):
            return value
        value = value.replace("\x00", "")
        units = len(value.encode("utf-16-le")) // 2 if self._utf16 else len(value)
        if column.length is not None and units > column.length:
            raise RowRejected(f"a text is too long at {table}, column {column.name}")
        return value

    def _refuse_taken(
        self,
        table: str,
        column: str,
        key: Key,
        before: Row | None,
        after: Row,
    ) -> None:
        """Whoever takes or leaves a value keeps others waiting for it.
        Raises ConcurrentWrite for one that is held.
        """
        view = self._views[table]
        old, new = (
            (None if before is None else before[column]),
            after[column],
        )
        for value in sorted(
            {str(value) for value in (old, new) if value is not None and old != new}
        ):
            self._session.lock(f"{table}.{column}", view.table.key(value), Strength.UPDATE)
        if new is None or old == new:
            return
        wanted = view.table.key(str(new))
        if any(
            view.table.key(str(row[column])) == wanted
            for other, row in view.items()
            if other != key
        ):
            raise ConcurrentWrite(f"a value is taken at {table}, column {column}")

    def _refuse_missing(self, table: str, column: str, parent: str, value: Value) -> None:
        view = self._views[parent]
        if value is not None and (
            view.lock(self._key(parent, str(value)), Strength.PRESENCE) is None
        ):
            raise RowRejected(f"no row of {parent} at {table}, column {column}")

    def _refuse_referred(self, table: str, key: Key) -> None:
        for child in self._described.values():
            columns = [column for column, parent in child.references if parent == table]
            view = self._views[child.name]
            if any(
                self._key(table, str(row[column])) == key
                for _, row in view.items()
                for column in columns
            ):
                raise RowRejected(f"a row of {table} is referred to by {child.name}")
