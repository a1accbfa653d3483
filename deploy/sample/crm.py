"""The two-way sample: DPS filled beside a loaded Ajera, partly with the same firms,
contacts and projects, never quite alike.
"""

from __future__ import annotations

import random

import psycopg

from deploy.sample import crm_flags, crm_lists, firm
from deploy.sample.crm_contacts import ContactRows
from deploy.sample.crm_firms import FirmRows
from deploy.sample.crm_projects import ProjectRows
from deploy.sample.crm_rows import (
    TABLES,
    Row,
)
from deploy.sample.naming import Naming


def load(
    ajera: psycopg.Connection,
    dps: psycopg.Connection,
    seed: int,
    naming: Naming,
) -> None:
    """After `firm.load`: tick Ajera's rows, fill DPS and the lists of both;
    a transaction on each side.
    """
    rng = random.Random(f"crm {seed}")
    with ajera.transaction(), dps.transaction():
        crm_lists.load(ajera, dps, naming)
        rows = Crm(rng, crm_flags.flag(ajera, rng, naming)).rows()
        for table in TABLES:
            firm.insert(dps, naming, table, rows[table])


class Crm(FirmRows, ContactRows, ProjectRows):
    """Makes DPS's rows."""

    def rows(self) -> dict[str, list[Row]]:
        """By table, in an order that respects references."""
        self._linked_firms()
        self._other_firms()
        self._linked_contacts()
        self._other_contacts()
        self._linked_projects()
        self._other_projects()
        self._phases()
        self._employees()
        return self._rows
