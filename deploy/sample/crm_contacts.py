"""The contacts of DPS."""

from __future__ import annotations

from typing import Any

from deploy.sample import crm_flags
from deploy.sample.crm_rows import (
    MANY_CONTACTS,
    ONLY_FIRMS,
    DpsRows,
    Row,
    cut,
    new_id,
)
from deploy.sample.people import TITLES


class ContactRows(DpsRows):
    """Who works for a firm; one for none."""

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
