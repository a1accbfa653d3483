"""What contenders read: rows of source tables as they are committed, in phases. A phase arrives
once the one before it is applied.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import count, groupby
from typing import Any

from pipeline.domain.routes import ACCOUNTING, AJERA_TO_PIM
from pipeline.mapping.source import SourceTable
from tests.bench import rows
from tests.bench.produce import Change

PROJECTS = 200  # that transactions are on
PHASES = 3  # of each
AMOUNT = Decimal("500.2500")
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Phase:
    """Changes of one table, whose key is one column."""

    table: SourceTable
    changes: Sequence[Change]

    @property
    def key(self) -> str:
        return self.table.key[0]


@dataclass(frozen=True)
class Workload:
    """`route` reads it; `before` is there when measuring begins. Workloads of which it is said that
    they leave the same must leave equal targets; of one that is read once it is not said.
    """

    name: str
    route: str
    leaves: str
    phases: Sequence[Phase]
    before: Sequence[Phase] = ()

    @property
    def tables(self) -> Mapping[str, SourceTable]:
        return {phase.table.name: phase.table for phase in (*self.before, *self.phases)}

    @property
    def events(self) -> int:
        return sum(len(phase.changes) for phase in self.phases)

    @cached_property
    def newest(self) -> Mapping[str, Mapping[int, Row]]:
        """By table and key each row as it is in the end."""
        found: dict[str, dict[int, Row]] = {name: {} for name in self.tables}
        for phase in (*self.before, *self.phases):
            for change in phase.changes:
                found[phase.table.name][change.row[phase.key]] = change.row
        return found


def clients(size: int, seed: int) -> Workload:
    """Rows of AxVec, 26 columns: each inserted, then updated."""
    changes = list(rows.changes_of(size, random.Random(seed)))
    return Workload(
        "clients and contacts",
        "pim",
        f"{size} clients",
        [Phase(AJERA_TO_PIM.source("AxVec").table, changes)],
    )


def projects(size: int, seed: int) -> Workload:
    """A quarter as many clients; projects; an invoice group for each; then each project updated."""
    return Workload("projects, clients first", "pim", f"{size} projects", _of_projects(size, seed))


def projects_last(size: int, seed: int) -> Workload:
    """The same, and nothing is there that a row refers to when it arrives."""
    made, listed, grouped, updated = _of_projects(size, seed)
    return Workload(
        "projects, clients last", "pim", f"{size} projects", [grouped, listed, made, updated]
    )


def _of_projects(size: int, seed: int) -> list[Phase]:
    changes = rows.of_projects(size, random.Random(seed))
    alike = groupby(changes, lambda one: (one[0], one[1].operation))
    return [
        Phase(AJERA_TO_PIM.source(name).table, [change for _, change in ours])
        for (name, _), ours in alike
    ]


def transactions(size: int, seed: int) -> Workload:
    """Time entries on linked projects and their phases, insert only."""
    del seed  # nothing is random
    number = count(1)
    on = PROJECTS * (1 + PHASES)
    activities = [{"actKey": n, "actType": n} for n in (1, 2, 3)]
    listed = [_project(n) for n in range(1, on + 1)]
    entries = [_entry(n, n % on + 1) for n in range(1, size + 1)]
    found = [
        Phase(ACCOUNTING.source(name).table, [Change("c", row, next(number)) for row in ours])
        for name, ours in (
            ("AxActivity", activities),
            ("AxProject", listed),
            ("AxTransaction", entries),
        )
    ]
    return Workload("transactions", "accounting", f"{size} entries", found[2:], found[:2])


def _project(key: int) -> Row:
    """Of a phase: one level below the row of the same project before it."""
    above = key - PROJECTS if key > PROJECTS else 0
    return {"prjKey": key, "prjProject": above, "prjStatus": 1, "prjID": f"P{key}"}


def _entry(key: int, project: int) -> Row:
    return {
        "tKey": key,
        "tProject": project,
        "tActivity": 1,
        "tEmployee": 1,
        "tEmployeeType": 1,
        "tDate": date(2026, 11, 1 + key % 28),
        "tUnits": Decimal("7.5000"),
        "tCostAmount": Decimal("300.0000"),
        "tSpentAmount": AMOUNT,
        "tBilledAmount": Decimal("0.0000"),
        "tIsBillable": True,
        "tIsDeleted": False,
        "tIsCurrent": True,
    }


Made = Callable[[int, int], Workload]  # from how many rows, and a seed
