"""Ajera's tables: every column that any route uses, with Ajera's own names (evidence.md,
sections 3.2 to 3.8; names that are guesses are in docs/assumptions.md).

The same columns stand, with their types and evidence, in `schemas/ajera/*.avsc`, the contract that
each writer schema is checked against; a test keeps the two alike. Which of them a route reads is
the route's: `pim_mirror.py`, `exchange_tables.py`, `accounting_mirror.py`.
"""

from __future__ import annotations

from pipeline.mapping.source import ColumnType, SourceTable, columns

AX_VEC = SourceTable(
    name="AxVec",
    key=("vecKey",),
    columns=(
        *columns(ColumnType.INTEGER, "vecKey"),
        *columns(
            ColumnType.TEXT,
            *("vecDescription", "vecFirstName", "vecMiddleName", "vecLastName"),
            *("vecTitle", "vecEmail", "vecPhone1", "vecPhone2", "vecFax", "vecWebsite"),
            *("vecAddress1", "vecAddress2", "vecAddress3", "vecCity", "vecState", "vecZip"),
        ),
        *columns(ColumnType.FLAG, "vecIsClient", "vecIsVendor", "vecIsEmployee"),
        *columns(ColumnType.TEXT, "vecCountry"),
        *columns(ColumnType.INTEGER, "vecStatus", "vecClientType", "vecVendorType"),
        *columns(ColumnType.TEXT, "vecClientNotes"),
        *columns(ColumnType.FLAG, "vecSyncToCRM"),
    ),
)

AX_CONTACT = SourceTable(
    name="AxContact",
    key=("cntKey",),
    columns=(
        *columns(ColumnType.INTEGER, "cntKey"),
        *columns(
            ColumnType.TEXT,
            *("cntFirstName", "cntMiddleName", "cntLastName", "cntTitle", "cntEmail"),
            *("cntPhone1", "cntPhone2"),
        ),
        *columns(ColumnType.INTEGER, "cntClient", "cntVendor"),
        *columns(ColumnType.TEXT, "cntFax"),
        *columns(ColumnType.INTEGER, "cntStatus"),
        *columns(ColumnType.FLAG, "cntSyncToCRM"),
    ),
)

AX_PROJECT = SourceTable(
    name="AxProject",
    key=("prjKey",),
    columns=(
        *columns(ColumnType.INTEGER, "prjKey"),
        *columns(ColumnType.TEXT, "prjID", "prjDescription", "prjNotes"),
        *columns(
            ColumnType.INTEGER,
            *("prjStatus", "prjProject"),
            *("prjProjectManager", "prjPrincipalInCharge", "prjMarketingContact"),
            "prjProjectType",
        ),
        *columns(ColumnType.FLAG, "prjSyncToCRM", "prjCreateInCRM"),
        *columns(ColumnType.INTEGER, "prjChanceOfWinning"),
        *columns(ColumnType.TEXT, "prjFinalDisposition", "prjBillingType"),
        *columns(ColumnType.DECIMAL, "prjPercentComplete"),
        *columns(ColumnType.INTEGER, "prjDepartment", "prjCompany"),
        *columns(
            ColumnType.DATE,
            *("prjEstimatedStartDate", "prjEstimatedCompletionDate"),
            *("prjActualStartDate", "prjActualCompletionDate"),
        ),
    ),
)

AX_INVOICE_GROUP = SourceTable(
    name="AxInvoiceGroup",
    key=("igKey",),
    columns=columns(ColumnType.INTEGER, "igKey", "igProject", "igClient"),
)

AX_RESOURCE = SourceTable(
    name="AxResource",
    key=("resKey",),
    columns=(
        *columns(ColumnType.INTEGER, "resKey", "resProject", "resEmployee"),
        *columns(ColumnType.TEXT, "resRole"),
        *columns(ColumnType.INTEGER, "resActivityType"),
        *columns(ColumnType.DECIMAL, "resBudgetAmount"),
        *columns(ColumnType.FLAG, "resBilledAsTE"),
    ),
)

AX_TRANSACTION = SourceTable(
    name="AxTransaction",
    key=("tKey",),
    columns=(
        *columns(ColumnType.INTEGER, "tKey", "tEmployee", "tVendor", "tProject"),
        *columns(ColumnType.FLAG, "tIsDeleted", "tIsCurrent"),
        *columns(ColumnType.INTEGER, "tActivity", "tEmployeeType"),
        *columns(ColumnType.DATE, "tDate"),
        *columns(ColumnType.DECIMAL, "tUnits", "tCostAmount", "tSpentAmount", "tBilledAmount"),
        *columns(ColumnType.FLAG, "tIsBillable"),
        *columns(ColumnType.INTEGER, "tClientInvoice"),
    ),
)

AX_ACTIVITY = SourceTable(
    name="AxActivity",
    key=("actKey",),
    columns=(*columns(ColumnType.INTEGER, "actKey", "actType"),),
)

AX_EMPLOYEE_TYPE = SourceTable(
    name="AxEmployeeType",
    key=("etKey",),
    columns=(
        *columns(ColumnType.INTEGER, "etKey"),
        *columns(ColumnType.TEXT, "etDescription"),
    ),
)

# Departments.
AX_ENTITY = SourceTable(
    name="AxEntity",
    key=("eKey",),
    columns=(
        *columns(ColumnType.INTEGER, "eKey"),
        *columns(ColumnType.DECIMAL, "eOverheadPercent"),
    ),
)

AX_COMPANY = SourceTable(
    name="AxCompany",
    key=("cmpKey",),
    columns=(
        *columns(ColumnType.INTEGER, "cmpKey"),
        *columns(ColumnType.DECIMAL, "cmpOverheadPercent"),
    ),
)

AX_CLIENT_INVOICE = SourceTable(
    name="AxClientInvoice",
    key=("ciKey",),
    columns=columns(ColumnType.INTEGER, "ciKey", "ciStatus"),
)

# A row for what a receipt pays of one phase, or project, and activity type.
AX_RECEIPT = SourceTable(
    name="AxReceipt",
    key=("rcKey",),
    columns=(
        *columns(ColumnType.INTEGER, "rcKey", "rcProject", "rcActivityType"),
        *columns(ColumnType.DECIMAL, "rcAmount"),
    ),
)

# A row for each phase of a project that was begun before the firm had Ajera.
AX_BEGINNING_BALANCE = SourceTable(
    name="AxBeginningBalance",
    key=("bbKey",),
    columns=(
        *columns(ColumnType.INTEGER, "bbKey", "bbProject"),
        *columns(
            ColumnType.DECIMAL,
            *("bbLaborCost", "bbLaborSpent", "bbLaborBilled"),
            *("bbExpenseCost", "bbExpenseSpent", "bbExpenseBilled"),
            *("bbConsultantCost", "bbConsultantSpent", "bbConsultantBilled"),
        ),
    ),
)

# What a connector can capture: where a route reads it, and only then, it does.
CAPTURED = (
    *(AX_VEC, AX_CONTACT, AX_PROJECT, AX_INVOICE_GROUP, AX_RESOURCE),
    *(AX_ACTIVITY, AX_EMPLOYEE_TYPE, AX_ENTITY, AX_COMPANY),
    *(AX_CLIENT_INVOICE, AX_TRANSACTION, AX_RECEIPT, AX_BEGINNING_BALANCE),
)

# -- never captured --------------------------------------------------------------------------------

# Written only: what Ajera's people do there is not exchanged.
AX_PROJECT_CONTACT = SourceTable(
    name="AxProjectContact",
    key=("pcKey",),
    columns=columns(ColumnType.INTEGER, "pcKey", "pcProject", "pcContact"),
)
