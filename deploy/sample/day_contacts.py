"""Edits of contacts in Ajera."""

from __future__ import annotations

import psycopg

from deploy.sample.day_statements import InAjera
from deploy.sample.edits import Edit


class ContactEdits(InAjera):
    """Who works for a client."""

    def _new_contact(self, connection: psycopg.Connection) -> Edit:
        key = self._next(connection, "AxContact", "cntKey")
        self._insert(
            connection,
            "AxContact",
            [self._people.contact_row(key, self._company(connection), None)],
        )
        return Edit("met a contact", "AxContact")

    def _move_contact(self, connection: psycopg.Connection) -> Edit:
        key = self._pick(connection, "AxContact", "cntKey")
        self._set(
            connection,
            "AxContact",
            "cntKey",
            key,
            cntClient=self._company(connection),
            cntVendor=None,
        )
        return Edit("a contact changed company", "AxContact")

    def _clear_integration(self, connection: psycopg.Connection) -> Edit:
        key = self._pick(connection, "AxContact", "cntKey")
        self._set(
            connection,
            "AxContact",
            "cntKey",
            key,
            cntClient=self._rng.choice([None, 0]),
            cntVendor=None,
        )
        return Edit("removed a contact from its company", "AxContact")

    def _change_fax(self, connection: psycopg.Connection) -> Edit:
        key = self._pick(connection, "AxContact", "cntKey")
        self._set(
            connection,
            "AxContact",
            "cntKey",
            key,
            cntFax=self._rng.choice([self._people.phone(), None]),
        )
        return Edit("changed a contact's fax", "AxContact")

    def _delete_contact(self, connection: psycopg.Connection) -> Edit:
        key = self._pick(connection, "AxContact", "cntKey")
        self._run(
            connection,
            "DELETE FROM {AxContact} WHERE {AxContact.cntKey} = %(key)s",
            key=key,
        )
        return Edit("deleted a contact", "AxContact")

    def _return_contact(self, connection: psycopg.Connection) -> Edit:
        """Deleted, then inserted again under the same key, in one transaction or over two days."""
        key = self._pick(connection, "AxContact", "cntKey")
        self._run(
            connection,
            "DELETE FROM {AxContact} WHERE {AxContact.cntKey} = %(key)s",
            key=key,
        )
        self._insert(
            connection,
            "AxContact",
            [self._people.contact_row(key, None, None)],
        )
        return Edit("a contact returned", "AxContact")
