"""Where a partition starts by what is stored, and topics that are not what they were."""

from __future__ import annotations

import pytest

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.engine.consumer.start import NEVER_SEEN, Incarnations, refuse_growth, stored_starts
from pipeline.errors import PartitionsChanged
from pipeline.model.halt import Halt, place_of
from pipeline.model.ledger import Incarnation, Progress
from pipeline.model.position import TopicPartition
from tests.support.events import NOON
from tests.twins.target import MemoryTarget

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


def test_a_topic_made_anew_lifts_the_halts_of_the_one_before() -> None:
    """It may have fewer partitions, or none of the messages: nobody else would."""
    places = [TopicPartition("t", 0), TopicPartition("t", 1), TopicPartition("u", 1)]
    target = MemoryTarget(AJERA_TO_PIM)
    with target.transaction() as transaction:
        transaction.incarnation("t", "old", 2)
        transaction.halts.halt(
            [
                Halt(place_of(one), one, NEVER_SEEN, 0, "kafka.partitions", "grown", NOON, "c")
                for one in places
            ]
        )
    assert Incarnations(lambda _: Incarnation("new", 1), target).of("t") == 2
    with target.transaction() as transaction:
        assert {one.partition for one in transaction.halts.halted()} == {places[2]}
