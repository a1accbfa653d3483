"""The judge of the accounting tabs: it accepts what was added up by hand, and finds each column and
team row that is not as Ajera's books say.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from deploy.local.stack import Stack
from deploy.sample import accounts, databases, dps, firm
from deploy.sample.naming import ASSUMPTIONS, Naming

OTHER_NAMES = Path(__file__).parents[2] / "deploy" / "sample" / "other-names.toml"
pytestmark = pytest.mark.postgres

LINKS = """
CREATE SCHEMA sync;
CREATE TABLE sync.link (entity text, ajera_key text, dps_key text, state text);
INSERT INTO sync.link VALUES ('project', '9', 'P%7C1| | ', 'linked'),
    ('project', '20', 'CLOSED| | ', 'linked'), ('project', '21', 'NOT-IN-AJERA| | ', 'linked'),
    ('project', '22', 'NOT-IN-DPS| | ', 'linked'), ('project', '23', 'ENDED| | ', 'ended'),
    ('employee', '5', '00005', 'linked'), ('employee', '6', '00006', 'ended');
"""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


LABOR = {"tActivity": 1, "tEmployee": 5, "tEmployeeType": 1, "tIsCurrent": True, "tUnits": 500}
LOST = {"tCostAmount": 5_000, "tSpentAmount": 5_000, "tBilledAmount": 5_000, "tIsBillable": True}
AJERA: dict[str, list[dict[str, Any]]] = {
    "AxEntity": [{"eKey": 1, "eOverheadPercent": None}],
    "AxCompany": [{"cmpKey": 1, "cmpOverheadPercent": Decimal("155.5")}],
    "AxProject": [
        {
            "prjKey": 9,
            "prjStatus": 1,
            "prjSyncToCRM": True,
            "prjBillingType": "FixedFee",
            "prjPercentComplete": Decimal("40.5"),
            "prjDepartment": 1,
            "prjCompany": 1,
            "prjEstimatedStartDate": at("2024-02-01"),
            "prjEstimatedCompletionDate": at("2025-05-01"),
        },
        {"prjKey": 10, "prjStatus": 1, "prjProject": 9, "prjBillingType": " time and Expense"},
        {"prjKey": 11, "prjStatus": 6, "prjProject": 10, "prjBillingType": "FixedFee"},
        {"prjKey": 12, "prjStatus": 1, "prjProject": 11, "prjBillingType": "Adjustment"},
        {"prjKey": 20, "prjStatus": 5, "prjProject": 0, "prjSyncToCRM": True},
        {"prjKey": 21, "prjStatus": 1, "prjProject": 21},
        {"prjKey": 22, "prjStatus": 1, "prjSyncToCRM": True},
        {"prjKey": 23, "prjStatus": 1, "prjSyncToCRM": True},
    ],
    "AxActivity": [
        {"actKey": 1, "actType": 1},
        {"actKey": 2, "actType": 2},
        {"actKey": 3, "actType": 3},
        {"actKey": 4, "actType": 9},
    ],
    "AxEmployeeType": [
        {"etKey": 1, "etDescription": " Architect "},
        {"etKey": 2, "etDescription": "ARCHITECT"},
        {"etKey": 3, "etDescription": None},
    ],
    "AxClientInvoice": [{"ciKey": 1, "ciStatus": 0}, {"ciKey": 2, "ciStatus": 2}],
    "AxTransaction": [
        LABOR
        | {"tProject": 10, "tUnits": 8, "tDate": at("2024-03-02"), "tIsBillable": True}
        | {"tCostAmount": Decimal("100.0001"), "tSpentAmount": Decimal("200.0002")},
        LABOR
        | {"tProject": 12, "tEmployeeType": 2, "tUnits": 1, "tDate": at("2024-03-01 15:30")}
        | {"tCostAmount": 10, "tSpentAmount": 20, "tBilledAmount": 18, "tIsBillable": True}
        | {"tClientInvoice": 2},
        LABOR
        | {"tProject": 9, "tEmployee": 6, "tUnits": 2, "tCostAmount": 5, "tSpentAmount": 6}
        | {"tIsDeleted": False},
        LABOR
        | {"tProject": 9, "tEmployeeType": 3, "tUnits": 3, "tCostAmount": 1, "tSpentAmount": 1},
        # A type that nobody has entered is waited for; none is no role.
        LABOR | {"tProject": 9, "tEmployeeType": 777},
        LABOR | {"tProject": 9, "tEmployeeType": 0, "tUnits": Decimal("-0.5")},
        {"tProject": 9, "tActivity": 2, "tIsCurrent": True, "tIsBillable": True}
        | {"tCostAmount": 30, "tSpentAmount": 33, "tBilledAmount": 33, "tClientInvoice": 1},
        {"tProject": 10, "tActivity": 3, "tIsCurrent": True, "tCostAmount": 40, "tSpentAmount": 44},
        # Nothing of these counts.
        LABOR | LOST | {"tProject": 11, "tDate": at("2020-01-01")},
        LABOR | LOST | {"tProject": 10, "tIsCurrent": False},
        LABOR | LOST | {"tProject": 10, "tIsCurrent": None},
        LABOR | LOST | {"tProject": 10, "tIsDeleted": True},
        LABOR | LOST | {"tProject": 10, "tActivity": 4},
        LABOR | LOST | {"tProject": 10, "tActivity": None},
        LABOR | LOST | {"tProject": 777},
    ],
    "AxReceipt": [
        {"rcProject": 12, "rcActivityType": 1, "rcAmount": 50},
        {"rcProject": 9, "rcActivityType": 2, "rcAmount": -5},
        {"rcProject": 9, "rcActivityType": 3, "rcAmount": 4},
        {"rcProject": 11, "rcActivityType": 1, "rcAmount": 5_000},
        {"rcProject": 9, "rcActivityType": 9, "rcAmount": 5_000},
    ],
    "AxBeginningBalance": [
        {"bbKey": 1, "bbProject": 10, "bbLaborHours": 70}
        | {"bbLaborSpent": 1_000, "bbLaborCost": 500, "bbLaborBilled": 900}
        | {"bbExpenseSpent": 100, "bbExpenseCost": 50, "bbExpenseBilled": 90}
        | {"bbConsultantCost": 7},
        {"bbKey": 2, "bbProject": 11, "bbLaborSpent": 5_000},
    ],
    "AxResource": [
        {"resKey": key, "resProject": place, "resActivityType": kind, "resBudgetAmount": amount}
        | {"resBilledAsTE": is_extra}
        for key, (place, kind, amount, is_extra) in enumerate(
            (
                *((9, 1, 1_000, False), (9, 2, 200, False), (9, 2, 30, True)),
                *((9, 3, 400, None), (9, 3, 50, True)),
                *((10, 1, 2_000, None), (10, 2, 300, None), (10, 3, 60, False)),
                *((12, 1, 5_000, None), (12, 2, 5_000, True), (11, 1, 5_000, None)),
                (9, None, 5_000, None),
            )
        )
    ],
}
ACCOUNTS: dict[str, Any] = {
    "AjeraSpentLabor": Decimal("1227.0002"),
    "AjeraSpentReimbursable": 133,
    "AjeraSpentConsultant": 44,
    "AjeraCostLabor": Decimal("616.0001"),
    "AjeraCostReimbursable": 80,
    "AjeraCostConsultant": 47,
    "AjeraWIPLabor": Decimal("200.0002"),
    "AjeraWIPReimbursable": 33,
    "AjeraWIPConsultant": 0,
    "AjeraBilledLabor": 918,
    "AjeraBilledReimbursable": 90,
    "AjeraBilledConsultant": 0,
    "AjeraReceivedLabor": 950,
    "AjeraReceivedReimbursable": 85,
    "AjeraReceivedConsultant": 4,
    "PctComp": Decimal("40.5"),
    "BudOHRate": Decimal("155.5"),
    "Fee": 3_200,
    "FeeDirLab": 3_000,
    "FeeDirExp": 200,
    "ConsultFee": 400,
    "ReimbAllow": 440,
    "ReimbAllowExp": 330,
    "ReimbAllowCons": 110,
    "StartDate": at("2024-02-01"),
    "EstCompletionDate": at("2025-05-01"),
    "ActCompletionDate": None,
    "TotalProjectCost": Decimal("743.0001"),
    "FirmCost": Decimal("696.0001"),
}
NUMBER = "P|1"  # a bar is escaped in a link's key
IN_DPS = {"WBS2": " ", "WBS3": " ", "AjeraSync": "Y"}
TEAM = {"WBS1": NUMBER, "WBS2": " ", "WBS3": " ", "Employee": "00005"}
DPS: dict[str, list[dict[str, Any]]] = {
    "PR": [
        {"WBS1": NUMBER, **IN_DPS, **ACCOUNTS},
        {"WBS1": NUMBER, **IN_DPS, "WBS2": "001"},
        *({"WBS1": one, **IN_DPS} for one in ("CLOSED", "NOT-IN-AJERA", "ENDED")),
        {"WBS1": "NOT-IN-DPS", **IN_DPS, "AjeraSync": "N"},
    ],
    "EMProjectAssoc": [
        TEAM | {"RecordID": "A", "Role": "Architect", "Hours": 9, "StartDate": at("2024-03-01")},
        TEAM | {"RecordID": "B", "Role": "", "Hours": Decimal("2.5")},
        TEAM | {"RecordID": "C", "Role": "Friend", "RoleDescription": "put there by hand"},
        TEAM | {"RecordID": "D", "WBS1": "CLOSED", "Role": "Architect", "Hours": 77},
    ],
}
LABOR_ONLY = "{AxTransaction.tActivity} = 1 AND {AxTransaction.tProject} = 10"


@dataclass
class Books:
    """Ajera and DPS, and what the judge says of them."""

    ajera: psycopg.Connection
    dps: psycopg.Connection
    naming: Naming

    def verdict(self, **assumed: Any) -> accounts.Verdict:
        naming = Naming(self.naming.tables, {**ASSUMPTIONS, **assumed})
        return accounts.judged(self.ajera, self.dps, naming)

    def differences(self, **assumed: Any) -> list[str]:
        return [str(one) for one in self.verdict(**assumed).differences]

    def in_ajera(self, text: str) -> None:
        self.ajera.execute(sql.SQL(self.naming.sql(text)))

    def in_dps(self, text: str) -> None:
        self.dps.execute(sql.SQL(self.naming.sql(text)))

    def type_over(self, column: str, value: str) -> None:
        where = f"{{PR.WBS1}} = '{NUMBER}' AND {{PR.WBS2}} = ' '"
        self.in_dps(f"UPDATE {{PR}} SET {{PR.{column}}} = {value} WHERE {where}")


@pytest.fixture(scope="module", params=["vendor", "other"])
def right(postgres: Stack, request: pytest.FixtureRequest) -> Iterator[Books]:
    """Books and tabs that agree, whatever the site calls its tables."""
    naming = Naming() if request.param == "vendor" else Naming(Naming.load(OTHER_NAMES).tables)
    names = (f"accounts_{request.param}_{system}" for system in ("ajera", "dps"))
    urls = [postgres.create_database(name) for name in names]
    databases.create_ajera(urls[0], naming)
    dps.create_dps(urls[1], naming)
    with ExitStack() as resources:
        ajera, in_dps = (resources.enter_context(databases.connect(url)) for url in urls)
        for connection, tables in ((ajera, AJERA), (in_dps, DPS)):
            for table, rows in tables.items():
                for row in rows:
                    firm.insert(connection, naming, table, [row])
        in_dps.execute(LINKS)
        yield Books(ajera, in_dps, naming)


@pytest.fixture
def books(right: Books) -> Iterator[Books]:
    """The same, to be spoilt."""
    with right.ajera.transaction(force_rollback=True), right.dps.transaction(force_rollback=True):
        yield right


def test_what_was_added_up_by_hand_is_right(right: Books) -> None:
    """One project is compared; a closed one is counted; those without a flag or a link are not
    looked at.
    """
    assert right.differences() == []
    verdict = right.verdict()
    assert (verdict.projects, verdict.columns, verdict.team_rows, verdict.closed) == (1, 29, 2, 1)


@pytest.mark.parametrize("column", ACCOUNTS)
def test_a_wrong_column_is_found(books: Books, column: str) -> None:
    """By the ten-thousandth part, or by a day."""
    other = "'2020-02-02'" if column.endswith("Date") else f"{{PR.{column}}} + 0.0001"
    books.type_over(column, other)
    assert books.differences() == [f"accounts of {NUMBER}: differs in {column}"]


@pytest.mark.parametrize("column", [name for name, value in ACCOUNTS.items() if value is not None])
def test_an_empty_column_is_found(books: Books, column: str) -> None:
    """Nothing is not 0."""
    books.type_over(column, "NULL")
    assert books.differences() == [f"accounts of {NUMBER}: differs in {column}"]


def test_a_date_with_a_time_is_found(books: Books) -> None:
    """It is another instant than the day's beginning."""
    books.in_dps("UPDATE {PR} SET {PR.StartDate} = '2024-02-01 06:00'")
    assert books.differences() == [f"accounts of {NUMBER}: differs in StartDate"]


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("DELETE FROM {EMProjectAssoc} WHERE {EMProjectAssoc.RecordID} = 'A'", "is missing"),
        (
            (
                "UPDATE {EMProjectAssoc} SET {EMProjectAssoc.Hours} = 9.0001"
                " WHERE {EMProjectAssoc.RecordID} = 'A'"
            ),
            "differs",
        ),
        (
            (
                "UPDATE {EMProjectAssoc} SET {EMProjectAssoc.StartDate} = '2024-03-02'"
                " WHERE {EMProjectAssoc.RecordID} = 'A'"
            ),
            "differs",
        ),
        (
            (
                "UPDATE {EMProjectAssoc} SET {EMProjectAssoc.Hours} = NULL,"
                " {EMProjectAssoc.StartDate} = NULL WHERE {EMProjectAssoc.RecordID} = 'A'"
            ),
            "is missing",
        ),
        (
            (
                "INSERT INTO {EMProjectAssoc} SELECT 'E', {EMProjectAssoc.WBS1}, ' ', ' ', '00005',"
                " 'Architect', NULL, NULL, NULL, 9 FROM {EMProjectAssoc} LIMIT 1"
            ),
            "differs",
        ),
    ],
)
def test_a_wrong_team_row_is_found(books: Books, statement: str, found: str) -> None:
    """Missing, wrong, emptied, or there twice."""
    books.in_dps(statement)
    assert books.differences() == [
        f"accounts of {NUMBER}: team row of 00005 as 'architect' {found}"
    ]


def test_a_superfluous_team_row_is_found_unless_it_is_empty(books: Books) -> None:
    """Without hours and date it is somebody's own."""
    friend = "UPDATE {EMProjectAssoc} SET {EMProjectAssoc.Role} = 'Foe'"
    books.in_dps(f"{friend} WHERE {{EMProjectAssoc.RecordID}} = 'C'")
    assert books.differences() == []
    books.in_dps(
        "UPDATE {EMProjectAssoc} SET {EMProjectAssoc.Hours} = 0"
        " WHERE {EMProjectAssoc.RecordID} = 'C'"
    )
    assert books.differences() == [
        f"accounts of {NUMBER}: team row of 00005 as 'foe' is superfluous"
    ]


@pytest.mark.parametrize(
    ("statement", "lines"),
    [
        (
            f"UPDATE {{AxTransaction}} SET {{AxTransaction.tIsDeleted}} = true WHERE {LABOR_ONLY}",
            {"AjeraSpentLabor", "AjeraCostLabor", "AjeraWIPLabor", "TotalProjectCost", "FirmCost"},
        ),
        (
            (
                "UPDATE {AxClientInvoice} SET {AxClientInvoice.ciStatus} = 2"
                " WHERE {AxClientInvoice.ciKey} = 1"
            ),
            {"AjeraWIPReimbursable", "AjeraBilledReimbursable"},
        ),
        (
            "UPDATE {AxActivity} SET {AxActivity.actType} = 2 WHERE {AxActivity.actKey} = 3",
            {
                *("AjeraSpentConsultant", "AjeraCostConsultant"),
                *("AjeraSpentReimbursable", "AjeraCostReimbursable", "FirmCost"),
            },
        ),
        (
            "UPDATE {AxProject} SET {AxProject.prjProject} = 20 WHERE {AxProject.prjKey} = 12",
            {
                *("AjeraSpentLabor", "AjeraCostLabor", "AjeraBilledLabor", "AjeraReceivedLabor"),
                *("TotalProjectCost", "FirmCost"),
            },
        ),
        (
            (
                "UPDATE {AxProject} SET {AxProject.prjBillingType} = 'UnitPrice'"
                " WHERE {AxProject.prjKey} = 10"
            ),
            {"FeeDirExp", "Fee", "ConsultFee", "ReimbAllow", "ReimbAllowExp", "ReimbAllowCons"},
        ),
        (
            "UPDATE {AxEntity} SET {AxEntity.eOverheadPercent} = 0",
            {"BudOHRate"},
        ),
        (
            "UPDATE {AxProject} SET {AxProject.prjActualStartDate} = '2024-02-09'",
            {"StartDate"},
        ),
    ],
)
def test_totals_move_when_only_the_books_move(
    books: Books, statement: str, lines: set[str]
) -> None:
    """Deleted, made final, re-typed, moved with its phase, billed another way: each moves its own
    columns and no other.
    """
    books.in_ajera(statement)
    found = {one.rpartition(" ")[2] for one in books.differences() if "team row" not in one}
    assert found == lines


@pytest.mark.parametrize(
    ("assumed", "lines"),
    [
        (
            {"balances_are_received": False},
            {"AjeraReceivedLabor", "AjeraReceivedReimbursable"},
        ),
        (
            {"final_invoice_statuses": [0, 2]},
            {"AjeraWIPReimbursable", "AjeraBilledReimbursable"},
        ),
        (
            {"fee_billing_types": [], "time_billing_types": ["fixedfee"]},
            {
                *("Fee", "FeeDirLab", "FeeDirExp", "ConsultFee"),
                *("ReimbAllow", "ReimbAllowExp", "ReimbAllowCons"),
            },
        ),
        (
            {"marketing_phases_count": True},
            {
                *("AjeraSpentLabor", "AjeraCostLabor", "AjeraWIPLabor", "AjeraReceivedLabor"),
                *("TotalProjectCost", "FirmCost", "Fee", "FeeDirLab"),
            },
        ),
    ],
)
def test_a_switch_of_the_site_profile_moves_its_own_columns(
    right: Books, assumed: dict[str, Any], lines: set[str]
) -> None:
    """And no other."""
    found = {one.rpartition(" ")[2] for one in right.differences(**assumed) if "team" not in one}
    assert found == lines


@pytest.mark.parametrize(("crm", "columns"), [("ajera_crm", 24), ("simple_crm", 5)])
def test_the_generation_of_the_crm_says_which_tabs_there_are(
    right: Books, crm: str, columns: int
) -> None:
    """Only their columns are compared."""
    verdict = right.verdict(crm=crm)
    assert (list(verdict.differences), verdict.columns) == ([], columns)


def test_closed_projects_are_compared_where_they_follow(right: Books) -> None:
    """All of the closed one's columns are empty, and its team row is nobody's."""
    verdict = right.verdict(closed_projects_follow=True)
    assert (verdict.projects, verdict.closed) == (2, 0)
    assert {one.number for one in verdict.differences} == {"CLOSED"}
    assert any("superfluous" in str(one) for one in verdict.differences)


def test_a_row_on_the_seventh_level_is_nobodys(books: Books) -> None:
    """Ajera has six."""
    above = 9
    for level in range(1, 8):
        key = 100 + level
        books.in_ajera(
            "INSERT INTO {AxProject} ({AxProject.prjKey}, {AxProject.prjStatus},"
            f" {{AxProject.prjProject}}) VALUES ({key}, 1, {above})"
        )
        above = key
    charge = (
        "INSERT INTO {AxTransaction} ({AxTransaction.tProject}, {AxTransaction.tActivity},"
        " {AxTransaction.tIsCurrent}, {AxTransaction.tSpentAmount}) VALUES"
    )
    books.in_ajera(f"{charge} (107, 3, true, 1)")
    assert books.differences() == []
    books.in_ajera(f"{charge} (106, 3, true, 1)")
    assert books.differences() == [f"accounts of {NUMBER}: differs in AjeraSpentConsultant"]
