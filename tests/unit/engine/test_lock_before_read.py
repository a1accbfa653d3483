"""A recompute locks its roots first, and reads what they need in later statements:
else the loser of a race writes the past.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.model.event import Event
from pipeline.model.ledger import LedgerRow
from tests.support.engine import TOPICS, Consumer, ready
from tests.support.events import event
from tests.support.totals import TOTALS, changed
from tests.twins.target import MemoryTarget, MemoryTransaction


class Overtaken:
    """A target whose next recompute is overtaken by somebody
    else just before it locks its first root.
    """

    def __init__(self, inner: MemoryTarget, overtake: Callable[[], object]) -> None:
        self._inner = inner
        self._overtake = overtake

    @property
    def counts_utf16(self) -> bool:
        return self._inner.counts_utf16

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        with self._inner.transaction() as transaction:
            yield _Overtaken(transaction, self._once)

    def _once(self) -> None:
        overtake, self._overtake = self._overtake, lambda: None
        overtake()


class _Overtaken:
    """Each of its transactions: the recompute alone asks for rows without their places."""

    def __init__(self, inner: MemoryTransaction, overtake: Callable[[], object]) -> None:
        self._inner = inner
        self._overtake = overtake

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def lock_rows(
        self, table: str, keys: Sequence[str], *, placed: bool = True
    ) -> dict[str, LedgerRow]:
        if not placed:
            self._overtake()
        return self._inner.lock_rows(table, keys, placed=placed)


def client(at: int, name: str) -> Event:
    return event("AxVec", 1, at=at, vecIsClient=True, vecDescription=name)


def test_who_locks_last_sees_what_was_committed_before_it_locked() -> None:
    """The client is renamed,
    noted and recomputed by another process between our marks and our lock.
    """
    target = MemoryTarget(AJERA_TO_PIM)
    with target.transaction() as transaction:
        for table, topic in TOPICS.items():
            transaction.set_load_ends(topic, table, 1, {0: 0})
            transaction.set_loaded(table, 1)
    before = Consumer(target, [])
    before.feed([client(1, "old")])
    before.feed([event("AxProject", 1, at=2, prjStatus=1, prjDescription="p")])
    before.feed([event("AxInvoiceGroup", 1, at=3, igProject=1, igClient=1)])
    other = Consumer(target, [])
    ours = Consumer(
        Overtaken(target, lambda: other.feed([client(9, "new")], start=9)),
        [],
    )
    ours.feed(
        [event("AxProject", 1, at=10, prjStatus=1, prjDescription="renamed")],
        start=5,
    )
    ((name, shown),) = [(row["Name"], row["Client"]) for row in target.rows("Project")]
    assert (name, shown) == ("renamed", "new")


def test_a_total_is_computed_after_its_root_is_locked() -> None:
    """Another process adds a job and writes the total between our marks and our lock."""
    target = ready(MemoryTarget(TOTALS))
    before = Consumer(target, [], route=TOTALS)
    before.feed([changed("Firm", 1), changed("Job", 1, jobFirm=1, jobStatus=1)])
    other = Consumer(target, [], route=TOTALS)
    second = changed("Job", 2, at=9, jobFirm=1, jobStatus=1)
    ours = Consumer(Overtaken(target, lambda: other.feed([second], start=9)), [], route=TOTALS)
    ours.feed([changed("Firm", 1, at=10, firmName="renamed")], start=5)
    ((name, count),) = [(row["Name"], row["Open Jobs"]) for row in target.rows("Totals")]
    assert (name, count) == ("renamed", 2)
