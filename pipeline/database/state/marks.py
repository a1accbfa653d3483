"""Marks: the table `sync.due`, and `sync.due_together` for those that one batch sets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache

import orjson

from pipeline.database.sql.dialect import (
    Dialect,
    Field,
    Images,
    Lock,
    Merge,
    constant,
    given,
)
from pipeline.database.sql.session import Session, iso, number_of, shortened
from pipeline.errors import TargetRefused
from pipeline.mapping.source import ColumnType
from pipeline.model.ledger import Mark, Waiting

_KEY = (
    Field("kind", ColumnType.SHORT_TEXT),
    Field("key", ColumnType.SHORT_TEXT),
)
_NUMBER = Field("number", ColumnType.INTEGER)
_SET_AT = Field("set_at", ColumnType.INSTANT)
_REASON = (
    Field("reason", ColumnType.TEXT),
    Field("code", ColumnType.TEXT),
    Field("tried_at", ColumnType.INSTANT),
)
_TOGETHER = (
    _SET_AT,
    Field("count", ColumnType.INTEGER),
    Field("marks", ColumnType.TEXT),
)
REASON_LENGTH = 400


class Marks:
    """Reads and writes marks."""

    def __init__(self, session: Session, schema: str) -> None:
        self._session = session
        self._table = session.dialect.qualify(schema, "due")
        self._together = session.dialect.qualify(schema, "due_together")

    def mark(self, marks: Sequence[Mark], now: datetime) -> None:
        """A mark that waited begins again; one that did not keeps its age,
        so that it cannot be put off for ever.
        """

        newest = {(mark.kind, mark.key): mark.number for mark in marks}
        rows = [(*key, newest[key], now) for key in sorted(newest)]
        self._session.run("due", _marking(self._session.dialect, self._table), rows)

    def mark_pages(
        self,
        kind: str,
        pages: Iterable[Sequence[str]],
        number: int,
        now: datetime,
        links: Callable[[Sequence[str]], Iterable[str]] | None = None,
    ) -> int:
        """Mark these rows, or those that have a link; how many. Links are not locked: who changes
        one keeps the change, which marks its row.
        """
        marked = 0
        for page in pages:
            keys = page if links is None else sorted(links(page))
            self.mark([Mark(kind, key, number) for key in keys], now)
            marked += len(keys)
        return marked

    def mark_together(self, marks: Sequence[Mark], now: datetime) -> None:
        keys: dict[str, list[str]] = {}
        for mark in marks:
            keys.setdefault(mark.kind, []).append(mark.key)
        sql = self._session.dialect.insert_missing(self._together, (_NUMBER,), _TOGETHER)
        row = (marks[0].number, now, len(marks), orjson.dumps(keys).decode())
        self._session.run("due_together", sql, [row])

    def clear_together(self, number: int) -> None:
        self._taken(number)

    def take_together(self, set_before: datetime | None = None) -> set[tuple[str, str]]:
        quote = self._session.dialect.quote
        before = {} if set_before is None else {"set_before": iso(set_before)}
        older = f" WHERE {quote('set_at')} < {self._session.dialect.instant(':set_before')}"
        found = self._session.ask(
            "due_together",
            f"SELECT {quote('number')}, {quote('marks')} FROM {self._together}"
            f"{older if before else ''} ORDER BY {quote('number')}",
            **before,
        )
        return {
            (kind, key)
            for number, marks in found
            if self._taken(number_of(number))
            for kind, keys in orjson.loads(str(marks)).items()
            for key in keys
        }

    def _taken(self, number: int) -> bool:
        """Nobody else did."""
        sql = self._session.dialect.delete(self._together, (_NUMBER,))
        ((deleted,),) = self._session.run("due_together", sql, [(number,)])
        return number_of(deleted) > 0

    def marks_of(self, marks: Iterable[tuple[str, str]]) -> list[Mark]:
        sql = self._session.dialect.select(self._table, _KEY, ["kind", "key", "number"], Lock.NONE)
        answers = self._session.run("due", sql, sorted(set(marks)))
        return [Mark(str(kind), str(key), number_of(number)) for kind, key, number in answers]

    def has_marks(self, kind: str) -> bool:
        key = self._session.dialect.quote("key")
        found = self._session.ask(
            "due",
            f"SELECT {key} FROM {self._table} WHERE {self._session.dialect.quote('kind')} = :kind"
            f" ORDER BY {key} OFFSET 0 ROWS FETCH NEXT 1 ROWS ONLY",
            kind=kind,
        )
        return bool(found)

    def due(
        self,
        limit: int,
        *,
        set_before: datetime,
        waiting_before: datetime,
        with_refused: bool = True,
    ) -> list[Mark]:
        """By age since they were set or last tried,
        so that those which wait do not hold up the others.
        """
        quote, instant = (
            self._session.dialect.quote,
            self._session.dialect.instant,
        )
        set_at, tried_at, code = quote("set_at"), quote("tried_at"), quote("code")
        others = f"COALESCE({code}, '') <> '{TargetRefused.code}'"
        refused = f" OR {code} = '{TargetRefused.code}'" if with_refused else ""
        sql = (
            f"SELECT {quote('kind')}, {quote('key')}, {quote('number')} FROM {self._table}"
            f" WHERE ({tried_at} IS NULL AND {set_at} < {instant(':set_before')})"
            f" OR ({tried_at} < {instant(':waiting_before')} AND {others})"
            f"{refused} ORDER BY COALESCE({tried_at}, {set_at}), {quote('kind')}, {quote('key')}"
            f" OFFSET 0 ROWS FETCH NEXT {limit:d} ROWS ONLY"
        )
        answers = self._session.ask(
            "due",
            sql,
            set_before=iso(set_before),
            waiting_before=iso(waiting_before),
        )
        return [Mark(str(kind), str(key), number_of(number)) for kind, key, number in answers]

    def waiting_count(self) -> int:
        tried_at, code = (self._session.dialect.quote(name) for name in ("tried_at", "code"))
        ((count,),) = self._session.ask(
            "due",
            f"SELECT COUNT(*) FROM {self._table}"
            f" WHERE {tried_at} IS NOT NULL AND COALESCE({code}, '') <> '{TargetRefused.code}'",
        )
        return number_of(count)

    def clear(self, marks: Sequence[Mark]) -> None:
        sql = self._session.dialect.delete(self._table, (*_KEY, _NUMBER))
        self._session.run(
            "due",
            sql,
            sorted({(mark.kind, mark.key, mark.number) for mark in marks}),
        )

    def wait(self, waiting: Sequence[Waiting], now: datetime) -> None:
        """A mark keeps the number it has; one whose number is another than the one that waits (0:
        any) stays as it is.
        """

        def is_the_same(images: Images) -> str:
            return f"{images.new('number')} IN (0, {images.old('number')})"

        merge = Merge(
            table=self._table,
            key=_KEY,
            fields=(_NUMBER, _SET_AT, *_REASON),
            assignments=tuple(given(field.name) for field in _REASON),
            only_if=is_the_same,
        )
        newest = {(one.mark.kind, one.mark.key): one for one in waiting}
        rows = [
            (
                *key,
                one.mark.number,
                now,
                shortened(self._session.dialect, one.reason, REASON_LENGTH),
                one.code,
                now,
            )
            for key, one in sorted(newest.items())
        ]
        self._session.run("due", self._session.dialect.merge(merge), rows)


@lru_cache(maxsize=32)  # asked for every batch
def _marking(dialect: Dialect, table: str) -> str:
    def set_at(images: Images) -> str:
        waits = f"{images.old('tried_at')} IS NULL"
        return f"CASE WHEN {waits} THEN {images.old('set_at')} ELSE {images.new('set_at')} END"

    return dialect.merge(
        Merge(
            table=table,
            key=_KEY,
            fields=(_NUMBER, _SET_AT),
            assignments=(
                given("number"),
                ("set_at", set_at),
                *(constant(field.name, "NULL") for field in _REASON),
            ),
        )
    )
