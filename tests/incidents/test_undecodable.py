"""Incidents of one table that nobody can read: a renamed column, an unknown schema id. Each stops
its own partition; every other table continues, and what is skipped is read again.
"""

from __future__ import annotations

import struct

import pytest
from confluent_kafka import Producer

from deploy.demo.consumers import EXCHANGE, TO_PIM
from pipeline.errors import ExitCode
from tests.incidents.firm import Firm
from tests.incidents.seen import Seen
from tests.support.live import wait_until

pytestmark = pytest.mark.stack
UNKNOWN_ID = 9_999
ROUTES = (TO_PIM, EXCHANGE)
RENAME = 'ALTER TABLE "AxProject" RENAME COLUMN "{}" TO "{}"'


def test_a_column_is_renamed(firm: Firm) -> None:
    """The table halts and the place is named; clients still arrive in both targets. The column gets
    its name back, and what was written between is skipped and read again.
    """
    code, live = "decode.contract", firm.live
    topic = f"{live.name}.AxProject"
    with firm.edits():
        live.edit('ALTER TABLE "AxProject" DISABLE TRIGGER remember')
        live.edit(RENAME.format("prjDescription", "prjTitle"))
        live.edit('UPDATE "AxProject" SET "prjTitle" = %s WHERE "prjKey" = 1', "meanwhile")
        seen = halted(firm, topic, code)
        assert seen.status_code == ExitCode.HALTED
        for route in ROUTES:
            assert seen.health[route]["state"] == "halted"
            assert "AxProject.prjDescription" in seen.reasons(route)
        continues(firm)
        live.edit(RENAME.format("prjTitle", "prjDescription"))
        live.edit('ALTER TABLE "AxProject" ENABLE TRIGGER remember')
        # The judge saw nothing of that edit.
        live.edit(
            'UPDATE history."AxProject" SET "prjDescription" = \'meanwhile\' WHERE "prjKey" = 1'
        )
        healed(firm, seen, topic, code)
        firm.wait_until_healthy()
        assert firm.person(code).is_over()


def test_a_schema_id_is_unknown(firm: Firm) -> None:
    """Its own partition waits, and the place is named; clients still arrive in both targets. The
    message, which no connector wrote, is skipped.
    """
    code, topic = "registry.unknown", f"{firm.live.name}.AxInvoiceGroup"
    kafka = Producer({"bootstrap.servers": firm.live.stack.bootstrap})
    with firm.edits():
        kafka.produce(topic, key=b'{"igKey":1}', value=b"\0" + struct.pack(">i", UNKNOWN_ID))
        assert kafka.flush(10) == 0
        seen = halted(firm, topic, code)
        assert seen.status_code == ExitCode.DEGRADED
        for route in ROUTES:
            assert str(UNKNOWN_ID) in seen.reasons(route)
        continues(firm)
        healed(firm, seen, topic, code)
        firm.wait_until_healthy()
        assert firm.person(code).is_over()


def halted(firm: Firm, topic: str, code: str) -> Seen:
    """Status, lag, health and metrics of both routes name the partition."""
    seen = firm.shows(
        lambda seen: all(
            seen.halt(route, topic)
            and code in seen.reasons(route)
            and (seen.metric(route, "pipeline_delay_oldest_seconds", topic=topic) or 0) > 0
            for route in ROUTES
        ),
        "status and the health of both consumers name the place, and a metric its delay",
    )
    assert topic in seen.problems
    for route in ROUTES:
        assert seen.metric(route, "pipeline_halted_partitions", topic=topic, code=code) == 1
        assert seen.route(route)["lag"] > 0
        assert seen.route(route)["delay_seconds"] > 0
    return seen


def healed(firm: Firm, seen: Seen, topic: str, code: str) -> None:
    """Type the page for both routes, from the offset that status shows."""
    for route in ROUTES:
        halt = seen.halt(route, topic)
        assert halt is not None
        place = {"ROUTE": route, "TOPIC": topic, "PARTITION": "0", "OFFSET": str(halt["offset"])}
        table = topic.rpartition(".")[2]
        firm.person(code).heal(**place, SOURCE="ajera", TABLE=table)


def continues(firm: Firm) -> None:
    """An edit of a client arrives in PIM and in DPS."""
    name = f"Client {firm.edited}"
    firm.live.edit('UPDATE "AxVec" SET "vecDescription" = %s WHERE "vecKey" = 5', name)
    in_dps = 'SELECT count(*) FROM "Clendor" WHERE "Name" = %s'
    wait_until(lambda: firm.live.organization(5) == name, "PIM has the edit", 15)
    wait_until(lambda: firm.dps.execute(in_dps, [name]).fetchone() == (1,), "DPS has it", 15)
