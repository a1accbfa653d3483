"""A working day in DPS: committed transactions, one at a time,
mostly in what is shared with Ajera.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, Final

import psycopg

from deploy.sample import crm_lists, firm
from deploy.sample.crm import STAGES, USERS, new_id
from deploy.sample.dps import BLANK
from deploy.sample.edits import Edit, Undo, draw, run
from deploy.sample.naming import Naming
from deploy.sample.people import BUILDINGS, CITIES, TITLES, People

Key = tuple[str, ...]

SHARED_IN_HUNDRED: Final = 95
KEYS: Final = {
    "Clendor": ("ClientID",),
    "CLAddress": ("ClientID", "Address"),
    "Contacts": ("ContactID",),
    "PR": ("WBS1", "WBS2", "WBS3"),
    "PRContactAssoc": ("WBS1", "WBS2", "WBS3", "ContactID"),
}
IS_SHARED: Final = {
    "CLAddress": (
        "{CLAddress.ClientID} IN (SELECT {Clendor.ClientID} FROM {Clendor}"
        " WHERE {Clendor.AjeraSync} = 'Y')"
    )
}
IS_PROJECT: Final = "{PR.WBS2} = ' ' AND {PR.WBS3} = ' '"
OWN_NUMBER: Final = "C-"


class CrmDay:
    """Makes edits. It knows the tables only through the connection it is given,
    so that it can go on after a restart.
    """

    def __init__(self, seed: int, naming: Naming) -> None:
        self._rng = random.Random(f"crm day {seed}")
        self._naming = naming
        self._people = People(self._rng)
        self._edits: tuple[tuple[int, Callable[[psycopg.Connection], Edit]], ...] = (
            (8, self._rename_firm),
            (8, self._change_website),
            (8, self._edit_memo),
            (4, self._change_firm_status),
            (10, self._change_phone),
            (8, self._move_firm),
            (8, self._rename_contact),
            (8, self._change_email),
            (3, self._move_contact),
            (4, self._new_firm),
            (6, self._new_contact),
            (3, self._delete_contact),
            (5, self._new_project),
            (6, self._rename_project),
            (6, self._change_chances),
            (4, self._change_client),
            (4, self._edit_project_memo),
            (4, self._change_project_contacts),
            (2, self._tick_sync),
            (2, self._think_better_of_it),
        )

    def next_edit(self, connection: psycopg.Connection) -> Edit:
        """One transaction, committed when this returns."""
        return draw(self._rng, self._edits, connection, "Clendor")

    # -- statements --------------------------------------------------------------------------------

    def _run(
        self, connection: psycopg.Connection, text: str, **values: Any
    ) -> list[tuple[Any, ...]]:
        return run(connection, self._naming, text, values)

    def _pick(
        self,
        connection: psycopg.Connection,
        table: str,
        where: str = "true",
    ) -> Key:
        """A key at random, by our own generator: of a shared row but for one time in twenty,
        or where there is none.
        """
        listed = ", ".join(f"{{{table}.{name}}}" for name in KEYS[table])
        shared = IS_SHARED.get(table, f"{{{table}.AjeraSync}} = 'Y'")
        shared = shared if self._rng.randrange(100) < SHARED_IN_HUNDRED else "true"
        select = f"SELECT {listed} FROM {{{table}}} WHERE {where}"
        rows = self._run(connection, f"{select} AND {shared} ORDER BY {listed}")
        return self._rng.choice(rows or self._run(connection, f"{select} ORDER BY {listed}"))

    def _set(
        self,
        connection: psycopg.Connection,
        table: str,
        key: Sequence[str],
        **values: Any,
    ) -> None:
        """What DPS itself does on saving: it writes who changed the row, and when."""
        values["ModUser"] = self._rng.choice(USERS)
        assigned = ", ".join(f"{{{table}.{name}}} = %({name})s" for name in values)
        found = " AND ".join(
            f"{{{table}.{name}}} = %(key{number})s" for number, name in enumerate(KEYS[table])
        )
        text = (
            f"UPDATE {{{table}}} SET {assigned}, {{{table}.ModDate}} = now() AT TIME ZONE 'utc'"
            f" WHERE {found}"
        )
        self._run(
            connection,
            text,
            **values,
            **{f"key{number}": part for number, part in enumerate(key)},
        )

    def _insert(self, connection: psycopg.Connection, table: str, **values: Any) -> None:
        firm.insert(connection, self._naming, table, [values])

    def _new_id(self, connection: psycopg.Connection, table: str) -> str:
        """Of a second day with the same seed, too: it draws again until the key is new."""
        (key,) = KEYS[table]
        while self._run(
            connection,
            f"SELECT 1 FROM {{{table}}} WHERE {{{table}.{key}}} = %(id)s",
            id=(new := new_id(self._rng)),
        ):
            pass
        return new

    def _memo(self) -> str | None:
        return self._rng.choice(
            [
                None,
                f"Called {self._rng.randrange(10_000)}.",
                firm.LONG_NOTE + str(self._rng.random()),
            ]
        )

    # -- firms -------------------------------------------------------------------------------------

    def _rename_firm(self, connection: psycopg.Connection) -> Edit:
        self._set(
            connection,
            "Clendor",
            self._pick(connection, "Clendor"),
            Name=self._people.company(),
        )
        return Edit("renamed a firm", "Clendor")

    def _change_website(self, connection: psycopg.Connection) -> Edit:
        site = self._rng.choice([None, f"www.dps{self._rng.randrange(10_000)}.example"])
        self._set(
            connection,
            "Clendor",
            self._pick(connection, "Clendor"),
            WebSite=site,
        )
        return Edit("changed a firm's website", "Clendor")

    def _edit_memo(self, connection: psycopg.Connection) -> Edit:
        self._set(
            connection,
            "Clendor",
            self._pick(connection, "Clendor"),
            Memo=self._memo(),
        )
        return Edit("edited a firm's memo", "Clendor")

    def _change_firm_status(self, connection: psycopg.Connection) -> Edit:
        status = self._rng.choice("AAD")
        self._set(
            connection,
            "Clendor",
            self._pick(connection, "Clendor"),
            Status=status,
        )
        return Edit("changed a firm's status", "Clendor")

    def _change_phone(self, connection: psycopg.Connection) -> Edit:
        phone = self._rng.choice([self._people.phone(), None])
        self._set(
            connection,
            "CLAddress",
            self._pick(connection, "CLAddress"),
            Phone=phone,
        )
        return Edit("changed a firm's phone", "CLAddress")

    def _move_firm(self, connection: psycopg.Connection) -> Edit:
        self._set(
            connection,
            "CLAddress",
            self._pick(connection, "CLAddress"),
            **self._address(),
        )
        return Edit("moved a firm", "CLAddress")

    def _new_firm(self, connection: psycopg.Connection) -> Edit:
        """With its address and a contact, in one transaction."""
        key = self._new_id(connection, "Clendor")
        by = self._rng.choice(USERS)
        self._insert(
            connection,
            "Clendor",
            ClientID=key,
            Name=self._people.company(),
            Status="A",
            ClientInd="Y",
            AjeraSync="Y",
            CreateUser=by,
            ModUser=by,
        )
        self._insert(
            connection,
            "CLAddress",
            ClientID=key,
            Address="Main",
            PrimaryInd="Y",
            Country="US",
            Phone=self._people.phone(),
            ModUser=by,
            **self._address(),
        )
        self._add_contact(connection, key)
        return Edit("a new firm", "Clendor")

    def _tick_sync(self, connection: psycopg.Connection) -> Edit:
        unshared = self._run(
            connection,
            "SELECT {Clendor.ClientID} FROM {Clendor} WHERE {Clendor.AjeraSync} = 'N' ORDER BY 1",
        )
        if unshared and self._rng.random() < 0.5:
            self._set(
                connection,
                "Clendor",
                self._rng.choice(unshared),
                AjeraSync="Y",
            )
            return Edit("ticked Sync to Ajera on a firm", "Clendor")
        self._set(
            connection,
            "Clendor",
            self._pick(connection, "Clendor"),
            AjeraSync="N",
        )
        return Edit("a firm is shared no more", "Clendor")

    def _think_better_of_it(self, connection: psycopg.Connection) -> Edit:
        self._set(
            connection,
            "Clendor",
            self._pick(connection, "Clendor"),
            Name="NEVER COMMITTED",
        )
        raise Undo

    def _address(self) -> dict[str, Any]:
        columns = {
            f"vec{name}": name
            for name in (
                "Address1",
                "Address2",
                "Address3",
                "City",
                "State",
            )
        }
        return {
            columns.get(name, "ZIP"): value or None
            for name, value in self._people.address().items()
        }

    # -- contacts ----------------------------------------------------------------------------------

    def _rename_contact(self, connection: psycopg.Connection) -> Edit:
        self._set(
            connection,
            "Contacts",
            self._pick(connection, "Contacts"),
            LastName=self._people.last(),
        )
        return Edit("a contact got another name", "Contacts")

    def _change_email(self, connection: psycopg.Connection) -> Edit:
        email = f"mail{self._rng.randrange(100_000)}@dps.example"
        self._set(
            connection,
            "Contacts",
            self._pick(connection, "Contacts"),
            EMail=email,
        )
        return Edit("changed a contact's e-mail", "Contacts")

    def _move_contact(self, connection: psycopg.Connection) -> Edit:
        (client,) = self._pick(connection, "Clendor")
        self._set(
            connection,
            "Contacts",
            self._pick(connection, "Contacts"),
            ClientID=client,
        )
        return Edit("a contact changed firm", "Contacts")

    def _new_contact(self, connection: psycopg.Connection) -> Edit:
        (client,) = self._pick(connection, "Clendor")
        self._add_contact(connection, client)
        return Edit("met a contact", "Contacts")

    def _add_contact(self, connection: psycopg.Connection, client: str) -> None:
        key = self._new_id(connection, "Contacts")
        self._insert(
            connection,
            "Contacts",
            ContactID=key,
            ClientID=client,
            FirstName=self._people.first(),
            MiddleName=self._rng.choice([None, "C."]),
            LastName=self._people.last(),
            Status="A",
            AjeraSync="Y",
            Title=self._rng.choice(TITLES),
            Phone=self._people.phone(),
            EMail=f"{key[:8].lower()}@dps.example",
            ModUser=self._rng.choice(USERS),
        )

    def _delete_contact(self, connection: psycopg.Connection) -> Edit:
        """Off every project first, then gone."""
        (key,) = self._pick(connection, "Contacts")
        for table in ("PRContactAssoc", "Contacts"):
            self._run(
                connection,
                f"DELETE FROM {{{table}}} WHERE {{{table}.ContactID}} = %(key)s",
                key=key,
            )
        return Edit("deleted a contact", "Contacts")

    # -- projects ----------------------------------------------------------------------------------

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
