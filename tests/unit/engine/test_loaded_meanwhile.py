"""A table becomes loaded while a row that depends on it is noted and recomputed:
the row gets what it needs all the same.
"""

from __future__ import annotations

from functools import partial
from random import Random

from pipeline.domain.routes import AJERA_TO_PIM
from tests.support.engine import (
    TOPICS,
    Consumer,
    Ticking,
    loading_of,
    patiently,
)
from tests.support.events import event
from tests.twins.target import MemoryTarget
from tests.twins.turns import Schedule

SCHEDULES = 100
EPOCH = 1


def test_whoever_took_a_table_for_not_loaded_is_marked_when_it_is() -> None:
    """One process finishes the clients' load while another,
    in every order of statements that is drawn, creates a project.
    """
    for seed in range(SCHEDULES):
        target, clock = (
            MemoryTarget(AJERA_TO_PIM, turns=(schedule := Schedule(Random(seed)))),
            Ticking(),
        )
        creator, finisher = (
            Consumer(target, [], clock=clock),
            Consumer(target, [], clock=clock),
        )
        finisher.feed(
            [
                event(
                    "AxVec",
                    1,
                    at=1,
                    vecIsClient=True,
                    vecDescription="client",
                )
            ]
        )
        all_but_clients_are_loaded(target)
        created = [
            event("AxProject", 1, at=2, prjStatus=1, prjDescription="p"),
            event("AxInvoiceGroup", 1, at=2, igProject=1, igClient=1),
        ]
        loading = loading_of(target, EPOCH, clock)
        schedule.run(
            [
                partial(creator.feed, created),
                partial(loading.advance, patiently),
            ]
        )
        finisher.drain()
        ((name, client),) = [(row["Name"], row["Client"]) for row in target.rows("Project")]
        assert (name, client) == ("p", "client"), f"schedule {seed}"


def all_but_clients_are_loaded(target: MemoryTarget) -> None:
    with target.transaction() as transaction:
        for table, topic in TOPICS.items():
            transaction.set_load_ends(topic, table, EPOCH, {0: 0})
            if table != "AxVec":
                transaction.set_loaded(table, EPOCH)
