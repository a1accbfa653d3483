"""A table of the target that refuses what is read or written: its rows wait, every other table
continues, and nothing is lost or written out of order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.engine.projection.refusals import Described
from pipeline.errors import TargetMismatch, TargetRefused
from pipeline.mapping.target import TargetRow
from pipeline.model.event import Event, Row
from pipeline.model.outcome import RowCounts
from tests.support.engine import Consumer, ready
from tests.support.events import NOON, event
from tests.twins.clock import Ticks
from tests.twins.target import MemoryTarget, MemoryTransaction

RETRY = 60.0
ORGANIZATION, CONTACT = "Organization", "Contact"


class Revoked(MemoryTarget):
    """A twin in which rights are missing: `refuses` holds the calls that fail, by table."""

    def __init__(self) -> None:
        super().__init__(AJERA_TO_PIM)
        self.refuses: dict[str, set[str]] = {}
        self.failures = 0

    def revoke(self, table: str, *calls: str) -> None:
        self.refuses[table] = set(calls)

    def grant(self, table: str) -> None:
        del self.refuses[table]

    @contextmanager
    def transaction(self) -> Iterator[MemoryTransaction]:
        with super().transaction() as transaction:
            yield Refusing(transaction, self)  # type: ignore[misc]


class Refusing:
    """A transaction of such a twin."""

    def __init__(self, inner: MemoryTransaction, target: Revoked) -> None:
        self._inner = inner
        self._target = target

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def _check(self, table: str, call: str) -> None:
        if call in self._target.refuses.get(table, ()):
            self._target.failures += 1
            raise TargetRefused(f"no right at {table}")

    def upsert(self, table: str, rows: Sequence[TargetRow]) -> RowCounts:
        self._check(table, "upsert")
        return self._inner.upsert(table, rows)

    def create_missing(self, table: str, rows: Sequence[Row]) -> int:
        self._check(table, "create_missing")
        return self._inner.create_missing(table, rows)

    def existing(self, table: str, keys: Sequence[str]) -> set[str]:
        self._check(table, "existing")
        return self._inner.existing(table, keys)


@pytest.fixture
def target() -> Revoked:
    target = Revoked()
    ready(target)
    return target


@pytest.fixture
def clock() -> Ticks:
    return Ticks(NOON)


@pytest.fixture
def consumer(target: Revoked, clock: Ticks) -> Consumer:
    return Consumer(target, [], clock=clock)


def client(number: int, at: int, name: str = "x") -> Event:
    return event("AxVec", number, at=at, vecIsClient=True, vecDescription=name)


def contact(number: int, at: int, of: int | None = None, name: str = "y") -> Event:
    return event("AxContact", number, at=at, cntLastName=name, cntClient=of)


def names(target: MemoryTarget, table: str, column: str = "Name") -> list[object]:
    return [row[column] for row in target.rows(table)]


def later(consumer: Consumer, clock: Ticks, seconds: float = RETRY) -> None:
    """This much later, what is due was tried."""
    clock.wait(timedelta(seconds=seconds))
    for _ in range(4):
        consumer.drain()


def test_a_right_that_is_missing_on_one_table_stops_no_other(
    target: Revoked, consumer: Consumer
) -> None:
    """The batch ends: rows of that table wait, the rest is written, and all offsets move on."""
    target.revoke(ORGANIZATION, "upsert")
    handled = consumer.feed([client(1, 1), contact(7, 2), client(2, 3)])
    assert not handled.halted
    assert consumer.telemetry.ended == {("parked", "waiting"): 2, ("written", ""): 1}
    assert len(target.rows(CONTACT)) == 1
    assert target.rows(ORGANIZATION) == []
    assert consumer.processor.refused().keys() == {ORGANIZATION}


def test_what_waits_for_a_table_is_written_as_it_is_now_once_the_right_is_granted(
    target: Revoked, consumer: Consumer, clock: Ticks
) -> None:
    """By itself, at the stated distance; the newest value, and none of the older ones."""
    target.revoke(ORGANIZATION, "upsert")
    consumer.feed([client(1, 1, "old")])
    consumer.feed([client(1, 2, "new"), client(2, 3, "second")], start=1)
    target.grant(ORGANIZATION)
    later(consumer, clock, RETRY / 3)
    assert target.rows(ORGANIZATION) == []
    later(consumer, clock)
    assert names(target, ORGANIZATION) == ["new", "second"]
    assert consumer.processor.refused() == {}
    with target.transaction() as transaction:
        assert transaction.marks_of([("AxVec", "1"), ("AxVec", "2")]) == []


def test_a_table_that_refuses_is_asked_once_in_a_while(
    target: Revoked, consumer: Consumer, clock: Ticks
) -> None:
    """And not for each batch: a failed statement undoes the transaction around it."""
    target.revoke(ORGANIZATION, "upsert")
    consumer.feed([client(number, number) for number in range(1, 4)])
    for start in range(3, 30, 3):
        consumer.feed([client(1, start + number) for number in range(3)], start=start)
        consumer.drain()
    assert target.failures == 1
    later(consumer, clock)
    assert target.failures == 2
    assert consumer.processor.refused().keys() == {ORGANIZATION}


def test_rows_that_need_only_to_see_a_table_that_cannot_be_written_are_written(
    target: Revoked, consumer: Consumer
) -> None:
    """A contact refers to an organization that is there; that it cannot be changed is no matter."""
    consumer.feed([client(1, 1)])
    target.revoke(ORGANIZATION, "upsert")
    consumer.feed([client(1, 2, "new"), contact(7, 3, of=1)], start=1)
    assert names(target, CONTACT, "Organization ID") == ["cl-1"]
    assert names(target, ORGANIZATION) == ["x"]


def test_rows_that_need_a_table_that_cannot_be_seen_wait_for_it(
    target: Revoked, consumer: Consumer, clock: Ticks
) -> None:
    """Those that refer to nothing in it continue; then all are written."""
    target.revoke(ORGANIZATION, "upsert", "existing")
    consumer.feed([client(1, 1), contact(7, 2, of=1), contact(8, 3)])
    assert len(target.rows(CONTACT)) == 1
    target.grant(ORGANIZATION)
    later(consumer, clock)
    assert names(target, CONTACT, "Organization ID") == ["cl-1", None]


def test_another_process_finds_what_waits_for_a_table(
    target: Revoked, consumer: Consumer, clock: Ticks
) -> None:
    """After a restart it is tried at once; the first one that fails stops the trying."""
    target.revoke(ORGANIZATION, "upsert")
    consumer.feed([client(1, 1)])
    other = Consumer(target, [], clock=clock)
    other.drain()
    assert other.processor.refused().keys() == {ORGANIZATION}
    target.grant(ORGANIZATION)
    third = Consumer(target, [], clock=clock)
    third.drain()
    assert names(target, ORGANIZATION) == ["x"]


def test_a_table_that_lacks_a_column_when_a_consumer_starts_is_left_alone_until_it_has_it(
    target: Revoked, clock: Ticks
) -> None:
    """No process ends for it: the others are written meanwhile."""
    fault = TargetMismatch("the target lacks column Organization.Name")
    faults = {ORGANIZATION: fault}
    tables = {table.name: table for table in AJERA_TO_PIM.targets}
    consumer = Consumer(target, [], clock=clock, describe=lambda: Described(tables, dict(faults)))
    consumer.feed([client(1, 1), contact(7, 2)])
    assert consumer.processor.refused() == {ORGANIZATION: fault}
    assert (len(target.rows(ORGANIZATION)), len(target.rows(CONTACT))) == (0, 1)
    later(consumer, clock)
    assert target.failures == 0
    faults.clear()
    later(consumer, clock)
    assert names(target, ORGANIZATION) == ["x"]
    assert consumer.processor.refused() == {}
