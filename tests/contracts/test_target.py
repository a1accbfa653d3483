"""The contract of a target database: the twin in memory and PostgreSQL always,
SQL Server where PIPELINE_TEST_SQLSERVER_URL names one.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from pipeline.database.sql.engine import create_engine
from pipeline.database.state.migrate import current, latest, require_latest, upgrade
from pipeline.database.state.settings import (
    current_epoch,
    read_setting,
    store_epoch,
)
from pipeline.database.systems.live import (
    create_target_tables,
    describe_target,
)
from pipeline.database.target import DatabaseTarget
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.errors import (
    ConcurrentWrite,
    PipelineError,
    RowRejected,
    SyncSchemaOutdated,
    TargetBusy,
    TargetRefused,
)
from pipeline.mapping.site import Site, TargetNames
from pipeline.mapping.target import TargetRow
from pipeline.model.ledger import (
    Incarnation,
    LedgerRow,
    Mark,
    Progress,
    Waiting,
)
from pipeline.model.outcome import RowCounts
from pipeline.model.position import NOWHERE, TopicOffset, TopicPartition
from tests.support.events import event, ledger
from tests.twins.target import MemoryTarget
from tests.twins.turns import FreeTurns

SQL_SERVER = "PIPELINE_TEST_SQLSERVER_URL"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ODD = 'O\'Brien "q" [x] {y} :z %s Ωμέγα 株式会社 🏗️'
TOPIC = "ajera.AxVec"


@dataclass
class Database:
    """A real database under test, in schemas of its own."""

    engine: Engine
    target: DatabaseTarget
    sync: str
    pim: str | None
    site: Site


@dataclass
class Twin:
    """The one in memory."""

    target: MemoryTarget


REASON = f"{SQL_SERVER} is not set: nothing was run on SQL Server"
REAL = (
    pytest.param("postgresql", marks=pytest.mark.postgres),
    pytest.param(
        "mssql",
        marks=[
            pytest.mark.sqlserver,
            pytest.mark.skipif(SQL_SERVER not in os.environ, reason=REASON),
        ],
    ),
)


@pytest.fixture(scope="module", params=("memory", *REAL))
def database(request: pytest.FixtureRequest) -> Iterator[Database | Twin]:
    """Each in turn."""
    if request.param == "memory":
        yield Twin(MemoryTarget(AJERA_TO_PIM, turns=FreeTurns(3.0)))
    else:
        yield from _served(request)


@pytest.fixture(scope="module", params=REAL)
def real(request: pytest.FixtureRequest) -> Iterator[Database]:
    """For what only a database has: a schema that is migrated, lengths that are read."""
    yield from _served(request)


def _served(request: pytest.FixtureRequest) -> Iterator[Database]:
    """Fresh schemas; dropped at the end where the database is not ours."""
    site = Site()
    suffix = uuid.uuid4().hex[:8]
    if request.param == "postgresql":
        url, pim = (
            request.getfixturevalue("postgres").create_database(f"contract_{suffix}"),
            None,
        )
    else:
        url, pim = os.environ[SQL_SERVER], f"pim_{suffix}"
    sync = f"sync_{suffix}"
    engine = create_engine(url, lock_timeout_seconds=3)
    if pim is not None:
        with engine.begin() as connection:
            connection.execute(sa.text(f"CREATE SCHEMA {pim}"))
    upgrade(engine, sync, mirrored=AJERA_TO_PIM.sources)
    create_target_tables(engine, AJERA_TO_PIM, site, pim)
    yield Database(
        engine,
        DatabaseTarget(engine, AJERA_TO_PIM, site, sync, pim),
        sync,
        pim,
        site,
    )
    if pim is not None:
        _drop(engine, [pim, sync])
    engine.dispose()


def _drop(engine: Engine, schemas: list[str]) -> None:
    for schema in schemas:
        metadata = sa.MetaData()
        metadata.reflect(engine, schema=schema, resolve_fks=False)
        metadata.drop_all(engine)
        with engine.begin() as connection:
            connection.execute(sa.text(f"DROP SCHEMA {schema}"))


def key() -> int:
    """A key that no other test has."""
    return uuid.uuid4().int % 1_000_000_000


def row(number: int, **columns: object) -> LedgerRow:
    return ledger(event("AxVec", number, at=1, **columns))  # type: ignore[arg-type]


def stored(database: Database | Twin, *rows: LedgerRow) -> None:
    with database.target.transaction() as transaction:
        transaction.write_rows(rows)


def organization(number: int, name: str = "x", **values: str | None) -> TargetRow:
    return TargetRow("Organization", (f"cl-{number}",), {"Name": name, **values})


# -- ledger and mirror -----------------------------------------------------------------------------


def test_a_ledger_row_comes_back_as_it_was_written(
    database: Database | Twin,
) -> None:
    """Texts letter by letter, null apart from absent, flags, instants, great numbers,
    and what is unknown.
    """
    one = row(
        key(),
        vecDescription=ODD,
        vecEmail="",
        vecFax=None,
        vecIsClient=True,
        vecIsVendor=False,
    )
    one = replace(
        one,
        unknown=frozenset({"vecZip", "vecCity"}),
        epoch=7,
        committed_at=NOW,
        place=TopicOffset(3, 2, 2**40),
    )
    stored(database, one)
    with database.target.transaction() as transaction:
        found = transaction.lock_rows("AxVec", [one.key])[one.key]
    assert found == replace(one, revision=1)
    assert found.values["ever_vecIsClient"] is True


def test_a_row_that_is_read_without_its_place_holds_all_else(database: Database | Twin) -> None:
    """Found by its key, locked, or by what a column of it holds."""
    number, client = key(), key()
    group = replace(
        ledger(event("AxInvoiceGroup", number, igClient=client)),
        unknown=frozenset({"igProject"}),
        epoch=7,
        committed_at=NOW,
        place=TopicOffset(3, 2, 2**40),
        retired_at="8",
        changed_at="9",
        deleted=True,
    )
    stored(database, group)
    held = replace(group, revision=1, position="", place=NOWHERE, epoch=0, committed_at=None)
    with database.target.transaction() as transaction:
        keys = [group.key]
        assert transaction.rows_by_key("AxInvoiceGroup", keys, placed=False) == [held]
        assert transaction.lock_rows("AxInvoiceGroup", keys, placed=False) == {group.key: held}
        assert transaction.rows_where("AxInvoiceGroup", "igClient", [client]) == [held]


def test_a_row_that_others_read_changed_where_its_newest_event_is_or_before(
    database: Database | Twin,
) -> None:
    """Two positions of one row, the same or not; nowhere, before its first streamed event."""
    moments = [("5", "5"), ("5", "4"), ("", "1"), ("", "")]
    rows = [
        replace(row(key()), position=position, changed_at=changed_at)
        for position, changed_at in moments
    ]
    stored(database, *rows)
    with database.target.transaction() as transaction:
        for placed in (True, False):
            found = transaction.lock_rows("AxVec", [one.key for one in rows], placed=placed)
            assert [found[one.key].changed_at for one in rows] == [late for _, late in moments]


def test_a_ledger_row_that_changed_meanwhile_is_not_overwritten(
    database: Database | Twin,
) -> None:
    """The revision guards it: nothing of the second write is stored."""
    one = row(key(), vecDescription="first")
    stored(database, one)
    read = replace(one, revision=1)
    stored(
        database,
        replace(read, values={**read.values, "vecDescription": "second"}),
    )
    with pytest.raises(ConcurrentWrite):
        stored(
            database,
            replace(read, values={**read.values, "vecDescription": "late"}),
        )
    with pytest.raises(ConcurrentWrite):
        stored(database, one)
    with database.target.transaction() as transaction:
        (found,) = transaction.rows_by_key("AxVec", [one.key])
    assert (found.values["vecDescription"], found.revision) == ("second", 2)


def test_rows_are_found_by_key_and_by_mirrored_column(
    database: Database | Twin,
) -> None:
    """Also by text, in one statement for any number; nothing asked is nothing found."""
    client, numbers = key(), [key() for _ in range(3)]
    groups = [
        ledger(event("AxInvoiceGroup", number, igProject=1, igClient=client)) for number in numbers
    ]
    contact = ledger(event("AxContact", key(), cntClient=client))
    with database.target.transaction() as transaction:
        transaction.write_rows(groups)
        transaction.write_rows([contact])
        assert {
            one.key for one in transaction.rows_where("AxInvoiceGroup", "igClient", [client, None])
        } == set(map(str, numbers))
        assert [
            one.key for one in transaction.rows_where("AxContact", "organization", [f"cl-{client}"])
        ] == [contact.key]
        assert transaction.rows_where("AxContact", "organization", []) == []
        assert transaction.rows_by_key("AxVec", []) == []
        assert transaction.lock_rows("AxVec", ["0"]) == {}


def test_more_rows_than_one_statement_takes_are_written_in_pieces(
    database: Database | Twin,
) -> None:
    """Thousands in one call."""
    start = key()
    rows = [row(start + number, vecDescription=str(number)) for number in range(6_001)]
    stored(database, *rows)
    with database.target.transaction() as transaction:
        assert len(transaction.lock_rows("AxVec", [one.key for one in rows])) == 6_001


def test_a_locked_row_makes_another_process_wait_until_the_transaction_ends(
    database: Database | Twin,
) -> None:
    """And what it reads then is what was committed."""
    one = row(key(), vecDescription="before")
    stored(database, one)
    seen: list[object] = []
    locked, order = threading.Event(), []

    def other() -> None:
        assert locked.wait(10)
        with database.target.transaction() as transaction:
            found = transaction.lock_rows("AxVec", [one.key])[one.key]
            order.append("other")
            seen.append(found.values["vecDescription"])

    thread = threading.Thread(target=other)
    thread.start()
    with database.target.transaction() as transaction:
        read = transaction.lock_rows("AxVec", [one.key])[one.key]
        locked.set()
        transaction.write_rows([replace(read, values={**read.values, "vecDescription": "after"})])
        thread.join(0.5)
        order.append("first")
    thread.join(10)
    assert (order, seen) == (["first", "other"], ["after"])


def test_a_lock_that_is_not_given_back_in_time_is_transient(
    database: Database | Twin,
) -> None:
    """Tried again by the engine, with the database's number in the text."""
    one = row(key())
    stored(database, one)
    with database.target.transaction() as transaction:
        transaction.lock_rows("AxVec", [one.key])
        with pytest.raises(TargetBusy):
            _lock(database, one.key)


def _lock(database: Database | Twin, number: str) -> None:
    with database.target.transaction() as transaction:
        transaction.lock_rows("AxVec", [number])


def test_rows_of_an_older_epoch_are_told_until_they_are_deleted(
    database: Database | Twin,
) -> None:
    """What the sweep after a new snapshot goes by."""
    old, new = row(key()), replace(row(key()), epoch=9)
    stored(database, replace(old, epoch=8), new)
    with database.target.transaction() as transaction:
        unseen = {one.key: one for one in transaction.unseen("AxVec", 9, 10_000)}
        assert old.key in unseen
        assert new.key not in unseen
        transaction.write_rows([replace(unseen[old.key], deleted=True)])
        assert old.key not in {one.key for one in transaction.unseen("AxVec", 9, 10_000)}


# -- marks -----------------------------------------------------------------------------------------


def test_a_newer_mark_is_never_cleared_by_whoever_read_an_older(
    database: Database | Twin,
) -> None:
    """Clearing names the number that was read."""
    name = str(key())
    with database.target.transaction() as transaction:
        transaction.mark([Mark("AxVec", name, 1)], NOW)
        transaction.mark([Mark("AxVec", name, 2)], NOW)
        transaction.clear([Mark("AxVec", name, 1)])
        assert transaction.marks_of([("AxVec", name)]) == [Mark("AxVec", name, 2)]
        transaction.clear([Mark("AxVec", name, 2)])
        assert transaction.marks_of([("AxVec", name)]) == []


def test_whether_a_kind_has_marks_is_told(database: Database | Twin) -> None:
    """Of the kind alone, and of a mark that waits, too."""
    kind = f"AxVec {key()}"
    with database.target.transaction() as transaction:
        assert not transaction.has_marks(kind)
        transaction.wait([Waiting(Mark(kind, "5"), "row.missing", ODD)], NOW)
        assert transaction.has_marks(kind)
        assert not transaction.has_marks(f"{kind} 5")
        transaction.clear(transaction.marks_of([(kind, "5")]))
        assert not transaction.has_marks(kind)


def test_a_mark_that_waits_keeps_its_reason_until_it_is_set_again(
    database: Database | Twin,
) -> None:
    """It is counted, comes due by the time of its last try,
    and a stale reason is not written over a newer mark.
    """
    mark = Mark("AxProject", str(key()), 5)
    waiting = Waiting(mark, "row.missing", ODD)
    with database.target.transaction() as transaction:
        transaction.mark([mark], NOW)
        before = transaction.waiting_count()
        transaction.wait([waiting], NOW)
        assert transaction.waiting_count() == before + 1
        early: dict[str, Any] = {
            "set_before": NOW + timedelta(hours=1),
            "waiting_before": NOW - timedelta(hours=1),
        }
        late: dict[str, Any] = {
            "set_before": NOW - timedelta(hours=9),
            "waiting_before": NOW + timedelta(hours=1),
        }
        assert mark not in transaction.due(10_000, **early)
        assert mark in transaction.due(10_000, **late)
        transaction.mark([replace(mark, number=6)], NOW)
        assert transaction.waiting_count() == before
        transaction.wait([waiting], NOW)
        assert transaction.waiting_count() == before
        transaction.wait([replace(waiting, mark=replace(mark, number=0))], NOW)
        assert transaction.waiting_count() == before + 1


def test_a_mark_that_waits_for_a_table_that_refuses_is_due_only_when_asked_for(
    database: Database | Twin,
) -> None:
    """However long it waits; and it is no row that is parked."""
    mark = Mark("AxVec", f"refused-{key()}", 5)
    times: dict[str, Any] = {
        "set_before": NOW + timedelta(days=1),
        "waiting_before": NOW + timedelta(days=1),
    }
    with database.target.transaction() as transaction:
        before = transaction.waiting_count()
        transaction.mark([mark], NOW)
        transaction.wait([Waiting(mark, TargetRefused.code, "no right")], NOW)
        assert transaction.waiting_count() == before
        assert mark not in transaction.due(10_000, **times, with_refused=False)
        times["waiting_before"] = NOW - timedelta(days=1)
        assert mark in transaction.due(10_000, **times, with_refused=True)
        transaction.clear([mark])


def test_marking_a_whole_table_marks_every_row_once(
    database: Database | Twin,
) -> None:
    """In pages."""
    stored(
        database,
        *(ledger(event("AxResource", key(), resProject=1)) for _ in range(20)),
    )
    with database.target.transaction() as transaction:
        assert transaction.mark_table("AxResource", 77, NOW) == 20
        due = transaction.due(10_000, set_before=NOW + timedelta(hours=1), waiting_before=NOW)
        assert len([mark for mark in due if mark.kind == "AxResource"]) == 20


# -- target rows -----------------------------------------------------------------------------------


def test_an_upsert_creates_changes_and_leaves_alone_and_tells_them_apart(
    database: Database | Twin,
) -> None:
    """A row that holds its values already is not touched,
    letter by letter and with null as a value.
    """
    one, two = key(), key()
    with database.target.transaction() as transaction:
        rows = [
            organization(one, ODD, Address=None),
            organization(two, "two"),
        ]
        assert transaction.upsert("Organization", rows) == RowCounts(created=2)
        again = [
            organization(one, ODD, Address=None),
            organization(two, "Two"),
        ]
        assert transaction.upsert("Organization", again) == RowCounts(changed=1, unchanged=1)
        cleared = [
            organization(one, ODD, Address=""),
            organization(two, "Two"),
        ]
        assert transaction.upsert("Organization", cleared) == RowCounts(changed=1, unchanged=1)


def test_a_change_of_trailing_blanks_alone_is_a_change(
    database: Database | Twin,
) -> None:
    """A database may pad texts with blanks where it compares them."""
    number = key()
    with database.target.transaction() as transaction:
        assert transaction.upsert("Organization", [organization(number, "a")]) == RowCounts(
            created=1
        )
        assert transaction.upsert("Organization", [organization(number, "a ")]) == RowCounts(
            changed=1
        )
        assert transaction.upsert("Organization", [organization(number, "a ")]) == RowCounts(
            unchanged=1
        )
        assert transaction.upsert("Organization", [organization(number, "a")]) == RowCounts(
            changed=1
        )


def test_a_value_longer_than_its_column_is_not_found_and_not_rejected(
    database: Database | Twin,
) -> None:
    """Only writing it may be refused."""
    long = f"cl-{key()}" + "x" * 5_000
    with database.target.transaction() as transaction:
        assert transaction.existing("Organization", [long]) == set()
        assert transaction.holders("Project", "Project Code", [long]) == {}
        assert transaction.lock_rows("AxVec", [long]) == {}
        assert transaction.rows_where("AxContact", "organization", [long]) == []
        assert transaction.marks_of([("AxVec", long)]) == []
        transaction.clear([Mark("AxVec", long, 1)])
        assert transaction.replace_children("Project_Contact", {long: []}) == RowCounts()


def test_a_reason_in_letters_outside_the_basic_plane_is_cut_to_its_column(
    database: Database | Twin,
) -> None:
    """SQL Server counts two for each; PostgreSQL one."""
    number = key()
    mark = Mark("AxVec", str(number), 1)
    with database.target.transaction() as transaction:
        transaction.mark([mark], NOW)
        transaction.wait([Waiting(mark, "row.missing", "🏗" * 500)], NOW)
        assert transaction.marks_of([("AxVec", str(number))]) == [mark]


def test_a_key_of_the_greatest_length_is_marked_found_and_cleared(
    database: Database | Twin,
) -> None:
    """Kind and key together have more bytes than SQL Server allows a clustered key."""
    mark = Mark("AxProject/Project ID", f"{key():09d}" + "ж" * 441, 1)
    with database.target.transaction() as transaction:
        transaction.mark([mark], NOW)
        assert transaction.marks_of([(mark.kind, mark.key)]) == [mark]
        transaction.clear([mark])
        assert transaction.marks_of([(mark.kind, mark.key)]) == []


def test_what_is_prefilled_is_written_at_creation_and_never_after(
    database: Database | Twin,
) -> None:
    """A person's title stays."""
    contact = TargetRow(
        "Contact",
        (f"co-{key()}",),
        {"Surname": "a"},
        {"Title": "-", "Created Date": NOW},
    )
    with database.target.transaction() as transaction:
        transaction.upsert("Contact", [contact])
        transaction.upsert("Contact", [TargetRow("Contact", contact.key, {"Title": "Ms"})])
        assert transaction.upsert(
            "Contact", [replace(contact, values={"Surname": "b"})]
        ) == RowCounts(changed=1)
        assert transaction.upsert(
            "Contact", [TargetRow("Contact", contact.key, {"Title": "Ms"})]
        ) == RowCounts(unchanged=1)


def test_a_row_that_cannot_be_created_whole_must_be_there(
    database: Database | Twin,
) -> None:
    """A required column that is not known yet is no reason to invent one."""
    with (
        pytest.raises(TargetRefused, match="Name"),
        database.target.transaction() as transaction,
    ):
        transaction.upsert(
            "Organization",
            [TargetRow("Organization", (f"cl-{key()}",), {"Address": "x"})],
        )


def test_parents_are_found_and_created_once(
    database: Database | Twin,
) -> None:
    """Missing ones only; those that exist are held against deletion."""
    name = f"role {key()}"
    with database.target.transaction() as transaction:
        assert transaction.existing("Role_Type", [name]) == set()
        assert transaction.create_missing("Role_Type", [{"Name": name}]) == 1
        assert transaction.create_missing("Role_Type", [{"Name": name}]) == 0
        assert transaction.existing("Role_Type", [name, "nobody"]) == {name}


def test_the_holder_of_a_unique_value_is_told(
    database: Database | Twin,
) -> None:
    """As the target spells it."""
    number, code = str(key()), f"Code {key()}"
    with database.target.transaction() as transaction:
        transaction.create_missing("Project_Status", [{"Name": "Active", "Completed": False}])
        values = {"Project Code": code, "Name": "p", "Status": "Active"}
        transaction.upsert("Project", [TargetRow("Project", (number,), values)])
        assert transaction.holders("Project", "Project Code", [code, "other"]) == {code: number}
    with pytest.raises(ConcurrentWrite):
        _project(database, str(key()), code)


def _project(database: Database | Twin, number: str, code: str) -> None:
    with database.target.transaction() as transaction:
        values = {"Project Code": code, "Name": "p", "Status": "Active"}
        transaction.upsert("Project", [TargetRow("Project", (number,), values)])


def test_child_rows_are_replaced_as_a_set_and_those_of_others_stay(
    database: Database | Twin,
) -> None:
    """Only what we made is ever removed."""
    number, code = str(key()), str(key())
    people = [f"em-{key()}" for _ in range(3)]
    with database.target.transaction() as transaction:
        transaction.create_missing("Project_Status", [{"Name": "Active"}])
        transaction.create_missing("Role_Type", [{"Name": "Lead"}, {"Name": "Theirs"}])
        transaction.upsert(
            "Contact",
            [TargetRow("Contact", (person,), {"Surname": person}) for person in people],
        )
        transaction.upsert(
            "Project",
            [
                TargetRow(
                    "Project",
                    (number,),
                    {"Project Code": code, "Name": "p", "Status": "Active"},
                )
            ],
        )
        transaction.create_missing(
            "Project_Contact",
            [
                {
                    "Project ID": number,
                    "Role Type": "Theirs",
                    "Contact ID": people[0],
                }
            ],
        )
        theirs = (number, "Theirs", people[0])
        lead = (number, "Lead")
        first = {number: children((*lead, people[0]), (*lead, people[1]), theirs)}
        assert transaction.replace_children("Project_Contact", first) == RowCounts(
            created=2, unchanged=1
        )
        second = {number: children((*lead, people[2]))}
        assert transaction.replace_children("Project_Contact", second) == RowCounts(
            created=1, changed=2
        )
        assert transaction.replace_children("Project_Contact", {number: []}) == RowCounts(changed=1)
    with database.target.transaction() as transaction:
        assert (
            transaction.create_missing(
                "Project_Contact",
                [
                    dict(
                        zip(
                            ("Project ID", "Role Type", "Contact ID"),
                            theirs,
                            strict=True,
                        )
                    )
                ],
            )
            == 0
        )


def children(*keys: tuple[str, ...]) -> list[TargetRow]:
    """Child rows that are nothing but their key."""
    return [TargetRow("Project_Contact", key, {}) for key in keys]


@pytest.mark.parametrize(
    "row",
    [
        TargetRow("Organization", ("cl-1",), {"Name": "x" * 101}),
        TargetRow("Organization", ("cl-1",), {"Name": None}),
        TargetRow("Contact", ("co-1",), {"Organization ID": "cl-nobody"}),
    ],
    ids=["too long", "null", "no such parent"],
)
def test_a_row_that_the_database_rejects_is_told_as_such_without_its_values(
    database: Database | Twin, row: TargetRow
) -> None:
    """So that the batch is narrowed to it; the text names the number, never the value."""
    with (
        pytest.raises(RowRejected) as rejected,
        database.target.transaction() as transaction,
    ):
        transaction.upsert(row.table, [row])
    assert "xxx" not in str(rejected.value)
    assert "nobody" not in str(rejected.value)


def test_an_error_leaves_nothing_of_its_transaction(
    database: Database | Twin,
) -> None:
    """Ours or the caller's."""
    number = key()
    with pytest.raises(ZeroDivisionError):
        _fail_after_writing(database, number)
    with database.target.transaction() as transaction:
        assert transaction.existing("Organization", [f"cl-{number}"]) == set()
        assert transaction.marks_of([("AxVec", str(number))]) == []


def _fail_after_writing(database: Database | Twin, number: int) -> None:
    with database.target.transaction() as transaction:
        transaction.upsert("Organization", [organization(number)])
        transaction.mark([Mark("AxVec", str(number), 1)], NOW)
        raise ZeroDivisionError


def test_a_deadlock_ends_one_of_the_two_as_transient(
    database: Database | Twin,
) -> None:
    """Rows locked in opposite orders; the other one goes on."""
    one, two = key(), key()
    with database.target.transaction() as transaction:
        transaction.upsert("Organization", [organization(one), organization(two)])
    barrier, faults = (
        threading.Barrier(2, timeout=10),
        list[PipelineError](),
    )

    def work(first: int, second: int) -> None:
        try:
            with database.target.transaction() as transaction:
                transaction.upsert("Organization", [organization(first, f"by {first}")])
                barrier.wait()
                transaction.upsert("Organization", [organization(second, f"by {first}")])
        except PipelineError as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=pair) for pair in ((one, two), (two, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [type(fault) for fault in faults] == [TargetBusy]


# -- progress and loading --------------------------------------------------------------------------


def test_progress_stores_the_next_offset_and_adds_up_the_counts(
    database: Database | Twin,
) -> None:
    """The run of dead letters is stored as it is, not added."""
    place = TopicPartition(f"t.{key()}", 3)
    one = Progress(
        1,
        10,
        events_read=10,
        written=6,
        skipped=2,
        parked=1,
        dead_lettered=1,
        dead_in_a_row=1,
    )
    with database.target.transaction() as transaction:
        assert transaction.progress([place]) == {}
        assert transaction.advance({place: one}, NOW) == {place: 10}
        again = {place: replace(one, next_offset=15, dead_in_a_row=0)}
        assert transaction.advance(again, NOW) == {place: 20}
        expected = Progress(
            1,
            15,
            events_read=20,
            written=12,
            skipped=4,
            parked=2,
            dead_lettered=2,
            dead_in_a_row=0,
        )
        assert transaction.progress([place]) == {place: expected}


def test_incarnations_are_numbered_as_they_are_first_seen(
    database: Database | Twin,
) -> None:
    """The same one keeps its number; numbers grow over all topics."""
    topic, other = f"t.{key()}", f"t.{key()}"
    with database.target.transaction() as transaction:
        first = transaction.incarnation(topic, "id-1", 4)
        second = transaction.incarnation(other, "id-9", 4)
        third = transaction.incarnation(topic, "id-2", 4)
        assert transaction.incarnation(topic, "id-1", 4) == first
        assert first < second < third
        assert transaction.incarnations(topic) == {
            first: Incarnation("id-1", 4),
            third: Incarnation("id-2", 4),
        }


def test_a_table_is_loaded_when_every_partition_was_read_to_its_end_in_this_epoch(
    database: Database | Twin,
) -> None:
    """Told once; a later epoch, or another incarnation of the topic, begins anew."""
    table, topic = "AxContact", f"t.{key()}"
    places = [TopicPartition(topic, number) for number in range(2)]
    with database.target.transaction() as transaction:
        number = transaction.incarnation(topic, "id", 2)
        assert transaction.loading(1)[table] == "unknown"
        transaction.set_load_ends(topic, table, 1, {0: 5, 1: 0})
        transaction.set_load_ends(topic, table, 1, {0: 99, 1: 99})
        assert transaction.loading(1)[table] == "reading"
        assert table not in transaction.read_to_end()
        transaction.advance({places[0]: Progress(number, 5)}, NOW)
        assert transaction.read_to_end() == {table: 1}
        assert (
            transaction.set_loaded(table, 1),
            transaction.set_loaded(table, 1),
        ) == (True, False)
        assert table in transaction.loaded()
        assert table not in transaction.loading(1)
        assert transaction.loading(2)[table] == "unknown"
        assert table in transaction.loaded(), "what was loaded once stays usable"
        transaction.set_load_ends(topic, table, 2, {0: 9, 1: 1})
        transaction.advance(
            {
                places[0]: Progress(number, 9),
                places[1]: Progress(number, 1),
            },
            NOW,
        )
        assert transaction.read_to_end() == {table: 2}
        assert transaction.reloaded(table, number) == 2
        assert transaction.reloaded(table, number + 1) == 0
        assert transaction.reloaded("AxNowhere", number) == 0
        transaction.incarnation(topic, "made anew", 2)
        assert transaction.loading(2)[table] == "unknown"


# -- around it -------------------------------------------------------------------------------------


def test_the_sync_schema_is_migrated_to_the_newest_version_and_again_harmlessly(
    real: Database,
) -> None:
    """Twice changes nothing."""
    assert current(real.engine, real.sync) == latest()
    assert upgrade(real.engine, real.sync) == (latest(), latest())


def test_a_schema_that_lacks_a_mirror_of_the_route_is_outdated_until_it_is_upgraded(
    real: Database,
) -> None:
    """A route that reads one more table needs no version of the schema for it."""
    vec = AJERA_TO_PIM.source("AxVec")
    further = replace(vec, table=replace(vec.table, name="AxFurther"))
    mirrored = (*AJERA_TO_PIM.sources, further)
    require_latest(real.engine, real.sync, mirrored=AJERA_TO_PIM.sources)
    with pytest.raises(SyncSchemaOutdated, match="lacks mirror_AxFurther"):
        require_latest(real.engine, real.sync, mirrored=mirrored)
    upgrade(real.engine, real.sync, mirrored=mirrored)
    require_latest(real.engine, real.sync, mirrored=mirrored)


def test_a_server_that_vanishes_without_a_word_is_noticed(
    real: Database,
) -> None:
    """On SQL Server the driver's own time-out of a statement does it."""
    if real.engine.dialect.name != "postgresql":
        pytest.skip("psycopg's settings")
    connection = real.engine.raw_connection()
    settings = connection.driver_connection.info.get_parameters()  # type: ignore[union-attr]
    connection.close()
    assert (settings["tcp_user_timeout"], settings["keepalives_idle"]) == (
        "30000",
        "10",
    )


def test_epochs_grow_over_all_connectors_and_settings_are_kept(
    real: Database,
) -> None:
    """Both outlive the process."""
    states = [(real.engine, real.sync)]
    assert current_epoch(states, "a") is None
    first = store_epoch(states, "a", None)
    second = store_epoch(states, "b", None)
    assert (store_epoch(states, "a", None), second) == (
        first + 2,
        first + 1,
    )
    with real.target.transaction() as transaction:
        transaction.set_setting("x", ODD)
        transaction.set_setting("x", ODD + "!")
    assert read_setting(real.engine, "x", real.sync) == ODD + "!"


def test_the_live_targets_lengths_are_read_and_what_is_missing_is_named(
    real: Database,
) -> None:
    """So that texts are cut to what this database holds."""
    live = {
        table.name: table
        for table in describe_target(real.engine, AJERA_TO_PIM, real.site, real.pim)
    }
    name = live["Organization"].column("Name")
    assert (name.length, name.nullable) == (100, False)
    site = Site(
        target={
            "Organization": TargetNames(columns={"Name": "Missing"}),
            "Contact": TargetNames(name="Nowhere"),
        }
    )
    with pytest.raises(PipelineError, match=r"column Organization\.Missing, table Nowhere"):
        describe_target(real.engine, AJERA_TO_PIM, site, real.pim)
