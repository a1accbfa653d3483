"""The firm's books: some 20,000 transactions with client invoices, receipts, budgets and the
balances of projects that were begun before the firm had Ajera; most of it on what is shared with
DPS.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from deploy.sample import books_lists as lists
from deploy.sample import firm
from deploy.sample.accounting_tables import KINDS, PROJECT_COLUMNS
from deploy.sample.charges import FIRST_DAY, HUGE, NOWHERE, PLACES, UNTYPED, Charges
from deploy.sample.crm_flags import select
from deploy.sample.naming import Naming

Row = dict[str, Any]

DEEP_FROM, LEVELS = 300_000, 6
MARKETING, CLOSED = 6, 5
BUDGETS_FROM = 50_000  # keys of AxResource
SHARED_CHARGES, OTHER_CHARGES = (0, 20, 40, 60, 80, 120), (0, 0, 2, 4, 8)
HOT_CHARGES = 900
AT_BOOKS: Final = dict(PROJECT_COLUMNS) | {"prjActualStartDate": "timestamp"}


def load(ajera: psycopg.Connection, seed: int, naming: Naming) -> None:
    """After `crm.load`, in one transaction."""
    columns = ("prjKey", "prjProject", "prjStatus", "prjSyncToCRM")
    with ajera.transaction():
        projects = select(ajera, naming, "AxProject", columns)
        vendors = select(ajera, naming, "AxVec", ("vecKey",), "{AxVec.vecIsVendor}")
        books = Books(random.Random(f"books {seed}"), projects, [row["vecKey"] for row in vendors])
        for table, rows in books.rows().items():
            firm.insert(ajera, naming, table, rows)
        _update(ajera, naming, books.changes)


def _update(ajera: psycopg.Connection, naming: Naming, rows: Sequence[Row]) -> None:
    """What the books say of projects and phases that are there; one statement for all of them."""
    assigned = ", ".join(f"{{AxProject.{name}}} = v.{name}" for name in AT_BOOKS)
    typed = ", ".join(f"{name} {kind}" for name, kind in AT_BOOKS.items())
    text = (
        f"UPDATE {{AxProject}} SET {assigned}, {{AxProject.prjStatus}} = v.status"
        f" FROM jsonb_to_recordset(%(rows)s) AS v(key integer, status integer, {typed})"
        " WHERE {AxProject.prjKey} = v.key"
    )
    values = [{name.lower(): _plain(value) for name, value in row.items()} for row in rows]
    ajera.execute(sql.SQL(naming.sql(text)), {"rows": Jsonb(values)})


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int) else str(value)


class Books:
    """Makes the rows. `changes`: what is set in rows of AxProject that are there."""

    def __init__(self, rng: random.Random, projects: Sequence[Row], vendors: Sequence[int]) -> None:
        self._rng = rng
        self._charges = Charges(rng, vendors)
        self._tops = [row for row in projects if row["prjProject"] in (None, 0, row["prjKey"])]
        self._shared = [row["prjKey"] for row in self._tops if row["prjSyncToCRM"]]
        self._phases: dict[int, list[int]] = {row["prjKey"]: [] for row in self._tops}
        for row in projects:
            if row["prjKey"] >= firm.PHASES_FROM:
                self._phases[row["prjProject"]].append(row["prjKey"])
        self._new: list[Row] = []
        self._status = {row["prjKey"]: row["prjStatus"] for row in projects}
        self.changes: list[Row] = []

    def rows(self) -> dict[str, Sequence[Mapping[str, Any]]]:
        """By table."""
        self._deepen()
        self._change()
        invoices, of_project = self._invoices()
        return {
            **lists.rows(),
            "AxProject": self._new,
            "AxResource": self._budgets(),
            "AxClientInvoice": invoices,
            "AxTransaction": numbered("tKey", self._transactions(of_project)),
            "AxReceipt": numbered("rcKey", self._receipts()),
            "AxBeginningBalance": numbered("bbKey", self._balances()),
        }

    def below(self, project: int) -> list[int]:
        """The project and its phases."""
        return [project, *self._phases[project]]

    # -- projects and phases -----------------------------------------------------------------------

    def _deepen(self) -> None:
        """Every fourth shared project has a phase at each of six levels; odd: a phase whose project
        is missing, and two phases below each other.
        """
        keys = count(DEEP_FROM)
        for project in self._shared[::4]:
            parent = project
            for level in range(1, LEVELS + 1):
                key = next(keys)
                self._add_phase(key, parent, f"Level {level}")
                self._phases[project].append(key)
                parent = key
        self._lost = [next(keys) for _ in range(3)]
        for key, parent in zip(self._lost, (NOWHERE, *reversed(self._lost[1:])), strict=True):
            self._add_phase(key, parent, "Lost")

    def _add_phase(self, key: int, parent: int, name: str) -> None:
        self._new.append(
            {
                "prjKey": key,
                "prjDescription": name,
                "prjStatus": MARKETING if self._rng.random() < 0.08 else 1,
                "prjProject": parent,
                "prjOrder": key,
                **self.of_project(),
            }
        )

    def _change(self) -> None:
        """Every project and phase gets what the books say of it; every twentieth phase is one of
        marketing.
        """
        for key, status in self._status.items():
            is_marketing = key >= firm.PHASES_FROM and self._rng.random() < 0.05
            self.changes.append(
                {"key": key, "status": MARKETING if is_marketing else status, **self.of_project()}
            )

    def of_project(self) -> Row:
        """Billing type, department and dates."""
        rng = self._rng
        started = FIRST_DAY + timedelta(days=rng.randrange(1_000))
        usual = (*lists.FEE_TYPES, lists.TIME_TYPE, lists.TIME_TYPE)
        return {
            "prjBillingType": rng.choice(usual if rng.random() < 0.9 else lists.ODD_BILLING_TYPES),
            "prjPercentComplete": rng.choice(
                [None, Decimal(rng.randrange(101)), Decimal(rng.randrange(1_000_000)) * PLACES]
            ),
            "prjDepartment": rng.choice([1, 2, 3, 4, 5, None, 0]),
            "prjCompany": rng.choice([1, 1, 1, 2, None]),
            "prjEstimatedStartDate": rng.choice([started, started, None]),
            "prjActualStartDate": rng.choice([started + timedelta(days=rng.randrange(60)), None]),
            "prjEstimatedCompletionDate": rng.choice([started + timedelta(days=400), None]),
            "prjActualCompletionDate": rng.choice([started + timedelta(days=430), None, None]),
        }

    # -- money -------------------------------------------------------------------------------------

    def _invoices(self) -> tuple[list[Row], dict[int, list[int]]]:
        """Up to six of a shared project, every tenth of them for its neighbour, too."""
        rows: list[Row] = []
        of_project: dict[int, list[int]] = {project: [] for project in self._phases}
        for number, project in enumerate(self._shared):
            for _ in range(self._rng.randrange(7)):
                status = self._rng.choices(
                    (lists.DRAFT, lists.PRINTED, lists.FINAL, None), weights=(20, 8, 70, 2)
                )[0]
                rows.append({"ciKey": len(rows) + 1, "ciStatus": status})
                of_project[project].append(len(rows))
                if self._rng.random() < 0.1:
                    of_project[self._shared[number - 1]].append(len(rows))
        return rows, of_project

    def _transactions(self, invoices: Mapping[int, Sequence[int]]) -> Iterator[Row]:
        for project in self._phases:
            counts = SHARED_CHARGES if project in self._shared else OTHER_CHARGES
            wanted = self._rng.choice(counts)
            yield from self._charges.of(self.below(project), invoices[project], wanted)
        for project in self._shared[:8]:
            yield from self._charges.odd(self.below(project), invoices[project])
        hot, rich = self._shared[8:10]
        yield from self._charges.of(self.below(hot), invoices[hot], HOT_CHARGES)
        yield self._charges.one(rich) | HUGE
        yield self._charges.one(rich) | UNTYPED
        for place in (*self._lost, None, 0, NOWHERE):
            yield from (row | {"tProject": place} for row in self._charges.of([0], [], 3))

    def _receipts(self) -> Iterator[Row]:
        """Odd: on the project itself, of no type, negative, and of nobody."""
        for project in (*self._shared, *self._tops_apart()):
            for _ in range(self._rng.randrange(10)):
                yield {
                    "rcProject": self._rng.choice(self.below(project)),
                    "rcActivityType": self._rng.choice([1, 1, 1, 2, 3, 3, None, 0, 9]),
                    "rcAmount": self._amount(90_000) * self._rng.choice([1, 1, 1, 1, -1]),
                }
        yield {"rcProject": None, "rcActivityType": 1, "rcAmount": Decimal(5)}
        yield {"rcProject": self._shared[0], "rcActivityType": 1, "rcAmount": None}

    def _balances(self) -> Iterator[Row]:
        """Every fifth project was converted. Odd: a phase with two of them, amounts that nobody
        entered, and a place that is no project.
        """
        for number, project in enumerate((*self._shared, *self._tops_apart())):
            if number % 5 == 2:
                places = self.below(project)[: 1 + number % 2]
                yield from map(self._balance, places)
        yield self._balance(self._shared[2])
        yield self._balance(self._shared[2])
        yield self._balance(NOWHERE)

    def _tops_apart(self) -> list[int]:
        """Every tenth of the projects that are not shared."""
        shared = set(self._shared)
        return [key for key in self._phases if key not in shared][::10]

    def _balance(self, place: int) -> Row:
        rng = self._rng
        amounts: Row = {
            f"bb{kind}{amount}": rng.choice([self._amount(400_000), None])
            for kind in KINDS
            for amount in ("Cost", "Spent", "Billed")
        }
        return {"bbProject": place, "bbLaborHours": Decimal(rng.randrange(4_000)) / 4, **amounts}

    def _budgets(self) -> list[Row]:
        """On phases and projects. Odd: of no kind, without an amount, a flag that nobody set."""
        projects = (*self._shared, *self._tops_apart())
        places = [place for project in projects for place in self.below(project)]
        drawn = [self._budget(place) for place in places for _ in range(self._rng.randrange(5))]
        return [{"resKey": BUDGETS_FROM + number, **row} for number, row in enumerate(drawn)]

    def _budget(self, place: int) -> Row:
        return {
            "resProject": place,
            "resActivityType": self._rng.choice([1, 1, 2, 2, 3, 3, None, 0]),
            "resBudgetAmount": self._amount(200_000) if self._rng.random() < 0.9 else None,
            "resBilledAsTE": self._rng.choice([True, False, False, None]),
        }

    def _amount(self, most: int) -> Decimal:
        """Two places, and sometimes four."""
        places = self._rng.choice((2, 2, 2, 4))
        return Decimal(self._rng.randrange(1, most * 10**places)).scaleb(-places)


def numbered(key: str, rows: Iterator[Row]) -> list[Row]:
    """Each with a key, from one on."""
    return [{key: number, **row} for number, row in enumerate(rows, start=1)]
