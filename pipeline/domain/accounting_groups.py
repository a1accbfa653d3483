"""What the accounting tabs sum up: rows of Ajera's tables on a project and on the phases below it,
down to six levels (evidence.md 3.2), as the database adds them.

What hangs on a phase that does not count (assumption 58) counts nowhere.
"""

from __future__ import annotations

from dataclasses import replace

from pipeline.domain import dps
from pipeline.domain.accounting_mirror import CONSULTANT, EXPENSE, FEE, KINDS, LABOR, TIME
from pipeline.mapping.aggregate import (
    Aggregate,
    AggregateGroups,
    Function,
    GroupLink,
    GroupLookUp,
    Where,
    WhereRelated,
)
from pipeline.mapping.path import Path

PHASES = Path("AxProject", "prjProject", "AxProject", levels=6)
CHARGED = Path("AxTransaction", "tProject", "AxProject")
ACTIVITY = Path("AxTransaction", "tActivity", "AxActivity")
INVOICE = Path("AxTransaction", "tClientInvoice", "AxClientInvoice")
BUDGETED = Path("AxResource", "resProject", "AxProject")
PAID = Path("AxReceipt", "rcProject", "AxProject")
BROUGHT = Path("AxBeginningBalance", "bbProject", "AxProject")

COUNTED = (
    Where("tIsCurrent", (True,)),
    Where("tIsDeleted", (False, None)),
    WhereRelated(CHARGED, "is_counted", (True,)),
)
FINAL = WhereRelated(INVOICE, "is_final", (True,))
NOT_FINAL = replace(FINAL, is_not=True)
BILLABLE = Where("tIsBillable", (True,))


def named(amount: str, kind: str) -> str:
    """What a sum of one kind is called in its group."""
    return f"{amount} {kind}"


def of_kind(kind: str) -> WhereRelated:
    """Transactions whose activity is of this kind: it may be typed again."""
    return WhereRelated(ACTIVITY, "activity_kind", (kind,))


def _charged(amount: str, column: str, *where: Where | WhereRelated) -> tuple[Aggregate, ...]:
    along = (PHASES, CHARGED)
    return tuple(
        Aggregate(named(amount, kind), Function.SUM, along, column, (of_kind(kind), *where))
        for kind in KINDS
    )


COSTS = AggregateGroups(
    "transactions",
    along=(PHASES, CHARGED),
    by=(),
    where=COUNTED,
    lines=_charged("Cost", "tCostAmount"),
)
AMOUNTS = replace(
    COSTS,
    lines=(
        *_charged("Spent", "tSpentAmount"),
        *COSTS.lines,
        *_charged("WIP", "tSpentAmount", BILLABLE, NOT_FINAL),
        *_charged("Billed", "tBilledAmount", FINAL),
    ),
)

_RECEIVED = (PHASES, PAID)
RECEIPTS = AggregateGroups(
    "receipts",
    along=_RECEIVED,
    by=(),
    where=(WhereRelated(PAID, "is_counted", (True,)),),
    lines=tuple(
        Aggregate(
            named("Received", kind),
            Function.SUM,
            _RECEIVED,
            "rcAmount",
            (Where("activity_kind", (kind,)),),
        )
        for kind in KINDS
    ),
)


def _brought(amount: str) -> tuple[Aggregate, ...]:
    words = {LABOR: "Labor", EXPENSE: "Expense", CONSULTANT: "Consultant"}
    along = (PHASES, BROUGHT)
    return tuple(
        Aggregate(named(amount, kind), Function.SUM, along, f"bb{word}{amount}")
        for kind, word in words.items()
    )


COST_BALANCES = AggregateGroups(
    "beginning balances",
    along=(PHASES, BROUGHT),
    by=(),
    where=(WhereRelated(BROUGHT, "is_counted", (True,)),),
    lines=_brought("Cost"),
)
BALANCES = replace(
    COST_BALANCES, lines=(*_brought("Spent"), *COST_BALANCES.lines, *_brought("Billed"))
)


def _budgeted(name: str, kind: str, *where: Where | WhereRelated) -> Aggregate:
    held = Where("activity_kind", (kind,))
    return Aggregate(name, Function.SUM, (PHASES, BUDGETED), "resBudgetAmount", (held, *where))


IN_FEE = WhereRelated(BUDGETED, "billing", (FEE,))
IN_TIME = WhereRelated(BUDGETED, "billing", (TIME,))
FLAGGED, UNFLAGGED = Where("resBilledAsTE", (True,)), Where("resBilledAsTE", (False, None))

BUDGETS = AggregateGroups(
    "budgets",
    along=(PHASES, BUDGETED),
    by=(),
    where=(WhereRelated(BUDGETED, "is_counted", (True,)),),
    lines=(
        _budgeted("labor", LABOR, WhereRelated(BUDGETED, "billing", (FEE, TIME))),
        *(
            line
            for kind in (EXPENSE, CONSULTANT)
            for line in (
                _budgeted(f"{kind} in the fee", kind, IN_FEE, UNFLAGGED),
                _budgeted(f"{kind} flagged", kind, IN_FEE, FLAGGED),
                _budgeted(f"{kind} in time", kind, IN_TIME),
            )
        ),
    ),
)

TEAM = AggregateGroups(
    "hours",
    along=(PHASES, CHARGED),
    by=("tEmployee", "employee_type"),
    where=(*COUNTED, of_kind(LABOR)),
    lines=(
        Aggregate("Hours", Function.SUM, (PHASES, CHARGED), "tUnits"),
        Aggregate("StartDate", Function.MIN, (PHASES, CHARGED), "tDate"),
    ),
    looks_up=(
        GroupLookUp(Path("AxTransaction", "employee_type", "AxEmployeeType"), ("etDescription",)),
    ),
    linked=(GroupLink("tEmployee", "employee", dps.EM, "Employee"),),
)
