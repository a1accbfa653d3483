"""DPS's tables: every column that any route uses, with DPS's own names (evidence.md 4.2 and 4.3).

The same columns stand in `schemas/dps/*.avsc`, the contract that each writer schema is checked
against; a test keeps the two alike.
"""

from __future__ import annotations

from pipeline.mapping.source import ColumnType, SourceTable, columns

CLENDOR = SourceTable(
    name="Clendor",
    key=("ClientID",),
    columns=columns(
        ColumnType.TEXT,
        *("ClientID", "Name", "Status", "ClientInd", "VendorInd", "Type"),
        *("WebSite", "Memo", "VendorType", "AjeraSync"),
    ),
)

CL_ADDRESS = SourceTable(
    name="CLAddress",
    key=("ClientID", "Address"),
    columns=columns(
        ColumnType.TEXT,
        *("ClientID", "Address", "PrimaryInd", "Address1", "Address2", "Address3"),
        *("City", "State", "ZIP", "Country", "Phone", "FAX", "EMail"),
    ),
)

CONTACTS = SourceTable(
    name="Contacts",
    key=("ContactID",),
    columns=columns(
        ColumnType.TEXT,
        *("ContactID", "ClientID", "FirstName", "MiddleName", "LastName", "Title", "EMail"),
        *("Phone", "CellPhone", "FAX", "Status", "AjeraSync"),
    ),
)

PR = SourceTable(
    name="PR",
    key=("WBS1", "WBS2", "WBS3"),
    columns=(
        *columns(
            ColumnType.TEXT,
            *("WBS1", "WBS2", "WBS3", "Name", "LongName", "Status"),
            *("ProjectType", "ProjectTemplate", "ClientID", "Memo"),
        ),
        *columns(ColumnType.INTEGER, "Probability"),
        *columns(ColumnType.TEXT, "Stage", "AjeraSync"),
        *columns(ColumnType.DATE, "StartDate", "EstCompletionDate", "ActCompletionDate"),
        *columns(
            ColumnType.DECIMAL,
            *("TotalProjectCost", "FirmCost", "PctComp", "BudOHRate"),
            *("Fee", "FeeDirLab", "FeeDirExp", "ConsultFee"),
            *("ReimbAllow", "ReimbAllowExp", "ReimbAllowCons"),
            *("AjeraSpentLabor", "AjeraSpentReimbursable", "AjeraSpentConsultant"),
            *("AjeraCostLabor", "AjeraCostReimbursable", "AjeraCostConsultant"),
            *("AjeraWIPLabor", "AjeraWIPReimbursable", "AjeraWIPConsultant"),
            *("AjeraBilledLabor", "AjeraBilledReimbursable", "AjeraBilledConsultant"),
            *("AjeraReceivedLabor", "AjeraReceivedReimbursable", "AjeraReceivedConsultant"),
        ),
    ),
)

PR_CONTACT_ASSOC = SourceTable(
    name="PRContactAssoc",
    key=("WBS1", "WBS2", "WBS3", "ContactID"),
    columns=columns(ColumnType.TEXT, "WBS1", "WBS2", "WBS3", "ContactID", "AjeraSync"),
)

EM = SourceTable(
    name="EM",
    key=("Employee",),
    columns=columns(
        ColumnType.TEXT,
        *("Employee", "FirstName", "MiddleName", "LastName", "EMail", "HomePhone", "Status"),
    ),
)

# The Team tab: employees on projects.
EM_PROJECT_ASSOC = SourceTable(
    name="EMProjectAssoc",
    key=("RecordID",),
    columns=(
        *columns(ColumnType.TEXT, "RecordID", "WBS1", "WBS2", "WBS3", "Employee", "Role"),
        *columns(ColumnType.DATE, "StartDate"),
        *columns(ColumnType.DECIMAL, "Hours"),
    ),
)

# What a connector can capture: where a route reads it, and only then, it does.
CAPTURED = (CLENDOR, CL_ADDRESS, CONTACTS, PR, PR_CONTACT_ASSOC, EM, EM_PROJECT_ASSOC)
