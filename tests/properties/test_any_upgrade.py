"""A release that adds or changes a column, a line, a rule or a table, at any point of any history:
nothing is blanked, nothing is lost, and nothing is written but what this release alone would have.

In memory. The release before is this one with something taken out (`tests/support/reductions.py`);
its state is carried over as the migrations do it, which tests/contracts/test_added_columns.py
holds.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import pytest

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.model.event import Event, Operation, Row
from tests.support.engine import TOPICS
from tests.support.events import event
from tests.support.histories import batches, history
from tests.support.reductions import REDUCTIONS, Reduction
from tests.support.releases import Cells, Firm

RUNS = int(os.environ.get("AJERA_CDC_UPGRADES", "4"))
SEED = int(os.environ.get("AJERA_CDC_SEED", "20261127"))
EPOCH = 2


def filled(rng: random.Random, events: Iterable[Event]) -> list[Event]:
    """Every column that a release adds holds something: what is blanked is seen. What was deleted
    was there before.
    """

    def more(table: str) -> Row:
        match table:
            case "AxVec":
                own = {"vecFax": f"f{rng.random()}", "vecZip": f"z{rng.randint(1, 5)}"}
                return {**own, "vecPhone2": "p", "vecCity": "Boise"}
            case "AxInvoiceGroup":
                return {"igClient": rng.randint(1, 5)}
            case _:
                return {}

    seen: set[tuple[str, str]] = set()
    found: list[Event] = []
    for one in events:
        if one.operation is not Operation.DELETE:
            found.append(replace(one, row={**one.row, **more(one.table)}))
            seen.add((one.table, one.key))
        elif (one.table, one.key) in seen:
            found.append(one)
    return found


def again(events: Sequence[Event], *, is_snapshot: bool) -> Iterator[Event]:
    """The next event of each row that ever was, as it was last; every project is one again."""
    images = {(one.table, one.key): one for one in events if one.operation is not Operation.DELETE}
    offsets: dict[str, int] = {place: 2 * len(events) * (2 + is_snapshot) for place in TOPICS}
    for number, (table, key) in enumerate(sorted(images), 1):
        row = dict(images[table, key].row) | ({"prjProject": None} if table == "AxProject" else {})
        offsets[table] += 1
        made = event(
            table,
            int(key),
            "r" if is_snapshot else "u",
            at=10 * len(events) + number,
            offset=offsets[table],
            partition=images[table, key].place.partition,
        )
        yield replace(made, row=row, epoch=EPOCH if is_snapshot else 1)


def check_step(before: Cells, firm: Firm, alone: Firm) -> None:
    """Nothing was blanked, and what was written is what this release alone has."""
    after, expected = firm.cells(), alone.cells()
    waiting = firm.waiting() | alone.waiting()
    for place in before.keys() | after.keys():
        old, new = before.get(place), after.get(place)
        if old == new or place[1].split(" ")[0] in waiting:
            continue
        assert new == expected.get(place), place


def check_end(firm: Firm, alone: Firm, reduction: Reduction) -> None:
    """Both hold the same; but for what hangs on a history that nobody kept,
    which may be missing.
    """
    found, expected = firm.cells(), alone.cells()
    waiting = firm.waiting() | alone.waiting()
    for place in found.keys() | expected.keys():
        if place[1].split(" ")[0] in waiting:
            continue
        if reduction.loses_history and found.get(place) is None:
            continue
        assert found.get(place) == expected.get(place), place


def upgrade_at(rng: random.Random, reduction: Reduction, events: list[Event], at: int) -> None:
    firm = Firm(reduction.before)
    for batch in batches(rng, events[:at]):
        firm.take(batch)
    firm.type(reduction.cells)
    before = firm.cells()
    alone = Firm(AJERA_TO_PIM)
    alone.take(events[:at])
    firm.upgraded(AJERA_TO_PIM)
    check_step(before, firm, alone)
    for one in events[at:]:
        before = firm.cells()
        firm.take([one])
        alone.take([one])
        check_step(before, firm, alone)
    for is_snapshot in (False, True):
        before = firm.cells()
        read = list(again(events, is_snapshot=is_snapshot))
        firm.take(read)
        alone.take(read)
        if is_snapshot:
            firm.loaded(EPOCH)
            alone.loaded(EPOCH)
        check_step(before, firm, alone)
    check_end(firm, alone, reduction)


@pytest.mark.parametrize("reduction", REDUCTIONS, ids=lambda one: one.name)
@pytest.mark.timeout(600)
def test_what_a_release_adds_blanks_nothing_loses_nothing_and_is_there_in_the_end(
    reduction: Reduction,
) -> None:
    """Compared with the newer release alone, step by step; in the end every row had its next event,
    and a new snapshot was read.
    """
    print(f"seed {SEED}, {RUNS} runs")
    for run in range(RUNS):
        rng = random.Random(f"{SEED} {run} {reduction.name}")
        events = filled(rng, history(rng, rng.choice((4, 10, 25, 50))))
        try:
            upgrade_at(rng, reduction, events, rng.randint(0, len(events)))
        except AssertionError as error:
            raise AssertionError(f"run {run}: {error}") from error
