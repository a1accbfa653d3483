"""Rows of the exchange without a link, and how far their log was read: `sync.unlinked`."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pipeline.conflicts.link import Seen
from pipeline.database.sql.dialect import Field, Fields, Lock, Merge, given
from pipeline.database.sql.session import Session, number_of
from pipeline.mapping.source import ColumnType
from pipeline.model.position import TopicOffset

_ID = (Field("id", ColumnType.SHORT_TEXT),)
_SEEN: Fields = (
    Field("position", ColumnType.SHORT_TEXT),
    Field("incarnation", ColumnType.INTEGER),
    Field("partition", ColumnType.INTEGER),
    Field("offset", ColumnType.INTEGER),
    Field("epoch", ColumnType.INTEGER),
)


class Unlinked:
    """Reads and writes them; the time of an event is not kept."""

    def __init__(self, session: Session, schema: str) -> None:
        self._session = session
        self._table = session.dialect.qualify(schema, "unlinked")

    def read(self, ids: Collection[str]) -> dict[str, Seen]:
        names = ["id", *(field.name for field in _SEEN)]
        sql = self._session.dialect.select(self._table, _ID, names, Lock.NONE)
        answers = self._session.run("unlinked", sql, [(one,) for one in sorted(set(ids))])
        found: dict[str, Seen] = {}
        for one, position, incarnation, partition, offset, epoch in answers:
            place = TopicOffset(
                number_of(incarnation),
                number_of(partition),
                number_of(offset),
            )
            found[str(one)] = Seen(str(position), place, number_of(epoch))
        return found

    def store(self, seen: Mapping[str, Seen]) -> None:
        rows = [
            (
                one,
                of.position,
                of.place.incarnation,
                of.place.partition,
                of.place.offset,
                of.epoch,
            )
            for one, of in sorted(seen.items())
        ]
        assignments = tuple(given(field.name) for field in _SEEN)
        merge = Merge(self._table, _ID, _SEEN, assignments)
        self._session.run("unlinked", self._session.dialect.merge(merge), rows)
