"""Edits of firms in DPS."""

from __future__ import annotations

from typing import Any

import psycopg

from deploy.sample.crm_day_contacts import ContactEdits
from deploy.sample.crm_rows import USERS
from deploy.sample.edits import Edit, Undo


class FirmEdits(ContactEdits):
    """Firms, with their addresses; a new one has contacts."""

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
