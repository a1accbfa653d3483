"""Both systems' logs as topics, each row in a partition of its own:
what two connectors and Kafka make of them (port `Decoder`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from zlib import crc32

from pipeline.conflicts.rules import Side
from pipeline.domain.exchange_tables import AJERA_TABLES, DPS_TABLES
from pipeline.mapping.source import SourceTable
from pipeline.model.event import Decoded, Event, Message, Operation, Row
from pipeline.model.position import (
    TopicOffset,
    TopicPartition,
    postgres_position,
)
from tests.support.decoding import many
from tests.twins.database import MemoryDatabase
from tests.twins.pairs import MemoryPairs

INCARNATION, PARTITIONS = 1, 2
CAPTURED = {Side.AJERA: AJERA_TABLES, Side.DPS: DPS_TABLES}


class Topics:
    """A topic a table, called as the table.
    `events` holds each partition's events at their offsets.
    """

    def __init__(self, pairs: MemoryPairs) -> None:
        self._databases = {
            Side.AJERA: pairs.ajera_database,
            Side.DPS: pairs.dps_database,
        }
        self._captured = dict.fromkeys(Side, 0)  # how much of each log is in the topics
        self._since = dict.fromkeys(Side, 0)  # where this epoch's part of it begins
        self._epochs = dict.fromkeys(Side, 1)
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
        """The side's connector starts again some changes back: they come once more,
        at later offsets.
        """
        start = max(self._since[side], self._captured[side] - count)
        self._publish(side, self._databases[side], start, self._captured[side])

    def capture_again(self, side: Side) -> None:
        """The side's connector is removed and applied:
        a new epoch begins with a snapshot of every row.
        """
        self.capture()
        self._epochs[side] += 1
        self._since[side] = self._captured[side]
        database = self._databases[side]
        for table in CAPTURED[side]:
            for row in database.rows(table.name):
                self._append(
                    side,
                    table,
                    Operation.READ,
                    row,
                    "",
                    database.clock.now(),
                )

    def decode(self, message: Message, incarnation: int) -> Decoded:
        del incarnation
        return self.events[TopicPartition(message.topic, message.partition)][message.offset]

    def decode_many(
        self, messages: Sequence[Message], start: int, incarnation: int
    ) -> Sequence[Event]:
        return many(self.decode, messages, start, incarnation)

    def _publish(
        self,
        side: Side,
        database: MemoryDatabase,
        start: int,
        end: int | None = None,
    ) -> None:
        for change in database.log[start:end]:
            if change.table in CAPTURED[side]:
                position = postgres_position(
                    self._epochs[side],
                    f'["{change.last_commit}","{change.lsn}"]',
                )
                self._append(
                    side,
                    change.table,
                    change.operation,
                    change.row,
                    position,
                    change.at,
                )

    def _append(
        self,
        side: Side,
        table: SourceTable,
        operation: Operation,
        row: Row,
        position: str,
        at: datetime,
    ) -> None:
        key = table.key_text([row[column.name] for column in table.key_columns])
        partition = TopicPartition(table.name, crc32(key.encode()) % PARTITIONS)
        place = TopicOffset(INCARNATION, partition.partition, len(self.events[partition]))
        row = (
            {}
            if operation is Operation.DELETE
            else {column.name: row[column.name] for column in table.columns}
        )
        self.events[partition].append(
            Event(
                table.name,
                key,
                operation,
                row,
                position,
                place,
                at,
                self._epochs[side],
            )
        )


def messages(events: Sequence[Event]) -> Iterator[Message]:
    """As they would be polled."""
    for event in events:
        yield Message(event.table, event.place.partition, event.place.offset, b"", b"")
