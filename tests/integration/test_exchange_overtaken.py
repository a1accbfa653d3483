"""Two live processes: one stands between storing what it will write to Ajera and writing it,
the other one comes by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pipeline.conflicts.link import State
from pipeline.conflicts.rules import Side
from tests.support.outbox import World, at_once
from tests.support.writers import nothing

AJERA, DPS = Side.AJERA, Side.DPS


def overtaken(firm: World, come_by: Callable[[World], object]) -> None:
    """Another process does this before the process of `firm` makes its next write to Ajera."""
    other = replace(firm)

    def first(*_: object) -> None:
        firm.writer.before = nothing
        come_by(other)

    firm.writer.before = first


def test_a_firm_whose_address_another_process_reads_meanwhile_is_created(
    firm: World,
) -> None:
    """Its address is told of by another topic: whoever reads that looks at the firm,
    and leaves it to follow.
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
    overtaken(firm, lambda other: other.deliver(DPS, None, "CLAddress"))
    firm.deliver(DPS, None, "Clendor")
    assert firm.rows(AJERA, "AxVec", "vecDescription", "vecCity") == [("Hill", "Oslo")]
    assert {link.state for link in firm.links()} == {State.LINKED}
    assert len(firm.writes(AJERA)) == 2


def test_an_edit_whose_row_another_process_looks_at_meanwhile_is_carried_over(
    firm: World,
) -> None:
    """Whoever gave the write up has made it, or the one whose write it was makes another."""
    firm.client(1, "Hill", vecCity="Oslo")
    firm.settle()
    firm.edit(DPS, "Clendor", Name="Bob's")
    firm.edit(DPS, "CLAddress", City="Bergen")
    overtaken(firm, lambda other: other.deliver(DPS, None, "CLAddress"))
    firm.deliver(DPS, None, "Clendor")
    assert firm.rows(AJERA, "AxVec", "vecDescription", "vecCity") == [("Bob's", "Bergen")]
    firm.settle()
    assert firm.rows(DPS, "Clendor", "Name") == ["Bob's"]


def test_an_edit_in_hand_while_another_process_sweeps_is_carried_over(
    firm: World,
) -> None:
    """The snapshot of a new capture is over:
    pairs whose row is there are none of the sweep's business.
    """
    firm.client(1, "Hill")
    firm.settle()
    firm.edit(DPS, "Clendor", Name="Bob's")

    def sweep(other: World) -> None:
        other.exchange.sweep.ended(AJERA, 2)
        other.exchange.sweep.advance(at_once)

    overtaken(firm, sweep)
    firm.deliver(DPS)
    assert firm.rows(AJERA, "AxVec", "vecDescription") == ["Bob's"]
