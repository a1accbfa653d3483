"""What the accounting route mirrors of Ajera's tables, beside the columns what its codes mean.

It is kept in the DPS database, in a schema of the route's own: of millions of transactions the
columns that a line reads, and nothing else.
"""

from __future__ import annotations

from pipeline.domain import ajera
from pipeline.domain.status import CLOSED, MARKETING
from pipeline.mapping.convert import reference, text
from pipeline.mapping.mirror import Fold, MirroredTable, StickyColumn
from pipeline.mapping.site import Site, word
from pipeline.mapping.source import ColumnType
from pipeline.model.event import Row, Value

LABOR, EXPENSE, CONSULTANT = "labor", "expense", "consultant"
KINDS = (LABOR, EXPENSE, CONSULTANT)
FEE, TIME, NOT_BILLABLE = "fee", "time", "none"


def _kind(column: str) -> StickyColumn:
    def of(row: Row, site: Site) -> Value:
        code = row.get(column)
        return site.assumptions.activity_types.get(code) if isinstance(code, int) else None

    return StickyColumn(
        "activity_kind",
        ColumnType.SHORT_TEXT,
        Fold.NEWEST,
        of,
        f"{column} as labor, expense or consultant (assumption 54)",
    )


def _is_final(row: Row, site: Site) -> Value:
    return row.get("ciStatus") in site.assumptions.final_invoice_statuses


def _billing(row: Row, site: Site) -> Value:
    found = word(text(row.get("prjBillingType")) or "")
    if found in map(word, site.assumptions.fee_billing_types):
        return FEE
    return TIME if found in map(word, site.assumptions.time_billing_types) else NOT_BILLABLE


def _is_counted(row: Row, site: Site) -> Value:
    is_phase = reference(row.get("prjProject")) not in (None, row.get("prjKey"))
    is_marketing = is_phase and row.get("prjStatus") == MARKETING
    return not is_marketing or site.assumptions.marketing_phases_count


def _is_followed(row: Row, site: Site) -> Value:
    return row.get("prjStatus") != CLOSED or site.assumptions.closed_projects_follow


def _employee_type(row: Row, _: Site) -> Value:
    return reference(row.get("tEmployeeType")) or 0


AX_ENTITY = MirroredTable(ajera.AX_ENTITY, shared=("eOverheadPercent",))
AX_COMPANY = MirroredTable(ajera.AX_COMPANY, shared=("cmpOverheadPercent",))
AX_EMPLOYEE_TYPE = MirroredTable(ajera.AX_EMPLOYEE_TYPE)
AX_ACTIVITY = MirroredTable(ajera.AX_ACTIVITY, remembered=(_kind("actType"),))
AX_CLIENT_INVOICE = MirroredTable(
    ajera.AX_CLIENT_INVOICE,
    remembered=(
        StickyColumn(
            "is_final",
            ColumnType.FLAG,
            Fold.NEWEST,
            _is_final,
            "its status is Final (assumption 55)",
        ),
    ),
)
AX_PROJECT = MirroredTable(
    ajera.AX_PROJECT.pick(
        *("prjStatus", "prjProject", "prjBillingType", "prjPercentComplete"),
        *("prjDepartment", "prjCompany"),
        *("prjEstimatedStartDate", "prjEstimatedCompletionDate"),
        *("prjActualStartDate", "prjActualCompletionDate"),
    ),
    remembered=(
        StickyColumn(
            "billing",
            ColumnType.SHORT_TEXT,
            Fold.NEWEST,
            _billing,
            "prjBillingType as fee, time, or none: not billable (assumption 63)",
        ),
        StickyColumn(
            "is_counted",
            ColumnType.FLAG,
            Fold.NEWEST,
            _is_counted,
            "is no phase in Marketing, or these count (assumption 58)",
        ),
        StickyColumn(
            "is_followed",
            ColumnType.FLAG,
            Fold.NEWEST,
            _is_followed,
            "is not closed, or closed projects follow (assumption 66)",
        ),
    ),
    indexed=("prjProject", "prjDepartment", "prjCompany"),
)
AX_TRANSACTION = MirroredTable(
    ajera.AX_TRANSACTION.pick(
        *("tEmployee", "tProject", "tIsDeleted", "tIsCurrent", "tActivity", "tEmployeeType"),
        *("tDate", "tUnits", "tCostAmount", "tSpentAmount", "tBilledAmount"),
        *("tIsBillable", "tClientInvoice"),
    ),
    remembered=(
        StickyColumn(
            "employee_type",
            ColumnType.INTEGER,
            Fold.NEWEST,
            _employee_type,
            "tEmployeeType, 0 for none: hours without one are somebody's, too",
        ),
    ),
    indexed=("tProject", "tActivity", "tClientInvoice", "tEmployee", "employee_type"),
)
AX_RESOURCE = MirroredTable(
    ajera.AX_RESOURCE.pick("resProject", "resActivityType", "resBudgetAmount", "resBilledAsTE"),
    remembered=(_kind("resActivityType"),),
    indexed=("resProject",),
)
AX_RECEIPT = MirroredTable(
    ajera.AX_RECEIPT, remembered=(_kind("rcActivityType"),), indexed=("rcProject",)
)
AX_BEGINNING_BALANCE = MirroredTable(ajera.AX_BEGINNING_BALANCE, indexed=("bbProject",))

# Order of locks: a table comes after those that its rows refer to.
MIRRORED = (
    *(AX_ENTITY, AX_COMPANY, AX_EMPLOYEE_TYPE, AX_ACTIVITY, AX_CLIENT_INVOICE, AX_PROJECT),
    *(AX_TRANSACTION, AX_RESOURCE, AX_RECEIPT, AX_BEGINNING_BALANCE),
)
