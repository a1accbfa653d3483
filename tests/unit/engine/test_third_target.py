"""A route that is not PIM's, on the engine: what its lines read of other rows is followed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from pipeline.mapping.aggregate import Aggregate
from pipeline.mapping.route import Route
from pipeline.model.event import Event
from tests.support.engine import TOPICS, Consumer
from tests.support.events import event
from tests.support.reporting import REPORTING
from tests.twins.target import MemoryTarget

SEEDS = range(20)


def loaded() -> MemoryTarget:
    """Reporting, every table that it reads loaded."""
    target = MemoryTarget(REPORTING)
    with target.transaction() as transaction:
        for source in REPORTING.sources:
            transaction.set_load_ends(TOPICS[source.name], source.name, 1, {0: 0})
            transaction.set_loaded(source.name, 1)
    return target


def client(key: int, at: int, name: str) -> Event:
    return event("AxVec", key, at=at, vecIsClient=True, vecDescription=name)


def project(key: int, at: int, status: int = 1) -> Event:
    return event("AxProject", key, at=at, prjOpened=date(2026, 11, key), prjStatus=status)


def group(key: int, at: int, project: int, client: int) -> Event:
    return event("AxInvoiceGroup", key, at=at, igProject=project, igClient=client)


def shown(target: MemoryTarget) -> dict[object, tuple[object, ...]]:
    """By client its name, number of active projects and the day of the newest one."""
    columns = ("Name", "Active Projects", "Newest Project")
    rows = target.rows("Client Report")
    return {row["Client"]: tuple(row.get(column) for column in columns) for row in rows}


def after(
    batches: Sequence[Sequence[Event]], route: Route = REPORTING
) -> dict[object, tuple[object, ...]]:
    """What Reporting shows after these batches."""
    target = loaded()
    consumer = Consumer(target, [one for batch in batches for one in batch], route=route)
    for batch in batches:
        consumer.take(batch)
    consumer.drain()
    return shown(target)


FIRST = (
    *(client(1, 1, "Hill"), client(2, 2, "Bay")),
    *(project(10, 3), project(11, 4)),
    *(group(100, 5, 10, 1), group(101, 6, 11, 1)),
)


def test_a_deleted_row_leaves_what_other_rows_show_of_it() -> None:
    """The delete alone tells: nothing else changes, and the row is looked up from elsewhere."""
    assert after([FIRST])["cl-1"] == ("Hill", 2, date(2026, 11, 11))
    assert after([FIRST, [event("AxProject", 11, "d", at=7)]])["cl-1"] == (
        "Hill",
        1,
        date(2026, 11, 10),
    )


def test_a_deleted_row_that_is_only_looked_up_leaves_what_other_rows_show_of_it() -> None:
    """Without a total over its table nothing else marks the client."""
    (mapping,) = REPORTING.mappings
    lines = tuple(line for line in mapping.lines if not isinstance(line, Aggregate))
    route = replace(REPORTING, mappings=(replace(mapping, lines=lines),))
    deleted = [event("AxProject", 11, "d", at=7)]
    assert [after(batches, route)["cl-1"][2] for batches in ([FIRST], [FIRST, deleted])] == [
        date(2026, 11, 11),
        date(2026, 11, 10),
    ]


def test_a_row_that_moves_is_shown_by_the_one_that_it_enters_alone() -> None:
    """The client it left is marked too."""
    moved = after([FIRST, [group(101, 7, 11, 2)]])
    assert moved == {
        "cl-1": ("Hill", 1, date(2026, 11, 10)),
        "cl-2": ("Bay", 1, date(2026, 11, 11)),
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_topics_may_be_read_in_any_order(seed: int) -> None:
    """Each table's events in their own order, cut and mixed with the others' at random."""
    chance = random.Random(seed)
    later = (
        *(client(1, 10, "Hill 2"), project(10, 11, status=5), group(101, 12, 11, 2)),
        *(event("AxProject", 11, "d", at=13), project(12, 14), group(102, 15, 12, 2)),
    )
    queues = {table: [one for one in (*FIRST, *later) if one.table == table] for table in TOPICS}
    batches = []
    while pending := [queue for queue in queues.values() if queue]:
        queue = chance.choice(pending)
        cut = chance.randint(1, len(queue))
        batches.append(queue[:cut])
        del queue[:cut]
    print(f"seed {seed}")
    assert after(batches) == {
        "cl-1": ("Hill 2", 0, date(2026, 11, 10)),
        "cl-2": ("Bay", 1, date(2026, 11, 12)),
    }
