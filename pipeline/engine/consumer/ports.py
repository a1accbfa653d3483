"""What the engine needs from the world. Adapters do not inherit from these;
the contract suites hold them to it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Literal, Protocol, TypeVar

from pipeline.engine.consumer.halt_store import HaltStore
from pipeline.engine.consumer.rows import LedgerRows, TargetRows
from pipeline.engine.consumer.state_ports import Aggregates, ExchangeLinks, KeptSettings
from pipeline.errors import PipelineError
from pipeline.model.event import Decoded, Event, Message
from pipeline.model.halt import LostAt
from pipeline.model.ledger import Incarnation, Mark, Progress, Waiting
from pipeline.model.load import LoadProgress
from pipeline.model.outcome import RowCounts
from pipeline.model.position import TopicPartition

T = TypeVar("T")
LoadState = Literal["unknown", "reading"]  # before and after its end is known


class Messages(Protocol):
    """The topics of one consumer group, as seen by one member."""

    def poll(self, limit: int, timeout_seconds: float) -> Sequence[Message]:
        """Up to `limit` messages, empty after the timeout. Also keeps the membership alive,
        and runs rebalances.

        Raises ServiceUnreachable when no broker answers.
        """

    def lost(self) -> Mapping[TopicPartition, LostAt]:
        """Partitions that cannot be read from where they should be, each once; nothing comes of
        them until they are set elsewhere.
        """

    def commit(self, next_offsets: Mapping[TopicPartition, int]) -> None:
        """Commit next offsets in Kafka, at the latest with the next calls of `poll`, and before
        their partitions leave or this member does. Partitions that were revoked meanwhile are left
        out. Raises ServiceUnreachable when those of before could not be committed.
        """

    def wait(self, seconds: float) -> None:
        """Stay a member of the group for this long without taking messages; rebalances may run.
        None is lost.
        """

    def pause(self, partitions: Iterable[TopicPartition]) -> None: ...

    def resume(self, partitions: Iterable[TopicPartition]) -> None: ...

    def seek(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Read these from other offsets on, paused or not; those that are not assigned are left
        out. What was read of them, and not polled yet, is forgotten.
        """

    def restart(self, topics: Collection[str] | None = None) -> None:
        """Set every partition (of these topics) back to where `sync` says, or to its beginning,
        whatever the group has committed: the target was restored, or the topics were made again.
        """

    def assignment(self) -> frozenset[TopicPartition]: ...

    def end_offsets(self, topic: str) -> Mapping[int, int]:
        """For each partition of the topic, assigned or not,
        the offset after the newest message now.
        """

    def close(self) -> None:
        """Leave the group."""


class DeadLetters(Protocol):
    """Where messages go that cannot be processed."""

    def send(self, message: Message, error: PipelineError) -> None:
        """Write the untouched message with its error's code and coordinates;
        returns when all replicas have it.

        Raises DeadLetterFailed.
        """


class Offsets(Protocol):
    """How far topics were handled, in a transaction of the database that holds `sync`:
    what every route stores.
    """

    @property
    def halts(self) -> HaltStore: ...

    def progress(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Progress]: ...

    def advance(
        self, progress: Mapping[TopicPartition, Progress], now: datetime
    ) -> Mapping[TopicPartition, int]:
        """Store next offsets and `dead_in_a_row`, add the other counts; `events_read` by now."""

    def incarnations(self, topic: str) -> dict[int, Incarnation]:
        """Every incarnation of a topic that was seen, by number."""

    def incarnation(self, topic: str, topic_id: str, partitions: int) -> int:
        """The number of this incarnation of a topic, given when it is first seen;
        numbers grow over all topics.
        """

    def waiting_count(self) -> int:
        """How much is parked, but for what waits for a table that refuses it."""


class OffsetStore(Protocol):
    """The database that holds a route's `sync`."""

    def transaction(self) -> AbstractContextManager[Offsets]:
        """Commits at the end, rolls back on an error."""


class Marks(Protocol):
    """What must be recomputed, and what waits."""

    def mark(self, marks: Sequence[Mark], now: datetime) -> None:
        """Set marks; a mark that is set already gets the new number,
        and its waiting reason is forgotten.
        """

    def mark_together(self, marks: Sequence[Mark], now: datetime) -> None:
        """Set many marks of one number as one row: durable, and nobody finds the single ones before
        `take_together` gave them back.
        """

    def clear_together(self, number: int) -> None:
        """Remove the marks that were set so, with this number."""

    def take_together(self, set_before: datetime | None = None) -> set[tuple[str, str]]:
        """Remove all that were set so, or those set before a time: kinds and keys. Whoever takes
        them sets them anew in the same transaction, or they are lost.
        """

    def mark_table(
        self,
        table: str,
        number: int,
        now: datetime,
        *,
        only_if: str | None = None,
        linked: str | None = None,
    ) -> int:
        """Mark every row of a mirror, or those in which this flag is set, or whose link of this
        entity gives a key; how many.
        """

    def marks_of(self, marks: Iterable[tuple[str, str]]) -> list[Mark]:
        """Those of these kinds and keys that are set."""

    def has_marks(self, kind: str) -> bool:
        """Is any mark of this kind set."""

    def due(
        self,
        limit: int,
        *,
        set_before: datetime,
        waiting_before: datetime,
        with_refused: bool = True,
    ) -> list[Mark]:
        """The oldest marks: set before a time, or, if they wait for something, last tried before
        another. Those that wait for a table that refuses (`target.refused`) are left out, or taken
        whenever they were tried.
        """

    def clear(self, marks: Sequence[Mark]) -> None:
        """Remove marks as they were read: one with another number by now stays."""

    def wait(self, waiting: Sequence[Waiting], now: datetime) -> None:
        """Keep or set marks with the reason they wait for."""


class Loads(Protocol):
    """Which source tables, and which of their columns, are known in every row."""

    def loaded(self) -> frozenset[str]:
        """Source tables that were read to the end of a snapshot, of whatever epoch.

        Until the transaction ends no other becomes loaded: who marks what depends on a table sees
        what was staged by everybody who took it for not loaded.
        """

    def unknown_columns(self) -> frozenset[tuple[str, str]]:
        """Table and name of mirrored columns that were added later, and are not known in every row:
        no snapshot of the table was read since. Until the transaction ends none becomes known.
        """

    def loading(self, epoch: int) -> dict[str, LoadState]:
        """Source tables whose snapshot of this epoch (or a later one) was not read to its end."""

    def reloaded(self, table: str, incarnation: int) -> int:
        """The newest epoch whose snapshot of a table is known to be over, and stands in this
        incarnation of its topic; 0: none.
        """

    def set_load_ends(self, topic: str, table: str, epoch: int, ends: Mapping[int, int]) -> None:
        """The snapshot of a table in this epoch is over;
        reading up to these offsets (by partition) has read all of it.

        The first to say so wins, within one incarnation of the topic and one epoch.
        """

    def read_to_end(self) -> dict[str, int]:
        """Tables in state "reading" whose partitions were all read up to their load ends:
        table -> epoch.
        """

    def set_loaded(self, table: str, epoch: int) -> bool:
        """The table is loaded in this epoch; False if somebody said so before."""


class Transaction(
    Offsets, LedgerRows, Marks, TargetRows, Loads, KeptSettings, ExchangeLinks, Aggregates, Protocol
):
    """One transaction in the target's database, over `sync` and the target's tables.

    Every method is one round trip for any number of rows. Rows are locked and written in key order.
    Errors: TargetBusy and ConcurrentWrite (try the whole transaction again),
    TargetRefused (do not).
    """


class Target(Protocol):
    """The target database."""

    @property
    def counts_utf16(self) -> bool:
        """Does the database count text lengths in UTF-16 units."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Commits at the end, rolls back on an error."""


class Decoder(Protocol):
    """Bytes to events; total."""

    def decode(self, message: Message, incarnation: int) -> Decoded: ...

    def decode_many(
        self, messages: Sequence[Message], start: int, incarnation: int
    ) -> Sequence[Event]:
        """Events of messages of one partition, from `start` on, up to the first that `decode` must
        be asked about.
        """


class Telemetry(Protocol):
    """What is counted. No row values."""

    def events_read(self, topic: str, count: int) -> None: ...
    def event_ended(self, topic: str, outcome: str, reason: str, count: int) -> None: ...
    def rows(self, table: str, counts: RowCounts) -> None: ...
    def delay(self, table: str, seconds: float, count: int) -> None: ...
    def step(self, name: str, seconds: float) -> None: ...
    def hop(self, name: str, seconds: float) -> None: ...
    def values_fitted(self, table: str, column: str, how: str, count: int) -> None: ...
    def put_back(self, table: str, columns: Sequence[str]) -> None: ...
    def retried(self, error: PipelineError) -> None: ...
    def recovered(self) -> None: ...
    def parked(self, count: int) -> None: ...
    def parking(self, rise: int, most: int) -> None: ...
    def dead_lettered(self, error: PipelineError) -> None: ...
    def halted(self, topic: str, partition: int, error: PipelineError) -> None: ...
    def resumed(self, topic: str, partition: int, error: PipelineError) -> None: ...
    def halted_place(self, place: str, error: PipelineError) -> None: ...
    def resumed_place(self, place: str, error: PipelineError) -> None: ...
    def rewound(self, error: PipelineError) -> None: ...
    def caught_up(self) -> None: ...
    def renewed(self, error: PipelineError) -> None: ...
    def first_load(self, progress: LoadProgress) -> None: ...
    def loaded(self, table: str) -> None: ...
    def second_writer(self, todo: str) -> None: ...
    def conflict(self, kind: str, rule: str, winner: str) -> None: ...


class Attempt(Protocol):
    """Calls a function until it does not fail with an error whose remedy is retry."""

    def __call__(self, call: Callable[[], T]) -> T: ...


class Clock(Protocol):
    """Time, for delays and ages."""

    def now(self) -> datetime:
        """Aware UTC."""

    def monotonic(self) -> float:
        """Seconds that only grow, for durations."""
