"""A table of DPS or Ajera that refuses to be read or written: its own topics halt, all others
continue, and nothing is lost or applied out of order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from pipeline.conflicts.rules import Side
from pipeline.engine.consumer.batch import BatchResult
from pipeline.errors import TableMissing
from pipeline.model.event import Event
from pipeline.model.halt import Skip
from pipeline.model.position import TopicPartition
from tests.support.outbox import PARTITION, World

AJERA, DPS = Side.AJERA, Side.DPS
pytestmark = pytest.mark.postgres
Lift = Callable[[], None]


@pytest.fixture
def firm(made: World) -> World:
    made.clear()
    made.restart_with(contact=5, project_contact=5)
    made.client(1, "Hill")
    made.contact(AJERA, 7, "Moe", cntClient=1)
    made.settle()
    return made


@contextmanager
def renamed(firm: World, side: Side, table: str, column: str) -> Iterator[Lift]:
    """The column has another name until it is lifted."""
    names = [f'"{column}"', '"renamed"']

    def swap() -> None:
        firm.do(side, f'ALTER TABLE "{table}" RENAME COLUMN {names[0]} TO {names[1]}')
        names.reverse()

    swap()
    try:
        yield swap
    finally:
        if names[0] == '"renamed"':
            swap()


@contextmanager
def denied(firm: World, side: Side, table: str) -> Iterator[Lift]:
    """Whoever writes the table is told that the right is missing, until it is lifted."""
    firm.do(
        side,
        "CREATE OR REPLACE FUNCTION deny() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'permission denied' USING ERRCODE = '42501'; END $$",
    )
    firm.do(
        side,
        f'CREATE TRIGGER denied BEFORE INSERT OR UPDATE ON "{table}"'
        " FOR EACH STATEMENT EXECUTE FUNCTION deny()",
    )

    def lift() -> None:
        firm.do(side, f'DROP TRIGGER IF EXISTS denied ON "{table}"')

    try:
        yield lift
    finally:
        lift()


def new(firm: World, side: Side) -> list[Event]:
    """What has happened on a side and was not delivered, in the order of its log."""
    firm.read_logs()
    return [one for one in firm.events[side] if one.place.offset >= firm.next[one.table]]


def deliver(firm: World, events: list[Event]) -> BatchResult:
    """One batch, whose offsets are committed after it."""
    handled = firm.process(events)
    for partition, offset in handled.next_offsets.items():
        firm.next[partition.topic] = offset
    return handled


def partition(table: str) -> TopicPartition:
    return TopicPartition(table, PARTITION)


def test_a_renamed_column_halts_its_own_topics_and_no_process(firm: World) -> None:
    """What stands before it in the same batch and what stands behind is applied elsewhere; with
    the column back nothing differs.
    """
    with renamed(firm, DPS, "Contacts", "LastName") as lift:
        firm.edit(AJERA, "AxVec", 1, vecDescription="Hills")
        firm.edit(AJERA, "AxContact", 7, cntLastName="Moes")
        firm.client(2, "Vale")
        handled = deliver(firm, new(firm, AJERA))
        assert handled.halted.keys() == {partition("AxContact")}
        halted = handled.halted[partition("AxContact")]
        assert isinstance(halted.error, TableMissing)
        assert "Contacts" in str(halted.error)
        assert handled.next_offsets[partition("AxContact")] == halted.offset
        assert sorted(firm.rows(DPS, "Clendor", "Name")) == ["Hills", "Vale"]
        again = deliver(firm, new(firm, AJERA))
        assert again.halted.keys() == {partition("AxContact")}
        lift()
    firm.settle()
    assert firm.rows(DPS, "Contacts", "LastName") == ["Moes"]
    assert firm.parked() == {}


def skipped(firm: World) -> list[str]:
    """The keys of rows that need a backfill."""
    with firm.pairs.transaction() as transaction:
        return [one.key for one in transaction.halts.skipped()]


def test_a_skipped_row_is_marked_for_a_backfill_until_it_comes_again(firm: World) -> None:
    """An event of another row does not bring it."""
    with renamed(firm, DPS, "Contacts", "LastName") as lift:
        firm.edit(AJERA, "AxContact", 7, cntLastName="Moes")
        (event,) = new(firm, AJERA)
        place, at = partition("AxContact"), event.place.offset
        skip = Skip(place, event.place.incarnation, at, at, "somebody", datetime.now(UTC))
        firm.exchange.allow([skip])
        assert not deliver(firm, [event]).halted
        assert skipped(firm) == ["7"]
        lift()
    firm.contact(AJERA, 8, "Lie", cntClient=1)
    firm.settle()
    assert skipped(firm) == ["7"]
    firm.edit(AJERA, "AxContact", 7, cntLastName="Moe-Lie")
    firm.settle()
    assert skipped(firm) == []
    assert "Moe-Lie" in firm.rows(DPS, "Contacts", "LastName")


def test_what_belongs_to_a_row_that_is_linked_is_kept_while_its_table_refuses(
    firm: World,
) -> None:
    """No event would bring it again: the invoice group of a project that is new in DPS."""
    with renamed(firm, AJERA, "AxInvoiceGroup", "igProject") as lift:
        firm.project(AJERA, 5, "Harbour", prjID="P-5")
        handled = deliver(firm, new(firm, AJERA))
        assert handled.halted.keys() <= {partition("AxInvoiceGroup")}
        assert "Harbour" in firm.rows(DPS, "PR", "Name")
        assert TableMissing.code in firm.parked().values()
        lift()
    firm.wait()
    assert TableMissing.code not in firm.parked().values()


def test_a_right_that_is_missing_on_a_table_of_ajera_stops_no_other(firm: World) -> None:
    """Its writes stay asked for; the other tables are written, and so is this one later."""
    with denied(firm, AJERA, "AxContact") as lift:
        firm.edit(DPS, "Contacts", LastName="Moes")
        firm.edit(DPS, "Clendor", Name="Hills")
        handled = deliver(firm, new(firm, DPS))
        assert not handled.halted
        assert firm.rows(AJERA, "AxVec", "vecDescription") == ["Hills"]
        assert firm.rows(AJERA, "AxContact", "cntLastName") == ["Moe"]
        assert firm.exchange.refused().keys() == {"AxContact"}
        firm.wait()
        assert firm.exchange.refused().keys() == {"AxContact"}
        lift()
    firm.wait()
    assert firm.rows(AJERA, "AxContact", "cntLastName") == ["Moes"]
    assert firm.exchange.refused() == {}
    assert firm.parked() == {}


def test_a_right_that_is_missing_on_a_table_of_dps_halts_the_topics_that_feed_it(
    firm: World,
) -> None:
    """An edit of a client is applied meanwhile."""
    with denied(firm, DPS, "Contacts") as lift:
        firm.edit(AJERA, "AxContact", 7, cntLastName="Moes")
        firm.edit(AJERA, "AxVec", 1, vecDescription="Hills")
        handled = deliver(firm, new(firm, AJERA))
        assert handled.halted.keys() == {partition("AxContact")}
        assert firm.rows(DPS, "Clendor", "Name") == ["Hills"]
        lift()
    firm.settle()
    assert firm.rows(DPS, "Contacts", "LastName") == ["Moes"]


def test_a_code_list_that_cannot_be_read_halts_what_came_and_no_process(firm: World) -> None:
    """Types are names of the list: nothing can be decided without it."""
    firm.restart()
    with renamed(firm, AJERA, "AxVendorType", "vtDescription") as lift:
        firm.edit(AJERA, "AxVec", 1, vecDescription="Hills")
        handled = deliver(firm, new(firm, AJERA))
        assert handled.halted.keys() == {partition("AxVec")}
        lift()
    firm.settle()
    assert firm.rows(DPS, "Clendor", "Name") == ["Hills"]
