"""Where a replay sets a partition: back, never forward, and it says what retention has deleted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.position import TopicPartition
from pipeline.operations.replay import (
    ResolvedOffset,
    asked_offset,
    start_of,
    step,
)

ONE = TopicPartition("ajera.AxVec", 0)


def test_a_partition_starts_at_the_smaller_of_both_offsets_or_at_the_one_there_is() -> None:
    """Kafka forgets the offsets of a group that rested for a week; `sync` does not."""
    assert start_of(ONE, ({ONE: 7}, {ONE: 9})) == 7
    assert start_of(ONE, ({ONE: 9}, {ONE: 7})) == 7
    assert start_of(ONE, ({ONE: 9}, {})) == 9
    assert start_of(ONE, ({}, {ONE: 9})) == 9
    assert start_of(ONE, ({}, {})) == 0


@given(
    low=st.integers(0, 50),
    size=st.integers(0, 50),
    start=st.integers(0, 120),
    asked=st.integers(0, 120),
)
def test_a_replay_stays_within_the_partition_and_never_goes_forward(
    low: int, size: int, start: int, asked: int
) -> None:
    """Whatever was asked for, and wherever the group stands."""
    found = step(ONE, (low, low + size), start, asked_offset(asked, low))
    assert low <= found.to_offset <= found.from_offset <= low + size
    assert found.again == found.from_offset - found.to_offset
    assert found.lost == max(low - asked, 0)


def test_what_retention_deleted_of_an_offset_is_known_exactly() -> None:
    """The offsets from the one asked for up to the oldest message."""
    found = step(ONE, (40, 100), 90, asked_offset(10, 40))
    assert (found.to_offset, found.again) == (40, 50)
    assert (found.lost, found.lost_from, found.lost_is_exact) == (
        30,
        10,
        True,
    )


def test_what_retention_deleted_of_a_time_is_known_as_a_bound() -> None:
    """The deleted messages' times went with them."""
    found = step(
        ONE,
        (40, 100),
        90,
        ResolvedOffset(40, lost_from=0, lost_is_exact=False),
    )
    assert (found.again, found.lost, found.lost_is_exact) == (50, 40, False)
