"""While the registry is away everything waits: no partition halts, and nothing is skipped."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.errors import RegistryUnavailable
from pipeline.model.event import Message, Undecodable
from pipeline.model.position import TopicPartition
from tests.support.engine import TOPICS, Consumer, ready
from tests.support.events import event
from tests.twins.target import MemoryTarget

VEC = TopicPartition(TOPICS["AxVec"], 0)
T = TypeVar("T")


def test_a_registry_that_is_away_is_waited_for() -> None:
    """Its messages are decoded when it is there again."""
    consumer = Consumer(ready(MemoryTarget(AJERA_TO_PIM)), [])
    consumer.prepare(VEC, 1, Undecodable(RegistryUnavailable("nothing listens there")))

    def until_it_is_there(call: Callable[[], T]) -> T:
        try:
            return call()
        except RegistryUnavailable:
            consumer.prepare(VEC, 1, event("AxVec", 1, at=1, vecIsClient=True))
            return call()

    message = Message(VEC.topic, VEC.partition, 1, b"", b"")
    found = consumer.processor.process([message], consumer.incarnations, until_it_is_there)
    assert (found.halted, found.next_offsets) == ({}, {VEC: 2})
    assert consumer.telemetry.ended == {("written", ""): 1}
