"""A target that goes back to an earlier state under a running consumer,
and a target that is away when a batch begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.errors import RowRejected, TargetRestored
from pipeline.model.event import Event
from pipeline.model.ledger import LedgerRow, Progress
from pipeline.model.position import TopicPartition
from tests.support.engine import TOPICS, Consumer
from tests.support.events import event
from tests.twins.target import MemoryTarget, MemoryTransaction

VEC = TopicPartition(TOPICS["AxVec"], 0)
NOTE, PROGRESS = 1, 2  # which transaction of a batch it is


class Exchanged:
    """A target in whose place an earlier copy of it is put,
    before the n-th transaction from now on.
    """

    def __init__(self, target: MemoryTarget) -> None:
        self.target = target
        self._copy = target
        self._left = 0

    def exchange(self, copy: MemoryTarget, *, before: int) -> None:
        self._copy = copy
        self._left = before

    @property
    def counts_utf16(self) -> bool:
        return self.target.counts_utf16

    @contextmanager
    def transaction(self) -> Iterator[MemoryTransaction]:
        self._left -= 1
        if self._left == 0:
            self.target = self._copy
        with self.target.transaction() as transaction:
            yield transaction


def loaded() -> MemoryTarget:
    """A twin in which every source table was read to its end."""
    target = MemoryTarget(AJERA_TO_PIM)
    with target.transaction() as transaction:
        for table, topic in TOPICS.items():
            transaction.set_load_ends(topic, table, 1, {0: 0})
            transaction.set_loaded(table, 1)
    return target


def client(at: int) -> Event:
    return event("AxVec", at, at=at, vecIsClient=True, vecDescription=f"client {at}")


def stored(target: MemoryTarget) -> Progress | None:
    with target.transaction() as transaction:
        return transaction.progress([VEC]).get(VEC)


@pytest.mark.parametrize("transaction", [NOTE, PROGRESS])
def test_a_target_that_went_back_is_refused_before_its_next_offset_moves(
    transaction: int,
) -> None:
    """Whatever transaction of the batch comes first to the copy: its offset stays,
    so what it lacks is read again.
    """
    target, copy = Exchanged(loaded()), loaded()
    consumer = Consumer(target, [], postponed_seconds=0.0)
    consumer.feed([client(1), client(2)])
    target.exchange(copy, before=transaction)
    with pytest.raises(TargetRestored, match="had 2 messages handled, and has 0"):
        consumer.feed([client(3)], start=2)
    held = stored(copy)
    assert held is None or held.next_offset == 0


def test_nothing_is_noted_in_a_target_that_went_back() -> None:
    """A newer event over a gap would make the older ones stale,
    and what they set once would never be known.
    """
    target, copy = Exchanged(loaded()), loaded()
    consumer = Consumer(target, [])
    consumer.feed([client(1)])
    target.exchange(copy, before=NOTE)
    with pytest.raises(TargetRestored):
        consumer.feed([client(3)], start=1)
    with copy.transaction() as transaction:
        assert transaction.rows_by_key("AxVec", ["3"]) == []


def test_a_target_that_went_back_is_refused_before_its_events_are_staged() -> None:
    """Also where their offset is stored by the transaction after that."""
    target, copy = Exchanged(loaded()), loaded()
    consumer = Consumer(target, [])
    project = event("AxProject", 1, at=1, prjStatus=1)
    consumer.feed([project])
    target.exchange(copy, before=NOTE)
    with pytest.raises(TargetRestored):
        consumer.feed([event("AxProject", 2, at=2, prjStatus=1)], start=1)
    with copy.transaction() as transaction:
        assert transaction.rows_by_key("AxProject", ["2"]) == []


class Refusing:
    """A transaction whose mirrors refuse every row."""

    def __init__(self, inner: MemoryTransaction) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def write_rows(self, rows: Sequence[LedgerRow]) -> None:
        raise RowRejected(f"{len(rows)} rows")


class RefusingCopy(MemoryTarget):
    """A copy in which something is missing."""

    @contextmanager
    def transaction(self) -> Iterator[MemoryTransaction]:
        with super().transaction() as transaction:
            yield Refusing(transaction)  # type: ignore[misc]


def test_an_event_that_a_target_refuses_which_went_back_is_no_dead_letter() -> None:
    """It is read again, where what it needs may be there."""
    target = Exchanged(loaded())
    consumer = Consumer(target, [])
    consumer.feed([client(1)])
    target.exchange(RefusingCopy(AJERA_TO_PIM), before=NOTE)
    with pytest.raises(TargetRestored):
        consumer.feed([client(3)], start=1)
    assert consumer.letters.sent == []


def test_a_quiet_partition_shows_that_its_target_went_back() -> None:
    """No message has to come: looking is enough."""
    target = Exchanged(loaded())
    consumer = Consumer(target, [])
    consumer.feed([client(1)])
    target.exchange(loaded(), before=NOTE)
    with pytest.raises(TargetRestored), target.transaction() as transaction:
        consumer.processor.refuse_restored(transaction)


def test_another_member_that_goes_on_is_no_restored_target() -> None:
    """It only adds; and a partition that comes back is taken over as it is stored."""
    target = loaded()
    one, other = Consumer(target, []), Consumer(target, [])
    one.feed([client(1)])
    other.feed([client(1), client(2)])
    one.feed([client(3)], start=2)
    other.processor.on_assigned({VEC: Progress(1, 1, events_read=1)})
    other.feed([client(4)], start=3)
    held = stored(target)
    assert held is not None
    assert held.next_offset == 4
