"""The contract of values over a tree: the twin in memory and PostgreSQL always, SQL Server where
PIPELINE_TEST_SQLSERVER_URL names one.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa

from pipeline.database.sql.engine import create_engine
from pipeline.database.state.schema import sync_metadata
from pipeline.database.target import DatabaseTarget
from pipeline.engine.consumer.ports import Target
from pipeline.engine.projection.resolve import resolve
from pipeline.mapping.path import Path
from pipeline.mapping.site import Site
from pipeline.mapping.table import Groups
from pipeline.mapping.watches import asked_kind, link_kind, tree_kind
from pipeline.model.event import Event, Value
from pipeline.model.ledger import Mark
from tests.support.tree import (
    ALL,
    BY_ROLE,
    CREW,
    HIDDEN,
    PARTS,
    TO_WORK,
    TREE,
    TREE_LINES,
    changed,
    mirrored,
)
from tests.twins.target import MemoryTarget

SQL_SERVER = "PIPELINE_TEST_SQLSERVER_URL"
CLIMB = tree_kind(PARTS)
NOTHING: dict[str, Value] = {"Rows": 0, "Billed": Decimal(0), "Open": Decimal(0)}


@pytest.fixture(
    params=(
        "memory",
        pytest.param("postgresql", marks=pytest.mark.postgres),
        pytest.param("mssql", marks=pytest.mark.sqlserver),
    )
)
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    """An empty target of the route."""
    if request.param == "memory":
        yield MemoryTarget(TREE)
        return
    suffix = uuid.uuid4().hex[:8]
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").create_database(f"trees_{suffix}")
    elif SQL_SERVER in os.environ:
        url = os.environ[SQL_SERVER]
    else:
        pytest.skip(f"{SQL_SERVER} is not set: nothing was run on SQL Server")
    engine, schema = create_engine(url), f"trees_{suffix}"
    metadata = sync_metadata(schema, TREE.sources)
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(schema))
        metadata.create_all(connection)
    yield DatabaseTarget(engine, TREE, Site(), schema, schema)
    metadata.drop_all(engine)
    engine.dispose()


def store(target: Target, *rows: Event | tuple[Event, ...]) -> None:
    """Each row as it is after its events."""
    with target.transaction() as transaction:
        for one in rows:
            transaction.write_rows([mirrored(*(one if isinstance(one, tuple) else (one,)))])


def part(key: int, of: int | None = None, status: int = 1) -> Event:
    return changed("Part", key, partOf=of, partStatus=status)


def work(key: int, part: int | None, amount: str = "1.5", **columns: Value) -> Event:
    row: dict[str, Value] = {"workIsVoid": False, "workAmount": Decimal(amount), **columns}
    return changed("Work", key, "u", at=1, without=(), workPart=part, **row)


def values(target: Target, *keys: str) -> dict[str, dict[str, Value]]:
    with target.transaction() as transaction:
        return transaction.aggregated(TREE_LINES, keys)


def groups(target: Target, *keys: str) -> dict[str, dict[str, Groups]]:
    with target.transaction() as transaction:
        return transaction.grouped([ALL, CREW], keys)


def above(target: Target, kind: str, *keys: str) -> set[str]:
    """The parts that marks of this kind lead to."""
    with target.transaction() as transaction:
        return resolve(transaction, TREE, Site(), [Mark(kind, key, 1) for key in keys])["Part"]


# -- down ------------------------------------------------------------------------------------------


def test_what_refers_to_a_row_or_one_below_it_is_summed_down_to_the_last_level(
    target: Target,
) -> None:
    """Each row of the tree is the root of its own part of it; what is too deep counts for those it
    is not too deep for.
    """
    chain = [part(key, key - 1 or None) for key in range(1, 6)]
    store(target, *chain, *(work(key, key, f"{10**key}.0001") for key in range(1, 6)), work(9, 77))
    found = values(target, *"123456")
    assert [found[key]["Rows"] for key in "123456"] == [4, 4, 3, 2, 1, 0]
    assert found["1"]["Open"] == Decimal("11110.0004")
    assert found["4"]["Open"] == Decimal("110000.0002")
    assert found["6"] == NOTHING


def test_branches_are_summed_together_and_each_row_once(target: Target) -> None:
    """Of many roots at once; a row that nothing refers to is no reason to go on."""
    store(
        target,
        *(part(key, of) for key, of in ((1, None), (2, 1), (3, 1), (4, 2), (5, 2), (6, 0), (7, 6))),
        *(work(10 * key + nth, key) for key in range(1, 8) for nth in range(key)),
    )
    found = values(target, "1", "2", "6")
    assert {key: of["Rows"] for key, of in found.items()} == {"1": 15, "2": 11, "6": 13}


def test_a_circle_ends_where_it_began(target: Target) -> None:
    """Two that refer to each other are below each other; one that names itself is at the top."""
    store(target, part(1, 2), part(2, 1), part(3, 3), part(4, 3))
    store(target, *(work(key, key, f"{key}") for key in range(1, 5)))
    found = values(target, *"1234")
    assert [found[key]["Open"] for key in "1234"] == [*map(Decimal, (3, 3, 7, 4))]
    assert above(target, CLIMB, "1") == {"1", "2"}
    assert above(target, CLIMB, "4", "3") == {"3", "4"}


def test_what_hangs_on_a_deleted_row_belongs_to_nothing_above_it(target: Target) -> None:
    """Neither what refers to it nor the rows below it; nor does a change below it mark them."""
    gone = part(2, 1), changed("Part", 2, "d", at=2)
    store(target, part(1), gone, part(3, 2), work(1, 1), work(2, 2), work(3, 3))
    assert values(target, "1")["1"]["Rows"] == 1
    assert above(target, CLIMB, "3") == {"3", "2"}


def test_a_row_whose_reference_is_unknown_leaves_the_roots_out_that_it_may_belong_to(
    target: Target,
) -> None:
    """Those above the row that it named before; others are known."""
    came = changed("Part", 3, "d", at=2), changed("Part", 3, at=3, without=("partOf",))
    store(target, part(1), part(2, 1), (part(3, 2), *came), part(4), work(1, 3), work(2, 4))
    assert values(target, "1", "2", "4") == {
        "1": {},
        "2": {},
        "4": {"Rows": 1, "Billed": Decimal(0), "Open": Decimal("1.5")},
    }
    lacking = changed("Work", 7, "d", at=2), changed("Work", 7, at=3, without=("workPart",))
    store(target, part(5, 4), (work(7, 5), *lacking))
    assert values(target, "4") == {"4": {}}


def test_a_condition_may_be_on_the_row_of_the_tree(target: Target) -> None:
    """What hangs on a hidden part does not count; what is below it does."""
    store(target, part(1), part(2, 1, HIDDEN), part(3, 2), *(work(key, key) for key in (1, 2, 3)))
    assert values(target, "1")["1"] == {"Rows": 3, "Billed": Decimal(0), "Open": Decimal(3)}


# -- groups ----------------------------------------------------------------------------------------


def test_without_columns_there_is_one_group_also_of_no_rows(target: Target) -> None:
    """A sum of nothing is 0."""
    store(target, part(1), part(2, 1), changed("Task", 1, taskKind=1), changed("Task", 2))
    assert groups(target, "1")["1"] == {"all": {(): {"Labor": 0}}, "crew": {}}
    store(target, work(1, 1, workTask=1), work(2, 2, "2.5", workTask=1), work(3, 2, workTask=2))
    assert groups(target, "1")["1"]["all"] == {(): {"Labor": Decimal(4)}}


def test_groups_are_put_together_over_the_tree(target: Target) -> None:
    """By person and role, whatever part they worked on."""
    store(target, part(1), part(2, 1), part(3, 2), changed("Task", 1, taskKind=1))

    def hours(key: int, part: int, spent: int, **columns: Value) -> Event:
        of: dict[str, Value] = {"workPerson": 7, "workRole": 5, "workTask": 1, **columns}
        return work(key, part, "1", workHours=spent, **of)

    store(
        target,
        hours(1, 1, 1, workDay=date(2026, 3, 1)),
        hours(2, 3, 2, workDay=date(2026, 1, 1)),
        hours(3, 3, 4, workRole=6),
        hours(4, 3, 8, workPerson=None),
        hours(5, 3, 16, workIsVoid=True),
    )
    assert groups(target, "1")["1"]["crew"] == {
        (7, 5): {"Hours": 3, "First Day": date(2026, 1, 1)},
        (7, 6): {"Hours": 4, "First Day": None},
    }


# -- up --------------------------------------------------------------------------------------------


def test_a_mark_leads_to_the_rows_above_it_up_to_the_last_level(target: Target) -> None:
    """From wherever it begins; one that is not there leads to itself."""
    store(target, *(part(key, key - 1 or None) for key in range(1, 6)), part(6, 2))
    assert above(target, CLIMB, "5") == {*"5432"}
    assert above(target, CLIMB, "6", "99") == {"6", "2", "1", "99"}
    assert above(target, CLIMB, "5", "3") == {*"54321"}


def test_rows_that_are_asked_lead_up_through_the_rows_that_refer_to_them(target: Target) -> None:
    """A bill or a role: those that hold it, deleted ones aside, and what they hang on."""
    store(target, part(1), part(2, 1), part(3), part(4), part(5))
    gone = work(4, 4, workBill=8), changed("Work", 4, "d", at=2)
    store(
        target, work(1, 2, workBill=8, workRole=5), work(2, 2, workBill=8), work(3, 3, workBill=9)
    )
    store(target, gone, work(5, 5, workPerson=7))
    bills = asked_kind("Part", TO_WORK, Path("Work", "workBill", "Bill"))
    assert above(target, bills, "8") == {"1", "2"}
    assert above(target, bills, "8", "9") == {"1", "2", "3"}
    assert above(target, asked_kind("Part", TO_WORK, BY_ROLE), "5", "6") == {"1", "2"}
    assert above(target, link_kind(CREW, CREW.linked[0]), "7", "8") == {"5"}


def test_what_rows_hold_is_given_once_without_what_is_deleted(target: Target) -> None:
    """By a column or by their keys; of more values than one statement takes."""
    gone = work(9, 5, workBill=1), changed("Work", 9, "d", at=2)
    store(target, *(work(key, key % 3, workBill=1) for key in range(1, 8)), gone, work(10, None))
    with target.transaction() as transaction:
        asked = [*range(1, 6_000), None]
        assert {*transaction.distinct_values("Work", "workPart", "workBill", asked)} == {0, 1, 2}
        assert transaction.distinct_values("Work", "", "workPart", [2, 2]) in (
            ["2", "5"],
            ["5", "2"],
        )
        assert transaction.distinct_values("Work", "workPart", "", ["9", "10", "99"]) == [None]
        assert transaction.distinct_values("Work", "workPart", "workBill", []) == []
