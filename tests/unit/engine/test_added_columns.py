"""What a release adds is not known of the rows that are there: what hangs on it stays as it is."""

from __future__ import annotations

from dataclasses import replace

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.engine.projection import guard
from pipeline.mapping.mirror import Fold, StickyColumn
from pipeline.mapping.site import Site
from pipeline.mapping.source import ColumnType
from pipeline.model.event import Event, Operation
from tests.support.events import event
from tests.support.reductions import REDUCTIONS, Reduction
from tests.support.releases import Firm

BEFORE: dict[str, Reduction] = {one.name: one for one in REDUCTIONS}
CLIENT = event("AxVec", 1, at=1, vecIsClient=True, vecDescription="c", vecFax="f", vecZip="z")
PROJECT = event("AxProject", 1, at=2, prjStatus=1, prjDescription="p")
GROUP = event("AxInvoiceGroup", 1, at=3, igProject=1, igClient=1)
AGAIN = event("AxVec", 1, at=9, vecIsClient=True, vecDescription="c", vecFax="f", vecZip="z")


def after_upgrade(reduction: str, *events: Event) -> Firm:
    """A PIM of the release before, in which people typed what that release left alone; upgraded."""
    firm = Firm(BEFORE[reduction].before)
    firm.take(events)
    firm.type(BEFORE[reduction].cells)
    firm.upgraded(AJERA_TO_PIM)
    return firm


def as_read(one: Event) -> Event:
    """The row as a snapshot of the next epoch reads it."""
    place = one.place._replace(offset=one.place.offset + 100)
    return replace(one, operation=Operation.READ, position="", place=place, epoch=2)


def fax(firm: Firm) -> object:
    return firm.cells()["Organization", "cl-1", "Fax Number"]


def shown(firm: Firm, column: str = "Client") -> object:
    return firm.cells()["Project", "1", column]


def test_a_column_is_left_as_it_is_until_the_next_event_of_its_row() -> None:
    """The recompute that the new map asks for knows nothing of it."""
    firm = after_upgrade("a column with its line", CLIENT)
    assert fax(firm) == "typed"
    firm.take([AGAIN])
    assert fax(firm) == "f"
    assert firm.waiting() == set()


def test_a_null_that_becomes_known_is_written() -> None:
    """The mirror held a null before, but not as one that was known."""
    firm = after_upgrade("a column with its line", CLIENT)
    firm.take([replace(AGAIN, row={**AGAIN.row, "vecFax": None})])
    assert fax(firm) is None


def test_what_another_row_shows_of_a_column_is_left_as_it_is() -> None:
    """The project's Zip is its client's; the project itself changes meanwhile."""
    firm = after_upgrade("a column that other rows show", CLIENT, PROJECT, GROUP)
    assert shown(firm, "Zip") == "typed"
    renamed = event("AxProject", 1, at=8, prjStatus=1, prjDescription="q")
    firm.take([renamed])
    assert (shown(firm, "Name"), shown(firm, "Zip")) == ("q", "typed")
    firm.take([AGAIN])
    assert shown(firm, "Zip") == "z"


def test_another_row_is_told_of_a_null_that_becomes_known() -> None:
    """The client has no Zip, and nothing else of it changes."""
    firm = after_upgrade("a column that other rows show", CLIENT, PROJECT, GROUP)
    firm.take([replace(AGAIN, row={**AGAIN.row, "vecZip": None})])
    assert shown(firm, "Zip") is None


def test_nobody_is_looked_up_by_a_column_before_a_new_snapshot_of_its_table_was_read() -> None:
    """One group is known, and there may be others of lower keys."""
    firm = after_upgrade("a column by which rows are found", CLIENT, PROJECT, GROUP)
    assert shown(firm) == "typed"
    firm.take([event("AxInvoiceGroup", 2, at=9, igProject=1, igClient=1)])
    assert shown(firm) == "typed"
    read = [
        replace(one, place=one.place._replace(offset=100), epoch=2)
        for one in (event("AxInvoiceGroup", key, "r", igProject=1, igClient=1) for key in (1, 2))
    ]
    firm.take(read)
    firm.loaded(2)
    assert shown(firm) == "c"


def test_a_table_is_not_loaded_by_the_snapshot_that_did_not_hold_it() -> None:
    """Its connector's heartbeats go on saying that the snapshot is over."""
    firm = after_upgrade("a table", CLIENT, PROJECT)
    firm.loaded(1)
    assert shown(firm) == "typed"
    firm.take([replace(GROUP, epoch=2)])
    firm.loaded(2)
    assert shown(firm) == "c"


def test_rows_that_are_decided_together_are_decided_again_when_their_column_is_known() -> None:
    """Two projects typed one ID; before, each kept the code that it had."""
    firm = Firm(BEFORE["a column by which rows are decided together"].before)
    projects = [
        event("AxProject", key, at=key, prjStatus=1, prjDescription="p", prjID=code)
        for key, code in ((1, "A"), (2, "A"), (3, None))
    ]
    firm.take(projects)
    codes = {"1": "1", "2": "2", "3": "3"}
    assert firm.codes() == codes
    firm.upgraded(AJERA_TO_PIM)
    assert firm.codes() == codes
    firm.take([as_read(one) for one in projects])
    assert firm.codes() == codes
    firm.loaded(2, "AxProject")
    assert firm.codes() == {"1": "A", "2": "A-2", "3": "AJ-3"}


def test_a_sticky_column_is_filled_in_where_the_last_image_tells_it_for_certain() -> None:
    """A vendor now was one once; who is none now may have been."""
    vendor = event("AxVec", 2, at=4, vecIsVendor=True, vecDescription="v")
    firm = after_upgrade("a flag with its map", vendor, CLIENT)
    assert firm.cells()["Organization", "ve-2", "Name"] == "v"
    assert firm.unknown("AxVec", "1") == {"ever_vecIsVendor"}
    firm.take([AGAIN])
    assert firm.unknown("AxVec", "1") == set()


def test_a_remembered_value_that_no_image_tells_is_left_as_it_is() -> None:
    """The contact's client was taken away before anybody kept it: no null is written over it."""
    contact = event("AxContact", 1, at=2, cntLastName="n")
    firm = after_upgrade("a value that is remembered", CLIENT, contact)
    firm.type_as("Contact", "co-1", "Organization ID", "cl-1")
    firm.recompute("AxContact")
    assert firm.cells()["Contact", "co-1", "Organization ID"] == "cl-1"


def test_a_row_of_which_only_the_delete_was_seen_gives_no_target_row() -> None:
    """Whoever marks the whole table."""
    firm = Firm(AJERA_TO_PIM)
    firm.take([event("AxContact", 7, "d", at=1)])
    firm.recompute("AxContact")
    assert firm.cells() == {}


def test_what_a_sticky_column_needs_and_nobody_sent_leaves_it_unknown() -> None:
    """It is computed of a column that is unknown itself."""
    source = AJERA_TO_PIM.source("AxVec")
    sticky = StickyColumn(
        "ever_fax", ColumnType.FLAG, Fold.EVER, lambda row, _: row.get("vecFax") is not None, ""
    )
    table = replace(source, remembered=(*source.remembered, sticky))
    row = guard.apply(table, Site(), None, CLIENT)
    stale = replace(row, unknown=frozenset({"vecFax", "ever_fax"}))
    assert guard.with_sticky(table, Site(), stale) == stale
    partial = replace(AGAIN, row={k: v for k, v in AGAIN.row.items() if k != "vecFax"})
    assert guard.apply(table, Site(), stale, partial).unknown == {"vecFax", "ever_fax"}
    assert guard.apply(table, Site(), stale, AGAIN).unknown == set()


def test_a_row_that_cannot_be_created_without_an_unknown_value_waits_and_halts_nothing() -> None:
    """A project came after the upgrade, while nobody can say which codes were typed; it is created
    once everybody's is known.
    """
    firm = Firm(BEFORE["a column by which rows are decided together"].before)
    firm.take([event("AxProject", 1, at=1, prjStatus=1, prjDescription="p", prjID="A")])
    firm.upgraded(AJERA_TO_PIM)
    firm.take([event("AxProject", 2, at=2, prjStatus=1, prjDescription="q", prjID="B")])
    assert (firm.waiting(), firm.codes()) == ({"2"}, {"1": "1"})
    firm.loaded(2)
    assert (firm.waiting(), firm.codes()) == (set(), {"1": "A", "2": "B"})
