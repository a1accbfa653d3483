"""Random histories of a small firm, and how their events may arrive: mixed between partitions, rewound, cut anywhere."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from pipeline.model.event import Event, Value
from tests.support.events import NOON, event

PARTITIONS = 2
PREFIXES = {"AxVec": ("cl-", "ve-", "em-"), "AxContact": ("co-",), "AxProject": ("",)}  # of the keys in PIM


def history(rng: random.Random, length: int) -> list[Event]:
    """Committed changes of a small firm, in commit order, each at its place in its partition."""
    events: list[Event] = []
    offsets: dict[tuple[str, int], int] = {}
    for number in range(1, length + 1):
        table = rng.choice(("AxVec", "AxVec", "AxContact", "AxProject", "AxProject", "AxInvoiceGroup", "AxResource"))
        key = rng.randint(1, 5)
        partition = key % PARTITIONS
        offset = offsets[table, partition] = offsets.get((table, partition), -1) + 1
        operation = "d" if rng.random() < 0.12 else "u"
        made = event(table, key, operation, at=number, offset=offset, partition=partition)
        if operation != "d":
            made = replace(made, row={**made.row, **columns(rng, table, number)})
        events.append(replace(made, committed_at=NOON + timedelta(seconds=number)))
    return events


def columns(rng: random.Random, table: str, number: int) -> dict[str, Value]:
    maybe = rng.choice((None, 0, 1, 2, 3, 4, 5))
    match table:
        case "AxVec":
            flags = {f"vecIs{kind}": rng.random() < 0.5 for kind in ("Client", "Vendor", "Employee")}
            return {"vecDescription": f"v{number}", "vecCity": rng.choice((None, "Boise")), **flags}
        case "AxContact":
            return {"cntLastName": f"c{number}", "cntClient": maybe, "cntVendor": rng.choice((None, 1, 2))}
        case "AxProject":
            roles = {"prjProjectManager": maybe, "prjPrincipalInCharge": rng.choice((None, 1, 4))}
            code = rng.choice((None, " ", "A", "a", "B"))
            return {"prjDescription": f"p{number}", "prjID": code, "prjStatus": rng.randrange(7), **roles}
        case "AxInvoiceGroup":
            return {"igProject": rng.randint(1, 5), "igClient": maybe}
        case _:
            return {
                "resProject": rng.randint(1, 5),
                "resEmployee": maybe,
                "resRole": rng.choice(("Drafter", None, "Lead")),
            }


def arrivals(rng: random.Random, events: list[Event]) -> list[Event]:
    """The partitions' messages in their own order, mixed anew; some of them again, after a rewind."""
    queues: dict[tuple[str, int], list[Event]] = {}
    for one in events:
        queues.setdefault((one.table, one.place.partition), []).append(one)
    next_at = dict.fromkeys(queues, 0)
    arrived = []
    while any(next_at[place] < len(queue) for place, queue in queues.items()):
        place = rng.choice([place for place, queue in queues.items() if next_at[place] < len(queue)])
        arrived.append(queues[place][next_at[place]])
        next_at[place] += 1
        if rng.random() < 0.03:
            next_at[place] = rng.randint(0, next_at[place])
    return arrived


def batches(rng: random.Random, events: list[Event]) -> Iterator[list[Event]]:
    """Cut anywhere, and wherever a partition goes back: within a batch its messages stand in offset order."""
    batch: list[Event] = []
    size = rng.choice((1, 2, 5, 20))
    for one in events:
        goes_back = any(one.place.offset <= b.place.offset for b in batch if shares_partition(b, one))
        if batch and (goes_back or len(batch) >= size):
            yield batch
            batch, size = [], rng.choice((1, 2, 5, 20))
        batch.append(one)
    if batch:
        yield batch


def shares_partition(one: Event, other: Event) -> bool:
    return one.table == other.table and one.place.partition == other.place.partition


def process_of(one: Event, processes: int) -> int:
    """Partitions, not rows, are what processes share."""
    return (sum(map(ord, one.table)) + one.place.partition) % processes
