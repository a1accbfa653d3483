"""How far topics were handled: `sync.progress` and `sync.incarnation`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache

from pipeline.database.sql.dialect import (
    Dialect,
    Expression,
    Field,
    Images,
    Lock,
    Merge,
    given,
)
from pipeline.database.sql.session import Session, number_of
from pipeline.mapping.source import ColumnType
from pipeline.model.ledger import Incarnation, Progress
from pipeline.model.position import TopicPartition

_PARTITION = (
    Field("topic", ColumnType.SHORT_TEXT),
    Field("partition", ColumnType.INTEGER),
)
_PLACE = (
    Field("incarnation", ColumnType.INTEGER),
    Field("next_offset", ColumnType.INTEGER),
)
_COUNTS = tuple(
    Field(name, ColumnType.INTEGER)
    for name in (
        "events_read",
        "written",
        "skipped",
        "parked",
        "dead_lettered",
    )
)
_UPDATED_AT = Field("updated_at", ColumnType.INSTANT)
_DEAD_IN_A_ROW = Field("dead_in_a_row", ColumnType.INTEGER)


class ProgressStore:
    """Reads and writes next offsets and incarnations."""

    def __init__(self, session: Session, schema: str) -> None:
        self._session = session
        self._progress = session.dialect.qualify(schema, "progress")
        self._incarnation = session.dialect.qualify(schema, "incarnation")

    # -- next offsets ------------------------------------------------------------------------------

    def progress(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Progress]:
        sql = _reading(self._session.dialect, self._progress)
        rows = [(one.topic, one.partition) for one in sorted(set(partitions))]
        return {
            TopicPartition(str(topic), number_of(partition)): Progress(
                *(number_of(number) for number in numbers)
            )
            for topic, partition, *numbers in self._session.run("progress", sql, rows)
        }

    def advance(
        self, progress: Mapping[TopicPartition, Progress], now: datetime
    ) -> dict[TopicPartition, int]:
        sql = _advancing(self._session.dialect, self._progress)
        rows = [
            (
                *(
                    place.topic,
                    place.partition,
                    one.incarnation,
                    one.next_offset,
                ),
                *(
                    one.events_read,
                    one.written,
                    one.skipped,
                    one.parked,
                    one.dead_lettered,
                    one.dead_in_a_row,
                    now,
                ),
            )
            for place, one in sorted(progress.items())
        ]
        return {
            TopicPartition(str(topic), number_of(partition)): number_of(read)
            for topic, partition, read in self._session.run("progress", sql, rows)
        }

    # -- incarnations ------------------------------------------------------------------------------

    def incarnation(self, topic: str, topic_id: str, partitions: int) -> int:
        """Numbers are given under a lock of the table, since they grow over all topics."""
        known = self._known_incarnation(topic, topic_id, partitions)
        if known is not None:
            return known
        dialect = self._session.dialect
        self._session.tell("incarnation", dialect.lock_table(self._incarnation))
        known = self._known_incarnation(topic, topic_id, partitions)
        if known is not None:
            return known
        number = dialect.quote("number")
        ((newest,),) = self._session.ask(
            "incarnation",
            f"SELECT COALESCE(MAX({number}), 0) AS newest FROM {self._incarnation}",
        )
        columns = ", ".join(
            dialect.quote(name)
            for name in (
                "number",
                "topic",
                "topic_id",
                "partitions",
                "first_seen",
            )
        )
        self._session.tell(
            "incarnation",
            f"INSERT INTO {self._incarnation} ({columns})"
            f" VALUES (:number, :topic, :topic_id, :partitions, {dialect.now})",
            number=number_of(newest) + 1,
            topic=topic,
            topic_id=topic_id,
            partitions=partitions,
        )
        return number_of(newest) + 1

    def incarnations(self, topic: str) -> dict[int, Incarnation]:
        quote = self._session.dialect.quote
        answers = self._session.ask(
            "incarnation",
            (
                f"SELECT {quote('number')}, {quote('topic_id')}, {quote('partitions')}"
                f" FROM {self._incarnation}"
                f" WHERE {quote('topic')} = :topic"
            ),
            topic=topic,
        )
        return {
            number_of(number): Incarnation(str(of), number_of(count))
            for number, of, count in answers
        }

    def _known_incarnation(self, topic: str, topic_id: str, partitions: int) -> int | None:
        quote = self._session.dialect.quote
        answers = self._session.ask(
            "incarnation",
            f"SELECT {quote('number')} FROM {self._incarnation} WHERE {quote('topic')} = :topic"
            f" AND {quote('topic_id')} = :topic_id AND {quote('partitions')} = :partitions",
            topic=topic,
            topic_id=topic_id,
            partitions=partitions,
        )
        return number_of(answers[0][0]) if answers else None


@lru_cache(maxsize=32)  # both are asked for every batch
def _reading(dialect: Dialect, table: str) -> str:
    columns = [field.name for field in (*_PARTITION, *_PLACE, *_COUNTS, _DEAD_IN_A_ROW)]
    return dialect.select(table, _PARTITION, columns, Lock.NONE)


@lru_cache(maxsize=32)
def _advancing(dialect: Dialect, table: str) -> str:
    """A partition of a new incarnation has no load end yet: the old one's says nothing of it."""
    merge = Merge(
        table=table,
        key=_PARTITION,
        fields=(*_PLACE, *_COUNTS, _DEAD_IN_A_ROW, _UPDATED_AT),
        assignments=(
            *(given(field.name) for field in (*_PLACE, _DEAD_IN_A_ROW, _UPDATED_AT)),
            *((field.name, _sum(field.name)) for field in _COUNTS),
            ("load_until", _kept_in_the_same_incarnation),
        ),
    )
    return dialect.merge(merge, (*_PARTITION, _COUNTS[0]))


def _sum(column: str) -> Expression:
    return lambda images: f"{images.old(column)} + {images.new(column)}"


def _kept_in_the_same_incarnation(images: Images) -> str:
    is_kept = f"{images.old('incarnation')} IN (0, {images.new('incarnation')})"
    return f"CASE WHEN {is_kept} THEN {images.old('load_until')} END"
