"""Edits of the books in Ajera: timesheets, invoices, receipts and budgets, as Ajera writes them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import psycopg

from deploy.sample import books_lists as lists
from deploy.sample.accounting_tables import BOOKS
from deploy.sample.charges import FIRST_DAY, PLACES, Charges, negative
from deploy.sample.crm_flags import select
from deploy.sample.day_statements import InAjera
from deploy.sample.edits import Edit, Undo

NEWER_FROM: Final = 19_000  # keys of about so many transactions are from before the day
IS_TOP: Final = "COALESCE({AxProject.prjProject}, 0) IN (0, {AxProject.prjKey})"
IS_SHARED: Final = f"{{AxProject.prjSyncToCRM}} AND {IS_TOP}"
# Of a shared project: itself, and phases of the first two levels.
OF_SHARED: Final = (
    "{AxProject.prjKey} IN (SELECT p.{AxProject.prjKey} FROM {AxProject} AS p"
    " LEFT JOIN {AxProject} AS a ON a.{AxProject.prjKey} = p.{AxProject.prjProject}"
    " WHERE p.{AxProject.prjSyncToCRM} OR a.{AxProject.prjSyncToCRM})"
)
IN_FORCE: Final = (
    "{AxTransaction.tIsCurrent} AND {AxTransaction.tIsDeleted} IS NOT TRUE"
    " AND {AxTransaction.tProject} IN (SELECT {AxProject.prjKey} FROM {AxProject}"
    f" WHERE {OF_SHARED})"
)


class TimeEdits(InAjera):
    """What is charged: entered, rewritten, moved, deleted."""

    def _shared(self, connection: psycopg.Connection) -> int:
        return self._pick(connection, "AxProject", "prjKey", IS_SHARED)

    def _place(self, connection: psycopg.Connection) -> int:
        """Where somebody charges: a shared project, or a phase of one."""
        return self._pick(connection, "AxProject", "prjKey", OF_SHARED)

    def _entry(self, connection: psycopg.Connection) -> dict[str, Any]:
        """A transaction that counts, whole: one from before the day, or one of the newest. Raises
        Undo where there is none.
        """
        if self._rng.random() < 0.7:
            above = f"{{AxTransaction.tKey}} >= {self._rng.randrange(NEWER_FROM)}"
            order = "LIMIT 1"
        else:
            above, order = "true", f"DESC LIMIT 1 OFFSET {self._rng.randrange(20)}"
        found = self._run(
            connection,
            "SELECT {AxTransaction.tKey} FROM {AxTransaction}"
            f" WHERE {IN_FORCE} AND {above} ORDER BY 1 {order}",
        )
        if not found:
            raise Undo
        names = [name for name, _ in BOOKS["AxTransaction"]]
        where = f"{{AxTransaction.tKey}} = {int(found[0][0])}"
        return select(connection, self._naming, "AxTransaction", names, where)[0]

    def _charge(self, connection: psycopg.Connection, row: dict[str, Any]) -> None:
        key = self._next(connection, "AxTransaction", "tKey")
        self._insert(connection, "AxTransaction", [{**row, "tKey": key}])

    def _change(self, connection: psycopg.Connection, key: int, **values: Any) -> None:
        self._set(connection, "AxTransaction", "tKey", key, **values)

    def _enter_time(self, connection: psycopg.Connection) -> Edit:
        """A timesheet of one to five lines."""
        charges = Charges(self._rng, [self._company(connection, "vecIsVendor")])
        employee = self._company(connection, "vecIsEmployee")
        for _ in range(self._rng.randint(1, 5)):
            row = charges.one(self._place(connection))
            self._charge(connection, row | ({"tEmployee": employee} if row["tEmployee"] else {}))
        return Edit("entered time", "AxTransaction")

    def _rewrite_entry(self, connection: psycopg.Connection) -> Edit:
        """The way Ajera does: the old row is not current any more, and a new one is."""
        entry = self._entry(connection)
        self._change(connection, entry["tKey"], tIsCurrent=False)
        hours = Decimal(self._rng.randint(1, 40)) / 4
        rate = Decimal(self._rng.randrange(280_000, 2_000_000)) * PLACES
        changed: dict[str, Any] = self._rng.choice(
            (
                {"tUnits": hours, "tCostAmount": (hours * rate / 2).quantize(PLACES)},
                {"tSpentAmount": (hours * rate).quantize(PLACES)},
                {"tDate": FIRST_DAY + timedelta(days=self._rng.randrange(1_400))},
                {"tIsBillable": not entry["tIsBillable"]},
                {"tActivity": self._pick(connection, "AxActivity", "actKey")},
                {"tEmployeeType": self._pick(connection, "AxEmployeeType", "etKey")},
                {"tEmployee": self._company(connection, "vecIsEmployee")},
            )
        )
        self._charge(connection, entry | changed)
        return Edit("rewrote an entry", "AxTransaction")

    def _correct_entry(self, connection: psycopg.Connection) -> Edit:
        self._charge(connection, negative(self._entry(connection)))
        return Edit("corrected an entry by a negative one", "AxTransaction")

    def _delete_entry(self, connection: psycopg.Connection) -> Edit:
        """Marked as deleted; now and then the row itself is gone."""
        key = self._entry(connection)["tKey"]
        if self._rng.random() < 0.8:
            self._change(connection, key, tIsDeleted=True)
        else:
            text = "DELETE FROM {AxTransaction} WHERE {AxTransaction.tKey} = %(key)s"
            self._run(connection, text, key=key)
        return Edit("deleted an entry", "AxTransaction")

    def _restore_entry(self, connection: psycopg.Connection) -> Edit:
        key = self._pick(connection, "AxTransaction", "tKey", "{AxTransaction.tIsDeleted}")
        self._change(connection, key, tIsDeleted=self._rng.choice([False, None]))
        return Edit("restored an entry", "AxTransaction")

    def _move_entry(self, connection: psycopg.Connection) -> Edit:
        """To another phase or project: in place, or by a new row."""
        entry, place = self._entry(connection), self._place(connection)
        if self._rng.random() < 0.5:
            self._change(connection, entry["tKey"], tProject=place)
        else:
            self._change(connection, entry["tKey"], tIsCurrent=False)
            self._charge(connection, entry | {"tProject": place})
        return Edit("moved an entry", "AxTransaction")

    def _retype_activity(self, connection: psycopg.Connection) -> Edit:
        key = self._pick(connection, "AxActivity", "actKey")
        kind = self._rng.choice([1, 1, 2, 3, 4, None])
        self._set(connection, "AxActivity", "actKey", key, actType=kind)
        return Edit("re-typed an activity", "AxActivity")

    def _rename_employee_type(self, connection: psycopg.Connection) -> Edit:
        """Sometimes to what another one is called, and sometimes to nothing."""
        key = self._pick(connection, "AxEmployeeType", "etKey")
        text = self._rng.choice(
            [*(one for _, one in lists.EMPLOYEE_TYPES), f"Type {self._rng.randrange(100)}", None]
        )
        self._set(connection, "AxEmployeeType", "etKey", key, etDescription=text)
        return Edit("renamed an employee type", "AxEmployeeType")


class MoneyEdits(TimeEdits):
    """Invoices, receipts, balances and budgets."""

    def _change_invoice(self, connection: psycopg.Connection) -> Edit:
        """Made final, or opened again."""
        key = self._pick(connection, "AxClientInvoice", "ciKey")
        status = self._rng.choice([lists.DRAFT, lists.PRINTED, lists.FINAL, lists.FINAL])
        self._set(connection, "AxClientInvoice", "ciKey", key, ciStatus=status)
        kind = "made an invoice final" if status == lists.FINAL else "opened an invoice again"
        return Edit(kind, "AxClientInvoice")

    def _new_invoice(self, connection: psycopg.Connection) -> Edit:
        """A draft with up to twenty entries of one place, or a final one at once."""
        key = self._next(connection, "AxClientInvoice", "ciKey")
        status = self._rng.choice([lists.DRAFT, lists.FINAL])
        self._insert(connection, "AxClientInvoice", [{"ciKey": key, "ciStatus": status}])
        self._run(
            connection,
            "UPDATE {AxTransaction} SET {AxTransaction.tClientInvoice} = %(invoice)s,"
            " {AxTransaction.tBilledAmount} = {AxTransaction.tSpentAmount}"
            " WHERE {AxTransaction.tKey} IN (SELECT {AxTransaction.tKey} FROM {AxTransaction}"
            " WHERE {AxTransaction.tProject} = %(place)s AND {AxTransaction.tIsBillable}"
            " AND COALESCE({AxTransaction.tClientInvoice}, 0) = 0 ORDER BY 1 LIMIT 20)",
            invoice=key,
            place=self._entry(connection)["tProject"],
        )
        return Edit("a client invoice", "AxClientInvoice")

    def _delete_invoice(self, connection: psycopg.Connection) -> Edit:
        """What was on it is not any more."""
        key = self._pick(connection, "AxClientInvoice", "ciKey", "{AxClientInvoice.ciStatus} = 0")
        self._run(
            connection,
            "UPDATE {AxTransaction} SET {AxTransaction.tClientInvoice} = NULL,"
            " {AxTransaction.tBilledAmount} = NULL WHERE {AxTransaction.tClientInvoice} = %(key)s",
            key=key,
        )
        text = "DELETE FROM {AxClientInvoice} WHERE {AxClientInvoice.ciKey} = %(key)s"
        self._run(connection, text, key=key)
        return Edit("deleted a draft invoice", "AxClientInvoice")

    def _enter_receipt(self, connection: psycopg.Connection) -> Edit:
        row = {
            "rcKey": self._next(connection, "AxReceipt", "rcKey"),
            "rcProject": self._place(connection),
            "rcActivityType": self._rng.choice([1, 1, 2, 3]),
            "rcAmount": self._money(50_000),
        }
        self._insert(connection, "AxReceipt", [row])
        return Edit("entered a receipt", "AxReceipt")

    def _change_receipt(self, connection: psycopg.Connection) -> Edit:
        """Another amount, another place, or no receipt at all."""
        key = self._pick(connection, "AxReceipt", "rcKey")
        chance = self._rng.random()
        if chance < 0.4:
            text = "DELETE FROM {AxReceipt} WHERE {AxReceipt.rcKey} = %(key)s"
            self._run(connection, text, key=key)
        elif chance < 0.7:
            self._set(connection, "AxReceipt", "rcKey", key, rcAmount=self._money(50_000))
        else:
            self._set(connection, "AxReceipt", "rcKey", key, rcProject=self._place(connection))
        return Edit("changed a receipt", "AxReceipt")

    def _change_balance(self, connection: psycopg.Connection) -> Edit:
        key = self._pick(connection, "AxBeginningBalance", "bbKey")
        changed: dict[str, Any] = self._rng.choice(
            (
                {"bbLaborSpent": self._money(200_000), "bbExpenseCost": None},
                {"bbConsultantBilled": self._money(200_000)},
                {"bbProject": self._place(connection)},
            )
        )
        self._set(connection, "AxBeginningBalance", "bbKey", key, **changed)
        return Edit("corrected a beginning balance", "AxBeginningBalance")

    def _change_budget(self, connection: psycopg.Connection) -> Edit:
        """Another amount, billed another way, on another phase, gone, or a new one."""
        is_budget = "{AxResource.resBudgetAmount} IS NOT NULL"
        key = self._pick(connection, "AxResource", "resKey", is_budget)
        changed: dict[str, Any] | None = self._rng.choice(
            (
                {"resBudgetAmount": self._money(200_000)},
                {"resBilledAsTE": self._rng.choice([True, False, None])},
                {"resProject": self._place(connection)},
                {"resActivityType": self._rng.choice([1, 2, 3])},
                None,
            )
        )
        if changed is not None:
            self._set(connection, "AxResource", "resKey", key, **changed)
            return Edit("changed a budget", "AxResource")
        row = {
            "resKey": self._above(connection, "AxResource", "resKey"),
            "resProject": self._place(connection),
            "resActivityType": self._rng.choice([1, 2, 3]),
            "resBudgetAmount": self._money(100_000),
        }
        self._insert(connection, "AxResource", [row])
        return Edit("a budget", "AxResource")

    def _money(self, most: int) -> Decimal:
        return Decimal(self._rng.randrange(1, most * 10_000)) * PLACES
