"""Edits of companies and people in Ajera."""

from __future__ import annotations

import psycopg

from deploy.sample import firm
from deploy.sample.day_statements import InAjera
from deploy.sample.edits import Edit, Undo


class CompanyEdits(InAjera):
    """Clients, vendors and employees: one table."""

    def _rename_company(self, connection: psycopg.Connection) -> Edit:
        self._set(
            connection,
            "AxVec",
            "vecKey",
            self._company(connection),
            vecDescription=self._people.company(),
        )
        return Edit("renamed a client", "AxVec")

    def _move_company(self, connection: psycopg.Connection) -> Edit:
        self._set(
            connection,
            "AxVec",
            "vecKey",
            self._company(connection),
            **self._people.address(),
        )
        return Edit("moved a client", "AxVec")

    def _change_phone(self, connection: psycopg.Connection) -> Edit:
        key = self._pick(connection, "AxVec", "vecKey")
        self._set(
            connection,
            "AxVec",
            "vecKey",
            key,
            vecPhone1=self._rng.choice([self._people.phone(), "", None]),
        )
        return Edit("changed a phone", "AxVec")

    def _flip_flag(self, connection: psycopg.Connection) -> Edit:
        """A client becomes a vendor too, or no client any more; PIM keeps what it has."""
        if self._rng.random() < 0.6:
            self._set(
                connection,
                "AxVec",
                "vecKey",
                self._company(connection),
                vecIsVendor=True,
            )
            return Edit("a client became a vendor too", "AxVec")
        key = self._pick(
            connection,
            "AxVec",
            "vecKey",
            "{AxVec.vecIsClient} AND {AxVec.vecIsVendor}",
        )
        self._set(connection, "AxVec", "vecKey", key, vecIsClient=False)
        return Edit("a client is one no more", "AxVec")

    def _edit_client_notes(self, connection: psycopg.Connection) -> Edit:
        notes = self._rng.choice(
            [
                None,
                f"Called {self._rng.randrange(10_000)}.",
                firm.LONG_NOTE + str(self._rng.random()),
            ]
        )
        self._set(
            connection,
            "AxVec",
            "vecKey",
            self._company(connection),
            vecClientNotes=notes,
        )
        return Edit("edited a client's notes", "AxVec")

    def _change_website(self, connection: psycopg.Connection) -> Edit:
        site = self._rng.choice([None, f"www.site{self._rng.randrange(10_000)}.example"])
        self._set(
            connection,
            "AxVec",
            "vecKey",
            self._company(connection),
            vecWebsite=site,
        )
        return Edit("changed a website", "AxVec")

    def _tick_sync(self, connection: psycopg.Connection) -> Edit:
        self._set(
            connection,
            "AxVec",
            "vecKey",
            self._company(connection),
            vecSyncToCRM=True,
        )
        return Edit("ticked Sync to CRM on a client", "AxVec")

    def _new_employee(self, connection: psycopg.Connection) -> Edit:
        self._insert(
            connection,
            "AxVec",
            [self._people.employee_row(self._next(connection, "AxVec", "vecKey"))],
        )
        return Edit("hired somebody", "AxVec")

    def _delete_company(self, connection: psycopg.Connection) -> Edit:
        self._run(
            connection,
            "DELETE FROM {AxVec} WHERE {AxVec.vecKey} = %(key)s",
            key=self._company(connection),
        )
        return Edit("deleted a client", "AxVec")

    def _readdress_many(self, connection: psycopg.Connection) -> Edit:
        self._run(
            connection,
            (
                "UPDATE {AxContact} SET {AxContact.cntTitle} = %(title)s"
                " WHERE {AxContact.cntKey} %% 7 = %(n)s"
            ),
            title=f"Partner {self._rng.randrange(100)}",
            n=self._rng.randrange(7),
        )
        return Edit("changed 300 contacts at once", "AxContact")

    def _think_better_of_it(self, connection: psycopg.Connection) -> Edit:
        self._set(
            connection,
            "AxVec",
            "vecKey",
            self._company(connection),
            vecDescription="NEVER COMMITTED",
        )
        raise Undo
