"""Rows written directly, with their source row, while another process recomputes the same rows from
marks: the same PIM, and no mark is left.

In memory, where a seed decides before each statement who goes on.
"""

from __future__ import annotations

import os
import random
from datetime import timedelta
from functools import partial

import pytest

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.engine.projection.direct import LEAST_AT_ONCE
from pipeline.model.ledger import Mark
from tests.properties.test_any_interleaving import Process, alone, filling
from tests.support.engine import TOPICS, Consumer, Ticking, patiently
from tests.support.histories import PARTITIONS, arrivals, batches, history, uncertain
from tests.support.orders import settled
from tests.twins.target import MemoryTarget
from tests.twins.turns import Schedule

RUNS = int(os.environ.get("AJERA_CDC_INTERLEAVINGS", "150"))
SEED = int(os.environ.get("AJERA_CDC_SEED", "20261127"))
TABLES = ("AxVec", "AxContact")


def recomputing(target: MemoryTarget, clock: Ticking, rounds: int) -> None:
    """Marks every row whose target rows are written directly, and recomputes what is marked."""
    consumer = Consumer(target, [], clock=clock)

    def mark(number: int) -> None:
        with target.transaction() as transaction:
            for table in TABLES:
                transaction.mark_table(table, number, clock.now())

    for number in range(1, rounds + 1):
        patiently(partial(mark, number))
        consumer.processor.drain(patiently, waiting_retry_seconds=-60.0)


def left(target: MemoryTarget, clock: Ticking) -> list[Mark]:
    later = clock.now() + timedelta(days=1)
    with target.transaction() as transaction:
        return transaction.due(10, set_before=later, waiting_before=clock.now() - timedelta(days=1))


@pytest.mark.timeout(600)
def test_a_row_written_directly_while_another_process_recomputes_it_is_as_the_last_event_says() -> (
    None
):
    """Compared with every event alone, in the order in which the source committed."""
    print(f"seed {SEED}, {RUNS} runs")
    for run in range(RUNS):
        rng = random.Random(f"{SEED} {run}")
        events = history(rng, rng.choice((4, 8, 20, 40)))
        unknown = uncertain(events)
        expected = alone(events, unknown)
        schedule = Schedule(rng)
        target, clock = MemoryTarget(AJERA_TO_PIM, turns=schedule), Ticking()
        filling(target, {table: dict.fromkeys(range(PARTITIONS), 0) for table in TOPICS})
        Process(target, [], clock).finish()
        arrived = list(batches(rng, arrivals(rng, events)))
        at_once, postpones = rng.choice((1, 2, LEAST_AT_ONCE)), rng.random() < 0.5
        process = Process(target, events, clock, at_once, postpones=postpones)
        schedule.run(
            [
                partial(process.work, arrived),
                partial(recomputing, target, clock, rng.randint(1, 4)),
            ]
        )
        Process(target, [], clock).finish()
        assert settled(target, unknown, with_codes=not unknown) == expected, f"run {run}"
        assert left(target, clock) == [], f"run {run}"
