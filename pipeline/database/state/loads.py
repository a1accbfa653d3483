"""Which source tables were read to the end of their snapshot: `sync.source_table`,
with the load ends in `sync.progress`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pipeline.database.sql.dialect import (
    Cells,
    Field,
    Lock,
    Merge,
    Update,
    constant,
    given,
)
from pipeline.database.sql.session import Session, number_of
from pipeline.database.state.added import AddedColumns
from pipeline.mapping.mirror import MirroredTable
from pipeline.mapping.source import ColumnType

LoadState = Literal["unknown", "reading"]

_NAME = Field("name", ColumnType.SHORT_TEXT)
_TOPIC = Field("topic", ColumnType.SHORT_TEXT)
_PARTITION = (_TOPIC, Field("partition", ColumnType.INTEGER))
_EPOCH = Field("epoch", ColumnType.INTEGER)
_READING = (
    Field("reading_epoch", ColumnType.INTEGER),
    Field("reading_incarnation", ColumnType.INTEGER),
)
_NEW_PROGRESS = tuple(
    Field(name, ColumnType.INTEGER)
    for name in (
        "next_offset",
        "events_read",
        "written",
        "skipped",
        "parked",
        "dead_lettered",
        "dead_in_a_row",
    )
)
_INCARNATION = Field("incarnation", ColumnType.INTEGER)
_UPDATED_AT = Field("updated_at", ColumnType.INSTANT)
_LOAD_UNTIL = Field("load_until", ColumnType.INTEGER)


@dataclass(frozen=True, slots=True)
class _Load:
    """A table's row: loaded in `epoch` (0: never),
    being read in `reading_epoch` of an incarnation of its topic.
    """

    name: str
    topic: str
    epoch: int
    reading_epoch: int
    reading_incarnation: int


class Loads:
    """Reads and writes the state of loading."""

    def __init__(
        self,
        session: Session,
        schema: str,
        sources: Sequence[MirroredTable],
        added: AddedColumns,
    ) -> None:
        self._session = session
        self._added = added
        self._sources = sources
        self._table = session.dialect.qualify(schema, "source_table")
        self._progress = session.dialect.qualify(schema, "progress")
        self._incarnation = session.dialect.qualify(schema, "incarnation")

    def loaded(self) -> frozenset[str]:
        """Once all are, nothing is held: none becomes unloaded again."""
        if len(found := self._loaded()) == len(self._sources):
            return found
        self._session.tell("source_table", self._session.dialect.hold_table(self._table))
        return self._loaded()

    def unknown_columns(self) -> frozenset[tuple[str, str]]:
        """Held like tables that are not loaded, as long as there are any."""
        if not self._added.pending:
            return frozenset()
        hold = self._session.dialect.hold_table(self._table)
        self._session.tell("source_table", hold)
        return self._added.unknown({load.name: load.epoch for load in self._loads(Lock.NONE)})

    def loading(self, epoch: int) -> dict[str, LoadState]:
        """A load end of an older incarnation of the topic counts for nothing:
        then the end is unknown again.
        """
        known = {load.name: load for load in self._loads(Lock.NONE)}
        states: dict[str, LoadState] = {}
        for source in self._sources:
            if epoch < self._added.first_epoch(source.name):
                continue
            load = known.get(source.name)
            if load is None or load.epoch < epoch:
                states[source.name] = (
                    "reading" if load is not None and self._is_reading(load, epoch) else "unknown"
                )
        return states

    def reloaded(self, table: str, incarnation: int) -> int:
        loads = self._loads(Lock.NONE, table)
        return max(
            (one.reading_epoch for one in loads if one.reading_incarnation == incarnation),
            default=0,
        )

    def set_load_ends(self, topic: str, table: str, epoch: int, ends: Mapping[int, int]) -> None:
        """Under a lock of the table's row, so that the first to say so wins."""
        dialect = self._session.dialect
        self._session.run(
            "source_table",
            dialect.insert_missing(self._table, (_NAME,), (_TOPIC, _EPOCH, *_READING)),
            [(table, topic, 0, 0, 0)],
        )
        (load,) = self._loads(Lock.UPDATE, table)
        if load.epoch >= epoch or self._is_reading(load, epoch):
            return
        incarnation = self._newest_incarnation(topic)[0]
        fields = (_TOPIC, *_READING)
        update = Update(
            self._table,
            (_NAME,),
            fields,
            tuple(given(field.name) for field in fields),
        )
        self._session.run(
            "source_table",
            dialect.update(update),
            [(table, topic, epoch, incarnation)],
        )
        self._set_partition_ends(topic, incarnation, ends)

    def _set_partition_ends(self, topic: str, incarnation: int, ends: Mapping[int, int]) -> None:
        """A partition of another incarnation begins at its first offset."""
        merge = Merge(
            table=self._progress,
            key=_PARTITION,
            fields=(*_NEW_PROGRESS, _INCARNATION, _UPDATED_AT, _LOAD_UNTIL),
            assignments=(
                (
                    "next_offset",
                    lambda images: (
                        f"CASE WHEN {images.old('incarnation')} = {images.new('incarnation')}"
                        f" THEN {images.old('next_offset')} ELSE 0 END"
                    ),
                ),
                given("incarnation"),
                given("load_until"),
            ),
        )
        zeros: Cells = (0,) * len(_NEW_PROGRESS)
        now = datetime.now(UTC)
        rows: list[Cells] = [
            (topic, number, *zeros, incarnation, now, end) for number, end in sorted(ends.items())
        ]
        self._session.run("progress", self._session.dialect.merge(merge), rows)

    def read_to_end(self) -> dict[str, int]:
        return {
            load.name: load.reading_epoch
            for load in self._loads(Lock.NONE)
            if self._is_reading(load, load.epoch + 1) and self._is_read(load)
        }

    def set_loaded(self, table: str, epoch: int) -> bool:
        """The condition lets one process alone make it loaded."""
        update = Update(
            table=self._table,
            match=(_NAME,),
            fields=(_EPOCH,),
            assignments=(
                given("epoch"),
                constant("loaded_at", self._session.dialect.now),
            ),
            only_if=lambda images: f"{images.old('epoch')} < {images.new('epoch')}",
        )
        answers = self._session.run(
            "source_table",
            self._session.dialect.update(update),
            [(table, epoch)],
        )
        return sum(number_of(changed) for (changed,) in answers) > 0

    def _loaded(self) -> frozenset[str]:
        return frozenset(load.name for load in self._loads(Lock.NONE) if load.epoch > 0)

    def _loads(self, lock: Lock, *tables: str) -> list[_Load]:
        columns = [field.name for field in (_NAME, _TOPIC, _EPOCH, *_READING)]
        sql = self._session.dialect.select(self._table, (_NAME,), columns, lock)
        names = sorted(tables or [source.name for source in self._sources])
        return [
            _Load(
                str(name),
                str(topic),
                *(number_of(number) for number in numbers),
            )
            for name, topic, *numbers in self._session.run(
                "source_table", sql, [(name,) for name in names]
            )
        ]

    def _is_reading(self, load: _Load, epoch: int) -> bool:
        if load.reading_epoch < max(epoch, 1):
            return False
        return load.reading_incarnation == self._newest_incarnation(load.topic)[0]

    def _is_read(self, load: _Load) -> bool:
        """Was every partition of the topic read up to its load end."""
        columns = ["partition", "incarnation", "next_offset", "load_until"]
        sql = self._session.dialect.select(self._progress, (_TOPIC,), columns, Lock.NONE)
        partitions = self._newest_incarnation(load.topic)[1]
        read = {
            number_of(partition)
            for partition, incarnation, next_offset, load_until in self._session.run(
                "progress", sql, [(load.topic,)]
            )
            if incarnation == load.reading_incarnation
            and load_until is not None
            and number_of(next_offset) >= number_of(load_until)
        }
        return read >= set(range(partitions))

    def _newest_incarnation(self, topic: str) -> tuple[int, int]:
        """The number of the newest incarnation of a topic and its partitions;
        zeros before the first.
        """
        quote = self._session.dialect.quote
        answers = self._session.ask(
            "incarnation",
            (
                f"SELECT {quote('number')}, {quote('partitions')} FROM {self._incarnation}"
                f" WHERE {quote('topic')} = :topic"
                f" ORDER BY {quote('number')} DESC OFFSET 0 ROWS FETCH NEXT 1 ROWS ONLY"
            ),
            topic=topic,
        )
        return (number_of(answers[0][0]), number_of(answers[0][1])) if answers else (0, 0)
