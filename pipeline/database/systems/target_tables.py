"""The target's own tables. A site's names for them are put in here, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter

from pipeline.database.sql.dialect import (
    Cells,
    Dialect,
    Fields,
    Lock,
    Merge,
    Update,
    given,
)
from pipeline.database.sql.session import Session, number_of
from pipeline.database.systems.target_names import (
    Names,
    alike,
    cells_of,
    prefilled_columns,
    written_columns,
)
from pipeline.errors import TargetRefused
from pipeline.mapping.target import TargetRow
from pipeline.model.event import Row
from pipeline.model.outcome import RowCounts


class TargetTables:
    """Reads and writes target rows."""

    def __init__(self, session: Session, names: Mapping[str, Names]) -> None:
        self._session = session
        self._names = names

    def existing(self, table: str, keys: Sequence[str]) -> set[str]:
        """As asked: the database decides which spellings are one key."""
        names = self._names[table]
        sql = self._session.dialect.matched(names.full_name, names.key, Lock.PRESENCE)
        cells = [names.cells((key,)) for key in sorted(set(keys))]
        return {names.key_of(answer)[0] for answer in self._session.run(table, sql, cells)}

    def holders(self, table: str, column: str, values: Sequence[str]) -> dict[str, str]:
        names = self._names[table]
        match = names.fields((column, *names.table.fixed_names))
        sql = self._session.dialect.select(
            names.full_name,
            match,
            [match[0].name, names.key[0].name],
            Lock.NONE,
        )
        cells = [names.cells((value,)) for value in dict.fromkeys(values)]
        return {str(value): str(key) for value, key in self._session.run(table, sql, cells)}

    def create_missing(self, table: str, rows: Sequence[Row]) -> int:
        names = self._names[table]
        key = names.table.key
        created = 0
        for columns, group in alike((tuple(row), row) for row in rows):
            others = tuple(column for column in columns if column not in key)
            cells = [
                (
                    *names.cells([row[column] for column in key]),
                    *(row[column] for column in others),
                )
                for row in group
            ]
            created += len(self._insert_missing(names, others, cells))
        return created

    def _insert_missing(
        self, names: Names, columns: Sequence[str], cells: Sequence[Cells]
    ) -> list[Cells]:
        """The keys that were inserted."""
        sql = self._session.dialect.insert_missing(
            names.full_name, names.key, names.fields(columns)
        )
        width = len(names.key)
        rows = {tuple(str(value) for value in row[:width]): row for row in cells}
        return [*self._session.run(names.table.name, sql, [rows[key] for key in sorted(rows)])]

    # -- upsert ------------------------------------------------------------------------------------

    def upsert_plain(
        self, table: str, columns: Sequence[str], prefilled: int, rows: Sequence[Cells]
    ) -> RowCounts:
        names = self._names[table]
        fields = names.fields(columns)
        written = fields[: len(fields) - prefilled]
        fixed, width = names.table.fixed_values, len(names.table.key)
        if fixed:
            rows = [(*row[:width], *fixed, *row[width:]) for row in rows]
        copying, name = self._session.copied(table, names.key + fields, rows)
        merge = copying.merge(
            name, _merging(self._session.dialect, names.full_name, names.key, fields, written)
        )
        return _merged(self._session.ask(table, merge), len(rows))

    def upsert(self, table: str, rows: Sequence[TargetRow]) -> RowCounts:
        """Rows with the same columns are written together;
        a row without a column that is required can only be changed.
        """
        names = self._names[table]
        counts = RowCounts()
        for columns, prefilled, group in self._alike(names, rows):
            ordered = sorted(group, key=lambda row: row.key)
            if not names.table.is_others and names.table.required <= {*columns, *prefilled}:
                counts += self._merge(names, columns, prefilled, ordered)
            else:
                counts += self._change(names, columns, ordered)
        return counts

    @staticmethod
    def _alike(
        names: Names, rows: Sequence[TargetRow]
    ) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], list[TargetRow]]]:
        """Rows with the same columns together: those that are written, those that they get when
        they are made, and the rows.
        """
        by_names = alike(((tuple(row.values), tuple(row.prefill)), row) for row in rows)
        told = (
            ((written_columns(names, some[0]), prefilled_columns(names, some[0])), some)
            for _, some in by_names
        )
        for (columns, prefilled), groups in alike(told):
            yield columns, prefilled, [row for group in groups for row in group]

    def _merge(
        self,
        names: Names,
        columns: tuple[str, ...],
        prefilled: tuple[str, ...],
        rows: Sequence[TargetRow],
    ) -> RowCounts:
        fields = names.fields(columns)
        if not fields:
            cells = [cells_of(names, row, (), prefilled) for row in rows]
            created = len(self._insert_missing(names, prefilled, cells))
            return RowCounts(created=created, unchanged=len(rows) - created)
        given_fields = fields + names.fields(prefilled)
        statement = _merge(self._session.dialect, names.full_name, names.key, given_fields, fields)
        fixed, of, given = names.table.fixed_values, _picked(columns), _picked(prefilled)
        cells = [(*row.key, *fixed, *of(row.values), *given(row.prefill)) for row in rows]
        return _merged(self._session.run(names.table.name, statement, cells), len(rows))

    def _change(
        self,
        names: Names,
        columns: tuple[str, ...],
        rows: Sequence[TargetRow],
    ) -> RowCounts:
        """Rows that cannot be created must be there. Raises TargetRefused."""
        dialect = self._session.dialect
        held = self._session.run(
            names.table.name,
            dialect.matched(names.full_name, names.key, Lock.UPDATE),
            [names.cells(row.key) for row in rows],
        )
        if len(held) != len(rows):
            lacking = ", ".join(sorted(names.table.required - {*columns}))
            raise TargetRefused(
                f"{names.table.name} lacks a row that others make"
                if names.table.is_others
                else f"{names.table.name} lacks a row that cannot be created without {lacking}"
            )
        changed = self._update(names, columns, rows) if columns else 0
        return RowCounts(changed=changed, unchanged=len(rows) - changed)

    def _update(
        self,
        names: Names,
        columns: tuple[str, ...],
        rows: Sequence[TargetRow],
    ) -> int:
        """Write these columns where one differs; how many rows changed."""
        dialect, fields = self._session.dialect, names.fields(columns)
        update = Update(
            table=names.full_name,
            match=names.key,
            fields=fields,
            assignments=tuple(given(field.name) for field in fields),
            only_if=lambda images: dialect.differs(images, fields),
        )
        cells = [cells_of(names, row, columns) for row in rows]
        answers = self._session.run(names.table.name, dialect.update(update), cells)
        return sum(number_of(answer[0]) for answer in answers)

    # -- single statements for child rows ----------------------------------------------------------

    def insert_children(self, table: str, rows: Sequence[TargetRow]) -> set[tuple[str, ...]]:
        """The keys of those that were inserted; one that is there stays as it is."""
        names = self._names[table]
        created: set[tuple[str, ...]] = set()
        for columns, prefilled, group in self._alike(names, rows):
            cells = [cells_of(names, row, columns, prefilled) for row in group]
            keys = self._insert_missing(names, (*columns, *prefilled), cells)
            created.update(names.key_of(key) for key in keys)
        return created

    def change_children(self, table: str, rows: Sequence[TargetRow]) -> int:
        """Write what differs in rows that are there; how many changed."""
        names = self._names[table]
        return sum(
            self._update(names, columns, sorted(group, key=lambda row: row.key))
            for columns, group in alike((written_columns(names, row), row) for row in rows)
            if columns
        )

    def delete(self, table: str, keys: Sequence[tuple[str, ...]]) -> int:
        names = self._names[table]
        sql = self._session.dialect.delete(names.full_name, names.key)
        cells = [names.cells(key) for key in sorted(keys)]
        return sum(number_of(deleted) for (deleted,) in self._session.run(table, sql, cells))


def _picked(columns: Sequence[str]) -> Callable[[Row], Cells]:
    """Gives the values of these columns."""
    if len(columns) > 1:
        return itemgetter(*columns)
    return lambda row: tuple(row[column] for column in columns)


def _merging(dialect: Dialect, table: str, key: Fields, fields: Fields, written: Fields) -> Merge:
    """Insert rows with these columns; write some of them where the row is there and differs."""
    return Merge(
        table=table,
        key=key,
        fields=fields,
        assignments=tuple(given(field.name) for field in written),
        only_if=lambda images: dialect.differs(images, written),
    )


@lru_cache(maxsize=512)  # a small batch costs no less to write than to run
def _merge(dialect: Dialect, table: str, key: Fields, fields: Fields, written: Fields) -> str:
    return dialect.merge(_merging(dialect, table, key, fields, written))


def _merged(answers: Iterable[Cells], rows: int) -> RowCounts:
    """What a merge of so many rows answered."""
    created = changed = 0
    for answer in answers:
        created += number_of(answer[0])
        changed += number_of(answer[1])
    return RowCounts(created, changed, rows - created - changed)
