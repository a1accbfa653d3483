"""Next offsets are stored in the transaction that ends the last events of a batch: not before them,
and not in one more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.mapping.mirror import shared_kind
from pipeline.model.event import Event
from pipeline.model.ledger import Progress
from pipeline.model.position import TopicPartition
from tests.support.engine import TOPICS, Consumer, ready
from tests.support.events import NOON, event
from tests.twins.target import MemoryTarget, MemoryTransaction

VEC, PROJECT = TopicPartition(TOPICS["AxVec"], 0), TopicPartition(TOPICS["AxProject"], 0)


class Dead(Exception):
    """The process ended."""


class Mortal:
    """A target whose process ends before the n-th transaction from now on; how many there were."""

    def __init__(self, ends_before: int = 100) -> None:
        self.target = ready(MemoryTarget(AJERA_TO_PIM))
        self.begun = 0
        self._ends_before = ends_before

    @property
    def counts_utf16(self) -> bool:
        return self.target.counts_utf16

    @contextmanager
    def transaction(self) -> Iterator[MemoryTransaction]:
        self.begun += 1
        if self.begun == self._ends_before:
            raise Dead
        with self.target.transaction() as transaction:
            yield transaction

    def stored(self, partition: TopicPartition) -> Progress:
        with self.target.transaction() as transaction:
            return transaction.progress([partition])[partition]


def fed(ends_before: int, *events: Event, most_roots: int = 10_000) -> Mortal:
    """What a process left that read these events as one batch. Before them it reads, in one
    transaction, what may be skipped.
    """
    target = Mortal(1 + ends_before)
    consumer = Consumer(target, [], most_roots=most_roots)
    if ends_before > 99:
        consumer.feed(events)
    else:
        with pytest.raises(Dead):
            consumer.feed(events)
    return target


def vec(key: int, at: int) -> Event:
    return event("AxVec", key, at=at, vecIsClient=True)


def project(key: int, at: int, name: str = "P") -> Event:
    return event("AxProject", key, at=at, prjStatus=1, prjDescription=name)


def test_a_batch_that_leaves_no_mark_is_one_transaction() -> None:
    """Rows and offsets are there together, whatever happens after."""
    target = fed(100, vec(1, 1))
    before = target.begun
    consumer = Consumer(target, [])
    consumer.feed([vec(1, 1)], start=0)  # stale: marks nothing
    assert target.begun == before + 2  # what may be skipped is read once a process
    stored = target.stored(VEC)
    assert (stored.next_offset, stored.events_read, stored.written, stored.skipped) == (1, 2, 1, 1)


def test_a_batch_that_leaves_marks_is_two_transactions() -> None:
    """The second one recomputes, clears the marks, and stores the offsets."""
    target = fed(100, project(1, 1))
    assert target.begun == 3
    assert target.stored(PROJECT) == Progress(1, 1, 1, 1, 0, 0, 0, 0)


def test_who_dies_before_the_recompute_has_not_stored_the_offset() -> None:
    """The events are read again, and finish the marks."""
    target = fed(2, project(1, 1))
    assert target.stored(PROJECT).next_offset == 0
    Consumer(target.target, []).feed([project(1, 1)])
    assert [row["Name"] for row in target.target.rows("Project")] == ["P"]


def test_of_several_recomputes_the_last_one_stores_the_offset() -> None:
    """Who dies between them reads the batch again."""
    batch = [project(key, key) for key in (1, 2, 3)]
    target = fed(3, *batch, most_roots=2)
    assert len(target.target.rows("Project")) == 2
    assert target.stored(PROJECT).next_offset == 0
    assert fed(100, *batch, most_roots=2).stored(PROJECT) == Progress(1, 3, 3, 3, 0, 0, 0, 0)


def test_a_batch_that_is_cut_stores_its_offset_with_the_last_part() -> None:
    """What follows a retirement is staged after it."""
    gone = event("AxProject", 1, "d", at=2)
    batch = [project(1, 1), gone, vec(7, 3)]
    assert fed(100, *batch).begun > 3
    for ends_before in range(2, fed(100, *batch).begun - 1):
        target = fed(ends_before, *batch)
        assert target.stored(PROJECT).next_offset == 0
        assert target.stored(VEC).next_offset == 0


def test_rows_that_lead_to_too_many_others_are_recomputed_a_part_at_a_time() -> None:
    """Whenever the process ends, what is left to be done are marks of those rows: one for each of
    the others would be written only to be cleared.
    """
    later, shown = NOON + timedelta(days=9999), set[int]()
    for ends_before in range(1, 10):
        target = Mortal(ends_before)
        Consumer(target.target, []).feed(
            [
                *(vec(key, key) for key in (1, 2)),
                *(project(key, key) for key in range(1, 5)),
                *(
                    event("AxInvoiceGroup", n, at=n, igProject=n, igClient=1 + n % 2)
                    for n in range(1, 5)
                ),
            ]
        )
        new = [
            event("AxVec", n, at=9, vecIsClient=True, vecDescription="new", vecAddress="a")
            for n in (1, 2)
        ]
        with suppress(Dead):
            Consumer(target, [], most_roots=2).feed(new, start=9)
        with target.target.transaction() as transaction:
            left = transaction.due(10, set_before=later, waiting_before=later)
        assert {mark.kind for mark in left} <= {shared_kind("AxVec")}
        shown.add([row["Client"] for row in target.target.rows("Project")].count("new"))
    assert shown == {0, 2, 4}
