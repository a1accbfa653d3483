"""Ajera's half of the two-way sample: which clients, contacts and projects are ticked Sync to CRM,
and their types.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from deploy.sample import crm_lists, firm
from deploy.sample.naming import Naming
from deploy.sample.people import FIRST, LAST

Row = dict[str, Any]

CLIENTS, LINKED_CLIENTS, CONTACTS_A_CLIENT = 250, 150, 4
PROJECTS, LINKED_PROJECTS, CLOSED_PROJECTS, CREATED_PROJECTS = (
    250,
    120,
    10,
    60,
)
CLOSED = 5
ODD_CLIENTS: Final = range(
    firm.STAFF + 26, firm.STAFF + 34
)  # over-long, blank around or not Latin: see firm.py
ODD_CONTACTS: Final = (
    31,
    32,
    33,
)  # no last name, no first name, a first name that is too long
ODD_PROJECT: Final = 43  # a name of 300 letters
NOTES: Final = (
    None,
    None,
    None,
    "Prefers e-mail.",
    "Met at the fair.\nCall in spring.",
)


@dataclass(frozen=True, slots=True)
class Flagged:
    """What Ajera wants to share.
    The first clients and projects of each list are those that DPS has too.
    """

    clients: Sequence[Row]
    contacts: Sequence[Row]
    projects: Sequence[Row]  # each with `client`, of its first invoice group
    unflagged_project: Row
    names: frozenset[str]  # of all companies and people, folded
    staff: Sequence[Row]


FIRM_COLUMNS: Final = (
    "vecKey", "vecDescription", "vecFirstName", "vecMiddleName", "vecLastName", "vecEmail",
    "vecPhone1", "vecFax", "vecWebsite", "vecAddress1", "vecAddress2", "vecAddress3", "vecCity",
    "vecState", "vecZip", "vecIsClient", "vecIsVendor", "vecIsEmployee", "vecStatus",
)  # fmt: skip
CONTACT_COLUMNS: Final = (
    "cntKey", "cntFirstName", "cntMiddleName", "cntLastName", "cntTitle", "cntEmail", "cntPhone1",
    "cntPhone2", "cntClient", "cntStatus",
)  # fmt: skip


def folded(*parts: object) -> str:
    """A name as it is compared."""
    return " ".join(
        str(part).strip() for part in parts if part is not None and str(part).strip()
    ).casefold()


def flag(ajera: psycopg.Connection, rng: random.Random, naming: Naming) -> Flagged:
    """Tick and fill, in the caller's transaction;
    whatever a name decides has a name that is there once.
    """
    vec = select(ajera, naming, "AxVec", FIRM_COLUMNS)
    contacts = select(ajera, naming, "AxContact", CONTACT_COLUMNS)
    clients = _clients(vec, rng)
    vendors = [
        {"vecKey": row["vecKey"], "vecVendorType": rng.randint(1, 4)}
        for row in vec
        if row["vecIsVendor"]
    ]
    update(ajera, naming, "AxVec", "vecKey", vendors)
    kinds = {row["vecKey"]: row["vecVendorType"] for row in vendors}
    for row in clients:
        row["vecVendorType"] = kinds.get(row["vecKey"])
    people = _contacts(contacts, [row["vecKey"] for row in clients], rng)
    projects, other = _projects(
        ajera,
        naming,
        [row["vecKey"] for row in clients[:LINKED_CLIENTS]],
        rng,
    )
    update(ajera, naming, "AxVec", "vecKey", clients)
    update(ajera, naming, "AxContact", "cntKey", people)
    update(
        ajera,
        naming,
        "AxProject",
        "prjKey",
        [{k: v for k, v in row.items() if k != "client"} for row in projects],
    )
    names = {folded(row["vecDescription"]) for row in vec}
    names |= {
        folded(row["cntFirstName"], row["cntMiddleName"], row["cntLastName"]) for row in contacts
    }
    staff = [row for row in vec if row["vecIsEmployee"] and row["vecLastName"]]
    return Flagged(clients, people, projects, other, frozenset(names), staff)


def _clients(vec: Sequence[Row], rng: random.Random) -> list[Row]:
    times = Counter(folded(row["vecDescription"]) for row in vec)
    able = [
        row
        for row in vec
        if row["vecIsClient"]
        and not row["vecIsEmployee"]
        and folded(row["vecDescription"])
        and times[folded(row["vecDescription"])] == 1
    ]
    odd = [row for row in able if row["vecKey"] in ODD_CLIENTS]
    plain = rng.sample([row for row in able if row not in odd], CLIENTS - len(odd))
    chosen = [*plain, *odd]
    for row in chosen:
        row.update(
            vecSyncToCRM=True,
            vecCountry=rng.choice(["US", "US", "US", None]),
            vecClientType=rng.choice([1, 2, 3, 4, 5, None]),
            vecClientNotes=rng.choice(NOTES),
        )
    plain[0]["vecClientNotes"] = firm.LONG_NOTE
    plain[1]["vecCountry"] = "Canada"
    return chosen


def _contacts(contacts: Sequence[Row], clients: Sequence[int], rng: random.Random) -> list[Row]:
    """At most four a client; a name stands once among all,
    but for one that two people at two clients share.
    """
    of_client: dict[int, list[Row]] = {key: [] for key in clients}
    for row in contacts:
        here = of_client.get(row["cntClient"])
        if here is not None and len(here) < CONTACTS_A_CLIENT and row["cntKey"] not in ODD_CONTACTS:
            here.append(row)
    taken = {
        folded(row["cntFirstName"], row["cntMiddleName"], row["cntLastName"]) for row in contacts
    }
    for row in (row for here in of_client.values() for row in here):
        person = new_name(rng, taken)
        row.update({f"cnt{part}": value for part, value in person.items()})
    one, two = [here for here in of_client.values() if here][:2]
    two[0].update({name: one[0][name] for name in ("cntFirstName", "cntMiddleName", "cntLastName")})
    with_room = [key for key, here in of_client.items() if len(here) < CONTACTS_A_CLIENT]
    for key, row in zip(
        with_room,
        (row for row in contacts if row["cntKey"] in ODD_CONTACTS),
        strict=False,
    ):
        row["cntClient"] = key
        of_client[key].append(row)
    chosen = [row for here in of_client.values() for row in here]
    for row in chosen:
        row.update(
            cntSyncToCRM=True,
            cntFax=f"(503) 555-{row['cntKey']:04}" if rng.random() < 0.3 else None,
        )
    return chosen


def new_name(rng: random.Random, taken: set[str]) -> dict[str, str | None]:
    """First, middle and last name of somebody whose like is not there yet."""
    while True:
        last = f"{rng.choice(LAST)}-{rng.choice(LAST)}"
        person = {
            "FirstName": rng.choice(FIRST),
            "MiddleName": rng.choice([None, None, "B."]),
            "LastName": last,
        }
        name = folded(*person.values())
        if name not in taken:
            taken.add(name)
            return person


def _projects(
    ajera: psycopg.Connection,
    naming: Naming,
    linked: Sequence[int],
    rng: random.Random,
) -> tuple[list[Row], Row]:
    """The chosen ones, those first that DPS has too: they are open and their client is in DPS;
    and one left out.
    """
    rows = select(
        ajera,
        naming,
        "AxProject",
        ("prjKey", "prjID", "prjDescription", "prjNotes", "prjStatus"),
        f"{{AxProject.prjKey}} < {firm.PHASES_FROM}",
    )
    groups = select(ajera, naming, "AxInvoiceGroup", ("igKey", "igProject", "igClient"))
    first = {group["igProject"]: group["igClient"] for group in reversed(groups)}
    ids = Counter(folded(row["prjID"]) for row in rows)
    able = [
        row
        for row in rows
        if folded(row["prjID"]) and ids[folded(row["prjID"])] == 1 and row["prjDescription"]
    ]
    for row in able:
        row["client"] = first.get(row["prjKey"])
    rng.shuffle(able)
    chosen, left_out = _chosen(able, linked)
    for row in chosen[:5] + chosen[LINKED_PROJECTS : LINKED_PROJECTS + 5]:
        row["prjDescription"] += ", Renovation of the East Wing and the Garden"
    for number, row in enumerate(chosen):
        is_new = LINKED_PROJECTS <= number < LINKED_PROJECTS + CREATED_PROJECTS
        row.update(
            prjSyncToCRM=True,
            prjCreateInCRM=is_new,
            prjProjectType=rng.choice([1, 2, 3, 4, 5, None]),
        )
    for row in chosen[10:12]:
        row["prjProjectType"] = crm_lists.TYPE_WITHOUT_CODE
    return chosen, left_out


def _chosen(able: Sequence[Row], linked: Sequence[int]) -> tuple[list[Row], Row]:
    """Open projects, first those of linked clients; then some that are closed; and one left out."""
    is_open = [row for row in able if row["prjStatus"] != CLOSED and row["prjKey"] != ODD_PROJECT]
    chosen = [row for row in is_open if row["client"] in set(linked)][:LINKED_PROJECTS]
    rest = [row for row in is_open if row not in chosen]
    chosen += rest[: PROJECTS - LINKED_PROJECTS - CLOSED_PROJECTS - 1]
    chosen += [row for row in able if row["prjKey"] == ODD_PROJECT]
    chosen += [row for row in able if row["prjStatus"] == CLOSED and row not in chosen][
        :CLOSED_PROJECTS
    ]
    return chosen, rest[-1]


# -- statements ------------------------------------------------------------------------------------


def select(
    connection: psycopg.Connection,
    naming: Naming,
    table: str,
    columns: Sequence[str],
    where: str = "true",
) -> list[Row]:
    """Rows in the order of their first column, which is the key."""
    listed = ", ".join(f"{{{table}.{name}}}" for name in columns)
    text = f"SELECT {listed} FROM {{{table}}} WHERE {where} ORDER BY 1"
    return [
        dict(zip(columns, row, strict=True))
        for row in connection.execute(sql.SQL(naming.sql(text)))
    ]


def update(
    connection: psycopg.Connection,
    naming: Naming,
    table: str,
    key: str,
    rows: Iterable[Mapping[str, Any]],
) -> None:
    """Set every column of each row."""
    with connection.cursor() as cursor:
        for row in rows:
            assigned = ", ".join(f"{{{table}.{name}}} = %({name})s" for name in row if name != key)
            text = naming.sql(
                f"UPDATE {{{table}}} SET {assigned} WHERE {{{table}.{key}}} = %({key})s"
            )
            cursor.execute(sql.SQL(text), dict(row))
