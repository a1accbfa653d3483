"""Rows of one name find their counterparts by further marks, the same ones whichever side asks."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.conflicts.namesakes import Marks, told_apart

MARKS = st.dictionaries(st.sampled_from(["city", "email", "phone"]), st.sampled_from("abc"))
GROUPS = st.lists(MARKS, max_size=5)


def group(prefix: str, rows: list[Marks]) -> dict[str, Marks]:
    return {f"{prefix}{number}": marks for number, marks in enumerate(rows)}


def test_the_one_that_agrees_is_the_counterpart() -> None:
    """A mark that only one side has tells nothing."""
    found = told_apart(
        {"A": {"city": "oslo"}},
        {"1": {"city": "oslo"}, "2": {"city": "bergen"}, "3": {}},
    )
    assert found == {"A": "1"}
    assert told_apart({"A": {"city": "oslo"}}, {"1": {}, "2": {"email": "oslo"}}) == {}


def test_the_one_that_agrees_in_more_is_the_counterpart() -> None:
    """Two offices in one town, and one of them has the e-mail too."""
    offices = {
        "1": {"city": "oslo", "email": "a"},
        "2": {"city": "oslo", "email": "b"},
    }
    assert told_apart({"A": {"city": "oslo", "email": "a"}}, offices) == {"A": "1"}
    assert told_apart({"A": {"city": "oslo"}}, offices) == {}


def test_marks_that_contradict_each_other_decide_nothing() -> None:
    """One row has the town, another the e-mail."""
    assert (
        told_apart(
            {"A": {"city": "oslo", "email": "a"}},
            {"1": {"city": "oslo"}, "2": {"email": "a"}},
        )
        == {}
    )


def test_who_is_found_by_another_row_is_not_taken_from_it() -> None:
    """Both in Ajera are in the town, and both agree with the one in DPS: a person decides."""
    assert (
        told_apart(
            {"A": {"city": "oslo"}, "B": {"city": "oslo"}},
            {"1": {"city": "oslo"}},
        )
        == {}
    )
    both = {"A": {"city": "oslo", "email": "a"}, "B": {"city": "oslo"}}
    assert told_apart(both, {"1": {"city": "oslo", "email": "a"}, "2": {"city": "oslo"}}) == {
        "A": "1",
        "B": "2",
    }


@settings(max_examples=300, deadline=None)
@given(one=GROUPS, other=GROUPS, data=st.data())
def test_both_sides_find_the_same_pairs_in_any_order(
    one: list[Marks], other: list[Marks], data: st.DataObject
) -> None:
    """Nor does it matter which pairs were linked before: what is left finds the rest."""
    left, right = group("A", one), group("D", other)
    found = told_apart(left, right)
    assert {ours: theirs for theirs, ours in told_apart(right, left).items()} == found
    assert len(set(found.values())) == len(found)
    shuffled = dict(data.draw(st.permutations(list(left.items()))))
    assert told_apart(shuffled, dict(data.draw(st.permutations(list(right.items()))))) == found
    linked = {key: found[key] for key in found if data.draw(st.booleans())}
    rest = told_apart(
        {key: marks for key, marks in left.items() if key not in linked},
        {key: marks for key, marks in right.items() if key not in linked.values()},
    )
    assert linked | rest == found
