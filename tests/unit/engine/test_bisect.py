"""A rejected batch is bisected, and no item overtakes another."""

from __future__ import annotations

from pipeline.engine.consumer.bisect import BisectingQueue


def handled(items: list[int], bad: set[int], largest: int = 8) -> tuple[list[int], list[int], int]:
    """Items in the order in which they were done, the offending ones, and batches tried."""
    queue, done, offending, tried = BisectingQueue(items, largest), list[int](), list[int](), 0
    while queue:
        batch = queue.take()
        tried += 1
        if not bad.isdisjoint(batch):
            if queue.bisect(batch):
                continue
            offending += batch
        else:
            done += batch
        queue.done()
    return done, offending, tried


def test_the_offending_items_alone_are_left_out() -> None:
    """Whatever stands around them, and in the order in which they came."""
    items = list(range(20))
    done, offending, _ = handled(items, {0, 7, 8, 19})
    assert offending == [0, 7, 8, 19]
    assert done == [item for item in items if item not in {0, 7, 8, 19}]


def test_a_single_bad_item_costs_a_logarithm_of_batches() -> None:
    """Of 1,024 items, some thirty batches; each half that is clean goes through at once."""
    assert handled(list(range(1_024)), {700}, largest=1_024)[2] <= 32


def test_what_a_batch_leaves_undone_comes_before_the_items_behind_it() -> None:
    """So no event overtakes another of its row."""
    queue = BisectingQueue([1, 2, 3, 4], 2)
    assert queue.take() == [1, 2]
    queue.done(rest=[2])
    assert queue.take() == [2, 3]
    assert queue.take_all() == [4]
    assert not queue


def test_batches_grow_again_after_a_rejected_one() -> None:
    """Up to the largest size."""
    queue = BisectingQueue(list(range(10)), 4)
    assert queue.bisect(queue.take())
    sizes = []
    while queue:
        sizes.append(len(queue.take()))
        queue.done()
    assert sizes == [2, 4, 4]
