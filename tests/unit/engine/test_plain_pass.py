"""What keeps an event from being decided on the document of its link alone, over both systems in
memory: each batch holds all that was typed since the one before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest

from pipeline.conflicts.link import Link, State
from pipeline.conflicts.rules import Rule, with_rules
from pipeline.domain.ajera import AX_INVOICE_GROUP
from pipeline.domain.dps import CL_ADDRESS, CLENDOR, CONTACTS
from pipeline.domain.exchange_tables import AX_CONTACT, AX_PROJECT, AX_VEC
from pipeline.engine.exchange.unit_of_work import ExchangeConfig
from pipeline.mapping.source import SourceTable
from pipeline.model.event import Event, Operation, Value
from tests.support.two_systems import AJERA, DPS, Crash, TwoSystems
from tests.twins.topics import INCARNATION, messages

T = TypeVar("T")

LATER = timedelta(hours=2)  # beyond the time in which a row is looked at that was just linked
SEED = 2  # of which our own writes are told from edits by their places in the log
KINDS = {"vecIsClient": True, "vecIsVendor": False, "vecIsEmployee": False}
TICKED: dict[str, Value] = {**KINDS, "vecSyncToCRM": True, "vecStatus": 1}


class OneFirm(TwoSystems):
    """A firm that is linked, and of which nothing waits."""

    def __init__(self, **columns: Value) -> None:
        super().__init__(SEED)
        with self.pairs.transaction() as transaction:
            assert transaction.rows.log_position() is not None
        self.turns.deaths = 0
        self.new("Hill", 1, **columns)
        self.settle()
        self.clock.wait(LATER)
        self.in_ajera(vecWebsite="first.example")
        self.settle()
        self.clock.wait(LATER)

    def new(self, name: str, key: int, **columns: Value) -> None:
        """A row in Ajera."""
        row = {"vecKey": key, "vecDescription": name, **TICKED, **columns}
        self.people[AJERA].insert(AX_VEC, **row)

    def in_ajera(self, **columns: Value) -> None:
        self.people[AJERA].edit(AX_VEC, "1", **columns)

    def in_dps(self, **columns: Value) -> None:
        (key,) = self.keys(CLENDOR)
        self.people[DPS].edit(CLENDOR, key, **columns)

    def address(self, **columns: Value) -> None:
        (key,) = self.keys(CL_ADDRESS)
        self.people[DPS].edit(CL_ADDRESS, key, **columns)

    def unread(self, *tables: SourceTable) -> list[Event]:
        """The events of these tables that are still to be read."""
        self.topics.capture()
        names = {table.name for table in tables}
        parts = [part for part in self.topics.events if part.topic in names]
        return [event for part in parts for event in self._new(part)]

    def read(self, *tables: SourceTable, count: int | None = None) -> None:
        """One batch: the first of them."""
        self._deliver(0, self.unread(*tables)[:count])

    def die_when(self, is_noted: Callable[[Link], object], *tables: SourceTable) -> None:
        """A process reads them, and dies as soon as this is stored of a link."""

        def attempt(call: Callable[[], T]) -> T:
            done = call()
            if any(map(is_noted, self.pairs.links())):
                raise Crash
            return done

        incarnations = {table.name: INCARNATION for table in tables}
        with pytest.raises(Crash):
            self.processes[1].process(list(messages(self.unread(*tables))), incarnations, attempt)

    def exchange_by(self, setup: ExchangeConfig) -> None:
        """Other processes, which are set up so."""
        self.setup = setup
        self.processes = [self._started(), self._started()]

    def of(self, entity: str) -> list[Link]:
        """Its pairs that have not ended."""
        links = self.pairs.links()
        return [one for one in links if one.entity == entity and one.state is not State.ENDED]

    def skipped(self) -> int:
        """How many events were."""
        with self.pairs.transaction() as transaction:
            return sum(one.skipped for one in transaction.progress(self.topics.events).values())

    def websites(self) -> tuple[Value, Value]:
        """Ajera's and DPS's."""
        (ours,) = self.people[AJERA].database.rows("AxVec")
        (theirs,) = self.people[DPS].database.rows("Clendor")
        return ours["vecWebsite"], theirs["WebSite"]


class OneContact(OneFirm):
    """Ann, the one contact that the firm may have, of whom nothing waits."""

    def __init__(self, rule: Rule = Rule.NEWEST) -> None:
        super().__init__()
        entities = tuple(
            replace(one, rules=with_rules(one.rules, {"firm": rule}))
            if one.name == "contact"
            else one
            for one in self.setup.entities
        )
        self.exchange_by(replace(self.setup, entities=entities, limits={"contact": 1}))
        self.person("Ann", 1)
        self.settle()
        self.clock.wait(LATER)
        self.move(cntTitle="Architect")
        self.settle()
        self.clock.wait(LATER)

    def person(self, name: str, key: int) -> None:
        """Of the firm."""
        ticked: dict[str, Value] = {"cntSyncToCRM": True, "cntStatus": 1, "cntClient": 1}
        self.people[AJERA].insert(
            AX_CONTACT, cntKey=key, cntFirstName=name, cntLastName="Lee", **ticked
        )

    def move(self, **columns: Value) -> None:
        self.people[AJERA].edit(AX_CONTACT, "1", **columns)

    def has_room(self) -> bool:
        """Is another one linked at once."""
        self.person("Bob", 2)
        self.read(AX_CONTACT)
        return len(self.of("contact")) == 2


def test_the_first_address_of_a_linked_firm_is_made_though_its_edit_is_plain() -> None:
    """One event edits the firm and begins the address."""
    firm = OneFirm()
    firm.in_ajera(vecWebsite="second.example", vecCity="Oslo")
    firm.settle()
    assert firm.websites() == ("second.example", "second.example")
    (made,) = firm.people[DPS].database.rows("CLAddress")
    assert made["City"] == "Oslo"


@pytest.mark.parametrize("flag", ["vecSyncToCRM", "vecIsClient"])
def test_what_is_typed_as_a_row_stops_being_exchanged_goes_nowhere(flag: str) -> None:
    """One event unticks it, or makes a client none, and edits it."""
    firm = OneFirm()
    firm.in_ajera(vecWebsite="second.example", **{flag: False})
    firm.settle()
    assert firm.websites() == ("second.example", "first.example")
    firm.in_ajera(**{flag: True})
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
    firm.new("Hill", 1)
    firm.settle()
    assert State.ENDED in [link.state for link in firm.pairs.links() if link.entity == "firm"]


def test_a_row_that_is_unticked_after_an_event_that_changes_nothing_stays_unticked() -> None:
    """The one is plain and the other not: both are kept, of one link in one batch."""
    firm = OneFirm()
    firm.in_ajera(vecPhone2="1")
    firm.in_ajera(vecSyncToCRM=False)
    firm.settle()
    (link,) = firm.of("firm")
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


@pytest.mark.parametrize("how", [{"AjeraSync": "N"}, {"ClientInd": "N"}], ids=["off", "out"])
def test_an_address_follows_its_firm_though_whoever_noted_that_died(how: dict[str, Value]) -> None:
    """Before it came to the address, whose own event is read by another process."""
    firm = OneFirm(vecCity="Oslo")
    firm.in_dps(**how)
    firm.die_when(lambda link: link.off or link.out, CLENDOR)
    firm.address(City="Rome")
    firm.read(CL_ADDRESS)
    (ours,) = firm.people[AJERA].database.rows("AxVec")
    assert ours["vecCity"] == "Oslo"


def test_an_invoice_group_that_goes_to_another_project_leaves_its_pair() -> None:
    """Though no line of it was edited, and its own key does not tell its project."""
    firm = OneFirm()
    for key in (11, 12):
        new: dict[str, Value] = {"prjKey": key, "prjID": f"P{key}", "prjDescription": f"Mill {key}"}
        firm.people[AJERA].insert(AX_PROJECT, **new, prjStatus=1, prjCreateInCRM=True)
    firm.people[AJERA].insert(AX_INVOICE_GROUP, igKey=1, igProject=11)
    firm.settle()
    firm.clock.wait(LATER)
    firm.people[AJERA].edit(AX_INVOICE_GROUP, "1", igProject=12)
    firm.settle()
    (pair,) = firm.of("project_client")
    assert pair.of in {one.id for one in firm.of("project") if one.ajera.key == "12"}


def test_a_row_that_was_made_again_under_another_key_takes_the_place_of_a_plain_event_s() -> None:
    """Its create is read with that event, and before the delete."""
    firm = OneFirm()
    firm.in_ajera(vecPhone2="1")
    firm.new("Hill", 2)
    firm.people[AJERA].delete(AX_VEC, "1")
    firm.read(AX_VEC, count=2)
    assert firm.unread(AX_VEC)[0].operation is Operation.DELETE
    assert [one.ajera.key for one in firm.of("firm")] == ["2"]


def test_an_event_of_a_pair_that_is_not_exchanged_any_more_is_left_alone() -> None:
    """It ends, and is counted."""
    firm = OneFirm()
    firm.new("Ann Lee", 5, vecLastName="Lee", vecIsClient=False, vecIsEmployee=True)
    firm.settle()
    assert firm.of("employee")
    kept = tuple(one for one in firm.setup.entities if one.name != "employee")
    firm.exchange_by(replace(firm.setup, entities=kept))
    before = firm.skipped()
    firm.people[AJERA].edit(AX_VEC, "5", vecLastName="Low")
    firm.read(AX_VEC)
    assert firm.skipped() == before + 1


def test_a_contact_that_leaves_its_firm_leaves_room_there_at_once() -> None:
    """Before the write in DPS comes back."""
    firm = OneContact()
    firm.move(cntClient=None)
    firm.read(AX_CONTACT)
    assert firm.has_room()


def test_a_contact_whom_both_systems_give_another_firm_leaves_room_at_the_first() -> None:
    """Under a rule by which nothing is carried over: they agree once both have been read."""
    firm = OneContact(Rule.CREATE_ONLY)
    firm.new("Dale", 2)
    firm.settle()
    (other,) = [one.dps.key for one in firm.of("firm") if one.ajera.key == "2"]
    (ann,) = firm.keys(CONTACTS)
    firm.people[DPS].edit(CONTACTS, ann, ClientID=other)
    firm.read(CONTACTS)
    firm.move(cntClient=2)
    firm.read(AX_CONTACT)
    assert firm.has_room()
