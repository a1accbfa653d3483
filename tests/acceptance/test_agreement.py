"""The judge of the exchange: it accepts two systems that agree,
and finds each way in which they can differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg import sql

from deploy.local.stack import Stack
from deploy.sample import agreement, databases, dps, firm
from deploy.sample.naming import Naming

pytestmark = pytest.mark.postgres

# Of the exchange's own tables no more than the judge reads.
SYNC = """
CREATE SCHEMA sync;
CREATE TABLE sync.link (id text PRIMARY KEY, entity text, ajera_key text, dps_key text, state text,
    parked_lines text NOT NULL DEFAULT '', document text);
CREATE TABLE sync.parked (id text PRIMARY KEY, code text, hint text);
"""
PROJECT = "P%7C1%2525| | "  # of the number "P|1%25": bars and percent signs are escaped
AJERA: dict[str, dict[str, Any]] = {
    "AxClientType": {"ctKey": 4, "ctDescription": "Healthcare"},
    "AxVec": {
        "vecKey": 7,
        "vecDescription": " Hill & Co ",
        "vecIsClient": True,
        "vecIsVendor": False,
        "vecIsEmployee": False,
        "vecSyncToCRM": True,
        "vecStatus": 1,
        "vecClientType": 4,
        "vecPhone1": "  ",
        "vecCity": "Portland",
    },
    "AxContact": {
        "cntKey": 8,
        "cntFirstName": "Zoë" * 10,
        "cntLastName": None,
        "cntClient": 7,
        "cntStatus": 0,
        "cntSyncToCRM": True,
    },
    "AxProject": {
        "prjKey": 9,
        "prjID": "anything",
        "prjDescription": "A House whose Name has more than forty Letters in it",
        "prjStatus": 3,
        "prjSyncToCRM": True,
        "prjCreateInCRM": True,
        "prjFinalDisposition": "Do Not Pursue",
    },
    "AxInvoiceGroup": {"igKey": 10, "igProject": 9, "igClient": 7},
    "AxProjectContact": {"pcKey": 11, "pcProject": 9, "pcContact": 8},
}
DPS: dict[str, dict[str, Any]] = {
    "CFGClientTypeDescriptions": {"Code": "HEALTH", "Description": "HEALTHCARE"},
    "Clendor": {
        "ClientID": "F",
        "Name": "Hill & Co",
        "Status": "A",
        "ClientInd": "Y",
        "VendorInd": "N",
        "Type": "HEALTH",
        "AjeraSync": "Y",
    },
    "CLAddress": {"ClientID": "F", "Address": "Main", "PrimaryInd": "Y", "City": "Portland"},
    "Contacts": {
        "ContactID": "C",
        "ClientID": "F",
        "FirstName": ("Zoë" * 10)[:25],
        "LastName": ".",
        "Status": "I",
        "AjeraSync": "Y",
    },
    "PR": {
        "WBS1": "P|1%25",
        "WBS2": " ",
        "WBS3": " ",
        "Name": "A House whose Name has more than forty L",
        "LongName": "A House whose Name has more than forty Letters in it",
        "Status": "D",
        "Stage": "DNP",
        "ClientID": "F",
        "AjeraSync": "Y",
    },
    "PRContactAssoc": {
        "WBS1": "P|1%25",
        "WBS2": " ",
        "WBS3": " ",
        "ContactID": "C",
        "AjeraSync": "Y",
    },
}
PAIRS = {
    "firm": ("7", "F"),
    "firm_address": ("7", "F|Main"),
    "contact": ("8", "C"),
    "project": ("9", PROJECT),
    "project_client": ("10", PROJECT),
    "project_contact": ("11", f"{PROJECT}|C"),
}


@dataclass
class Systems:
    """Both databases."""

    ajera: psycopg.Connection
    dps: psycopg.Connection

    def verdict(self) -> agreement.Verdict:
        return agreement.judged(self.ajera, self.dps, Naming())

    def differences(self) -> list[str]:
        return [str(one) for one in self.verdict().differences]

    def run(self, statement: str) -> None:
        """In Ajera, or in DPS where the statement begins with "dps:"."""
        side, _, text = statement.rpartition("dps:")
        connection = self.dps if side or statement.startswith("dps:") else self.ajera
        connection.execute(sql.SQL(Naming().sql(text)))


@pytest.fixture(scope="module")
def agreeing(postgres: Stack) -> Iterator[Systems]:
    """One pair of every kind but employees and vendors, and nothing to object to."""
    urls = (
        postgres.create_database("agreement_ajera"),
        postgres.create_database("agreement_dps"),
    )
    databases.create_ajera(urls[0], Naming())
    dps.create_dps(urls[1], Naming())
    with ExitStack() as resources:
        ajera, in_dps = (resources.enter_context(databases.connect(url)) for url in urls)
        for connection, tables in ((ajera, AJERA), (in_dps, DPS)):
            for table, row in tables.items():
                firm.insert(connection, Naming(), table, [row])
        in_dps.execute(SYNC)
        ajera.execute("CREATE SCHEMA ajera_cdc")
        ajera.execute("CREATE TABLE ajera_cdc.intention (number text PRIMARY KEY, key text)")
        document = json.dumps(
            {
                "off": [],
                "ended_by": None,
                "ajera": {"edited_at": {}},
                "dps": {"edited_at": {}},
            }
        )
        for entity, keys in PAIRS.items():
            in_dps.execute(
                (
                    "INSERT INTO sync.link (id, entity, ajera_key, dps_key, state, document)"
                    " VALUES (%s, %s, %s, %s, 'linked', %s)"
                ),
                (entity, entity, *keys, document),
            )
        yield Systems(ajera, in_dps)


@pytest.fixture
def systems(agreeing: Systems) -> Iterator[Systems]:
    """The same, to be spoilt."""
    with (
        agreeing.ajera.transaction(force_rollback=True),
        agreeing.dps.transaction(force_rollback=True),
    ):
        yield agreeing


def test_systems_that_agree_have_no_differences(agreeing: Systems) -> None:
    """Blanks, cut text, the full stop for no name, codes,
    statuses and the long name are the same said otherwise.
    """
    assert agreeing.differences() == []
    assert agreeing.verdict().pairs == len(PAIRS)


WRONG = {
    "another name": (
        "UPDATE {AxVec} SET {AxVec.vecDescription} = 'x'",
        "firm, Ajera 7, DPS F: differs in name",
    ),
    "another type": (
        "dps:UPDATE {Clendor} SET {Clendor.Type} = 'NONE'",
        "firm, Ajera 7, DPS F: differs in market",
    ),
    "a lost city": (
        "dps:UPDATE {CLAddress} SET {CLAddress.City} = NULL",
        "firm_address, Ajera 7, DPS F|Main: differs in city",
    ),
    "a status that stayed": (
        "UPDATE {AxContact} SET {AxContact.cntStatus} = 1",
        "contact, Ajera 8, DPS C: differs in status",
    ),
    "no firm any more": (
        "UPDATE {AxContact} SET {AxContact.cntClient} = 0",
        "contact, Ajera 8, DPS C: differs in firm",
    ),
    "a client of DPS's that did not come": (
        "dps:UPDATE {PR} SET {PR.ClientID} = 'G'",
        f"project_client, Ajera 10, DPS {PROJECT}: differs in client",
    ),
    "a stage that did not come": (
        "dps:UPDATE {PR} SET {PR.Stage} = 'Won'",
        f"project, Ajera 9, DPS {PROJECT}: differs in disposition",
    ),
    "a link that is not there": (
        "dps:DELETE FROM sync.link WHERE entity = 'contact'",
        "contact, Ajera 8, DPS -: is set to be exchanged, and neither paired nor parked",
    ),
    "an address that was never made": (
        "dps:DELETE FROM sync.link WHERE entity = 'firm_address'",
        "firm_address, Ajera 7, DPS -: is set to be exchanged, and neither paired nor parked",
    ),
    "a contact that was not put on the project": (
        "dps:DELETE FROM sync.link WHERE entity = 'project_contact'",
        (
            f"project_contact, Ajera -, DPS {PROJECT}|C: is set to be exchanged, and neither "
            "paired nor parked"
        ),
    ),
    "a counterpart that was never made": (
        "dps:UPDATE sync.link SET state = 'creating', dps_key = NULL WHERE entity = 'firm'",
        "firm, Ajera 7, DPS -: has no counterpart yet",
    ),
    "a row that is gone": (
        "DELETE FROM {AxInvoiceGroup}",
        f"project_client, Ajera 10, DPS {PROJECT}: the pair goes on, but its row is gone in Ajera",
    ),
}


@pytest.mark.parametrize("wrong", sorted(WRONG))
def test_each_way_of_differing_is_found(systems: Systems, wrong: str) -> None:
    """One fault, one sentence that names both keys and the line, and no value."""
    statement, sentence = WRONG[wrong]
    systems.run(statement)
    assert sentence in systems.differences()


EXCUSED = {
    "a parked line": ("dps:UPDATE sync.link SET parked_lines = 'name' WHERE entity = 'firm'",),
    "a pair that waits in this line": (
        """dps:INSERT INTO sync.parked
            VALUES ('link/firm', 'exchange.type_missing', 'name: Add it.')""",
    ),
    "a pair whose write was refused": (
        "dps:INSERT INTO sync.parked VALUES ('link/firm', 'target.rejected', 'Too long.')",
    ),
    "a side that is not set to be exchanged": (
        """dps:UPDATE sync.link SET document = replace(document, '"off": []', '"off": ["ajera"]')
            WHERE entity = 'firm'""",
    ),
}


@pytest.mark.parametrize("excuse", sorted(EXCUSED))
def test_a_difference_that_is_parked_is_none(systems: Systems, excuse: str) -> None:
    """Or one of a side that is not set to be exchanged."""
    systems.run(WRONG["another name"][0])
    assert systems.differences() == ["firm, Ajera 7, DPS F: differs in name"]
    for statement in EXCUSED[excuse]:
        systems.run(statement)
    assert systems.differences() == []


def test_a_pair_that_waits_is_excused_in_the_lines_that_wait(
    systems: Systems,
) -> None:
    """Not in the others."""
    systems.run(WRONG["another name"][0])
    systems.run(
        "dps:INSERT INTO sync.parked VALUES ('link/firm', 'exchange.type_missing',"
        " 'market: Add it.')"
    )
    assert "firm, Ajera 7, DPS F: differs in name" in systems.differences()


@pytest.mark.parametrize("ended_by", ["ajera", "dps"])
def test_a_row_whose_counterpart_was_deleted_stays_alone(systems: Systems, ended_by: str) -> None:
    """One that was deleted itself, and is there again, must not."""
    systems.run(
        f"""dps:UPDATE sync.link SET state = 'ended', document = replace(document,
            '"ended_by": null', '"ended_by": "{ended_by}"')"""
        " WHERE entity = 'contact'"
    )
    alone = {
        "ajera": "contact, Ajera 8, DPS -",
        "dps": "contact, Ajera -, DPS C",
    }[ended_by]
    assert systems.differences() == [
        f"{alone}: is set to be exchanged, and neither paired nor parked"
    ]


def test_a_blank_address_needs_no_counterpart(systems: Systems) -> None:
    """There is nothing in it."""
    systems.run(WRONG["an address that was never made"][0])
    systems.run("UPDATE {AxVec} SET {AxVec.vecCity} = ' '")
    assert systems.differences() == []


def test_a_row_without_a_pair_may_be_parked(systems: Systems) -> None:
    """On either side."""
    systems.run(WRONG["a contact that was not put on the project"][0])
    systems.run(
        f"dps:INSERT INTO sync.parked VALUES ('row/project_contact/dps/{PROJECT}|C',"
        " 'exchange.contacts_full', '')"
    )
    assert systems.differences() == []


@pytest.mark.parametrize(("typed_in", "is_left"), [("ajera", True), ("dps", False)])
def test_what_ajera_typed_over_a_line_that_dps_sends_is_left(
    systems: Systems, typed_in: str, *, is_left: bool
) -> None:
    """Until DPS is next edited."""
    systems.run("UPDATE {AxProject} SET {AxProject.prjChanceOfWinning} = 5")
    systems.run(
        f"""dps:UPDATE sync.link SET document = replace(document,
            '"{typed_in}": {{"edited_at": {{}}',
            '"{typed_in}": {{"edited_at": {{"chance": "2026-05-01T10:00:00+00:00"}}')
            WHERE entity = 'project\'"""
    )
    assert (systems.differences() == []) is is_left


@pytest.mark.parametrize("typed_in", [None, "ajera", "dps"])
def test_a_status_that_dps_held_when_we_made_the_row_stays_until_somebody_types_one(
    systems: Systems, typed_in: str | None
) -> None:
    """Ajera says nothing of such a row; of one that it had itself it does."""
    systems.run(WRONG["a status that stayed"][0])
    assert systems.differences() == [WRONG["a status that stayed"][1]]
    systems.run("INSERT INTO ajera_cdc.intention VALUES ('contact/1', '8')")
    assert systems.differences() == []
    systems.run(
        f"""dps:UPDATE sync.link SET document = replace(document,
            '"{typed_in}": {{"edited_at": {{}}',
            '"{typed_in}": {{"edited_at": {{"status": "2026-05-01T10:00:00+00:00"}}')
            WHERE entity = 'contact\'"""
    )
    assert (systems.differences() == []) is (typed_in is None)


def test_a_parked_line_on_which_both_agree_is_a_difference(
    systems: Systems,
) -> None:
    """Nobody has anything to decide there."""
    systems.run("dps:UPDATE sync.link SET parked_lines = 'name' WHERE entity = 'firm'")
    assert [(one.what, one.line) for one in systems.verdict().differences] == [
        ("is parked, though both sides agree,", "name")
    ]


def test_a_line_may_wait_for_a_pair_that_has_ended(
    systems: Systems,
) -> None:
    """Neither side can say the other's reference any more;
    for one that is there nobody has to wait.
    """
    systems.run(
        "dps:INSERT INTO sync.parked VALUES ('link/contact', 'exchange.reference_missing',"
        " 'firm: Tick it.')"
    )
    assert [(one.entity, one.line) for one in systems.verdict().differences] == [
        ("contact", "firm")
    ]
    systems.run("dps:UPDATE sync.link SET state = 'ended' WHERE entity = 'firm'")
    assert [one for one in systems.verdict().differences if one.entity == "contact"] == []
