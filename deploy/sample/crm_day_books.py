"""Edits in DPS of what Ajera owns there, which are put back; and of what people own beside it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import psycopg

from deploy.sample.accounting_tables import BUDGETS, COSTS, DATES, TOTALS
from deploy.sample.charges import FIRST_DAY
from deploy.sample.crm_books import ROLES_BY_HAND
from deploy.sample.crm_day_statements import InDps, Key
from deploy.sample.dps import BLANK
from deploy.sample.edits import Edit, Undo

IS_PROJECT: Final = "{PR.WBS2} = ' ' AND {PR.WBS3} = ' '"


class BookEdits(InDps):
    """The four accounting tabs."""

    def _job(self, connection: psycopg.Connection) -> Key:
        return self._pick(connection, "PR", IS_PROJECT)

    def _edit_total(self, connection: psycopg.Connection) -> Edit:
        name = self._rng.choice((*TOTALS, *BUDGETS, *COSTS))
        amount = self._rng.choice([None, Decimal(self._rng.randrange(9_000_000)).scaleb(-2)])
        self._set(connection, "PR", self._job(connection), **{name: amount})
        return Edit("typed over a total", "PR")

    def _edit_date(self, connection: psycopg.Connection) -> Edit:
        at = FIRST_DAY + timedelta(days=self._rng.randrange(2_000))
        self._set(connection, "PR", self._job(connection), **{self._rng.choice(DATES): at})
        return Edit("typed over a date", "PR")

    def _edit_own_date(self, connection: psycopg.Connection) -> Edit:
        values = {
            "BidDate": FIRST_DAY + timedelta(days=self._rng.randrange(2_000)),
            "TotalCostComment": f"Asked {self._rng.randrange(1_000)}.",
        }
        self._set(connection, "PR", self._job(connection), **values)
        return Edit("wrote when the bid was", "PR")

    def _edit_team(self, connection: psycopg.Connection) -> Edit:
        """Hours, a date, or both emptied; or what is theirs: the description of the role."""
        changed: dict[str, Any] = self._rng.choice(
            (
                {"Hours": Decimal(self._rng.randrange(4_000)) / 4},
                {"StartDate": FIRST_DAY + timedelta(days=self._rng.randrange(2_000))},
                {"Hours": None, "StartDate": None},
                {"RoleDescription": f"on site {self._rng.randrange(1_000)}"},
            )
        )
        has_hours = "{EMProjectAssoc.Hours} IS NOT NULL"
        record = self._record(connection, has_hours)
        assigned = ", ".join(f"{{EMProjectAssoc.{name}}} = %({name})s" for name in changed)
        where = f"{{EMProjectAssoc.RecordID}} = %(id)s AND {has_hours}"
        text = f"UPDATE {{EMProjectAssoc}} SET {assigned} WHERE {where}"
        self._run(connection, text, id=record, **changed)
        return Edit("edited a team row", "EMProjectAssoc")

    def _delete_team(self, connection: psycopg.Connection) -> Edit:
        record = self._record(connection, "true")
        text = "DELETE FROM {EMProjectAssoc} WHERE {EMProjectAssoc.RecordID} = %(id)s"
        self._run(connection, text, id=record)
        return Edit("deleted a team row", "EMProjectAssoc")

    def _add_team(self, connection: psycopg.Connection) -> Edit:
        """By hand, in a role in which they are not there: with no hours, since Ajera knows none."""
        number, *_ = self._job(connection)
        ((employee,),) = self._rng.choices(
            self._run(connection, "SELECT {EM.Employee} FROM {EM} ORDER BY 1")
        )
        role = self._rng.choice(ROLES_BY_HAND)
        here = {"number": number, "employee": employee, "role": role}
        text = (
            "SELECT 1 FROM {EMProjectAssoc} WHERE {EMProjectAssoc.WBS1} = %(number)s AND"
            " {EMProjectAssoc.Employee} = %(employee)s AND {EMProjectAssoc.Role} = %(role)s"
        )
        if self._run(connection, text, **here):
            raise Undo
        self._insert(
            connection,
            "EMProjectAssoc",
            RecordID=self._new_id(connection, "EMProjectAssoc"),
            WBS1=number,
            WBS2=BLANK,
            WBS3=BLANK,
            Employee=employee,
            Role=role,
            RoleDescription="by hand",
        )
        return Edit("put somebody on a team by hand", "EMProjectAssoc")

    def _record(self, connection: psycopg.Connection, where: str) -> str:
        """A team row at random: not by its key, which is drawn anew in each run."""
        listed = ", ".join(f"{{EMProjectAssoc.{name}}}" for name in ("WBS1", "Employee", "Role"))
        rows = self._run(
            connection,
            f"SELECT {{EMProjectAssoc.RecordID}} FROM {{EMProjectAssoc}} WHERE {where}"
            f" ORDER BY {listed}, 1",
        )
        if not rows:
            raise Undo
        return str(self._rng.choice(rows)[0])
