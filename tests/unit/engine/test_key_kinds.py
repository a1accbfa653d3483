"""Keys that are text, or have several columns: of roots, of what belongs to them, of what they look
up.
"""

from __future__ import annotations

import random

import pytest

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.model.event import Event, Row
from tests.support.engine import Consumer, ready
from tests.support.events import event
from tests.support.sheets import SHEETS_ROUTE, changed
from tests.twins.target import MemoryTarget

ODD = "A|B%7C-5"  # what a text of several values would take for its own signs
HISTORY = (
    changed("Office", "NO", 7, at=1, officeName="Oslo"),
    changed("Office", "NO", 70, at=2, officeName="Hamar"),
    changed("Person", ODD, at=3, personName="Eva", officeLand="NO", officeNumber=7),
    changed("Person", "5", at=4, personName="Ola", officeLand="NO", officeNumber=70),
    changed("Sheet", ODD, 10, at=5),
    changed("Sheet", ODD, 9, at=6),
    changed("Sheet", "5", 9, at=7),
    changed("Entry", ODD, 9, 10, at=8, note="c"),
    changed("Entry", ODD, 9, 2, at=9, note="b"),
    changed("Entry", ODD, 9, 1, at=10, note="a"),
    changed("Entry", "5", 9, 1, at=11, note="x"),
    changed("Office", "NO", 7, at=12, officeName="Oslo S"),
    changed("Person", "5", at=13, personName="Ole", officeLand="NO", officeNumber=7),
    changed("Entry", ODD, 9, 2, at=14, operation="d"),
)
PEOPLE = [
    {"Person ID": "5", "Name": "Ole", "Office": "Oslo S", "Weeks": "9", "Entries": 1},
    {"Person ID": ODD, "Name": "Eva", "Office": "Oslo S", "Weeks": "9,10", "Entries": 2},
]
SHEETS = [
    {"Sheet ID": "5/9", "Person ID": "5", "Name": "Ole", "Notes": "x"},
    {"Sheet ID": f"{ODD}/10", "Person ID": ODD, "Name": "Eva", "Notes": None},
    {"Sheet ID": f"{ODD}/9", "Person ID": ODD, "Name": "Eva", "Notes": "a,c"},
]


def fed(*batches: list[Event]) -> tuple[MemoryTarget, Consumer]:
    """A target that was fed with these batches, every table being loaded."""
    target = ready(MemoryTarget(SHEETS_ROUTE))
    consumer = Consumer(target, [one for batch in batches for one in batch], route=SHEETS_ROUTE)
    for batch in batches:
        consumer.take(batch)
    consumer.drain()
    return target, consumer


def by_key(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: str(next(iter(row.values()))))


def test_text_and_composite_keys_lead_to_what_belongs_to_a_row_and_what_it_looks_up() -> None:
    """Children come in the order of their numbers: 9 before 10."""
    target, consumer = fed([*HISTORY])
    assert by_key(target.rows("People")) == PEOPLE
    assert by_key(target.rows("Sheets")) == SHEETS
    assert consumer.letters.sent == []


@pytest.mark.parametrize("seed", range(25))
def test_in_whatever_order_tables_are_read_and_batches_are_cut_the_rows_are_the_same(
    seed: int,
) -> None:
    """Each table keeps its own order, as its partition does."""
    dice = random.Random(seed)
    left = {
        table.name: [one for one in HISTORY if one.table == table.name]
        for table in SHEETS_ROUTE.sources
    }
    batches: list[list[Event]] = [[]]
    while any(left.values()):
        batches[-1].append(left[dice.choice([name for name in left if left[name]])].pop(0))
        if dice.random() < 0.4:
            batches.append([])
    target, _ = fed(*[batch for batch in batches if batch])
    assert by_key(target.rows("People")) == PEOPLE
    assert by_key(target.rows("Sheets")) == SHEETS


def test_a_row_waits_for_the_row_of_a_text_key_that_it_refers_to() -> None:
    """It is written when that has come."""
    sheet, person = changed("Sheet", ODD, 1, at=1), changed("Person", ODD, at=2, personName="Eva")
    target, consumer = fed([sheet])
    assert consumer.telemetry.ended == {("parked", "waiting"): 1}
    later = Consumer(target, [person], route=SHEETS_ROUTE)
    later.take([person])
    assert [row["Person ID"] for row in target.rows("Sheets")] == [ODD]


def test_entries_of_a_composite_root_that_has_not_come_are_waited_for_with_it() -> None:
    """The entry's own columns name its sheet."""
    target, consumer = fed([changed("Entry", ODD, 1, 1, at=1, note="a")])
    assert consumer.telemetry.ended == {("parked", "waiting"): 1}
    with target.transaction() as transaction:
        assert transaction.waiting_count() == 1


@pytest.mark.parametrize(("land", "number"), [(None, 7), ("NO", None), (None, None)])
def test_a_reference_of_several_columns_names_nothing_while_one_is_null(
    land: str | None, number: int | None
) -> None:
    """The look-up is blank, and nothing is waited for."""
    person = changed("Person", "5", at=1, officeLand=land, officeNumber=number)
    target, consumer = fed([person])
    assert [row["Office"] for row in target.rows("People")] == [None]
    assert consumer.telemetry.ended == {("written", ""): 1}
    with target.transaction() as transaction:
        (row,) = transaction.rows_by_key("Person", ["5"])
    assert row.values["office"] is None


def test_a_text_key_that_differs_in_a_blank_or_in_case_is_another_row() -> None:
    """Keys compare by their characters."""
    people = [
        changed("Person", code, at=at, personName=code)
        for at, code in enumerate(("a", "A", " a"), 1)
    ]
    target, _ = fed(people, [changed("Sheet", "A", 1, at=4)])
    weeks = {row["Person ID"]: row["Weeks"] for row in target.rows("People")}
    assert weeks == {"a": None, "A": "1", " a": None}


def test_a_reference_that_names_no_row_leads_to_no_row_that_is_waited_for() -> None:
    """An invoice group without a project (0) whose client is renamed."""
    events = [
        event("AxVec", 5, at=1, vecIsClient=True, vecDescription="Hill"),
        event("AxInvoiceGroup", 1, at=2, igProject=0, igClient=5),
        event("AxVec", 5, at=3, vecIsClient=True, vecDescription="Dale"),
    ]
    target = ready(MemoryTarget(AJERA_TO_PIM))
    consumer = Consumer(target, events)
    for one in events:
        consumer.take([one])
    with target.transaction() as transaction:
        assert transaction.waiting_count() == 0
