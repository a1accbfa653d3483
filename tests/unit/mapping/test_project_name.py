"""A project's short and long name in DPS: which of the two is compared with Ajera's description,
and which is written.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.conflicts.forms import cut, trimmed
from pipeline.domain.exchange import PROJECT_NAME
from pipeline.model.event import Row, Value

LIMIT = 40
OWN = "The Library of Oslo"  # a long name of DPS's people, of no more than forty characters
LONG, OTHER = (
    "The Harbour Hall and its Quays, Sheds and Cranes",
    "The Harbour Hall, its Quays, its Sheds and Cranes",
)
texts = st.one_of(
    st.none(),
    st.text(max_size=60),
    st.text("ab ", min_size=35, max_size=45),
)
values = texts.map(cut(255))
rows = st.fixed_dictionaries(
    {"Name": st.one_of(st.none(), st.text(max_size=40)), "LongName": texts}
)


def after(row: Row, value: Value) -> Row:
    """The row once a value was written over it."""
    return {**row, **PROJECT_NAME.write(value, row)}


@given(rows, values)
def test_what_is_written_reads_back_as_it_is(row: Row, value: Value) -> None:
    """Whatever the row held, so that our own write is never taken for an edit."""
    assert PROJECT_NAME.read(after(row, value)) == value


@given(values)
def test_a_row_that_is_created_reads_back_as_it_is(value: Value) -> None:
    """It has no long name unless that is what is compared."""
    made = PROJECT_NAME.write(value, {})
    assert PROJECT_NAME.read({"Name": None, "LongName": None, **made}) == value
    assert ("LongName" in made) is (isinstance(value, str) and len(value) > LIMIT)


@given(rows, values)
def test_a_long_name_that_is_not_compared_is_left_alone(row: Row, value: Value) -> None:
    """A name of up to forty characters is the short name."""
    if len(str(trimmed(row["LongName"]) or "")) <= LIMIT and len(str(value or "")) <= LIMIT:
        assert after(row, value)["LongName"] == row["LongName"]


def test_a_rename_leaves_dps_its_own_long_name() -> None:
    """Nobody in Ajera has seen it."""
    assert after({"Name": "Lib", "LongName": OWN}, "Lib 2") == {
        "Name": "Lib 2",
        "LongName": OWN,
    }


def test_a_long_name_that_was_compared_goes_when_the_name_becomes_short() -> None:
    """It would be read as the name otherwise, and it is nobody's own."""
    assert after({"Name": cut(LIMIT)(LONG), "LongName": LONG}, "Harbour") == {
        "Name": "Harbour",
        "LongName": None,
    }


def test_a_short_name_of_its_own_stays_beside_a_long_name() -> None:
    """The beginning of a long name follows it; a name that somebody typed does not."""
    assert after({"Name": "Harbour", "LongName": LONG}, OTHER) == {
        "Name": "Harbour",
        "LongName": OTHER,
    }
    ours = {"Name": cut(LIMIT)(LONG), "LongName": LONG}
    assert after(ours, OTHER) == {
        "Name": cut(LIMIT)(OTHER),
        "LongName": OTHER,
    }
    assert after({"Name": " ", "LongName": LONG}, OTHER)["Name"] == cut(LIMIT)(OTHER)


def test_a_short_name_that_was_compared_becomes_the_beginning_of_a_long_one() -> None:
    """It is an old name otherwise."""
    assert after({"Name": "Harbour", "LongName": None}, LONG) == {
        "Name": cut(LIMIT)(LONG),
        "LongName": LONG,
    }
