"""What the accounting tabs sum up, in every kind of database alike: the twin in memory and
PostgreSQL always, SQL Server where PIPELINE_TEST_SQLSERVER_URL names one.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from pipeline.domain.routes import ACCOUNTING
from pipeline.engine.projection import guard
from pipeline.mapping.site import Site
from pipeline.mapping.table import Groups
from pipeline.mapping.target import TargetRow
from pipeline.model.event import Event, Row
from pipeline.model.ledger import LedgerRow
from pipeline.model.outcome import RowCounts
from tests.contracts.beside import Both, both_of
from tests.contracts.conftest import KINDS
from tests.support.accounts import CONSULTANT, EXPENSE, FINAL, LABOR, Accounts

ROUTE = ACCOUNTING.only(frozenset(ACCOUNTING.entities))


@pytest.fixture(params=KINDS)
def both(request: pytest.FixtureRequest) -> Both:
    return both_of(request, ROUTE)


def mirrored(event: Event) -> LedgerRow:
    return guard.apply(ACCOUNTING.source(event.table), Site(), None, event)


def summed(both: Both, *events: Event) -> dict[str, Groups]:
    """The groups of project 1 after these rows."""
    (mapping,) = ROUTE.mappings
    with both.ours.transaction() as transaction:
        for one in events:
            transaction.write_rows([mirrored(one)])
    with both.ours.transaction() as transaction:
        return transaction.grouped(mapping.grouped, ["1"])["1"]


def books(firm: Accounts) -> list[Event]:
    """A project with a phase of each kind, and something of everything."""
    third = Decimal("0.3333333333")
    return [
        *(firm.changed("AxActivity", key, actType=key // 10) for key in (10, 20, 30, 90)),
        firm.project(1),
        firm.project(2, of=1, prjBillingType="TimeAndExpense"),
        firm.project(3, of=2, prjStatus=6),
        firm.project(4, of=3, prjBillingType="Overhead"),
        firm.changed("AxClientInvoice", 7, ciStatus=FINAL),
        firm.charge(1, LABOR, tSpentAmount=third, tCostAmount=third, tEmployee=5, tUnits=third),
        firm.charge(
            2,
            LABOR,
            tProject=4,
            tSpentAmount=Decimal("98765432109876.5432"),
            tEmployee=5,
            tEmployeeType=3,
            tDate=date(2025, 1, 31),
            tUnits=Decimal("-2.5"),
        ),
        firm.charge(3, LABOR, tProject=3, tSpentAmount=Decimal(1000), tEmployee=5),
        firm.charge(4, EXPENSE, tIsBillable=True, tSpentAmount=Decimal("-5.25")),
        firm.charge(
            5,
            CONSULTANT,
            tProject=2,
            tIsBillable=True,
            tClientInvoice=7,
            tSpentAmount=Decimal(9),
            tBilledAmount=Decimal("9.99"),
        ),
        firm.charge(6, LABOR, tIsDeleted=True, tSpentAmount=Decimal(1000)),
        firm.charge(7, LABOR, tActivity=90, tSpentAmount=Decimal(1000)),
        firm.charge(8, LABOR, tProject=77, tSpentAmount=Decimal(1000)),
        firm.changed("AxReceipt", 1, rcProject=2, rcActivityType=3, rcAmount=Decimal("4.5")),
        firm.changed("AxBeginningBalance", 1, bbProject=1, bbExpenseCost=Decimal("0.0001")),
        firm.changed("AxResource", 1, resProject=2, resActivityType=2, resBudgetAmount=Decimal(70)),
        firm.changed(
            "AxResource",
            2,
            resProject=1,
            resActivityType=3,
            resBudgetAmount=Decimal(60),
            resBilledAsTE=True,
        ),
        firm.changed(
            "AxResource", 3, resProject=4, resActivityType=1, resBudgetAmount=Decimal(1000)
        ),
    ]


def filled(values: Row) -> Row:
    """Those that are not zero."""
    return {name: value for name, value in values.items() if value}


def test_every_sum_is_exact_and_of_the_rows_that_count(both: Both) -> None:
    """Phases of marketing, deleted rows, other types and other places do not."""
    found = summed(both, *books(Accounts()))
    assert {name: filled(of[()]) for name, of in found.items() if name != "hours"} == {
        "transactions": {
            "Spent labor": Decimal("98765432109876.8765333333"),
            "Spent expense": Decimal("-5.25"),
            "Spent consultant": 9,
            "Cost labor": Decimal("0.3333333333"),
            "WIP expense": Decimal("-5.25"),
            "Billed consultant": Decimal("9.99"),
        },
        "receipts": {"Received consultant": Decimal("4.5")},
        "beginning balances": {"Cost expense": Decimal("0.0001")},
        "budgets": {"expense in time": 70, "consultant flagged": 60},
    }
    assert found["hours"] == {
        (5, 0): {"Hours": Decimal("0.3333333333"), "StartDate": date(2026, 3, 2)},
        (5, 3): {"Hours": Decimal("-2.5"), "StartDate": date(2025, 1, 31)},
    }


def test_a_project_without_anything_has_zeros(both: Both) -> None:
    """It has no phase either; nobody has hours."""
    found = summed(both, Accounts().project(1))
    sums = {value for name, of in found.items() if name != "hours" for value in of[()].values()}
    assert sums == {0}
    assert found["hours"] == {}


def test_an_amount_and_a_day_that_are_there_are_not_written_again(both: Both) -> None:
    """As the columns of DPS hold them; what a person typed over them is."""
    both.people_write("PR", "P-1", " ", " ", Fee=Decimal(1), StartDate=date(2026, 1, 1))
    both.people_write("PR", "P-1", "1", " ", Fee=Decimal(1))
    values: Row = {
        "Fee": Decimal("98765432109876.5432"),
        "StartDate": date(2026, 2, 28),
        "PctComp": None,
    }
    counts = []
    for _ in range(2):
        with both.ours.transaction() as transaction:
            counts.append(transaction.upsert("PR", [TargetRow("PR", ("P-1",), values)]))
    assert counts == [RowCounts(changed=1), RowCounts(unchanged=1)]
    fees = both.held("PR", "Fee")
    assert fees == {("P-1", " ", " "): values["Fee"], ("P-1", "1", " "): 1}
