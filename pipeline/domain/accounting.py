"""Ajera to DPS, accounting: the tabs Ajera Totals, Budget & Revenue, Dates & Costs and Team of
Deltek's page on the integration with DPS (S-DPS; evidence.md 1.3, 3.5, 3.8, 4.4), from Ajera 8.09
on; one mapping here for each tab, one line for each of its fields that Ajera knows.

Columns are DPS's own. Where the vendor's pages leave open what a field holds, and for Ajera's names
that nobody published, assumptions decide (`docs/assumptions.md`, 53 and on).

The sums are in `accounting_groups.py`, the rules over them in `accounting_values.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.domain import accounting_values as rule
from pipeline.domain import dps
from pipeline.domain.accounting_groups import (
    AMOUNTS,
    BALANCES,
    BUDGETS,
    COST_BALANCES,
    COSTS,
    RECEIPTS,
    TEAM,
)
from pipeline.domain.accounting_mirror import CONSULTANT, EXPENSE, KINDS, LABOR
from pipeline.mapping.path import Path
from pipeline.mapping.site import Assumptions
from pipeline.mapping.table import (
    ChildRows,
    Derived,
    Expression,
    LinkedKey,
    Related,
    TableMapping,
)

# --- Ajera Totals ---------------------------------------------------------------------------------

PROJECT = LinkedKey("WBS1", "project", dps.PR, "WBS1", note="no phases go to DPS")
COLUMN_OF = {LABOR: "Labor", EXPENSE: "Reimbursable", CONSULTANT: "Consultant"}
TOTALLED = tuple(sorted(AMOUNTS.needs | BALANCES.needs))


def _brought(kind: str, amount: str) -> str:
    return f"bb{kind.capitalize()}{amount}"


def _total(amount: str, kind: str, words: str, note: str) -> Related:
    return Related(
        f"Ajera{amount}{COLUMN_OF[kind]}",
        TOTALLED,
        f"{words.format(kind=kind)}, plus {_brought(kind, amount)}",
        lambda neighbours: rule.with_balances(neighbours, amount, (kind,)),
        note=note,
    )


def _wip_of(kind: str) -> Related:
    return Related(
        f"AjeraWIP{COLUMN_OF[kind]}",
        tuple(sorted(AMOUNTS.needs)),
        f"sum of tSpentAmount of billable {kind} that is on no final client invoice",
        lambda neighbours: rule.wip(neighbours, kind),
        note="moves with the invoice alone, too: final, or opened again",
    )


def _received_of(kind: str) -> Related:
    return Related(
        f"AjeraReceived{COLUMN_OF[kind]}",
        tuple(sorted(RECEIPTS.needs | BALANCES.needs)),
        f"sum of rcAmount for {kind}, plus {_brought(kind, 'Billed')}",
        lambda neighbours: rule.received(neighbours, kind),
        note="the second part by assumptions.balances_are_received",
    )


AJERA_TOTALS = TableMapping(
    name="Ajera Totals",
    entity="ajera_totals",
    source="AxProject",
    target="PR",
    only_if="is_followed",
    key=PROJECT,
    lines=(
        *(
            _total("Spent", kind, "sum of tSpentAmount of {kind}", "at billing rates")
            for kind in KINDS
        ),
        *(_total("Cost", kind, "sum of tCostAmount of {kind}", "without markup") for kind in KINDS),
        *map(_wip_of, KINDS),
        *(
            _total(
                "Billed",
                kind,
                "sum of tBilledAmount of {kind} on final client invoices",
                "moves with the invoice alone, too",
            )
            for kind in KINDS
        ),
        *map(_received_of, KINDS),
    ),
    grouped=(AMOUNTS, RECEIPTS, BALANCES),
    note=(
        "Of the project and the phases below it, down to six levels. A transaction counts while it "
        "is current and not deleted."
    ),
)

# --- Budget & Revenue -----------------------------------------------------------------------------

BUDGETED = tuple(sorted(BUDGETS.needs))

BUDGET_AND_REVENUE = TableMapping(
    name="Budget & Revenue",
    entity="budget_and_revenue",
    source="AxProject",
    target="PR",
    only_if="is_followed",
    key=PROJECT,
    lines=(
        Derived(
            "PctComp",
            Expression(("prjPercentComplete",), "prjPercentComplete", rule.percent),
            note="Percent Complete: reported percent complete (RPC)",
        ),
        Related(
            "BudOHRate",
            ("AxCompany", "AxEntity"),
            "eOverheadPercent of prjDepartment, else cmpOverheadPercent of prjCompany",
            rule.overhead,
            note="Budgeted OH Rate",
        ),
        Related(
            "Fee",
            BUDGETED,
            "labor budgets, and expense budgets billed in the fee",
            rule.budget("labor", "expense in the fee"),
            note="Compensation = Direct Labor + Direct Expense",
        ),
        Related("FeeDirLab", BUDGETED, "labor budgets", rule.budget("labor"), note="Direct Labor"),
        Related(
            "FeeDirExp",
            BUDGETED,
            "expense budgets billed in the fee",
            rule.budget("expense in the fee"),
            note="Direct Expense; not if billed as T&E",
        ),
        Related(
            "ConsultFee",
            BUDGETED,
            "consultant budgets billed in the fee",
            rule.budget("consultant in the fee"),
            note="Direct Consultant; not if billed as T&E",
        ),
        Related(
            "ReimbAllow",
            BUDGETED,
            "expense and consultant budgets billed as T&E",
            rule.budget(
                *("expense in time", "expense flagged"),
                *("consultant in time", "consultant flagged"),
            ),
            note="Reimbursable Allowance = Expense + Consultant",
        ),
        Related(
            "ReimbAllowExp",
            BUDGETED,
            "expense budgets billed as T&E",
            rule.budget("expense in time", "expense flagged"),
            note="Reimbursable Expense",
        ),
        Related(
            "ReimbAllowCons",
            BUDGETED,
            "consultant budgets billed as T&E",
            rule.budget("consultant in time", "consultant flagged"),
            note="Reimbursable Consultant",
        ),
    ),
    paths=(
        Path("AxProject", "prjDepartment", "AxEntity"),
        Path("AxProject", "prjCompany", "AxCompany"),
    ),
    grouped=(BUDGETS,),
    note=(
        "Called Accounting in Vantagepoint 3.5. A budget is a sum of resBudgetAmount of resources "
        "on the project and on phases below it that bill a fee (`fee_billing_types`) or time "
        "(`time_billing_types`); of others none counts. T&E: the phase bills time, or "
        "resBilledAsTE is set."
    ),
)

# --- Dates & Costs --------------------------------------------------------------------------------

COSTED = tuple(sorted(COSTS.needs | COST_BALANCES.needs))

DATES_AND_COSTS = TableMapping(
    name="Dates & Costs",
    entity="dates_and_costs",
    source="AxProject",
    target="PR",
    only_if="is_followed",
    key=PROJECT,
    lines=(
        Derived(
            "StartDate",
            Expression(
                ("prjActualStartDate", "prjEstimatedStartDate"),
                "prjActualStartDate, else prjEstimatedStartDate",
                rule.start,
            ),
            note="Initial, Start (Contract Start)",
        ),
        Derived(
            "EstCompletionDate",
            rule.as_it_is("prjEstimatedCompletionDate"),
            note="Completion, Estimated",
        ),
        Derived(
            "ActCompletionDate", rule.as_it_is("prjActualCompletionDate"), note="Completion, Actual"
        ),
        Related(
            "TotalProjectCost",
            COSTED,
            "sum of tCostAmount of all three kinds, plus bbLaborCost and alike",
            lambda neighbours: rule.with_balances(neighbours, "Cost", KINDS),
        ),
        Related(
            "FirmCost",
            COSTED,
            "sum of tCostAmount of labor and expense, plus bbLaborCost, bbExpenseCost",
            lambda neighbours: rule.with_balances(neighbours, "Cost", (LABOR, EXPENSE)),
        ),
    ),
    grouped=(COSTS, COST_BALANCES),
    note=(
        "Bid, contract, construction, professional services and the comments are not known in "
        "Ajera: what people type there stays."
    ),
)

# --- Team -----------------------------------------------------------------------------------------

TEAM_TAB = TableMapping(
    name="Team",
    entity="team",
    source="AxProject",
    target="PR",
    only_if="is_followed",
    key=PROJECT,
    lines=(),
    children=(
        ChildRows(
            "EMProjectAssoc",
            needs=tuple(sorted(TEAM.needs)),
            words="a row for each linked employee (Employee) and role (Role): etDescription of"
            " tEmployeeType, blank without one",
            of=rule.members,
            parents=(),
            values=(
                ("Hours", "sum of tUnits of labor rows"),
                ("StartDate", "first tDate of them; not with crm = ajera_crm"),
            ),
            note="hours of beginning balances are nobody's",
            adopts=True,
            without=rule.team_without,
        ),
    ),
    grouped=(TEAM,),
    note=(
        "Of the project and the phases below it, down to six levels. The Projects tab of the "
        "Employees hub shows the same rows."
    ),
)

MAPPINGS = (AJERA_TOTALS, BUDGET_AND_REVENUE, DATES_AND_COSTS, TEAM_TAB)

# --- which tabs there are -------------------------------------------------------------------------

SINCE = "8.09"  # of Ajera: below it nothing goes to DPS's accounting tabs (S-DPS)
TABS: Mapping[str, frozenset[str]] = {  # by generation of the CRM (evidence.md 3.8; assumption 67)
    "ajera_crm": frozenset({"ajera_totals", "budget_and_revenue", "team"}),
    "dps": frozenset(mapping.entity for mapping in MAPPINGS),
    "vantagepoint": frozenset(mapping.entity for mapping in MAPPINGS),
    "simple_crm": frozenset({"dates_and_costs", "team"}),
}


def tabs(assumptions: Assumptions) -> frozenset[str]:
    """The tabs that this site's CRM has."""
    return TABS[assumptions.crm]


_SUMS = (53, 54, 56, 58)
RESTS_ON: Mapping[tuple[str, str], tuple[int, ...]] = {
    **{
        ("Ajera Totals", f"Ajera{amount}{column}"): numbers
        for column in COLUMN_OF.values()
        for amount, numbers in (
            ("Spent", _SUMS),
            ("Cost", _SUMS),
            ("WIP", (53, 54, 55, 58)),
            ("Billed", (53, 54, 55, 56, 58)),
            ("Received", (54, 56, 57, 58, 59)),
        )
    },
    ("Budget & Revenue", "PctComp"): (62,),
    ("Budget & Revenue", "BudOHRate"): (62,),
    **{
        ("Budget & Revenue", column): (54, 58, 60, 61, 63)
        for column in (
            *("Fee", "FeeDirLab", "FeeDirExp", "ConsultFee"),
            *("ReimbAllow", "ReimbAllowExp", "ReimbAllowCons"),
        )
    },
    ("Dates & Costs", "StartDate"): (64,),
    ("Dates & Costs", "EstCompletionDate"): (64,),
    ("Dates & Costs", "ActCompletionDate"): (64,),
    ("Dates & Costs", "TotalProjectCost"): (*_SUMS, 64),
    ("Dates & Costs", "FirmCost"): (*_SUMS, 64),
    ("Team", "EMProjectAssoc"): (54, 58, 65),
}
NOTE = (
    "One table here for each accounting tab of DPS's Projects hub, filled from Ajera 8.09 on. "
    "Which tabs there are depends on the CRM (`assumptions.crm`). Assumptions are numbered as in "
    "`docs/assumptions.md`; 58, 66, 68 and 69 hold for every line."
)
