"""Totals are summed up after the rows and their offsets are there: once for several batches, a
moment later and no later than that.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest

from pipeline.domain.routes import ACCOUNTING
from pipeline.engine.projection.direct import Direct
from pipeline.engine.projection.postponed import MOST_SECONDS, POSTPONED_SECONDS, Postponed
from pipeline.engine.projection.staged import StagedBatch
from pipeline.mapping.watches import way_kind
from pipeline.model.event import Event, Operation, Value
from pipeline.model.ledger import Mark
from pipeline.model.position import TopicOffset, TopicPartition
from tests.support.engine import Consumer, Ticking, ready, topic_of
from tests.support.events import NOON, SITE
from tests.support.orders import cuts, orders
from tests.support.totals import TO_ENTRIES, TOTALS, changed
from tests.twins.clock import Ticks
from tests.twins.target import MemoryTarget

ENTRIES = TopicPartition(topic_of("Entry"), 0)
BEFORE = (changed("Firm", 1, at=1, firmName="one"), changed("Job", 1, at=2, jobFirm=1))


def entry(key: int, at: int, amount: int = 1, job: int = 1) -> Event:
    return changed("Entry", key, at=at, entryJob=job, entryAmount=Decimal(amount))


def with_a_job(*further: Event) -> MemoryTarget:
    target = ready(MemoryTarget(TOTALS))
    Consumer(target, [], route=TOTALS).feed([*BEFORE, *further])
    return target


def consumer_of(target: MemoryTarget, least_at_once: int = 100) -> Consumer:
    return Consumer(target, [], route=TOTALS, postpones=True, least_at_once=least_at_once)


def finish(consumer: Consumer) -> None:
    consumer.processor.finish(lambda call: call())


def amounts(target: MemoryTarget) -> list[Value]:
    return [row["Amount"] for row in target.rows("Totals")]


def left(target: MemoryTarget) -> tuple[int, int]:
    """Marks that are rows of their own, and rows that are many."""
    with target.transaction() as transaction:
        later = NOON + timedelta(days=9999)
        alone = transaction.due(10, set_before=later, waiting_before=later)
    return len(alone), len(target.together.rows)


def test_several_batches_are_summed_up_once() -> None:
    """Each event has ended before, as written, and its offset is stored."""
    target = with_a_job()
    consumer = consumer_of(target)
    for number in (1, 2, 3):
        consumer.feed([entry(number, at=2 + number)], start=number)
    assert (amounts(target), left(target)) == ([Decimal(0)], (1, 0))
    assert consumer.telemetry.ended == {("written", ""): 3}
    with target.transaction() as transaction:
        assert transaction.progress([ENTRIES])[ENTRIES].next_offset == 4
    assert consumer.processor.postponed_until is not None
    finish(consumer)
    assert (amounts(target), left(target)) == ([Decimal(3)], (0, 0))
    assert consumer.processor.postponed_until is None


def test_what_several_batches_marked_is_gone_when_it_is_summed_up() -> None:
    """A mark of its own, too, where a later batch set the same with others as one row."""
    target = with_a_job(changed("Job", 2, at=2, jobFirm=1))
    consumer = consumer_of(target, least_at_once=2)
    consumer.feed([entry(1, at=3)], start=1)
    consumer.feed([entry(1, at=4, amount=2), entry(2, at=4, job=2)], start=2)
    consumer.feed([entry(3, at=5), entry(4, at=5, job=2)], start=4)
    assert left(target) == (1, 2)
    finish(consumer)
    assert (amounts(target), left(target)) == ([Decimal(5)], (0, 0))


def test_totals_of_a_process_that_died_are_summed_up_by_another() -> None:
    """Its offset is stored, so nobody reads its events again."""
    target = with_a_job()
    dead = Consumer(target, [], clock=Ticking(), route=TOTALS, postpones=True)
    dead.feed([entry(1, at=3)], start=1)
    Consumer(target, [], clock=Ticking(), route=TOTALS).drain()
    assert (amounts(target), left(target)) == ([Decimal(1)], (0, 0))


def test_a_root_that_is_retired_shows_what_was_summed_up_until_then() -> None:
    """It keeps its totals for ever."""
    target = with_a_job()
    consumer = consumer_of(target)
    consumer.feed([entry(1, at=3)], start=1)
    consumer.feed([changed("Firm", 1, "d", at=4)], start=1)
    finish(consumer)
    assert amounts(target) == [Decimal(1)]


def test_an_event_that_marks_a_root_is_not_postponed() -> None:
    """Whether its root is there, or waits, decides how it ends."""
    target = with_a_job()
    consumer = consumer_of(target)
    consumer.feed([changed("Share", 1, at=3, shareFirm=9, shareJob=1)], start=1)
    assert consumer.processor.postponed_until is None
    assert consumer.telemetry.ended == {("skipped", "filtered"): 1}


LOG = (*BEFORE, entry(1, at=3), entry(1, at=4, amount=5), changed("Firm", 1, "d", at=5))


def test_every_order_and_cut_gives_the_totals_that_it_gives_at_once() -> None:
    """However many batches wait for one another."""
    for order in orders(LOG):
        for batches in cuts(order):
            assert summed(batches, seconds=POSTPONED_SECONDS) == summed(batches, seconds=0.0)


def summed(batches: Sequence[Sequence[Event]], seconds: float) -> list[dict[str, Value]]:
    target = ready(MemoryTarget(TOTALS))
    events = [one for batch in batches for one in batch]
    consumer = Consumer(target, events, route=TOTALS, postpones=True, postponed_seconds=seconds)
    for batch in batches:
        consumer.take(batch)
    finish(consumer)
    return [dict(row) for row in target.rows("Totals")]


@pytest.mark.parametrize(
    ("took", "expected"),
    [(0.0, POSTPONED_SECONDS), (0.3, 0.3), (9.0, MOST_SECONDS)],
)
def test_a_recompute_waits_as_long_as_the_one_before_took(took: float, expected: float) -> None:
    """So that recomputes take no more than half of the time; not for long."""
    clock = Ticks(NOON)
    postponed = Postponed(TOTALS, clock, POSTPONED_SECONDS)
    postponed.took(took)
    postponed.add(StagedBatch(marks=[Mark(way_kind(TO_ENTRIES), "1", 1)]))
    assert postponed.until == pytest.approx(clock.monotonic() + expected, abs=0.01)


@pytest.mark.parametrize(
    ("table", "first"),
    [
        ("AxTransaction", False),
        ("AxClientInvoice", False),
        ("PR", False),  # our own writing that comes back
        ("AxProject", True),
        ("AxEmployeeType", False),
        ("AxCompany", True),
    ],
)
def test_events_that_may_retire_a_root_alone_are_staged_after_the_totals(
    table: str, first: bool
) -> None:
    """All others may come meanwhile."""
    targets = {one.name: one for one in ACCOUNTING.targets}
    direct = Direct(ACCOUNTING, SITE, targets, counts_utf16=False)
    postponed = Postponed(ACCOUNTING, Ticks(NOON), POSTPONED_SECONDS)
    postponed.add(StagedBatch(marks=[Mark("any", "1", 1)]))
    assert postponed.must_precede([any_event(table)], lambda: direct) is first


def any_event(table: str) -> Event:
    place = TopicOffset(1, 0, 1)
    return Event(table, "1", Operation.UPDATE, {}, "", place, committed_at=NOON, epoch=1)
