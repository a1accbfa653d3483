"""What rows of the target hold, and what is remembered of what we wrote there: the twin in memory
and PostgreSQL always, SQL Server where PIPELINE_TEST_SQLSERVER_URL names one.
"""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest

from pipeline.engine.consumer.ports import Target
from pipeline.mapping.observed import Written
from pipeline.mapping.target import TargetRow
from tests.contracts.beside import Both, both_of
from tests.contracts.conftest import KINDS
from tests.support.tabs import LEAD, PROJECT, TABS, TEAM

PHASE, WHOLE = ("P-1", "1", " "), ("P-1", " ", " ")
LOW = "0" * 32
ODD = 'O\'Hara "q" 日本 🏗'


@pytest.fixture(params=KINDS)
def both(request: pytest.FixtureRequest) -> Both:
    return both_of(request, TABS)


def of(target: Target, table: str, *keys: str) -> dict[str, Written]:
    with target.transaction() as transaction:
        return transaction.written.of(table, keys)


def test_what_rows_hold_is_told_by_key_or_by_id_with_every_column(both: Both) -> None:
    """Of rows that are there, and not of a row beside them."""
    both.people_write(PROJECT.name, *PHASE, AjeraName="phase")
    both.people_write(PROJECT.name, *WHOLE, AjeraName=ODD, AjeraGroups=3)
    member = {"WBS1": "P-1", "WBS2": " ", "WBS3": " ", "Employee": "7", "Role": LEAD}
    both.people_write(TEAM.name, LOW, **member, Hours=Decimal("1.50"), RoleDescription=None)
    with both.ours.transaction() as transaction:
        assert transaction.written.held(PROJECT.name, ["P-1", "P-2"]) == {
            "P-1": {
                **dict(zip(("WBS1", "WBS2", "WBS3"), WHOLE, strict=True)),
                "AjeraName": ODD,
                "AjeraGroups": 3,
                "Memo": None,
            }
        }
        held = transaction.written.held(TEAM.name, [LOW, "f" * 32])
        assert held == {
            LOW: {"RecordID": LOW, **member, "Hours": Decimal("1.5"), "RoleDescription": None}
        }


def test_what_rows_hold_stays_so_until_the_transaction_ends(both: Both) -> None:
    """Who edits meanwhile waits."""
    both.people_write(PROJECT.name, *WHOLE, AjeraName="before")
    edited = threading.Event()

    def edit() -> None:
        both.people_write(PROJECT.name, *WHOLE, AjeraName="mine")
        edited.set()

    person = threading.Thread(target=edit)
    with both.ours.transaction() as transaction:
        assert transaction.written.held(PROJECT.name, ["P-1"])["P-1"]["AjeraName"] == "before"
        person.start()
        assert not edited.wait(0.5)
        row = TargetRow(PROJECT.name, ("P-1",), {"AjeraName": "ours"})
        transaction.upsert(PROJECT.name, [row])
        assert transaction.written.held(PROJECT.name, ["P-1"])["P-1"]["AjeraName"] == "ours"
    person.join(20)
    assert both.held(PROJECT.name, "AjeraName") == {WHOLE: "mine"}


def test_what_was_written_is_remembered_for_its_root_and_forgotten(both: Both) -> None:
    """By table and row; the last one counts."""
    first = Written(("AxProject", "1"), {"AjeraName": ODD, "AjeraGroups": None})
    other = Written(("AxProject", "2"), {"AjeraName": "x"})
    with both.ours.transaction() as transaction:
        transaction.written.remember(PROJECT.name, {"P-1": other, "P-2": first, "P-3": other})
        transaction.written.remember(TEAM.name, {"P-1": first})
        transaction.written.remember(PROJECT.name, {"P-1": first})
        transaction.written.remember(PROJECT.name, {})
    assert of(both.ours, PROJECT.name, "P-1", "P-3", "P-9") == {"P-1": first, "P-3": other}
    assert of(both.ours, TEAM.name, "P-1", "P-2") == {"P-1": first}
    with both.ours.transaction() as transaction:
        assert transaction.written.for_roots([("AxProject", "1"), ("AxProject", "9")]) == {
            (PROJECT.name, "P-1"): first.root,
            (PROJECT.name, "P-2"): first.root,
            (TEAM.name, "P-1"): first.root,
        }
        transaction.written.forget(PROJECT.name, ["P-1", "P-9"])
        transaction.written.forget(PROJECT.name, [])
    assert of(both.ours, PROJECT.name, "P-1", "P-2") == {"P-2": first}
    assert of(both.ours, TEAM.name, "P-1") == {"P-1": first}


def test_rows_that_are_not_there_any_more_are_told_when_their_team_is_written(both: Both) -> None:
    """Those that were ours."""
    row = TargetRow(TEAM.name, ("P-1", "7", LEAD), {"Hours": Decimal(1)})
    made = TEAM.made_id(row.key)
    for lost in (frozenset[str](), frozenset[str](), frozenset({made})):
        if lost:
            both.people_delete(TEAM.name, made)
        with both.ours.transaction() as transaction:
            assert transaction.adopt_children(TEAM.name, {"P-1": [row]}, {}).lost == lost
