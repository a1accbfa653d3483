"""A working day in DPS: committed transactions, one at a time,
mostly in what is shared with Ajera.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import psycopg

from deploy.sample.crm_day_books import BookEdits
from deploy.sample.crm_day_firms import FirmEdits
from deploy.sample.crm_day_projects import ProjectEdits
from deploy.sample.edits import Edit, draw
from deploy.sample.naming import Naming


class CrmDay(FirmEdits, ProjectEdits, BookEdits):
    """Makes edits. It knows the tables only through the connection it is given,
    so that it can go on after a restart. `has_books`: they type into the accounting tabs, too.
    """

    def __init__(self, seed: int, naming: Naming, *, has_books: bool = False) -> None:
        super().__init__(random.Random(f"crm day {seed}"), naming)
        self._edits: tuple[tuple[int, Callable[[psycopg.Connection], Edit]], ...] = (
            (8, self._rename_firm),
            (8, self._change_website),
            (8, self._edit_memo),
            (4, self._change_firm_status),
            (10, self._change_phone),
            (8, self._move_firm),
            (8, self._rename_contact),
            (8, self._change_email),
            (3, self._move_contact),
            (4, self._new_firm),
            (6, self._new_contact),
            (3, self._delete_contact),
            (5, self._new_project),
            (6, self._rename_project),
            (6, self._change_chances),
            (4, self._change_client),
            (4, self._edit_project_memo),
            (4, self._change_project_contacts),
            (2, self._tick_sync),
            (2, self._think_better_of_it),
        )
        if has_books:
            self._edits += (
                (6, self._edit_total),
                (3, self._edit_date),
                (2, self._edit_own_date),
                (5, self._edit_team),
                (2, self._delete_team),
                (4, self._add_team),
            )

    def next_edit(self, connection: psycopg.Connection) -> Edit:
        """One transaction, committed when this returns."""
        return draw(self._rng, self._edits, connection, "Clendor")
