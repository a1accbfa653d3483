"""What is halted, and what was skipped of it: `sync.halted`, `sync.skip` and
`sync.skipped_message`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Engine

from pipeline.database.sql.dialect import Field, Fields, Images, Merge, given
from pipeline.database.sql.engine import dialect_of
from pipeline.database.sql.session import (
    ConnectedSession,
    Session,
    instant_of,
    number_of,
    shortened,
    translated,
)
from pipeline.mapping.source import ColumnType
from pipeline.model.event import Value
from pipeline.model.halt import Halt, Skip, SkippedMessage
from pipeline.model.position import TopicPartition

SENTENCE_LENGTH = 1000
_PLACE = (Field("place", ColumnType.SHORT_TEXT),)
_HALT: Fields = (
    Field("topic", ColumnType.SHORT_TEXT),
    Field("partition", ColumnType.INTEGER),
    Field("incarnation", ColumnType.INTEGER),
    Field("offset", ColumnType.INTEGER),
    Field("code", ColumnType.SHORT_TEXT),
    Field("sentence", ColumnType.TEXT),
    Field("since", ColumnType.INSTANT),
    Field("consumer", ColumnType.SHORT_TEXT),
)
_RANGE: Fields = (
    Field("topic", ColumnType.SHORT_TEXT),
    Field("partition", ColumnType.INTEGER),
    Field("first_offset", ColumnType.INTEGER),
)
_SKIP: Fields = (
    Field("incarnation", ColumnType.INTEGER),
    Field("last_offset", ColumnType.INTEGER),
    Field("said_by", ColumnType.TEXT),
    Field("at", ColumnType.INSTANT),
)
_MESSAGE: Fields = (
    Field("topic", ColumnType.SHORT_TEXT),
    Field("incarnation", ColumnType.INTEGER),
    Field("partition", ColumnType.INTEGER),
    Field("offset", ColumnType.INTEGER),
)
_SKIPPED: Fields = (
    Field("key", ColumnType.TEXT),
    Field("code", ColumnType.SHORT_TEXT),
    Field("reason", ColumnType.SHORT_TEXT),
    Field("at", ColumnType.INSTANT),
)


class Halts:
    """Reads and writes halts and skips."""

    def __init__(self, session: Session, schema: str) -> None:
        self._session = session
        self._halted = session.dialect.qualify(schema, "halted")
        self._skip = session.dialect.qualify(schema, "skip")
        self._skipped = session.dialect.qualify(schema, "skipped_message")

    def halted(self) -> list[Halt]:
        answers = self._all("halted", self._halted, (*_PLACE, *_HALT), _PLACE)
        return [_halt(answer) for answer in answers]

    def halt(self, halts: Sequence[Halt]) -> None:
        """What is halted for the same reason at the same message keeps its age."""

        def since(images: Images) -> str:
            same = " AND ".join(
                f"({images.old(name)} = {images.new(name)}"
                f" OR ({images.old(name)} IS NULL AND {images.new(name)} IS NULL))"
                for name in ("incarnation", "offset", "code")
            )
            return f"CASE WHEN {same} THEN {images.old('since')} ELSE {images.new('since')} END"

        assignments = tuple(given(field.name) for field in _HALT if field.name != "since")
        merge = Merge(self._halted, _PLACE, _HALT, (*assignments, ("since", since)))
        rows = [
            (
                one.place,
                None if one.partition is None else one.partition.topic,
                None if one.partition is None else one.partition.partition,
                one.incarnation,
                one.offset,
                one.code,
                shortened(self._session.dialect, one.sentence, SENTENCE_LENGTH),
                one.since,
                one.consumer,
            )
            for one in sorted(halts, key=lambda one: one.place)
        ]
        self._session.run("halted", self._session.dialect.merge(merge), rows)

    def lift(self, places: Collection[str]) -> None:
        sql = self._session.dialect.delete(self._halted, _PLACE)
        self._session.run("halted", sql, [(place,) for place in sorted(set(places))])

    def skips(self) -> list[Skip]:
        answers = self._all("skip", self._skip, (*_RANGE, *_SKIP), _RANGE)
        return [
            Skip(
                TopicPartition(str(topic), number_of(partition)),
                number_of(incarnation),
                number_of(first),
                number_of(last),
                str(by),
                instant_of(at),
            )
            for topic, partition, first, incarnation, last, by, at in answers
        ]

    def skip(self, skips: Sequence[Skip]) -> None:
        assignments = tuple(given(field.name) for field in _SKIP)
        merge = Merge(self._skip, _RANGE, _SKIP, assignments)
        rows = [
            (
                *(one.partition.topic, one.partition.partition, one.first),
                *(one.incarnation, one.last, one.by, one.at),
            )
            for one in skips
        ]
        self._session.run("skip", self._session.dialect.merge(merge), rows)

    def forget_skips(self, skips: Collection[Skip]) -> None:
        sql = self._session.dialect.delete(self._skip, _RANGE)
        rows = [(one.partition.topic, one.partition.partition, one.first) for one in skips]
        self._session.run("skip", sql, sorted(rows))

    def note_skipped(self, skipped: Sequence[SkippedMessage], now: datetime) -> None:
        """A message that is noted already stays as it is."""
        sql = self._session.dialect.insert_missing(self._skipped, _MESSAGE, _SKIPPED)
        rows = [
            (
                *(one.partition.topic, one.incarnation, one.partition.partition, one.offset),
                *(one.key, one.code, one.reason, now),
            )
            for one in skipped
        ]
        self._session.run("skipped_message", sql, rows)

    def skipped(self) -> list[SkippedMessage]:
        names = (*_MESSAGE, *_SKIPPED[:-1])
        answers = self._all("skipped_message", self._skipped, names, _MESSAGE)
        return [
            SkippedMessage(
                TopicPartition(str(topic), number_of(partition)),
                number_of(incarnation),
                number_of(offset),
                str(key),
                str(code),
                str(reason),
            )
            for topic, incarnation, partition, offset, key, code, reason in answers
        ]

    def forget_skipped(self, skipped: Collection[SkippedMessage]) -> None:
        sql = self._session.dialect.delete(self._skipped, _MESSAGE)
        rows = [
            (one.partition.topic, one.incarnation, one.partition.partition, one.offset)
            for one in skipped
        ]
        self._session.run("skipped_message", sql, sorted(rows))

    def _all(
        self, place: str, table: str, fields: Fields, order: Fields
    ) -> list[tuple[Value, ...]]:
        quote = self._session.dialect.quote
        names = ", ".join(quote(field.name) for field in fields)
        by = ", ".join(quote(field.name) for field in order)
        return self._session.ask(place, f"SELECT {names} FROM {table} ORDER BY {by}")


def halts_of(engine: Engine, schema: str) -> list[Halt]:
    """Everything of a route that is halted, by place. Raises TargetBusy, TargetRefused."""
    dialect = dialect_of(engine)
    with translated(engine, "halted"), engine.begin() as connection:
        return Halts(ConnectedSession(connection, dialect), schema).halted()


def skipped_of(engine: Engine, schema: str) -> list[SkippedMessage]:
    """Every message of a route whose row needs a backfill. Raises TargetBusy, TargetRefused."""
    dialect = dialect_of(engine)
    with translated(engine, "skipped_message"), engine.begin() as connection:
        return Halts(ConnectedSession(connection, dialect), schema).skipped()


def _halt(answer: Sequence[Value]) -> Halt:
    place, topic, partition, incarnation, offset, code, sentence, since, consumer = answer
    return Halt(
        place=str(place),
        partition=None if topic is None else TopicPartition(str(topic), number_of(partition)),
        incarnation=None if incarnation is None else number_of(incarnation),
        offset=None if offset is None else number_of(offset),
        code=str(code),
        sentence=str(sentence),
        since=instant_of(since),
        consumer=str(consumer),
    )
