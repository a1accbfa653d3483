"""Intentions already carried out, or given up: the one table that we own in the Ajera database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from pipeline.conflicts import line_values
from pipeline.conflicts.decision import Recorded
from pipeline.database.sql.dialect import Field, Fields, Lock, Update, given
from pipeline.database.sql.session import Session, number_of
from pipeline.errors import TargetMismatch
from pipeline.mapping.source import ColumnType

_NUMBER = (Field("number", ColumnType.SHORT_TEXT),)
_GIVEN_UP: Fields = (
    Field("at", ColumnType.INSTANT),
    Field("epoch", ColumnType.INTEGER),
)
_OUTCOME: Fields = (
    Field("table", ColumnType.SHORT_TEXT),
    Field("key", ColumnType.SHORT_TEXT),
    Field("held", ColumnType.TEXT),
    Field("after", ColumnType.SHORT_TEXT),
    Field("at", ColumnType.INSTANT),
    Field("epoch", ColumnType.INTEGER),
)
_ROW = (
    Field("table", ColumnType.SHORT_TEXT),
    Field("key", ColumnType.SHORT_TEXT),
)


class Intentions:
    """Reads and writes intentions."""

    def __init__(self, session: Session, schema: str) -> None:
        self._session = session
        self._table = session.dialect.qualify(schema, "intention")

    def take(self, intentions: Collection[str]) -> set[str]:
        """Whoever inserts a number first has it;
        a second one waits for the first one's transaction to end.
        """
        sql = self._session.dialect.insert_missing(self._table, _NUMBER, _GIVEN_UP)
        rows = [(number, datetime.now(UTC), 0) for number in sorted(set(intentions))]
        return {str(number) for (number,) in self._session.run("intention", sql, rows)}

    def recorded(self, intentions: Collection[str]) -> dict[str, Recorded]:
        columns = ["number", "held", "after", "at", "key", "epoch"]
        sql = self._session.dialect.select(self._table, _NUMBER, columns, Lock.NONE)
        answers = self._session.run(
            "intention",
            sql,
            [(number,) for number in sorted(set(intentions))],
        )
        found = {}
        for number, held, after, at, key, epoch in answers:
            if not isinstance(at, datetime):
                raise TargetMismatch("an intention has no time")
            found[str(number)] = Recorded(
                held={} if held is None else line_values.load_values(str(held)),
                after=None if after is None else str(after),
                at=at.astimezone(UTC),
                key=None if key is None else str(key),
                epoch=number_of(epoch),
            )
        return found

    def record(self, outcomes: Mapping[str, tuple[str, Recorded]]) -> None:
        update = Update(
            self._table,
            _NUMBER,
            _OUTCOME,
            tuple(given(field.name) for field in _OUTCOME),
        )
        rows = [
            (
                number,
                table,
                one.key,
                line_values.dump_values(one.held),
                one.after,
                one.at,
                one.epoch,
            )
            for number, (table, one) in sorted(outcomes.items())
        ]
        self._session.run("intention", self._session.dialect.update(update), rows)

    def creators(self, table: str, keys: Sequence[str]) -> dict[str, str]:
        sql = self._session.dialect.select(self._table, _ROW, ["key", "number"], Lock.NONE)
        answers = self._session.run("intention", sql, [(table, key) for key in sorted(set(keys))])
        return {str(key): str(number) for key, number in answers}
