"""What refers to a changed row is recomputed after the row and its offset are there: a moment later
and no later than that.
"""

from __future__ import annotations

from datetime import timedelta

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.engine.consumer.loop import LoopSettings
from pipeline.engine.projection.postponed import POSTPONED_SECONDS
from pipeline.model.event import Event
from pipeline.model.position import TopicPartition
from tests.failures.test_loop import VEC, Member, never
from tests.support.engine import TOPICS, Consumer, Ticking, ready
from tests.support.events import NOON, event
from tests.twins.clock import Ticks
from tests.twins.target import MemoryTarget
from tests.twins.turns import FreeTurns

PROJECT = TopicPartition(TOPICS["AxProject"], 0)
AFTER = timedelta(seconds=2 * POSTPONED_SECONDS)


class Statements(FreeTurns):
    """Notes their names."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def reached(self, point: str) -> None:
        self.names.append(point)


def client(at: int, name: str, key: int = 1) -> Event:
    return event("AxVec", key, at=at, vecIsClient=True, vecDescription=name)


def shown_by_a_project(name: str = "old") -> MemoryTarget:
    """A target whose project 1 shows client 1."""
    target = ready(MemoryTarget(AJERA_TO_PIM))
    consumer = Consumer(target, [])
    consumer.feed([client(1, name)])
    consumer.feed([event("AxProject", 1, at=2, prjStatus=1)])
    consumer.feed([event("AxInvoiceGroup", 1, at=3, igProject=1, igClient=1)])
    return target


def clients(target: MemoryTarget) -> list[object]:
    """As the projects show them."""
    return [row["Client"] for row in target.rows("Project")]


def due(target: MemoryTarget) -> int:
    with target.transaction() as transaction:
        later = NOON + timedelta(days=9999)
        return len(transaction.due(10, set_before=later, waiting_before=later))


def test_a_row_is_there_with_its_offset_before_what_refers_to_it() -> None:
    """What is left to be done is a mark."""
    target = shown_by_a_project()
    consumer = Consumer(target, [], postpones=True)
    consumer.feed([client(4, "new")], start=1)
    assert [row["Name"] for row in target.rows("Organization")] == ["new"]
    with target.transaction() as transaction:
        stored = transaction.progress([VEC])[VEC]
    assert (stored.next_offset, stored.events_read, stored.written) == (2, 2, 2)
    assert (clients(target), due(target)) == (["old"], 1)
    consumer.processor.finish(lambda call: call())
    assert (clients(target), due(target)) == (["new"], 0)
    assert consumer.processor.postponed_until is None


def test_what_a_process_postponed_that_died_is_done_by_another() -> None:
    """Its offset is stored, so nobody reads its event again."""
    target = shown_by_a_project()
    Consumer(target, [], clock=Ticking(), postpones=True).feed([client(4, "new")], start=1)
    other = Consumer(target, [], clock=Ticking())
    other.drain()
    assert (clients(target), due(target)) == (["new"], 0)


def test_a_backlog_does_not_hide_what_a_process_left_that_died() -> None:
    """Its marks are looked for between full batches, too."""
    pace = LoopSettings(batch_size=1)
    first = Member(never, clock=Ticks(NOON), pace=pace)
    first.consumer.feed([event("AxProject", 1, at=2, prjStatus=1)])
    first.consumer.feed([event("AxInvoiceGroup", 1, at=3, igProject=1, igClient=7)])
    with first.target.transaction() as transaction:
        for table in AJERA_TO_PIM.sources:
            transaction.set_load_ends(TOPICS[table.name], table.name, 1, {0: 0})
            transaction.set_loaded(table.name, 1)
    first.with_a_message(client(4, "new", key=7))
    assert first.loop.step() == 1
    assert due(first.target) == 1
    later = Ticks(NOON + timedelta(seconds=30))
    second = Member(never, clock=later, pace=pace, after=first)
    first.messages.close()
    second.with_a_message(client(5, "another", key=8))
    assert second.loop.step() == 1
    assert clients(first.target) == ["new"]


def test_a_row_that_changes_again_was_shown_as_it_was_before() -> None:
    """A project that was retired between the two changes shows the first one ever after."""
    target = shown_by_a_project()
    consumer = Consumer(target, [], postpones=True)
    consumer.feed([client(4, "before")], start=1)
    consumer.feed([client(6, "after")], start=2)
    other = Consumer(target, [])
    other.feed([event("AxProject", 1, "d", at=5)], start=1)
    consumer.processor.finish(lambda call: call())
    assert clients(target) == ["before"]


def test_events_of_other_tables_are_staged_after_what_was_postponed() -> None:
    """They may retire a row that shows it."""
    target = shown_by_a_project()
    consumer = Consumer(target, [], postpones=True)
    consumer.feed([client(4, "new")], start=1)
    consumer.feed([client(5, "another", key=2)], start=2)
    assert clients(target) == ["old"]
    consumer.feed([event("AxProject", 2, at=6, prjStatus=0)], start=1)
    assert clients(target)[0] == "new"


def test_rows_whose_own_target_rows_are_left_to_a_mark_are_not_postponed() -> None:
    """How their events end is not known before."""
    target = shown_by_a_project()
    consumer = Consumer(target, [], postpones=True)
    consumer.feed([event("AxContact", 1, at=4, cntLastName="n", cntClient=99)])
    assert consumer.processor.postponed_until is None
    assert consumer.telemetry.ended == {("parked", "waiting"): 1}


def test_while_messages_come_what_was_postponed_is_done_in_its_time() -> None:
    """Not before it, so that one recompute serves several batches; and not long after it."""
    clock = Ticks(NOON)
    member = Member(never, clock=clock)
    member.with_a_message().loop.step()
    until = member.consumer.processor.postponed_until
    assert until is not None
    clock.wait(AFTER / 4)
    member.with_a_message(client(5, "another", key=8)).loop.step()
    assert member.consumer.processor.postponed_until == until
    clock.wait(AFTER)
    member.with_a_message(client(6, "third", key=9)).loop.step()
    assert member.consumer.processor.postponed_until is None
    assert due(member.target) == 0


def test_a_poll_waits_no_longer_than_until_what_was_postponed_is_due() -> None:
    """No message has to come."""
    clock = Ticks(NOON)
    member = Member(never, clock=clock, pace=LoopSettings(poll_seconds=60.0))
    member.with_a_message().loop.step()
    member.loop.step()
    assert member.messages.timeouts[0] == 60.0
    assert 0 < member.messages.timeouts[1] <= POSTPONED_SECONDS


def test_a_poll_that_ended_for_what_was_postponed_is_not_taken_for_an_idle_one() -> None:
    """The next message may be there already: it comes before what others left undone."""
    clock = Ticks(NOON)
    member = Member(never, clock=clock)
    member.with_a_message().loop.step()
    member.target.turns = turns = Statements()
    clock.wait(AFTER)
    member.loop.step()
    assert "clear" in turns.names
    assert "take_together" not in turns.names
    clock.wait(timedelta(seconds=1))
    member.loop.step()
    assert "take_together" in turns.names


def test_a_stop_leaves_nothing_postponed() -> None:
    """Everything that was read is done."""
    asked = iter([False, True])
    member = Member(lambda: next(asked, True), clock=Ticks(NOON)).with_a_message()
    member.loop.run()
    assert member.broker.committed("loop") == {VEC: 1}
    assert due(member.target) == 0
