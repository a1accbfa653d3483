"""Edits of projects in DPS."""

from __future__ import annotations

from typing import Final

import psycopg

from deploy.sample import crm_lists
from deploy.sample.crm_day_statements import InDps, Key
from deploy.sample.crm_rows import STAGES, USERS
from deploy.sample.dps import BLANK
from deploy.sample.edits import Edit
from deploy.sample.people import BUILDINGS, CITIES

IS_PROJECT: Final = "{PR.WBS2} = ' ' AND {PR.WBS3} = ' '"
OWN_NUMBER: Final = "C-"


class ProjectEdits(InDps):
    """Projects, with their contacts."""

    def _project(self, connection: psycopg.Connection) -> Key:
        return self._pick(connection, "PR", IS_PROJECT)

    def _name(self, number: str) -> dict[str, str]:
        """Now and then longer than the short name."""
        name = f"{self._rng.choice(CITIES)[0]} {self._rng.choice(BUILDINGS)} {number}"
        name += self._rng.choice(["", "", "", ", First and Second Building Section"])
        return {"Name": name[:40].rstrip(), "LongName": name}

    def _new_project(self, connection: psycopg.Connection) -> Edit:
        """With a template, a client and a contact of that client, in one transaction."""
        ((newest,),) = self._run(
            connection,
            "SELECT max({PR.WBS1}) FROM {PR} WHERE {PR.WBS1} LIKE %(like)s",
            like=f"{OWN_NUMBER}_____",
        )
        number = f"{OWN_NUMBER}{int((newest or f'{OWN_NUMBER}0')[len(OWN_NUMBER) :]) + 1:05}"
        (client,) = self._pick(connection, "Clendor", "{Clendor.ClientInd} = 'Y'")
        template = self._rng.choice([code for _, _, code, _ in crm_lists.TEMPLATES])
        by = self._rng.choice(USERS)
        self._insert(
            connection,
            "PR",
            WBS1=number,
            WBS2=BLANK,
            WBS3=BLANK,
            **self._name(number),
            Status="A",
            ChargeType="R",
            ProjectTemplate=template,
            ProjectType=self._rng.choice(["COM", "RES", None]),
            ClientID=client,
            AjeraSync="Y",
            Probability=self._rng.choice([None, 25]),
            CreateUser=by,
            ModUser=by,
        )
        self._add_to_project(connection, (number, BLANK, BLANK), client)
        return Edit("a new project", "PR")

    def _rename_project(self, connection: psycopg.Connection) -> Edit:
        key = self._project(connection)
        self._set(
            connection,
            "PR",
            key,
            **self._name(f"R{self._rng.randrange(100_000)}"),
        )
        return Edit("renamed a project", "PR")

    def _change_chances(self, connection: psycopg.Connection) -> Edit:
        chances = {
            "Probability": self._rng.choice([None, 0, 20, 60, 100]),
            "Stage": self._rng.choice(STAGES),
        }
        self._set(connection, "PR", self._project(connection), **chances)
        return Edit("changed a project's chances", "PR")

    def _change_client(self, connection: psycopg.Connection) -> Edit:
        (client,) = self._pick(connection, "Clendor")
        self._set(connection, "PR", self._project(connection), ClientID=client)
        return Edit("another client for a project", "PR")

    def _edit_project_memo(self, connection: psycopg.Connection) -> Edit:
        self._set(connection, "PR", self._project(connection), Memo=self._memo())
        return Edit("edited a project's memo", "PR")

    def _change_project_contacts(self, connection: psycopg.Connection) -> Edit:
        if self._rng.random() < 0.6:
            key = self._project(connection)
            where = "{PR.WBS1} = %(one)s AND {PR.WBS2} = %(two)s AND {PR.WBS3} = %(three)s"
            found = self._run(
                connection,
                f"SELECT {{PR.ClientID}} FROM {{PR}} WHERE {where}",
                one=key[0],
                two=key[1],
                three=key[2],
            )
            self._add_to_project(connection, key, found[0][0] if found else None)
            return Edit("put a contact on a project", "PRContactAssoc")
        key = self._pick(connection, "PRContactAssoc")
        self._run(
            connection,
            "DELETE FROM {PRContactAssoc} WHERE {PRContactAssoc.WBS1} = %(project)s"
            " AND {PRContactAssoc.ContactID} = %(contact)s",
            project=key[0],
            contact=key[3],
        )
        return Edit("took a contact off a project", "PRContactAssoc")

    def _add_to_project(
        self,
        connection: psycopg.Connection,
        project: Key,
        client: str | None,
    ) -> None:
        """A contact of the client; nobody where there is none,
        or where the chosen one is on the project already.
        """
        rows = self._run(
            connection,
            "SELECT {Contacts.ContactID} FROM {Contacts} WHERE {Contacts.ClientID} = %(client)s"
            " ORDER BY 1",
            client=client,
        )
        if not rows:
            return
        (contact,) = self._rng.choice(rows)
        self._run(
            connection,
            "INSERT INTO {PRContactAssoc} ({PRContactAssoc.WBS1}, {PRContactAssoc.WBS2},"
            " {PRContactAssoc.WBS3}, {PRContactAssoc.ContactID}, {PRContactAssoc.AjeraSync})"
            " VALUES (%(one)s, %(two)s, %(three)s, %(contact)s, 'Y') ON CONFLICT DO NOTHING",
            one=project[0],
            two=project[1],
            three=project[2],
            contact=contact,
        )
