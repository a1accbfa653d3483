"""The exchange's half of following links: `sync.link_change` of the DPS database, for those who are
in `sync.link_reader`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from pipeline.conflicts.link import Link
from pipeline.conflicts.rules import Side
from pipeline.database.sql.dialect import Field, Lock, Merge, given
from pipeline.database.sql.session import Session
from pipeline.mapping.source import ColumnType

_ENTITY = (Field("entity", ColumnType.SHORT_TEXT),)
_CHANGE = (
    Field("reader", ColumnType.SHORT_TEXT),
    *_ENTITY,
    Field("key", ColumnType.SHORT_TEXT),
)
_CHANGED_AT = Field("changed_at", ColumnType.INSTANT)
Keys = Mapping[Side, str]


class ChangedLinks:
    """Keeps for readers which links of one transaction give other keys than before."""

    def __init__(self, session: Session, schema: str) -> None:
        self._session = session
        self._reader = session.dialect.qualify(schema, "link_reader")
        self._change = session.dialect.qualify(schema, "link_change")
        self._given: dict[str, Keys | None] = {}

    def read(self, links: Iterable[Link]) -> None:
        """Links as they are before they are changed."""
        for link in links:
            if link.id not in self._given:
                self._given[link.id] = link.exchanged

    def stored(self, links: Iterable[Link], now: datetime) -> None:
        """Links as they were just stored. A reader that follows them since their rows were written
        is found, and a change that is kept already is written once more: who takes it waits.
        """
        changed = changed_keys(self._given, links)
        if not changed:
            return
        sql = self._session.dialect.select(
            self._reader, _ENTITY, ["entity", "reader", "side"], Lock.NONE
        )
        entities = sorted({entity for entity, _, _ in changed})
        readers = self._session.run("link_reader", sql, [(entity,) for entity in entities])
        rows = {
            (str(reader), entity, key)
            for of, reader, its_side in readers
            for entity, side, key in changed
            if (entity, side) == (of, its_side)
        }
        merge = Merge(self._change, _CHANGE, (_CHANGED_AT,), (given(_CHANGED_AT.name),))
        self._session.run(
            "link_change",
            self._session.dialect.merge(merge),
            [(*row, now) for row in sorted(rows)],
        )


def changed_keys(
    before: Mapping[str, Keys | None], links: Iterable[Link]
) -> set[tuple[str, Side, str]]:
    """Entity, side and key of rows whose link gives another key than `before`, by link; and those
    of a link that was not read before.
    """
    found: set[tuple[str, Side, str]] = set()
    for link in links:
        was, now = before.get(link.id), link.exchanged
        if link.id not in before:
            now = {side: key for side in Side if (key := link.side(side).key) is not None}
        if was != now:
            for keys in (was, now):
                found.update((link.entity, side, key) for side, key in (keys or {}).items())
    return found
