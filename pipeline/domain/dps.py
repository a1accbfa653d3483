"""The tables that Ajera and DPS exchange: the columns that the maps name,
with each system's own names.

DPS: evidence.md 4.2 and 4.3. Ajera: 3.2 to 3.4;
columns whose names are guesses are in docs/assumptions.md.
"""

from __future__ import annotations

from pipeline.mapping.source import ColumnType, SourceColumn, SourceTable
from pipeline.pairing.entity import CodeList, ListTable, TemplateRows


def _columns(kind: ColumnType, *names: str) -> tuple[SourceColumn, ...]:
    return tuple(SourceColumn(name, kind) for name in names)


def _text(*names: str) -> tuple[SourceColumn, ...]:
    return _columns(ColumnType.TEXT, *names)


CLENDOR = SourceTable(
    name="Clendor",
    key="ClientID",
    columns=_text(
        *("ClientID", "Name", "Status", "ClientInd", "VendorInd", "Type"),
        *("WebSite", "Memo", "VendorType", "AjeraSync"),
    ),
)
CL_ADDRESS = SourceTable(
    name="CLAddress",
    key="ClientID",
    further_key=("Address",),
    columns=_text(
        *("ClientID", "Address", "PrimaryInd", "Address1", "Address2", "Address3"),
        *("City", "State", "ZIP", "Country", "Phone", "FAX", "EMail"),
    ),
)
CONTACTS = SourceTable(
    name="Contacts",
    key="ContactID",
    columns=_text(
        *("ContactID", "ClientID", "FirstName", "MiddleName", "LastName", "Title", "EMail"),
        *("Phone", "CellPhone", "FAX", "Status", "AjeraSync"),
    ),
)
PR = SourceTable(
    name="PR",
    key="WBS1",
    further_key=("WBS2", "WBS3"),
    columns=(
        *_text(
            "WBS1",
            "WBS2",
            "WBS3",
            "Name",
            "LongName",
            "Status",
            "ProjectType",
            "ProjectTemplate",
            "ClientID",
        ),
        *_text("Memo"),
        *_columns(ColumnType.INTEGER, "Probability"),
        *_text("Stage", "AjeraSync"),
    ),
)
PR_CONTACT_ASSOC = SourceTable(
    name="PRContactAssoc",
    key="WBS1",
    further_key=("WBS2", "WBS3", "ContactID"),
    columns=_text("WBS1", "WBS2", "WBS3", "ContactID", "AjeraSync"),
)
EM = SourceTable(
    name="EM",
    key="Employee",
    columns=_text(
        "Employee", "FirstName", "MiddleName", "LastName", "EMail", "HomePhone", "Status"
    ),
)

AX_VEC = SourceTable(
    name="AxVec",
    key="vecKey",
    columns=(
        *_columns(ColumnType.INTEGER, "vecKey"),
        *_text("vecDescription", "vecFirstName", "vecMiddleName", "vecLastName", "vecEmail"),
        *_text("vecPhone1", "vecPhone2", "vecFax", "vecWebsite"),
        *_text(
            "vecAddress1",
            "vecAddress2",
            "vecAddress3",
            "vecCity",
            "vecState",
            "vecZip",
            "vecCountry",
        ),
        *_columns(ColumnType.FLAG, "vecIsClient", "vecIsVendor", "vecIsEmployee"),
        *_columns(ColumnType.INTEGER, "vecStatus", "vecClientType", "vecVendorType"),
        *_text("vecClientNotes"),
        *_columns(ColumnType.FLAG, "vecSyncToCRM"),
    ),
)
AX_CONTACT = SourceTable(
    name="AxContact",
    key="cntKey",
    columns=(
        *_columns(ColumnType.INTEGER, "cntKey"),
        *_text(
            "cntFirstName",
            "cntMiddleName",
            "cntLastName",
            "cntTitle",
            "cntEmail",
            "cntPhone1",
            "cntPhone2",
        ),
        *_text("cntFax"),
        *_columns(ColumnType.INTEGER, "cntStatus", "cntClient"),
        *_columns(ColumnType.FLAG, "cntSyncToCRM"),
    ),
)
AX_PROJECT = SourceTable(
    name="AxProject",
    key="prjKey",
    columns=(
        *_columns(ColumnType.INTEGER, "prjKey"),
        *_text("prjID", "prjDescription", "prjNotes"),
        *_columns(ColumnType.INTEGER, "prjStatus", "prjProject", "prjProjectType"),
        *_columns(ColumnType.FLAG, "prjSyncToCRM", "prjCreateInCRM"),
        *_columns(ColumnType.INTEGER, "prjChanceOfWinning"),
        *_text("prjFinalDisposition"),
    ),
)
AX_INVOICE_GROUP = SourceTable(
    name="AxInvoiceGroup",
    key="igKey",
    columns=_columns(ColumnType.INTEGER, "igKey", "igProject", "igClient"),
)
# Written only: what Ajera's people do there is not exchanged, so it is not captured.
AX_PROJECT_CONTACT = SourceTable(
    name="AxProjectContact",
    key="pcKey",
    columns=_columns(ColumnType.INTEGER, "pcKey", "pcProject", "pcContact"),
)
# Read only, by a query: it is not captured.
AX_TRANSACTION = SourceTable(
    name="AxTransaction",
    key="tKey",
    columns=(
        *_columns(ColumnType.INTEGER, "tKey", "tEmployee", "tVendor", "tProject"),
        *_columns(ColumnType.FLAG, "tIsDeleted", "tIsCurrent"),
    ),
)

DPS_TABLES = (CLENDOR, CL_ADDRESS, CONTACTS, PR, PR_CONTACT_ASSOC, EM)
AJERA_TABLES = (AX_VEC, AX_CONTACT, AX_PROJECT, AX_INVOICE_GROUP)

CREATED_IN_AJERA = (*AJERA_TABLES, AX_PROJECT_CONTACT)

# Lists are never created by us: "types are not auto-created" (evidence.md 1.3).
CODE_LISTS = (
    CodeList(
        "client_type",
        "Client Type (CRM: Company Market)",
        ListTable("AxClientType", "ctKey", "ctDescription"),
        ListTable("CFGClientTypeDescriptions", "Code", "Description"),
    ),
    CodeList(
        "project_type",
        "Project Type",
        ListTable("AxProjectType", "ptKey", "ptDescription"),
        ListTable("CFGProjectTypeDescriptions", "Code", "Description"),
    ),
    CodeList(
        "project_template",
        "Ajera Project Template",
        ListTable("AxProjectTemplate", "tplKey", "tplDescription"),
        ListTable("CFGProjectTemplateDescriptions", "Code", "Description"),
    ),
    CodeList(
        "consultant",
        "consultant Vendor Type",
        ListTable("AxVendorType", "vtKey", "vtDescription", "vtIsConsultant"),
    ),
)

# A project made from a template gets its phases (S-DPS: "The template controls prefill the WBS used
# on the project"). It has one phase and one invoice group at least,
# as Ajera's own CreateProjects demands (3.6; assumption 41).
FILLS = (
    TemplateRows(
        of="AxProject",
        by="@template",
        source="AxProjectTemplatePhase",
        where="tphTemplate",
        into="AxProject",
        key="prjKey",
        owner="prjProject",
        copied=(("tphOrder", "prjOrder"), ("tphDescription", "prjDescription")),
        at_least=(("prjDescription", "prjDescription"),),
        constants={"prjStatus": 0},
    ),
    TemplateRows(
        of="AxProject",
        into="AxInvoiceGroup",
        key="igKey",
        owner="igProject",
        constants={"igClient": None},
    ),
)
