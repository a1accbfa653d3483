"""Edits of contacts in DPS."""

from __future__ import annotations

import psycopg

from deploy.sample.crm_day_statements import InDps
from deploy.sample.crm_rows import USERS
from deploy.sample.edits import Edit
from deploy.sample.people import TITLES


class ContactEdits(InDps):
    """Who works for a firm."""

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
