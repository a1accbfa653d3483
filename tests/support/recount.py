"""What projects amount to, counted from scratch: in plain Python over the rows that are there at
the end, apart from the product's maps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pipeline.model.event import Value
from tests.support.books import CLOSED, FEE, FINAL, KINDS, MARKETING, TIME, Rows


@dataclass(frozen=True)
class Recount:
    """What projects amount to, from the rows that are there; `people`: by key the number of those
    who are linked.
    """

    rows: Mapping[str, Rows]
    people: Mapping[int, str]

    def tree(self, project: int) -> set[int]:
        """The project and its phases down to the sixth level, as far as they are there."""
        found, level = {project}, {project}
        for _ in range(6):
            level = {
                key for key, row in self.rows["AxProject"].items() if row["prjProject"] in level
            } - found
            found |= level
        return found & {*self.rows["AxProject"]}

    def counted(self, project: int) -> set[int]:
        """Those of them that are no phases in Marketing."""
        rows = self.rows["AxProject"]
        return {
            key
            for key in self.tree(project)
            if rows[key]["prjStatus"] != MARKETING or rows[key]["prjProject"] in (None, 0, key)
        }

    def transactions(self, project: int) -> list[Mapping[str, Value]]:
        counted = self.counted(project)
        return [
            row
            for row in self.rows["AxTransaction"].values()
            if row["tProject"] in counted and row["tIsCurrent"] and not row["tIsDeleted"]
        ]

    def kind(self, row: Mapping[str, Value]) -> str | None:
        activity = self._row("AxActivity", row["tActivity"])
        return None if activity is None else _kind(activity["actType"])

    def is_final(self, row: Mapping[str, Value]) -> bool:
        invoice = self._row("AxClientInvoice", row["tClientInvoice"])
        return invoice is not None and invoice["ciStatus"] == FINAL

    def totals(self, project: int) -> dict[str, Value]:
        """The fifteen amounts."""
        found: dict[str, Value] = {}
        counted = self.counted(project)
        balances = [
            row for row in self.rows["AxBeginningBalance"].values() if row["bbProject"] in counted
        ]
        receipts = [row for row in self.rows["AxReceipt"].values() if row["rcProject"] in counted]
        for kind, name in (
            ("Labor", "Labor"),
            ("Expense", "Reimbursable"),
            ("Consultant", "Consultant"),
        ):
            ours = [row for row in self.transactions(project) if self.kind(row) == kind]
            billed = total(balances, f"bb{kind}Billed")
            paid = [row for row in receipts if _kind(row["rcActivityType"]) == kind]
            open_rows = (row for row in ours if row["tIsBillable"] and not self.is_final(row))
            final = (row for row in ours if self.is_final(row))
            spent, cost = total(ours, "tSpentAmount"), total(ours, "tCostAmount")
            found[f"AjeraSpent{name}"] = spent + total(balances, f"bb{kind}Spent")
            found[f"AjeraCost{name}"] = cost + total(balances, f"bb{kind}Cost")
            found[f"AjeraWIP{name}"] = total(open_rows, "tSpentAmount")
            found[f"AjeraBilled{name}"] = total(final, "tBilledAmount") + billed
            found[f"AjeraReceived{name}"] = total(paid, "rcAmount") + billed
        return found

    def budget(self, project: int) -> dict[str, Value]:
        """Budget & Revenue."""
        amounts: dict[tuple[str, bool, str], Decimal] = {}
        for row in self.rows["AxResource"].values():
            of, kind = row["resProject"], _kind(row["resActivityType"])
            if of in self.counted(project) and isinstance(of, int) and kind is not None:
                billing = _billing(self.rows["AxProject"][of]["prjBillingType"])
                place = (billing, bool(row["resBilledAsTE"]), kind)
                amounts[place] = amounts.get(place, Decimal(0)) + total([row], "resBudgetAmount")

        def of_kind(kind: str, *places: tuple[str, bool]) -> Decimal:
            return sum((amounts.get((*one, kind), Decimal(0)) for one in places), Decimal(0))

        fee, flagged = ("fee", False), ("fee", True)
        times = (("time", False), ("time", True))
        labor = of_kind("Labor", fee, flagged, *times)
        expense = of_kind("Expense", fee)
        expenses, consultants = (
            of_kind(kind, flagged, *times) for kind in ("Expense", "Consultant")
        )
        own = self.rows["AxProject"][project]
        overheads = (
            self._overhead("AxEntity", own["prjDepartment"], "eOverheadPercent"),
            self._overhead("AxCompany", own["prjCompany"], "cmpOverheadPercent"),
        )
        return {
            "PctComp": own["prjPercentComplete"],
            "BudOHRate": next((one for one in overheads if one is not None), None),
            "FeeDirLab": labor,
            "FeeDirExp": expense,
            "Fee": labor + expense,
            "ConsultFee": of_kind("Consultant", fee),
            "ReimbAllowExp": expenses,
            "ReimbAllowCons": consultants,
            "ReimbAllow": expenses + consultants,
        }

    def dates(self, project: int) -> dict[str, Value]:
        """Dates & Costs."""
        own, amounts = self.rows["AxProject"][project], self.totals(project)
        labor, expense, consultant = (
            amount
            for name in ("Labor", "Reimbursable", "Consultant")
            if isinstance(amount := amounts[f"AjeraCost{name}"], Decimal)
        )
        return {
            "StartDate": own["prjActualStartDate"] or own["prjEstimatedStartDate"],
            "EstCompletionDate": own["prjEstimatedCompletionDate"],
            "ActCompletionDate": own["prjActualCompletionDate"],
            "TotalProjectCost": labor + expense + consultant,
            "FirmCost": labor + expense,
        }

    def team(self, project: int) -> dict[tuple[str, str], tuple[Decimal, Value]]:
        """By number of an employee and role hours and the first day."""
        found: dict[tuple[str, str], list[Mapping[str, Value]]] = {}
        for row in self.transactions(project):
            person = row["tEmployee"]
            if self.kind(row) == "Labor" and isinstance(person, int) and person in self.people:
                role = self._row("AxEmployeeType", row["tEmployeeType"])
                name = None if role is None else role["etDescription"]
                found.setdefault((self.people[person], str(name or "")), []).append(row)
        return {place: (total(of, "tUnits"), _first(of)) for place, of in found.items()}

    def _overhead(self, table: str, key: Value, column: str) -> Value:
        row = self._row(table, key)
        return None if row is None else row[column]

    def _row(self, table: str, key: Value) -> Mapping[str, Value] | None:
        return self.rows[table].get(key) if isinstance(key, int) else None


def total(rows: Iterable[Mapping[str, Value]], column: str) -> Decimal:
    amounts = (row[column] for row in rows)
    return sum((one for one in amounts if isinstance(one, Decimal)), start=Decimal(0))


def _first(rows: Iterable[Mapping[str, Value]]) -> Value:
    return min((day for row in rows if isinstance(day := row["tDate"], date)), default=None)


def _kind(code: Value) -> str | None:
    return KINDS.get(code) if isinstance(code, int) else None


def _billing(word: Value) -> str:
    return "fee" if word in FEE else "time" if word in TIME else "none"


def projects(rows: Mapping[str, Rows]) -> Iterator[int]:
    """Those whose tabs follow: they are there, and not closed."""
    return (key for key, row in rows["AxProject"].items() if row["prjStatus"] != CLOSED)
