"""Rows read before the rows that they refer to, while a first snapshot is being read:
how much that parks.
"""

from __future__ import annotations

from pipeline.domain.routes import AJERA_TO_PIM
from tests.support.engine import Consumer
from tests.support.events import event
from tests.twins.target import MemoryTarget

COUNT = 50
CLIENTS = [
    event("AxVec", n, "r", at=n, vecDescription=f"c{n}", vecIsClient=True)
    for n in range(1, COUNT + 1)
]
PROJECTS = [
    event("AxProject", n, "r", at=n, prjDescription=f"p{n}", prjStatus=1)
    for n in range(1, COUNT + 1)
]
GROUPS = [
    event("AxInvoiceGroup", n, "r", at=n, igProject=n, igClient=n) for n in range(1, COUNT + 1)
]
CONTACTS = [
    event("AxContact", n, "r", at=n, cntLastName=f"n{n}", cntClient=n) for n in range(1, COUNT + 1)
]


def waiting(target: MemoryTarget) -> int:
    with target.transaction() as transaction:
        return transaction.waiting_count()


def test_projects_and_their_invoice_groups_read_before_the_clients_park_nothing() -> None:
    """A client that is not loaded is unknown: its columns are not written yet,
    and nothing waits for it.
    """
    target = MemoryTarget(AJERA_TO_PIM)
    consumer = Consumer(target, [*PROJECTS, *GROUPS, *CLIENTS])
    for events in (PROJECTS, GROUPS, CLIENTS):
        consumer.take(events)
        assert waiting(target) == 0
    assert consumer.telemetry.ended == {("written", ""): 3 * COUNT}


def test_a_contact_read_before_its_client_waits_once_and_until_its_client_comes() -> None:
    """No row but those that wait is parked, and none is left when the clients were read."""
    target = MemoryTarget(AJERA_TO_PIM)
    consumer = Consumer(target, [*CONTACTS, *CLIENTS])
    consumer.take(CONTACTS)
    assert waiting(target) == COUNT
    consumer.take(CLIENTS)
    assert waiting(target) == 0
