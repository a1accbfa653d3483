"""A capture is made again while our writes still go by the epoch that we know:
they are nobody's edits.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.conflicts.rules import Side
from tests.support.outbox import World

AJERA, DPS = Side.AJERA, Side.DPS
TABLES = {AJERA: "AxVec", DPS: "Clendor"}
NAMES = {AJERA: "vecDescription", DPS: "Name"}


@pytest.fixture
def hill(firm: World) -> World:
    """A firm on both sides,
    linked so long ago that images are not checked against its rows any more; both logs read.
    """
    firm.look_for(timedelta(0))
    firm.client(1, "Beck")
    firm.settle()
    for side, name in ((AJERA, "Dale"), (DPS, "Hill")):
        types(firm, side, name)
        firm.settle()
    firm.look_for(timedelta(hours=1))
    return firm


def types(firm: World, side: Side, name: str) -> None:
    firm.edit(side, TABLES[side], **{NAMES[side]: name})


def names(firm: World) -> list[object]:
    return [firm.rows(side, TABLES[side], NAMES[side])[0] for side in Side]


def deliver_together(firm: World, first: Side) -> None:
    """Everything that was not read, in one batch."""
    firm.read_logs()
    both = [*firm.events[first], *firm.events[first.other]]
    events = [event for event in both if event.place.offset >= firm.next[event.table]]
    assert not firm.process(events).halted
    for event in events:
        firm.next[event.table] = event.place.offset + 1


@pytest.mark.parametrize("first", Side)
@pytest.mark.parametrize("typing", Side)
def test_our_write_is_no_edit_though_the_capture_was_made_again_meanwhile(
    hill: World, typing: Side, first: Side
) -> None:
    """Somebody types twice; the capture of the other side is a new one,
    of which nothing was read when we wrote there.
    """
    hill.capture_again(typing.other)
    types(hill, typing, "once")
    types(hill, typing, "twice")
    hill.deliver(typing, 1)
    assert hill.rows(typing.other, TABLES[typing.other], NAMES[typing.other]) == ["once"]
    deliver_together(hill, first)
    hill.settle()
    assert names(hill) == ["twice", "twice"]
    assert hill.conflicts() == []


@pytest.mark.parametrize("typing", Side)
def test_an_edit_over_our_write_is_carried_over_though_the_capture_was_made_again_meanwhile(
    hill: World, typing: Side
) -> None:
    """Somebody types over what we wrote, also the very text that it had before;
    and over that again.
    """
    hill.capture_again(typing.other)
    types(hill, typing, "once")
    hill.deliver(typing)
    types(hill, typing.other, "Hill")
    hill.settle()
    assert names(hill) == ["Hill", "Hill"]
    types(hill, typing.other, "once")
    hill.settle()
    assert names(hill) == ["once", "once"]
    assert hill.conflicts() == []


@pytest.mark.parametrize("typing", Side)
def test_an_edit_of_the_old_capture_is_older_than_a_write_made_after_the_new_one_was_seen(
    hill: World, typing: Side
) -> None:
    """Its event is read after another table told of the new capture: it was made before our write,
    and undone.
    """
    other = typing.other
    types(hill, other, "tried")
    types(hill, other, "Hill")
    hill.capture_again(other)
    hill.reconciler.follow({other: 2})
    types(hill, typing, "once")
    hill.deliver(typing)
    assert names(hill) == ["once", "once"]
    hill.settle()
    assert names(hill) == ["once", "once"]


@pytest.mark.parametrize("typing", Side)
def test_what_we_wrote_and_somebody_typed_again_is_an_edit_after_a_gap(
    hill: World, typing: Side
) -> None:
    """Our write came before the new capture's snapshot, which shows another text:
    the same text later is somebody's.
    """
    other = typing.other
    types(hill, typing, "once")
    hill.deliver(typing)
    hill.forget(other)
    types(hill, other, "lost in the gap")
    hill.forget(other)
    hill.capture_again(other)
    hill.settle()
    assert names(hill) == ["lost in the gap", "lost in the gap"]
    types(hill, other, "once")
    hill.settle()
    assert names(hill) == ["once", "once"]
