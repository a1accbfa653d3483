"""`link`, `conflicts` and `schema` on two filled databases, without Kafka."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.local.stack import Stack
from pipeline.conflicts.rules import Side
from tests.support.outbox import World, world

AJERA, DPS = Side.AJERA, Side.DPS


@pytest.fixture
def filled(postgres: Stack) -> Iterator[World]:
    """Two firms of the same name, one on each side alone, two of one name, and contacts."""
    with world(postgres) as made:
        made.client(
            1,
            "Hill & Co",
            vecWebsite="hill.example",
            vecCity="Oslo",
            vecClientNotes="Ann's",
        )
        made.client(2, "Only Ajera", vecCity="First")
        made.client(3, "Twice")
        made.firm("A1", "HILL & CO", WebSite="hills.example", Memo="Bob's")
        made.insert(
            DPS,
            "CLAddress",
            ClientID="A1",
            Address="Main",
            PrimaryInd="Y",
            City="Bergen",
        )
        made.firm("A2", "Only DPS")
        made.firm("A3", "Twice")
        made.firm("A4", "twice")
        yield made


def test_a_rehearsal_says_what_would_happen_and_changes_nothing(
    filled: World,
) -> None:
    """Links, creations, what is parked and which lines of linked pairs differ."""
    found = filled.command("link", "--dry-run")
    firm = next(one for one in found["entities"] if one["entity"] == "firm")
    assert (
        firm["linked"],
        firm["created_in_dps"],
        firm["created_in_ajera"],
    ) == (1, 1, 1)
    assert firm["parked"] == {"exchange.ambiguous_match": 3}
    assert firm["differing"] == {
        "notes: parked": 1,
        "website: parked": 1,
        "name: ajera wins": 1,
    }
    assert filled.links() == []
    assert filled.parked() == {}
    assert filled.writes(AJERA) == filled.writes(DPS) == []


def test_the_first_run_does_what_the_rehearsal_said_and_again_nothing(
    filled: World,
) -> None:
    """The second run finds everything linked."""
    told = filled.command("link", "--dry-run")["entities"]
    done = filled.command("link", "--yes")["entities"]
    assert done == told
    assert (
        filled.do(
            DPS,
            'SELECT count(*) FROM "Clendor" WHERE "Name" = %s',
            "Only Ajera",
        )
        == 1
    )
    assert (
        filled.do(
            AJERA,
            'SELECT count(*) FROM "AxVec" WHERE "vecDescription" = %s',
            "Only DPS",
        )
        == 1
    )
    writes = filled.writes(AJERA), filled.writes(DPS)
    again = filled.command("link", "--yes")["entities"]
    assert all(
        one["linked"] == one["created_in_dps"] == one["created_in_ajera"] == 0 for one in again
    )
    assert (filled.writes(AJERA), filled.writes(DPS)) == writes


def test_what_is_parked_is_shown_and_decided_by_a_side_or_by_a_value(
    filled: World,
) -> None:
    """The decision reaches both sides; reversed, the other value does."""
    filled.command("link", "--yes")
    found = filled.command("conflicts", "list")
    notes = next(one for one in found["parked"] if one["line"] == "notes")
    assert (notes["ajera"], notes["dps"]) == ("Ann's", "Bob's")
    words = ("conflicts", "resolve", notes["link"], "notes", "--take", "dps", "--dry-run")
    (change,) = filled.command(*words)["changes"]
    assert (change["side"], change["table"], change["column"]) == (
        "ajera",
        "AxVec",
        "vecClientNotes",
    )
    assert (change["before"], change["after"]) == ("Ann's", "Bob's")
    filled.settle()
    assert filled.do(AJERA, 'SELECT "vecClientNotes" FROM "AxVec" WHERE "vecKey" = 1') == "Ann's"
    assert notes in filled.command("conflicts", "list")["parked"]
    filled.command("conflicts", "resolve", notes["link"], "notes", "--take", "dps")
    filled.settle()
    assert filled.do(AJERA, 'SELECT "vecClientNotes" FROM "AxVec" WHERE "vecKey" = 1') == "Bob's"
    filled.command(
        "conflicts",
        "resolve",
        notes["link"],
        "website",
        "--value",
        "www.hill.example",
        "--as",
        "dps",
    )
    filled.settle()
    assert (
        filled.do(AJERA, 'SELECT "vecWebsite" FROM "AxVec" WHERE "vecKey" = 1')
        == "www.hill.example"
    )
    assert (
        filled.do(
            DPS,
            'SELECT "WebSite" FROM "Clendor" WHERE "ClientID" = %s',
            "A1",
        )
        == "www.hill.example"
    )
    assert not [
        one
        for one in filled.command("conflicts", "list")["parked"]
        if one["line"] in ("notes", "website")
    ]


def test_a_decided_conflict_is_shown_with_both_values_and_can_be_reversed(
    filled: World,
) -> None:
    """The newer edit won; then the older one does."""
    filled.command("link", "--yes")
    filled.settle()
    filled.do(AJERA, 'UPDATE "AxVec" SET "vecCity" = %s WHERE "vecKey" = 2', "Old")
    filled.do(
        DPS,
        'UPDATE "CLAddress" SET "City" = %s WHERE "ClientID" <> %s',
        "New",
        "A1",
    )
    filled.settle()
    log = filled.command("conflicts", "list")["log"]
    number = next(
        one["number"]
        for one in log
        if one["line"] == "city" and one["kind"] == "update_origin_differs"
    )
    shown = filled.command("conflicts", "show", str(number))
    assert (shown["ajera"], shown["dps"], shown["winner"]) == (
        "Old",
        "New",
        "dps",
    )
    rehearsed = filled.command("conflicts", "reverse", str(number), "--dry-run")["changes"]
    assert {(one["column"], one["before"], one["after"]) for one in rehearsed} == {
        ("vecCity", "New", "Old"),
        ("City", "New", "Old"),
    }
    filled.settle()
    assert filled.do(AJERA, 'SELECT "vecCity" FROM "AxVec" WHERE "vecKey" = 2') == "New"
    filled.command("conflicts", "reverse", str(number))
    filled.settle()
    assert filled.do(AJERA, 'SELECT "vecCity" FROM "AxVec" WHERE "vecKey" = 2') == "Old"
    assert (
        filled.do(
            DPS,
            'SELECT "City" FROM "CLAddress" WHERE "ClientID" <> %s',
            "A1",
        )
        == "Old"
    )


def test_a_number_that_is_not_in_the_log_is_wrong_usage(
    filled: World,
) -> None:
    """With a code, and nothing changed."""
    assert filled.command("conflicts", "show", "77", expect=2) == {}
    assert (
        filled.command(
            "conflicts",
            "resolve",
            "nowhere",
            "name",
            "--take",
            "dps",
            expect=2,
        )
        == {}
    )
