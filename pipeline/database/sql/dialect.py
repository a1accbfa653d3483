"""The dialect port: everything in which the two databases differ,
as functions that return SQL text.

Rows travel as a fixed number of parameters, however many they are, and are called r with the short
columns c0, c1, ...: table and column names with blanks and cases never need escaping in them.
Values are always parameters; names come from our own tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from pipeline.database.sql.address import Place
from pipeline.database.sql.aggregated import AggregatedRows
from pipeline.errors import PipelineError
from pipeline.mapping.source import ColumnType
from pipeline.model.event import Value


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a table that a statement matches, reads or writes."""

    name: str
    kind: ColumnType


Fields = tuple[Field, ...]
Cells = Sequence[Value]
TEXTS = (ColumnType.TEXT, ColumnType.SHORT_TEXT)


class Lock(Enum):
    """What a read holds until the end of its transaction."""

    NONE = "none"
    UPDATE = "update"  # nobody else may lock or change the rows
    PRESENCE = "presence"  # nobody may delete the rows or change their keys


@dataclass(frozen=True, slots=True)
class Images:
    """How an expression names a column of the row as stored (`old`) and as given (`new`)."""

    old: Callable[[str], str]
    new: Callable[[str], str]


Expression = Callable[[Images], str]
Assignments = tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class Merge:
    """Insert rows, or where the key exists make the assignments, if the condition holds;
    answers `created, changed`.
    """

    table: str
    key: Fields
    fields: Fields  # inserted beside the key
    assignments: Assignments
    only_if: Expression | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """Make assignments in the rows that match, if the condition holds; answers `changed`.
    `fields` follow `match` in the rows.
    """

    table: str
    match: Fields
    fields: Fields
    assignments: Assignments
    only_if: Expression | None = None


@dataclass(frozen=True, slots=True)
class Put:
    """The same of rows that were copied to a staging table first, in the order of their keys.
    `constants` are inserted beside the fields, `answers` are given for each row that was inserted
    or changed, behind its key: of the row before ("old", all null where there was none) and after
    ("new"). Where these are few in number (`are_few`), all rows of equal answers are one row of the
    whole answer, with their keys as a JSON array.
    """

    merge: Merge
    constants: tuple[tuple[str, str], ...]
    answers: tuple[Expression, ...]
    are_few: bool = False


def given(column: str) -> tuple[str, Expression]:
    """The assignment of a column's given value."""
    return column, lambda images: images.new(column)


def constant(column: str, sql: str) -> tuple[str, Expression]:
    """The assignment of a constant."""
    return column, lambda _: sql


class Copying(Protocol):
    """How rows are sent in bulk: copied to a staging table of the connection's own, which is
    emptied when the transaction ends.
    """

    @property
    def rights(self) -> str:
        """Answers whether this user may make staging tables."""

    @property
    def least_version(self) -> int:
        """The first major version of the server that answers what a row held before."""

    def staging(self, name: str, fields: Fields) -> str:
        """Make the table where it is not there."""

    def copy(self, name: str, fields: Fields) -> str: ...

    def types(self, fields: Fields) -> list[str]:
        """The server's names of the fields' types."""

    def put(self, name: str, put: Put) -> str: ...

    def merge(self, name: str, merge: Merge) -> str:
        """As `Dialect.merge` answers."""


class Dialect(Protocol):
    """One kind of database."""

    @property
    def copying(self) -> Copying | None:
        """None: rows are always sent with their statement."""

    @property
    def name(self) -> str: ...

    @property
    def rows_per_statement(self) -> int:
        """How many rows one statement may lock or write."""

    @property
    def counts_utf16(self) -> bool: ...

    @property
    def errors_spare_the_transaction(self) -> tuple[str, ...]:
        """Statements after which a failed one can be undone to a savepoint."""

    def __hash__(self) -> int:
        """Of itself alone: statements are remembered by dialect."""

    def has_rows(self, cursor: Any) -> bool:
        """Does a statement's answer, on its driver's cursor, consist of rows."""

    @property
    def now(self) -> str:
        """The database's own time."""

    @property
    def clock(self) -> str:
        """The database's own time at this moment, also within a transaction."""

    @property
    def log_position(self) -> str:
        """Answers one number: a place in the log at or after everything
        that this transaction wrote; null if we may not know.
        """

    def change_part(self, number: int) -> str:
        """The change part of a position at such a place (see model/position.py)."""

    @property
    def false(self) -> str: ...

    @property
    def true(self) -> str: ...

    def quote(self, name: str) -> str: ...

    def qualify(self, schema: str | None, table: str) -> str:
        """A table's full, quoted name."""

    def instant(self, parameter: str) -> str:
        """A text parameter in ISO 8601 as an instant."""

    def parameters(self, rows: Sequence[Cells]) -> dict[str, str]:
        """Rows, at least one, as a statement over rows takes them."""

    def select(
        self,
        table: str,
        match: Fields,
        columns: Sequence[str],
        lock: Lock,
        only_if: str = "",
    ) -> str:
        """Columns of the rows that match the given ones, in the order of what they match.

        `only_if`: a condition on the table, called `t`; that of the index that leads to the match,
        where it has one.
        """

    def scan(
        self,
        table: str,
        match: Fields,
        columns: Sequence[str],
        *,
        distinct: bool = False,
    ) -> str:
        """The same without locks where no index may lead to the match; in any order.

        `distinct`: no answer twice from one statement.
        """

    def distinct(self, table: str, match: Field, column: str, only_if: str) -> str:
        """What a column holds in the rows that match one of the given values, found by the index on
        the match, and fulfil a condition on the table, called `t`; no answer twice from one
        statement.
        """

    def grouped(self, match: Field, rows: AggregatedRows) -> str:
        """Each given value that rows match, with the columns `by` and the expressions."""

    def as_key(self, reference: str, kind: ColumnType) -> str:
        """A column that refers to a row, as the text that is that row's key."""

    def matched(self, table: str, match: Fields, lock: Lock, columns: Sequence[str] = ()) -> str:
        """The given rows, as given, that match a row of the table, with these columns of it."""

    def named(
        self,
        table: str,
        columns: Sequence[str],
        answer: Sequence[str],
        length: int | None = None,
    ) -> str:
        """Rows one of whose columns holds one of the given texts, case and all blanks aside.

        `length`: how many characters of trimmed text are compared, None for all.
        """

    def insert_generated(self, table: str, key: str, columns: Sequence[str]) -> str:
        """Insert one row, :v0, :v1, ..., whose key the database gives; answers the key."""

    def insert_missing(self, table: str, key: Fields, fields: Fields) -> str:
        """Insert the rows whose key the table lacks; answers their keys."""

    def merge(self, merge: Merge, answers: Fields = ()) -> str:
        """`answers`: in place of counts, these columns of each given row, as it is after that."""

    def update(self, update: Update) -> str: ...

    def delete(self, table: str, match: Fields) -> str:
        """Delete the rows that match; answers `deleted`."""

    def differs(self, images: Images, fields: Fields) -> str:
        """Does one of the columns differ, letter by letter, null being a value."""

    def lock_table(self, table: str) -> str:
        """Nobody else writes the table until the end of the transaction."""

    def hold_table(self, table: str) -> str:
        """Nobody writes the table until the end of the transaction; others may hold it too."""

    def failure(self, error: BaseException, place: Place) -> PipelineError:
        """What a driver's error means, without any row's values."""


def json_names(fields: Fields) -> list[str]:
    """c0, c1, ... for these fields."""
    return [f"c{number}" for number in range(len(fields))]
