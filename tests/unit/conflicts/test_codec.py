"""A link as JSON: nothing is lost on the way."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.conflicts.codec import dump, load
from pipeline.conflicts.line_values import dump_value, load_value
from pipeline.conflicts.link import (
    Desired,
    Link,
    LinkSide,
    Obstacle,
    Parked,
    Pending,
    Seen,
    State,
)
from pipeline.conflicts.rules import Side
from pipeline.model.event import Value
from pipeline.model.position import TopicOffset

OFFSET = timezone(timedelta(hours=-5))
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.text(),
    st.decimals(allow_nan=False),
    st.dates(),
    st.datetimes(timezones=st.sampled_from([UTC, OFFSET])),
)


@given(VALUES)
def test_any_value_returns_with_its_type(value: Value) -> None:
    """1, 1.0 and true are three things; 1.50 keeps its zero, a time its offset."""
    found = load_value(dump_value(value))
    assert (type(found), str(found)) == (type(value), str(value))


def test_a_link_with_everything_in_it_returns_equal() -> None:
    """Each field, filled."""
    at = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=OFFSET)
    values: dict[str, Value] = {
        "a": Decimal("1.50"),
        "b": None,
        "c": True,
        "d": 1,
        "e": "Ж",
        "f": date(2026, 1, 2),
        "g": at,
    }
    pending = Pending(
        3,
        values,
        {"a": None},
        at,
        is_open=False,
        after="00ff",
        creates=True,
    )
    link_side = LinkSide(
        "AxVec",
        None,
        Seen("0001", TopicOffset(1, 2, 3), 4, at),
        values,
        values,
        {"a": at},
        frozenset({"a", "b"}),
        (pending,),
        {"a": Desired(Decimal(1), at, is_decided=True)},
    )
    link = Link(
        "L1",
        "firm",
        link_side,
        LinkSide("Clendor", "7"),
        State.ENDED,
        version=5,
        number=6,
        parked={"z": Parked("a", None, at, "first_link")},
        coincident=frozenset({"n"}),
        obstacle=Obstacle.KEY_TAKEN,
        ended_at=at,
        ended_by=Side.DPS,
        both_gone=True,
        of="L0",
        counts_for="F",
    )
    assert load(dump(link)) == link
    assert repr(load(dump(link))) == repr(link)


@given(
    st.dictionaries(st.sampled_from("abcd"), VALUES),
    st.dictionaries(st.sampled_from("abcd"), VALUES),
)
def test_what_the_log_showed_returns_as_it_was(
    value: dict[str, Value], observed: dict[str, Value]
) -> None:
    """Whatever of it the side holds too; a line that the log did not show stays unknown."""
    link_side = LinkSide("AxVec", "7", value=value, observed=observed)
    found = load(dump(Link("L1", "firm", link_side, LinkSide("Clendor", "7"), State.LINKED))).ajera
    for returned, given_values in (
        (found.observed, observed),
        (found.value, value),
    ):
        assert returned == given_values
        assert {n: (type(v), str(v)) for n, v in returned.items()} == {
            n: (type(v), str(v)) for n, v in given_values.items()
        }


@pytest.mark.parametrize("found", [{"decimal": 1}, {"other": "1"}, [1], 1.5])
def test_what_no_value_can_be_is_refused(found: object) -> None:
    """A text that we did not write is an error, not a guess."""
    with pytest.raises(ValueError, match="not a value"):
        load_value(json.dumps(found))


def test_the_text_of_a_link_shows_no_value_in_a_log() -> None:
    """repr leaves out what people typed."""
    assert "Zoe" not in repr(LinkSide("AxVec", "7", value={"name": "Zoe"}))
