"""SQL Server 2016 and later: each statement is one batch over a staging table `#rows`,
filled from the JSON parameter.

The staging table takes its names, types and collations from the table it is for: comparing never
meets two collations, and an error names the column. MERGE is not used: it races without HOLDLOCK
and deadlocks with it. A batch answers once, at its end, and nothing follows the answer: a statement
behind it would be cancelled by whoever closes it early. So #rows may outlive a batch that answers
from it; each batch drops what another one left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.database.sql.address import Place
from pipeline.database.sql.aggregated import AggregatedRows
from pipeline.database.sql.dialect import TEXTS, Cells, Field, Fields, Images, Lock, Merge, Update
from pipeline.database.sql.errors import sqlserver_failure
from pipeline.database.sql.given_rows import json_rows
from pipeline.database.sql.tsql import LOG_POSITION, TYPES, WIDE, binary, exact, folded, values
from pipeline.errors import PipelineError
from pipeline.mapping.source import ColumnType

_HINTS = {
    Lock.NONE: "",
    Lock.UPDATE: " WITH (UPDLOCK, ROWLOCK)",
    Lock.PRESENCE: " WITH (REPEATABLEREAD, ROWLOCK)",
}
# A driver may send a long text as ntext, which OPENJSON refuses: here, for every statement,
# rows become nvarchar(max).
_GIVEN = "SET NOCOUNT ON; DECLARE @rows nvarchar(max) = CAST(:rows AS nvarchar(max));"
_DROP = "DROP TABLE #rows;"
# the clustered key of #rows: the keys themselves may have more than its 900 bytes
_PLACE = "[row number]"
_LONGEST = 8_000  # bytes of a text that a column of a limited length can hold


class SqlServer:
    """The dialect of SQL Server and Azure SQL, compatibility level 130 or higher."""

    name = "mssql"
    copying = None
    rows_per_statement = 1_000
    counts_utf16 = True
    errors_spare_the_transaction = ("SET XACT_ABORT OFF",)
    now = "SYSDATETIMEOFFSET()"
    clock = "SYSDATETIMEOFFSET()"
    log_position = LOG_POSITION
    false, true = "0", "1"

    def has_rows(self, cursor: Any) -> bool:
        return cursor.description is not None

    def quote(self, name: str) -> str:
        return "[" + name.replace("]", "]]") + "]"

    def qualify(self, schema: str | None, table: str) -> str:
        """A schema may be `database.schema`, for a `sync` beside the vendor's database."""
        parts = [*schema.split("."), table] if schema else [table]
        return ".".join(self.quote(part) for part in parts)

    def instant(self, parameter: str) -> str:
        return f"CAST({parameter} AS datetimeoffset)"

    def parameters(self, rows: Sequence[Cells]) -> dict[str, str]:
        return {"rows": json_rows(rows)}

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
        if distinct:
            names = ", ".join(f"t.{self.quote(column)}" for column in columns)
            return (
                f"{self._staged(table, match, (), widens=True)} SELECT DISTINCT {names}"
                f" FROM {table} AS t"
                f" WHERE EXISTS (SELECT 1 FROM #rows AS r WHERE {self._equal(match)})"
            )
        # the planner sees how many rows #rows has
        return self.select(table, match, columns, Lock.NONE)

    def distinct(self, table: str, match: Field, column: str, only_if: str) -> str:
        return (
            f"{self._staged(table, (match,), (), widens=True)}"
            f" SELECT DISTINCT t.{self.quote(column)} FROM #rows AS r"
            f" JOIN {table} AS t ON {self._equal((match,))} AND {only_if}"
        )

    def as_key(self, reference: str, kind: ColumnType) -> str:
        return reference if kind in TEXTS else f"CAST({reference} AS nvarchar(20))"

    def grouped(self, match: Field, rows: AggregatedRows) -> str:
        matched = (match,)
        source = f"#rows AS r JOIN {rows.table} AS t ON {self._equal(matched)}"
        return (
            f"{self._staged(rows.table, matched, (), widens=True)}"
            f" {rows.over(source, self._given(matched, 'r'), self.quote)}"
        )

    def matched(self, table: str, match: Fields, lock: Lock, columns: Sequence[str] = ()) -> str:
        names = [f"t.{self.quote(column)}" for column in columns]
        return self._joined(", ".join([self._given(match, "r"), *names]), table, match, lock)

    def change_part(self, number: int) -> str:
        """An lsn is one decimal number: file, ten digits of block, five of slot."""
        return f"{number // 10**15:08x}{number // 10**5 % 10**10:08x}{number % 10**5:04x}"

    def named(
        self,
        table: str,
        columns: Sequence[str],
        answer: Sequence[str],
        length: int | None = None,
    ) -> str:
        names = ", ".join(f"t.{self.quote(column)}" for column in answer)
        given = folded("r.c0", length)
        texts = f"(SELECT {given} FROM OPENJSON(@rows) WITH (c0 nvarchar(4000) '$.c0') AS r)"
        searched = [folded(f"t.{self.quote(column)}", length) for column in columns]
        any_of = " OR ".join(f"{one} IN {texts}" for one in searched)
        return f"{_GIVEN} SELECT {names} FROM {table} AS t WHERE {any_of}"

    def insert_generated(self, table: str, key: str, columns: Sequence[str]) -> str:
        names = ", ".join(self.quote(column) for column in columns)
        values = ", ".join(f":v{number}" for number in range(len(columns)))
        return (
            f"SET NOCOUNT ON; INSERT INTO {table} ({names}) VALUES ({values});"
            f" SELECT CAST(SCOPE_IDENTITY() AS bigint) AS {self.quote(key)}"
        )

    def insert_missing(self, table: str, key: Fields, fields: Fields) -> str:
        """What is missing is selected first: OUTPUT would fail on a table with triggers."""
        columns = key + fields
        return (
            f"{self._staged(table, key, fields, widens=False)}"
            f" SELECT r.* INTO #missing FROM #rows AS r WHERE {self._lacks(table, key)};"
            f" INSERT INTO {table} ({self._list(columns)})"
            f" SELECT {self._given(columns, 'm')} FROM #missing AS m ORDER BY m.{_PLACE};"
            f" {_DROP} SELECT {self._given(key, 'm')} FROM #missing AS m ORDER BY m.{_PLACE}"
        )

    def merge(self, merge: Merge, answers: Fields = ()) -> str:
        answer = f"{_DROP} SELECT @created AS created, @changed AS changed"
        if answers:
            joined = f"#rows AS r JOIN {merge.table} AS t ON {self._equal(merge.key)}"
            answer = f"SELECT {self._given(answers, 't')} FROM {joined}"
        columns = merge.key + merge.fields
        changes = ", ".join(
            f"{self.quote(column)} = {value(self._images)}" for column, value in merge.assignments
        )
        condition = "" if merge.only_if is None else f" WHERE {merge.only_if(self._images)}"
        return (
            f"{self._staged(merge.table, merge.key, merge.fields, widens=False)}"
            " DECLARE @created bigint; DECLARE @changed bigint;"
            f" UPDATE t SET {changes} FROM #rows AS r"
            f" INNER LOOP JOIN {merge.table} AS t WITH (UPDLOCK, HOLDLOCK, ROWLOCK)"
            f" ON {self._equal(merge.key)}"
            f"{condition} OPTION (FORCE ORDER); SET @changed = @@ROWCOUNT;"
            f" INSERT INTO {merge.table} ({self._list(columns)})"
            f" SELECT {self._given(columns, 'r')} FROM #rows AS r"
            f" WHERE {self._lacks(merge.table, merge.key)} ORDER BY r.{_PLACE};"
            f" SET @created = @@ROWCOUNT; {answer}"
        )

    def update(self, update: Update) -> str:
        changes = ", ".join(
            f"{self.quote(column)} = {value(self._images)}" for column, value in update.assignments
        )
        condition = "" if update.only_if is None else f" WHERE {update.only_if(self._images)}"
        return (
            f"{self._staged(update.table, update.match, update.fields, widens=True)}"
            " DECLARE @changed bigint;"
            f" UPDATE t SET {changes} FROM #rows AS r"
            f" INNER LOOP JOIN {update.table} AS t WITH (UPDLOCK, ROWLOCK)"
            f" ON {self._equal(update.match)}"
            f"{condition} OPTION (FORCE ORDER); SET @changed = @@ROWCOUNT;"
            f" {_DROP} SELECT @changed AS changed"
        )

    def delete(self, table: str, match: Fields) -> str:
        return (
            f"{self._staged(table, match, (), widens=True)} DECLARE @deleted bigint;"
            f" DELETE t FROM #rows AS r INNER LOOP JOIN {table} AS t WITH (UPDLOCK, ROWLOCK)"
            f" ON {self._equal(match)} OPTION (FORCE ORDER); SET @deleted = @@ROWCOUNT;"
            f" {_DROP} SELECT @deleted AS deleted"
        )

    def differs(self, images: Images, fields: Fields) -> str:
        """Texts are compared letter by letter, whatever the column's collation takes for equal."""
        old = ", ".join(exact(images.old(field.name), field.kind) for field in fields)
        new = ", ".join(exact(images.new(field.name), field.kind) for field in fields)
        return f"NOT EXISTS (SELECT {old} INTERSECT SELECT {new})"

    def lock_table(self, table: str) -> str:
        return f"SELECT COUNT(*) AS held FROM {table} WITH (TABLOCKX, HOLDLOCK)"

    def hold_table(self, table: str) -> str:
        return f"SELECT COUNT(*) AS held FROM {table} WITH (TABLOCK, HOLDLOCK)"

    def failure(self, error: BaseException, place: Place) -> PipelineError:
        return sqlserver_failure(error, place)

    def _list(self, fields: Fields) -> str:
        return ", ".join(self.quote(field.name) for field in fields)

    def _given(self, fields: Fields, alias: str) -> str:
        return ", ".join(f"{alias}.{self.quote(field.name)}" for field in fields)

    def _equal(self, match: Fields) -> str:
        return " AND ".join(
            f"t.{self.quote(field.name)} = r.{self.quote(field.name)}" for field in match
        )

    @property
    def _images(self) -> Images:
        return Images(
            lambda name: f"t.{self.quote(name)}",
            lambda name: f"r.{self.quote(name)}",
        )

    def _lacks(self, table: str, key: Fields) -> str:
        return (
            f"NOT EXISTS (SELECT 1 FROM {table} AS t WITH (UPDLOCK, HOLDLOCK)"
            f" WHERE {self._equal(key)})"
        )

    def _staged(self, table: str, key: Fields, written: Fields, *, widens: bool) -> str:
        """The given rows in #rows, in the order of their keys' code points.
        The outer join takes off identity and NOT NULL.

        `widens`: the keys are only looked up.
        """
        columns = key + written
        wide = {one.name: WIDE.get(one.kind, "") for one in key if widens}
        typed = [
            f"t.{self.quote(one.name)}{wide.get(one.name, '')} AS {self.quote(one.name)}"
            for one in columns
        ]
        given = ", ".join(
            f"c{number} {TYPES[field.kind]} '$.c{number}'" for number, field in enumerate(columns)
        )
        order = ", ".join(binary(f"j.c{number}", field) for number, field in enumerate(key))
        fits = [
            f"DATALENGTH(j.c{n}) <= {_LONGEST}"
            for n, one in enumerate(key)
            if widens and one.kind in TEXTS
        ]
        condition = f" WHERE {' AND '.join(fits)}" if fits else ""
        return (
            f"{_GIVEN} DROP TABLE IF EXISTS #rows; DROP TABLE IF EXISTS #missing;"
            f" SELECT TOP (0) CAST(0 AS bigint) AS {_PLACE}, {', '.join(typed)} INTO #rows"
            f" FROM (SELECT 1 AS one) AS nothing LEFT JOIN {table} AS t ON 1 = 0;"
            f" CREATE CLUSTERED INDEX rows_in_order ON #rows ({_PLACE});"
            f" INSERT INTO #rows ({_PLACE}, {self._list(columns)})"
            f" SELECT ROW_NUMBER() OVER (ORDER BY {order}), {values('j', columns)}"
            f" FROM OPENJSON(@rows) WITH ({given}) AS j{condition};"
        )

    def _joined(
        self,
        what: str,
        table: str,
        match: Fields,
        lock: Lock,
        only_if: str = "",
    ) -> str:
        """Where rows are locked,
        they are looked up one by one in the order in which #rows is stored.
        """
        join = "JOIN" if lock is Lock.NONE else "INNER LOOP JOIN"
        option = "" if lock is Lock.NONE else " OPTION (FORCE ORDER, MAXDOP 1)"
        return (
            f"{self._staged(table, match, (), widens=True)} SELECT {what}"
            f" FROM #rows AS r {join} {table} AS t{_HINTS[lock]}"
            f" ON {self._equal(match)}{only_if and f' AND {only_if}'} ORDER BY r.{_PLACE}{option}"
        )
