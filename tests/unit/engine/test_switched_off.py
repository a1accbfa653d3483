"""Entities that are switched off: nothing waits for their rows,
and nothing is made for rows that cannot be.
"""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.model.event import Event, Value
from tests.support.engine import Consumer, ready
from tests.support.events import event
from tests.twins.target import MemoryTarget

ALL = frozenset({"projects", "clients", "contacts", "employees", "vendors"})


def pim_without(
    entity: str, batches: list[list[Event]], held: tuple[str, ...] = ()
) -> tuple[MemoryTarget, Consumer]:
    """What becomes of these batches with one entity off; `held`:
    organizations that PIM has from before.
    """
    target = ready(MemoryTarget(AJERA_TO_PIM))
    with target.transaction() as transaction:
        transaction.create_missing(
            "Organization",
            [{"Organization ID": key, "Name": key} for key in held],
        )
    consumer = Consumer(
        target,
        [one for batch in batches for one in batch],
        route=AJERA_TO_PIM.only(ALL - {entity}),
    )
    for batch in batches:
        consumer.take(batch)
    return target, consumer


def both() -> Event:
    """A company that is client and vendor."""
    return event(
        "AxVec",
        1,
        at=1,
        vecIsClient=True,
        vecIsVendor=True,
        vecDescription="x",
    )


@pytest.mark.parametrize(("off", "column"), [("clients", "cntClient"), ("vendors", "cntVendor")])
def test_a_contact_of_a_kind_that_is_off_does_not_wait(off: str, column: str) -> None:
    """It is written without an organization,
    though its company's row is mirrored for the other kind.
    """
    columns: dict[str, Value] = {"cntLastName": "Solo", column: 1}
    contact = event("AxContact", 7, at=2)
    contact = replace(contact, row={**contact.row, **columns})
    target, consumer = pim_without(off, [[both()], [contact]])
    assert [(row["Surname"], row["Organization ID"]) for row in target.rows("Contact")] == [
        ("Solo", None)
    ]
    assert consumer.telemetry.ended["written", ""] == 2
    with target.transaction() as transaction:
        assert transaction.waiting_count() == 0


@pytest.mark.parametrize("cut", [(0, 1, 2, 3), (0, 3), (0, 1, 3), (0, 2, 3)])
def test_a_contact_that_moves_to_a_kind_that_is_off_ends_without_organization(
    cut: tuple[int, ...],
) -> None:
    """However the events are cut into batches."""
    events = [
        both(),
        event("AxContact", 7, at=2, cntVendor=1),
        event("AxContact", 7, at=3, cntClient=1),
    ]
    target, _ = pim_without("clients", [events[first:last] for first, last in pairwise(cut)])
    assert [row["Organization ID"] for row in target.rows("Contact")] == [None]


def test_an_organization_that_pim_has_from_before_is_referred_to() -> None:
    """What was synced before the switch was turned stays in PIM, and its contacts with it."""
    target, _ = pim_without(
        "clients",
        [[event("AxContact", 7, at=2, cntClient=1)]],
        held=("cl-1",),
    )
    assert [row["Organization ID"] for row in target.rows("Contact")] == ["cl-1"]


def test_a_contact_of_a_kind_that_is_on_still_waits() -> None:
    """The other kind being off changes nothing for it."""
    vendor = event("AxVec", 1, at=2, vecIsVendor=True, vecDescription="x")
    target, consumer = pim_without("clients", [[event("AxContact", 7, at=1, cntVendor=1)]])
    assert consumer.telemetry.ended == {("parked", "waiting"): 1}
    later = Consumer(target, [vendor], route=AJERA_TO_PIM.only(ALL - {"clients"}))
    later.take([vendor])
    assert [row["Organization ID"] for row in target.rows("Contact")] == ["ve-1"]


def test_with_employees_off_no_role_type_is_made() -> None:
    """No row could use it."""
    employee = event("AxVec", 5, at=1, vecIsEmployee=True)
    project = event("AxProject", 1, at=2, prjStatus=1, prjProjectManager=5)
    resource = event(
        "AxResource",
        1,
        at=3,
        resProject=1,
        resEmployee=5,
        resRole="Drafter",
    )
    events = [employee, project, resource]
    random.Random(7).shuffle(events)
    target, _ = pim_without("employees", [events])
    assert target.rows("Role_Type") == []
    assert target.rows("Project_Contact") == []
    assert len(target.rows("Project")) == 1
