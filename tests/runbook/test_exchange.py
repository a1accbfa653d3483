"""Pages of what waits in the exchange with DPS: each fault is brought about in two real databases,
a person does what the page says, and the commands of the page are typed.

What a consumer does is done by `settle` and `wait`, in this process; commands are the program's.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.stack import Stack
from pipeline.conflicts.rules import Rule, Side
from pipeline.mapping.site import Site
from tests.support.outbox import World, world
from tests.support.runbook import OnCall

AJERA, DPS = Side.AJERA, Side.DPS
Act = Callable[[World], None]


@dataclass(frozen=True)
class Story:
    """What brings the fault about, and what a person does that no command does."""

    cause: Act
    act: Act


def consultants(firm: World) -> None:
    firm.do(AJERA, 'DELETE FROM "AxVendorType"')
    consultant = {"vtKey": 1, "vtDescription": "Consultant", "vtIsConsultant": True}
    firm.insert(AJERA, "AxVendorType", **consultant)
    firm.restart()


def namesakes(firm: World) -> None:
    firm.client(1, "Hill")
    firm.firm("A", "Hill", AjeraSync="N")
    firm.firm("B", "Hill", AjeraSync="N")


def rename_one(firm: World) -> None:
    firm.edit(DPS, "Clendor", "B", Name="Hill North")


def unflagged(firm: World) -> None:
    firm.project(AJERA, 5, "Harbour", prjSyncToCRM=False, prjCreateInCRM=False)
    firm.project(DPS, "P-1", "HARBOUR")


def client_and_vendor(firm: World) -> None:
    consultants(firm)
    kinds = {"vecIsClient": False, "vecIsVendor": True, "vecVendorType": 1}
    firm.client(2, "Soil Lab", **kinds)
    firm.client(1, "Soil Lab")
    firm.firm("A", "Soil Lab", VendorInd="Y")
    firm.deliver(AJERA)


def six_contacts(firm: World) -> None:
    firm.client(1, "Hill")
    for number in range(1, 7):
        firm.contact(AJERA, number, f"Moe {number}", cntClient=1)


def untick_one(firm: World) -> None:
    firm.do(DPS, """UPDATE "Contacts" SET "AjeraSync" = 'N' WHERE "LastName" = 'Moe 1'""")


def number_in_use(firm: World) -> None:
    firm.project(DPS, "P-5", "Airport", AjeraSync="N")
    firm.project(AJERA, 5, "Harbour", prjID="P-5")


def from_template(firm: World) -> None:
    entry = {"Code": "T1", "Description": "Standard"}
    firm.do(DPS, 'DELETE FROM "CFGProjectTemplateDescriptions"')
    firm.insert(DPS, "CFGProjectTemplateDescriptions", **entry)
    firm.project(DPS, "P-1", "Harbour", ProjectTemplate="T1")
    firm.restart()


def template(firm: World) -> None:
    firm.insert(AJERA, "AxProjectTemplate", tplKey=1, tplDescription="STANDARD")


def strange_type(firm: World) -> None:
    firm.do(DPS, 'DELETE FROM "CFGClientTypeDescriptions"')
    firm.do(AJERA, 'DELETE FROM "AxClientType"')
    firm.insert(AJERA, "AxClientType", ctKey=3, ctDescription="Public sector")
    firm.restart()
    firm.client(1, "Hill", vecClientType=3)


def same_type(firm: World) -> None:
    entry = {"Code": "PU", "Description": "PUBLIC SECTOR"}
    firm.insert(DPS, "CFGClientTypeDescriptions", **entry)


def contact_of_nobody(firm: World) -> None:
    firm.client(1, "Hill", vecSyncToCRM=False)
    firm.contact(AJERA, 1, "Moe", cntClient=1)


def vendors_project(firm: World) -> None:
    firm.firm("A", "Hill", AjeraSync="N", ClientInd="N", VendorInd="Y")
    firm.project(DPS, "P-1", "Harbour", ClientID="A")


STORIES = {
    "exchange.ambiguous_match": Story(namesakes, rename_one),
    "exchange.namesake_not_flagged": Story(
        unflagged, lambda firm: firm.edit(AJERA, "AxProject", prjSyncToCRM=True)
    ),
    "exchange.client_and_vendor": Story(
        client_and_vendor, lambda firm: firm.edit(DPS, "Clendor", VendorInd="N")
    ),
    "exchange.contacts_full": Story(six_contacts, untick_one),
    "exchange.no_project_number": Story(
        lambda firm: firm.project(AJERA, 5, "Harbour", prjID=" "),
        lambda firm: firm.edit(AJERA, "AxProject", prjID="P-5"),
    ),
    "exchange.number_too_long": Story(
        lambda firm: firm.project(AJERA, 5, "Harbour", prjID="P" * 31),
        lambda firm: firm.edit(AJERA, "AxProject", prjID="P-5"),
    ),
    "exchange.template_missing": Story(from_template, template),
    "exchange.type_missing": Story(strange_type, same_type),
    "exchange.reference_missing": Story(
        contact_of_nobody, lambda firm: firm.edit(AJERA, "AxVec", vecSyncToCRM=True)
    ),
    "exchange.required_missing": Story(
        lambda firm: firm.client(1, None),
        lambda firm: firm.edit(AJERA, "AxVec", vecDescription="Hill"),
    ),
    "exchange.not_a_client": Story(
        vendors_project, lambda firm: firm.edit(DPS, "Clendor", "A", ClientInd="Y")
    ),
    "exchange.key_taken": Story(
        number_in_use, lambda firm: firm.edit(AJERA, "AxProject", prjID="P-55")
    ),
}


@pytest.fixture(scope="module")
def both(postgres: Stack) -> Iterator[World]:
    with world(postgres) as made:
        yield made


@pytest.fixture
def firm(both: World) -> World:
    """Two systems without a row."""
    both.clear()
    return both


@pytest.mark.parametrize("code", STORIES)
def test_what_the_page_says_ends_the_waiting(code: str, firm: World, tmp_path: Path) -> None:
    """The page's first command shows the code, and its last one no longer."""
    person = OnCall(firm.settings_file(tmp_path), code)
    STORIES[code].cause(firm)
    firm.settle()
    firm.wait()
    assert code in person.look()
    assert not person.is_over()
    STORIES[code].act(firm)
    person.heal()
    firm.settle()
    firm.wait()
    assert person.is_over()
    assert firm.parked() == {}


def test_an_employee_without_a_number_gets_one_from_the_setting(
    postgres: Stack, tmp_path: Path
) -> None:
    """The page's other way, a number typed in Ajera, is the same as for projects."""
    person = OnCall(tmp_path / "ajera-cdc.toml", "exchange.no_employee_number")
    with world(postgres, numbers={"employee": ""}) as firm:
        firm.settings_file(tmp_path, dps={"employee_number": None})
        firm.client(7, None, vecLastName="Berg", vecIsEmployee=True, vecIsClient=False)
        firm.settle()
        firm.wait()
        assert person.code in person.look()
        firm.setup.numbers["employee"] = "E{key}"  # type: ignore[index] # as a restart reads it
        firm.settings_file(tmp_path)
        firm.restart()
        person.heal()
        firm.wait()
        assert person.is_over()


def test_a_first_link_that_differs_is_decided_by_the_command_of_the_page(
    firm: World, tmp_path: Path
) -> None:
    """Both systems show the side that was taken."""
    person = OnCall(firm.settings_file(tmp_path), "exchange.first_link")
    firm.client(1, "Hill", vecWebsite="hill.example")
    firm.firm("A", "Hill", WebSite="hills.example")
    firm.command("link", "--yes")
    firm.settle()
    assert person.code in person.look()
    (link,) = firm.links()
    person.heal(LINK=link.id, LINE="website")
    firm.settle()
    assert person.is_over()
    assert firm.rows(DPS, "Clendor", "WebSite") == ["hill.example"]


def test_a_line_that_both_edited_is_decided_by_the_command_of_the_page(
    postgres: Stack, tmp_path: Path
) -> None:
    """Where the firm leaves the line to people."""
    with world(postgres, rules={"firm.website": Rule.MANUAL}) as firm:
        profile = '[rules]\n"firm.website" = "manual"\n'
        config = firm.settings_file(tmp_path, profile=profile)
        person = OnCall(config, "exchange.update_origin_differs")
        firm.client(1, "Hill", vecWebsite="hill.example")
        firm.settle()
        firm.edit(AJERA, "AxVec", vecWebsite="north.example")
        firm.edit(DPS, "Clendor", WebSite="south.example")
        firm.settle()
        assert person.code in person.look()
        (link,) = firm.links()
        person.heal(LINK=link.id, LINE="website")
        firm.settle()
        assert person.is_over()
        assert firm.rows(DPS, "Clendor", "WebSite") == ["north.example"]


def test_a_line_that_only_fills_blanks_is_decided_by_the_command_of_the_page(
    firm: World, tmp_path: Path
) -> None:
    """The client of a project that is billed to another one."""
    person = OnCall(firm.settings_file(tmp_path), "exchange.filled_already")
    firm.client(1, "Hill")
    firm.client(2, "Vale")
    firm.settle()
    keys = dict(firm.rows(DPS, "Clendor", "Name", "ClientID"))
    firm.project(AJERA, 5, "Harbour", prjID="P-5")
    firm.insert(AJERA, "AxInvoiceGroup", igKey=1, igProject=5, igClient=1)
    firm.settle()
    firm.edit(DPS, "PR", ClientID=keys["Vale"])
    firm.settle()
    firm.wait()
    assert person.code in person.look()
    (link,) = [one for one in firm.links() if one.parked]
    (line,) = link.parked
    person.heal(LINK=link.id, LINE=line)
    firm.settle()
    assert person.is_over()


KEY_TABLE = """
[keys]
table = "AxKey"
table_column = "keyOf"
key_column = "keyNext"
holds = "next"
"""
WITH_KEY_TABLE = (
    'ALTER TABLE "AxVec" ALTER COLUMN "vecKey" DROP IDENTITY',
    'CREATE TABLE "AxKey" ("keyOf" text, "keyNext" integer)',
)


def test_a_key_table_that_is_behind_is_corrected(postgres: Stack, tmp_path: Path) -> None:
    """In Ajera: no key is made up, and the row is created with the one that it then gives."""
    site = Site.model_validate(tomllib.loads(KEY_TABLE))
    with world(postgres, site=site, in_ajera=WITH_KEY_TABLE) as firm:
        person = OnCall(firm.settings_file(tmp_path, profile=KEY_TABLE), "ajera.key_table")
        firm.client(7, "Hill")
        firm.insert(AJERA, "AxKey", keyOf="AxVec", keyNext=7)
        firm.firm("D1", "Dale")
        firm.settle()
        assert person.code in person.look()
        assert not person.is_over()
        firm.do(AJERA, 'UPDATE "AxKey" SET "keyNext" = 8')
        person.heal()
        firm.wait()
        assert person.is_over()
        assert firm.rows(AJERA, "AxVec", "vecKey", "vecDescription") == [(7, "Hill"), (8, "Dale")]
