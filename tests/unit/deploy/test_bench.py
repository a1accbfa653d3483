"""What the benchmark says of a group."""

from __future__ import annotations

from pipeline.model.position import TopicPartition
from tests.bench.waiting import split


def test_the_split_of_a_topic_counts_every_member_also_one_without_a_partition() -> None:
    """Four to nothing is what the figure is there to show."""
    busy, other = "ajera.AxVec", "ajera.AxProject"
    of_busy = {TopicPartition(busy, number): "first" for number in range(4)}
    assert split(of_busy | {TopicPartition(other, 0): "second"}, busy) == "4 : 0"
    shared = {TopicPartition(busy, number): ("first", "second")[number % 2] for number in range(4)}
    assert split(shared, busy) == "2 : 2"
