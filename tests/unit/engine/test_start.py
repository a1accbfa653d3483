"""Where a partition starts by what is stored, and topics that are not what they were."""

from __future__ import annotations

import pytest

from pipeline.engine.consumer.start import refuse_growth, stored_starts
from pipeline.errors import PartitionsChanged
from pipeline.model.ledger import Incarnation, Progress
from pipeline.model.position import TopicPartition

PLACE = TopicPartition("t", 1)


def test_the_stored_next_offset_is_where_a_known_topic_starts() -> None:
    """The same incarnation: what was handled is not read again."""
    assert stored_starts({PLACE: Progress(3, 70)}, {"t": 3}) == {PLACE: 70}


def test_a_topic_made_anew_starts_at_its_beginning_whatever_is_stored() -> None:
    """The stored offset is one of the old topic, and may lie in the middle of the new one."""
    assert stored_starts({PLACE: Progress(3, 70)}, {"t": 4}) == {PLACE: 0}


def test_a_topic_with_another_number_of_partitions_is_refused() -> None:
    """The same topic id: rows have moved. Another id is another topic, and harmless."""
    with pytest.raises(PartitionsChanged, match="t had 4 partitions, and has 6"):
        refuse_growth("t", Incarnation("id", 6), [Incarnation("id", 4)])
    refuse_growth("t", Incarnation("other", 6), [Incarnation("id", 4)])
    refuse_growth("t", Incarnation("id", 4), [Incarnation("id", 4)])
