"""A first load of the accounting route: a snapshot through the processor, over PostgreSQL and
without Kafka. A process is killed in the middle of it, and one in the recompute that follows.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from deploy.local.stack import Stack
from pipeline.database.target import DatabaseTarget
from pipeline.database.transaction import DatabaseTransaction
from pipeline.model.event import Event, Operation
from pipeline.model.position import TopicPartition
from tests.bench.books import (
    A_PROJECT,
    ACCOUNTING,
    BATCH,
    DAY_PROJECTS,
    PHASES,
    STATE,
    Books,
    console,
)
from tests.support.engine import Clock, Consumer, loading_of, patiently, topic_of


@dataclass(frozen=True, slots=True)
class FirstLoad:
    """Transactions a second while a snapshot is read, rows that are marked at its end, seconds
    until totals stand after that; the largest memory in MB before each tenth was read and in
    the end. As it was killed in the middle of the snapshot, and of the recompute: events that were
    read again, and projects whose total is not what was read.
    """

    transactions: int
    a_second: float
    marked: int
    finish_seconds: float
    memory_mb: Sequence[float]
    again: int
    wrong: int


class Killed(BaseException):
    """The process is gone, with what it had not committed."""


@dataclass
class Mortal:
    """A target whose process dies before the commit of one of its transactions."""

    target: DatabaseTarget
    dies_in: int = 0

    @property
    def counts_utf16(self) -> bool:
        return self.target.counts_utf16

    @contextmanager
    def transaction(self) -> Iterator[DatabaseTransaction]:
        with self.target.transaction() as transaction:
            yield transaction
            self.dies_in -= 1
            if self.dies_in == 0:
                raise Killed


class Loader:
    """Reads a snapshot as processes do of which one is killed: who comes after it begins where the
    state says.
    """

    def __init__(self, books: Books) -> None:
        self.books = books
        self.mortal = Mortal(books.target)
        self.again = 0
        self.seconds = 0.0
        with books.target.transaction() as transaction:
            self.incarnations = {
                topic_of(one.name): transaction.incarnation(topic_of(one.name), "bench", 1)
                for one in ACCOUNTING.sources
            }

    def process(self, events: Sequence[Event] = ()) -> Consumer:
        consumer = Consumer(self.mortal, events, route=ACCOUNTING)
        consumer.incarnations = self.incarnations
        return consumer

    def take(self, events: Sequence[Event]) -> None:
        """A batch, by as many processes as it needs."""
        left = list(events)
        while left:
            started = time.monotonic()
            with suppress(Killed):
                self.process(left).take(left)
            self.seconds += time.monotonic() - started
            next_offsets = self._next_offsets()
            left = [one for one in left if one.place.offset >= next_offsets[topic_of(one.table)]]
            self.again += len(left)

    def finish(self) -> int:
        """Everything was read: what the end of a snapshot does; how many rows are marked."""
        ends = self._next_offsets()
        with self.books.target.transaction() as transaction:
            for table in ACCOUNTING.sources:
                topic = topic_of(table.name)
                transaction.set_load_ends(topic, table.name, 1, {0: ends[topic]})
        loading_of(self.books.target, 1, Clock(), ACCOUNTING).advance(patiently)
        return self.books.ask(f"SELECT count(*) FROM {STATE}.due")

    def drain(self) -> None:
        """Until nothing is due."""
        left = f"SELECT (SELECT count(*) FROM {STATE}.due) + count(*) FROM {STATE}.due_together"
        while self.books.ask(left):
            with suppress(Killed):
                self.process().processor.drain(patiently, waiting_retry_seconds=0)

    def _next_offsets(self) -> dict[str, int]:
        places = [TopicPartition(topic, 0) for topic in self.incarnations]
        with self.books.target.transaction() as transaction:
            known = transaction.progress(places)
        return {one.topic: known[one].next_offset if one in known else 0 for one in places}


def first_load(stack: Stack, transactions: int) -> FirstLoad:
    """A snapshot of so many transactions through the processor, then everything is loaded."""
    books = Books(stack, max(DAY_PROJECTS, transactions // A_PROJECT))
    loader = Loader(books)
    phases = range(1, books.projects * (1 + PHASES) + 1)
    loader.take([books.event("AxActivity", n, Operation.READ, actType=n) for n in range(1, 4)])
    for start in range(0, len(phases), BATCH):
        keys = phases[start : start + BATCH]
        loader.take([books.read_project(key) for key in keys])
    loader.seconds = 0.0
    memory: list[float] = []
    for start in range(0, transactions, BATCH):
        if start * 10 >= len(memory) * transactions:
            memory.append(_memory_mb())
        if start * 2 >= transactions and not loader.again:
            loader.mortal.dies_in = 1
        keys = range(start + 1, min(start + BATCH, transactions) + 1)
        loader.take([books.entry(key, Operation.READ) for key in keys])
    started = time.monotonic()
    marked = loader.finish()
    loader.mortal.dies_in = 3  # after the marks were read, in the middle of a recompute
    loader.drain()
    finished = time.monotonic() - started
    memory.append(_memory_mb())
    wrong = books.wrong(transactions)
    books.engine.dispose()
    a_second = transactions / loader.seconds
    return FirstLoad(transactions, a_second, marked, finished, memory, loader.again, wrong)


def _memory_mb() -> float:
    """The largest until now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(stack: Stack, transactions: int) -> None:
    """Print what it took."""
    loaded = first_load(stack, transactions)
    console.print(
        f"first load: {loaded.transactions:,} transactions, {loaded.a_second:,.0f} a second;"
        f" {loaded.marked:,} rows marked, then {loaded.finish_seconds:.1f} s until totals stand."
        f" Killed in the middle of both: {loaded.again:,} events read again, {loaded.wrong:,}"
        " totals wrong. MB at most, after each tenth and in the end: "
        + ", ".join(f"{one:.0f}" for one in loaded.memory_mb)
    )
