"""Matching by name, and the cap on contacts."""

from __future__ import annotations

from pipeline.conflicts.linking import (
    Candidate,
    Creates,
    Links,
    Parks,
    admit,
    match,
)
from pipeline.errors import ParkReason


def test_one_row_of_the_name_links_whatever_its_case() -> None:
    """ACME SUPPLIES is Acme Supplies."""
    assert match(
        "ACME SUPPLIES ",
        [Candidate("1", "Acme Supplies"), Candidate("2", "Acme")],
    ) == Links("1")


def test_several_rows_of_the_name_park() -> None:
    """Nobody guesses which; a person is told what to do."""
    found = match("Acme", [Candidate("2", "acme"), Candidate("1", "Acme")])
    assert isinstance(found, Parks)
    assert (found.reason, found.keys) == (ParkReason.AMBIGUOUS_MATCH, ("1", "2"))


def test_no_row_of_the_name_creates() -> None:
    """Nothing matches, so a counterpart is made; a blank name matches nothing."""
    assert match("Acme", []) == Creates()
    assert match(" ", [Candidate("1", "")]) == Creates()


def test_a_project_whose_namesake_is_not_exchanged_parks_with_the_vendors_remedy() -> None:
    """Creating it would make two of a name; elsewhere a row that is not flagged does not matter."""
    namesake = [Candidate("9", "Bridge", is_flagged=False)]
    found = match("bridge", namesake, namesakes_park=True)
    assert isinstance(found, Parks)
    assert found.reason is ParkReason.NAMESAKE_NOT_FLAGGED
    assert "Sync to CRM" in found.hint
    assert match("bridge", namesake) == Creates()
    assert match("bridge", [*namesake, Candidate("3", "Bridge")], namesakes_park=True) == Links("3")


def test_the_sixth_contact_is_parked() -> None:
    """Five fit, a raised limit or none lets more in."""
    assert admit(4, 5) is None
    parks = admit(5, 5)
    assert parks is not None
    assert parks.reason is ParkReason.CONTACTS_FULL
    assert admit(5, 20) is None
    assert admit(500, None) is None
