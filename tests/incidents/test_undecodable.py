"""Incidents of one table that nobody can read: a renamed column, an unknown schema id. Each halts
or delays its own partition; every other table continues.

They come last: there is no command yet by which the messages between are skipped.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from deploy.demo.consumers import EXCHANGE, TO_PIM
from tests.incidents.conftest import Town
from tests.incidents.firm import Firm
from tests.support.live import wait_until

pytestmark = pytest.mark.stack
UNKNOWN_ID = 9_999
ROUTES = (TO_PIM, EXCHANGE)
RENAME = 'ALTER TABLE "AxProject" RENAME COLUMN "{}" TO "{}"'


@pytest.fixture(scope="module")
def last(town: Town) -> Iterator[Firm]:
    """A firm that is given up afterwards."""
    yield town.firm()
    town.give_up()


def test_a_column_is_renamed(last: Firm) -> None:
    """The table halts and the place is named; clients still arrive in both targets."""
    code, live = "decode.contract", last.live
    topic = f"{live.name}.AxProject"
    with last.edits():
        live.edit('ALTER TABLE "AxProject" DISABLE TRIGGER remember')
        live.edit(RENAME.format("prjDescription", "prjTitle"))
        live.edit('UPDATE "AxProject" SET "prjTitle" = %s WHERE "prjKey" = 1', "meanwhile")
        seen = last.shows(
            lambda seen: all(code in seen.reasons(route) for route in ROUTES),
            "the health of both consumers names the code",
        )
        for route in ROUTES:
            assert seen.health[route]["state"] == "halted"
            assert topic in str(seen.health[route]["reasons"])
            assert "AxProject.prjDescription" in seen.reasons(route)
            assert seen.metric(route, "pipeline_halted_partitions") >= 1
        continues(last)


def test_a_schema_id_is_unknown(last: Firm) -> None:
    """Its own partition waits, and the place is named; clients still arrive in both targets."""
    code, topic = "registry.unknown", f"{last.live.name}.AxInvoiceGroup"
    kafka = Producer({"bootstrap.servers": last.live.stack.bootstrap})
    with last.edits():
        kafka.produce(topic, key=b'{"igKey":1}', value=b"\0" + struct.pack(">i", UNKNOWN_ID))
        assert kafka.flush(10) == 0
        seen = last.shows(
            lambda seen: all(code in seen.reasons(route) for route in ROUTES),
            "the health of both consumers names the code",
        )
        for route in ROUTES:
            assert str(UNKNOWN_ID) in seen.reasons(route)
            assert topic in str(seen.health[route]["reasons"])
        continues(last)


def continues(firm: Firm) -> None:
    """An edit of a client arrives in PIM and in DPS."""
    name = f"Client {firm.edited}"
    firm.live.edit('UPDATE "AxVec" SET "vecDescription" = %s WHERE "vecKey" = 5', name)
    in_dps = 'SELECT count(*) FROM "Clendor" WHERE "Name" = %s'
    wait_until(lambda: firm.live.organization(5) == name, "PIM has the edit", 15)
    wait_until(lambda: firm.dps.execute(in_dps, [name]).fetchone() == (1,), "DPS has it", 15)
