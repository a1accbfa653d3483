"""Parked work of the exchange, and how far each side's capture was followed:
`sync.parked` and `sync.capture`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial

from pipeline.conflicts.rules import Side
from pipeline.database.sql.dialect import (
    Field,
    Fields,
    Images,
    Lock,
    Merge,
    Update,
    constant,
    given,
)
from pipeline.database.sql.session import Session, iso, number_of, shortened
from pipeline.errors import TABLE_REFUSED
from pipeline.mapping.source import ColumnType
from pipeline.pairing.entity import ParkedWork

_ID = (Field("id", ColumnType.SHORT_TEXT),)
_WORK: Fields = (
    Field("entity", ColumnType.SHORT_TEXT),
    Field("side", ColumnType.SHORT_TEXT),
    Field("key", ColumnType.SHORT_TEXT),
    Field("link", ColumnType.SHORT_TEXT),
    Field("code", ColumnType.SHORT_TEXT),
    Field("hint", ColumnType.SHORT_TEXT),
    Field("waits_for", ColumnType.SHORT_TEXT),
    Field("is_woken", ColumnType.FLAG),
)
_TIMES: Fields = (
    Field("since", ColumnType.INSTANT),
    Field("tried_at", ColumnType.INSTANT),
)
_WAITS_FOR = (Field("waits_for", ColumnType.SHORT_TEXT),)
_SIDE = (Field("side", ColumnType.SHORT_TEXT),)
_EPOCHS = (
    Field("epoch", ColumnType.INTEGER),
    Field("swept_epoch", ColumnType.INTEGER),
)
HINT_LENGTH = 400


class Parked:
    """Reads and writes parked work."""

    def __init__(self, session: Session, schema: str) -> None:
        self._session = session
        self._table = session.dialect.qualify(schema, "parked")
        self._capture = session.dialect.qualify(schema, "capture")

    def park(self, parked: Sequence[ParkedWork], now: datetime) -> None:
        """What was parked before keeps its age."""
        newest = {one.id: one for one in parked}
        rows = [
            (
                *(
                    one.id,
                    one.entity,
                    one.side,
                    one.key,
                    one.link,
                    one.code,
                    shortened(self._session.dialect, one.hint, HINT_LENGTH),
                    one.waits_for,
                ),
                *(False, now, now),
            )
            for _, one in sorted(newest.items())
        ]
        kept = (*(given(field.name) for field in _WORK), given("tried_at"))
        self._session.run(
            "parked",
            self._session.dialect.merge(Merge(self._table, _ID, (*_WORK, *_TIMES), kept)),
            rows,
        )

    def unpark(self, ids: Collection[str]) -> None:
        sql = self._session.dialect.delete(self._table, _ID)
        self._session.run("parked", sql, [(one,) for one in sorted(set(ids))])

    def wake(self, waited_for: Collection[str]) -> None:
        woken = (constant("is_woken", self._session.dialect.true),)
        sql = self._session.dialect.update(Update(self._table, _WAITS_FOR, (), woken))
        self._session.run("parked", sql, [(one,) for one in sorted(set(waited_for))])

    def due(self, limit: int, tried_before: datetime) -> list[ParkedWork]:
        dialect = self._session.dialect
        quote, names = (
            dialect.quote,
            ["id", *(field.name for field in _WORK[:-1])],
        )
        sql = (
            f"SELECT {', '.join(quote(name) for name in names)} FROM {self._table}"
            f" WHERE {quote('is_woken')} = {dialect.true}"
            f" OR {quote('tried_at')} < {dialect.instant(':before')}"
            f" ORDER BY {quote('tried_at')}, {quote('id')}"
            f" OFFSET 0 ROWS FETCH NEXT {limit:d} ROWS ONLY"
        )
        answers = self._session.ask("parked", sql, before=iso(tried_before))
        return [
            ParkedWork(
                *(
                    str(one),
                    str(entity),
                    Side(str(side)),
                    str(key),
                    str(code),
                    str(hint),
                ),
                link=None if link is None else str(link),
                waits_for=None if waits_for is None else str(waits_for),
            )
            for one, entity, side, key, link, code, hint, waits_for in answers
        ]

    def count(self) -> int:
        code = self._session.dialect.quote("code")
        refused = ", ".join(f"'{one.code}'" for one in TABLE_REFUSED)
        ((count,),) = self._session.ask(
            "parked", f"SELECT COUNT(*) FROM {self._table} WHERE {code} NOT IN ({refused})"
        )
        return number_of(count)

    # -- captures ----------------------------------------------------------------------------------

    def epochs(self) -> dict[Side, tuple[int, int]]:
        sql = self._session.dialect.select(
            self._capture,
            _SIDE,
            ["side", *(field.name for field in _EPOCHS)],
            Lock.NONE,
        )
        answers = self._session.run("capture", sql, [(side.value,) for side in Side])
        found = {
            Side(str(side)): (number_of(epoch), number_of(swept)) for side, epoch, swept in answers
        }
        return {side: found.get(side, (0, 0)) for side in Side}

    def set_epoch(self, side: Side, seen: int, swept: int) -> None:
        """Neither ever falls."""
        merge = Merge(
            self._capture,
            _SIDE,
            _EPOCHS,
            tuple((field.name, partial(_greater, field.name)) for field in _EPOCHS),
        )
        self._session.run(
            "capture",
            self._session.dialect.merge(merge),
            [(side.value, seen, swept)],
        )


def _greater(column: str, images: Images) -> str:
    old, new = images.old(column), images.new(column)
    return f"CASE WHEN {old} > {new} THEN {old} ELSE {new} END"
