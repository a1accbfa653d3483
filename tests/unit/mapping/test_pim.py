"""The page "Information synced between Ajera and PIM" (S-PIM), line by line."""

from __future__ import annotations

import pytest

from pipeline.domain.pim import CLIENT, EMPLOYEE, ENGAGEMENT, PERSON, VENDOR
from pipeline.domain.pim_mirror import MIRRORED
from pipeline.errors import ValueRefused
from pipeline.mapping.apply import build
from pipeline.mapping.neighbours import Graph
from pipeline.mapping.site import Assumptions, Site
from pipeline.mapping.table import TableMapping
from pipeline.model.event import Row
from pipeline.model.ledger import LedgerRow
from tests.support.events import SITE, event, ledger

TABLES = {table.name: table for table in MIRRORED}
ALL = frozenset({"AxVec", "AxContact", "AxProject", "AxInvoiceGroup", "AxResource"})


def values(
    mapping: TableMapping,
    root: LedgerRow,
    *others: LedgerRow,
    site: Site = SITE,
) -> Row:
    """What the root's target row must hold, given these other rows."""
    return build(mapping, root, graph(mapping, root, *others, site=site), ALL).row.values


def graph(
    mapping: TableMapping,
    root: LedgerRow,
    *others: LedgerRow,
    site: Site = SITE,
) -> Graph:
    result = Graph(site, TABLES)
    result.add(others)
    for path in mapping.paths:
        if path.to == mapping.source:
            result.add_by_column(
                path.column,
                path.table,
                [row for row in others if row.table == path.table],
            )
    for group in mapping.groups:
        members = [one for one in (root, *others) if one.table == mapping.source]
        result.add_by_column(group.column, mapping.source, members)
    return result


def test_a_client_becomes_an_organization_with_every_field_of_the_page() -> None:
    """Organization ID, Name, Address, Post Code, Phone, Fax, Web Address, e-mail."""
    root = ledger(
        event(
            "AxVec",
            101,
            vecIsClient=True,
            vecDescription=" Acme ",
            vecAddress1="1 Main St",
            vecAddress2=" ",
            vecAddress3="Floor 3",
            vecCity="Portland",
            vecState="OR",
            vecZip="97201",
            vecPhone1="1",
            vecPhone2="2",
            vecFax="3",
            vecWebsite="acme.example",
            vecEmail="a@acme.example",
        )
    )
    built = build(CLIENT, root, Graph(SITE, TABLES), ALL)
    assert built.row.key == ("cl-101",)
    assert built.row.values == {
        "Name": "Acme",
        "Address": "1 Main St, Floor 3, Portland, OR",
        "Post Code": "97201",
        "Phone Number": "1",
        "Fax Number": "3",
        "Web Address": "acme.example",
        "E-mail": "a@acme.example",
    }


def test_the_second_phone_stands_in_only_if_the_first_is_empty() -> None:
    """Clients and vendors alike; blanks count as empty."""
    root = ledger(
        event(
            "AxVec",
            1,
            vecPhone1="  ",
            vecPhone2="2",
            vecIsClient=True,
            vecIsVendor=True,
        )
    )
    for mapping in (CLIENT, VENDOR):
        assert values(mapping, root)["Phone Number"] == "2"


@pytest.mark.parametrize("blank", ["\xa0", "\u2007\u202f", "\u3000"])
def test_a_first_phone_of_odd_blanks_does_not_hide_the_second(
    blank: str,
) -> None:
    """Whatever Unicode calls white space is blank; a name of nothing else is none."""
    root = ledger(
        event(
            "AxVec",
            1,
            vecDescription=blank,
            vecPhone1=blank,
            vecPhone2="2",
            vecIsClient=True,
        )
    )
    assert values(CLIENT, root)["Phone Number"] == "2"
    assert values(CLIENT, root)["Name"] == "cl-1"


def test_an_organization_without_a_name_gets_its_key() -> None:
    """PIM requires a name."""
    assert values(VENDOR, ledger(event("AxVec", 102, vecIsVendor=True)))["Name"] == "ve-102"


def test_an_employee_becomes_a_contact_of_the_internal_organization() -> None:
    """Every line of the Employees table; Title and Created Date only when the row is created."""
    root = ledger(
        event(
            "AxVec",
            103,
            vecIsEmployee=True,
            vecFirstName="Zoë",
            vecMiddleName="M",
            vecLastName="de Vries",
            vecTitle="Architect",
            vecEmail="z@firm.example",
            vecPhone1="1",
            vecPhone2="2",
        )
    )
    built = build(EMPLOYEE, root, Graph(SITE, TABLES), ALL)
    assert built.row.key == ("em-103",)
    assert built.row.values == {
        "Organization ID": "Internal",
        "Forename": "Zoë",
        "Middle Names": "M",
        "Surname": "de Vries",
        "Job Title": "Architect",
        "E-mail": "z@firm.example",
        "Mobile": "2",
        "Direct Dial": "1",
        "Document Initials": "ZD",
    }
    assert built.row.prefill["Title"] == "-"
    assert "Created Date" in built.row.prefill


def test_the_employee_phone_map_follows_crms() -> None:
    """With CRM on, the columns named there feed Mobile and Direct Dial."""
    site = Site(
        assumptions=Assumptions(employee_mobile="vecPhone1", employee_direct_dial="vecPhone2")
    )
    held = values(
        EMPLOYEE,
        ledger(event("AxVec", 1, vecIsEmployee=True, vecPhone1="1", vecPhone2="2")),
        site=site,
    )
    assert (held["Mobile"], held["Direct Dial"]) == ("1", "2")


def test_a_contact_belongs_to_its_client_else_its_vendor() -> None:
    """One or the other; with both, the client."""
    assert (
        values(
            PERSON,
            ledger(event("AxContact", 104, cntClient=5, cntVendor=6)),
        )["Organization ID"]
        == "cl-5"
    )
    assert values(PERSON, ledger(event("AxContact", 104, cntVendor=6)))["Organization ID"] == "ve-6"
    assert values(PERSON, ledger(event("AxContact", 104)))["Organization ID"] is None


def test_initials_leave_out_a_missing_part() -> None:
    """One name gives one letter, none gives none."""
    assert (
        values(PERSON, ledger(event("AxContact", 1, cntLastName="Øst")))["Document Initials"] == "Ø"
    )
    assert values(PERSON, ledger(event("AxContact", 1)))["Document Initials"] is None


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (0, "Preliminary"),
        (1, "Active"),
        (2, "Hold"),
        (3, "Work Hold"),
        (4, "Billing Hold"),
        (5, "Closed"),
        (6, "Marketing"),
    ],
)
def test_a_status_code_becomes_its_description(code: int, text: str) -> None:
    """The seven statuses as PIM spells them."""
    assert values(ENGAGEMENT, ledger(event("AxProject", 1, prjStatus=code)))["Status"] == text


def test_an_unknown_status_code_is_refused() -> None:
    """It is not guessed: the project waits until a person names the code."""
    with pytest.raises(ValueRefused):
        values(ENGAGEMENT, ledger(event("AxProject", 1, prjStatus=7)))


def test_a_project_shows_the_client_of_its_lowest_invoice_group() -> None:
    """The first group is the one with the lowest key that exists now."""
    project = ledger(event("AxProject", 1, prjStatus=1))
    groups = [
        ledger(event("AxInvoiceGroup", 10, igProject=1, igClient=5)),
        ledger(event("AxInvoiceGroup", 9, igProject=1, igClient=6)),
        ledger(
            event("AxInvoiceGroup", 8, igProject=1, igClient=7),
            event("AxInvoiceGroup", 8, "d", at=2),
        ),
    ]
    clients = [
        ledger(event("AxVec", key, vecDescription=f"Client {key}", vecZip="1")) for key in (5, 6, 7)
    ]
    held = values(ENGAGEMENT, project, *groups, *clients)
    assert (held["Client"], held["Zip"]) == ("Client 6", "1")


def test_a_client_that_has_not_arrived_leaves_its_columns_alone() -> None:
    """What is missing is named; nothing is blanked."""
    project = ledger(event("AxProject", 1, prjStatus=1))
    group = ledger(event("AxInvoiceGroup", 9, igProject=1, igClient=6))
    built = build(ENGAGEMENT, project, graph(ENGAGEMENT, project, group), ALL)
    assert "Client" not in built.row.values
    assert {(m.table, m.key) for m in built.missing} == {("AxVec", "6")}


def test_what_is_not_loaded_is_not_written() -> None:
    """Until the invoice groups were read to their end, a project without one may have one."""
    project = ledger(event("AxProject", 1, prjStatus=1))
    held = build(
        ENGAGEMENT,
        project,
        graph(ENGAGEMENT, project),
        ALL - {"AxInvoiceGroup"},
    ).row.values
    assert "Client" not in held
    assert "Name" in held


def test_a_blank_project_id_gets_a_generated_code() -> None:
    """Generated from the key, so that it never changes."""
    assert (
        values(
            ENGAGEMENT,
            ledger(event("AxProject", 7, prjStatus=1, prjID=" ")),
        )["Project Code"]
        == "AJ-7"
    )


def test_of_two_projects_with_one_id_the_lower_key_has_it() -> None:
    """The other gets its key behind it; case does not tell them apart."""
    first = ledger(event("AxProject", 1, prjStatus=1, prjID="24-A"))
    second = ledger(event("AxProject", 2, prjStatus=1, prjID="24-a"))
    assert values(ENGAGEMENT, first, second)["Project Code"] == "24-A"
    assert values(ENGAGEMENT, second, first)["Project Code"] == "24-a-2"


def test_roles_come_from_the_project_and_from_its_resources() -> None:
    """Three standard roles, further ones by their text; one person may have several;
    blanks give none.
    """
    project = ledger(
        event(
            "AxProject",
            1,
            prjStatus=1,
            prjProjectManager=5,
            prjPrincipalInCharge=5,
            prjMarketingContact=6,
        )
    )
    resources = [
        ledger(
            event(
                "AxResource",
                1,
                resProject=1,
                resEmployee=6,
                resRole=" Structural Engineer ",
            )
        ),
        ledger(
            event(
                "AxResource",
                2,
                resProject=1,
                resEmployee=5,
                resRole="project manager",
            )
        ),
        ledger(event("AxResource", 3, resProject=1, resEmployee=5, resRole=" ")),
        ledger(event("AxResource", 4, resProject=1, resRole="CA")),
    ]
    people = [ledger(event("AxVec", key, vecIsEmployee=True)) for key in (5, 6)]
    built = build(
        ENGAGEMENT,
        project,
        graph(ENGAGEMENT, project, *resources, *people),
        ALL,
    )
    assert {row.key for row in built.children["Project_Contact"]} == {
        ("1", "Project Manager", "em-5"),
        ("1", "Principal in Charge", "em-5"),
        ("1", "Marketing Contact", "em-6"),
        ("1", "Structural Engineer", "em-6"),
    }
