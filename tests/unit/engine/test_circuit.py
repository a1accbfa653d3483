"""The circuit: it bounds how many messages are set aside, over restarts too."""

from __future__ import annotations

import pytest

from pipeline.engine.consumer.circuit import Circuit, Limits
from pipeline.errors import CircuitOpen
from pipeline.model.position import TopicPartition

PLACE = TopicPartition("ajera.AxVec", 0)
OTHER = TopicPartition("ajera.AxVec", 1)


def test_too_many_in_a_row_open_it_and_a_good_one_closes_the_row() -> None:
    """The one that would be too many is refused before it is set aside."""
    circuit = Circuit(Limits(in_a_row=3))
    for _ in range(3):
        circuit.bad(PLACE)
    with pytest.raises(CircuitOpen, match="3 messages in a row"):
        circuit.refuse(PLACE)
    assert circuit.in_a_row[PLACE] == 3
    circuit.good(PLACE, 1)
    circuit.bad(PLACE)
    assert circuit.in_a_row[PLACE] == 1


def test_a_share_of_the_last_messages_opens_it() -> None:
    """However the good ones are strewn among them."""
    circuit = Circuit(Limits(in_a_row=100, share=0.2, window=50))
    for number in range(50):
        if number % 5 == 0:
            circuit.bad(PLACE)
        else:
            circuit.good(PLACE, 1)
    with pytest.raises(CircuitOpen, match="10 of the last 50"):
        circuit.refuse(PLACE)


def test_partitions_are_counted_apart() -> None:
    """A broken one does not stop the others."""
    circuit = Circuit(Limits(in_a_row=1))
    circuit.bad(PLACE)
    circuit.bad(OTHER)
    with pytest.raises(CircuitOpen, match="partition 1"):
        circuit.refuse(OTHER)


def test_a_process_that_takes_over_goes_on_counting() -> None:
    """The count is stored with the next offset."""
    circuit = Circuit(Limits(in_a_row=3))
    circuit.in_a_row[PLACE] = 3
    with pytest.raises(CircuitOpen):
        circuit.refuse(PLACE)
