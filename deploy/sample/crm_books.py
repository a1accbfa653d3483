"""What DPS shows of the books before this product comes: totals and team rows that an older sync
wrote, long out of date, and what people typed beside them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import psycopg
from psycopg import sql

from deploy.sample import firm
from deploy.sample.accounting_tables import BUDGETS, COSTS, DATES, OWN_DATES, TOTALS
from deploy.sample.charges import FIRST_DAY
from deploy.sample.crm_flags import folded, select
from deploy.sample.crm_rows import new_id
from deploy.sample.dps import BLANK
from deploy.sample.naming import Naming

Row = dict[str, Any]

EVERY: Final = 3  # one project in three was synced before
# The second is a role that somebody in Ajera may charge with later.
ROLES_BY_HAND: Final = ("Client's Friend", "Adviser")
CHARGED: Final = """
    SELECT DISTINCT {AxProject.prjDescription}, {AxVec.vecFirstName}, {AxVec.vecMiddleName},
        {AxVec.vecLastName}, {AxEmployeeType.etDescription}
    FROM {AxTransaction}
    JOIN {AxProject} ON {AxProject.prjKey} = {AxTransaction.tProject}
    JOIN {AxActivity} ON {AxActivity.actKey} = {AxTransaction.tActivity}
    JOIN {AxVec} ON {AxVec.vecKey} = {AxTransaction.tEmployee}
    JOIN {AxEmployeeType} ON {AxEmployeeType.etKey} = {AxTransaction.tEmployeeType}
    WHERE {AxProject.prjSyncToCRM} AND {AxTransaction.tIsCurrent} AND {AxActivity.actType} = 1
        AND {AxTransaction.tIsDeleted} IS NOT TRUE AND {AxEmployeeType.etKey} < 20
    ORDER BY 1, 2, 3, 4, 5
"""


def load(ajera: psycopg.Connection, dps: psycopg.Connection, seed: int, naming: Naming) -> None:
    """After `books.load`, in one transaction."""
    rng = random.Random(f"crm books {seed}")
    projects = select(dps, naming, "PR", ("WBS1", "Name", "LongName"), "{PR.WBS2} = ' '")
    staff = select(dps, naming, "EM", ("Employee", "FirstName", "MiddleName", "LastName"))
    numbers = [row["WBS1"] for row in projects]
    by_project = {folded(row["LongName"] or row["Name"]): row["WBS1"] for row in projects}
    by_person = {folded(*list(row.values())[1:]): row["Employee"] for row in staff}
    with dps.transaction():
        for number in numbers[::EVERY]:
            _totals(dps, naming, number, rng)
        rows = [*_by_hand(numbers[::EVERY], [*by_person.values()], rng)]
        for project, *person, role in ajera.execute(sql.SQL(naming.joined(CHARGED))):
            number, who = by_project.get(folded(project)), by_person.get(folded(*person))
            if number is None or who is None or number not in numbers[::EVERY]:
                continue
            hours = Decimal(rng.randrange(4_000)) / 4
            rows.append(_row(number, who, role, rng) | {"StartDate": FIRST_DAY, "Hours": hours})
        firm.insert(dps, naming, "EMProjectAssoc", rows)


def _totals(dps: psycopg.Connection, naming: Naming, number: str, rng: random.Random) -> None:
    amounts = (*TOTALS, *BUDGETS, *COSTS)
    values: Row = {name: Decimal(rng.randrange(9_000_000)).scaleb(-2) for name in amounts}
    values |= {
        name: FIRST_DAY + timedelta(days=rng.randrange(900)) for name in (*DATES, *OWN_DATES)
    }
    values["ComplDateComment"] = "As agreed."
    assigned = ", ".join(f"{{PR.{name}}} = %({name})s" for name in values)
    text = f"UPDATE {{PR}} SET {assigned} WHERE {{PR.WBS1}} = %(number)s AND {{PR.WBS2}} = ' '"
    dps.execute(sql.SQL(naming.sql(text)), {**values, "number": number})


def _by_hand(numbers: Sequence[str], staff: Sequence[str], rng: random.Random) -> Iterator[Row]:
    """People that somebody in DPS put on a project: no hours, since Ajera knows none."""
    for number in numbers:
        for employee in rng.sample(staff, rng.randrange(3)):
            row = _row(number, employee, rng.choice(ROLES_BY_HAND), rng)
            yield row | {"RoleDescription": "by hand"}


def _row(number: str, employee: str, role: str, rng: random.Random) -> Row:
    return {
        "RecordID": new_id(rng),
        "WBS1": number,
        "WBS2": BLANK,
        "WBS3": BLANK,
        "Employee": employee,
        "Role": role,
    }
