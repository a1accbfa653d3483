"""The judge of the sample: it accepts a PIM that is right,
and finds each way in which one can be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from deploy.local.stack import Stack
from deploy.sample import databases, day, firm, oracle
from deploy.sample.naming import Naming

OTHER_NAMES = Path(__file__).parents[2] / "deploy" / "sample" / "other-names.toml"
pytestmark = pytest.mark.postgres


@dataclass
class Pair:
    """Both databases of one firm."""

    ajera: psycopg.Connection
    pim: psycopg.Connection
    naming: Naming

    def differences(self) -> list[str]:
        return [str(found) for found in oracle.compare(self.ajera, self.pim, self.naming)]

    def fill(self) -> None:
        """Put into PIM what the judge expects there."""
        oracle.compare(self.ajera, self.pim, self.naming)
        with self.pim.transaction():
            self.pim.execute("SET CONSTRAINTS ALL DEFERRED")
            self.pim.execute("SET session_replication_role = replica")
            for table in oracle.KEYS:
                self._fill(table)
            self._fill_lists()
            self.pim.execute("SET session_replication_role = DEFAULT")

    def _fill(self, table: str) -> None:
        cursor = self.ajera.execute(f'SELECT * FROM expected."{table}"')
        names = [column.name for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor]
        if table == "Contact":
            rows = [{**row, "Title": "-", "Created Date": "2026-01-01"} for row in rows]
        if rows:
            firm.insert(self.pim, self.naming, table, rows)

    def _fill_lists(self) -> None:
        assumed = self.naming.assumptions
        for text in assumed["status_texts"].values():
            self.run(
                "INSERT INTO {Project_Status} VALUES (%s, %s) ON CONFLICT DO NOTHING",
                text,
                text in assumed["completed_statuses"],
            )
        roles = self.ajera.execute(
            'SELECT DISTINCT "Role Type" FROM expected."Project_Contact"'
        ).fetchall()
        for (role,) in roles:
            self.run(
                "INSERT INTO {Role_Type} VALUES (%s) ON CONFLICT DO NOTHING",
                role,
            )

    def run(self, statement: str, *values: object) -> None:
        self.pim.execute(psycopg.sql.SQL(self.naming.sql(statement)), values)


def pair_of(stack: Stack, name: str, naming: Naming, seed: int) -> Iterator[Pair]:
    ajera_url, pim_url = (
        stack.create_database(f"{name}_ajera"),
        stack.create_database(f"{name}_pim"),
    )
    databases.create_ajera(ajera_url, naming)
    databases.create_pim(pim_url, naming)
    with (
        databases.connect(ajera_url) as ajera,
        databases.connect(pim_url) as pim,
    ):
        firm.load(ajera, seed, naming)
        yield Pair(ajera, pim, naming)


@pytest.fixture(scope="module")
def loaded(postgres: Stack) -> Iterator[Pair]:
    """A firm, and a PIM that is right."""
    for pair in pair_of(postgres, "oracle", Naming(), seed=7):
        pair.fill()
        yield pair


def test_a_right_pim_has_no_differences(loaded: Pair) -> None:
    """Rows that PIM's own people made are not held against it."""
    assert loaded.differences() == []


WRONG = {
    "a changed value": (
        (
            "UPDATE {Organization} SET {Organization.Name} = 'x'"
            " WHERE {Organization.Organization ID} = 'cl-70'"
        ),
        "Organization cl-70: differs in Name",
    ),
    "a lost address": (
        "UPDATE {Project} SET {Project.City} = NULL WHERE {Project.Project ID} = '5'",
        "Project 5: differs in City",
    ),
    "a missing row": (
        "DELETE FROM {Project_Contact} WHERE {Project_Contact.Project ID} = '45'",
        "Project_Contact 45 / Project Manager / em-7: missing in PIM",
    ),
    "a row too many": (
        "INSERT INTO {Organization} VALUES ('cl-999999', 'nobody')",
        "Organization cl-999999: too many in PIM",
    ),
    "an empty title": (
        "UPDATE {Contact} SET {Contact.Title} = NULL WHERE {Contact.Contact ID} = 'em-3'",
        "Contact em-3: is empty in Title",
    ),
    "a status nobody uses": (
        "INSERT INTO {Project_Status} VALUES ('Lunch', false)",
        "Project_Status Lunch: too many in PIM",
    ),
    "a wrong flag": (
        (
            "UPDATE {Project_Status} SET {Project_Status.Completed} = true"
            " WHERE {Project_Status.Name} = 'Hold'"
        ),
        "Project_Status Hold: differs in Completed",
    ),
    "an invented role": (
        "INSERT INTO {Role_Type} VALUES ('Jester')",
        "Role_Type Jester: too many in PIM",
    ),
}


@pytest.mark.parametrize("wrong", sorted(WRONG))
def test_each_way_of_being_wrong_is_found(loaded: Pair, wrong: str) -> None:
    """One fault, one sentence that names table, key and column."""
    statement, sentence = WRONG[wrong]
    with loaded.pim.transaction(force_rollback=True):
        loaded.run(statement)
        assert sentence in loaded.differences()


def test_a_title_that_a_person_typed_is_accepted(loaded: Pair) -> None:
    """It is prefilled once, and theirs after that."""
    with loaded.pim.transaction(force_rollback=True):
        loaded.run(
            "UPDATE {Contact} SET {Contact.Title} = 'Ms' WHERE {Contact.Contact ID} = 'em-3'"
        )
        assert loaded.differences() == []


@pytest.mark.parametrize("names", ["vendor", "other"])
def test_a_long_day_leaves_a_firm_that_can_be_judged(postgres: Stack, names: str) -> None:
    """A thousand edits run without a fault, and a PIM filled after them is right."""
    naming = Naming() if names == "vendor" else Naming.load(OTHER_NAMES)
    for pair in pair_of(postgres, f"day_{names}", naming, seed=11):
        staff = day.Day(11, naming)
        kinds = {staff.next_edit(pair.ajera).kind for _ in range(1_000)}
        assert len(kinds) > 20
        pair.fill()
        assert pair.differences() == []


def test_a_seed_gives_one_firm(postgres: Stack) -> None:
    """Twice the same rows, so that a fault can be met again."""
    found = []
    for name in ("one", "two"):
        for pair in pair_of(postgres, f"seed_{name}", Naming(), seed=3):
            cursor = pair.ajera.execute(
                'SELECT md5(string_agg(v::text, \'\' ORDER BY "vecKey")) FROM "AxVec" AS v'
            )
            found.append(cursor.fetchone())
    assert found[0] == found[1]
