"""When source tables become loaded: which target rows are computed anew."""

from __future__ import annotations

from pipeline.conflicts.link import Link, LinkSide, State
from pipeline.domain.routes import ACCOUNTING
from pipeline.model.event import Event
from tests.support.engine import Consumer, Ticking, loading_of, topic_of
from tests.support.events import NOON, event
from tests.support.linked import PROJECT, project_key
from tests.twins.clock import Ticks
from tests.twins.systems import both_systems
from tests.twins.target import MemoryTarget

ROUTE = ACCOUNTING.only(frozenset(ACCOUNTING.entities))
ACTIVE, CLOSED = 1, 5


def a_project(key: int, status: int = ACTIVE, of: int | None = None) -> Event:
    return event("AxProject", key, at=key, prjStatus=status, prjProject=of)


def test_only_rows_that_have_a_target_row_are_marked_when_tables_become_loaded() -> None:
    """Neither a project that is not linked, nor one that is closed, nor a phase; and once, however
    many tables become loaded.
    """
    pairs = both_systems(Ticks(NOON))
    with pairs.transaction() as transaction:
        for key in ("1", "3"):
            halves = LinkSide("AxProject", key), LinkSide("PR", project_key(f"P-{key}"))
            transaction.store([(Link(key, PROJECT, *halves, state=State.LINKED), None)])
    target = MemoryTarget(ROUTE, beside=pairs)
    clock = Ticking()
    events = [a_project(1), a_project(2, of=1), a_project(3, status=CLOSED), a_project(4)]
    consumer = Consumer(target, events, clock=clock, route=ROUTE)
    consumer.take(events)
    consumer.drain()
    assert dict(target.due.rows) == {}
    with target.transaction() as transaction:
        for table in ROUTE.sources:
            topic = topic_of(table.name)
            transaction.incarnation(topic, "id", 1)
            transaction.set_load_ends(topic, table.name, 1, {0: 0})
    loading_of(target, 1, clock, ROUTE).advance(lambda call: call())
    with target.transaction() as transaction:
        assert transaction.loaded() == {table.name for table in ROUTE.sources}
    assert [*target.due.rows] == [("AxProject", "1")]
