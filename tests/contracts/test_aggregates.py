"""The contract of values that the target's database computes over mirrored rows, and of child rows
with values: the twin in memory and PostgreSQL always, SQL Server where PIPELINE_TEST_SQLSERVER_URL
names one.
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
from pipeline.database.systems.live import create_target_tables
from pipeline.database.target import DatabaseTarget
from pipeline.engine.consumer.ports import Target
from pipeline.mapping.aggregate import Aggregate, Function, Where
from pipeline.mapping.site import Site
from pipeline.mapping.table import Groups
from pipeline.mapping.target import TargetRow
from pipeline.model.event import Event, Value
from pipeline.model.outcome import RowCounts
from tests.support.totals import (
    CONDITIONED,
    FINAL,
    LEADS,
    LINES,
    TEAM,
    TO_ENTRIES,
    TO_JOBS,
    TO_SHARED,
    TOTALS,
    changed,
    mirrored,
)
from tests.twins.target import MemoryTarget

SQL_SERVER = "PIPELINE_TEST_SQLSERVER_URL"
BIG = Decimal("12345678901234567890.0001")
NOTHING: dict[str, Value] = {
    "Open Jobs": 0,
    "Newest Job": None,
    "Amount": Decimal(0),
    "Hours": 0,
    "Least Amount": None,
    "Shared Jobs": 0,
}


@pytest.fixture(
    params=(
        "memory",
        pytest.param("postgresql", marks=pytest.mark.postgres),
        pytest.param("mssql", marks=pytest.mark.sqlserver),
    )
)
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    """An empty target of the tests' own route."""
    if request.param == "memory":
        yield MemoryTarget(TOTALS)
        return
    suffix = uuid.uuid4().hex[:8]
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").create_database(f"aggregates_{suffix}")
    elif SQL_SERVER in os.environ:
        url = os.environ[SQL_SERVER]
    else:
        pytest.skip(f"{SQL_SERVER} is not set: nothing was run on SQL Server")
    engine, schema = create_engine(url), f"totals_{suffix}"
    metadata = sync_metadata(schema, TOTALS.sources)
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(schema))
        metadata.create_all(connection)
    create_target_tables(engine, TOTALS, Site(), schema)
    yield DatabaseTarget(engine, TOTALS, Site(), schema, schema)
    everything = sa.MetaData(schema=schema)
    everything.reflect(engine)
    everything.drop_all(engine)
    engine.dispose()


def store(target: Target, *rows: Event | tuple[Event, ...]) -> None:
    """Each row as it is after its events."""
    with target.transaction() as transaction:
        for one in rows:
            transaction.write_rows([mirrored(*(one if isinstance(one, tuple) else (one,)))])


def values(
    target: Target, *keys: str, lines: tuple[Aggregate, ...] = LINES
) -> dict[str, dict[str, Value]]:
    with target.transaction() as transaction:
        return transaction.aggregated(lines, keys)


def test_of_no_rows_count_and_sum_are_nothing_and_the_others_are_null(target: Target) -> None:
    """A sum over nothing is 0: a total that a row has left is not the total from before."""
    assert values(target, "1", "2") == {"1": NOTHING, "2": NOTHING}


def test_rows_that_refer_to_the_root_are_counted_and_compared(target: Target) -> None:
    """Each root its own; those that the condition leaves out count in other lines."""
    store(
        target,
        changed("Job", 1, jobFirm=1, jobStatus=1, jobOpened=date(2026, 3, 1)),
        changed("Job", 2, jobFirm=1, jobStatus=2, jobOpened=date(2025, 3, 1)),
        changed("Job", 3, jobFirm=1, jobStatus=7, jobOpened=date(2026, 9, 30)),
        changed("Job", 4, jobFirm=2, jobStatus=None),
    )
    found = values(target, "1", "2", "3")
    assert [found[key]["Open Jobs"] for key in ("1", "2", "3")] == [2, 0, 0]
    assert [found[key]["Newest Job"] for key in ("1", "2", "3")] == [date(2026, 9, 30), None, None]


def test_rows_below_rows_that_refer_to_the_root_are_summed_to_the_last_place(
    target: Target,
) -> None:
    """In decimals: a float would lose the ten-thousandth of a large sum; nulls are left out."""
    store(
        target,
        changed("Job", 1, jobFirm=1),
        changed("Job", 2, jobFirm=1),
        changed("Job", 3, jobFirm=2),
        changed("Entry", 1, entryJob=1, entryAmount=BIG, entryHours=3),
        changed("Entry", 2, entryJob=2, entryAmount=Decimal("0.0002"), entryVoid=False),
        changed("Entry", 3, entryJob=2, entryAmount=None, entryHours=4),
        changed("Entry", 4, entryJob=2, entryAmount=Decimal(-5), entryVoid=True),
        changed("Entry", 5, entryJob=3, entryAmount=Decimal("-1.5"), entryHours=1),
    )
    found = values(target, "1", "2")
    assert found["1"]["Amount"] == BIG + Decimal("0.0002")
    assert found["1"]["Least Amount"] == Decimal("0.0002")
    assert (found["1"]["Hours"], found["2"]["Hours"]) == (7, 1)
    assert found["2"]["Amount"] == Decimal("-1.5")


def test_a_row_that_is_reached_twice_counts_once(target: Target) -> None:
    """Two shares of one job in one firm are one job; the same job counts in another firm too."""
    store(
        target,
        changed("Job", 1, jobStatus=1),
        changed("Job", 2, jobStatus=1),
        changed("Share", 1, shareFirm=1, shareJob=1),
        changed("Share", 2, shareFirm=1, shareJob=1),
        changed("Share", 3, shareFirm=1, shareJob=2),
        changed("Share", 4, shareFirm=2, shareJob=1),
        changed("Share", 5, shareFirm=2, shareJob=99),
        changed("Share", 6, shareFirm=2, shareJob=None),
    )
    found = values(target, "1", "2")
    assert (found["1"]["Shared Jobs"], found["2"]["Shared Jobs"]) == (2, 1)


def test_deleted_rows_count_nowhere(target: Target) -> None:
    """The row itself, and the row through which it is reached."""
    gone = changed("Job", 2, jobFirm=1, jobStatus=1), changed("Job", 2, "d", at=2)
    share = changed("Share", 2, shareFirm=1, shareJob=1), changed("Share", 2, "d", at=2)
    entry = changed("Entry", 1, entryJob=1, entryHours=8), changed("Entry", 1, "d", at=2)
    store(
        target,
        changed("Job", 1, jobFirm=1, jobStatus=1),
        gone,
        share,
        entry,
        changed("Entry", 2, entryJob=2, entryHours=9),
        changed("Entry", 3, entryJob=1, entryHours=2),
        changed("Share", 3, shareFirm=1, shareJob=2),
    )
    found = values(target, "1")["1"]
    assert (found["Open Jobs"], found["Hours"], found["Shared Jobs"]) == (1, 2, 0)


def test_a_value_that_was_never_sent_leaves_its_lines_out(target: Target) -> None:
    """Of its root alone: a total that lacks one of its rows is not that total."""
    store(
        target,
        changed("Job", 1, jobFirm=1, without=("jobStatus",)),
        changed("Job", 2, jobFirm=2, jobStatus=1),
        changed("Entry", 1, entryJob=1, entryHours=1, without=("entryAmount",)),
        changed("Entry", 2, entryJob=2, entryHours=1, without=("entryVoid", "entryNotes")),
        changed("Share", 1, shareFirm=1, without=("shareJob",)),
        changed("Share", 2, shareFirm=2, shareJob=1),
    )
    found = values(target, "1", "2", "3")
    assert found["1"] == {"Newest Job": None, "Hours": 1}
    assert found["2"] == {"Open Jobs": 1, "Newest Job": None, "Hours": 1}
    assert found["3"] == NOTHING


def test_a_row_that_came_back_without_its_reference_leaves_lines_of_its_old_root_out(
    target: Target,
) -> None:
    """Nobody knows whether it is there still."""
    came = (changed("Entry", 1, "d", at=2), changed("Entry", 1, at=3, without=("entryJob",)))
    store(
        target,
        changed("Job", 1, jobFirm=1),
        (changed("Entry", 1, entryJob=1, entryHours=5), *came),
        (
            changed("Share", 1, shareFirm=1, shareJob=1),
            changed("Share", 1, "d", at=2),
            changed("Share", 1, at=3, shareJob=1, without=("shareFirm",)),
        ),
    )
    assert values(target, "1")["1"].keys() == {"Open Jobs", "Newest Job"}


def test_a_column_whose_name_begins_like_an_unknown_one_is_known(target: Target) -> None:
    """The names of unknown columns are compared whole."""
    store(target, changed("Job", 1, jobFirm=1, jobStatus=1, without=("jobStatusNote",)))
    assert values(target, "1")["1"] == {**NOTHING, "Open Jobs": 1}


def test_conditions_name_several_columns_and_null(target: Target) -> None:
    """All of them hold; null is one of the values that can be named."""
    lines = (
        Aggregate(
            "Hours",
            Function.COUNT,
            TO_JOBS,
            where=(Where("jobStatus", (None,)), Where("jobStatusNote", ("a", "b"))),
        ),
    )
    store(
        target,
        changed("Job", 1, jobFirm=1, jobStatusNote="a"),
        changed("Job", 2, jobFirm=1, jobStatusNote="b", jobStatus=1),
        changed("Job", 3, jobFirm=1, jobStatusNote="c"),
        changed("Job", 4, jobFirm=1, jobStatusNote="b"),
    )
    assert values(target, "1", lines=lines) == {"1": {"Hours": 2}}


def test_rows_along_each_way_are_computed_for_many_roots_at_once(target: Target) -> None:
    """More roots than one statement takes."""
    keys = [str(key) for key in range(1, 5_201)]
    store(
        target,
        changed("Job", 1, jobFirm=1, jobStatus=1),
        changed("Job", 2, jobFirm=5_200, jobStatus=1),
    )
    found = values(target, *keys)
    assert found.keys() == set(keys)
    assert [key for key in keys if found[key]["Open Jobs"]] == ["1", "5200"]
    assert {line.along for line in LINES} == {TO_JOBS, TO_ENTRIES, TO_SHARED}


def person(key: str, name: str | None, rate: str = "1.5", firm: str = "f-1") -> TargetRow:
    return TargetRow("Staff", (firm, key), {"Name": name, "Rate": Decimal(rate)})


def made(target: Target, *rows: TargetRow, firm: str = "f-1") -> RowCounts:
    with target.transaction() as transaction:
        transaction.create_missing("Totals", [{"Firm ID": firm}])
        return transaction.replace_children("Staff", {firm: rows})


def held(target: Target, *rows: TargetRow) -> bool:
    """Are these the values that rows of the target hold:
    then writing them again changes nothing.
    """
    with target.transaction() as transaction:
        return transaction.upsert("Staff", rows) == RowCounts(unchanged=len(rows))


def test_child_rows_are_created_changed_and_removed_and_told_apart(target: Target) -> None:
    """What holds its values already is not written."""
    ann, bob = person("p-1", "Ann"), person("p-2", "Bob")
    assert made(target, ann, bob) == RowCounts(created=2)
    assert made(target, ann, bob) == RowCounts(unchanged=2)
    assert made(target, ann, person("p-2", None, "2.25")) == RowCounts(changed=1, unchanged=1)
    assert held(target, ann, person("p-2", None, "2.2500"))
    assert made(target, bob) == RowCounts(changed=2)
    assert held(target, bob)
    assert made(target, ann) == RowCounts(created=1, changed=1)


def test_a_child_row_that_others_made_keeps_its_values(target: Target) -> None:
    """Not ours to change, and not ours to remove; one of ours that somebody removed comes again."""
    theirs, wanted = person("p-1", "theirs"), person("p-1", "ours")
    with target.transaction() as transaction:
        transaction.create_missing("Totals", [{"Firm ID": "f-1"}])
        transaction.upsert("Staff", [theirs])
    assert made(target, wanted, person("p-2", "Bob")) == RowCounts(created=1, unchanged=1)
    assert held(target, theirs)
    assert made(target) == RowCounts(changed=1)
    assert held(target, theirs)


def test_a_child_row_may_leave_a_column_as_it_is(target: Target) -> None:
    """Rows with different columns are written together; what is prefilled stays afterwards."""
    made(target, person("p-1", "Ann"), person("p-2", "Bob"))
    some = (
        TargetRow("Staff", ("f-1", "p-1"), {"Name": "Eve"}),
        TargetRow("Staff", ("f-1", "p-2"), {}),
        TargetRow("Staff", ("f-1", "p-3"), {"Name": "Dan"}, {"Rate": Decimal(7)}),
    )
    assert made(target, *some) == RowCounts(created=1, changed=1, unchanged=1)
    assert held(target, person("p-1", "Eve"), person("p-2", "Bob"), person("p-3", "Dan", "7"))


def test_child_rows_of_several_parents_are_each_their_own(target: Target) -> None:
    """A parent that is not given keeps its rows."""
    made(target, person("p-1", "Ann"))
    other = person("p-1", "Other", firm="f-2")
    assert made(target, other, firm="f-2") == RowCounts(created=1)
    assert made(target, firm="f-2") == RowCounts(changed=1)
    assert held(target, person("p-1", "Ann"))


# -- conditions on rows that are referred to -------------------------------------------------------


def entry(key: int, invoice: int | None, amount: str = "1.5") -> Event:
    return changed(
        "Entry", key, entryJob=1, entryAmount=Decimal(amount), entryInvoice=invoice, entryVoid=False
    )


def test_a_condition_may_be_on_a_row_that_is_referred_to(target: Target) -> None:
    """Its opposite holds for rows that refer to another one, to none, or to one that is not there;
    a deleted one is not there.
    """
    store(
        target,
        changed("Job", 1, jobFirm=1),
        changed("Invoice", 1, invoiceStatus=FINAL),
        changed("Invoice", 2, invoiceStatus=1),
        changed("Invoice", 3, invoiceStatus=None),
        (changed("Invoice", 4, invoiceStatus=FINAL), changed("Invoice", 4, "d", at=2)),
        *(entry(key, invoice) for key, invoice in enumerate((1, 1, 2, 3, 4, 99, None))),
    )
    found = values(target, "1", "2", lines=CONDITIONED)
    assert [found["1"][name] for name in ("Invoiced", "Not Invoiced")] == [
        Decimal("3.0"),
        Decimal("7.5"),
    ]
    assert [found["2"][name] for name in ("Invoiced", "Not Invoiced")] == [Decimal(0), Decimal(0)]


def test_such_conditions_hold_for_rows_that_are_looked_up_too(target: Target) -> None:
    """A blank may be one of the values: that of a row that is there, not of one that is not."""
    store(
        target,
        changed("Person", 1, personName="n"),
        changed("Person", 2, personName="m"),
        changed("Person", 3, personName=None),
        *(
            changed("Job", key, jobFirm=1, jobStatus=1, jobLead=lead)
            for key, lead in enumerate((1, 2, 3, 4, None), 1)
        ),
        *(changed("Share", key, shareFirm=2, shareJob=key) for key in range(1, 6)),
    )
    found = values(target, "1", "2", lines=CONDITIONED)
    assert (found["1"]["Led Jobs"], found["2"]["Led Jobs"]) == (2, 0)
    assert (found["1"]["Shared Led Jobs"], found["2"]["Shared Led Jobs"]) == (0, 2)


def test_a_condition_on_a_value_that_was_never_sent_leaves_its_lines_out(target: Target) -> None:
    """Of the row that is referred to, or of the reference; of others' rows nothing is asked."""
    store(
        target,
        changed("Job", 1, jobFirm=1),
        changed("Job", 2, jobFirm=2),
        changed("Invoice", 1, without=("invoiceStatus",)),
        changed("Invoice", 2, without=("invoiceNotes",), invoiceStatus=FINAL),
        entry(1, 1),
        changed("Entry", 2, entryJob=2, entryAmount=Decimal(2), entryInvoice=2),
    )
    found = values(target, "1", "2", lines=CONDITIONED)
    assert found["1"].keys() == {"Led Jobs", "Shared Led Jobs"}
    assert found["2"]["Invoiced"] == Decimal(2)
    store(target, changed("Entry", 3, entryJob=2, without=("entryInvoice",)))
    assert "Invoiced" not in values(target, "2", lines=CONDITIONED)["2"]


# -- a value for each group of rows ----------------------------------------------------------------


def hours(key: int, person: int | None, role: str | None, spent: int, **others: Value) -> Event:
    columns: dict[str, Value] = {"entryJob": 1, "entryVoid": False, **others}
    columns |= {"entryPerson": person, "entryRole": role, "entryHours": spent}
    return changed("Entry", key, "u", at=1, without=(), **columns)


def groups(target: Target, *keys: str) -> dict[str, dict[str, Groups]]:
    with target.transaction() as transaction:
        return transaction.grouped([TEAM, LEADS], keys)


def test_rows_are_grouped_by_what_they_hold_and_each_group_has_its_values(target: Target) -> None:
    """Also where the rows of a group come by several ways. A group without a row that counts, and
    rows that lack a part of the group's key, are none.
    """
    january, june = date(2026, 1, 1), date(2025, 6, 30)
    store(
        target,
        changed("Job", 1, jobFirm=1),
        changed("Job", 2, jobFirm=1),
        hours(1, 1, "r", 3, entryDay=january),
        hours(2, 1, "r", 4, entryJob=2, entryDay=june),
        hours(3, 1, "R", 5),
        hours(4, 2, "r", 6, entryVoid=True),
        (hours(5, 3, "r", 7), changed("Entry", 5, "d", at=2)),
        hours(6, None, "r", 8),
        hours(7, 1, None, 9),
    )
    assert groups(target, "1", "2") == {
        "1": {
            "team": {
                (1, "r"): {"Hours": 7, "First Day": june},
                (1, "R"): {"Hours": 5, "First Day": None},
            },
            "leads": {},
        },
        "2": {"team": {}, "leads": {}},
    }


def test_rows_that_are_looked_up_are_grouped_too(target: Target) -> None:
    """A line of a group has conditions of its own: a count of none is 0."""
    store(
        target,
        changed("Job", 1, jobLead=5, jobStatus=1),
        changed("Job", 2, jobLead=5, jobStatus=9),
        changed("Job", 3, jobLead=6, jobStatus=9),
        changed("Job", 4, jobLead=None, jobStatus=1),
        *(changed("Share", key, shareFirm=1, shareJob=key) for key in range(1, 5)),
    )
    assert groups(target, "1")["1"]["leads"] == {(5,): {"Open": 1}, (6,): {"Open": 0}}


@pytest.mark.parametrize("lacking", ["entryRole", "entryHours", "entryVoid"])
def test_groups_of_which_a_row_lacks_a_value_are_left_out(target: Target, lacking: str) -> None:
    """All of them: the row may belong to any."""
    row: dict[str, Value] = {"entryRole": "r", "entryHours": 1, "entryVoid": False}
    del row[lacking]
    store(
        target,
        changed("Job", 1, jobFirm=1),
        hours(1, 1, "r", 3),
        changed("Entry", 2, "u", at=1, without=(lacking,), entryJob=1, entryPerson=2, **row),
    )
    assert groups(target, "1")["1"].keys() == {"leads"}
