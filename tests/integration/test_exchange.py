"""Ajera and DPS kept in step on the real stack: Debezium on both databases, and every write as the databases log it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.local.stack import Stack
from tests.support.exchange import Exchanged, live_exchange
from tests.support.live import wait_until

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def firm(stack: Stack) -> Iterator[Exchanged]:
    """Both databases captured, and one consumer running."""
    with live_exchange(stack, "exchange") as exchanged:
        exchanged.audited()
        with exchanged.consumers() as members:
            yield exchanged
            print(members[0].tail()[-6000:])


def test_a_client_made_in_ajera_is_made_in_dps_and_edits_go_both_ways(firm: Exchanged) -> None:
    """Each edit is written once on the other side, and no echo is written back."""
    firm.client(1, "Hill & Co", vecWebsite="hill.example")
    wait_until(lambda: firm.in_dps('SELECT "Name" FROM "Clendor"') == "Hill & Co", "the firm is in DPS")
    firm.in_dps('UPDATE "Clendor" SET "Name" = %s', "Hill and Company")
    wait_until(
        lambda: firm.in_ajera('SELECT "vecDescription" FROM "AxVec" WHERE "vecKey" = 1') == "Hill and Company",
        "the new name is in Ajera",
    )
    firm.in_ajera('UPDATE "AxVec" SET "vecWebsite" = %s WHERE "vecKey" = 1', "hills.example")
    wait_until(lambda: firm.in_dps('SELECT "WebSite" FROM "Clendor"') == "hills.example", "the new site is in DPS")
    print(firm.writes("dps"), firm.writes("ajera"))
