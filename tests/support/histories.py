"""Random histories of a small firm, and how their events may arrive: mixed between partitions,
rewound, cut anywhere.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from pipeline.model.event import Event, Operation, Value
from tests.support.events import NOON, event

PARTITIONS = 2
PREFIXES = {
    "AxVec": ("cl-", "ve-", "em-"),
    "AxContact": ("co-",),
    "AxProject": ("",),
}  # of the keys in PIM


def history(rng: random.Random, length: int) -> list[Event]:
    """Committed changes of a small firm, in commit order, each at its place in its partition."""
    events: list[Event] = []
    offsets: dict[tuple[str, int], int] = {}
    for number in range(1, length + 1):
        table = rng.choice(
            (
                "AxVec",
                "AxVec",
                "AxContact",
                "AxProject",
                "AxProject",
                "AxInvoiceGroup",
                "AxResource",
            )
        )
        key = rng.randint(1, 5)
        partition = key % PARTITIONS
        offset = offsets[table, partition] = offsets.get((table, partition), -1) + 1
        operation = "d" if rng.random() < 0.12 else "u"
        made = event(
            table,
            key,
            operation,
            at=number,
            offset=offset,
            partition=partition,
        )
        if operation != "d":
            made = replace(made, row={**made.row, **columns(rng, table, key, number)})
        events.append(replace(made, committed_at=NOON + timedelta(seconds=number)))
    return events


def columns(rng: random.Random, table: str, key: int, number: int) -> dict[str, Value]:
    maybe = rng.choice((None, 0, 1, 2, 3, 4, 5))
    match table:
        case "AxVec":
            flags = {
                f"vecIs{kind}": rng.random() < 0.5 for kind in ("Client", "Vendor", "Employee")
            }
            return {
                "vecDescription": f"v{number}",
                "vecCity": rng.choice((None, "Boise", "\xa0", "\u3000Reno\u2007")),
                **flags,
            }
        case "AxContact":
            return {
                "cntLastName": f"c{number}",
                "cntClient": maybe,
                "cntVendor": rng.choice((None, 1, 2)),
            }
        case "AxProject":
            roles = {
                "prjProjectManager": maybe,
                "prjPrincipalInCharge": rng.choice((None, 1, 4)),
            }
            code = rng.choice(
                (
                    None,
                    "\u202f",
                    "A",
                    "a",
                    "B",
                    "A-3",
                    "AJ-2",
                    "aj-4",
                    "A-3-3",
                )
            )
            code = (
                "C" if code is not None and code.endswith(f"-{key}") else code
            )  # else what was given looks as if typed
            own = {
                "prjProject": rng.choice((None, 0, None, 0, 9)),
                "prjID": code,
            }  # 9: a phase
            return {
                "prjDescription": f"p{number}",
                "prjStatus": rng.randrange(7),
                **own,
                **roles,
            }
        case "AxInvoiceGroup":
            return {"igProject": rng.randint(1, 5), "igClient": maybe}
        case _:
            return {
                "resProject": rng.randint(1, 5),
                "resEmployee": maybe,
                "resRole": rng.choice(("Drafter", None, "Lead")),
            }


def arrivals(rng: random.Random, events: list[Event]) -> list[Event]:
    """The partitions' messages in their own order, mixed anew; some of them again,
    after a rewind.
    """
    queues: dict[tuple[str, int], list[Event]] = {}
    for one in events:
        queues.setdefault((one.table, one.place.partition), []).append(one)
    next_at = dict.fromkeys(queues, 0)
    arrived = []
    while any(next_at[place] < len(queue) for place, queue in queues.items()):
        place = rng.choice(
            [place for place, queue in queues.items() if next_at[place] < len(queue)]
        )
        arrived.append(queues[place][next_at[place]])
        next_at[place] += 1
        if rng.random() < 0.03:
            next_at[place] = rng.randint(0, next_at[place])
    return arrived


def batches(rng: random.Random, events: list[Event]) -> Iterator[list[Event]]:
    """Cut anywhere, and wherever a partition goes back:
    within a batch its messages stand in offset order.
    """
    batch: list[Event] = []
    size = rng.choice((1, 2, 5, 20))
    for one in events:
        goes_back = any(
            one.place.offset <= b.place.offset for b in batch if shares_partition(b, one)
        )
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


def retired(events: list[Event]) -> dict[str, int]:
    """Projects that ended deleted or as a phase, and since which event."""
    found: dict[str, int] = {}
    been: set[str] = set()
    for number, one in enumerate(events):
        if one.table == "AxProject":
            is_project = one.operation is not Operation.DELETE and one.row["prjProject"] in (
                None,
                0,
            )
            if is_project:
                been.add(one.key)
                found.pop(one.key, None)
            elif one.key in been:
                found.setdefault(one.key, number)
    return found


def uncertain(events: list[Event]) -> set[str]:
    """Those after which something of others came: where that is read first,
    nobody knows what was there before.
    """
    return {
        key
        for key, number in retired(events).items()
        if any(
            one.table != "AxContact" and (one.table, one.key) != ("AxProject", key)
            for one in events[number + 1 :]
        )
    }


def forgotten(events: list[Event]) -> set[str]:
    """Those that an invoice group or a resource left since, and moved on again:
    where it was first is not kept.
    """
    found: set[str] = set()
    for key, number in retired(events).items():
        owners: dict[tuple[str, str], list[Value]] = {}
        for at, one in enumerate(events):
            column = {
                "AxInvoiceGroup": "igProject",
                "AxResource": "resProject",
            }.get(one.table)
            if column is not None and one.operation is not Operation.DELETE:
                moves = owners.setdefault((one.table, one.key), [])
                moves[:] = [*moves, one.row[column]] if at > number else [one.row[column]]
        found |= {
            key
            for moves in owners.values()
            if moves[0] == int(key) and len({*moves}) > 1 and len(moves) > 2
        }
    return found
