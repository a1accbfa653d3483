"""The sample firm: some 60 staff, 600 clients and vendors, 2,000 contacts, 1,500 projects;
and every odd case we know of.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql

from deploy.sample.naming import Naming
from deploy.sample.people import ROLES, People

STAFF, COMPANIES, CONTACTS, PROJECTS = 60, 600, 2_000, 1_500
PHASES_FROM = 100_000
# So long, and so little repeated, that PostgreSQL keeps it outside the row even compressed: an
# update of another column then comes without it.
LONG_NOTE = (
    "Minutes: "
    + "".join(random.Random("minutes").choices("abcdefghijklmnopqrstuvwxyz ", k=36_000)).strip()
)


def load(connection: psycopg.Connection, seed: int, naming: Naming, times: int = 1) -> None:
    """Fill Ajera's tables, in one transaction; with so many times the firm."""
    rows = Firm(random.Random(seed), times).rows()
    with connection.transaction():
        for table, listed in rows.items():
            insert(connection, naming, table, listed)


def insert(
    connection: psycopg.Connection,
    naming: Naming,
    table: str,
    rows: Sequence[Mapping[str, Any]],
) -> None:
    """Copy rows into a table; columns that a row lacks are null."""
    columns = sorted({name for row in rows for name in row})
    listed = sql.SQL(", ").join(sql.Identifier(naming.column(table, name)) for name in columns)
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(naming.table(table)), listed
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([row.get(name) for name in columns])


class Firm:
    """Makes the rows."""

    def __init__(self, rng: random.Random, times: int = 1) -> None:
        """`times` as many companies, contacts and projects; the staff stays."""
        self._rng = rng
        self._people = People(rng)
        self._companies_count = COMPANIES * times
        self._contacts_count = CONTACTS * times
        self._projects_count = PROJECTS * times
        self._phases_from = PHASES_FROM * times

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """By table, in an order that respects references."""
        companies = self._companies()
        clients = [row["vecKey"] for row in companies if row["vecIsClient"]]
        vendors = [row["vecKey"] for row in companies if row["vecIsVendor"]]
        projects = self._projects()
        return {
            "AxVec": [self._people.employee_row(key) for key in range(1, STAFF + 1)] + companies,
            "AxContact": self._contacts(clients, vendors),
            "AxProject": projects + self._phases(),
            "AxInvoiceGroup": self._groups(clients),
            "AxResource": self._resources(),
        }

    def _companies(self) -> list[dict[str, Any]]:
        """Odd: client and vendor in one row; a client who is staff too;
        over-long and non-Latin names; no name; blanks.
        """
        rows = []
        for key in range(STAFF + 1, STAFF + self._companies_count + 1):
            is_client = self._rng.random() < 0.7
            rows.append(self._people.company_row(key, client=is_client, vendor=not is_client))
        for row in rows[:25]:
            row["vecIsClient"] = row["vecIsVendor"] = True
        rows[25].update(
            vecIsClient=True,
            vecIsEmployee=True,
            vecFirstName="Ruth",
            vecLastName="Ashford",
        )
        rows[26].update(vecDescription="Consolidated " * 20 + "Ltd")
        rows[27].update(
            vecDescription="Ελληνικά Έργα Α.Ε.",
            vecAddress1="Λεωφόρος Συγγρού 12",
        )
        rows[28].update(vecDescription="株式会社 東京設計事務所", vecCity="東京")
        rows[29].update(vecDescription="شركة البناء")
        rows[30].update(vecDescription="Studio 🏗️ Nord", vecWebsite="x" * 300)
        rows[31].update(vecDescription="   ", vecPhone1="  ", vecPhone2=None)
        rows[33].update(vecPhone1="\xa0", vecPhone2="\u3000(503) 555-0133\xa0")
        rows[34].update(vecAddress1="\xa0", vecCity="\u202fReno\u2007", vecZip="\u2003")
        rows[32].update(
            vecDescription="\tTabbed & Sons \r\n",
            vecAddress1=" ",
            vecCity=None,
            vecState=None,
        )
        return rows

    def _contacts(self, clients: Sequence[int], vendors: Sequence[int]) -> list[dict[str, Any]]:
        """Odd: both Integration Client and Vendor; neither; zero for none; no last name;
        letters beyond the basic plane.
        """
        rows = []
        for key in range(1, self._contacts_count + 1):
            at_client = self._rng.random() < 0.75
            client = self._rng.choice(clients) if at_client else None
            vendor = None if at_client else self._rng.choice(vendors)
            rows.append(self._people.contact_row(key, client, vendor))
        for row in rows[:15]:
            row.update(
                cntClient=self._rng.choice(clients),
                cntVendor=self._rng.choice(vendors),
            )
        for row in rows[15:30]:
            row.update(
                cntClient=self._rng.choice([None, 0]),
                cntVendor=self._rng.choice([None, 0]),
            )
        rows[30].update(cntFirstName="𝒵ara", cntLastName=None)
        rows[31].update(cntFirstName=None, cntLastName="Solo", cntTitle="T" * 150)
        rows[33].update(
            cntMiddleName="\xa0",
            cntTitle="\u3000Partner\xa0",
            cntPhone2="\u202f",
        )
        rows[32].update(
            cntFirstName="Renée-Claire Antoinette Philippine Joséphine Marguerite de",
            cntEmail="",
        )
        return rows

    def _projects(self) -> list[dict[str, Any]]:
        """Odd: no Project ID, the same one twice, differing in case only, too long; long notes;
        no name; nobody in a role.
        """
        rows = [self._people.project_row(key, STAFF) for key in range(1, self._projects_count + 1)]
        for row in rows[:12]:
            row["prjID"] = self._rng.choice([None, "", "   "])
        rows[12]["prjID"] = "\xa0\u3000"
        rows[20]["prjID"] = rows[21]["prjID"] = "SHARED-1"
        rows[22]["prjID"] = "shared-1"
        rows[23]["prjID"] = "L" * 80
        rows[24]["prjID"] = "L" * 80
        for row in rows[30:40]:
            row["prjNotes"] = LONG_NOTE
        rows[41].update(prjDescription=None)
        rows[42].update(prjDescription="Extension " * 30)
        rows[43].update(
            prjProjectManager=None,
            prjPrincipalInCharge=0,
            prjMarketingContact=0,
        )
        rows[44].update(
            prjProjectManager=7,
            prjPrincipalInCharge=7,
            prjMarketingContact=7,
        )
        return rows

    def _phases(self) -> list[dict[str, Any]]:
        phases = (
            project
            for project in range(1, self._projects_count + 1)
            for _ in range(self._rng.choice((0, 1, 2, 3)))
        )
        return [
            self._people.phase_row(self._phases_from + number, project)
            for number, project in enumerate(phases)
        ]

    def _groups(self, clients: Sequence[int]) -> list[dict[str, Any]]:
        """Odd: several groups, a first one without a client, none at all."""
        rows: list[dict[str, Any]] = []
        for project in range(1, self._projects_count + 1):
            for number in range(0 if project % 97 == 0 else self._rng.choice((1, 1, 1, 2, 3))):
                client = None if project % 89 == 0 and number == 0 else self._rng.choice(clients)
                rows.append(
                    {
                        "igKey": len(rows) + 1,
                        "igProject": project,
                        "igClient": client,
                        "igDescription": f"Group {number}",
                    }
                )
        return rows

    def _resources(self) -> list[dict[str, Any]]:
        """Odd: a further role that is a standard role by its text; the same person in two roles;
        a blank role.
        """
        projects: Iterable[int] = (
            p
            for p in range(1, self._projects_count + 1)
            for _ in range(self._rng.choice((0, 0, 1, 2)))
        )
        rows = [
            {
                "resKey": key,
                "resProject": p,
                "resEmployee": self._rng.randint(1, STAFF),
                "resRole": self._rng.choice(ROLES),
            }
            for key, p in enumerate(projects, start=1)
        ]
        rows[3]["resRole"] = "  "
        rows[4].update(resRole="Commissioning " * 12)
        return rows
