"""Places, positions and counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.outcome import RowCounts
from pipeline.model.position import (
    NOWHERE,
    TopicOffset,
    postgres_position,
    sqlserver_position,
)

EPOCHS = st.integers(0, (1 << 32) - 1)
LSNS = st.integers(0, (1 << 64) - 1)
PARTS = st.tuples(
    st.integers(0, (1 << 32) - 1),
    st.integers(0, (1 << 32) - 1),
    st.integers(0, (1 << 16) - 1),
)


def lsn(parts: tuple[int, int, int]) -> str:
    return f"{parts[0]:08x}:{parts[1]:08x}:{parts[2]:04x}"


@given(one=st.tuples(EPOCHS, LSNS, LSNS), other=st.tuples(EPOCHS, LSNS, LSNS))
def test_postgres_positions_compare_as_their_numbers_do(
    one: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    """Text of a fixed width under a binary collation: epoch, last commit, change."""
    texts = [
        postgres_position(epoch, f'["{commit}","{change}"]')
        for epoch, commit, change in (one, other)
    ]
    assert (texts[0] < texts[1]) is (one < other)
    assert len(texts[0]) == len(texts[1])


@given(
    one=st.tuples(EPOCHS, PARTS, PARTS, LSNS),
    other=st.tuples(EPOCHS, PARTS, PARTS, LSNS),
)
def test_sqlserver_positions_compare_as_their_numbers_do(
    one: tuple[int, tuple[int, int, int], tuple[int, int, int], int],
    other: tuple[int, tuple[int, int, int], tuple[int, int, int], int],
) -> None:
    """Epoch, commit, change, and the number of the change within its command."""
    texts = [
        sqlserver_position(epoch, lsn(commit), lsn(change), n)
        for epoch, commit, change, n in (one, other)
    ]
    assert (texts[0] < texts[1]) is (one < other)


def test_nothing_committed_yet_sorts_before_every_commit() -> None:
    """The connector sends null until it has seen a first commit."""
    assert postgres_position(1, '[null,"900"]') < postgres_position(1, '["1","2"]')


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '["1"]',
        '["1",null]',
        '["x","1"]',
        "5",
        '"]',
        '["1","2"',
        '["1","2"] ',
        '["1", "2"]',
        '["1","٣"]',
        '["1","+2"]',
        '["1","2_0"]',
        '["1",2"]',
        '["1","3","2"]',
        f'["1","{"1" * 21}"]',
        f'["1","{1 << 64}"]',
    ],
)
def test_a_sequence_of_another_form_is_refused(text: str) -> None:
    """A position that sorts nowhere would move rows backwards."""
    with pytest.raises(ValueError, match=r"."):
        postgres_position(1, text)


@pytest.mark.parametrize("text", ["", "1:2", "1:2:3:4", "x:0:0"])
def test_an_lsn_of_another_form_is_refused(text: str) -> None:
    """As for PostgreSQL."""
    with pytest.raises(ValueError, match=r"."):
        sqlserver_position(1, text, None, None)


def test_a_place_is_later_in_a_later_incarnation_or_at_a_greater_offset() -> None:
    """Whatever the partition: rows of one incarnation do not share it."""
    assert TopicOffset(2, 0, 0).is_later_than(TopicOffset(1, 0, 99))
    assert TopicOffset(1, 0, 5).is_later_than(TopicOffset(1, 0, 4))
    assert not TopicOffset(1, 0, 5).is_later_than(TopicOffset(1, 0, 5))
    assert not TopicOffset(1, 3, 5).is_later_than(TopicOffset(2, 3, 1))
    assert TopicOffset(1, 0, 0).is_later_than(NOWHERE)


def test_offsets_of_two_partitions_of_one_incarnation_do_not_compare() -> None:
    """A topic that grew moved the row: neither place is later."""
    assert not TopicOffset(1, 0, 5).is_comparable_with(TopicOffset(1, 1, 5))
    assert TopicOffset(1, 0, 5).is_comparable_with(TopicOffset(1, 0, 9))
    assert TopicOffset(1, 0, 5).is_comparable_with(TopicOffset(2, 1, 9))


def test_row_counts_add_up_by_kind() -> None:
    """Created, changed and unchanged are never mixed."""
    assert RowCounts(1, 2, 3) + RowCounts(10, 20, 30) == RowCounts(11, 22, 33)
