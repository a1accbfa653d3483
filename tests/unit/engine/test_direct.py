"""What depends on one source row alone is written with it, and leaves no mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from pipeline.domain.pim import CLIENT
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.engine.projection.direct import Direct
from pipeline.engine.projection.stage import StageSettings, stage
from pipeline.engine.projection.staged import StagedBatch
from pipeline.errors import ParkReason
from pipeline.mapping.observed import Observed
from pipeline.mapping.route import Route
from pipeline.mapping.source import SourceColumn, SourceTable
from pipeline.mapping.table import Related
from pipeline.model.event import Event
from pipeline.model.ledger import Mark, Waiting
from tests.support.engine import Consumer, ready
from tests.support.events import NOON, SITE, event
from tests.twins.target import MemoryTarget

ORGANIZATION, CONTACT = "Organization", "Contact"
NUMBER = 7


def direct(route: Route = AJERA_TO_PIM) -> Direct:
    tables = {table.name: table for table in AJERA_TO_PIM.targets}
    return Direct(route, SITE, tables, counts_utf16=False)


def staged(target: MemoryTarget, events: Sequence[Event]) -> StagedBatch:
    """The first transaction alone, as if the process ended after it."""
    settings = StageSettings(AJERA_TO_PIM, SITE, timedelta(minutes=5))
    with target.transaction() as transaction:
        return stage(transaction, settings, events, NUMBER, NOON, direct())


def marks(target: MemoryTarget, *of: tuple[str, str]) -> list[Mark]:
    with target.transaction() as transaction:
        return transaction.marks_of(of)


def contact(key: int, at: int, client: int, name: str = "Lee") -> Event:
    return event("AxContact", key, at=at, cntClient=client, cntLastName=name)


def test_a_client_is_written_with_its_source_row_and_marks_only_what_refers_to_it() -> None:
    """Who dies then has left nothing undone but that."""
    target = ready(MemoryTarget(AJERA_TO_PIM))
    batch = staged(target, [event("AxVec", 1, at=1, vecIsClient=True, vecDescription="Acme")])
    assert [row["Name"] for row in target.rows(ORGANIZATION)] == ["Acme"]
    assert batch.marks == [Mark("AxVec.shared", "1", NUMBER)]
    assert marks(target, ("AxVec", "1"), ("AxVec.shared", "1")) == batch.marks


def test_a_contact_whose_organization_is_there_leaves_no_mark() -> None:
    """Nothing refers to contacts."""
    target = ready(MemoryTarget(AJERA_TO_PIM))
    staged(target, [event("AxVec", 1, at=1, vecIsClient=True)])
    batch = staged(target, [contact(4, 2, client=1)])
    assert [row["Surname"] for row in target.rows(CONTACT)] == ["Lee"]
    assert batch.marks == []
    assert marks(target, ("AxContact", "4")) == []


def test_a_contact_whose_organization_is_not_there_is_marked() -> None:
    """Durably: the organization may come by another process."""
    target = ready(MemoryTarget(AJERA_TO_PIM))
    batch = staged(target, [contact(4, 2, client=1)])
    assert target.rows(CONTACT) == []
    assert batch.marks == marks(target, ("AxContact", "4")) == [Mark("AxContact", "4", NUMBER)]


def test_a_mark_that_waited_is_done_once_the_row_is_written() -> None:
    """Or the row would be counted as parked until somebody tried again."""
    target = ready(MemoryTarget(AJERA_TO_PIM))
    consumer = Consumer(target, [])
    consumer.feed([contact(4, 1, client=1)])
    with target.transaction() as transaction:
        assert transaction.waiting_count() == 1
        transaction.create_missing(ORGANIZATION, [{"Organization ID": "cl-1", "Name": "Acme"}])
    consumer.feed([contact(4, 2, client=1, name="Leigh")], start=1)
    assert [row["Organization ID"] for row in target.rows(CONTACT)] == ["cl-1"]
    with target.transaction() as transaction:
        assert transaction.waiting_count() == 0


def test_marks_of_other_roots_stay() -> None:
    """One that waits for something else is no business of this batch."""
    target = ready(MemoryTarget(AJERA_TO_PIM))
    with target.transaction() as transaction:
        other = Waiting(Mark("AxVec", "2", 3), ParkReason.ROW_MISSING, "waits")
        transaction.wait([other], NOON)
    staged(target, [event("AxVec", 1, at=1, vecIsClient=True)])
    assert marks(target, ("AxVec", "2")) == [Mark("AxVec", "2", 3)]


def test_a_column_that_was_never_sent_is_not_written_as_null() -> None:
    """A PIM that is filled keeps what it has there."""
    target = ready(MemoryTarget(AJERA_TO_PIM))
    with target.transaction() as transaction:
        row = {"Organization ID": "cl-1", "Name": "Acme", "Fax Number": "555"}
        transaction.create_missing(ORGANIZATION, [row])
    whole = event("AxVec", 1, at=1, vecIsClient=True, vecDescription="Acme Ltd")
    sent = {name: value for name, value in whole.row.items() if name != "vecFax"}
    Consumer(target, []).feed([replace(whole, row=sent)])
    ((name, fax),) = [(row["Name"], row["Fax Number"]) for row in target.rows(ORGANIZATION)]
    assert (name, fax) == ("Acme Ltd", "555")


def test_a_table_that_also_gives_rows_that_hang_on_others_is_marked() -> None:
    """Its root mark is needed: by then the other rows are written from it, too."""
    related = Related("E-mail", (), "a text of another row", lambda rows: rows.key)
    other = replace(CLIENT, name="other", lines=(*CLIENT.lines[:-1], related))
    assert direct().takes("AxVec")
    assert not direct(replace(AJERA_TO_PIM, mappings=(CLIENT, other))).takes("AxVec")


def test_what_is_read_back_is_not_written_directly() -> None:
    """What was written there is remembered by the recompute."""
    table = AJERA_TO_PIM.target(ORGANIZATION)
    columns = tuple(SourceColumn(one.name, one.kind) for one in table.columns)
    observed = Observed("pim", SourceTable(ORGANIZATION, table.key, columns), ORGANIZATION)
    assert not direct(replace(AJERA_TO_PIM, observed=(observed,))).takes("AxVec")


def test_tables_whose_rows_hang_on_others_are_not_taken() -> None:
    """Projects, and what belongs to them."""
    found = {source.name for source in AJERA_TO_PIM.sources if direct().takes(source.name)}
    assert found == {"AxVec", "AxContact"}
