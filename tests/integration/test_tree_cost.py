"""What a change costs where values are summed up over trees: its own projects' rows, however many
others there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
import sqlalchemy as sa

from deploy.local.stack import Stack
from pipeline.database.sql.engine import create_engine
from pipeline.database.state.added import AddedColumns
from pipeline.database.state.schema import sync_metadata
from pipeline.database.transaction import DatabaseTransaction
from pipeline.engine.projection.resolve import resolve
from pipeline.mapping.path import Path
from pipeline.mapping.site import Site
from pipeline.mapping.watches import asked_kind, tree_kind
from pipeline.model.ledger import Mark
from tests.support.plans import Explaining
from tests.support.tree import ALL, BY_ROLE, CREW, PARTS, TO_WORK, TREE, TREE_LINES

pytestmark = pytest.mark.postgres
PROJECTS = 3_000  # each with three phases in a row, each with ten rows
LARGE = {"mirror_Part", "mirror_Work"}
BLANK = "'', 1, 0, 0, false, '', 1, now(), '', ''"
WORK = (
    *("workKey", "workPart", "workTask", "workPerson", "workRole", "workBill"),
    *("workHours", "workAmount"),
)
LEDGER = """position, incarnation, "partition", "offset", deleted, unknown, epoch, committed_at,
 retired_at, changed_at"""
CLIMB = tree_kind(PARTS)
BILLS = asked_kind("Part", TO_WORK, Path("Work", "workBill", "Bill"))
ROLES = asked_kind("Part", TO_WORK, BY_ROLE)


@pytest.fixture(scope="module")
def filled(postgres: Stack) -> Iterator[sa.Connection]:
    """Parts whose keys tell how deep they are: part i of project p is p + i * 10,000. The planner
    knows.
    """
    engine = create_engine(postgres.create_database("tree_cost"))
    with engine.connect() as connection:
        connection.execute(sa.schema.CreateSchema("sync"))
        sync_metadata("sync", TREE.sources).create_all(connection)
        for sql in _rows():
            connection.execute(sa.text(sql))
        connection.execute(sa.text("ANALYZE"))
        connection.commit()
        yield connection
    engine.dispose()


def _rows() -> Iterator[str]:
    part = "p + 10000 * d"
    places = f"generate_series(1, {PROJECTS}) AS p, generate_series(0, 3) AS d"
    for table, columns, values, source in (
        (
            "Part",
            '"partKey", "partOf", "partStatus", is_top',
            f"{part}, CASE WHEN d > 0 THEN {part} - 10000 END, 1, d = 0",
            places,
        ),
        (
            "Work",
            ", ".join(f'"{name}"' for name in WORK),
            f"100 * ({part}) + n, {part}, 1 + n % 2, p % 50, 1 + n % 3, p / 2, 1, 1.5",
            f"{places}, generate_series(1, 10) AS n",
        ),
        ("Task", '"taskKey", "taskKind"', "k, k", "generate_series(1, 2) AS k"),
        ("Role", '"roleKey", "roleName"', "k, 'r'", "generate_series(1, 3) AS k"),
        ("Bill", '"billKey", "billStatus"', "k, 2", f"generate_series(0, {PROJECTS}) AS k"),
    ):
        key = values.split(",")[0]
        yield (
            f'INSERT INTO sync."mirror_{table}" ("key", revision, {LEDGER}, {columns})'
            f" SELECT CAST({key} AS text), 1, {BLANK}, {values} FROM {source}"
        )


def recomputed(connection: sa.Connection, *marks: Mark) -> Mapping[str, Explaining]:
    """Finding the roots of these marks, and computing them."""
    up, down = Explaining(connection), Explaining(connection)
    roots = resolve(_transaction(up), TREE, Site(), marks)["Part"]
    transaction = _transaction(down)
    projects = sorted(key for key in roots if int(key) < 10_000)
    values = transaction.aggregated(TREE_LINES, projects)
    groups = transaction.grouped([ALL, CREW], projects)
    assert {values[key]["Rows"] for key in projects} == {40}
    assert all(len(groups[key]["crew"]) == 3 for key in projects)
    connection.rollback()
    return {"up": up, "down": down}


def _transaction(session: Explaining) -> DatabaseTransaction:
    return DatabaseTransaction(session, TREE, Site(), "sync", None, AddedColumns(()))


@pytest.mark.parametrize(
    ("marks", "projects"),
    [
        ([Mark(CLIMB, "30007", 1)], 1),
        ([Mark(BILLS, "50", 1)], 2),
        ([Mark(CLIMB, f"{30_000 + key}", 1) for key in range(1, 41)], 40),
    ],
    ids=["one row changed", "one bill made final", "a day of 40 projects"],
)
def test_a_change_costs_its_own_projects_and_not_the_table(
    filled: sa.Connection, marks: list[Mark], projects: int
) -> None:
    """Every row that is read, by whatever node, is one of these projects': found by an index. The
    number of statements does not depend on how many projects there are.
    """
    cost = recomputed(filled, *marks)
    for way, most in (("up", 2 * (4 + 40)), ("down", 2 * 3 * (4 + 40 * 4))):
        nodes, statements = cost[way].nodes, cost[way].statements
        assert sum(rows for _, _, rows in nodes) <= projects * most, way
        assert [one for one in nodes if one[1] == "Seq Scan" and one[0] in LARGE] == []
        assert statements <= 9, way


def test_rows_that_many_refer_to_lead_up_by_each_reference_once(filled: sa.Connection) -> None:
    """A role renamed: 48,000 rows hold it, on 12,000 parts."""
    session = Explaining(filled)
    with_role = Mark(ROLES, "1", 1)
    roots = resolve(_transaction(session), TREE, Site(), [with_role])["Part"]
    assert len(roots) == 4 * PROJECTS
    assert session.answers <= 2 * 4 * PROJECTS
    filled.rollback()
