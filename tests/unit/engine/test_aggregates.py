"""Values over many rows: what marks which roots, when they are written, and when they stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from pipeline.engine.projection import guard
from pipeline.engine.projection.stage import MarkKinds
from pipeline.mapping.site import Site
from pipeline.mapping.watches import watches, way_kind
from pipeline.model.event import Event, Value
from pipeline.model.outcome import SkipReason
from tests.support.engine import Consumer, ready, topic_of
from tests.support.orders import cuts, orders
from tests.support.totals import (
    BY_INVOICE,
    ENTRY,
    FINAL,
    INVOICE,
    JOB,
    SHARE,
    TEAM,
    TO_ENTRIES,
    TO_SHARED,
    TOTALS,
    changed,
    mirrored,
)
from tests.twins.target import MemoryTarget

REACH = MarkKinds(TOTALS.kinds(), watches(TOTALS.mappings))
ENTRIES, SHARED = way_kind(TO_ENTRIES), way_kind(TO_SHARED)
FIRMS = (changed("Firm", 1, at=1, firmName="one"), changed("Firm", 2, at=2, firmName="two"))


def totals(batches: Sequence[Sequence[Event]], target: MemoryTarget | None = None) -> MemoryTarget:
    """What the target holds after these batches."""
    target = target or ready(MemoryTarget(TOTALS))
    consumer = Consumer(target, [one for batch in batches for one in batch], route=TOTALS)
    for batch in batches:
        consumer.take(batch)
    assert consumer.letters.sent == []
    return target


def shown(target: MemoryTarget, column: str) -> dict[Value, Value]:
    return {row["Firm ID"]: row[column] for row in target.rows("Totals")}


def marked(before: Event, after: Event) -> set[tuple[str, str]]:
    table = TOTALS.source(before.table)
    return set(REACH.marks(table, mirrored(before), mirrored(before, after)))


JOB_MOVES: tuple[tuple[str, dict[str, Value], set[tuple[str, str]]], ...] = (
    ("moved", {"jobFirm": 2}, {("Firm", "1"), ("Firm", "2")}),
    ("no firm", {"jobFirm": 0}, {("Firm", "1")}),
    ("condition", {"jobFirm": 1, "jobStatus": 1}, {("Firm", "1"), (SHARED, "7")}),
    ("value", {"jobFirm": 1, "jobOpened": date(2026, 1, 1)}, {("Firm", "1")}),
    ("note", {"jobFirm": 1, "jobStatusNote": "x"}, set()),
)


def moved_to(columns: dict[str, Value]) -> Event:
    one = changed("Job", 7, at=2)
    return replace(one, row={**one.row, **columns})


@pytest.mark.parametrize(("columns", "expected"), [one[1:] for one in JOB_MOVES])
def test_a_change_marks_the_roots_whose_values_it_changes(
    columns: dict[str, Value], expected: set[tuple[str, str]]
) -> None:
    """The root that a row left and the one that it entered;
    nothing for a column that none reads.
    """
    before = changed("Job", 7, at=1, jobFirm=1)
    assert marked(before, moved_to(columns)) == expected


def test_a_row_below_marks_the_rows_between_whose_roots_are_looked_up() -> None:
    """Its job before and after, if a column that is read changed."""
    before = changed("Entry", 5, at=1, entryJob=1, entryHours=1)
    moved = changed("Entry", 5, at=2, entryJob=2, entryHours=1)
    assert marked(before, moved) == {(ENTRIES, "1"), (ENTRIES, "2")}
    assert marked(before, changed("Entry", 5, at=2, entryJob=1, entryHours=2)) == {(ENTRIES, "1")}
    noted = changed("Entry", 5, at=2, entryJob=1, entryHours=1, entryNotes="x")
    assert marked(before, noted) == set()
    assert marked(before, changed("Entry", 5, "d", at=2)) == {(ENTRIES, "1")}


def test_a_row_between_marks_its_roots_and_a_row_that_is_looked_up_itself() -> None:
    """Inserted, moved, deleted; a deleted row that changes nothing marks nothing."""
    before = changed("Share", 3, at=1, shareFirm=1, shareJob=1)
    assert marked(before, changed("Share", 3, at=2, shareFirm=1, shareJob=2)) == {("Firm", "1")}
    assert marked(before, changed("Share", 3, "d", at=2)) == {("Firm", "1")}
    assert set(REACH.marks(SHARE, None, mirrored(before))) == {("Firm", "1")}
    gone = mirrored(before, changed("Share", 3, "d", at=2))
    assert set(REACH.marks(SHARE, None, gone)) == set()
    back = mirrored(before, changed("Share", 3, "d", at=2), changed("Share", 3, at=3, shareFirm=2))
    assert set(REACH.marks(SHARE, gone, back)) == {("Firm", "2")}
    assert (SHARED, "4") in set(REACH.marks(JOB, None, mirrored(changed("Job", 4, jobStatus=1))))


def test_a_value_that_becomes_known_as_null_marks_its_root() -> None:
    """Until then the total could not be known."""
    before = mirrored(changed("Entry", 5, at=1, entryJob=1, without=("entryAmount",)))
    after = mirrored(
        changed("Entry", 5, at=1, entryJob=1, without=("entryAmount",)),
        changed("Entry", 5, at=2, entryJob=1),
    )
    assert set(REACH.marks(ENTRY, before, after)) == {(ENTRIES, "1")}


def test_an_event_that_changes_nothing_that_is_read_is_skipped() -> None:
    """It changed the mirror, and no target row."""
    events = [*FIRMS, changed("Job", 1, at=3, jobFirm=1)]
    note = changed("Job", 1, at=4, jobFirm=1, jobStatusNote="x")
    target = totals([events])
    consumer = Consumer(target, [note], route=TOTALS)
    consumer.take([note])
    assert consumer.telemetry.ended == {("skipped", str(SkipReason.FILTERED)): 1}


LOG = (
    *FIRMS,
    changed("Job", 1, at=3, jobFirm=1, jobStatus=1),
    changed("Entry", 1, at=4, entryJob=1, entryAmount=Decimal("1.5"), entryHours=3),
    changed("Job", 1, at=5, jobFirm=2, jobStatus=1),
)


def test_every_order_and_cut_gives_the_same_totals() -> None:
    """A job moves to another firm, and its entries with it."""
    for order in orders(LOG):
        for batches in cuts(order):
            target = totals(batches)
            assert shown(target, "Open Jobs") == {"f-1": 0, "f-2": 1}
            assert shown(target, "Amount") == {"f-1": 0, "f-2": Decimal("1.5")}
            assert shown(target, "Hours") == {"f-1": 0, "f-2": 3}


def test_a_retired_root_keeps_the_totals_it_had_however_the_log_is_cut() -> None:
    """What was committed before is in them, what came after is not."""
    log = (
        *FIRMS,
        changed("Job", 1, at=3, jobFirm=1, jobStatus=1),
        changed("Firm", 1, "d", at=4),
        changed("Job", 1, at=5, jobFirm=1, jobStatus=2),
        changed("Job", 2, at=6, jobFirm=1, jobStatus=1),
        changed("Job", 3, at=7, jobFirm=2, jobStatus=1),
    )
    for batches in cuts(log):
        assert shown(totals(batches), "Open Jobs") == {"f-1": 1, "f-2": 1}


def test_totals_are_not_written_before_the_tables_along_their_way_are_loaded() -> None:
    """A target that is filled is not blanked while the mirror fills;
    each line waits for its own.
    """
    target = MemoryTarget(TOTALS)
    with target.transaction() as transaction:
        transaction.set_load_ends("ajera.Job", "Job", 1, {0: 0})
        transaction.set_loaded("Job", 1)
    totals([LOG], target)
    assert shown(target, "Open Jobs") == {"f-1": 0, "f-2": 1}
    assert shown(target, "Hours") == {"f-1": None, "f-2": None}
    assert shown(target, "Shared Jobs") == {"f-1": None, "f-2": None}


def test_a_total_that_cannot_be_known_stays_as_it_is() -> None:
    """One entry lacks its amount: the amounts stay, the hours are written."""
    lacking = changed("Entry", 2, at=6, entryJob=1, entryHours=4, without=("entryAmount",))
    target = totals([LOG, [lacking]])
    assert shown(target, "Amount")["f-2"] == Decimal("1.5")
    assert shown(target, "Hours")["f-2"] == 7
    known = changed("Entry", 2, at=7, entryJob=1, entryHours=4, entryAmount=Decimal(2))
    assert shown(totals([[known]], target), "Amount")["f-2"] == Decimal("3.5")


def test_a_root_of_which_the_delete_alone_was_read_has_no_totals() -> None:
    """Its key's column was never sent; a row of totals for it would have no name."""
    job = changed("Job", 1, at=2, jobFirm=9, jobStatus=1)
    assert totals([[changed("Firm", 9, "d", at=1)], [job]]).rows("Totals") == []


def test_a_total_is_left_as_it_is_while_a_column_along_its_way_is_not_known_in_every_row() -> None:
    """A release adds the column: its rows belong to no root until a new snapshot was read."""
    columns = tuple(one for one in JOB.columns if one.name != "jobFirm")
    older = replace(JOB, table=replace(JOB.table, columns=columns), indexed=())
    sources = tuple(older if one is JOB else one for one in TOTALS.sources)
    mapping = replace(TOTALS.mappings[0], lines=TOTALS.mappings[0].lines[:1], grouped=())
    before = ready(MemoryTarget(replace(TOTALS, sources=sources, mappings=(mapping,))))
    job = changed("Job", 1, at=3, jobStatus=1, without=("jobFirm",))
    with before.transaction() as transaction:
        transaction.write_rows([guard.apply(older, Site(), None, job)])
        transaction.create_missing("Totals", [{"Firm ID": "f-1", "Open Jobs": 7, "Hours": 7}])
    target = totals([FIRMS], before.carried_over(TOTALS))
    assert shown(target, "Open Jobs") == {"f-1": 7, "f-2": None}
    assert shown(target, "Hours")["f-1"] == 7
    assert shown(target, "Shared Jobs")["f-1"] == 0


ENTERED = (
    *FIRMS,
    changed("Job", 7, at=3, jobFirm=1),
    changed("Entry", 1, at=4, entryJob=7, entryAmount=Decimal(2), entryInvoice=5),
    changed("Entry", 2, at=5, entryJob=7, entryAmount=Decimal(3), entryInvoice=6),
)


def amounts(target: MemoryTarget) -> tuple[Value, Value]:
    """Of the first firm what is on a final invoice, and what is not."""
    return shown(target, "Invoiced")["f-1"], shown(target, "Not Invoiced")["f-1"]


def test_a_row_that_is_referred_to_moves_the_totals_of_every_root_that_reads_it() -> None:
    """Made final, opened again, made final and deleted: no other row changes."""
    target = totals([ENTERED])
    assert amounts(target) == (Decimal(0), Decimal(5))
    totals([[changed("Invoice", 5, at=6, invoiceStatus=FINAL)]], target)
    assert amounts(target) == (Decimal(2), Decimal(3))
    totals([[changed("Invoice", 5, at=7, invoiceStatus=1)]], target)
    assert amounts(target) == (Decimal(0), Decimal(5))
    totals([[changed("Invoice", 6, at=8, invoiceStatus=FINAL)]], target)
    assert amounts(target) == (Decimal(3), Decimal(2))
    totals([[changed("Invoice", 6, "d", at=9)]], target)
    assert amounts(target) == (Decimal(0), Decimal(5))


def test_a_row_that_refers_to_another_row_moves_too() -> None:
    """The reference is one of the columns that decide."""
    moved = changed("Entry", 2, at=7, entryJob=7, entryAmount=Decimal(3), entryInvoice=5)
    target = totals([[*ENTERED, changed("Invoice", 5, at=6, invoiceStatus=FINAL)], [moved]])
    assert amounts(target) == (Decimal(5), Decimal(0))


def test_a_condition_marks_by_the_row_that_it_asks_and_by_its_own_columns_alone() -> None:
    """A note on an invoice costs nothing."""
    kind = way_kind((*TO_ENTRIES, BY_INVOICE))
    before = changed("Invoice", 5, invoiceStatus=1)
    final = changed("Invoice", 5, at=2, invoiceStatus=FINAL)
    assert marked(before, final) == {(kind, "5")}
    assert marked(before, changed("Invoice", 5, "d", at=2)) == {(kind, "5")}
    assert marked(before, changed("Invoice", 5, at=2, invoiceStatus=1, invoiceNotes="x")) == set()


def test_a_total_with_a_condition_is_not_written_before_the_rows_it_asks_are_loaded() -> None:
    """Every entry would count as not invoiced."""
    target = MemoryTarget(TOTALS)
    with target.transaction() as transaction:
        for source in TOTALS.sources:
            if source is not INVOICE:
                transaction.set_load_ends(topic_of(source.name), source.name, 1, {0: 0})
                transaction.set_loaded(source.name, 1)
    totals([ENTERED], target)
    (row, _) = target.rows("Totals")
    assert row["Amount"] == Decimal(5)
    assert "Not Invoiced" not in row or row["Not Invoiced"] is None


# -- rows for groups -------------------------------------------------------------------------------


def worked(key: int, at: int, person: int, hours: int, role: str = "r") -> Event:
    columns: dict[str, Value] = {"entryJob": 7, "entryPerson": person, "entryRole": role}
    columns |= {"entryHours": hours, "entryDay": date(2026, 1, key)}
    return changed("Entry", key, "u", at=at, without=(), **columns)


def team(target: MemoryTarget) -> dict[tuple[Value, ...], tuple[Value, Value]]:
    return {
        (row["Firm ID"], row["Person ID"], row["Role"]): (row["Hours"], row["First Day"])
        for row in target.rows("Team")
    }


WORK = (*FIRMS, changed("Job", 7, at=3, jobFirm=1), worked(1, 4, 1, 3), worked(2, 5, 1, 4))


def test_rows_for_groups_follow_every_change_of_what_they_are_made_of() -> None:
    """Another person, another role, another day, a delete, and a job that moves to another firm."""
    target = totals([WORK])
    assert team(target) == {("f-1", "p-1", "r"): (7, date(2026, 1, 1))}
    totals([[worked(1, 6, 2, 3)]], target)
    assert team(target) == {
        ("f-1", "p-1", "r"): (4, date(2026, 1, 2)),
        ("f-1", "p-2", "r"): (3, date(2026, 1, 1)),
    }
    totals([[worked(1, 7, 2, 3, "s"), changed("Job", 7, at=8, jobFirm=2)]], target)
    assert team(target) == {
        ("f-2", "p-1", "r"): (4, date(2026, 1, 2)),
        ("f-2", "p-2", "s"): (3, date(2026, 1, 1)),
    }
    totals([[changed("Entry", 2, "d", at=9)]], target)
    assert team(target) == {("f-2", "p-2", "s"): (3, date(2026, 1, 1))}


def test_rows_for_groups_are_left_as_they_are_while_not_all_is_known() -> None:
    """While a table is not loaded, while a row lacks a value, and after the root was deleted."""
    target = MemoryTarget(TOTALS)
    totals([WORK], target)
    assert team(target) == {}
    target = totals([WORK])
    before = team(target)
    lacking = changed("Entry", 3, at=9, entryJob=7, entryHours=1, without=("entryPerson",))
    totals([[lacking, worked(2, 10, 1, 9)]], target)
    assert team(target) == before
    totals([[changed("Firm", 1, "d", at=11)], [changed("Entry", 3, "d", at=12)]], target)
    assert team(target) == before


def test_rows_are_not_grouped_by_a_long_text() -> None:
    """One of the databases would take two that differ in case for the same."""
    (mapping,) = TOTALS.mappings
    grouped = replace(TEAM, by=("entryNotes",))
    with pytest.raises(ValueError, match="team is grouped by a long text"):
        replace(TOTALS, mappings=(replace(mapping, grouped=(grouped,)),))
