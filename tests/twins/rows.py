"""The rows of one of the two systems in memory (port `Rows`),
as `pipeline.database.systems.rows` reads and writes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

from pipeline.conflicts.forms import folded
from pipeline.conflicts.rules import Side
from pipeline.mapping.site import Site
from pipeline.mapping.source import SourceTable
from pipeline.model.event import Row, Value
from pipeline.model.text import BLANKS
from pipeline.pairing.entity import (
    CodeList,
    Lists,
    ListTable,
    NewRow,
    TemplateRows,
)
from tests.twins.database import Open, Version
from tests.twins.keys import take_key
from tests.twins.locks import Strength
from tests.twins.statements import statement
from tests.twins.tables import Key, Session

UNNAMED = Site()


class MemoryRows:
    """Rows in a transaction."""

    def __init__(
        self,
        transaction: Open,
        side: Side,
        fills: Sequence[TemplateRows] = (),
        site: Site = UNNAMED,
    ) -> None:
        self._open = transaction
        self._side = side
        self._fills = fills
        self._site = site

    @property
    def session(self) -> Session:
        return self._open.session

    @statement
    def clock(self) -> datetime:
        return self._open.database.clock.now()

    @statement
    def log_position(self) -> str | None:
        database = self._open.database
        return f"{database.lsn:016x}" if database.tells_positions else None

    # -- reading -----------------------------------------------------------------------------------

    @statement
    def read(
        self, table: SourceTable, keys: Sequence[str], *, lock: bool = False
    ) -> dict[str, Row]:
        view = self._open.view(table.name)
        there = [
            key
            for key in sorted({self._key(table, one) for one in keys})
            if view.get(key) is not None
        ]
        found = [view.lock(key, Strength.UPDATE) if lock else view.get(key) for key in there]
        return self._by_key(table, (one for one in found if one is not None))

    @statement
    def named(
        self,
        table: SourceTable,
        columns: Sequence[str],
        texts: Sequence[str],
        length: int | None = None,
    ) -> dict[str, Row]:
        wanted = {_searched(text, length) for text in texts}
        self._refuse_unknown(table, columns)
        return self._by_key(
            table,
            (
                one
                for _, one in self._open.view(table.name).items()
                if any(
                    _searched(text, length) in wanted
                    for name in columns
                    if (text := one.values[name]) is not None
                )
            ),
        )

    @statement
    def having(
        self,
        table: SourceTable,
        columns: Sequence[str],
        values: Sequence[tuple[Value, ...]],
    ) -> dict[str, Row]:
        described = self._open.described(table.name)
        wanted = {tuple(map(described.cast, columns, group)) for group in values}
        wanted = {group for group in wanted if None not in group}  # null equals nothing
        self._refuse_unknown(table, columns)
        rows = (one for _, one in self._open.view(table.name).items())
        return self._by_key(
            table,
            (one for one in rows if tuple(one.values[name] for name in columns) in wanted),
        )

    @statement
    def distinct(
        self,
        table: SourceTable,
        columns: Sequence[str],
        by: str,
        values: Sequence[Value],
    ) -> set[tuple[Value, ...]]:
        described = self._open.described(table.name)
        self._refuse_unknown(table, columns)
        wanted = {described.cast(by, value) for value in values} - {None}
        rows = (one.values for _, one in self._open.view(table.name).items())
        return {tuple(row[name] for name in columns) for row in rows if row[by] in wanted}

    @statement
    def keys(self, table: SourceTable) -> list[str]:
        return [table.key_text(key) for key, _ in self._open.view(table.name).items()]

    @statement
    def lists(self, lists: Iterable[CodeList]) -> Lists:
        tables = {one.name: one.table(self._side) for one in lists}
        return Lists(
            {
                name: {self._side: self._entries(table)}
                for name, table in tables.items()
                if table is not None
            }
        )

    def _entries(self, table: ListTable) -> dict[Value, str]:
        rows = [one.values for _, one in self._open.view(table.table).items()]
        counting = [row for row in rows if table.only_if is None or row[table.only_if] is True]
        return {
            row[table.code]: str(row[table.description])
            for row in counting
            if row[table.description] is not None
        }

    # -- writing -----------------------------------------------------------------------------------

    def update(self, table: SourceTable, changes: Mapping[str, Row]) -> None:
        groups: dict[tuple[str, ...], list[str]] = {}
        for key, columns in changes.items():
            groups.setdefault(tuple(sorted(columns)), []).append(key)
        for _, keys in sorted(groups.items()):
            self._update(table, {key: changes[key] for key in keys})

    @statement
    def _update(self, table: SourceTable, changes: Mapping[str, Row]) -> None:
        for key, row in sorted((self._key(table, text), row) for text, row in changes.items()):
            self._open.change(table.name, key, row)

    def insert(self, table: SourceTable, rows: Sequence[NewRow]) -> list[str | None]:
        return [self._insert(table, row) for row in rows]

    @statement
    def _insert(self, table: SourceTable, row: NewRow) -> str | None:
        columns = {name: value for name, value in row.columns.items() if not name.startswith("@")}
        if row.key is None:
            values: tuple[Value, ...] = (self._insert_generated(table.name, columns),)
        else:
            described = self._open.described(table.name)
            names = [column.name for column in table.key_columns]
            values = tuple(map(described.cast, names, row.key))
            if not self._open.insert(
                table.name,
                {**columns, **dict(zip(names, values, strict=True))},
            ):
                return None
        self._fill(values[0], table, row.columns)
        return table.key_text(values)

    def _insert_generated(self, table: str, row: Row) -> int:
        return self._open.insert_generated(table, row, partial(take_key, self._open, self._site))

    def _fill(self, owner: Value, table: SourceTable, columns: Row) -> None:
        """The rows that a created row gets, such as the phases of its template;
        at least one of each kind.
        """
        for fill in self._fills:
            if fill.of != table.name:
                continue
            rows = self._copied(fill, columns[fill.by]) if columns.get(fill.by) is not None else []
            for row in rows or [{into: columns.get(name) for name, into in fill.at_least}]:
                self._insert_generated(fill.into, {**fill.constants, **row, fill.owner: owner})

    def _copied(self, fill: TemplateRows, value: Value) -> list[dict[str, Value]]:
        wanted = self._open.described(fill.source).cast(fill.where, value)
        rows = [
            one.values
            for _, one in self._open.view(fill.source).items()
            if one.values[fill.where] == wanted
        ]
        return sorted(
            ({into: row[source] for source, into in fill.copied} for row in rows),
            key=_nulls_last,
        )

    # -- forms -------------------------------------------------------------------------------------

    def _key(self, table: SourceTable, text: str) -> Key:
        described, values = (
            self._open.described(table.name),
            table.key_values(text),
        )
        names = [column.name for column in table.key_columns]
        return described.key_of(
            {name: described.cast(name, value) for name, value in zip(names, values, strict=True)}
        )

    def _refuse_unknown(self, table: SourceTable, columns: Iterable[str]) -> None:
        described = self._open.described(table.name)
        for name in (*columns, *(column.name for column in table.columns)):
            described.cast(name, None)

    def _by_key(self, table: SourceTable, rows: Iterable[Version]) -> dict[str, Row]:
        self._refuse_unknown(table, ())
        found = ({column.name: one.values[column.name] for column in table.columns} for one in rows)
        return {
            table.key_text([row[column.name] for column in table.key_columns]): row for row in found
        }


def _searched(text: Value, length: int | None) -> str:
    """Text as names are searched: `folded` without any blank, of its first `length` characters."""
    return folded(str(text).strip(BLANKS)[:length]).replace(" ", "")


def _nulls_last(row: Row) -> list[tuple[bool, Value]]:
    return [(value is None, value) for value in row.values()]
