"""A table's part of a batch staged in one statement leaves what staging it row by row leaves."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.engine.projection.direct import LEAST_AT_ONCE, Direct
from pipeline.engine.projection.stage import Rewound, StageSettings, stage
from pipeline.engine.projection.staged import StagedBatch
from pipeline.model.event import Event, Operation, Value
from pipeline.model.ledger import LedgerRow, Mark
from pipeline.model.position import TopicOffset
from tests.support.engine import ready
from tests.support.events import NOON, SITE, event, position
from tests.support.histories import columns
from tests.twins.target import MemoryTarget
from tests.twins.turns import FreeTurns

RUNS = int(os.environ.get("AJERA_CDC_INTERLEAVINGS", "150"))
SEED = int(os.environ.get("AJERA_CDC_SEED", "20261127"))
TABLES = ("AxVec", "AxContact")
KEYS = 6
SETTINGS = StageSettings(AJERA_TO_PIM, SITE, timedelta(minutes=5))


class Counting(FreeTurns):
    """Counts statements."""

    def __init__(self) -> None:
        super().__init__()
        self.statements: Counter[str] = Counter()

    def reached(self, point: str) -> None:
        self.statements[point] += 1
        super().reached(point)


@dataclass
class Side:
    """A target, what reached it, and how what is staged into it ended."""

    target: MemoryTarget
    direct: Direct
    ended: Counter[str]

    def stage(self, events: Sequence[Event], number: int) -> StagedBatch | None:
        """None where the source was rewound."""
        try:
            with self.target.transaction() as transaction:
                batch = stage(transaction, SETTINGS, events, number, NOON, self.direct)
        except Rewound:
            self.ended["rewound"] += 1
            return None
        assert {one.event.origin for one in batch.events} == {one.origin for one in events}
        for one in batch.events:
            self.ended[one.skipped or "applied"] += 1
        return batch

    def rows(self) -> dict[tuple[str, str], LedgerRow]:
        with self.target.transaction() as transaction:
            return {
                (table, row.key): replace(row, revision=0)
                for table in TABLES
                for row in transaction.rows_by_key(table, [str(key) for key in range(KEYS)])
            }

    def left(self) -> dict[tuple[str, str], int]:
        kinds = [*TABLES, "AxVec.shared"]
        with self.target.transaction() as transaction:
            marks: list[Mark] = transaction.marks_of(
                (kind, str(key)) for kind in kinds for key in range(KEYS)
            )
        return {(one.kind, one.key): one.number for one in marks}


def side(least_at_once: int) -> Side:
    tables = {table.name: table for table in AJERA_TO_PIM.targets}
    direct = Direct(AJERA_TO_PIM, SITE, tables, counts_utf16=False, least_at_once=least_at_once)
    turns = Counting()
    return Side(ready(MemoryTarget(AJERA_TO_PIM, turns=turns)), direct, turns.statements)


def odd_batch(rng: random.Random, offset: int) -> list[Event]:
    """Events in offset order; now and then a delete, a read by a snapshot, a part of a row, one
    of before, of another partition or another epoch.
    """
    table, odd = rng.choice(TABLES), rng.random() < 0.5
    found = []
    for number in range(rng.randint(1, 8)):
        at = offset + number
        key = rng.randrange(KEYS)
        made = event(table, key, rng.choice("uuuuuudr") if odd else "u", at=at)
        row: dict[str, Value] = {**made.row, **columns(rng, table, key, rng.randint(1, 3))}
        if odd and rng.random() < 0.1:
            row.pop(rng.choice([*row]))
        moved = rng.random()
        partition = 1 if moved < 0.1 else 0
        epoch = rng.choice((1, 2)) if moved > 0.9 else 1
        where = at if moved < 0.8 else max(at - rng.randint(0, 12), 0)
        is_read = made.operation is Operation.READ
        found.append(
            replace(
                made,
                row=made.row if made.operation is Operation.DELETE else row,
                place=TopicOffset(1, partition, at),
                position="" if is_read else position(where, epoch),
                epoch=epoch,
                committed_at=NOON + timedelta(minutes=10 if odd and moved > 0.97 else 0),
            )
        )
    return found


def test_what_one_statement_stages_is_what_the_row_by_row_way_stages() -> None:
    """Ledger, mirror, PIM, marks and outcomes; one row that turns back within a batch may count as
    written.
    """
    print(f"seed {SEED}, {RUNS} runs")
    totals: Counter[str] = Counter()
    for run in range(RUNS):
        rng = random.Random(f"{SEED} {run}")
        one, other = side(rng.choice((1, 2))), side(LEAST_AT_ONCE)
        offset = 1
        for number in range(1, 12):
            events = odd_batch(rng, offset)
            offset += len(events) if rng.random() < 0.8 else 0
            staged = [one.stage(events, number), other.stage(events, number)]
            turned_back = len({e.key for e in events}) < len(events)
            assert one.rows() == other.rows(), f"run {run}, batch {number}"
            assert pim(one.target) == pim(other.target), f"run {run}, batch {number}"
            if not turned_back:
                assert ends(staged[0]) == ends(staged[1]), f"run {run}, batch {number}"
            assert one.left().keys() >= other.left().keys(), f"run {run}, batch {number}"
        totals.update(one.ended)
    print(totals)
    assert totals["write_plain"] > RUNS
    assert all(totals[name] for name in ("applied", "rewound", "stale", "superseded", "unchanged"))


def ends(batch: StagedBatch | None) -> object:
    """How each event ended, and its marks."""
    if batch is None:
        return None
    return sorted((one.event.place, str(one.skipped), sorted(one.pairs)) for one in batch.events)


def pim(target: MemoryTarget) -> object:
    return {
        name: sorted(
            (tuple((column, value) for column, value in row.items() if column != "Created Date"))
            for row in target.rows(name)
        )
        for name in ("Organization", "Contact")
    }
