"""A few committed changes in every order in which topics may be read, and cut in every way;
what PIM holds after each.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import combinations, pairwise, permutations

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.model.event import Event, Row
from tests.support.engine import Consumer, Ticking, ready
from tests.support.histories import PREFIXES
from tests.twins.target import MemoryTarget


def cuts(events: Sequence[Event]) -> Iterator[list[Sequence[Event]]]:
    """Every way to cut a sequence into batches."""
    places = range(1, len(events))
    for count in range(len(events)):
        for chosen in combinations(places, count):
            ends = (0, *chosen, len(events))
            yield [events[first:last] for first, last in pairwise(ends)]


def orders(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    """Every order that leaves the events of one row in theirs."""
    for order in permutations(events):
        rows: dict[tuple[str, str], str] = {}
        if all(
            rows.setdefault((e.table, e.key), "") <= e.position and _later(rows, e) for e in order
        ):
            yield order


def _later(rows: dict[tuple[str, str], str], event: Event) -> bool:
    rows[event.table, event.key] = event.position
    return True


def pim_after(
    batches: Sequence[Sequence[Event]],
    *,
    route: Route = AJERA_TO_PIM,
    site: Site | None = None,
    own: Sequence[Row] = (),
) -> MemoryTarget:
    """What PIM holds after these batches and one more try of what waits. `own`:
    projects of PIM's own people.
    """
    target = ready(MemoryTarget(route))
    with target.transaction() as transaction:
        transaction.create_missing("Project_Status", [{"Name": "Active", "Completed": False}])
        transaction.create_missing("Project", own)
    consumer = Consumer(
        target,
        [one for batch in batches for one in batch],
        route=route,
        site=site,
    )
    for batch in batches:
        consumer.take(batch)
    consumer.drain()
    assert consumer.letters.sent == []
    return target


def codes(target: MemoryTarget) -> dict[str, object]:
    return {str(row["Project ID"]): row["Project Code"] for row in target.rows("Project")}


def settled(
    target: MemoryTarget,
    unknown: Collection[str] = (),
    *,
    with_codes: bool = True,
) -> dict[str, object]:
    """PIM, and what waits. A row that waits holds, in the column that it waits for,
    what it held when it began to.

    `unknown`: projects of which nobody can know what they showed when they were retired.
    """
    now = Ticking().now()
    with target.transaction() as transaction:
        due = transaction.due(
            10_000,
            set_before=now.replace(year=2100),
            waiting_before=now.replace(year=2100),
        )
    waits = [mark for mark in due if mark.kind != "AxProject" or mark.key not in unknown]
    hidden = {prefix + mark.key for mark in due for prefix in PREFIXES[mark.kind]} | set(unknown)
    columns = {"Created Date"} | (set() if with_codes else {"Project Code"})
    found: dict[str, object] = {"waiting": sorted((mark.kind, mark.key) for mark in waits)}
    for table, key in (
        ("Organization",) * 2,
        ("Contact",) * 2,
        ("Project",) * 2,
        ("Project_Contact", "Project"),
    ):
        rows = [row for row in target.rows(table) if row[f"{key} ID"] not in hidden]
        found[table] = [
            {name: value for name, value in row.items() if name not in columns} for row in rows
        ]
    return found
