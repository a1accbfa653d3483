"""The four accounting tabs, line by line: worked examples over Ajera's rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pytest

from pipeline.decoding.needs import needed_by
from pipeline.domain.accounting import TABS
from pipeline.domain.accounting_tables import EM_PROJECT_ASSOC, PR
from pipeline.domain.routes import ACCOUNTING
from pipeline.mapping.apply import build
from pipeline.mapping.mirror import MirroredTable
from pipeline.mapping.neighbours import Graph
from pipeline.mapping.site import Assumptions, Site
from pipeline.mapping.table import Groups
from pipeline.model.event import Row, Value
from pipeline.model.ledger import LedgerRow
from tests.support.accounts import (
    ACTIVITIES,
    CONSULTANT,
    DAY,
    DRAFT,
    EXPENSE,
    FINAL,
    LABOR,
    Accounts,
)

KINDS = ("Labor", "Reimbursable", "Consultant")


def totals(row: Row, amount: str) -> list[Value]:
    """The amounts of labor, expense and consultant that are not zero."""
    return [row[f"Ajera{amount}{kind}"] for kind in KINDS]


# -- Ajera Totals ----------------------------------------------------------------------------------


def test_a_project_without_transactions_shows_zeros() -> None:
    """It was read to the end, and there are none."""
    firm = Accounts()
    firm.take(firm.project())
    for amount in ("Spent", "Cost", "WIP", "Billed", "Received"):
        assert totals(firm.shown(), amount) == [0, 0, 0]


def test_spent_and_cost_are_sums_by_the_type_of_the_activity() -> None:
    """Each kind in a column of its own; blank amounts are nothing."""
    firm = Accounts()
    firm.take(
        firm.project(),
        firm.charge(1, LABOR, tSpentAmount=Decimal("150.25"), tCostAmount=Decimal(60)),
        firm.charge(2, LABOR, tSpentAmount=Decimal("0.0001"), tCostAmount=None),
        firm.charge(3, EXPENSE, tSpentAmount=Decimal(33), tCostAmount=Decimal(30)),
        firm.charge(4, CONSULTANT, tSpentAmount=Decimal("-5"), tCostAmount=Decimal("-4.5")),
    )
    assert totals(firm.shown(), "Spent") == [Decimal("150.2501"), 33, -5]
    assert totals(firm.shown(), "Cost") == [60, 30, Decimal("-4.5")]


def test_a_transaction_counts_while_it_is_current_and_not_deleted() -> None:
    """Blank is not deleted, and not current."""
    firm = Accounts()
    firm.take(firm.project())
    for number, (current, deleted) in enumerate(
        ((True, False), (True, None), (False, False), (None, None), (True, True)), start=1
    ):
        spent = Decimal(10**number)
        firm.take(firm.charge(number, tIsCurrent=current, tIsDeleted=deleted, tSpentAmount=spent))
    assert firm.shown()["AjeraSpentLabor"] == 110


def test_phases_count_down_to_six_levels() -> None:
    """What is charged to the seventh is nobody's."""
    firm = Accounts()
    firm.take(firm.project(), *(firm.project(key, of=key - 1) for key in range(2, 9)))
    firm.take(
        *(
            firm.charge(key, tProject=key, tSpentAmount=Decimal(10 ** (key - 1)))
            for key in range(1, 9)
        )
    )
    assert firm.shown()["AjeraSpentLabor"] == 1_111_111


def test_a_phase_that_moves_takes_its_transactions_along() -> None:
    """To another project that is linked, too."""
    firm = Accounts()
    firm.people_write("PR", "P-2", " ", " ")
    firm.link("project", 2, "P-2| | ")
    firm.take(firm.project(1), firm.project(2), firm.project(11, of=1))
    firm.take(firm.charge(1, tProject=11, tSpentAmount=Decimal(7)))
    firm.take(firm.project(11, of=2))
    spent = [firm.shown(number)["AjeraSpentLabor"] for number in ("P-1", "P-2")]
    assert spent == [0, 7]


@pytest.mark.parametrize(("counts", "spent"), [(False, 101), (True, 111)])
def test_a_marketing_phase_counts_if_the_site_says_so(counts: bool, spent: int) -> None:
    """The project itself counts in any status, and so does a phase below a marketing phase."""
    firm = Accounts(Assumptions(marketing_phases_count=counts))
    firm.take(
        firm.project(1, prjStatus=6),
        firm.project(2, of=1, prjStatus=6),
        firm.project(3, of=2),
        *(
            firm.charge(key, tProject=key, tSpentAmount=Decimal(10 ** (key - 1)))
            for key in (1, 2, 3)
        ),
    )
    assert firm.shown()["AjeraSpentLabor"] == spent


def test_an_activity_that_is_typed_again_moves_what_was_charged_to_it() -> None:
    """Nothing else changes; of a type that nobody named it counts nowhere."""
    firm = Accounts()
    firm.take(firm.project(), firm.charge(1, EXPENSE, tSpentAmount=Decimal(8)))
    for kind, expected in ((CONSULTANT, [0, 0, 8]), (4, [0, 0, 0]), (None, [0, 0, 0])):
        firm.take(firm.changed("AxActivity", 20, actType=kind))
        assert totals(firm.shown(), "Spent") == expected


def test_what_concerns_every_project_is_written_some_at_a_time() -> None:
    """A company's overhead, or the type of an activity: a firm may have 10,000 projects."""
    firm = Accounts()
    for number in range(2, 6):
        firm.people_write("PR", f"P-{number}", " ", " ")
        firm.link("project", number, f"P-{number}| | ")
    keys = range(1, 6)
    firm.take(
        firm.changed("AxCompany", 1, cmpOverheadPercent=Decimal(1)),
        *(firm.project(key, prjCompany=1) for key in keys),
        *(firm.charge(key, tProject=key, tSpentAmount=Decimal(8)) for key in keys),
    )
    company = firm.changed("AxCompany", 1, cmpOverheadPercent=Decimal(2))
    activity = firm.changed("AxActivity", 10, actType=CONSULTANT)
    for event, column, value in (
        (company, "BudOHRate", Decimal(2)),
        (activity, "AjeraSpentConsultant", Decimal(8)),
    ):
        counted = firm.take(event, most_roots=2)
        assert [firm.shown(f"P-{key}")[column] for key in keys] == [value] * 5
        assert counted.largest["PR"] == 2
        assert counted.ended == {("written", ""): 1}


def test_the_types_of_activities_are_the_sites() -> None:
    """Another firm has other codes, and two for labor."""
    firm = Accounts(Assumptions(activity_types={2: "labor", 3: "labor"}))
    firm.take(
        firm.project(),
        *(firm.charge(kind, kind, tSpentAmount=Decimal(10**kind)) for kind in (1, 2, 3)),
    )
    assert totals(firm.shown(), "Spent") == [1100, 0, 0]


def invoiced(firm: Accounts, key: int, invoice: int | None, **values: Value) -> None:
    firm.take(
        firm.charge(
            key,
            tIsBillable=True,
            tClientInvoice=invoice,
            tSpentAmount=Decimal(10),
            tBilledAmount=Decimal(12),
            **values,
        )
    )


def test_work_is_wip_until_its_invoice_is_final_and_billed_then() -> None:
    """The invoice alone changes: it is made final, and opened again."""
    firm = Accounts()
    firm.take(firm.project(), firm.changed("AxClientInvoice", 9, ciStatus=DRAFT))
    invoiced(firm, 1, 9)
    shown = []
    for status in (DRAFT, FINAL, DRAFT):
        firm.take(firm.changed("AxClientInvoice", 9, ciStatus=status))
        row = firm.shown()
        shown.append((row["AjeraWIPLabor"], row["AjeraBilledLabor"], row["AjeraSpentLabor"]))
    assert shown == [(10, 0, 10), (0, 12, 10), (10, 0, 10)]


@pytest.mark.parametrize("invoice", [None, 0, 77])
def test_work_on_no_invoice_is_wip(invoice: int | None) -> None:
    """Nor on one that is not there."""
    firm = Accounts()
    firm.take(firm.project())
    invoiced(firm, 1, invoice)
    assert (firm.shown()["AjeraWIPLabor"], firm.shown()["AjeraBilledLabor"]) == (10, 0)


@pytest.mark.parametrize("is_billable", [False, None])
def test_work_that_is_not_billable_is_no_wip(is_billable: bool | None) -> None:
    """It is spent all the same."""
    firm = Accounts()
    firm.take(firm.project(), firm.charge(1, tIsBillable=is_billable, tSpentAmount=Decimal(10)))
    assert (firm.shown()["AjeraWIPLabor"], firm.shown()["AjeraSpentLabor"]) == (0, 10)


def test_which_statuses_are_final_is_the_sites() -> None:
    """Two of them, and not the default one."""
    firm = Accounts(Assumptions(final_invoice_statuses=(5, 6)))
    firm.take(
        firm.project(),
        *(firm.changed("AxClientInvoice", key, ciStatus=key) for key in (2, 5, 6)),
    )
    for key in (2, 5, 6):
        invoiced(firm, key, key)
    assert (firm.shown()["AjeraWIPLabor"], firm.shown()["AjeraBilledLabor"]) == (10, 24)


def balance(firm: Accounts, key: int, on: int) -> None:
    kinds = enumerate(("Labor", "Expense", "Consultant"), start=1)
    amounts = {
        f"bb{kind}{amount}": Decimal(number * 1000 + nth)
        for number, kind in kinds
        for nth, amount in enumerate(("Cost", "Spent", "Billed"), start=1)
    }
    firm.take(firm.changed("AxBeginningBalance", key, bbProject=on, **amounts))


@pytest.mark.parametrize("received", [True, False])
def test_balances_are_added_to_every_amount_but_wip(received: bool) -> None:
    """They are no transactions; of phases, too. Was what they billed received: the site says."""
    firm = Accounts(Assumptions(balances_are_received=received))
    firm.take(firm.project(), firm.project(2, of=1))
    balance(firm, 1, 1)
    balance(firm, 2, 2)
    firm.take(firm.charge(1, tCostAmount=Decimal("0.5"), tSpentAmount=Decimal("0.25")))
    row = firm.shown()
    assert totals(row, "Cost") == [Decimal("2002.5"), 4002, 6002]
    assert totals(row, "Spent") == [Decimal("2004.25"), 4004, 6004]
    assert totals(row, "Billed") == [2006, 4006, 6006]
    assert totals(row, "WIP") == [0, 0, 0]
    assert totals(row, "Received") == ([2006, 4006, 6006] if received else [0, 0, 0])


def test_receipts_are_received_by_the_type_that_they_pay() -> None:
    """On the project or a phase; of no type they count nowhere."""
    firm = Accounts()
    firm.take(firm.project(), firm.project(2, of=1))
    for key, (kind, on) in enumerate(((1, 1), (1, 2), (2, 2), (3, 1), (None, 1), (9, 1)), start=1):
        amount = Decimal(10**key)
        firm.take(
            firm.changed("AxReceipt", key, rcProject=on, rcActivityType=kind, rcAmount=amount)
        )
    assert totals(firm.shown(), "Received") == [110, 1000, 10000]


def test_an_amount_is_rounded_once_half_to_even_after_it_was_summed() -> None:
    """Parts of less than four places add up."""
    firm = Accounts()
    firm.take(firm.project())
    firm.take(*(firm.charge(key, tSpentAmount=Decimal("0.00003")) for key in (1, 2)))
    assert firm.shown()["AjeraSpentLabor"] == Decimal("0.0001")
    firm.take(firm.charge(3, tSpentAmount=Decimal("0.00019")))
    assert firm.shown()["AjeraSpentLabor"] == Decimal("0.0002")
    firm.take(firm.charge(3, tSpentAmount=Decimal("98765432109876.54315")))
    assert firm.shown()["AjeraSpentLabor"] == Decimal("98765432109876.5432")


# -- Budget & Revenue ------------------------------------------------------------------------------


def budget(firm: Accounts, key: int, kind: int | None, on: int = 1, **values: Value) -> None:
    amount = Decimal(10**key)
    firm.take(
        firm.changed(
            "AxResource",
            key,
            **{"resProject": on, "resActivityType": kind, "resBudgetAmount": amount, **values},
        )
    )


BUDGETS = (
    *("Fee", "FeeDirLab", "FeeDirExp", "ConsultFee"),
    *("ReimbAllow", "ReimbAllowExp", "ReimbAllowCons"),
)


@pytest.mark.parametrize(
    ("billing", "expected"),
    [
        ("FixedFee", [110, 10, 100, 10_000, 101_000, 1000, 100_000]),
        ("percent complete", [110, 10, 100, 10_000, 101_000, 1000, 100_000]),
        ("UNITPRICE", [110, 10, 100, 10_000, 101_000, 1000, 100_000]),
        ("PercentofConstructionCost", [110, 10, 100, 10_000, 101_000, 1000, 100_000]),
        ("TimeAndExpense", [10, 10, 0, 0, 111_100, 1100, 110_000]),
        ("Adjustment", [0] * 7),
        ("Overhead", [0] * 7),
        (None, [0] * 7),
    ],
)
def test_a_budget_is_of_the_fee_or_billed_as_time_and_expense(
    billing: str | None, expected: list[int]
) -> None:
    """By the billing of the row that it is on, and by its own flag; the page's sums hold."""
    firm = Accounts()
    firm.take(firm.project(prjBillingType=billing))
    budget(firm, 1, LABOR)
    budget(firm, 2, EXPENSE)
    budget(firm, 3, EXPENSE, resBilledAsTE=True)
    budget(firm, 4, CONSULTANT, resBilledAsTE=False)
    budget(firm, 5, CONSULTANT, resBilledAsTE=True)
    budget(firm, 6, None)
    row = firm.shown()
    assert [row[name] for name in BUDGETS] == expected
    assert row["Fee"] == sum(expected[1:3])
    assert row["ReimbAllow"] == sum(expected[5:])


def test_each_phase_bills_in_its_own_way_and_may_change_it() -> None:
    """A phase of time under a project of a fee; then it bills nothing."""
    firm = Accounts()
    firm.take(firm.project(), firm.project(2, of=1, prjBillingType="TimeAndExpense"))
    budget(firm, 1, EXPENSE)
    budget(firm, 2, EXPENSE, on=2)
    assert (firm.shown()["FeeDirExp"], firm.shown()["ReimbAllowExp"]) == (10, 100)
    firm.take(firm.project(2, of=1, prjBillingType="Internal"))
    assert (firm.shown()["FeeDirExp"], firm.shown()["ReimbAllowExp"]) == (10, 0)


def test_which_types_bill_a_fee_and_which_time_is_the_sites() -> None:
    """No word can be both."""
    firm = Accounts(Assumptions(fee_billing_types=("Lump sum",), time_billing_types=("Hourly",)))
    firm.take(
        firm.project(prjBillingType="LUMP SUM"),
        firm.project(2, of=1, prjBillingType="hourly"),
        firm.project(3, of=1),
    )
    for key in (1, 2, 3):
        budget(firm, key, EXPENSE, on=key)
    assert (firm.shown()["FeeDirExp"], firm.shown()["ReimbAllowExp"]) == (10, 100)
    with pytest.raises(ValueError, match="hourly is in fee_billing_types"):
        Assumptions(fee_billing_types=("Hourly",), time_billing_types=("HOURLY",))


def test_percent_complete_is_the_reported_one() -> None:
    """To four places; nothing where nobody reported."""
    firm = Accounts()
    firm.take(firm.project(prjPercentComplete=Decimal("45.12345")))
    assert firm.shown()["PctComp"] == Decimal("45.1234")
    firm.take(firm.project())
    assert firm.shown()["PctComp"] is None


def test_the_overhead_is_the_departments_else_the_companys() -> None:
    """A department that has none, or was deleted; one that has not come is waited for. A change
    of either is followed, and 0 is a rate.
    """
    firm = Accounts()
    firm.take(
        firm.changed("AxEntity", 3, eOverheadPercent=Decimal("152.5")),
        firm.changed("AxCompany", 1, cmpOverheadPercent=Decimal(155)),
        firm.project(prjDepartment=3, prjCompany=1),
    )
    assert firm.shown()["BudOHRate"] == Decimal("152.5")
    firm.take(firm.changed("AxEntity", 3, eOverheadPercent=Decimal(0)))
    assert firm.shown()["BudOHRate"] == 0
    firm.take(firm.changed("AxEntity", 3))
    assert firm.shown()["BudOHRate"] == 155
    firm.take(firm.changed("AxCompany", 1, cmpOverheadPercent=Decimal(150)))
    assert firm.shown()["BudOHRate"] == 150
    firm.take(firm.changed("AxCompany", 2, cmpOverheadPercent=Decimal(99)))
    firm.take(firm.project(prjDepartment=77, prjCompany=2))
    assert firm.shown()["BudOHRate"] == 150  # stays until it comes
    firm.take(firm.changed("AxEntity", 77, eOverheadPercent=Decimal(140)))
    assert firm.shown()["BudOHRate"] == 140
    firm.take(firm.changed("AxEntity", 77, "d"))
    assert firm.shown()["BudOHRate"] == 99
    firm.take(firm.project(prjDepartment=0, prjCompany=None))
    assert firm.shown()["BudOHRate"] is None


# -- Dates & Costs ---------------------------------------------------------------------------------


def test_start_is_the_actual_one_else_the_estimated_one() -> None:
    """The completion dates are each their own."""
    firm = Accounts()
    estimated, actual = date(2026, 1, 5), date(2026, 2, 1)
    firm.take(
        firm.project(prjEstimatedStartDate=estimated, prjEstimatedCompletionDate=date(2027, 1, 1))
    )
    row = firm.shown()
    found = [row[name] for name in ("StartDate", "EstCompletionDate", "ActCompletionDate")]
    assert found == [estimated, date(2027, 1, 1), None]
    firm.take(
        firm.project(
            prjEstimatedStartDate=estimated,
            prjActualStartDate=actual,
            prjActualCompletionDate=date(2027, 2, 2),
        )
    )
    row = firm.shown()
    found = [row[name] for name in ("StartDate", "EstCompletionDate", "ActCompletionDate")]
    assert found == [actual, None, date(2027, 2, 2)]


def test_the_firms_cost_is_the_projects_without_consultants() -> None:
    """Both with beginning balances."""
    firm = Accounts()
    firm.take(
        firm.project(),
        *(firm.charge(kind, kind, tCostAmount=Decimal(10**kind)) for kind in (1, 2, 3)),
    )
    balance(firm, 1, 1)
    row = firm.shown()
    assert (row["TotalProjectCost"], row["FirmCost"]) == (1110 + 6003, 110 + 3002)


# -- Team ------------------------------------------------------------------------------------------


def roles(firm: Accounts, **texts: str | None) -> None:
    firm.take(
        *(
            firm.changed("AxEmployeeType", int(key[1:]), etDescription=text)
            for key, text in texts.items()
        )
    )


def hours(firm: Accounts, key: int, amount: object, **values: Value) -> None:
    usual: dict[str, Value] = {"tEmployee": 5, "tEmployeeType": 1}
    firm.take(firm.charge(key, tUnits=Decimal(str(amount)), **{**usual, **values}))


def test_an_employee_has_a_row_for_each_role_with_hours_and_first_day() -> None:
    """Of the project and its phases, labor only."""
    firm = Accounts()
    roles(firm, t1="Architect", t2=" Principal\t")
    firm.take(firm.project(), firm.project(2, of=1))
    hours(firm, 1, 4, tDate=date(2026, 3, 9))
    hours(firm, 2, "1.25", tProject=2)
    hours(firm, 3, 2, tEmployeeType=2, tDate=date(2026, 5, 1))
    hours(firm, 4, 100, tActivity=ACTIVITIES[EXPENSE])
    hours(firm, 5, 100, tIsCurrent=False)
    assert firm.team() == {
        ("E-5", "Architect"): (Decimal("5.25"), DAY),
        ("E-5", "Principal"): (2, date(2026, 5, 1)),
    }


def test_the_first_day_moves_later_when_the_first_entry_is_deleted() -> None:
    """And a role without entries is gone."""
    firm = Accounts()
    roles(firm, t1="Architect", t2="Principal")
    firm.take(firm.project())
    hours(firm, 1, 4)
    hours(firm, 2, 3, tDate=date(2026, 4, 1))
    hours(firm, 3, 1, tEmployeeType=2)
    hours(firm, 1, 4, tIsDeleted=True)
    firm.take(firm.changed("AxTransaction", 3, "d"))
    assert firm.team() == {("E-5", "Architect"): (3, date(2026, 4, 1))}


def test_an_employee_that_is_not_linked_has_no_row_until_it_is() -> None:
    """Nor has nobody."""
    firm = Accounts()
    roles(firm, t1="Architect")
    firm.take(firm.project())
    hours(firm, 1, 4, tEmployee=6)
    hours(firm, 2, 3, tEmployee=None)
    hours(firm, 3, 3, tEmployee=0)
    assert firm.team() == {}
    firm.link("employee", 6, "E-6")
    firm.take()
    assert firm.team() == {("E-6", "Architect"): (4, DAY)}


def test_types_of_one_text_are_one_role_and_hours_without_a_type_have_a_blank_one() -> None:
    """Whatever the case; a type that is renamed takes its hours along, and one that has not come
    is waited for.
    """
    firm = Accounts()
    roles(firm, t1="Designer", t2="designer", t3=None)
    firm.take(firm.project())
    for key, employee_type in enumerate((1, 2, 3, None, 0, 77), start=1):
        hours(firm, key, 10**key, tEmployeeType=employee_type)
    assert firm.team() == {("E-5", "Designer"): (110, DAY), ("E-5", ""): (111_000, DAY)}
    roles(firm, t2="Drafter", t77="Drafter")
    assert firm.team() == {
        ("E-5", "Designer"): (10, DAY),
        ("E-5", "Drafter"): (1_000_100, DAY),
        ("E-5", ""): (111_000, DAY),
    }


def test_hours_of_balances_are_nobodys() -> None:
    """No check may hold the team's hours against the project's."""
    firm = Accounts()
    firm.take(firm.project())
    balance(firm, 1, 1)
    assert firm.team() == {}


# -- closed projects, and which tabs there are -----------------------------------------------------


@pytest.mark.parametrize("follows", [False, True])
def test_a_closed_project_stays_as_it_was_unless_the_site_says_otherwise(follows: bool) -> None:
    """Opened again it shows what is true then, its team too."""
    firm = Accounts(Assumptions(closed_projects_follow=follows))
    roles(firm, t1="Architect")
    firm.take(firm.project(), firm.charge(1, tSpentAmount=Decimal(1)))
    firm.take(firm.project(prjStatus=5))
    hours(firm, 1, 8, tSpentAmount=Decimal(2))
    assert firm.shown()["AjeraSpentLabor"] == (2 if follows else 1)
    assert len(firm.team()) == int(follows)
    firm.take(firm.project())
    assert firm.shown()["AjeraSpentLabor"] == 2
    assert firm.team() == {("E-5", "Architect"): (8, DAY)}


FILLED: Mapping[str, set[str]] = {
    "dps": {"AjeraSpentLabor", "Fee", "FirmCost"},
    "vantagepoint": {"AjeraSpentLabor", "Fee", "FirmCost"},
    "ajera_crm": {"AjeraSpentLabor", "Fee"},
    "simple_crm": {"FirmCost"},
}


@pytest.mark.parametrize("crm", TABS)
def test_the_crm_decides_which_tabs_there_are(crm: str) -> None:
    """And whether a team has dates; columns of a tab that there is not may be missing in DPS."""
    firm = Accounts(Assumptions.model_validate({"crm": crm}))
    roles(firm, t1="Architect")
    firm.take(firm.project())
    hours(firm, 1, 8)
    columns = {column.name for column in firm.route.target("PR").columns}
    assert columns & {"AjeraSpentLabor", "Fee", "FirmCost"} == FILLED[crm]
    observed = next(one.table for one in firm.route.observed if one.target == "PR")
    assert {column.name for column in observed.columns} == columns
    assert all(firm.shown()[name] == 0 for name in FILLED[crm])
    assert firm.team() == {("E-5", "Architect"): (8, None if crm == "ajera_crm" else DAY)}


@pytest.mark.parametrize(("crm", "left"), [("dps", None), ("ajera_crm", date(2020, 1, 2))])
def test_the_day_of_a_team_row_is_peoples_where_the_crm_has_none(
    crm: str, left: date | None
) -> None:
    """Also when the row was taken over and Ajera has no hours for it any more."""
    firm = Accounts(Assumptions.model_validate({"crm": crm}))
    whole: dict[str, Value] = {"WBS1": "P-1", "WBS2": " ", "WBS3": " "}
    member: dict[str, Value] = {"Employee": "E-5", "Role": "Architect"}
    day = date(2020, 1, 2)
    firm.people_write("EMProjectAssoc", "f" * 32, **whole, **member, StartDate=day)
    roles(firm, t1="Architect")
    firm.take(firm.project())
    hours(firm, 1, 8)
    assert firm.team() == {("E-5", "Architect"): (8, day if crm == "ajera_crm" else DAY)}
    firm.take(firm.charge(1, tIsDeleted=True))
    assert firm.team() == {("E-5", "Architect"): (None, left)}


def test_the_tabs_are_one_mapping_so_that_a_project_is_written_once() -> None:
    """Transactions are summed in one statement for all of them, and hours in another."""
    (one,) = ACCOUNTING.only(frozenset(ACCOUNTING.entities)).mappings
    assert [part.name for part in one.parts] == [mapping.name for mapping in ACCOUNTING.mappings]
    names = [groups.name for groups in one.grouped]
    assert names == ["transactions", "receipts", "beginning balances", "budgets", "hours"]
    filled = [line.target for line in one.lines]
    wanted = {column.name for column in PR.columns} - {"WBS1", "WBS2", "WBS3"}
    assert {*filled} == wanted
    assert EM_PROJECT_ASSOC.row_id == "RecordID"


# -- pure: over totals that are given --------------------------------------------------------------


def built(site: Site, grouped: Mapping[str, Groups], **columns: Value) -> Row:
    """What the tabs show of a project with these columns and these groups."""
    (mapping,) = ACCOUNTING.only(ACCOUNTING.at(site.assumptions)).mappings
    tables = {source.name: source for source in ACCOUNTING.sources}
    names = dict.fromkeys(column.name for column in tables["AxProject"].mirrored())
    root = LedgerRow("AxProject", "1", {**names, "prjKey": 1, "is_followed": True, **columns})
    graph = Graph(site, tables)
    graph.linked = {mapping.name: {"1": "P-1"}}
    graph.grouped = {mapping.name: {"1": dict(grouped)}}
    found = build(mapping, root, graph, frozenset(tables))
    assert not found.missing
    return found.row.values


def test_what_cannot_be_known_is_left_as_it_is_and_never_zero() -> None:
    """Balances are known, transactions are not: Received is written, Spent is not."""
    billed = {f"Billed {kind}": Decimal(1) for kind in ("labor", "expense", "consultant")}
    received = {name.replace("Billed", "Received"): Decimal(2) for name in billed}
    found = built(Site(), {"beginning balances": {(): billed}, "receipts": {(): received}})
    assert totals(found, "Received") == [3, 3, 3]
    assert not {name for name in found if name.startswith(("AjeraSpent", "AjeraWIP"))}
    assert "Fee" not in found


# -- which lines need a column ---------------------------------------------------------------------

NEEDS = needed_by(ACCOUNTING.sources, ACCOUNTING.mappings, Site())


@pytest.mark.parametrize("source", ACCOUNTING.sources, ids=lambda source: source.name)
def test_every_column_that_the_route_picks_is_needed_by_a_named_line(source: MirroredTable) -> None:
    """A column that no line of the route needs would not be picked."""
    assert set(NEEDS[source.name]) == {column.name for column in source.columns}


@pytest.mark.parametrize(
    ("table", "column", "line", "other"),
    [
        ("AxTransaction", "tCostAmount", "Dates & Costs -> PR.FirmCost", "AjeraSpentLabor"),
        ("AxTransaction", "tBilledAmount", "Ajera Totals -> PR.AjeraBilledLabor", "Cost"),
        ("AxTransaction", "tEmployeeType", "Team -> EMProjectAssoc", "Totals"),
        ("AxEmployeeType", "etDescription", "Team -> EMProjectAssoc", "Totals"),
        ("AxClientInvoice", "ciStatus", "Ajera Totals -> PR.AjeraWIPLabor", "Spent"),
        ("AxResource", "resBilledAsTE", "Budget & Revenue -> PR.ReimbAllowExp", "FeeDirLab"),
        ("AxProject", "prjBillingType", "Budget & Revenue -> PR.FeeDirLab", "Totals"),
        ("AxReceipt", "rcAmount", "Ajera Totals -> PR.AjeraReceivedLabor", "Spent"),
        ("AxBeginningBalance", "bbExpenseCost", "Dates & Costs -> PR.FirmCost", "Spent"),
        ("AxActivity", "actType", "Team -> EMProjectAssoc", "Budget"),
    ],
)
def test_a_missing_column_is_told_with_the_lines_that_need_it(
    table: str, column: str, line: str, other: str
) -> None:
    """Tab and field, as people know them; and with no line that can do without."""
    told = NEEDS[table][column]
    assert line in told
    assert other not in told


def test_a_crm_without_totals_needs_no_column_of_theirs() -> None:
    """A firm with Simple CRM may lack receipts, invoices, budgets and effort."""
    simple = ACCOUNTING.only(TABS["simple_crm"])
    needs = needed_by(simple.sources, simple.mappings, Site())
    assert not {"AxReceipt", "AxClientInvoice", "AxResource"} & {*needs}
    assert "tSpentAmount" not in needs["AxTransaction"]
    assert "bbLaborSpent" not in needs["AxBeginningBalance"]
    assert "Dates & Costs -> PR.TotalProjectCost" in needs["AxTransaction"]["tCostAmount"]
