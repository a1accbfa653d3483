"""Ajera's tables: every column that any route uses, with Ajera's own names (evidence.md,
sections 3.2 to 3.5; names that are guesses are in docs/assumptions.md).

The same columns stand, with their types and evidence, in `schemas/ajera/*.avsc`, the contract that
each writer schema is checked against; a test keeps the two alike. Which of them a route reads is
the route's: `pim_mirror.py`, `exchange_tables.py`.
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
        *columns(ColumnType.TEXT, "prjFinalDisposition"),
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
    ),
)

# What a connector can capture: where a route reads it, and only then, it does.
CAPTURED = (AX_VEC, AX_CONTACT, AX_PROJECT, AX_INVOICE_GROUP, AX_RESOURCE)

# -- never captured --------------------------------------------------------------------------------

# Written only: what Ajera's people do there is not exchanged.
AX_PROJECT_CONTACT = SourceTable(
    name="AxProjectContact",
    key=("pcKey",),
    columns=columns(ColumnType.INTEGER, "pcKey", "pcProject", "pcContact"),
)
# Read only, by a query.
AX_TRANSACTION = SourceTable(
    name="AxTransaction",
    key=("tKey",),
    columns=(
        *columns(ColumnType.INTEGER, "tKey", "tEmployee", "tVendor", "tProject"),
        *columns(ColumnType.FLAG, "tIsDeleted", "tIsCurrent"),
    ),
)
