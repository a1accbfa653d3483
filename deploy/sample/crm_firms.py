"""The firms of DPS: some of them Ajera's clients, some not."""

from __future__ import annotations

from typing import Any

from deploy.sample import crm_lists, firm
from deploy.sample.crm_flags import (
    LINKED_CLIENTS,
    folded,
)
from deploy.sample.crm_rows import (
    ONLY_FIRMS,
    UNFLAGGED_FIRMS,
    DpsRows,
    Row,
    cut,
    new_id,
)


class FirmRows(DpsRows):
    """Firms, with their addresses."""

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
