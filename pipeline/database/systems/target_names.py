"""Target tables under a site's names, and the columns that rows of them write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pipeline.database.sql.dialect import Cells, Field, Fields
from pipeline.database.sql.session import Session
from pipeline.mapping.site import Site
from pipeline.mapping.target import TargetRow, TargetTable
from pipeline.model.event import Value

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Names:
    """A target table under this site's names."""

    table: TargetTable
    full_name: str
    site: Site

    def fields(self, columns: Iterable[str]) -> Fields:
        return tuple(
            Field(
                self.site.target_column(self.table.name, column),
                self.table.column(column).kind,
            )
            for column in columns
        )

    @property
    def key(self) -> Fields:
        """What tells a row of ours: its key, and what all of them hold."""
        return self.fields((*self.table.key, *self.table.fixed_names))

    def cells(self, key: Sequence[Value]) -> Cells:
        """The values of these."""
        return (*key, *self.table.fixed_values)

    @property
    def told_by(self) -> Fields:
        """What tells one row from all others: its id, where rows have one."""
        return self.fields((self.table.row_id,)) if self.table.row_id else self.key

    def told_cells(self, key: str) -> Cells:
        """The values of these."""
        return (key,) if self.table.row_id else self.cells((key,))

    def key_of(self, answer: Sequence[object]) -> tuple[str, ...]:
        """The key in an answer that begins with these."""
        return tuple(str(part) for part in answer[: len(self.table.key)])


def names_of(
    session: Session,
    schema: str | None,
    site: Site,
    tables: Sequence[TargetTable],
) -> dict[str, Names]:
    return {
        table.name: Names(
            table,
            session.dialect.qualify(schema, site.target_table(table.name)),
            site,
        )
        for table in tables
    }


def cells_of(
    names: Names, row: TargetRow, columns: Iterable[str], prefilled: Iterable[str] = ()
) -> Cells:
    """A row's key, and its values of these columns."""
    return (
        *names.cells(row.key),
        *map(row.values.__getitem__, columns),
        *map(row.prefill.__getitem__, prefilled),
    )


def written_columns(names: Names, row: TargetRow) -> tuple[str, ...]:
    """The columns of a row beside its key, in the table's order."""
    return tuple(
        c.name
        for c in names.table.columns
        if c.name in row.values and c.name not in names.table.key
    )


def prefilled_columns(names: Names, row: TargetRow) -> tuple[str, ...]:
    """The columns that it gets when it is made, beside these."""
    columns = (
        c.name for c in names.table.columns if c.name in row.prefill and c.name not in row.values
    )
    return tuple(column for column in columns if column not in names.table.key)


def alike(pairs: Iterable[tuple[K, V]]) -> list[tuple[K, list[V]]]:
    """Those of one kind together: what one statement can write."""
    groups: dict[K, list[V]] = {}
    for kind, one in pairs:
        groups.setdefault(kind, []).append(one)
    return list(groups.items())
