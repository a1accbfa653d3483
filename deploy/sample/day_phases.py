"""Edits of what the books hang on: projects and phases, their dates, departments and billing."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import psycopg

from deploy.sample import books_lists as lists
from deploy.sample.books import CLOSED, MARKETING
from deploy.sample.charges import FIRST_DAY, PLACES
from deploy.sample.day_books import IS_SHARED, OF_SHARED, TimeEdits
from deploy.sample.edits import Edit

ACTIVE: Final = 1
IS_PHASE: Final = "COALESCE({AxProject.prjProject}, 0) NOT IN (0, {AxProject.prjKey})"


class PhaseEdits(TimeEdits):
    """Phases move, turn into marketing and back; projects are closed, dated and billed anew."""

    def _set_project(self, connection: psycopg.Connection, key: int, **values: Any) -> None:
        self._set(connection, "AxProject", "prjKey", key, **values)

    def _phase(self, connection: psycopg.Connection) -> int:
        return self._pick(connection, "AxProject", "prjKey", f"{OF_SHARED} AND {IS_PHASE}")

    def _move_phase(self, connection: psycopg.Connection) -> Edit:
        """With everything below it."""
        phase, project = self._phase(connection), self._shared(connection)
        self._set_project(connection, phase, prjProject=project)
        return Edit("moved a phase to another project", "AxProject")

    def _turn_phase(self, connection: psycopg.Connection) -> Edit:
        is_marketing = self._rng.random() < 0.5
        where = f"{OF_SHARED} AND {IS_PHASE} AND {{AxProject.prjStatus}}"
        if is_marketing:
            key = self._pick(connection, "AxProject", "prjKey", f"{where} <> {MARKETING}")
            self._set_project(connection, key, prjStatus=MARKETING)
            return Edit("a phase became one of marketing", "AxProject")
        key = self._pick(connection, "AxProject", "prjKey", f"{where} = {MARKETING}")
        self._set_project(connection, key, prjStatus=ACTIVE)
        return Edit("a marketing phase was won", "AxProject")

    def _close_project(self, connection: psycopg.Connection) -> Edit:
        self._set_project(connection, self._shared(connection), prjStatus=CLOSED)
        return Edit("closed a project", "AxProject")

    def _reopen_project(self, connection: psycopg.Connection) -> Edit:
        is_closed = f"{IS_SHARED} AND {{AxProject.prjStatus}} = {CLOSED}"
        key = self._pick(connection, "AxProject", "prjKey", is_closed)
        self._set_project(connection, key, prjStatus=ACTIVE)
        return Edit("opened a project again", "AxProject")

    def _change_dates(self, connection: psycopg.Connection) -> Edit:
        column = self._rng.choice(
            (
                "prjEstimatedStartDate",
                "prjActualStartDate",
                "prjEstimatedCompletionDate",
                "prjActualCompletionDate",
            )
        )
        at: datetime = FIRST_DAY + timedelta(days=self._rng.randrange(2_000))
        value = self._rng.choice([at, at, None])
        self._set_project(connection, self._shared(connection), **{column: value})
        return Edit("changed a project's dates", "AxProject")

    def _report_progress(self, connection: psycopg.Connection) -> Edit:
        percent = self._rng.choice([None, Decimal(self._rng.randrange(1_000_000)) * PLACES])
        self._set_project(connection, self._shared(connection), prjPercentComplete=percent)
        return Edit("reported progress", "AxProject")

    def _change_billing(self, connection: psycopg.Connection) -> Edit:
        kind = self._rng.choice([*lists.FEE_TYPES, lists.TIME_TYPE, *lists.ODD_BILLING_TYPES])
        self._set_project(connection, self._place(connection), prjBillingType=kind)
        return Edit("billed a phase another way", "AxProject")

    def _change_department(self, connection: psycopg.Connection) -> Edit:
        values = {
            "prjDepartment": self._rng.choice([None, 0, 1, 2, 3, 4, 5]),
            "prjCompany": self._rng.choice([None, 1, 2]),
        }
        self._set_project(connection, self._shared(connection), **values)
        return Edit("another department for a project", "AxProject")

    def _change_overhead(self, connection: psycopg.Connection) -> Edit:
        percent = self._rng.choice([None, Decimal(self._rng.randrange(2_000_000)) * PLACES])
        if self._rng.random() < 0.7:
            key = self._pick(connection, "AxEntity", "eKey")
            self._set(connection, "AxEntity", "eKey", key, eOverheadPercent=percent)
            return Edit("another overhead of a department", "AxEntity")
        key = self._pick(connection, "AxCompany", "cmpKey")
        self._set(connection, "AxCompany", "cmpKey", key, cmpOverheadPercent=percent)
        return Edit("another overhead of the firm", "AxCompany")
