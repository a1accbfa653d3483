"""Values of the target in one form, whoever gives them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from pipeline.mapping.observed import Written, as_text
from pipeline.mapping.source import ColumnType
from pipeline.model.event import Row, Value
from tests.support.tabs import OBSERVED, PROJECT, TEAM

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "alike"),
    [
        (ColumnType.DECIMAL, (Decimal("1.50"), Decimal("1.5"), Decimal("1.5000"))),
        (ColumnType.DECIMAL, (Decimal("100"), Decimal("1E+2"), 100)),
        (ColumnType.DECIMAL, (Decimal("0.00"), Decimal("-0"), 0)),
        (ColumnType.INTEGER, (5, Decimal("5.0"))),
        (ColumnType.DATE, (date(2026, 11, 27), NOON, NOON.replace(tzinfo=None))),
        (
            ColumnType.INSTANT,
            (NOON, NOON.replace(tzinfo=None), NOON.astimezone(timezone(timedelta(hours=5)))),
        ),
        (ColumnType.TEXT, ("x ", "x ")),
        (ColumnType.FLAG, (True, True)),
        (ColumnType.TEXT, (None, None)),
    ],
)
def test_a_value_has_one_text_in_whatever_form_it_comes(
    kind: ColumnType, alike: tuple[Value, ...]
) -> None:
    """From a database, from an event, from us."""
    assert len({as_text(kind, one) for one in alike}) == 1


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (ColumnType.TEXT, "x", "x "),
        (ColumnType.TEXT, "", None),
        (ColumnType.DECIMAL, Decimal("1.50"), Decimal("1.5001")),
        (ColumnType.INSTANT, NOON, NOON + timedelta(microseconds=1)),
        (ColumnType.FLAG, True, False),
    ],
)
def test_different_values_have_different_texts(kind: ColumnType, one: Value, other: Value) -> None:
    """A blank at the end is a difference, and null is no empty text."""
    assert as_text(kind, one) != as_text(kind, other)


def test_a_row_differs_in_the_columns_that_it_has_and_that_were_written() -> None:
    """A long text that an update left unchanged is not in an event."""
    last = Written(("AxProject", "1"), {"AjeraName": "Hill", "AjeraGroups": "1"})
    row: Row = {"AjeraName": "Hill", "AjeraGroups": 1, "Memo": "theirs"}
    assert last.differing(PROJECT, row) == frozenset()
    assert last.differing(PROJECT, {"AjeraName": "x", "AjeraGroups": None}) == {
        "AjeraName",
        "AjeraGroups",
    }
    assert last.differing(PROJECT, {"AjeraGroups": 1}) == frozenset()
    columns = tuple(one for one in PROJECT.columns if one.name != "AjeraName")
    switched_off = replace(PROJECT, columns=columns)
    assert last.differing(switched_off, {"AjeraName": "x", "AjeraGroups": 2}) == {"AjeraGroups"}


def test_an_event_names_a_row_of_ours_by_its_key_or_its_id() -> None:
    """A phase is none; blanks are compared as SQL Server does."""
    projects, team = OBSERVED
    assert projects.row_key(PROJECT, "P-1| | ") == "P-1"
    assert projects.row_key(PROJECT, "P%7C1||") == "P|1"
    assert projects.row_key(PROJECT, "P-1|1| ") is None
    assert team.row_key(TEAM, "0123") == "0123"
