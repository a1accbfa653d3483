"""What is charged to projects: timesheets, expenses and consultants' invoices, as AxTransaction
holds them; and every odd row that we know of.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from deploy.sample import books_lists as lists
from deploy.sample.firm import STAFF

Row = dict[str, Any]

FIRST_DAY: Final = datetime(2023, 1, 2)  # noqa: DTZ001  Ajera writes dates, not instants
DAYS: Final = 1_180
PLACES: Final = Decimal("0.0001")
NOBODY, NOWHERE = 9_999_999, 8_888_888  # keys that no row has
ODD: Final[Sequence[Row]] = (
    {"tActivity": None},
    {"tActivity": 0},
    {"tActivity": NOWHERE},
    *({"tActivity": key} for key, _, _ in lists.ODD_ACTIVITIES),
    {"tEmployee": None},
    {"tEmployee": 0},
    {"tEmployee": NOBODY},
    {"tEmployeeType": None},
    {"tEmployeeType": 0},
    *({"tEmployeeType": key} for key, _ in lists.ODD_EMPLOYEE_TYPES),
    *({"tEmployeeType": key} for key, _ in lists.UNNAMED_EMPLOYEE_TYPES),
    {"tIsCurrent": None},
    {"tIsCurrent": False},
    {"tIsDeleted": None},
    {"tIsDeleted": True},
    {"tIsBillable": None},
    {"tClientInvoice": 0},
    {"tClientInvoice": NOWHERE},
    {"tDate": None},
    {"tDate": FIRST_DAY - timedelta(days=1, hours=-15)},
    {"tUnits": None},
    {"tUnits": Decimal(0)},
    {"tCostAmount": None, "tSpentAmount": None, "tBilledAmount": None},
    {"tCostAmount": PLACES, "tSpentAmount": PLACES},
    {"tCostAmount": -PLACES, "tSpentAmount": Decimal("-0.0003")},
)
HUGE: Final[Row] = {
    "tUnits": Decimal("1234567.8901"),
    "tCostAmount": Decimal("98765432109876.5432"),
    "tSpentAmount": Decimal("12345678901234.5678"),
}
# By somebody of a type that nobody has entered: the team of the project waits for it.
UNTYPED: Final[Row] = {
    "tActivity": 1,
    "tEmployee": 1,
    "tEmployeeType": NOWHERE,
    "tIsCurrent": True,
    "tIsDeleted": False,
}


class Charges:
    """Draws rows of AxTransaction, without keys."""

    def __init__(self, rng: random.Random, vendors: Sequence[int]) -> None:
        self._rng = rng
        self._vendors = vendors

    def of(self, phases: Sequence[int], invoices: Sequence[int], count: int) -> Iterator[Row]:
        """About so many rows on phases (or the project) that share invoices."""
        for _ in range(count):
            row = self.one(self._rng.choice(phases), invoices)
            chance = self._rng.random()
            if chance < 0.03:  # rewritten since: the old row stays, and is not current
                yield self._with_units(row, self._hours()) | {"tIsCurrent": False}
            elif chance < 0.05:  # entered by mistake, and taken back
                yield negative(row)
            elif chance < 0.07:
                yield row | {"tIsDeleted": True}
            yield row

    def one(self, phase: int, invoices: Sequence[int] = ()) -> Row:
        """A timesheet's line, an expense or what a consultant charges."""
        kind = self._rng.choices(
            (lists.LABOR, lists.EXPENSE, lists.CONSULTANT), weights=(75, 15, 10)
        )[0]
        row = self._labor() if kind == lists.LABOR else self._bought(kind)
        row |= {
            "tProject": phase,
            "tActivity": self._rng.choice(lists.activities(kind)),
            "tDate": FIRST_DAY + timedelta(days=self._rng.randrange(DAYS)),
            "tIsCurrent": True,
            "tIsDeleted": self._rng.choice((False, False, False, None)),
            "tIsBillable": self._rng.random() < 0.85,
        }
        if invoices and row["tIsBillable"] and self._rng.random() < 0.6:
            row["tClientInvoice"] = self._rng.choice(invoices)
            row["tBilledAmount"] = row["tSpentAmount"] * self._rng.choice((1, 1, 1, Decimal("0.9")))
            row["tBilledAmount"] = row["tBilledAmount"].quantize(PLACES)
        return row

    def odd(self, phases: Sequence[int], invoices: Sequence[int]) -> Iterator[Row]:
        """Labor with one thing wrong each; what is billed may not be on an invoice."""
        for wrong in ODD:
            row = self._labor() | {
                "tProject": self._rng.choice(phases),
                "tActivity": self._rng.choice(lists.activities(lists.LABOR)),
                "tDate": FIRST_DAY + timedelta(days=self._rng.randrange(DAYS)),
                "tIsCurrent": True,
                "tIsDeleted": False,
                "tIsBillable": True,
                "tClientInvoice": self._rng.choice([*invoices, None]),
                "tBilledAmount": Decimal("10.01"),
            }
            yield row | wrong

    def _hours(self) -> Decimal:
        return Decimal(self._rng.randint(1, 40)) / 4

    def _labor(self) -> Row:
        """Three in four with what the person is, the others with what else they did."""
        employee = self._rng.randint(1, STAFF)
        usual, others = 1 + employee % 7, [key for key, _ in lists.EMPLOYEE_TYPES[:7]]
        return self._with_units(
            {
                "tEmployee": employee,
                "tEmployeeType": usual if self._rng.random() < 0.75 else self._rng.choice(others),
            },
            self._hours(),
        )

    def _with_units(self, row: Row, hours: Decimal) -> Row:
        """At rates that do not come out even."""
        cost = Decimal(self._rng.randrange(280_000, 900_000)) * PLACES
        return row | {
            "tUnits": hours,
            "tCostAmount": (hours * cost).quantize(PLACES),
            "tSpentAmount": (hours * cost * Decimal("2.65")).quantize(PLACES),
        }

    def _bought(self, kind: int) -> Row:
        """Something an employee paid, or that a vendor sent an invoice for."""
        by_vendor = kind == lists.CONSULTANT or self._rng.random() < 0.4
        cost = Decimal(self._rng.randrange(100, 900_000)).scaleb(-2)
        if self._rng.random() < 0.1:
            cost += Decimal(self._rng.randrange(100)) * PLACES
        return {
            "tVendor": self._rng.choice(self._vendors) if by_vendor else None,
            "tEmployee": None if by_vendor else self._rng.randint(1, STAFF),
            "tUnits": Decimal(self._rng.randint(1, 5)),
            "tCostAmount": cost,
            "tSpentAmount": (cost * Decimal("1.15")).quantize(PLACES),
        }


def negative(row: Row) -> Row:
    """The correction of a row."""
    amounts = ("tUnits", "tCostAmount", "tSpentAmount", "tBilledAmount")
    return row | {name: -row[name] for name in amounts if row.get(name) is not None}
