"""Guards of the exchange that only show where a log is another one, a parent is gone,
or somebody else is at it as well.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from deploy.sample import databases
from pipeline.conflicts.link import State
from pipeline.conflicts.rules import Side
from pipeline.errors import SourceRewound
from pipeline.model.event import Event
from pipeline.model.position import TopicPartition
from tests.support.live import wait_until
from tests.support.outbox import (
    PARTITION,
    Crash,
    FallingPairs,
    World,
    at_once,
)

AJERA, DPS = Side.AJERA, Side.DPS


@pytest.fixture
def firm(made: World) -> World:
    made.clear()
    made.restart_with(contact=5, project_contact=5)
    return made


def names(firm: World) -> tuple[object, object]:
    return firm.do(AJERA, 'SELECT "vecDescription" FROM "AxVec"'), firm.do(
        DPS, 'SELECT "Name" FROM "Clendor"'
    )


def new_events(firm: World, side: Side, table: str) -> list[Event]:
    """What has happened in a table and was not delivered."""
    firm.read_logs()
    return [e for e in firm.events[side] if e.table == table and e.place.offset >= firm.next[table]]


def lock_is_waited_for(firm: World, side: Side) -> bool:
    waiting = firm.do(
        side,
        (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"
        ),
    )
    return bool(waiting)


# -- the log ---------------------------------------------------------------------------------------


def test_a_log_that_was_rewound_halts_its_partition_and_nothing_is_written_from_there(
    firm: World,
) -> None:
    """An event that stands before what was read, but was committed long after;
    the events before it are carried over.
    """
    firm.client(1, "Hill")
    firm.client(2, "Vale")
    firm.settle()
    before = len(firm.writes(DPS))
    firm.edit(AJERA, "AxVec", 2, vecDescription="Vales")
    firm.edit(AJERA, "AxVec", 1, vecDescription="another log")
    firm.client(3, "behind it")
    good, rewound, behind = new_events(firm, AJERA, "AxVec")
    (first,) = [
        e for e in firm.events[AJERA] if e.key == "1" and e.place.offset < firm.next["AxVec"]
    ]
    late = rewound.committed_at + timedelta(hours=1)
    handled = firm.process(
        [
            good,
            replace(rewound, position=first.position, committed_at=late),
            behind,
        ]
    )
    partition = TopicPartition("AxVec", PARTITION)
    assert isinstance(handled.halted[partition].error, SourceRewound)
    assert handled.next_offsets[partition] == rewound.place.offset
    assert sorted(firm.rows(DPS, "Clendor", "Name")) == ["Hill", "Vales"]
    assert len(firm.writes(DPS)) == before + 1


def test_an_old_event_that_is_read_again_ticks_no_flag(firm: World) -> None:
    """What was typed while the flag is off does not go over
    because an image from before shows it ticked.
    """
    firm.client(1, "Hill")
    firm.settle()
    firm.edit(AJERA, "AxVec", vecSyncToCRM=False)
    firm.edit(AJERA, "AxVec", vecDescription="while off")
    firm.settle()
    firm.rewind()
    firm.deliver(AJERA, 1)
    assert names(firm) == ("while off", "Hill")
    firm.settle()
    assert names(firm) == ("while off", "Hill")


# -- what a row belongs to -------------------------------------------------------------------------


def test_a_row_whose_parents_pair_ended_before_it_was_created_is_never_created(
    firm: World,
) -> None:
    """Its own pair ends too, so nobody tries for ever."""
    firm.project(DPS, "P-1", "Harbour")
    firm.contact(DPS, "C", "Moe")
    firm.settle()
    firm.insert(DPS, "PRContactAssoc", WBS1="P-1", ContactID="C", AjeraSync="Y")

    def stop(*_: object) -> None:
        raise Crash

    firm.writer.before = stop
    with pytest.raises(Crash):
        firm.deliver(DPS)
    firm.restart()
    firm.delete(AJERA, "AxProject", firm.projects("prjKey")[0])
    firm.deliver(AJERA)
    firm.settle()
    firm.wait()
    assert firm.rows(AJERA, "AxProjectContact", "pcKey") == []
    assert {link.state for link in firm.links() if link.entity == "project_contact"} == {
        State.ENDED
    }
    assert firm.parked() == {}


def test_a_row_that_was_deleted_while_nobody_captured_ends_its_pair_and_no_other(
    firm: World,
) -> None:
    """No event tells of it: it is looked for once the snapshot of the new capture is over."""
    firm.client(1, "Hill")
    firm.client(2, "Vale")
    firm.settle()
    firm.delete(AJERA, "AxVec", 1)
    firm.do(AJERA, "DELETE FROM outbox.change WHERE operation = 'd'")
    firm.exchange.sweep.ended(AJERA, 2)
    firm.exchange.sweep.advance(at_once)
    assert {link.ajera.key: link.state for link in firm.links()} == {
        "1": State.ENDED,
        "2": State.LINKED,
    }
    assert sorted(firm.rows(DPS, "Clendor", "Name")) == ["Hill", "Vale"]


# -- at the same time ------------------------------------------------------------------------------


def test_two_consumers_that_begin_at_the_same_time_do_not_exceed_a_limit(
    firm: World,
) -> None:
    """The second one counts only when the first one's link is stored."""
    firm.firm("A", "Hill")
    firm.settle()
    firm.restart_with(contact=1)
    for number in (1, 2):
        firm.contact(DPS, f"C{number}", f"Moe {number}", ClientID="A")
    one, other = new_events(firm, DPS, "Contacts")
    stored, go_on = threading.Event(), threading.Event()

    def stop_once_stored() -> bool:
        held = (
            "SELECT count(*) FROM pg_locks WHERE relation = 'sync.link'::regclass"
            " AND mode = 'RowExclusiveLock'"
        )
        if not stored.is_set() and firm.do(DPS, held):
            stored.set()
            assert go_on.wait(60)
        return False

    slow = replace(firm, pairs=FallingPairs(firm.pairs.real, stop_once_stored))
    quick = replace(firm)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(slow.process, [one])
        assert stored.wait(60)
        second = threads.submit(quick.process, [other])
        try:
            wait_until(
                lambda: second.done() or lock_is_waited_for(firm, DPS),
                "the second one waits, or is done",
            )
        finally:
            go_on.set()
        first.result(60)
        second.result(60)
    assert firm.rows(AJERA, "AxContact", "cntLastName") == ["Moe 1"]
    assert list(firm.parked().values()) == ["exchange.contacts_full"]


@pytest.mark.parametrize("side", list(Side))
def test_an_edit_that_is_being_committed_while_we_write_is_not_overwritten(
    firm: World, side: Side
) -> None:
    """The row is locked before it is compared, so the person's edit is seen;
    it is the later one and stands.
    """
    firm.client(1, "Hill")
    firm.settle()
    table, name = {
        AJERA: ("AxVec", "vecDescription"),
        DPS: ("Clendor", "Name"),
    }[side]
    other_table, other_name = {
        DPS: ("AxVec", "vecDescription"),
        AJERA: ("Clendor", "Name"),
    }[side]
    firm.edit(side.other, other_table, **{other_name: "first"})
    with (
        databases.connect(firm.urls[side]) as person,
        ThreadPoolExecutor(1) as threads,
    ):
        with person.transaction():
            person.execute(f'UPDATE "{table}" SET "{name}" = %s', ["second"])
            ours = threads.submit(firm.deliver, side.other)
            wait_until(
                lambda: ours.done() or lock_is_waited_for(firm, side),
                "we wait for the person's lock",
            )
        ours.result(60)
    firm.settle()
    assert names(firm) == ("second", "second")


def test_an_edit_made_while_our_write_of_the_one_before_was_under_way_is_carried_over(
    firm: World,
) -> None:
    """Our write's own event is nobody's edit,
    though others committed between the write and its commit.
    """
    firm.look_for(timedelta(0))
    firm.client(1, "Hill")
    firm.settle()
    firm.edit(AJERA, "AxVec", 1, vecWebsite="first")
    firm.edit(AJERA, "AxVec", 1, vecWebsite="second")
    firm.deliver(AJERA, 1)
    assert firm.rows(DPS, "Clendor", "WebSite") == ["first"]
    firm.deliver(DPS)
    firm.settle()
    assert (
        firm.rows(DPS, "Clendor", "WebSite")
        == firm.rows(AJERA, "AxVec", "vecWebsite")
        == ["second"]
    )
    assert [link.coincident for link in firm.links()] == [frozenset()]


def test_no_event_overtakes_another_of_its_row_where_a_batch_is_bisected(
    firm: World,
) -> None:
    """An edit keeps the time at which it was made, which decides under NEWEST."""
    firm.look_for(timedelta(0))
    firm.client(1, "Hill")
    firm.client(2, "Vale")
    firm.settle()
    firm.do(
        DPS,
        """ALTER TABLE "Clendor" ADD CONSTRAINT bad CHECK ("Name" <> 'bad')""",
    )
    firm.edit(AJERA, "AxVec", 1, vecWebsite="hill.example")
    firm.edit(AJERA, "AxVec", 1, vecDescription="Hills")
    firm.edit(AJERA, "AxVec", 2, vecDescription="bad")
    firm.edit(AJERA, "AxVec", 1, vecWebsite="hills.example")
    edits = new_events(firm, AJERA, "AxVec")
    firm.deliver(AJERA)
    firm.do(DPS, 'ALTER TABLE "Clendor" DROP CONSTRAINT bad')
    (link,) = [one for one in firm.links() if one.ajera.key == "1" and one.entity == "firm"]
    assert link.ajera.edited_at == {
        "name": edits[1].committed_at,
        "website": edits[3].committed_at,
    }
    assert firm.parked() == {"firm/ajera/2": "target.rejected"}
