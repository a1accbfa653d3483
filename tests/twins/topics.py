"""Both systems' logs as topics, each row in a partition of its own: what two connectors and Kafka make of them (port `Decoder`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zlib import crc32

from pipeline.conflicts.rules import Side
from pipeline.domain.dps import AJERA_TABLES, DPS_TABLES
from pipeline.model.event import Decoded, Event, Message, Operation
from pipeline.model.position import Place, TopicPartition, postgres_position
from tests.twins.database import Committed, MemoryDatabase
from tests.twins.pairs import MemoryPairs

EPOCH, INCARNATION, PARTITIONS = 1, 1, 2
CAPTURED = {Side.AJERA: AJERA_TABLES, Side.DPS: DPS_TABLES}


class Topics:
    """A topic a table, called as the table. `events` holds each partition's events at their offsets."""

    def __init__(self, pairs: MemoryPairs) -> None:
        self._databases = {Side.AJERA: pairs.ajera_database, Side.DPS: pairs.dps_database}
        self._captured = dict.fromkeys(Side, 0)  # how much of each log is in the topics
        tables = (table.name for side in Side for table in CAPTURED[side])
        self.events: dict[TopicPartition, list[Event]] = {
            TopicPartition(table, number): [] for table in tables for number in range(PARTITIONS)
        }

    def capture(self) -> None:
        """What was committed since becomes events."""
        for side, database in self._databases.items():
            self._publish(side, database, self._captured[side])
            self._captured[side] = len(database.log)

    def repeat(self, side: Side, count: int) -> None:
        """The side's connector starts again some changes back: they come once more, at later offsets."""
        self._publish(side, self._databases[side], max(0, self._captured[side] - count), self._captured[side])

    def decode(self, message: Message, incarnation: int) -> Decoded:
        del incarnation
        return self.events[TopicPartition(message.topic, message.partition)][message.offset]

    def _publish(self, side: Side, database: MemoryDatabase, start: int, end: int | None = None) -> None:
        for change in database.log[start:end]:
            if change.table in CAPTURED[side]:
                self._append(change)

    def _append(self, change: Committed) -> None:
        table = change.table
        key = table.key_text([change.row[column.name] for column in table.key_columns])
        partition = TopicPartition(table.name, crc32(key.encode()) % PARTITIONS)
        place = Place(INCARNATION, partition.partition, len(self.events[partition]))
        position = postgres_position(EPOCH, f'["{change.last_commit}","{change.lsn}"]')
        row = {} if change.operation is Operation.DELETE else {c.name: change.row[c.name] for c in table.columns}
        event = Event(table.name, key, change.operation, row, position, place, change.at, EPOCH)
        self.events[partition].append(event)


def messages(events: Sequence[Event]) -> Iterator[Message]:
    """As they would be polled."""
    for event in events:
        yield Message(event.table, event.place.partition, event.place.offset, b"", b"")
