"""A working day at the firm: realistic committed transactions in Ajera, one at a time,
and never the same day twice for two seeds.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import psycopg

from deploy.sample.day_books import MoneyEdits
from deploy.sample.day_companies import CompanyEdits
from deploy.sample.day_contacts import ContactEdits
from deploy.sample.day_phases import PhaseEdits
from deploy.sample.day_projects import ProjectEdits
from deploy.sample.edits import Edit, draw
from deploy.sample.naming import Naming


class Day(CompanyEdits, ContactEdits, ProjectEdits, MoneyEdits, PhaseEdits):
    """Makes edits. It knows the tables only through the connection it is given,
    so that it can go on after a restart. `has_books`: they keep the books, too (`books.load`).
    """

    def __init__(self, seed: int, naming: Naming, *, has_books: bool = False) -> None:
        super().__init__(random.Random(f"day {seed}"), naming)
        self._edits: tuple[tuple[int, Callable[[psycopg.Connection], Edit]], ...] = (
            (10, self._rename_company),
            (10, self._move_company),
            (10, self._change_phone),
            (8, self._new_contact),
            (8, self._move_contact),
            (4, self._clear_integration),
            (10, self._change_status),
            (8, self._edit_notes),
            (6, self._change_manager),
            (5, self._new_project),
            (4, self._change_group_client),
            (3, self._delete_first_group),
            (3, self._new_group),
            (4, self._change_role),
            (3, self._change_project_id),
            (3, self._flip_flag),
            (2, self._delete_contact),
            (2, self._return_contact),
            (1, self._delete_company),
            (1, self._delete_project),
            (1, self._return_project),
            (1, self._demote_project),
            (1, self._promote_phase),
            (2, self._think_better_of_it),
            (1, self._readdress_many),
            (1, self._new_employee),
            (4, self._edit_client_notes),
            (4, self._change_website),
            (3, self._tick_sync),
            (4, self._change_fax),
            (4, self._change_project_type),
        )
        self._edits += self._in_the_books() if has_books else ()

    def _in_the_books(self) -> tuple[tuple[int, Callable[[psycopg.Connection], Edit]], ...]:
        return (
            (20, self._enter_time),
            (14, self._rewrite_entry),
            (3, self._correct_entry),
            (7, self._delete_entry),
            (3, self._restore_entry),
            (7, self._move_entry),
            (1, self._retype_activity),
            (1, self._rename_employee_type),
            (7, self._change_invoice),
            (4, self._new_invoice),
            (1, self._delete_invoice),
            (4, self._enter_receipt),
            (4, self._change_receipt),
            (1, self._change_balance),
            (5, self._change_budget),
            (4, self._move_phase),
            (4, self._turn_phase),
            (2, self._close_project),
            (2, self._reopen_project),
            (3, self._change_dates),
            (2, self._report_progress),
            (2, self._change_billing),
            (2, self._change_department),
            (1, self._change_overhead),
        )

    def next_edit(self, connection: psycopg.Connection) -> Edit:
        """One transaction, committed when this returns."""
        return draw(self._rng, self._edits, connection, "AxVec")
