"""Ledger, marks and references with keys that are text, or have several columns: alike in memory
and in a database.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import pytest
import sqlalchemy as sa

from pipeline.database.state.schema import sync_metadata
from pipeline.database.systems.live import create_target_tables
from pipeline.database.target import DatabaseTarget
from pipeline.engine.consumer.ports import Target
from pipeline.engine.projection import guard
from pipeline.model.event import Event, Row
from pipeline.model.ledger import LedgerRow, Mark
from tests.contracts.conftest import SQL_SERVER
from tests.support.engine import Consumer, topic_of
from tests.support.events import NOON
from tests.support.sheets import SHEETS_ROUTE, SITE, changed
from tests.twins.target import MemoryTarget
from tests.unit.engine.test_key_kinds import HISTORY, PEOPLE, SHEETS, by_key

KINDS = (
    pytest.param("memory"),
    pytest.param("postgres", marks=pytest.mark.postgres),
    pytest.param("sqlserver", marks=pytest.mark.sqlserver),
)
# Signs of our own text form, of SQL, of JSON; letters of several alphabets; as long as one can be.
CODES = ("5", "a", "A", "å", "A|B%7C", "O'Hara", 'say "so"', "back\\slash", "日本", "x" * 440)


@dataclass
class Subject:
    """A target under test, and what one of its tables holds."""

    target: Target
    rows: Callable[[str], list[Row]]


@pytest.fixture(params=KINDS)
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    """An empty target of the route of sheets, in each kind of database."""
    if request.param == "memory":
        twin = MemoryTarget(SHEETS_ROUTE)
        yield Subject(twin, twin.rows)
        return
    if request.param == "sqlserver" and not os.environ.get(SQL_SERVER):
        pytest.skip(f"{SQL_SERVER} is not set: no SQL Server to hold to the contract")
    engine: sa.Engine = request.getfixturevalue(f"{request.param}_engine")
    schema = f"sheets_{uuid.uuid4().hex[:8]}"
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(schema))
    sync_metadata(schema, SHEETS_ROUTE.sources).create_all(engine)
    create_target_tables(engine, SHEETS_ROUTE, SITE, schema)

    def rows(table: str) -> list[Row]:
        described = sa.Table(table, sa.MetaData(schema=schema), autoload_with=engine)
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(sa.select(described)).mappings()]

    yield Subject(DatabaseTarget(engine, SHEETS_ROUTE, SITE, schema, schema), rows)


@pytest.fixture
def target(subject: Subject) -> Target:
    return subject.target


def ledger_row(event: Event) -> LedgerRow:
    return guard.apply(SHEETS_ROUTE.source(event.table), SITE, None, event)


def stored(target: Target, *events: Event) -> None:
    with target.transaction() as transaction:
        for table in dict.fromkeys(event.table for event in events):
            rows = [ledger_row(event) for event in events if event.table == table]
            transaction.write_rows(rows)


def test_rows_are_found_locked_and_changed_by_the_text_of_their_keys(target: Target) -> None:
    """Each by its own, and none by one that is like it."""
    events = [changed("Sheet", code, 3, at=1) for code in CODES]
    stored(target, *events)
    keys = [event.key for event in events]
    with target.transaction() as transaction:
        locked = transaction.lock_rows("Sheet", [*keys, "none|3"])
        assert sorted(locked) == sorted(keys)
        transaction.write_rows([row for _, row in sorted(locked.items())])
    with target.transaction() as transaction:
        for event in events:
            (found,) = transaction.rows_by_key("Sheet", [event.key])
            assert (found.key, found.values, found.revision) == (event.key, event.row, 2)


def test_rows_are_found_by_the_key_that_their_references_hold(target: Target) -> None:
    """A reference of one text column, and one of several columns."""
    sheets = [changed("Sheet", code, 3, at=1) for code in CODES]
    entries = [changed("Entry", code, 3, 1, at=1) for code in CODES[:-1]]
    stored(target, *sheets, *entries)
    with target.transaction() as transaction:
        for code in CODES:
            key = SHEETS_ROUTE.source("Person").as_reference(code)
            (sheet,) = transaction.rows_where("Sheet", "person", [key])
            assert sheet.values["person"] == code
        for entry, of in zip(entries, sheets, strict=False):
            key = SHEETS_ROUTE.source("Sheet").as_reference(of.key)
            (found,) = transaction.rows_where("Entry", "sheet", [key, None])
            assert found.key == entry.key


def test_marks_of_text_keys_are_set_read_and_cleared(target: Target) -> None:
    """A mark's key is the row's."""
    marks = [Mark("Sheet", f"{code}|3", 1) for code in CODES]
    with target.transaction() as transaction:
        transaction.mark(marks, NOON)
        assert sorted(transaction.marks_of((one.kind, one.key) for one in marks)) == sorted(marks)
        transaction.clear(marks[1:])
        assert transaction.marks_of((one.kind, one.key) for one in marks) == marks[:1]


def test_a_table_of_text_keys_is_marked_and_swept_from_end_to_end(target: Target) -> None:
    """Page by page, in the order of the database's own comparison."""
    events = [changed("Office", code, 3, at=1) for code in CODES]
    stored(target, *events)
    with target.transaction() as transaction:
        assert transaction.mark_table("Office", 7, NOON) == len(CODES)
    swept: set[str] = set()
    while True:
        with target.transaction() as transaction:
            rows = transaction.unseen("Office", 2, 3)
            transaction.write_rows([guard.swept(row, 2) for row in rows])
        if not rows:
            break
        swept |= {row.key for row in rows}
    assert swept == {event.key for event in events}


@pytest.mark.parametrize("cut", [(0, 14), tuple(range(15)), (0, 7, 14)])
def test_the_engine_gives_the_same_rows_on_each_target(
    subject: Subject, cut: tuple[int, ...]
) -> None:
    """From roots to child rows, look-ups, and target rows that wait for each other."""
    with subject.target.transaction() as transaction:
        for source in SHEETS_ROUTE.sources:
            transaction.set_load_ends(topic_of(source.name), source.name, 1, {0: 0})
            transaction.set_loaded(source.name, 1)
    consumer = Consumer(subject.target, HISTORY, route=SHEETS_ROUTE)
    for first, last in pairwise(cut):
        consumer.take(HISTORY[first:last])
    consumer.drain()
    assert by_key(subject.rows("People")) == PEOPLE
    assert by_key(subject.rows("Sheets")) == SHEETS
