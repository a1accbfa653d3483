"""What the accounting tabs show of sums, rows and groups of rows: the rules of the vendor's pages.

Amounts are exact until they are written: Ajera's are held with ten places, their sums lose none,
and `amount` rounds the whole once, half to even, to the four places that DPS has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal

from pipeline.domain.accounting_groups import AMOUNTS, BALANCES, BUDGETS, RECEIPTS, TEAM, named
from pipeline.domain.accounting_tables import PLACES, ROLE_LENGTH
from pipeline.mapping.convert import added, cut, reference, rounded, text
from pipeline.mapping.site import Site
from pipeline.mapping.table import Expression, RelatedRows, RowMissing
from pipeline.mapping.target import TargetRow
from pipeline.model.event import Row, Value
from pipeline.model.ledger import LedgerRow


def amount(parts: Iterable[Value]) -> Value:
    """The whole of parts that are exact, rounded once. A part that nobody entered is nothing."""
    numbers = (part for part in parts if isinstance(part, int | Decimal))
    return rounded(Decimal(added(numbers)), PLACES)


def _whole(neighbours: RelatedRows, group: str) -> Row:
    """The values over all rows of a group without columns `by`. Raises ValueUnknown."""
    return neighbours.totals(group)[()]


def with_balances(neighbours: RelatedRows, what: str, kinds: Sequence[str]) -> Value:
    """Of transactions and of beginning balances, which are none (evidence.md 3.8)."""
    names = [named(what, kind) for kind in kinds]
    of_rows, of_balances = (_whole(neighbours, one.name) for one in (AMOUNTS, BALANCES))
    return amount((*(of_rows[name] for name in names), *(of_balances[name] for name in names)))


def wip(neighbours: RelatedRows, kind: str) -> Value:
    """No balance is WIP: unbilled work that was brought over is entered elsewhere
    (evidence.md 3.8).
    """
    return amount([_whole(neighbours, AMOUNTS.name)[named("WIP", kind)]])


def received(neighbours: RelatedRows, kind: str) -> Value:
    parts = [_whole(neighbours, RECEIPTS.name)[named("Received", kind)]]
    if neighbours.site.assumptions.balances_are_received:
        parts.append(_whole(neighbours, BALANCES.name)[named("Billed", kind)])
    return amount(parts)


def budget(*names: str) -> Callable[[RelatedRows], Value]:
    return lambda neighbours: amount(_whole(neighbours, BUDGETS.name)[name] for name in names)


def _row(neighbours: RelatedRows, table: str, key: int | None) -> LedgerRow | None:
    """The row of this key, None if none is named or it was deleted. Raises RowMissing for one that
    has not come: it is waited for.
    """
    found = None if key is None else neighbours.row(table, key)
    return None if found is None or found.deleted else found


def overhead(neighbours: RelatedRows) -> Value:
    """The department's rate, else the company's, which need not be there if the first is."""
    rates = (
        _rate(neighbours, "prjDepartment", "AxEntity", "eOverheadPercent"),
        _rate(neighbours, "prjCompany", "AxCompany", "cmpOverheadPercent"),
    )
    for rate in rates:
        if isinstance(rate, RowMissing):
            raise rate
        if rate is not None:
            return amount([rate])
    return None


def _rate(neighbours: RelatedRows, column: str, table: str, rate: str) -> Value | RowMissing:
    try:
        row = _row(neighbours, table, reference(neighbours.root.values[column]))
    except RowMissing as error:
        return error.kept()
    return None if row is None else row.values[rate]


def percent(row: Row, _: Site) -> Value:
    value = row["prjPercentComplete"]
    return None if value is None else amount([value])


def start(row: Row, _: Site) -> Value:
    actual = row["prjActualStartDate"]
    return row["prjEstimatedStartDate"] if actual is None else actual


def as_it_is(column: str) -> Expression:
    return Expression((column,), column, lambda row, _: row[column])


def team_without(site: Site) -> frozenset[str]:
    """Ajera CRM 7.x has no dates in Team (assumption 67): what is there is theirs."""
    return frozenset({"StartDate"} if site.assumptions.crm == "ajera_crm" else ())


def members(neighbours: RelatedRows) -> tuple[Sequence[TargetRow], Sequence[RowMissing]]:
    """A row for each employee and role; employee types of one text are one role. Hours of an
    employee that is not linked, or of a type that has not come, have no row until then.
    """
    has_dates = "StartDate" not in team_without(neighbours.site)
    spellings: dict[str, str] = {}
    found: dict[tuple[str, str], list[Row]] = {}
    missing: list[RowMissing] = []
    for employee, employee_type, values in _numbered(neighbours):
        number = neighbours.linked(TEAM.name, employee)
        if number is None:
            continue
        try:
            role = _role(neighbours, employee_type)
        except RowMissing as error:
            missing.append(error.kept())
            continue
        role = spellings.setdefault(role.lower(), role)
        found.setdefault((number, role), []).append(values)
    rows = [
        TargetRow("EMProjectAssoc", (neighbours.key, *key), _member(of, has_dates=has_dates))
        for key, of in sorted(found.items())
    ]
    return rows, missing


def _numbered(neighbours: RelatedRows) -> list[tuple[int, int, Row]]:
    """The groups in the order of their keys: of two spellings of a role the first one stands."""
    groups = neighbours.totals(TEAM.name).items()
    found = [
        (employee, employee_type, values)
        for (employee, employee_type), values in groups
        if isinstance(employee, int) and isinstance(employee_type, int)
    ]
    return sorted(found, key=lambda one: (one[1], one[0]))


def _role(neighbours: RelatedRows, employee_type: int) -> str:
    """The text of the employee type; without one, blank."""
    row = _row(neighbours, "AxEmployeeType", employee_type or None)
    return (
        "" if row is None else cut(text(row.values["etDescription"]) or "", ROLE_LENGTH, utf16=True)
    )


def _member(of: Sequence[Row], *, has_dates: bool) -> Row:
    hours: Row = {"Hours": amount(values["Hours"] for values in of)}
    days = [value for values in of if isinstance(value := values["StartDate"], date)]
    return {**hours, "StartDate": min(days, default=None)} if has_dates else hours
