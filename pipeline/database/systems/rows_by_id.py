"""Rows of target tables that are told by an id, since several may have one key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pipeline.database.sql.dialect import Cells, Fields, Lock, Update, given
from pipeline.database.sql.session import Session, number_of, stored
from pipeline.database.systems.target_names import (
    Names,
    alike,
    cells_of,
    prefilled_columns,
    written_columns,
)
from pipeline.errors import ConcurrentWrite
from pipeline.mapping.target import TargetRow
from pipeline.model.event import Row

ById = tuple[str, TargetRow]


class RowsById:
    """Reads, makes, changes and deletes them."""

    def __init__(self, session: Session, names: Mapping[str, Names]) -> None:
        self._session = session
        self._names = names

    def lock(self, table: str, keys: Iterable[str]) -> dict[str, Row]:
        """What the rows hold that are there; of a table whose rows have no id, by their one key."""
        names = self._names[table]
        columns = [*names.table.by_name()]
        fields = names.fields(columns)
        sql = self._session.dialect.matched(
            names.full_name, names.told_by, Lock.UPDATE, [field.name for field in fields]
        )
        answers = self._session.run(
            table, sql, [names.told_cells(key) for key in sorted(set(keys))]
        )
        return {
            str(answer[0]): dict(
                zip(columns, stored(fields, answer[-len(fields) :]).values(), strict=True)
            )
            for answer in answers
        }

    def of_keys(
        self, table: str, keys: Iterable[tuple[str, ...]]
    ) -> dict[tuple[str, ...], list[str]]:
        """The ids of the rows that have these keys, in their order; not locked."""
        names = self._names[table]
        sql = self._session.dialect.matched(
            names.full_name, names.key, Lock.NONE, [names.told_by[0].name]
        )
        found: dict[tuple[str, ...], list[str]] = {}
        for answer in self._session.run(
            table, sql, [names.cells(key) for key in sorted(set(keys))]
        ):
            found.setdefault(names.key_of(answer), []).append(str(answer[-1]))
        return {key: sorted(ids) for key, ids in found.items()}

    def insert(self, table: str, rows: Sequence[ById]) -> None:
        """Raises ConcurrentWrite where there is a row with such an id."""
        names = self._names[table]
        identity = (*names.table.key, *names.table.fixed_names)
        for (columns, prefilled), group in alike(
            ((written_columns(names, row), prefilled_columns(names, row)), (one, row))
            for one, row in rows
        ):
            sql = self._session.dialect.insert_missing(
                names.full_name,
                names.told_by,
                names.fields((*identity, *columns, *prefilled)),
            )
            cells = [(one, *cells_of(names, row, columns, prefilled)) for one, row in group]
            if len(self._session.run(table, sql, sorted(cells, key=_id_of))) < len(group):
                raise ConcurrentWrite(f"a row of {table} was made meanwhile")

    def change(self, table: str, rows: Sequence[ById]) -> int:
        """Write key and values where one differs; how many rows changed."""
        names, changed = self._names[table], 0
        identity = (*names.table.key, *names.table.fixed_names)
        for columns, group in alike((written_columns(names, row), (one, row)) for one, row in rows):
            cells = [(one, *cells_of(names, row, columns)) for one, row in group]
            changed += self._update(table, names.fields((*identity, *columns)), cells)
        return changed

    def fill(self, table: str, ids: Iterable[str], values: Row) -> None:
        """Write these values alone, the same ones in each row."""
        fields = self._names[table].fields(values)
        if fields:
            self._update(table, fields, [(one, *values.values()) for one in ids])

    def delete(self, table: str, ids: Iterable[str]) -> None:
        names = self._names[table]
        sql = self._session.dialect.delete(names.full_name, names.told_by)
        self._session.run(table, sql, [(one,) for one in sorted(ids)])

    def _update(self, table: str, fields: Fields, cells: Iterable[Cells]) -> int:
        dialect, names = self._session.dialect, self._names[table]
        update = Update(
            table=names.full_name,
            match=names.told_by,
            fields=fields,
            assignments=tuple(given(field.name) for field in fields),
            only_if=lambda images: dialect.differs(images, fields),
        )
        answers = self._session.run(table, dialect.update(update), sorted(cells, key=_id_of))
        return sum(number_of(answer[0]) for answer in answers)


def _id_of(cells: Cells) -> str:
    return str(cells[0])
