"""What keeps an event from being decided on the document of its link alone, over both systems in
memory: each batch holds all that was typed since the one before.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.conflicts.link import State
from pipeline.domain.dps import CL_ADDRESS, CLENDOR
from pipeline.domain.exchange_tables import AX_VEC
from pipeline.model.event import Value
from tests.support.two_systems import AJERA, DPS, TwoSystems

LATER = timedelta(hours=2)  # beyond the time in which a row is looked at that was just linked
SEED = 2  # of which our own writes are told from edits by their places in the log
KINDS = {"vecIsClient": True, "vecIsVendor": False, "vecIsEmployee": False}


class OneFirm(TwoSystems):
    """A firm that is linked, and of which nothing waits."""

    def __init__(self, **columns: Value) -> None:
        super().__init__(SEED)
        with self.pairs.transaction() as transaction:
            assert transaction.rows.log_position() is not None
        self.turns.deaths = 0
        ticked: dict[str, Value] = {**KINDS, "vecSyncToCRM": True, "vecStatus": 1}
        self.people[AJERA].insert(AX_VEC, vecKey=1, vecDescription="Hill", **ticked, **columns)
        self.settle()
        self.clock.wait(LATER)
        self.in_ajera(vecWebsite="first.example")
        self.settle()
        self.clock.wait(LATER)

    def in_ajera(self, **columns: Value) -> None:
        self.people[AJERA].edit(AX_VEC, "1", **columns)

    def in_dps(self, **columns: Value) -> None:
        (key,) = self.keys(CLENDOR)
        self.people[DPS].edit(CLENDOR, key, **columns)

    def address(self, **columns: Value) -> None:
        (key,) = self.keys(CL_ADDRESS)
        self.people[DPS].edit(CL_ADDRESS, key, **columns)

    def websites(self) -> tuple[Value, Value]:
        """Ajera's and DPS's."""
        (ours,) = self.people[AJERA].database.rows("AxVec")
        (theirs,) = self.people[DPS].database.rows("Clendor")
        return ours["vecWebsite"], theirs["WebSite"]


def test_the_first_address_of_a_linked_firm_is_made_though_its_edit_is_plain() -> None:
    """One event edits the firm and begins the address."""
    firm = OneFirm()
    firm.in_ajera(vecWebsite="second.example", vecCity="Oslo")
    firm.settle()
    assert firm.websites() == ("second.example", "second.example")
    (made,) = firm.people[DPS].database.rows("CLAddress")
    assert made["City"] == "Oslo"


def test_what_is_typed_while_a_row_is_unticked_goes_nowhere() -> None:
    """One event unticks it and edits it."""
    firm = OneFirm()
    firm.in_ajera(vecWebsite="second.example", vecSyncToCRM=False)
    firm.settle()
    assert firm.websites() == ("second.example", "first.example")
    firm.in_ajera(vecSyncToCRM=True)
    firm.settle()
    assert firm.websites() == ("second.example", "second.example")


def test_edits_of_one_row_in_one_batch_are_carried_over_one_after_the_other() -> None:
    """The last one stands."""
    firm = OneFirm()
    firm.in_ajera(vecWebsite="second.example")
    firm.in_ajera(vecWebsite="third.example")
    firm.settle()
    assert firm.websites() == ("third.example", "third.example")


def test_a_row_that_was_deleted_and_made_again_in_one_batch_ends_its_pair() -> None:
    """The event after one that is not plain is not decided before it."""
    firm = OneFirm()
    firm.people[AJERA].delete(AX_VEC, "1")
    kinds: dict[str, Value] = {**KINDS, "vecSyncToCRM": True, "vecStatus": 1}
    firm.people[AJERA].insert(AX_VEC, vecKey=1, vecDescription="Hill", **kinds)
    firm.settle()
    assert State.ENDED in [link.state for link in firm.pairs.links() if link.entity == "firm"]


def test_a_row_that_is_unticked_after_an_event_that_changes_nothing_stays_unticked() -> None:
    """The one is plain and the other not: both are kept, of one link in one batch."""
    firm = OneFirm()
    firm.in_ajera(vecPhone2="1")
    firm.in_ajera(vecSyncToCRM=False)
    firm.settle()
    (link,) = [one for one in firm.pairs.links() if one.entity == "firm"]
    assert link.off == {AJERA}


@pytest.mark.parametrize("is_at_once", [True, False], ids=["in one batch", "before"])
def test_an_address_follows_its_firm_that_is_unticked(is_at_once: bool) -> None:
    """Also where the firm's own event came before the address's in the same batch."""
    firm = OneFirm(vecCity="Oslo")
    firm.in_dps(AjeraSync="N")
    if not is_at_once:
        firm.settle()
    firm.address(City="Rome")
    firm.settle()
    (ours,) = firm.people[AJERA].database.rows("AxVec")
    assert ours["vecCity"] == "Oslo"


def test_an_edit_whose_row_was_edited_meanwhile_stays_asked_for() -> None:
    """Nothing is written over what its event has not shown yet; then the later one wins."""
    firm = OneFirm()
    firm.in_dps(WebSite="theirs.example")
    firm.in_ajera(vecWebsite="ours.example")
    firm.settle()
    assert firm.websites() == ("ours.example", "ours.example")
