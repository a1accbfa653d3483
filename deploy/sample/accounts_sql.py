"""What each project's accounts must be, in plain SQL over Ajera's tables: written from the vendor's
pages (evidence.md, sections 3.8 and 4.4) and docs/assumptions.md, apart from what computes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from deploy.sample.naming import BLANKS, Naming, literal

LEVELS: Final = 6
CLOSED, MARKETING = 5, 6
# A project, and its phases down to the sixth level: what hangs on them is the project's.
PLACES: Final = """
WITH RECURSIVE tree(root, place, level) AS (
    SELECT {AxProject.prjKey}, {AxProject.prjKey}, 0 FROM {AxProject}
    WHERE COALESCE({AxProject.prjProject}, 0) IN (0, {AxProject.prjKey})
    UNION ALL
    SELECT tree.root, below.{AxProject.prjKey}, tree.level + 1
    FROM tree JOIN {AxProject} AS below ON below.{AxProject.prjProject} = tree.place
        AND below.{AxProject.prjKey} <> below.{AxProject.prjProject}
    WHERE tree.level < <levels>
), places AS (
    SELECT root, place,
        lower(regexp_replace({AxProject.prjBillingType}, '\\s', '', 'g')) AS billing
    FROM tree JOIN {AxProject} ON {AxProject.prjKey} = place
    WHERE level = 0 OR {AxProject.prjStatus} <> <marketing> OR <marketing_counts>
), kinds(code, kind, name) AS (VALUES <kinds>
), charged AS (
    SELECT root, kinds.kind, kinds.name, {AxTransaction.tSpentAmount} AS spent,
        {AxTransaction.tCostAmount} AS cost, {AxTransaction.tBilledAmount} AS billed,
        {AxTransaction.tIsBillable} AS is_billable,
        COALESCE({AxClientInvoice.ciStatus} IN (<final>), false) AS is_final,
        {AxTransaction.tEmployee} AS employee, {AxTransaction.tEmployeeType} AS employee_type,
        {AxTransaction.tUnits} AS hours, {AxTransaction.tDate}::date AS day
    FROM places JOIN {AxTransaction} ON {AxTransaction.tProject} = place
    JOIN {AxActivity} ON {AxActivity.actKey} = {AxTransaction.tActivity}
    JOIN kinds ON kinds.code = {AxActivity.actType}
    LEFT JOIN {AxClientInvoice} ON {AxClientInvoice.ciKey} = {AxTransaction.tClientInvoice}
    WHERE {AxTransaction.tIsCurrent} AND {AxTransaction.tIsDeleted} IS NOT TRUE
)"""
AMOUNTS: Final = """, balances AS (
    <balances>
), budgets AS (
    SELECT root, kinds.kind, {AxResource.resBudgetAmount} AS amount,
        billing IN (<fee>) AS is_fee,
        billing IN (<time>) OR {AxResource.resBilledAsTE} IS TRUE AS is_extra
    FROM places JOIN {AxResource} ON {AxResource.resProject} = place
    JOIN kinds ON kinds.code = {AxResource.resActivityType}
    WHERE billing IN (<fee>) OR billing IN (<time>)
), costs AS (
    SELECT root, kind, cost FROM charged UNION ALL SELECT root, kind, cost FROM balances
), entries(root, line, amount) AS (
    SELECT root, 'AjeraSpent' || name, spent FROM charged
    UNION ALL SELECT root, 'AjeraCost' || name, cost FROM charged
    UNION ALL SELECT root, 'AjeraWIP' || name, spent FROM charged
        WHERE is_billable AND NOT is_final
    UNION ALL SELECT root, 'AjeraBilled' || name, billed FROM charged WHERE is_final
    UNION ALL SELECT root, 'AjeraReceived' || kinds.name, {AxReceipt.rcAmount}
        FROM places JOIN {AxReceipt} ON {AxReceipt.rcProject} = place
        JOIN kinds ON kinds.code = {AxReceipt.rcActivityType}
    UNION ALL SELECT root, 'AjeraSpent' || name, spent FROM balances
    UNION ALL SELECT root, 'AjeraCost' || name, cost FROM balances
    UNION ALL SELECT root, 'AjeraBilled' || name, billed FROM balances
    UNION ALL SELECT root, 'AjeraReceived' || name, billed FROM balances WHERE <received>
    UNION ALL SELECT root, 'TotalProjectCost', cost FROM costs
    UNION ALL SELECT root, 'FirmCost', cost FROM costs WHERE kind IN ('labor', 'expense')
    UNION ALL SELECT root, line, amount
        FROM budgets, unnest(ARRAY['FeeDirLab', 'Fee']) AS line WHERE kind = 'labor'
    UNION ALL SELECT root, line, amount
        FROM budgets, unnest(ARRAY['FeeDirExp', 'Fee']) AS line
        WHERE kind = 'expense' AND is_fee AND NOT is_extra
    UNION ALL SELECT root, 'ConsultFee', amount FROM budgets
        WHERE kind = 'consultant' AND is_fee AND NOT is_extra
    UNION ALL SELECT root, line, amount
        FROM budgets, unnest(ARRAY['ReimbAllowExp', 'ReimbAllow']) AS line
        WHERE kind = 'expense' AND is_extra
    UNION ALL SELECT root, line, amount
        FROM budgets, unnest(ARRAY['ReimbAllowCons', 'ReimbAllow']) AS line
        WHERE kind = 'consultant' AND is_extra
)
SELECT root, line, sum(amount) FROM entries WHERE root = ANY(%(roots)s) GROUP BY root, line
"""
BALANCE: Final = (
    "SELECT root, '<kind>' AS kind, '<name>' AS name, {AxBeginningBalance.bb<Kind>Spent} AS spent,"
    " {AxBeginningBalance.bb<Kind>Cost} AS cost, {AxBeginningBalance.bb<Kind>Billed} AS billed"
    " FROM places JOIN {AxBeginningBalance} ON {AxBeginningBalance.bbProject} = place"
)
# Without a type, or without its text, the role is blank; hours of a type that nobody has entered
# wait for it.
TEAM: Final = """, roles AS (
    SELECT root, employee, hours, day,
        COALESCE(left(btrim({AxEmployeeType.etDescription}, <blanks>), <length>), '') AS role
    FROM charged LEFT JOIN {AxEmployeeType} ON {AxEmployeeType.etKey} = employee_type
    WHERE kind = 'labor' AND COALESCE(employee, 0) <> 0
        AND (COALESCE(employee_type, 0) = 0 OR {AxEmployeeType.etKey} IS NOT NULL)
)
SELECT root, employee, lower(rtrim(role, <blanks>)) AS role, sum(hours), min(day) FROM roles
WHERE root = ANY(%(roots)s) GROUP BY 1, 2, 3
"""
PROJECTS: Final = """
SELECT {AxProject.prjKey}, {AxProject.prjStatus}, {AxProject.prjPercentComplete},
    COALESCE({AxEntity.eOverheadPercent}, {AxCompany.cmpOverheadPercent}),
    COALESCE({AxProject.prjActualStartDate}, {AxProject.prjEstimatedStartDate})::date,
    {AxProject.prjEstimatedCompletionDate}::date, {AxProject.prjActualCompletionDate}::date
FROM {AxProject} LEFT JOIN {AxEntity} ON {AxEntity.eKey} = {AxProject.prjDepartment}
LEFT JOIN {AxCompany} ON {AxCompany.cmpKey} = {AxProject.prjCompany}
WHERE {AxProject.prjKey} = ANY(%(roots)s) AND {AxProject.prjSyncToCRM}
    AND COALESCE({AxProject.prjProject}, 0) IN (0, {AxProject.prjKey})
"""
OF_PROJECT: Final = ("PctComp", "BudOHRate", "StartDate", "EstCompletionDate", "ActCompletionDate")
ROLE_LENGTH: Final = 50
NAMES: Final = {"labor": "Labor", "expense": "Reimbursable", "consultant": "Consultant"}


def amounts(naming: Naming) -> str:
    """Root, PR's column and its sum; a column that nothing adds to has no row."""
    return _filled(PLACES + AMOUNTS, naming)


def team(naming: Naming) -> str:
    """Root, employee, role in small letters, hours and first day."""
    return _filled(PLACES + TEAM, naming)


def projects(naming: Naming) -> str:
    """Key, status, and what stands in `OF_PROJECT`; of those that are flagged."""
    return _filled(PROJECTS, naming)


def _filled(text: str, naming: Naming) -> str:
    assumed = naming.assumptions
    words = {
        "levels": str(LEVELS),
        "marketing": str(MARKETING),
        "marketing_counts": str(bool(assumed["marketing_phases_count"])).lower(),
        "received": str(bool(assumed["balances_are_received"])).lower(),
        "kinds": _listed(
            f"({int(code)}, {literal(kind)}, {literal(NAMES[kind])})"
            for code, kind in assumed["activity_types"].items()
        ),
        "final": _listed(str(int(status)) for status in assumed["final_invoice_statuses"]),
        "fee": _words(assumed["fee_billing_types"]),
        "time": _words(assumed["time_billing_types"]),
        "blanks": BLANKS,
        "length": str(ROLE_LENGTH),
        "balances": " UNION ALL ".join(
            BALANCE.replace("<kind>", kind)
            .replace("<name>", name)
            .replace("<Kind>", kind.capitalize())
            for kind, name in NAMES.items()
        ),
    }
    for word, value in words.items():
        text = text.replace(f"<{word}>", value)
    return naming.joined(text)


def _words(texts: Iterable[str]) -> str:
    return _listed(literal("".join(text.split()).lower()) for text in texts)


def _listed(values: Iterable[str]) -> str:
    """Never an empty list, which SQL does not know."""
    return ", ".join(values) or "NULL"
