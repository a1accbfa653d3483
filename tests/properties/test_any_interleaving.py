"""Any interleaving of the statements of two processes, while tables are becoming loaded:
the same PIM.

In memory, where a seed decides before each statement who goes on;
the contract suite holds this target to PostgreSQL.
"""

from __future__ import annotations

import os
import random
from collections.abc import Collection, Mapping, Sequence
from functools import partial

import pytest

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.engine.projection.direct import LEAST_AT_ONCE
from pipeline.model.event import Event
from tests.support.engine import (
    TOPICS,
    Consumer,
    Ticking,
    loading_of,
    patiently,
)
from tests.support.histories import (
    PARTITIONS,
    arrivals,
    batches,
    history,
    process_of,
    uncertain,
)
from tests.support.orders import settled
from tests.twins.target import MemoryTarget
from tests.twins.turns import Schedule

RUNS = int(os.environ.get("AJERA_CDC_INTERLEAVINGS", "150"))
SEED = int(os.environ.get("AJERA_CDC_SEED", "20261126"))
PROCESSES = 2
EPOCH = 1
Ends = Mapping[str, Mapping[int, int]]


class Process:
    """One consumer: after each batch it finishes tables that were read to their end,
    and marks that were left, as the loop does.
    """

    def __init__(
        self,
        target: MemoryTarget,
        events: Sequence[Event],
        clock: Ticking,
        least_at_once: int = LEAST_AT_ONCE,
        *,
        postpones: bool = False,
    ) -> None:
        self._consumer = Consumer(
            target, events, clock=clock, least_at_once=least_at_once, postpones=postpones
        )
        with target.transaction() as transaction:
            self._consumer.incarnations = {
                topic: transaction.incarnation(topic, "id", PARTITIONS) for topic in TOPICS.values()
            }
        self._loading = loading_of(target, EPOCH, clock)

    def work(self, arrived: Sequence[Sequence[Event]]) -> None:
        for batch in arrived:
            self._consumer.take(batch)
            self._loading.advance(patiently)
            self._consumer.processor.drain(patiently, waiting_retry_seconds=10.0)

    def finish(self) -> None:
        self._loading.advance(patiently)
        self._consumer.drain()


def filling(target: MemoryTarget, ends: Ends) -> None:
    """Topics are known, and so is where each snapshot ends."""
    with target.transaction() as transaction:
        for table, topic in TOPICS.items():
            transaction.incarnation(topic, "id", PARTITIONS)
            transaction.set_load_ends(topic, table, EPOCH, ends[table])


def random_ends(rng: random.Random, events: Sequence[Event]) -> Ends:
    """A snapshot may end anywhere among the events of its partition;
    often it is all that there is.
    """
    ends = {table: dict.fromkeys(range(PARTITIONS), 0) for table in TOPICS}
    for one in events:
        ends[one.table][one.place.partition] += 1
    return {
        table: {
            number: rng.choice((end, end, rng.randint(0, end))) for number, end in of_table.items()
        }
        for table, of_table in ends.items()
    }


@pytest.mark.timeout(600)
def test_any_interleaving_of_two_processes_gives_the_same_pim() -> None:
    """Compared with every event alone, in the order in which the source committed,
    all tables loaded before.
    """
    print(f"seed {SEED}, {RUNS} runs")
    for run in range(RUNS):
        rng = random.Random(f"{SEED} {run}")
        events = history(rng, rng.choice((4, 8, 20, 40)))
        ends = random_ends(rng, events)
        unknown = uncertain(events)
        expected = alone(events, unknown)
        schedule = Schedule(rng)
        target, clock = (
            MemoryTarget(AJERA_TO_PIM, turns=schedule),
            Ticking(),
        )
        filling(target, ends)
        tasks = []
        for number in range(PROCESSES):
            mine = [one for one in events if process_of(one, PROCESSES) == number]
            arrived = list(batches(rng, arrivals(rng, mine)))
            at_once = rng.choice((1, 2, LEAST_AT_ONCE))
            process = Process(target, mine, clock, at_once, postpones=rng.random() < 0.5)
            tasks.append(partial(process.work, arrived))
        schedule.run(tasks)
        Process(target, [], clock).finish()
        assert settled(target, unknown, with_codes=not unknown) == expected, f"run {run}"


def alone(events: Sequence[Event], unknown: Collection[str]) -> dict[str, object]:
    """What one process makes of the events in commit order."""
    target, clock = MemoryTarget(AJERA_TO_PIM), Ticking()
    nothing_to_read = {table: dict.fromkeys(range(PARTITIONS), 0) for table in TOPICS}
    filling(target, nothing_to_read)
    process = Process(target, events, clock)
    process.finish()
    process.work([[one] for one in events])
    process.finish()
    return settled(target, unknown, with_codes=not unknown)
