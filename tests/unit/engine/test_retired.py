"""A row that is deleted, or a project that became a phase,
leaves its PIM rows with the last values they had.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pipeline.model.event import Event, Value
from pipeline.model.ledger import Mark, Waiting
from tests.support.events import event
from tests.support.orders import cuts, orders, pim_after
from tests.twins.target import MemoryTarget


def client(at: int, name: str = "Acme", key: int = 101, **columns: Value) -> Event:
    return made("AxVec", key, at, vecIsClient=True, vecDescription=name, **columns)


def employee(at: int, key: int = 5, *, flag: bool = True) -> Event:
    return made("AxVec", key, at, vecIsEmployee=flag)


def project(at: int, name: str = "Library", key: int = 500, **columns: Value) -> Event:
    one = made("AxProject", key, at, prjStatus=1, prjDescription=name)
    return replace(one, row={**one.row, **columns})


def group(at: int, to: int = 101, key: int = 1, of: int = 500) -> Event:
    return made("AxInvoiceGroup", key, at, igProject=of, igClient=to)


def resource(at: int, who: int = 5, role: str = "Drafter", of: int = 500) -> Event:
    return made("AxResource", 1, at, resProject=of, resEmployee=who, resRole=role)


def gone(at: int, table: str = "AxProject", key: int = 500) -> Event:
    return event(table, key, "d", at=at, partition=key)


def phase(at: int, name: str = "Phase", **columns: Value) -> Event:
    one = project(at, name, prjProject=7)
    return replace(one, row={**one.row, **columns})


def made(table: str, key: int, at: int, **columns: Value) -> Event:
    one = event(table, key, at=at, partition=key)
    return replace(one, row={**one.row, **columns})


def shown(target: MemoryTarget, *columns: str) -> list[tuple[object, ...]]:
    return [tuple(row[column] for column in columns) for row in target.rows("Project")]


def roles(target: MemoryTarget) -> list[tuple[object, ...]]:
    return [(row["Role Type"], row["Contact ID"]) for row in target.rows("Project_Contact")]


BOTH = ("AxProject deleted", "AxProject became a phase")


def retiring(how: str, at: int) -> Event:
    return (
        gone(at)
        if how == BOTH[0]
        else phase(at, "other", prjID="other", prjStatus=5, prjProjectManager=5)
    )


AFTER = {
    "its client is renamed": lambda at: client(at, "Apex"),
    "its client is deleted": lambda at: gone(at, "AxVec", 101),
    "its group is deleted": lambda at: gone(at, "AxInvoiceGroup", 1),
    "its group gets another client": lambda at: group(at, 102),
    "its group goes to another project": lambda at: group(at, 101, of=501),
    "a group with a lower key comes": lambda at: group(at, 102, key=0),
    "its resource is deleted": lambda at: gone(at, "AxResource", 1),
    "its resource gets another role": lambda at: resource(at, role="Lead"),
    "its resource goes to another project": lambda at: resource(at, of=501),
    "somebody becomes an employee": lambda at: employee(at, 6),
}


@pytest.mark.parametrize("how", BOTH)
@pytest.mark.parametrize("after", sorted(AFTER))
def test_what_hangs_on_a_retired_project_changes_nothing_however_the_log_is_cut(
    how: str, after: str
) -> None:
    """Neither its row nor its people: in PIM it is as it was."""
    events = [
        *(
            client(1),
            client(2, "Other", 102),
            employee(3),
            employee(4, 6, flag=False),
        ),
        *(
            project(5, prjPrincipalInCharge=6),
            group(6),
            resource(7),
            retiring(how, 8),
            AFTER[after](9),
        ),
    ]
    head = events[:7]
    for batches in cuts(events[7:]):
        for first in ([head], [[one] for one in head]):
            target = pim_after([*first, *batches])
            assert shown(target, "Project ID", "Name", "Client") == [("500", "Library", "Acme")], (
                batches
            )
            assert roles(target) == [("Drafter", "em-5")]
    target = pim_after([events])
    assert shown(target, "Project ID", "Name", "Client") == [("500", "Library", "Acme")]
    assert roles(target) == [("Drafter", "em-5")]


@pytest.mark.parametrize("how", BOTH)
def test_what_was_committed_before_a_retirement_and_is_read_after_it_counts(
    how: str,
) -> None:
    """Whatever the order of the topics: the position tells,
    and the newest of each row was committed before.
    """
    events = [
        employee(1),
        project(2),
        group(3),
        resource(4),
        client(5),
        retiring(how, 6),
    ]
    for order in orders(events):
        target = pim_after([[one] for one in order])
        assert shown(target, "Name", "Client") == [("Library", "Acme")]
        assert roles(target) == [("Drafter", "em-5")]


@pytest.mark.parametrize("table", ["AxInvoiceGroup", "AxResource"])
def test_a_delete_that_is_read_before_the_earlier_one_of_its_project_is_made_good(
    table: str,
) -> None:
    """What a deleted row held is known, and so is that it was there."""
    events = [
        client(1),
        employee(2),
        project(3),
        group(4),
        resource(5),
        gone(6),
        gone(7, table, 1),
    ]
    for batches in (
        [events],
        [[one] for one in (*events[:5], events[6], events[5])],
    ):
        target = pim_after(batches)
        assert shown(target, "Client") == [("Acme",)]
        assert roles(target) == [("Drafter", "em-5")]


def test_a_group_that_was_deleted_before_its_project_shows_no_client() -> None:
    """That is the last that the project had."""
    events = [
        client(1),
        project(2),
        group(3),
        gone(4, "AxInvoiceGroup", 1),
        gone(5),
    ]
    for batches in cuts(events):
        assert shown(pim_after(batches), "Client") == [(None,)]


def test_a_phase_that_was_a_project_is_not_written_and_a_project_again_it_is() -> None:
    """Name, code, status and people of the phase are its own."""
    events = [
        *(
            employee(1),
            employee(2, 6),
            project(3, "first", prjID="P", prjProjectManager=5),
        ),
        *(
            phase(4, "phase", prjID="Q", prjStatus=5, prjProjectManager=6),
            phase(5, "still", prjID="R"),
        ),
    ]
    again = project(6, "again", prjID="S", prjStatus=2, prjProjectManager=6)
    for batches in cuts(events):
        target = pim_after(batches)
        assert shown(target, "Name", "Project Code", "Status") == [("first", "P", "Active")]
        assert roles(target) == [("Project Manager", "em-5")]
        target = pim_after([*batches, [again]])
        assert shown(target, "Name", "Project Code", "Status") == [("again", "S", "Hold")]
        assert roles(target) == [("Project Manager", "em-6")]
    assert shown(pim_after([[*events, again]]), "Name", "Project Code") == [("again", "S")]


def test_a_project_that_is_inserted_again_under_its_key_follows_again() -> None:
    """It is live: its client's new name is shown."""
    events = [
        client(1),
        project(2),
        group(3),
        gone(4),
        project(5, "again"),
        client(6, "Apex"),
    ]
    for batches in cuts(events):
        assert shown(pim_after(batches), "Name", "Client") == [("again", "Apex")]


def test_a_project_that_is_deleted_as_a_phase_keeps_what_it_had_as_a_project() -> None:
    """The delete tells nothing new, and a phase inserted under its key neither."""
    events = [
        client(1),
        project(2),
        group(3),
        phase(4),
        client(5, "Apex"),
        gone(6),
        phase(7, "new"),
    ]
    for batches in cuts(events):
        assert shown(pim_after(batches), "Name", "Client") == [("Library", "Acme")]


def test_notes_that_are_not_sent_when_a_phase_becomes_a_project_again_are_left_as_they_are() -> (
    None
):
    """They may have changed while it was a phase, and nobody told."""
    back = project(3, "again")
    back = replace(
        back,
        row={name: value for name, value in back.row.items() if name != "prjNotes"},
    )
    target = pim_after(
        [
            [project(1, prjNotes="long")],
            [phase(2, prjNotes="other")],
            [back],
        ]
    )
    assert shown(target, "Name", "Description") == [("again", "long")]


OTHERS: Sequence[tuple[str, str, Sequence[Event], Event]] = (
    ("Organization", "Name", (client(1), gone(2, "AxVec", 101)), group(3)),
    (
        "Contact",
        "Forename",
        (made("AxVec", 5, 1, vecIsEmployee=True), gone(2, "AxVec", 5)),
        client(3),
    ),
    (
        "Contact",
        "Surname",
        (
            client(1),
            made("AxContact", 7, 2, cntLastName="Solo", cntClient=101),
            gone(3, "AxContact", 7),
        ),
        client(4, "Apex"),
    ),
)


@pytest.mark.parametrize(("table", "column", "events", "later"), OTHERS)
def test_a_row_of_another_table_that_is_deleted_is_its_peoples_from_then_on(
    table: str, column: str, events: Sequence[Event], later: Event
) -> None:
    """What somebody types there is not written over when something else changes, and another row
    waits for its client meanwhile.
    """
    target = pim_after([events])
    with target.transaction() as transaction:
        ((key, row),) = target.targets[table].rows.items()
        target.targets[table].rows[key] = {**row, column: "typed in PIM"}
        assert transaction.waiting_count() == 0
        other = Waiting(Mark("AxContact", "8", 1), "row.missing", "waits for Organization cl-9")
        transaction.wait([other], datetime.now(UTC))
    from tests.support.engine import Consumer

    Consumer(target, [later]).take([later])
    assert target.rows(table)[0][column] == "typed in PIM"


def test_a_contact_that_was_deleted_before_its_client_is_read_gets_it_when_it_comes() -> None:
    """Order across topics is unknown: what waited when the contact was deleted is completed."""
    events = [
        client(1),
        made("AxContact", 7, 2, cntLastName="Solo", cntClient=101),
        gone(3, "AxContact", 7),
    ]
    for order in orders(events):
        target = pim_after([[one] for one in order])
        assert [row["Organization ID"] for row in target.rows("Contact")] == ["cl-101"]
