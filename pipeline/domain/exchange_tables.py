"""What the exchange reads and writes of Ajera's and DPS's tables, and the lists beside them.

Picks: a column that only another route uses is not asked for.
"""

from __future__ import annotations

from pipeline.conflicts.rules import Side
from pipeline.domain import ajera, dps
from pipeline.pairing.entity import CodeList, ListTable, TemplateRows

AX_VEC = ajera.AX_VEC.pick(
    *("vecDescription", "vecFirstName", "vecMiddleName", "vecLastName", "vecEmail"),
    *("vecPhone1", "vecPhone2", "vecFax", "vecWebsite"),
    *("vecAddress1", "vecAddress2", "vecAddress3", "vecCity", "vecState", "vecZip", "vecCountry"),
    *("vecIsClient", "vecIsVendor", "vecIsEmployee", "vecSyncToCRM"),
    *("vecStatus", "vecClientType", "vecVendorType", "vecClientNotes"),
)
AX_CONTACT = ajera.AX_CONTACT.pick(
    *("cntFirstName", "cntMiddleName", "cntLastName", "cntTitle", "cntEmail"),
    *("cntPhone1", "cntPhone2", "cntFax", "cntStatus", "cntClient", "cntSyncToCRM"),
)
AX_PROJECT = ajera.AX_PROJECT.pick(
    *("prjID", "prjDescription", "prjNotes", "prjStatus", "prjProject", "prjProjectType"),
    *("prjSyncToCRM", "prjCreateInCRM", "prjChanceOfWinning", "prjFinalDisposition"),
)

# Read by a query, to know who has time on linked projects.
AX_TRANSACTION = ajera.AX_TRANSACTION.pick(
    *("tEmployee", "tVendor", "tProject", "tIsDeleted", "tIsCurrent"),
)
PR = dps.PR.pick(
    *("WBS2", "WBS3", "Name", "LongName", "Status", "ProjectType", "ProjectTemplate"),
    *("ClientID", "Memo", "Probability", "Stage", "AjeraSync"),
)

# Captured for the exchange.
AJERA_TABLES = (AX_VEC, AX_CONTACT, AX_PROJECT, ajera.AX_INVOICE_GROUP)
DPS_TABLES = (dps.CLENDOR, dps.CL_ADDRESS, dps.CONTACTS, PR, dps.PR_CONTACT_ASSOC, dps.EM)
SIDES = {
    table.name: side
    for side, tables in ((Side.AJERA, AJERA_TABLES), (Side.DPS, DPS_TABLES))
    for table in tables
}

# Where it makes rows in Ajera.
CREATED_IN_AJERA = (*AJERA_TABLES, ajera.AX_PROJECT_CONTACT)

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
