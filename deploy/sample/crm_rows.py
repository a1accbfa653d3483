"""What every row that the sample puts into DPS is made of."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any, Final

from deploy.sample.crm_flags import (
    Flagged,
)
from deploy.sample.people import People

Row = dict[str, Any]

(
    ONLY_FIRMS,
    UNFLAGGED_FIRMS,
    ONLY_PROJECTS,
    UNFLAGGED_PROJECTS,
    EMPLOYEES,
) = 60, 15, 40, 10, 10
MANY_CONTACTS, MANY_ON_PROJECT = 7, 6
FIRST_DAY: Final = datetime(2026, 1, 5, 8)  # noqa: DTZ001  DPS writes UTC without saying so
USERS: Final = ("ADMIN", "MLEE", "PNOVAK")
STAGES: Final = (
    "Lead",
    "Proposal",
    "Won",
    "Lost",
    "DNP",
    None,
)  # ten letters at most: Do Not Pursue has thirteen
TABLES: Final = (
    "Clendor",
    "CLAddress",
    "Contacts",
    "PR",
    "PRContactAssoc",
    "EM",
)


def cut(value: object, length: int) -> str | None:
    """Text as DPS holds it: nothing for blanks, never longer than its column."""
    text = "" if value is None else str(value).strip()[:length].rstrip()
    return text or None


def new_id(rng: random.Random) -> str:
    """A key of firms and contacts: 32 hexadecimal digits."""
    return f"{rng.getrandbits(128):032X}"


class DpsRows:
    """The rows so far, and what later ones refer to."""

    def __init__(self, rng: random.Random, flagged: Flagged) -> None:
        self._rng = rng
        self._flagged = flagged
        self._people = People(rng)
        self._taken = set(flagged.names)
        self._rows: dict[str, list[Row]] = {table: [] for table in TABLES}
        self._firm_of: dict[int, str] = {}  # Ajera's client: the firm of the same name
        self._own_firms: list[str] = []
        self._contacts_of: defaultdict[str | None, list[str]] = defaultdict(list)

    def _add(self, table: str, row: Row, *, is_made: bool = False) -> None:
        """Changed by somebody at some time in spring."""
        at, by = (
            FIRST_DAY + timedelta(minutes=self._rng.randrange(120 * 24 * 60)),
            self._rng.choice(USERS),
        )
        made = {"CreateDate": FIRST_DAY, "CreateUser": by} if is_made else {}
        changed = {"ModDate": at} if table == "PRContactAssoc" else {"ModDate": at, "ModUser": by}
        self._rows[table].append({**row, **made, **changed})
