"""Any cut of the committed changes into batches, anything redelivered: the same PIM,
also of rows that were retired.

In memory: projects and companies are deleted and come back,
projects become phases and phases projects, and codes collide.
"""

from __future__ import annotations

import os
import random

import pytest

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.model.event import Event
from tests.support.engine import Consumer, patiently, ready
from tests.support.histories import batches, forgotten, history, retired
from tests.support.orders import settled
from tests.twins.target import MemoryTarget

RUNS = int(os.environ.get("AJERA_CDC_CUTS", "100"))
SEED = int(os.environ.get("AJERA_CDC_SEED", "20261127"))
ENTITIES = ("projects", "clients", "contacts", "employees", "vendors")


@pytest.mark.timeout(600)
def test_any_cut_of_the_log_gives_the_same_pim() -> None:
    """Compared with every event alone; some entities are off in every other run."""
    print(f"seed {SEED}, {RUNS} runs")
    for run in range(RUNS):
        rng = random.Random(f"{SEED} {run}")
        events = history(rng, rng.choice((4, 8, 20, 40, 80)))
        on = frozenset(rng.sample(ENTITIES, rng.choice((2, 4, 5, 5, 5))))
        alone, cut = (
            pim(on, arrived)
            for arrived in (
                [[one] for one in events],
                redelivered(rng, events),
            )
        )
        unknown = forgotten(events) | retired(events).keys() & {
            key for _, key in (*alone.due.rows, *cut.due.rows)
        }
        assert settled(cut, unknown) == settled(alone, unknown), f"run {run}"


def redelivered(rng: random.Random, events: list[Event]) -> list[list[Event]]:
    """Batches in commit order; some of them come twice."""
    return [batch for batch in batches(rng, events) for _ in range(rng.choice((1, 1, 1, 2)))]


def pim(on: frozenset[str], arrived: list[list[Event]]) -> MemoryTarget:
    target = ready(MemoryTarget(AJERA_TO_PIM))
    consumer = Consumer(
        target,
        [one for batch in arrived for one in batch],
        route=AJERA_TO_PIM.only(on),
        postpones=True,
    )
    for batch in arrived:
        consumer.take(batch)
    consumer.processor.finish(patiently)
    consumer.drain()
    assert consumer.letters.sent == []
    return target
