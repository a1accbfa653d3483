"""The events that contenders read."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.bench.produce import Change


def changes_of(rows: int, rng: random.Random) -> Iterator[Change]:
    """Each row of AxVec inserted, then updated."""
    words = [
        "Acme",
        "Harbour",
        "Miller",
        "North",
        "Studio",
        "Bridge",
        "Σ",
        "Ōsaka",
    ]
    for number, operation in enumerate(["c"] * rows + ["u"] * rows):
        key = number % rows + 1
        yield Change(operation, _row(key, number, rng, words), number + 1)


def _row(key: int, number: int, rng: random.Random, words: list[str]) -> dict[str, object]:
    texts = (
        "vecFirstName",
        "vecLastName",
        "vecTitle",
        "vecEmail",
        "vecPhone1",
        "vecPhone2",
        "vecFax",
        "vecWebsite",
    )
    places = (
        "vecAddress1",
        "vecAddress2",
        "vecAddress3",
        "vecCity",
        "vecState",
        "vecZip",
    )
    kind = rng.randrange(3)
    return {
        "vecKey": key,
        "vecDescription": f"{rng.choice(words)} {number}",
        **{name: f"{rng.choice(words)} {rng.randrange(10_000)}" for name in (*texts, *places)},
        "vecIsClient": kind == 0,
        "vecIsVendor": kind == 1,
        "vecIsEmployee": kind == 2,
    }


def of_clients(rows: int, rng: random.Random) -> list[tuple[str, Change]]:
    """Each row of AxVec inserted, then updated, with its table."""
    return [("AxVec", change) for change in changes_of(rows, rng)]


def of_projects(rows: int, rng: random.Random) -> list[tuple[str, Change]]:
    """A quarter as many clients as projects; each project with an invoice group;
    then each project updated.
    """
    clients = max(rows // 4, 1)
    changes = [("AxVec", one) for one in changes_of(clients, rng) if one.operation == "c"]
    for kind, table in enumerate(("AxProject", "AxInvoiceGroup", "AxProject")):
        for key in range(1, rows + 1):
            row = _group(key, clients) if table == "AxInvoiceGroup" else _project(key, kind)
            operation = "u" if kind == 2 else "c"  # the second time
            changes.append((table, Change(operation, row, len(changes) + 1)))
    return changes


def _group(key: int, clients: int) -> dict[str, object]:
    return {"igKey": key, "igProject": key, "igClient": key % clients + 1}


def _project(key: int, edited: int) -> dict[str, object]:
    return {
        "prjKey": key,
        "prjID": f"{key:06d}",
        "prjDescription": f"Project {key} {edited}",
        "prjNotes": f"Notes {edited}",
        "prjStatus": 1,
        "prjProject": 0,
        "prjSyncToCRM": False,
        "prjCreateInCRM": False,
    }
