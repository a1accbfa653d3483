"""Two consumers at the same time: one follows Ajera's topics, one those of DPS,
and they meet on the same pairs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

import pytest

from pipeline.conflicts.rules import Side
from pipeline.errors import PipelineError, Remedy
from pipeline.model.event import Event, Message
from tests.support import outbox
from tests.support.outbox import World

AJERA, DPS = Side.AJERA, Side.DPS
T = TypeVar("T")
PAIRS = 12


def again(call: Callable[[], T]) -> T:
    """As the loop does: what is transient is tried again."""
    for _ in range(50):
        try:
            return call()
        except PipelineError as error:
            if error.remedy is not Remedy.RETRY:
                raise
    raise AssertionError("tried fifty times")


def at_the_same_time(firm: World) -> None:
    """A consumer a side, each with everything that has happened there, in batches of three."""
    firm.read_logs()
    new = {
        side: [e for e in firm.events[side] if e.place.offset >= firm.next[e.table]]
        for side in Side
    }

    def consume(side: Side) -> None:
        alone = replace(firm)
        for start in range(0, len(new[side]), 3):
            process(alone, new[side][start : start + 3])

    with ThreadPoolExecutor(2) as threads:
        for future in [threads.submit(consume, side) for side in Side]:
            future.result(timeout=100)
    for side in Side:
        firm.next.update({event.table: 0 for event in new[side]})
        for event in new[side]:
            firm.next[event.table] = event.place.offset + 1
    firm.settle()


def process(alone: World, events: list[Event]) -> None:
    messages = [
        Message(event.table, outbox.PARTITION, event.place.offset, b"", b"") for event in events
    ]
    alone.decoder.events.update({(event.table, event.place.offset): event for event in events})
    handled = alone.exchange.process(
        messages, dict.fromkeys((event.table for event in events), 1), again
    )
    assert not handled.halted


@pytest.mark.parametrize("attempt", range(3))
def test_pairs_edited_on_both_sides_agree_in_the_end(firm: World, attempt: int) -> None:
    """The later edit of each stands, and no lock is waited for in a circle."""
    del attempt
    for key in range(1, PAIRS + 1):
        firm.client(key, f"firm {key}", vecCity="Oslo")
    firm.settle()
    keys = dict(firm.rows(DPS, "Clendor", "Name", "ClientID"))
    for key in range(PAIRS, 0, -1):
        firm.edit(
            AJERA,
            "AxVec",
            key,
            vecDescription=f"Ann's {key}",
            vecCity=f"A {key}",
            vecWebsite=f"a{key}",
        )
        firm.edit(
            DPS,
            "Clendor",
            keys[f"firm {key}"],
            Name=f"Bob's {key}",
            Memo=f"B {key}",
        )
        firm.edit(
            DPS,
            "CLAddress",
            keys[f"firm {key}"],
            State="NY",
            City=f"B {key}",
        )
    at_the_same_time(firm)
    expected = [f"Bob's {key}" for key in range(1, PAIRS + 1)]
    assert sorted(firm.rows(AJERA, "AxVec", "vecDescription")) == sorted(expected)
    assert sorted(firm.rows(DPS, "Clendor", "Name")) == sorted(expected)
    assert sorted(firm.rows(AJERA, "AxVec", "vecCity")) == sorted(
        firm.rows(DPS, "CLAddress", "City")
    )
    assert firm.rows(AJERA, "AxVec", "vecClientNotes") == [
        f"B {key}" for key in range(1, PAIRS + 1)
    ]
    assert firm.parked() == {}


@pytest.mark.parametrize("attempt", range(3))
def test_rows_of_one_name_made_on_both_sides_at_once_are_linked_once(
    firm: World, attempt: int
) -> None:
    """Neither consumer creates what the other one links."""
    del attempt
    for key in range(1, PAIRS + 1):
        firm.client(key, f"firm {key}", vecCity="Oslo")
        firm.firm(f"F{key}", f"FIRM {PAIRS + 1 - key}")
        firm.contact(AJERA, key, f"Moe {key}", cntClient=key)
        firm.contact(DPS, f"C{key}", f"MOE {key}", ClientID=f"F{PAIRS + 1 - key}")
    at_the_same_time(firm)
    firm.wait()
    assert (
        len(firm.rows(AJERA, "AxVec", "vecKey")) == len(firm.rows(DPS, "Clendor", "Name")) == PAIRS
    )
    assert (
        len(firm.rows(AJERA, "AxContact", "cntKey"))
        == len(firm.rows(DPS, "Contacts", "ContactID"))
        == PAIRS
    )
    assert firm.parked() == {}


def test_the_last_place_of_a_firm_is_taken_once(firm: World) -> None:
    """Two contacts are ticked at the same time, one in each system, where there is room for one.
    Neither transaction commits before both stand there, or one waits for the other.
    """
    firm.restart_with(contact=1)
    firm.client(1, "Hill")
    firm.contact(AJERA, 1, "Moe", cntClient=1)
    firm.settle()
    firm.edit(AJERA, "AxContact", cntSyncToCRM=False)
    firm.settle()
    hill = firm.rows(DPS, "Clendor", "ClientID")[0]
    firm.contact(DPS, "C", "Roe", ClientID=hill)
    firm.settle()
    firm.edit(DPS, "Contacts", "C", AjeraSync="N")
    firm.settle()
    assert firm.parked() == {}
    firm.edit(AJERA, "AxContact", 1, cntSyncToCRM=True)
    firm.edit(DPS, "Contacts", "C", AjeraSync="Y")
    both = threading.Barrier(2)

    def meet() -> bool:
        with suppress(threading.BrokenBarrierError):
            both.wait(timeout=2)
        return False

    firm.pairs.may_die = meet
    at_the_same_time(firm)
    firm.pairs.may_die = lambda: False
    firm.wait()
    counted = [link.counts_for for link in firm.links() if link.entity == "contact"]
    assert counted.count(hill) == 1
    assert list(firm.parked().values()) == ["exchange.contacts_full"]
