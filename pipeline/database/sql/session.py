"""One connection within one transaction: runs statements with their rows,
and translates the driver's errors.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from zlib import crc32

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from pipeline.database.sql.address import Place, address_of
from pipeline.database.sql.dialect import Cells, Copying, Dialect, Fields
from pipeline.database.sql.engine import dialect_of
from pipeline.database.sql.statements import answer_of
from pipeline.errors import PipelineError, RowRejected, TargetRefused
from pipeline.mapping.convert import cut
from pipeline.mapping.source import ColumnType
from pipeline.model.event import Value

# what a driver raises for a value of another type than its column, or a text with a NUL
_NO_SUCH_VALUE: Final = (AttributeError, TypeError, ValueError, OverflowError)


class Session(Protocol):
    """What the parts of a transaction run their statements on."""

    @property
    def dialect(self) -> Dialect: ...

    @property
    def copying(self) -> Copying | None:
        """How rows are sent in bulk, None where this server or user cannot."""

    def copied(self, place: str, fields: Fields, rows: Sequence[Cells]) -> tuple[Copying, str]:
        """Copy rows to an empty staging table; what reads it, and its name. Raises RowRejected,
        also for a value that only another statement can send; TargetRefused without `copying`.
        """

    def run(
        self,
        place: str,
        sql: str,
        rows: Sequence[Cells],
        **parameters: Value,
    ) -> list[tuple[Value, ...]]:
        """The answers of one statement for all rows, in as many pieces as the dialect allows."""

    def ask(self, place: str, sql: str, **parameters: Value) -> list[tuple[Value, ...]]:
        """The answer of a statement without rows."""

    def tell(self, place: str, sql: str, **parameters: Value) -> None:
        """A statement that answers nothing."""


class ConnectedSession:
    """A session on a connection. `place` names the table that a statement is about,
    for error texts.

    After its first failure it refuses every statement: SQL Server rolls the transaction back and
    its driver begins another one by itself,
    which would commit what follows without what came before.
    """

    def __init__(
        self, connection: Connection, dialect: Dialect, copying: Copying | None = None
    ) -> None:
        """`copying` as `copying_of` found it."""
        self.connection = connection
        self.dialect = dialect
        self.copying = copying
        self._copied: Counter[str] = Counter()
        self._failure: PipelineError | None = None

    def run(
        self,
        place: str,
        sql: str,
        rows: Sequence[Cells],
        **parameters: Value,
    ) -> list[tuple[Value, ...]]:
        answers: list[tuple[Value, ...]] = []
        for start in range(0, len(rows), self.dialect.rows_per_statement):
            piece = rows[start : start + self.dialect.rows_per_statement]
            answers += self.ask(place, sql, **self.dialect.parameters(piece), **parameters)
        return answers

    def ask(self, place: str, sql: str, **parameters: Value) -> list[tuple[Value, ...]]:
        with self._unless_failed(place):
            return answer_of(self.connection, self.dialect, sql, parameters)

    def tell(self, place: str, sql: str, **parameters: Value) -> None:
        self.ask(place, sql, **parameters)

    def copied(self, place: str, fields: Fields, rows: Sequence[Cells]) -> tuple[Copying, str]:
        if self.copying is None:
            raise TargetRefused(f"{place}: this server takes no rows in bulk")
        types = self.copying.types(fields)
        name = f"staged {crc32(','.join((place, *types)).encode()):08x}"
        self._copied[name] += 1
        name = f"{name} {self._copied[name]}"
        self.tell(place, self.copying.staging(name, fields))
        with self._unless_failed(place):
            try:
                self._copy(self.copying.copy(name, fields), types, rows)
            except (*_NO_SUCH_VALUE, self.connection.dialect.loaded_dbapi.DataError) as error:
                if getattr(error, "sqlstate", None) is not None:
                    raise  # the server's
                raise RowRejected(f"{place} takes a row only with its statement") from None
        return self.copying, name

    def _copy(self, sql: str, types: Sequence[str], rows: Sequence[Cells]) -> None:
        driver: Any = self.connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(sql) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part of the transaction that is undone alone when it fails;
        then statements are taken again.
        """
        nested = self.connection.begin_nested()
        try:
            yield
        except BaseException:
            nested.rollback()
            self._failure = None
            raise
        if self._failure is None:
            nested.commit()
        else:  # somebody caught the failure: nothing is kept, as after a whole transaction
            nested.rollback()
            self._failure = None

    @contextmanager
    def _unless_failed(self, place: str) -> Iterator[None]:
        if self._failure is not None:
            raise TargetRefused(
                f"the transaction failed before the statement at {place}: {self._failure}"
            )
        try:
            with translated(
                self.connection.engine,
                place,
                self.connection.dialect.loaded_dbapi.Error,
            ):
                yield
        except PipelineError as error:
            self._failure = error
            raise


def copying_of(connection: Connection, dialect: Dialect) -> Copying | None:
    """How rows are sent in bulk, if this server and this user can."""
    copying = dialect.copying
    if copying is None:
        return None
    version = connection.dialect.server_version_info or (0,)
    if int(version[0]) < copying.least_version:
        return None
    may = connection.execute(text(copying.rights)).scalar_one()
    return copying if may else None


@contextmanager
def translated(engine: Engine, place: str, *bare: type[BaseException]) -> Iterator[None]:
    """Turns a driver's error into ours. The original is cut off: its text holds row values. `bare`:
    the driver's own.
    """
    try:
        yield
    except DBAPIError as error:
        where = Place(place, address_of(engine), at_statement=error.statement is not None)
        failure = dialect_of(engine).failure(error.orig or error, where)
    except bare as error:
        failure = dialect_of(engine).failure(error, Place(place, address_of(engine)))
    else:
        return
    raise failure from None


def stored(fields: Fields, answer: Sequence[Value]) -> dict[str, Value]:
    """An answer's values in canonical form: flags as bool, instants aware in UTC."""
    (row,) = all_stored(fields, (answer,))
    return row


def all_stored(fields: Fields, answers: Iterable[Sequence[Value]]) -> list[dict[str, Value]]:
    """The same of many answers."""
    names = [field.name for field in fields]
    odd = [(field.name, field.kind) for field in fields if field.kind in CONVERTED]
    rows = [dict(zip(names, answer, strict=True)) for answer in answers]
    for name, kind in odd:
        for row in rows:
            row[name] = canonical(row[name], kind)
    return rows


CONVERTED = frozenset({ColumnType.FLAG, ColumnType.INSTANT})


def canonical(value: Value, kind: ColumnType) -> Value:
    """A value of a column whose kind is one of CONVERTED, as `stored` gives it."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return bool(value) if kind is ColumnType.FLAG else value


def shortened(dialect: Dialect, text: str, length: int) -> str:
    """As much of a text as a column of this length holds: SQL Server counts UTF-16 units,
    of which some letters take two.
    """
    return cut(text, length, utf16=dialect.counts_utf16)


def iso(instant: datetime) -> str:
    """An instant as a parameter."""
    return instant.astimezone(UTC).isoformat()


def instant_of(value: Value) -> datetime:
    """An answer's instant, aware in UTC."""
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return found.astimezone(UTC)


def number_of(value: Value) -> int:
    """An answer's number."""
    return value if isinstance(value, int) else int(str(value))
