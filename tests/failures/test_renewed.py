"""A topic that is deleted and made again while a consumer reads it: what stands in the new one is
read from its beginning, and nobody restarts anything.
"""

from __future__ import annotations

from collections.abc import Collection

import pytest

from pipeline.engine.consumer.loop import CHECK_INTERVAL_SECONDS
from pipeline.engine.consumer.start import Incarnations
from pipeline.model.ledger import Incarnation
from tests.failures.test_halting import PACE, RETRY, after, halts
from tests.failures.test_loop import GROUP, VEC, Member, never, stored_in
from tests.support.events import NOON, event
from tests.twins.clock import Ticks

LATER = 100  # positions of what the new topic holds are later than all before


class Topics:
    """A consumer, and the ids of its topics as the broker tells them."""

    def __init__(self) -> None:
        self.id = "first"
        self.member = Member(
            never,
            pace=PACE,
            clock=Ticks(NOON),
            incarnation=lambda topic: self.incarnations.of(topic),
            renewed=lambda: self.incarnations.renewed(),
            forget=lambda: self.incarnations.forget(),
        )
        self.incarnations = Incarnations(
            lambda _: Incarnation(self.id, 1), self.member.target, self._ids
        )

    def _ids(self, topics: Collection[str]) -> dict[str, str]:
        return {topic: self.id for topic in topics if self.id}

    def produce(self, count: int, name: str, position: int = 0) -> None:
        """Clients of the keys 1, 2, ..."""
        for number in range(count):
            key, at = number + 1, position + number
            offset = self.member.broker.produce(VEC.topic, b"", key=b'{"vecKey":%d}' % key)
            client = event(
                *("AxVec", key),
                at=at,
                offset=offset,
                incarnation=2 if self.id == "second" else 1,
                vecIsClient=True,
                vecDescription=name,
            )
            self.member.consumer.prepare(VEC, offset, client)

    def make_again(self, topic_id: str = "second") -> None:
        self.member.broker.create_topic(VEC.topic)
        self.id = topic_id

    def names(self) -> list[object]:
        return [row["Name"] for row in self.member.target.rows("Organization")]


@pytest.fixture
def topics() -> Topics:
    """Three messages are applied."""
    made = Topics()
    made.produce(3, "before")
    made.member.loop.step()
    assert made.names() == ["before"] * 3
    return made


def test_a_topic_that_is_made_again_is_read_from_its_beginning(topics: Topics) -> None:
    """Though the next offset of the old one stands in the middle of it, where nothing is missed."""
    topics.make_again()
    topics.produce(5, "again", LATER)
    for _ in range(2):
        after(topics.member, CHECK_INTERVAL_SECONDS)
    assert topics.names() == ["again"] * 5
    assert topics.member.broker.committed(GROUP) == {VEC: 5}
    assert stored_in(topics.member.target, [VEC]) == {VEC: 5}
    assert topics.member.telemetry.rewinds == 1
    assert halts(topics.member) == []


def test_a_topic_that_is_made_again_with_fewer_messages_halts_nothing(topics: Topics) -> None:
    """The next offset of the old one lies behind its end: that is looked into at once."""
    topics.make_again()
    topics.produce(1, "again", LATER)
    for _ in range(2):
        topics.member.loop.step()
    assert sorted(map(str, topics.names())) == ["again", "before", "before"]
    assert topics.member.telemetry.halts == 0


def test_a_topic_that_is_missing_for_a_while_goes_on_once_it_is_made_again(topics: Topics) -> None:
    """Its partition halts meanwhile, and says so."""
    topics.make_again(topic_id="first")
    topics.member.loop.step()
    assert [one.code for one in halts(topics.member)] == ["kafka.offset_lost"]
    topics.make_again()
    topics.produce(1, "again", LATER)
    after(topics.member, max(RETRY, CHECK_INTERVAL_SECONDS))
    after(topics.member, CHECK_INTERVAL_SECONDS)
    assert halts(topics.member) == []
    assert "again" in topics.names()


def test_a_topic_that_comes_back_empty_in_the_moment_of_a_retry_halts_no_more(
    topics: Topics,
) -> None:
    """The retry was in vain, and in the same step the topic is known for a new one."""
    topics.make_again(topic_id="first")
    topics.member.loop.step()
    assert topics.member.telemetry.halts == 1
    topics.make_again()
    after(topics.member, max(RETRY, CHECK_INTERVAL_SECONDS))
    assert topics.member.telemetry.rewinds == 1
    after(topics.member, CHECK_INTERVAL_SECONDS)
    assert topics.member.telemetry.halts == 1
    assert halts(topics.member) == []


def test_a_topic_that_is_missing_is_waited_for(topics: Topics) -> None:
    """Nobody can say yet where it begins."""
    topics.id = ""
    after(topics.member, CHECK_INTERVAL_SECONDS)
    assert topics.member.telemetry.rewinds == 0


def test_a_topic_that_stays_the_same_is_not_read_again(topics: Topics) -> None:
    """However often one looks."""
    for _ in range(3):
        after(topics.member, CHECK_INTERVAL_SECONDS)
    assert topics.member.messages.polled == [0, 1, 2]
    assert topics.member.telemetry.rewinds == 0
