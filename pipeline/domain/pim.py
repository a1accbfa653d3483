"""Ajera to PIM: Deltek's page "Information synced between Ajera and PIM" (S-PIM),
one line here for each line there.

Names are the page's. Tables, keys and lengths of PIM are not published: they are assumptions
(`docs/assumptions.md`), and a site profile can rename each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from pipeline.domain.codes import CODES, PROJECT_CODE_LENGTH, next_code, project_code
from pipeline.errors import ValueRefused
from pipeline.mapping.convert import cut, reference, text
from pipeline.mapping.path import Path
from pipeline.mapping.site import Assumptions, Site
from pipeline.mapping.source import ColumnType
from pipeline.mapping.table import (
    AwaitParent,
    ChildRows,
    Column,
    CreateOnly,
    CreateParent,
    Derived,
    Expression,
    Related,
    RelatedRows,
    RowMissing,
    TableMapping,
    TextOfRow,
)
from pipeline.mapping.target import TargetColumn, TargetRow, TargetTable
from pipeline.mapping.terms import first_of, initials_of, joined, prefixed, text_or_key
from pipeline.model.event import Row, Value
from pipeline.model.ledger import LedgerRow

# --- PIM's tables ---------------------------------------------------------------------------------

ROLE_LENGTH = 100
PROJECT_STATUS = TargetTable(
    "Project_Status",
    key=("Name",),
    columns=(
        TargetColumn("Name", ColumnType.SHORT_TEXT, 50, nullable=False),
        TargetColumn("Completed", ColumnType.FLAG),
    ),
    rank=0,
)
ROLE_TYPE = TargetTable(
    "Role_Type",
    key=("Name",),
    columns=(TargetColumn("Name", ColumnType.SHORT_TEXT, ROLE_LENGTH, nullable=False),),
    rank=1,
)
ORGANIZATION = TargetTable(
    "Organization",
    key=("Organization ID",),
    columns=(
        TargetColumn("Organization ID", ColumnType.SHORT_TEXT, 30, nullable=False),
        TargetColumn("Name", length=100, nullable=False),
        TargetColumn("Address", length=500),
        TargetColumn("Post Code", length=20),
        TargetColumn("Phone Number", length=50),
        TargetColumn("Fax Number", length=50),
        TargetColumn("Web Address", length=255),
        TargetColumn("E-mail", length=255),
    ),
    rank=2,
)
CONTACT = TargetTable(
    "Contact",
    key=("Contact ID",),
    columns=(
        TargetColumn("Contact ID", ColumnType.SHORT_TEXT, 30, nullable=False),
        TargetColumn("Organization ID", ColumnType.SHORT_TEXT, 30),
        TargetColumn("Forename", length=50),
        TargetColumn("Middle Names", length=50),
        TargetColumn("Surname", length=50),
        TargetColumn("Title", length=20),
        TargetColumn("Job Title", length=100),
        TargetColumn("E-mail", length=255),
        TargetColumn("Mobile", length=50),
        TargetColumn("Direct Dial", length=50),
        TargetColumn("Created Date", ColumnType.INSTANT),
        TargetColumn("Document Initials", length=10),
    ),
    rank=3,
    references=(("Organization ID", "Organization"),),
)
PROJECT = TargetTable(
    "Project",
    key=("Project ID",),
    columns=(
        TargetColumn("Project ID", ColumnType.SHORT_TEXT, 30, nullable=False),
        TargetColumn("Project Code", ColumnType.SHORT_TEXT, PROJECT_CODE_LENGTH, nullable=False),
        TargetColumn("Name", length=100, nullable=False),
        TargetColumn("Description"),
        TargetColumn("Status", ColumnType.SHORT_TEXT, 50, nullable=False),
        TargetColumn("Client", length=100),
        TargetColumn("Client Address 1", length=100),
        TargetColumn("Client Address 2", length=100),
        TargetColumn("City", length=50),
        TargetColumn("State", length=50),
        TargetColumn("Zip", length=20),
    ),
    rank=4,
    references=(("Status", "Project_Status"),),
    unique=("Project Code",),
)
PROJECT_CONTACT = TargetTable(
    "Project_Contact",
    key=("Project ID", "Role Type", "Contact ID"),
    columns=(
        TargetColumn("Project ID", ColumnType.SHORT_TEXT, 30, nullable=False),
        TargetColumn("Role Type", ColumnType.SHORT_TEXT, ROLE_LENGTH, nullable=False),
        TargetColumn("Contact ID", ColumnType.SHORT_TEXT, 30, nullable=False),
    ),
    rank=5,
    references=(("Project ID", "Project"), ("Role Type", "Role_Type"), ("Contact ID", "Contact")),
)
TARGET_TABLES = (PROJECT_STATUS, ROLE_TYPE, ORGANIZATION, CONTACT, PROJECT, PROJECT_CONTACT)

# --- rules of the page ----------------------------------------------------------------------------


def _mobile(row: Row, site: Site) -> Value:
    return text(row[site.assumptions.employee_mobile])


def _direct_dial(row: Row, site: Site) -> Value:
    return text(row[site.assumptions.employee_direct_dial])


def _status(row: Row, site: Site) -> Value:
    code = row["prjStatus"]
    found = site.assumptions.status_texts.get(code) if isinstance(code, int) else None
    if found is None:
        raise ValueRefused(
            "AxProject.prjStatus holds a code that has no text in this site's profile"
        )
    return found


def _new_status(name: str, site: Site) -> Row:
    return {"Name": name, "Completed": name in site.assumptions.completed_statuses}


def _internal(site: Site) -> Value:
    return site.assumptions.internal_organization


def _now(_: Site) -> Value:
    return datetime.now(UTC)


def _client_of(neighbours: RelatedRows) -> LedgerRow | None:
    """The client of the first invoice group: the group with the lowest igKey (evidence.md 3.5;
    assumption 8).
    """
    group = next(neighbours.children("AxInvoiceGroup"), None)
    client = None if group is None else reference(group.values["igClient"])
    return None if client is None else neighbours.row("AxVec", client)


def _client_column(column: str, target: str) -> Related:
    return Related(
        target,
        ("AxInvoiceGroup", "AxVec"),
        f"{column} of the first invoice group's client",
        TextOfRow(_client_of, column),
        note="S-PIM",
    )


def _roles(neighbours: RelatedRows) -> tuple[Sequence[TargetRow], Sequence[RowMissing]]:
    """Role rows of a project: manager, principal, marketing contact,
    then the further roles of AxResource.
    """
    assumptions, root = neighbours.site.assumptions, neighbours.root
    standard = (
        ("prjProjectManager", assumptions.project_manager_role),
        ("prjPrincipalInCharge", assumptions.principal_role),
        ("prjMarketingContact", assumptions.marketing_role),
    )
    wanted = [
        (role, reference(root.values[column]))
        for column, role in standard
        if root.values[column] is not None
    ]
    resources = [*neighbours.children("AxResource")]
    if not wanted and not resources:
        return (), ()
    names = {role.lower(): role for _, role in standard} if resources else {}
    for resource in resources:
        role = text(resource.values["resRole"])
        if role is not None:
            role = cut(role, ROLE_LENGTH, utf16=True)
            wanted.append(
                (names.get(role.lower(), role), reference(resource.values["resEmployee"]))
            )
    rows: set[tuple[str, ...]] = set()
    missing: list[RowMissing] = []
    for role, employee in wanted:
        if employee is None:
            continue
        try:
            row = neighbours.row("AxVec", employee)
        except RowMissing as error:
            missing.append(error.kept())
            continue
        if row.values["ever_vecIsEmployee"]:
            rows.add((root.key, role, f"em-{employee}"))
    return [TargetRow("Project_Contact", key, {}) for key in sorted(rows)], missing


# --- the page's five tables -----------------------------------------------------------------------


def _organization_lines(prefix: str) -> tuple[Column | Derived, ...]:
    return (
        #      Ajera column(s)                                       PIM field
        Derived(
            "Name", text_or_key("vecDescription", prefix, "vecKey"), note="PIM requires a name"
        ),
        Derived(
            "Address", joined("vecAddress1", "vecAddress2", "vecAddress3", "vecCity", "vecState")
        ),
        Column("vecZip", "Post Code"),
        Derived(
            "Phone Number",
            first_of("vecPhone1", "vecPhone2"),
            note="second only if the first is empty",
        ),
        Column("vecFax", "Fax Number"),
        Column("vecWebsite", "Web Address"),
        Column("vecEmail", "E-mail"),
    )


CLIENT = TableMapping(
    name="client",
    entity="clients",
    source="AxVec",
    target="Organization",
    only_if="ever_vecIsClient",
    key=Derived("Organization ID", prefixed("cl-", "vecKey"), note="cl-101 for vecKey 101"),
    lines=_organization_lines("cl-"),
    note="Removing a contact from a client does not change the organization in PIM.",
)

VENDOR = TableMapping(
    name="vendor",
    entity="vendors",
    source="AxVec",
    target="Organization",
    only_if="ever_vecIsVendor",
    key=Derived("Organization ID", prefixed("ve-", "vecKey"), note="ve-102 for vecKey 102"),
    lines=_organization_lines("ve-"),
    note="Removing a contact from a vendor does not change the organization in PIM.",
)

EMPLOYEE = TableMapping(
    name="employee",
    entity="employees",
    source="AxVec",
    target="Contact",
    only_if="ever_vecIsEmployee",
    key=Derived("Contact ID", prefixed("em-", "vecKey"), note="em-103 for vecKey 103"),
    lines=(
        Derived("Organization ID", Expression((), "'Internal'", lambda _, site: _internal(site))),
        Column("vecFirstName", "Forename"),
        Column("vecLastName", "Surname"),
        CreateOnly(
            "Title",
            "'-'",
            lambda site: site.assumptions.prefilled_title,
            note="what a person types there stays",
        ),
        Column("vecMiddleName", "Middle Names"),
        Column("vecTitle", "Job Title"),
        Column("vecEmail", "E-mail", note="used for single sign-on"),
        Derived(
            "Mobile",
            Expression(("vecPhone1", "vecPhone2"), "vecPhone2", _mobile),
            note="as CRM's map if CRM is on",
        ),
        Derived(
            "Direct Dial",
            Expression(("vecPhone1", "vecPhone2"), "vecPhone1", _direct_dial),
            note="as CRM's map if CRM is on",
        ),
        CreateOnly("Created Date", "now", _now),
        Derived("Document Initials", initials_of("vecFirstName", "vecLastName")),
    ),
    parents=(
        CreateParent(
            "Organization ID", "Organization", lambda key, _: {"Organization ID": key, "Name": key}
        ),
    ),
)

PERSON = TableMapping(
    name="contact",
    entity="contacts",
    source="AxContact",
    target="Contact",
    only_if=None,
    key=Derived("Contact ID", prefixed("co-", "cntKey"), note="co-104 for cntKey 104"),
    lines=(
        Column(
            "organization",
            "Organization ID",
            note="Integration Client or Vendor; removing it changes nothing",
        ),
        Column("cntFirstName", "Forename"),
        Column("cntLastName", "Surname"),
        CreateOnly(
            "Title",
            "'-'",
            lambda site: site.assumptions.prefilled_title,
            note="what a person types there stays",
        ),
        Column("cntMiddleName", "Middle Names"),
        Column("cntTitle", "Job Title"),
        Column("cntEmail", "E-mail"),
        Column("cntPhone2", "Mobile"),
        Column("cntPhone1", "Direct Dial"),
        CreateOnly("Created Date", "now", _now),
        Derived("Document Initials", initials_of("cntFirstName", "cntLastName")),
    ),
    parents=(AwaitParent("Organization ID", "Organization", "AxVec"),),
    paths=(Path("AxContact", "organization", "AxVec", prefixes=("cl-", "ve-")),),
)

ENGAGEMENT = TableMapping(
    name="project",
    entity="projects",
    source="AxProject",
    target="Project",
    only_if="ever_project",
    key=Derived("Project ID", prefixed("", "prjKey"), note="project only: no phases go to PIM"),
    lines=(
        Derived("Name", text_or_key("prjDescription", "", "prjKey"), note="PIM requires a name"),
        Column("prjNotes", "Description"),
        Related(
            "Project Code",
            (),
            "prjID; generated if blank, made unique if it is not",
            project_code,
            instead=next_code,
        ),
        Derived(
            "Status",
            Expression(("prjStatus",), "text of the status code", _status),
            note="created in PIM if it does not exist",
        ),
        _client_column("vecDescription", "Client"),
        _client_column("vecAddress1", "Client Address 1"),
        _client_column("vecAddress2", "Client Address 2"),
        _client_column("vecCity", "City"),
        _client_column("vecState", "State"),
        _client_column("vecZip", "Zip"),
    ),
    parents=(CreateParent("Status", "Project_Status", _new_status),),
    children=(
        ChildRows(
            "Project_Contact",
            needs=("AxResource", "AxVec"),
            words="manager, principal, marketing contact and further roles, as role and employee",
            of=_roles,
            parents=(
                CreateParent("Role Type", "Role_Type", lambda key, _: {"Name": key}),
                AwaitParent("Contact ID", "Contact", "AxVec"),
            ),
            note="an unknown role type is created; a person taken off a role is taken off in PIM",
        ),
    ),
    paths=(
        Path("AxInvoiceGroup", "igProject", "AxProject", left="left_igProject"),
        Path("AxInvoiceGroup", "igClient", "AxVec"),
        Path("AxProject", "prjProjectManager", "AxVec"),
        Path("AxProject", "prjPrincipalInCharge", "AxVec"),
        Path("AxProject", "prjMarketingContact", "AxVec"),
        Path("AxResource", "resProject", "AxProject", left="left_resProject"),
        Path("AxResource", "resEmployee", "AxVec"),
    ),
    groups=(CODES,),
)

MAPPINGS = (CLIENT, VENDOR, EMPLOYEE, PERSON, ENGAGEMENT)

# What a line rests on that the vendor's page leaves open, by mapping and target column.
RESTS_ON: Mapping[tuple[str, str], tuple[int, ...]] = {
    ("client", "Name"): (26,),
    ("client", "Address"): (11,),
    ("vendor", "Name"): (26,),
    ("vendor", "Address"): (11,),
    ("employee", "Mobile"): (29,),
    ("employee", "Direct Dial"): (29,),
    ("employee", "Document Initials"): (15,),
    ("contact", "Organization ID"): (7, 13),
    ("contact", "Document Initials"): (15,),
    ("project", "Name"): (26,),
    ("project", "Project Code"): (12, 31),
    ("project", "Status"): (16, 30),
    **{("project", column): (8,) for column in ("Client", "Client Address 1", "Client Address 2")},
    **{("project", column): (8,) for column in ("City", "State", "Zip")},
    ("project", "Project_Contact"): (7, 14),
}
# Lines whose words are this site's assumptions.
ASSUMED: Mapping[tuple[str, str], Callable[[Assumptions], str]] = {
    ("employee", "Organization ID"): lambda site: f"'{site.internal_organization}'",
    ("employee", "Title"): lambda site: f"'{site.prefilled_title}'",
    ("employee", "Mobile"): lambda site: site.employee_mobile,
    ("employee", "Direct Dial"): lambda site: site.employee_direct_dial,
    ("contact", "Title"): lambda site: f"'{site.prefilled_title}'",
}
NOTE = (
    'One line here for each line of Deltek\'s page "Information synced between Ajera and PIM". '
    "Assumptions are numbered as in `docs/assumptions.md`; 18 and 26 hold for every line."
)
