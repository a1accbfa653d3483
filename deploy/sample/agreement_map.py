"""What Ajera and DPS must agree on, line by line, as plain SQL:
the judge's own reading of the vendor's pages.

Each line has one expression a side. Both are written so that they are equal where the two sides say
the same: text without blanks around, cut as DPS's column cuts it, types by their description,
references as keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from deploy.sample.naming import BLANKS


def text(name: str, length: int | None = None) -> str:
    """Trimmed text, blank is null; cut to `length`."""
    trimmed = f"btrim({name}, {BLANKS})"
    return (
        f"NULLIF({trimmed}, '')"
        if length is None
        else f"NULLIF(rtrim(left({trimmed}, {length}), {BLANKS}), '')"
    )


def digest(name: str) -> str:
    """Of long text its digest: only whether it is the same matters here."""
    return f"md5({text(name)})"


def described(code: str, description: str) -> str:
    """An entry of a list by its description, in small letters;
    one that the list lacks is unlike any other.
    """
    return (
        f"CASE WHEN {code} IS NULL THEN NULL ELSE COALESCE(lower({text(description)}), '?' || "
        f"{code}::text) END"
    )


def letter(status: str, inactive: str) -> str:
    """1 is active, and so is a row without a status."""
    return f"CASE WHEN COALESCE({status}, 1) = 1 THEN 'A' ELSE '{inactive}' END"


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `refers_to`: the values are keys of that entity. `leaves_ajera`: DPS sends, and
    Ajera's own edits stay; where it is not, and the line flows one way, Ajera sends.

    `unsaid`: Ajera sends, and its blank column says nothing of a row that was made from one of DPS,
    until somebody does.
    """

    name: str
    ajera: str
    dps: str
    refers_to: str = ""
    leaves_ajera: bool = False
    unsaid: bool = False


def same(name: str, ajera: str, dps: str, length: int | None = None) -> Line:
    """Text on both sides, as long as DPS's column."""
    return Line(name, text(f"{{{ajera}}}", length), text(f"{{{dps}}}"))


@dataclass(frozen=True, slots=True)
class End:
    """One side of an entity: where its rows are, and which of them must have a counterpart (`due`).

    `parent`: the key of the row without whose counterpart none of this is due.
    """

    table: str
    key: Sequence[str]
    due: str = "false"
    joins: str = ""
    parent: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Pairing:
    """An entity. `parent`: that of the entity whose pairs it hangs on."""

    entity: str
    ajera: End
    dps: End
    lines: Sequence[Line] = field(default=())
    parent: str = ""


FIRM_TYPE = "LEFT JOIN {AxClientType} ON {AxClientType.ctKey} = {AxVec.vecClientType}"
FIRM_CODE = "LEFT JOIN {CFGClientTypeDescriptions} ON {CFGClientTypeDescriptions.Code} = " + text(
    "{Clendor.Type}"
)
JOB_TYPE = "LEFT JOIN {AxProjectType} ON {AxProjectType.ptKey} = {AxProject.prjProjectType}"
JOB_CODE = "LEFT JOIN {CFGProjectTypeDescriptions} ON {CFGProjectTypeDescriptions.Code} = " + text(
    "{PR.ProjectType}"
)
CONSULTANTS = (
    "(SELECT {AxVendorType.vtKey} FROM {AxVendorType} WHERE {AxVendorType.vtIsConsultant})"
)
ADDRESS = (
    *(f"Address{n}" for n in (1, 2, 3)),
    "City",
    "State",
    "Zip",
    "Phone1",
    "Fax",
    "Email",
)
HAS_ADDRESS = f"COALESCE({', '.join(text(f'{{AxVec.vec{name}}}') for name in ADDRESS)}) IS NOT NULL"
WBS = ("WBS1", "WBS2", "WBS3")
IS_JOB = f"{text('{PR.WBS2}')} IS NULL AND {text('{PR.WBS3}')} IS NULL"
LONG_NAME = text("{PR.LongName}")
JOB_STATUS = (
    "CASE WHEN {AxProject.prjStatus} IN (2, 3, 4) THEN 'D' WHEN {AxProject.prjStatus} = 5 THEN "
    "'I' ELSE 'A' END"
)
FINAL = (
    f"CASE {text('{PR.Stage}')} WHEN 'Won' THEN 'Won' WHEN 'Lost' THEN 'Lost'"
    " WHEN 'DNP' THEN 'Do Not Pursue' WHEN 'Do Not Pursue' THEN 'Do Not Pursue' END"
)

PAIRINGS: Sequence[Pairing] = (
    Pairing(
        "firm",
        End("AxVec", ["vecKey"], "{AxVec.vecIsClient} AND {AxVec.vecSyncToCRM}", FIRM_TYPE),
        End(
            "Clendor",
            ["ClientID"],
            "{Clendor.ClientInd} = 'Y' AND {Clendor.AjeraSync} = 'Y'",
            FIRM_CODE,
        ),
        (
            same("name", "AxVec.vecDescription", "Clendor.Name", 100),
            same("website", "AxVec.vecWebsite", "Clendor.WebSite", 255),
            Line("notes", digest("{AxVec.vecClientNotes}"), digest("{Clendor.Memo}")),
            Line(
                "market",
                described("{AxVec.vecClientType}", "{AxClientType.ctDescription}"),
                described(text("{Clendor.Type}"), "{CFGClientTypeDescriptions.Description}"),
            ),
            Line("status", letter("{AxVec.vecStatus}", "D"), text("{Clendor.Status}"), unsaid=True),
        ),
    ),
    Pairing(
        "firm_address",
        End("AxVec", ["vecKey"], HAS_ADDRESS, parent=["vecKey"]),
        End("CLAddress", ["ClientID", "Address"], parent=["ClientID"]),
        (
            *(
                same(f"address{n}", f"AxVec.vecAddress{n}", f"CLAddress.Address{n}", 50)
                for n in (1, 2, 3)
            ),
            same("city", "AxVec.vecCity", "CLAddress.City", 30),
            same("state", "AxVec.vecState", "CLAddress.State", 10),
            same("zip", "AxVec.vecZip", "CLAddress.ZIP", 10),
            same("phone", "AxVec.vecPhone1", "CLAddress.Phone", 24),
            same("fax", "AxVec.vecFax", "CLAddress.FAX", 24),
            same("email", "AxVec.vecEmail", "CLAddress.EMail", 50),
        ),
        parent="firm",
    ),
    Pairing(
        "contact",
        End("AxContact", ["cntKey"], "{AxContact.cntSyncToCRM}"),
        End("Contacts", ["ContactID"], "{Contacts.AjeraSync} = 'Y'"),
        (
            same("first_name", "AxContact.cntFirstName", "Contacts.FirstName", 25),
            same("middle_name", "AxContact.cntMiddleName", "Contacts.MiddleName", 30),
            Line(
                "last_name",
                f"COALESCE({text('{AxContact.cntLastName}', 30)}, '.')",
                text("{Contacts.LastName}"),
            ),
            same("title", "AxContact.cntTitle", "Contacts.Title", 50),
            same("email", "AxContact.cntEmail", "Contacts.EMail", 255),
            same("phone", "AxContact.cntPhone1", "Contacts.Phone", 24),
            same("mobile", "AxContact.cntPhone2", "Contacts.CellPhone", 24),
            same("fax", "AxContact.cntFax", "Contacts.FAX", 24),
            Line(
                "status",
                letter("{AxContact.cntStatus}", "I"),
                text("{Contacts.Status}"),
                unsaid=True,
            ),
            Line(
                "firm",
                "NULLIF({AxContact.cntClient}, 0)::text",
                text("{Contacts.ClientID}"),
                "firm",
            ),
        ),
    ),
    Pairing(
        "employee",
        End("AxVec", ["vecKey"], "{AxVec.vecIsEmployee}"),
        End("EM", ["Employee"]),
        (
            same("first_name", "AxVec.vecFirstName", "EM.FirstName", 25),
            same("middle_name", "AxVec.vecMiddleName", "EM.MiddleName", 50),
            Line(
                "last_name",
                f"COALESCE({text('{AxVec.vecLastName}', 50)}, '.')",
                text("{EM.LastName}"),
            ),
            same("email", "AxVec.vecEmail", "EM.EMail", 50),
            same("phone", "AxVec.vecPhone1", "EM.HomePhone", 24),
        ),
    ),
    Pairing(
        "vendor",
        End(
            "AxVec",
            ["vecKey"],
            f"{{AxVec.vecIsVendor}} AND {{AxVec.vecVendorType}} IN {CONSULTANTS}"
            " AND NOT ({AxVec.vecIsClient} AND {AxVec.vecSyncToCRM})",
        ),
        End("Clendor", ["ClientID"]),
        (
            same("name", "AxVec.vecDescription", "Clendor.Name", 100),
            same("website", "AxVec.vecWebsite", "Clendor.WebSite", 255),
            Line("status", letter("{AxVec.vecStatus}", "D"), text("{Clendor.Status}"), unsaid=True),
        ),
    ),
    Pairing(
        "project",
        End(
            "AxProject",
            ["prjKey"],
            "{AxProject.prjCreateInCRM} AND {AxProject.prjStatus} <> 5"
            " AND COALESCE({AxProject.prjProject}, 0) IN (0, {AxProject.prjKey})",
            JOB_TYPE,
        ),
        End("PR", WBS, f"{IS_JOB} AND {{PR.AjeraSync}} = 'Y'", JOB_CODE),
        (
            Line(
                "name",
                text("{AxProject.prjDescription}", 255),
                (
                    f"CASE WHEN char_length({LONG_NAME}) > 40 THEN {LONG_NAME} ELSE "
                    f"{text('{PR.Name}')} END"
                ),
            ),
            Line("notes", digest("{AxProject.prjNotes}"), digest("{PR.Memo}")),
            Line(
                "type",
                described("{AxProject.prjProjectType}", "{AxProjectType.ptDescription}"),
                described(text("{PR.ProjectType}"), "{CFGProjectTypeDescriptions.Description}"),
            ),
            Line("status", JOB_STATUS, text("{PR.Status}")),
            Line(
                "chance",
                "{AxProject.prjChanceOfWinning}::text",
                "{PR.Probability}::text",
                leaves_ajera=True,
            ),
            Line("disposition", text("{AxProject.prjFinalDisposition}"), FINAL, leaves_ajera=True),
        ),
    ),
    Pairing(
        "project_client",
        End("AxInvoiceGroup", ["igKey"], parent=["igProject"]),
        End("PR", WBS, f"{text('{PR.ClientID}')} IS NOT NULL", parent=WBS),
        (
            Line(
                "client",
                "NULLIF({AxInvoiceGroup.igClient}, 0)::text",
                text("{PR.ClientID}"),
                "firm",
                leaves_ajera=True,
            ),
        ),
        parent="project",
    ),
    Pairing(
        "project_contact",
        End("AxProjectContact", ["pcKey"], parent=["pcProject"]),
        End("PRContactAssoc", [*WBS, "ContactID"], "{PRContactAssoc.AjeraSync} = 'Y'", parent=WBS),
        parent="project",
    ),
)
