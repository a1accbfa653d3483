"""The exchange on two real databases, its events delivered by hand: late, again,
and with the process dying in between.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.local.stack import Stack
from pipeline.conflicts.rules import Side
from tests.support.outbox import World, world

AJERA, DPS = Side.AJERA, Side.DPS


@pytest.fixture
def firm(postgres: Stack) -> Iterator[World]:
    with world(postgres) as made:
        yield made


def test_a_client_made_in_ajera_is_made_in_dps_with_its_address(
    firm: World,
) -> None:
    """One row each, and no echo is written back."""
    firm.client(1, "Hill & Co", vecWebsite="hill.example", vecCity="Oslo")
    firm.settle()
    assert firm.do(DPS, 'SELECT "Name" FROM "Clendor"') == "Hill & Co"
    assert firm.do(DPS, 'SELECT "City" FROM "CLAddress"') == "Oslo"
    assert firm.writes(AJERA) == []
    assert [(table, operation) for table, operation, _, _ in firm.writes(DPS)] == [
        ("Clendor", "c"),
        ("CLAddress", "c"),
    ]


def test_an_edit_is_carried_over_once_and_its_echo_leads_to_nothing(
    firm: World,
) -> None:
    """In both directions."""
    firm.client(1, "Hill & Co", vecWebsite="hill.example")
    firm.settle()
    firm.do(DPS, 'UPDATE "Clendor" SET "Name" = %s', "Hill and Company")
    firm.do(AJERA, 'UPDATE "AxVec" SET "vecWebsite" = %s', "hills.example")
    firm.settle()
    assert firm.do(AJERA, 'SELECT "vecDescription" FROM "AxVec"') == "Hill and Company"
    assert firm.do(DPS, 'SELECT "WebSite" FROM "Clendor"') == "hills.example"
    assert len(firm.writes(AJERA)) == 1
    assert len(firm.writes(DPS)) == 2
    assert firm.parked() == {}
