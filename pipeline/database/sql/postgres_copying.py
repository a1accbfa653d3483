"""Rows in bulk on PostgreSQL: COPY in its binary form into a temporary table, then one statement
that reads this table alone. No join, so no plan that could go wrong.
"""

from __future__ import annotations

from pipeline.database.sql.dialect import TEXTS, Field, Fields, Images, Merge, Put, json_names
from pipeline.mapping.source import ColumnType

_TYPES = {
    ColumnType.INTEGER: "int8",
    ColumnType.FLAG: "bool",
    ColumnType.TEXT: "text",
    ColumnType.SHORT_TEXT: "text",
    ColumnType.INSTANT: "timestamptz",
    ColumnType.DATE: "date",
    ColumnType.DECIMAL: "numeric",
}


class PostgresCopying:
    """`old` and `new` in RETURNING came with PostgreSQL 18."""

    rights = "SELECT has_database_privilege(current_database(), 'TEMP')"
    least_version = 18

    def staging(self, name: str, fields: Fields) -> str:
        columns = ", ".join(
            f"{column} {kind}"
            for column, kind in zip(json_names(fields), self.types(fields), strict=True)
        )
        return f"CREATE TEMP TABLE IF NOT EXISTS {_quoted(name)} ({columns}) ON COMMIT DELETE ROWS"

    def copy(self, name: str, fields: Fields) -> str:
        columns = ", ".join(json_names(fields))
        return f"COPY pg_temp.{_quoted(name)} ({columns}) FROM STDIN (FORMAT binary)"

    def types(self, fields: Fields) -> list[str]:
        return [_TYPES[field.kind] for field in fields]

    def put(self, name: str, put: Put) -> str:
        images = Images(
            lambda column: f"old.{_quoted(column)}", lambda column: f"new.{_quoted(column)}"
        )
        answers = ", ".join(answer(images) for answer in put.answers)
        return f"{_insert(name, put.merge, put.constants)} RETURNING {answers}"

    def merge(self, name: str, merge: Merge) -> str:
        return (
            f"WITH written AS ({_insert(name, merge, ())} RETURNING (t.xmax = 0) AS created)"
            " SELECT count(*) FILTER (WHERE created) AS created, count(*) FILTER (WHERE NOT"
            " created) AS changed FROM written"
        )


def _insert(name: str, merge: Merge, constants: tuple[tuple[str, str], ...]) -> str:
    fields = merge.key + merge.fields
    columns = ", ".join(_quoted(one) for one in (*(f.name for f in fields), *dict(constants)))
    values = ", ".join((*(f"r.{one}" for one in json_names(fields)), *dict(constants).values()))
    order = ", ".join(_binary(number, field) for number, field in enumerate(merge.key))
    key = ", ".join(_quoted(field.name) for field in merge.key)
    images = Images(
        lambda column: f"t.{_quoted(column)}", lambda column: f"excluded.{_quoted(column)}"
    )
    changes = ", ".join(f"{_quoted(one)} = {value(images)}" for one, value in merge.assignments)
    condition = "" if merge.only_if is None else f" WHERE {merge.only_if(images)}"
    return (
        f"INSERT INTO {merge.table} AS t ({columns}) SELECT {values}"
        f" FROM pg_temp.{_quoted(name)} AS r ORDER BY {order}"
        f" ON CONFLICT ({key}) DO UPDATE SET {changes}{condition}"
    )


def _binary(number: int, field: Field) -> str:
    return f'r.c{number} COLLATE "C"' if field.kind in TEXTS else f"r.c{number}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
