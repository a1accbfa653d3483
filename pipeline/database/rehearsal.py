"""A rehearsal of the exchange: everything is decided as it would be,
nothing is kept and no row of the two systems is locked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from sqlalchemy import Engine

from pipeline.conflicts.rules import Side
from pipeline.database.pairs import (
    DatabaseAjeraTransaction,
    DatabaseLinkTransaction,
    DatabasePairs,
)
from pipeline.database.sql.engine import dialect_of
from pipeline.database.sql.session import ConnectedSession, translated
from pipeline.database.systems.rows import DatabaseRows
from pipeline.mapping.source import SourceTable
from pipeline.model.event import Row, Value
from pipeline.pairing.entity import CodeList, Lists, NewRow

Layer = dict[tuple[str, str], Row]  # by table and key


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """What would be written into a column of a row of a side."""

    side: Side
    table: str
    key: str
    column: str
    before: Value
    after: Value


class RehearsedRows:
    """Rows as they are, under a layer of what would have been written."""

    def __init__(self, real: DatabaseRows, layer: Layer, keys: Iterator[int]) -> None:
        self._real = real
        self._layer = layer
        self._keys = keys
        self._before: Layer = {}

    def clock(self) -> datetime:
        return self._real.clock()

    def log_position(self) -> str | None:
        return None

    def read(
        self, table: SourceTable, keys: Sequence[str], *, lock: bool = False
    ) -> dict[str, Row]:
        del lock
        found = self._real.read(
            table,
            [key for key in keys if (table.name, key) not in self._layer],
        )
        return found | {
            key: self._layer[table.name, key] for key in keys if (table.name, key) in self._layer
        }

    def named(
        self,
        table: SourceTable,
        columns: Sequence[str],
        texts: Sequence[str],
        length: int | None = None,
    ) -> dict[str, Row]:
        return self._real.named(table, columns, texts, length)

    def having(
        self,
        table: SourceTable,
        columns: Sequence[str],
        values: Sequence[tuple[Value, ...]],
    ) -> dict[str, Row]:
        wanted = set(values)
        ours = {key: row for (name, key), row in self._layer.items() if name == table.name}
        found = {
            key: row
            for key, row in self._real.having(table, columns, values).items()
            if key not in ours
        }
        return found | {
            key: row for key, row in ours.items() if tuple(row[one] for one in columns) in wanted
        }

    def distinct(
        self,
        table: SourceTable,
        columns: Sequence[str],
        by: str,
        values: Sequence[Value],
    ) -> set[tuple[Value, ...]]:
        """Without what would have been written: employees and time entries are never made by us."""
        return self._real.distinct(table, columns, by, values)

    def keys(self, table: SourceTable) -> list[str]:
        return self._real.keys(table)

    def lists(self, lists: Iterable[CodeList]) -> Lists:
        return self._real.lists(lists)

    def update(self, table: SourceTable, changes: Mapping[str, Row]) -> None:
        rows = self.read(table, list(changes))
        for key, row in rows.items():
            self._before.setdefault((table.name, key), row)
        self._layer.update({(table.name, key): {**rows[key], **changes[key]} for key in rows})

    def insert(self, table: SourceTable, rows: Sequence[NewRow]) -> list[str | None]:
        return [self._insert(table, row) for row in rows]

    def changes(self, side: Side) -> Iterator[ColumnChange]:
        """What would be written, of rows of this side that are there."""
        for (table, key), row in self._layer.items():
            before = self._before.get((table, key), row)
            for column, value in row.items():
                if value != before[column]:
                    yield ColumnChange(side, table, key, column, before[column], value)

    def _insert(self, table: SourceTable, row: NewRow) -> str | None:
        values = (-next(self._keys),) if row.key is None else row.key
        key = table.key_text(values)
        if self.read(table, [key]):
            return None
        blank: dict[str, Value] = {column.name: None for column in table.columns}
        own = {name: value for name, value in row.columns.items() if name in blank}
        names = (column.name for column in table.key_columns)
        self._layer[table.name, key] = {
            **blank,
            **own,
            **dict(zip(names, values, strict=True)),
        }
        return key


class RehearsedPairs:
    """Both databases in one transaction each, which `rehearsed` rolls back at its end.

    What would be a transaction is a part of it: one that fails is undone alone,
    and the rehearsal continues.
    """

    def __init__(
        self,
        dps: tuple[ConnectedSession, DatabaseLinkTransaction, Layer],
        ajera: tuple[ConnectedSession, DatabaseAjeraTransaction, Layer],
        rows: Mapping[Side, RehearsedRows],
    ) -> None:
        self._dps = dps
        self._ajera = ajera
        self._rows = rows

    def changes(self) -> tuple[ColumnChange, ...]:
        """What would be written until now into rows that are there."""
        return tuple(one for side, rows in self._rows.items() for one in rows.changes(side))

    @contextmanager
    def transaction(self) -> Iterator[DatabaseLinkTransaction]:
        session, links, layer = self._dps
        with _part(session, layer):
            yield links

    @contextmanager
    def ajera(self) -> Iterator[DatabaseAjeraTransaction]:
        session, ajera, layer = self._ajera
        with _part(session, layer):
            yield ajera


@contextmanager
def _part(session: ConnectedSession, layer: Layer) -> Iterator[None]:
    before = dict(layer)
    try:
        with session.savepoint():
            yield
    except BaseException:
        layer.clear()
        layer.update(before)
        raise


@contextmanager
def rehearsed(pairs: DatabasePairs) -> Iterator[RehearsedPairs]:
    """The pairs as a rehearsal. What happened before, our own tables tell until the end."""
    keys = count(1)
    in_layer_of_dps: Layer = {}
    in_layer_of_ajera: Layer = {}
    with (
        _undone(pairs.dps_engine) as in_dps,
        _undone(pairs.ajera_engine) as in_ajera,
    ):
        links = DatabaseLinkTransaction(
            in_dps, pairs.sync_schema, pairs.dps_names, is_rehearsal=True
        )
        ajera = DatabaseAjeraTransaction(in_ajera, pairs.ajera_schema, pairs.ajera_names)
        rows = {
            Side.AJERA: RehearsedRows(
                DatabaseRows(in_ajera, pairs.ajera_names), in_layer_of_ajera, keys
            ),
            Side.DPS: RehearsedRows(DatabaseRows(in_dps, pairs.dps_names), in_layer_of_dps, keys),
        }
        links.rows, ajera.rows = rows[Side.DPS], rows[Side.AJERA]
        yield RehearsedPairs(
            (in_dps, links, in_layer_of_dps), (in_ajera, ajera, in_layer_of_ajera), rows
        )


@contextmanager
def _undone(engine: Engine) -> Iterator[ConnectedSession]:
    """The connection is closed at the end:
    with `errors_spare_the_transaction` it must never serve another transaction.
    """
    dialect = dialect_of(engine)
    with (
        translated(engine, "the rehearsal"),
        engine.connect() as connection,
    ):
        connection.detach()
        for statement in dialect.errors_spare_the_transaction:
            connection.exec_driver_sql(statement)
        connection.rollback()
        with connection.begin() as transaction:
            try:
                yield ConnectedSession(connection, dialect)
            finally:
                transaction.rollback()
