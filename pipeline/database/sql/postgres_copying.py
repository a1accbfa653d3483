"""Rows in bulk on PostgreSQL: COPY in its binary form into a temporary table, then one statement
that reads this table alone. No join, so no plan that could go wrong.
"""

from __future__ import annotations

from pipeline.database.sql.dialect import Fields, Images, Merge, Put, json_names
from pipeline.database.sql.postgres_text import counted, listed, ordered, quoted, upserted
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
        return f"CREATE TEMP TABLE IF NOT EXISTS {quoted(name)} ({columns}) ON COMMIT DELETE ROWS"

    def copy(self, name: str, fields: Fields) -> str:
        columns = ", ".join(json_names(fields))
        return f"COPY pg_temp.{quoted(name)} ({columns}) FROM STDIN (FORMAT binary)"

    def types(self, fields: Fields) -> list[str]:
        return [_TYPES[field.kind] for field in fields]

    def put(self, name: str, put: Put) -> str:
        images = Images(
            lambda column: f"old.{quoted(column)}", lambda column: f"new.{quoted(column)}"
        )
        (key,) = put.merge.key
        answers = [answer(images) for answer in put.answers]
        upsert = f"{_upsert(name, put.merge, put.constants)} RETURNING {images.new(key.name)}"
        if not put.are_few:
            return ", ".join((upsert, *answers))
        names = [f"a{number}" for number in range(len(answers))]
        named = (f"{one} AS {name}" for one, name in zip(answers, names, strict=True))
        grouped = ", ".join(names)
        return (
            f"WITH put AS ({', '.join((f'{upsert} AS key', *named))})"
            f" SELECT json_agg(key)::text, {grouped} FROM put GROUP BY {grouped}"
        )

    def merge(self, name: str, merge: Merge) -> str:
        return counted(_upsert(name, merge, ()))


def _upsert(name: str, merge: Merge, constants: tuple[tuple[str, str], ...]) -> str:
    fields = merge.key + merge.fields
    columns = ", ".join((listed(fields), *(quoted(column) for column, _ in constants)))
    values = ", ".join((*(f"r.{one}" for one in json_names(fields)), *dict(constants).values()))
    insert = (
        f"INSERT INTO {merge.table} AS t ({columns}) SELECT {values}"
        f" FROM pg_temp.{quoted(name)} AS r ORDER BY {ordered(merge.key)}"
    )
    return upserted(insert, merge)
