"""Links as their documents: read and locked, and rewritten where nothing but a document changes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from pipeline.conflicts import codec, line_values
from pipeline.conflicts.line_values import Document
from pipeline.database.sql.dialect import Field, Fields, Lock, Update, given
from pipeline.database.sql.session import Session
from pipeline.mapping.source import ColumnType

_ID = (Field("id", ColumnType.SHORT_TEXT),)
_FIELDS: Fields = (
    Field("version", ColumnType.INTEGER),
    Field("ajera_epoch", ColumnType.INTEGER),
    Field("dps_epoch", ColumnType.INTEGER),
    Field("updated_at", ColumnType.INSTANT),
    Field("document", ColumnType.TEXT),
    Field("lines", ColumnType.SHORT_TEXT),
)


class StoredLinks:
    """Reads and rewrites documents."""

    def __init__(self, session: Session, schema: str) -> None:
        self._session = session
        self._link = session.dialect.qualify(schema, "link")

    def documents(self, ids: Collection[str]) -> dict[str, str]:
        """By id, locked in the order of their ids."""
        sql = self._session.dialect.select(self._link, _ID, ["id", "document"], Lock.UPDATE)
        answers = self._session.run("link", sql, [(one,) for one in sorted(set(ids))])
        return {str(one): str(document) for one, document in answers}

    def rewrite(self, documents: Sequence[tuple[Document, str]], now: datetime) -> None:
        """Each with what it is found by where a line is new. They are locked."""
        assigned = tuple(given(field.name) for field in _FIELDS)
        update = Update(self._link, _ID, _FIELDS, assigned)
        rows = [
            (
                document["id"],
                document["version"],
                codec.epoch_of(document["ajera"]),
                codec.epoch_of(document["dps"]),
                now,
                line_values.text_of(document),
                lines,
            )
            for document, lines in documents
        ]
        self._session.run("link", self._session.dialect.update(update), sorted(rows))
