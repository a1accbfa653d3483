"""The two-way sample: DPS filled beside a loaded Ajera, partly with the same firms,
contacts and projects, never quite alike.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg

from deploy.sample import crm_flags, crm_lists, firm
from deploy.sample.crm_flags import (
    LINKED_CLIENTS,
    LINKED_PROJECTS,
    Flagged,
    folded,
)
from deploy.sample.dps import BLANK
from deploy.sample.naming import Naming
from deploy.sample.people import BUILDINGS, CITIES, TITLES, People

Row = dict[str, Any]

(
    ONLY_FIRMS,
    UNFLAGGED_FIRMS,
    ONLY_PROJECTS,
    UNFLAGGED_PROJECTS,
    EMPLOYEES,
) = 60, 15, 40, 10, 10
MANY_CONTACTS, MANY_ON_PROJECT = 7, 6
FIRST_DAY: Final = datetime(2026, 1, 5, 8)  # noqa: DTZ001  DPS writes UTC without saying so
USERS: Final = ("ADMIN", "MLEE", "PNOVAK")
STAGES: Final = (
    "Lead",
    "Proposal",
    "Won",
    "Lost",
    "DNP",
    None,
)  # ten letters at most: Do Not Pursue has thirteen
TABLES: Final = (
    "Clendor",
    "CLAddress",
    "Contacts",
    "PR",
    "PRContactAssoc",
    "EM",
)


def load(
    ajera: psycopg.Connection,
    dps: psycopg.Connection,
    seed: int,
    naming: Naming,
) -> None:
    """After `firm.load`: tick Ajera's rows, fill DPS and the lists of both;
    a transaction on each side.
    """
    rng = random.Random(f"crm {seed}")
    with ajera.transaction(), dps.transaction():
        crm_lists.load(ajera, dps, naming)
        rows = Crm(rng, crm_flags.flag(ajera, rng, naming)).rows()
        for table in TABLES:
            firm.insert(dps, naming, table, rows[table])


def cut(value: object, length: int) -> str | None:
    """Text as DPS holds it: nothing for blanks, never longer than its column."""
    text = "" if value is None else str(value).strip()[:length].rstrip()
    return text or None


def new_id(rng: random.Random) -> str:
    """A key of firms and contacts: 32 hexadecimal digits."""
    return f"{rng.getrandbits(128):032X}"


class Crm:
    """Makes DPS's rows."""

    def __init__(self, rng: random.Random, flagged: Flagged) -> None:
        self._rng = rng
        self._flagged = flagged
        self._people = People(rng)
        self._taken = set(flagged.names)
        self._rows: dict[str, list[Row]] = {table: [] for table in TABLES}
        self._firm_of: dict[int, str] = {}  # Ajera's client: the firm of the same name
        self._own_firms: list[str] = []
        self._contacts_of: defaultdict[str | None, list[str]] = defaultdict(list)

    def rows(self) -> dict[str, list[Row]]:
        """By table, in an order that respects references."""
        self._linked_firms()
        self._other_firms()
        self._linked_contacts()
        self._other_contacts()
        self._linked_projects()
        self._other_projects()
        self._phases()
        self._employees()
        return self._rows

    def _add(self, table: str, row: Row, *, is_made: bool = False) -> None:
        """Changed by somebody at some time in spring."""
        at, by = (
            FIRST_DAY + timedelta(minutes=self._rng.randrange(120 * 24 * 60)),
            self._rng.choice(USERS),
        )
        made = {"CreateDate": FIRST_DAY, "CreateUser": by} if is_made else {}
        changed = {"ModDate": at} if table == "PRContactAssoc" else {"ModDate": at, "ModUser": by}
        self._rows[table].append({**row, **made, **changed})

    # -- firms -------------------------------------------------------------------------------------

    def _firm(self, name: str, address: Row, sync: str = "Y", **values: Any) -> str:
        key = new_id(self._rng)
        row = {
            "ClientID": key,
            "Name": name,
            "Status": "A",
            "ClientInd": "Y",
            "VendorInd": "N",
            "AjeraSync": sync,
        }
        self._add("Clendor", row | values, is_made=True)
        self._add(
            "CLAddress",
            {
                "ClientID": key,
                "Address": "Main",
                "PrimaryInd": "Y",
                "Country": "US",
                **address,
            },
        )
        return key

    def _linked_firms(self) -> None:
        """The same names, every second one in other letters; some websites, notes,
        phones and statuses differ.
        """
        for number, client in enumerate(self._flagged.clients[:LINKED_CLIENTS]):
            name = str(client["vecDescription"]).strip()
            name = (name, name.upper(), name, name.lower())[number % 4]
            kind = client["vecVendorType"]
            values: Row = {
                "VendorInd": "Y" if client["vecIsVendor"] else "N",
                "VendorType": None
                if kind is None
                else "C"
                if kind in crm_lists.CONSULTANTS
                else "T",
                "Type": crm_lists.code(crm_lists.CLIENT_TYPES, client["vecClientType"]),
                "WebSite": cut(client["vecWebsite"], 255),
                "Memo": cut(client["vecClientNotes"], len(firm.LONG_NOTE)),
            }
            address = _address(client)
            if number % 5 == 1:
                values["WebSite"] = f"https://firm{number}.example"
            if number % 7 == 2:
                values["Memo"] = f"Known since {1990 + number % 30}."
            if number % 7 == 3:
                address["Phone"] = self._people.phone()
            if number % 50 == 4:
                values["Status"] = "D"
            self._firm_of[client["vecKey"]] = self._firm(name, address, **values)

    def _other_firms(self) -> None:
        """One of Ajera's names twice; firms that only DPS has, some of them nobody's business."""
        twice = self._flagged.clients[LINKED_CLIENTS]
        for _ in range(2):
            self._firm(str(twice["vecDescription"]), _address(twice))
        for number in range(ONLY_FIRMS + UNFLAGGED_FIRMS):
            address = _address(
                {
                    **self._people.address(),
                    "vecPhone1": self._people.phone(),
                    "vecCountry": "US",
                }
            )
            site = self._rng.choice([None, f"www.own{number}.example"])
            sync = "Y" if number < ONLY_FIRMS else "N"
            memo = (
                firm.LONG_NOTE if number == 0 else self._rng.choice([None, "Referred by a friend."])
            )
            kind = self._rng.choice(["DEV", "GOV", "NPO", None])
            key = self._firm(
                self._new_company(),
                address,
                sync,
                WebSite=site,
                Memo=memo,
                Type=kind,
            )
            self._own_firms.append(key)

    def _new_company(self) -> str:
        while folded(name := self._people.company()) in self._taken:
            pass
        self._taken.add(folded(name))
        return name

    # -- contacts ----------------------------------------------------------------------------------

    def _contact(
        self,
        client: str | None,
        person: Row,
        sync: str = "Y",
        **values: Any,
    ) -> None:
        key = new_id(self._rng)
        row = {
            "ContactID": key,
            "ClientID": client,
            **person,
            "Status": "A",
            "AjeraSync": sync,
            **values,
        }
        self._add("Contacts", row)
        if sync == "Y":
            self._contacts_of[client].append(key)

    def _linked_contacts(self) -> None:
        """Two of three of the contacts that Ajera shares of a linked firm; some in other letters,
        some e-mails differ.
        """
        for number, row in enumerate(self._flagged.contacts):
            client = self._firm_of.get(row["cntClient"])
            if client is None or number % 3 == 2:
                continue
            last = cut(row["cntLastName"], 30) or "."
            person = {
                "FirstName": cut(row["cntFirstName"], 25),
                "MiddleName": cut(row["cntMiddleName"], 30),
                "LastName": last.upper() if number % 6 == 1 else last,
            }
            email = f"new{number}@example.example" if number % 9 == 0 else cut(row["cntEmail"], 255)
            self._contact(
                client,
                person,
                Title=cut(row["cntTitle"], 50),
                EMail=email,
                Phone=cut(row["cntPhone1"], 24),
                CellPhone=cut(row["cntPhone2"], 24),
                FAX=cut(row["cntFax"], 24),
            )

    def _other_contacts(self) -> None:
        """Only DPS has them: one at some linked firms, some at its own,
        seven at the first of those, some at none.
        """
        for client in list(self._firm_of.values())[:30]:
            self._contact(client, self._new_person())
        for number, client in enumerate(self._own_firms):
            count = MANY_CONTACTS if number == 0 else self._rng.randrange(4)
            for _ in range(count):
                self._contact(
                    client,
                    self._new_person(),
                    "Y" if number < ONLY_FIRMS else "N",
                )
        for number in range(20):
            at = self._rng.choice(self._own_firms[1:]) if number % 4 else None
            self._contact(at, self._new_person(), "N" if number % 4 else "Y")

    def _new_person(self) -> Row:
        person = crm_flags.new_name(self._rng, self._taken)
        email = f"{person['FirstName']}.{len(self._rows['Contacts'])}@dps.example".lower()
        return {
            **person,
            "Title": self._rng.choice(TITLES),
            "EMail": email,
            "Phone": self._people.phone(),
        }

    # -- projects ----------------------------------------------------------------------------------

    def _project(
        self,
        number: str,
        name: str,
        client: str | None,
        sync: str = "Y",
        **values: Any,
    ) -> None:
        """A name of more than forty letters stands in full in LongName."""
        row = {
            "WBS1": number,
            "WBS2": BLANK,
            "WBS3": BLANK,
            "Name": cut(name, 40),
            "LongName": cut(name, 255),
        }
        row |= {
            "Status": "A",
            "ChargeType": "R",
            "ClientID": client,
            "AjeraSync": sync,
            **values,
        }
        self._add("PR", row, is_made=True)

    def _on_project(self, number: str, contacts: Sequence[str], sync: str = "Y") -> None:
        for contact in contacts:
            row = {
                "WBS1": number,
                "WBS2": BLANK,
                "WBS3": BLANK,
                "ContactID": contact,
                "AjeraSync": sync,
            }
            self._add("PRContactAssoc", row)

    def _linked_projects(self) -> None:
        """The same names; every tenth with another number, every seventh with other notes,
        a few with another client.
        """
        for number, row in enumerate(self._flagged.projects[:LINKED_PROJECTS]):
            client = (
                self._rng.choice(self._own_firms)
                if number % 15 == 7
                else self._firm_of[row["client"]]
            )
            wbs1 = f"X-{number:05}" if number % 10 == 3 else str(row["prjID"]).strip()
            name = str(row["prjDescription"]).strip()
            self._project(
                wbs1,
                name.upper() if number % 4 == 1 else name,
                client,
                ProjectType=crm_lists.code(crm_lists.PROJECT_TYPES, row["prjProjectType"]),
                Memo="As agreed by telephone."
                if number % 7 == 5
                else cut(row["prjNotes"], len(firm.LONG_NOTE)),
                Probability=self._rng.choice([None, 40, 90]),
                Stage=self._rng.choice(STAGES),
            )
            if number % 3 == 0:
                self._on_project(wbs1, self._contacts_of[client][:2])

    def _other_projects(self) -> None:
        """Only in DPS: forty made from a template that Ajera has; odd ones;
        and some that nobody flagged.
        """
        firms = [*list(self._firm_of.values())[:60], *self._own_firms]
        templates = [code for _, _, code, _ in crm_lists.TEMPLATES]
        for number in range(ONLY_PROJECTS + UNFLAGGED_PROJECTS):
            name = f"{self._rng.choice(CITIES)[0]} {self._rng.choice(BUILDINGS)} P{number}"
            name += ", with a Garage and a very long Driveway" if number % 8 == 5 else ""
            client = self._own_firms[0] if number == 0 else self._rng.choice(firms)
            sync = "Y" if number < ONLY_PROJECTS else "N"
            wbs1 = f"P-{number + 1:05}"
            self._project(
                wbs1,
                name,
                client,
                sync,
                ProjectTemplate=templates[number % len(templates)],
                ProjectType=self._rng.choice(["COM", "RES", "INT", None]),
                Memo=firm.LONG_NOTE if number == 1 else self._rng.choice([None, "Call the owner."]),
                Probability=self._rng.choice([None, 10, 50, 75]),
                Stage=self._rng.choice(STAGES),
            )
            many = MANY_ON_PROJECT if number == 0 else self._rng.randrange(4)
            self._on_project(
                wbs1,
                self._contacts_of[client][:many],
                sync if number % 6 else "Y",
            )
        client = firms[0]
        self._project(
            "P-90001",
            "Tower of a Template Unknown",
            client,
            ProjectTemplate=crm_lists.TEMPLATE_WITHOUT_AJERA,
        )
        self._project("P-90002", "Pavilion without a Template", client)
        name = str(self._flagged.unflagged_project["prjDescription"])
        self._project("P-90003", name, client, ProjectTemplate=templates[0])

    def _phases(self) -> None:
        """Rows below some projects, one of which is flagged by itself: no projects,
        whatever they say.
        """
        projects = [row["WBS1"] for row in self._rows["PR"][::15]]
        for number, wbs1 in enumerate(projects):
            for phase in range(2):
                row = {
                    "WBS1": wbs1,
                    "WBS2": f"{phase + 1:03}",
                    "WBS3": BLANK,
                    "Name": f"Phase {phase + 1}",
                    "Status": "A",
                }
                self._add(
                    "PR",
                    {
                        **row,
                        "AjeraSync": "Y" if number == phase == 0 else "N",
                    },
                    is_made=True,
                )

    # -- staff -------------------------------------------------------------------------------------

    def _employees(self) -> None:
        """Ten of Ajera's staff by name, each a name that only one of them has."""
        names = [
            folded(
                row["vecFirstName"],
                row["vecMiddleName"],
                row["vecLastName"],
            )
            for row in self._flagged.staff
        ]
        once = [
            row
            for row, name in zip(self._flagged.staff, names, strict=True)
            if names.count(name) == 1
        ]
        for number, row in enumerate(once[:EMPLOYEES], start=1):
            parts = {part: row[f"vec{part}"] for part in ("FirstName", "MiddleName", "LastName")}
            email, phone = (
                cut(row["vecEmail"], 50),
                cut(row["vecPhone1"], 24),
            )
            self._add(
                "EM",
                {
                    "Employee": f"{number:05}",
                    **parts,
                    "EMail": email,
                    "HomePhone": phone,
                    "Status": "A",
                },
            )


def _address(client: Row) -> Row:
    """The columns of CLAddress."""
    lengths = {
        "Address1": 50,
        "Address2": 50,
        "Address3": 50,
        "City": 30,
        "State": 10,
        "Country": 2,
    }
    found = {name: cut(client.get(f"vec{name}"), length) for name, length in lengths.items()}
    others = {
        "ZIP": ("vecZip", 10),
        "Phone": ("vecPhone1", 24),
        "FAX": ("vecFax", 24),
        "EMail": ("vecEmail", 50),
    }
    return found | {
        name: cut(client.get(source), length) for name, (source, length) in others.items()
    }
