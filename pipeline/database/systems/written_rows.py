"""What rows of the target hold, and what we wrote there last (`sync.written`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import orjson

from pipeline.database.sql.dialect import Cells, Field, Fields, Lock, Merge, given
from pipeline.database.sql.session import Session
from pipeline.database.systems.rows_by_id import RowsById
from pipeline.mapping.observed import Root, Written
from pipeline.mapping.source import ColumnType
from pipeline.model.event import Row

_TABLE = Field("target_table", ColumnType.SHORT_TEXT)
_ROW: Fields = (_TABLE, Field("row_key", ColumnType.SHORT_TEXT))
_ROOT: Fields = (
    Field("root_table", ColumnType.SHORT_TEXT),
    Field("root_key", ColumnType.SHORT_TEXT),
)
_DOCUMENT = Field("document", ColumnType.TEXT)


class WrittenRows:
    """Of each row one document: the columns that we write, as the target held them after that."""

    def __init__(self, session: Session, schema: str, rows: RowsById) -> None:
        self._session = session
        self._rows = rows
        self._written = session.dialect.qualify(schema, "written")

    def held(self, table: str, keys: Collection[str]) -> dict[str, Row]:
        return self._rows.lock(table, keys)

    def of(self, table: str, keys: Collection[str]) -> dict[str, Written]:
        columns = [_ROW[1].name, *(field.name for field in _ROOT), _DOCUMENT.name]
        sql = self._session.dialect.select(self._written, _ROW, columns, Lock.NONE)
        answers = self._run(sql, [(table, key) for key in keys])
        return {
            str(key): Written((str(root), str(root_key)), orjson.loads(str(document)))
            for key, root, root_key, document in answers
        }

    def for_roots(self, roots: Collection[Root]) -> dict[tuple[str, str], Root]:
        columns = [field.name for field in (*_ROW, *_ROOT)]
        sql = self._session.dialect.select(self._written, _ROOT, columns, Lock.NONE)
        return {
            (str(table), str(key)): (str(root), str(root_key))
            for table, key, root, root_key in self._run(sql, roots)
        }

    def remember(self, table: str, rows: Mapping[str, Written]) -> None:
        fields = (*_ROOT, _DOCUMENT)
        merge = Merge(
            table=self._written,
            key=_ROW,
            fields=fields,
            assignments=tuple(given(field.name) for field in fields),
        )
        cells = [
            (table, key, *one.root, orjson.dumps(one.texts, option=orjson.OPT_SORT_KEYS).decode())
            for key, one in rows.items()
        ]
        self._run(self._session.dialect.merge(merge), cells)

    def forget(self, table: str, keys: Collection[str]) -> None:
        sql = self._session.dialect.delete(self._written, _ROW)
        self._run(sql, [(table, key) for key in keys])

    def _run(self, sql: str, cells: Iterable[tuple[str, ...]]) -> list[Cells]:
        return [*self._session.run("written", sql, sorted(cells))]
