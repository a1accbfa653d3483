"""A process believed dead comes back with writes to Ajera in its hand,
after another one has settled their links.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pipeline.conflicts.link import State
from pipeline.conflicts.rules import Side
from pipeline.engine.exchange.ajera_writer import AjeraWriter
from pipeline.engine.exchange.unit_of_work import PlannedWrite
from tests.support.outbox import Crash, World, at_once

AJERA, DPS = Side.AJERA, Side.DPS


def held(firm: World, deliver: Callable[[], object]) -> Callable[[], Any]:
    """Let the process stop with its writes in its hand, and another one take over;
    how the first one comes back.
    """
    kept: list[tuple[Sequence[PlannedWrite], int]] = []

    def stop(planned: Sequence[PlannedWrite], epoch: int) -> None:
        kept.append((planned, epoch))
        raise Crash

    firm.writer.before = stop
    with pytest.raises(Crash):
        deliver()
    firm.restart()
    ((planned, epoch),) = kept
    return lambda: AjeraWriter(firm.pairs, firm.telemetry).make(planned, epoch, at_once)


def test_a_row_that_another_process_created_meanwhile_is_not_created_again(
    firm: World,
) -> None:
    """The number of the first process's intention was given up by the second one,
    which used its own.
    """
    firm.firm("A", "Hill")
    come_back = held(firm, lambda: firm.deliver(DPS))
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecDescription") == ["Hill"]
    come_back()
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecDescription") == ["Hill"]
    assert len(firm.writes(AJERA)) == 1


def test_a_change_that_was_given_up_is_never_made(firm: World) -> None:
    """Not even where the row holds again what it was expected to hold."""
    firm.client(1, "Hill")
    firm.settle()
    firm.edit(DPS, "Clendor", Name="Bob's")
    come_back = held(firm, lambda: firm.deliver(DPS))
    firm.settle()
    firm.edit(AJERA, "AxVec", vecDescription="Hill")
    firm.settle()
    before = len(firm.writes(AJERA))
    come_back()
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecDescription") == ["Hill"]
    assert firm.rows(DPS, "Clendor", "Name") == ["Hill"]
    assert len(firm.writes(AJERA)) == before


def test_one_that_is_not_too_late_is_believed(firm: World) -> None:
    """It writes before anybody settled: the next process finds that in Ajera's table,
    and does not write again.
    """
    firm.firm("A", "Hill")
    firm.insert(
        DPS,
        "CLAddress",
        ClientID="A",
        Address="Main",
        PrimaryInd="Y",
        City="Oslo",
    )
    come_back = held(firm, lambda: firm.deliver(DPS))
    come_back()
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecDescription", "vecCity") == [("Hill", "Oslo")]
    assert [kind for _, kind, _, _ in firm.writes(AJERA)] == ["c", "u"]
    assert {link.state for link in firm.links()} == {State.LINKED}


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_events_of_a_row_created_by_a_straggler_come_before_its_outcome_is_known(
    firm: World, when: str
) -> None:
    """The row is recognised by its key in Ajera's table, so it is not taken for somebody else's."""
    firm.firm("A", "Hill")
    come_back = held(firm, lambda: firm.deliver(DPS))
    come_back()
    if when == "before":
        firm.edit(AJERA, "AxVec", vecDescription="Ann's")
    firm.deliver(AJERA)
    firm.settle()
    if when == "after":
        firm.edit(AJERA, "AxVec", vecDescription="Ann's")
    firm.settle()
    assert len(firm.rows(AJERA, "AxVec", "vecKey")) == 1
    assert firm.rows(DPS, "Clendor", "Name") == ["Ann's"]
    assert len(firm.links()) == 1 or {link.entity for link in firm.links()} == {
        "firm",
        "firm_address",
    }


def test_writes_in_the_hand_for_a_row_deleted_meanwhile_change_nothing(
    firm: World,
) -> None:
    """The link has ended, the number is taken."""
    firm.client(1, "Hill")
    firm.settle()
    firm.edit(DPS, "Clendor", Name="Bob's")
    come_back = held(firm, lambda: firm.deliver(DPS))
    firm.delete(AJERA, "AxVec", 1)
    firm.settle()
    come_back()
    firm.settle()
    assert firm.rows(AJERA, "AxVec", "vecKey") == []
    assert firm.writes(AJERA) == []
