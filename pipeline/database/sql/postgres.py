"""PostgreSQL: each statement is one text, with the rows as an array for each column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.database.sql.address import Place
from pipeline.database.sql.aggregated import AggregatedRows
from pipeline.database.sql.dialect import (
    TEXTS,
    Cells,
    Field,
    Fields,
    Images,
    Lock,
    Merge,
    Update,
    json_names,
)
from pipeline.database.sql.errors import postgres_failure
from pipeline.database.sql.given_rows import arrays
from pipeline.database.sql.postgres_copying import PostgresCopying
from pipeline.database.sql.postgres_text import counted, listed, ordered, quoted, upserted
from pipeline.errors import PipelineError
from pipeline.mapping.source import ColumnType
from pipeline.model.text import BLANKS

_TYPES = {
    ColumnType.INTEGER: "bigint",
    ColumnType.FLAG: "boolean",
    ColumnType.TEXT: "text",
    ColumnType.SHORT_TEXT: "text",
    ColumnType.INSTANT: "timestamptz",
    ColumnType.DATE: "date",
    ColumnType.DECIMAL: "numeric",
}
_LOCKS = {
    Lock.NONE: "",
    Lock.UPDATE: " FOR UPDATE OF t",
    Lock.PRESENCE: " FOR KEY SHARE OF t",
}

_BLANKS = "E'" + "".join(f"\\u{ord(blank):04x}" for blank in BLANKS) + "'"


class Postgres:
    """The dialect of PostgreSQL 13 and later."""

    name = "postgresql"
    copying = PostgresCopying()
    rows_per_statement = 5_000
    counts_utf16 = False
    errors_spare_the_transaction = ()
    now = "now()"
    clock = "clock_timestamp()"
    log_position = "SELECT CAST(pg_current_wal_insert_lsn() - CAST('0/0' AS pg_lsn) AS bigint)"
    false = "false"
    true = "true"

    def has_rows(self, cursor: Any) -> bool:
        """`description`, which tells as well, is made of an object a column."""
        return cursor.rownumber is not None

    def quote(self, name: str) -> str:
        return quoted(name)

    def qualify(self, schema: str | None, table: str) -> str:
        return self.quote(table) if schema is None else f"{self.quote(schema)}.{self.quote(table)}"

    def instant(self, parameter: str) -> str:
        return f"CAST({parameter} AS timestamptz)"

    def parameters(self, rows: Sequence[Cells]) -> dict[str, str]:
        return {f"rows{number}": column for number, column in enumerate(arrays(rows))}

    def select(
        self,
        table: str,
        match: Fields,
        columns: Sequence[str],
        lock: Lock,
        only_if: str = "",
    ) -> str:
        names = ", ".join(f"t.{self.quote(column)}" for column in columns)
        return self._joined(names, table, match, lock, only_if)

    def scan(
        self,
        table: str,
        match: Fields,
        columns: Sequence[str],
        *,
        distinct: bool = False,
    ) -> str:
        """IS TRUE keeps the planner from making a join of it: the given rows are hashed,
        and the table is read once.

        Rows with a null are left out first:
        PostgreSQL would compare each of them with every given row.
        """
        names = ", ".join(f"t.{self.quote(column)}" for column in columns)
        names = f"DISTINCT {names}" if distinct else names
        matched = [f"t.{self.quote(field.name)}" for field in match]
        given = [f"r.{name}" for name in json_names(match)]
        rows = f"SELECT {', '.join(given)} FROM {_rows(match)} WHERE {_known(given)}"
        return (
            f"SELECT {names} FROM {table} AS t WHERE {_known(matched)}"
            f" AND (({', '.join(matched)}) IN ({rows})) IS TRUE"
        )

    def distinct(self, table: str, match: Field, column: str, only_if: str) -> str:
        return (
            f"SELECT DISTINCT t.{self.quote(column)} FROM {_counted((match,))}"
            f" JOIN {table} AS t ON {self._equal((match,))} AND {only_if}"
        )

    def grouped(self, match: Field, rows: AggregatedRows) -> str:
        matched = (match,)
        source = f"{_counted(matched)} JOIN {rows.table} AS t ON {self._equal(matched)}"
        return rows.over(source, "r.c0", self.quote)

    def as_key(self, reference: str, kind: ColumnType) -> str:
        return reference if kind in TEXTS else f"CAST({reference} AS varchar)"

    def matched(self, table: str, match: Fields, lock: Lock, columns: Sequence[str] = ()) -> str:
        given = [f"r.{name}" for name in json_names(match)]
        names = [f"t.{self.quote(column)}" for column in columns]
        return self._joined(", ".join(given + names), table, match, lock)

    def change_part(self, number: int) -> str:
        return f"{number:016x}"

    def named(
        self,
        table: str,
        columns: Sequence[str],
        answer: Sequence[str],
        length: int | None = None,
    ) -> str:
        names = ", ".join(f"t.{self.quote(column)}" for column in answer)
        given = _folded("r.c0", length)
        texts = f"(SELECT {given} FROM {_rows((Field('', ColumnType.TEXT),))})"
        searched = [_folded(f"t.{self.quote(column)}", length) for column in columns]
        any_of = " OR ".join(f"{one} IN {texts}" for one in searched)
        return f"SELECT {names} FROM {table} AS t WHERE ({any_of}) IS TRUE"  # hashed, as in `scan`

    def insert_generated(self, table: str, key: str, columns: Sequence[str]) -> str:
        names = ", ".join(self.quote(column) for column in columns)
        values = ", ".join(f":v{number}" for number in range(len(columns)))
        return f"INSERT INTO {table} ({names}) VALUES ({values}) RETURNING {self.quote(key)}"

    def insert_missing(self, table: str, key: Fields, fields: Fields) -> str:
        columns = listed(key)
        return (
            f"{self._insert(table, key, fields)} ON CONFLICT ({columns}) DO NOTHING RETURNING "
            f"{columns}"
        )

    def merge(self, merge: Merge, answers: Fields = ()) -> str:
        upsert = upserted(self._insert(merge.table, merge.key, merge.fields), merge)
        return f"{upsert} RETURNING {listed(answers)}" if answers else counted(upsert)

    def update(self, update: Update) -> str:
        given = {
            field.name: f"r.c{number}" for number, field in enumerate(update.match + update.fields)
        }
        images = Images(lambda name: f"t.{self.quote(name)}", lambda name: given[name])
        changes = ", ".join(
            f"{self.quote(column)} = {value(images)}" for column, value in update.assignments
        )
        condition = "" if update.only_if is None else f" AND {update.only_if(images)}"
        return (
            f"WITH written AS (UPDATE {update.table} AS t SET {changes}"
            f" FROM {_counted(update.match + update.fields)}"
            f" WHERE {self._equal(update.match)}{condition} RETURNING 1)"
            " SELECT count(*) AS changed FROM written"
        )

    def delete(self, table: str, match: Fields) -> str:
        """Locked first, in order. The rows as given are joined, not those locked:
        of these the planner may expect one.
        """
        held = self._joined("t.ctid", table, match, Lock.UPDATE)
        return (
            f"WITH held AS MATERIALIZED ({held}),"
            f" gone AS (DELETE FROM {table} AS t USING {_counted(match)} WHERE {self._equal(match)}"
            " AND (SELECT count(*) FROM held) > 0 RETURNING 1) SELECT count(*) AS deleted FROM gone"
        )

    def differs(self, images: Images, fields: Fields) -> str:
        old = ", ".join(images.old(field.name) for field in fields)
        new = ", ".join(images.new(field.name) for field in fields)
        return f"({old}) IS DISTINCT FROM ({new})"

    def lock_table(self, table: str) -> str:
        return f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"

    def hold_table(self, table: str) -> str:
        return f"LOCK TABLE {table} IN SHARE MODE"

    def failure(self, error: BaseException, place: Place) -> PipelineError:
        return postgres_failure(error, place)

    def _equal(self, match: Fields) -> str:
        return " AND ".join(
            f"t.{self.quote(field.name)} = r.c{number}" for number, field in enumerate(match)
        )

    def _joined(
        self,
        what: str,
        table: str,
        match: Fields,
        lock: Lock,
        only_if: str = "",
    ) -> str:
        """Rows are locked in the order in which they are sorted: the lock step comes above the
        sort. Others come in any order.
        """
        order = "" if lock is Lock.NONE else f" ORDER BY {ordered(match)}{_LOCKS[lock]}"
        return (
            f"SELECT {what} FROM {_counted(match)} JOIN {table} AS t ON {self._equal(match)}"
            f"{only_if and f' AND {only_if}'}{order}"
        )

    def _insert(self, table: str, key: Fields, fields: Fields) -> str:
        columns = key + fields
        values = ", ".join(f"r.{name}" for name in json_names(columns))
        return (
            f"INSERT INTO {table} AS t ({listed(columns)}) SELECT {values}"
            f" FROM {_rows(columns)} ORDER BY {ordered(key)}"
        )


def _folded(text: str, length: int | None) -> str:
    """Text as `named` compares it: `folded` without any blank."""
    trimmed = f"btrim({text}, {_BLANKS})"
    short = trimmed if length is None else f"left({trimmed}, {length})"
    return f"replace(replace(lower(translate({short}, {_BLANKS}, '')), 'ß', 'ss'), 'ς', 'σ')"


def _known(columns: Sequence[str]) -> str:
    return " AND ".join(f"{column} IS NOT NULL" for column in columns)


def _rows(fields: Fields) -> str:
    """For the planner 100 rows, always: what the second function, which gives none, is taken for.
    Of the arrays it would count what it sees, and for thousands of keys read a table whole; each is
    in a query of its own, which hides it. Alone they would then be ten, and those be gone through
    for each row of a table that it takes for empty.
    """
    given = ", ".join(f"(SELECT {_array(number, field)})" for number, field in enumerate(fields))
    names = ", ".join(json_names(fields))
    return f"ROWS FROM (unnest({given}), json_array_elements('[]')) AS r({names})"


def _array(number: int, field: Field) -> str:
    return f"CAST(:rows{number} AS {_TYPES[field.kind]}[])"


def _counted(fields: Fields) -> str:
    """Fewer than 100 rows are counted: for one value no table is read whole."""
    return f"(SELECT * FROM {_rows(fields)} LIMIT cardinality({_array(0, fields[0])})) AS r"
