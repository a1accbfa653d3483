"""A stand-in for pyodbc: answers that are told beforehand, and a record of how they were read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import sqlalchemy as sa

Answer = Sequence[tuple[object, ...]]


class OdbcError(Exception):
    """As pyodbc raises it: the SQLSTATE, then the message."""


@dataclass
class Driver:
    """The module. `answers`: for each statement in turn the results that follow each other,
    or an error.
    """

    answers: list[Sequence[Answer | OdbcError] | OdbcError] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    left_unread: list[str] = field(default_factory=list)
    info: dict[int, str] = field(default_factory=dict)
    commits: int = 0

    Error: ClassVar[type[OdbcError]] = OdbcError
    ProgrammingError: ClassVar[type[OdbcError]] = OdbcError
    paramstyle: ClassVar[str] = "qmark"
    version: ClassVar[str] = "5.2.0"
    (
        SQL_DRIVER_NAME,
        SQL_DRIVER_VER,
        SQL_WVARCHAR,
        SQL_VARCHAR,
        SQL_DECIMAL,
    ) = 6, 7, -9, 12, 3

    def connect(self, *_: object, **__: object) -> Connection:
        return Connection(self)

    @property
    def Cursor(self) -> type[Cursor]:  # noqa: N802
        return Cursor

    def next_answer(self, statement: str) -> Sequence[Answer | OdbcError]:
        self.statements.append(statement)
        answer = self.answers.pop(0) if self.answers else []
        if isinstance(answer, OdbcError):
            raise answer
        return answer


@dataclass
class Connection:
    """One that is never lost."""

    driver: Driver
    autocommit: bool = False
    timeout: int = 0

    def cursor(self) -> Cursor:
        return Cursor(self.driver)

    def getinfo(self, number: int) -> str:
        return self.driver.info[number]

    def commit(self) -> None:
        self.driver.commits += 1

    def rollback(self) -> None:
        pass

    def close(self) -> None:
        pass


class Cursor:
    """Notes an answer that is closed before its end:
    there the real driver cancels the statement.
    """

    rowcount = -1

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.statement = ""
        self._results: list[Answer | OdbcError] = []
        self._rows: list[tuple[object, ...]] = []

    @property
    def description(self) -> list[tuple[object, ...]] | None:
        if not self._results or isinstance(self._results[0], OdbcError):
            return None
        width = len(self._results[0][0]) if self._results[0] else 1
        return [(f"c{number}", str, None, None, None, None, None) for number in range(width)]

    def execute(self, statement: str, *_: object) -> None:
        self.statement = statement
        self._results = list(self._driver.next_answer(statement))
        self._begin()

    def _begin(self) -> None:
        first: Answer | OdbcError = self._results[0] if self._results else []
        if isinstance(first, OdbcError):
            raise first
        self._rows = list(first)

    def fetchone(self) -> tuple[object, ...] | None:
        return self._rows.pop(0) if self._rows else None

    def fetchall(self) -> list[tuple[object, ...]]:
        rows, self._rows = self._rows, []
        return rows

    def nextset(self) -> bool:
        self._results = self._results[1:]
        self._begin()
        return bool(self._results)

    def close(self) -> None:
        if self._rows or len(self._results) > 1:
            self._driver.left_unread.append(self.statement)


def engine_on(driver: Driver) -> sa.Engine:
    """An engine of SQLAlchemy for SQL Server on the stand-in."""
    return sa.create_engine("mssql+pyodbc://", module=driver, _initialize=False)
