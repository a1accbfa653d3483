"""A release with further mirrored columns: the migrations and the twin mean the same by it."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
import sqlalchemy as sa

from pipeline.database.state.migrate import require_latest, upgrade
from pipeline.database.state.unknown import UnknownColumn
from pipeline.database.state.unknown import unknown_columns as unknown_values
from pipeline.database.target import DatabaseTarget
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.engine.consumer.ports import Target
from pipeline.engine.projection import guard
from pipeline.errors import SyncSchemaOutdated
from pipeline.mapping.mirror import Fold, MirroredTable, StickyColumn
from pipeline.mapping.site import Site
from pipeline.mapping.source import ColumnType, SourceColumn, SourceTable
from pipeline.model.ledger import LedgerRow
from pipeline.model.plain import PlainEvent
from tests.contracts.conftest import Release
from tests.support.events import SITE, event, event_of, ledger
from tests.support.releases import with_columns

COUNTRY = SourceColumn("vecAdded", ColumnType.TEXT)
EVER = StickyColumn(
    "ever_country", ColumnType.FLAG, Fold.EVER, lambda row, _: row.get("vecAdded") is not None, ""
)
NEWER = with_columns(AJERA_TO_PIM, "AxVec", COUNTRY, EVER)
NEWEST = with_columns(NEWER, "AxVec", SourceColumn("vecMemo", ColumnType.TEXT))
UNKNOWN = frozenset({"vecAdded", "ever_country"})
NEW_TABLE = MirroredTable(
    SourceTable("AxPhase", ("phKey",), (SourceColumn("phKey", ColumnType.INTEGER),)),
    indexed=("phKey",),
)


def row(key: int, **values: str | bool | None) -> LedgerRow:
    made = ledger(event("AxVec", key, at=key, vecDescription="d"))
    return replace(made, values={**made.values, **values})


def write(target: Target, *rows: LedgerRow) -> None:
    with target.transaction() as transaction:
        transaction.write_rows(rows)


def read(target: Target, key: int) -> LedgerRow:
    with target.transaction() as transaction:
        (found,) = transaction.rows_by_key("AxVec", [str(key)])
        (locked,) = transaction.lock_rows("AxVec", [str(key)]).values()
    assert found == locked
    return found


def load(target: Target, epoch: int) -> None:
    with target.transaction() as transaction:
        transaction.set_load_ends("ajera.AxVec", "AxVec", epoch, {0: 0})
        transaction.set_loaded("AxVec", epoch)


def unknown_columns(target: Target) -> frozenset[tuple[str, str]]:
    with target.transaction() as transaction:
        return transaction.unknown_columns()


def test_a_column_that_was_added_is_unknown_in_every_row_that_is_there(older: Release) -> None:
    """Null, but not known to be; what was known is as it was."""
    write(older.target, row(1))
    before = read(older.target, 1)
    after = read(older.upgraded(NEWER), 1)
    assert after.unknown == UNKNOWN
    assert after == replace(
        before,
        values={**before.values, "vecAdded": None, "ever_country": None},
        unknown=UNKNOWN,
    )


def test_a_row_that_was_written_since_has_the_column(older: Release) -> None:
    """A changed one and a new one; what an event did not hold stays unknown."""
    write(older.target, row(1), row(2))
    newer = older.upgraded(NEWER)
    known = {"vecAdded": None, "ever_country": False}
    held = read(newer, 1)
    write(newer, replace(held, values={**held.values, **known}, unknown=frozenset()))
    write(newer, row(3, vecAdded="NO", ever_country=True))
    link_side = read(newer, 2)
    write(newer, replace(link_side, unknown=frozenset({"vecAdded"})))
    assert [read(newer, key).unknown for key in (1, 2, 3)] == [set(), {"vecAdded"}, set()]
    assert read(newer, 3).values["vecAdded"] == "NO"


def test_what_an_older_release_wrote_over_is_unknown_again(older: Release) -> None:
    """Its programs may still run: they do not know the column, and leave it behind."""
    newer = older.upgraded(NEWER)
    write(newer, row(1, vecAdded="NO", ever_country=True))
    assert read(newer, 1).unknown == set()
    write(older.target, replace(read(older.target, 1), position="z"))
    write(older.target, row(2))
    for key in (1, 2):
        found = read(newer, key)
        assert found.unknown == UNKNOWN
        assert (found.values["vecAdded"], found.values["ever_country"]) == (None, None)


def test_each_addition_is_known_to_the_releases_that_have_it(older: Release) -> None:
    """Of two that were added one after the other, a release in between knows one."""
    newer = older.upgraded(NEWER)
    write(newer, row(1, vecAdded="NO", ever_country=True))
    newest = older.upgraded(NEWEST)
    assert read(newest, 1).unknown == {"vecMemo"}
    write(newest, replace(read(newest, 1), unknown=frozenset()))
    assert read(newest, 1).unknown == set()
    write(newer, read(newer, 1))
    assert read(newest, 1).unknown == {"vecMemo"}


def test_an_added_column_is_known_in_every_row_once_a_later_snapshot_was_read(
    older: Release,
) -> None:
    """Of the epoch after every one that a row was of; before, nobody may look rows up by it."""
    write(older.target, row(1))
    load(older.target, 1)
    newer = older.upgraded(NEWER)
    added = {("AxVec", "vecAdded"), ("AxVec", "ever_country")}
    assert unknown_columns(newer) == added
    load(newer, 1)
    assert unknown_columns(newer) == added
    load(newer, 2)
    assert unknown_columns(newer) == set()


def test_a_table_that_was_added_is_not_loaded_by_what_was_captured_before(older: Release) -> None:
    """The connector's snapshot of that epoch did not hold it, whatever says that it is over."""
    load(older.target, 1)
    newer = older.upgraded(replace(AJERA_TO_PIM, sources=(*AJERA_TO_PIM.sources, NEW_TABLE)))
    with newer.transaction() as transaction:
        assert "AxPhase" not in transaction.loading(1)
        assert transaction.loading(2)["AxPhase"] == "unknown"
        assert "AxPhase" not in transaction.loaded()


def test_rows_are_locked_page_by_page(older: Release) -> None:
    """By key, after the last one of the page before."""
    write(older.target, *(row(key) for key in (1, 2, 3)))
    with older.target.transaction() as transaction:
        first = transaction.lock_page("AxVec", "", 2)
        second = transaction.lock_page("AxVec", first[-1].key, 2)
        assert [one.key for one in (*first, *second)] == ["1", "2", "3"]
        assert transaction.lock_page("AxVec", second[-1].key, 2) == []


@pytest.mark.postgres
def test_what_the_first_release_wrote_over_is_unknown_again(postgres_engine: sa.Engine) -> None:
    """Its programs know nothing of added columns: they move the row's revision and no more."""
    schema = f"sync_{uuid.uuid4().hex[:8]}"
    upgrade(postgres_engine, schema, mirrored=NEWER.sources)
    with postgres_engine.begin() as connection:
        noted = f"INSERT INTO {schema}.added_column VALUES ('AxVec', 'vecAdded', 1, 1)"
        connection.execute(sa.text(noted))
    newer = DatabaseTarget(postgres_engine, NEWER, Site(), schema)
    write(newer, row(1, vecAdded="NO", ever_country=True))
    assert read(newer, 1).unknown == set()
    with postgres_engine.begin() as connection:
        moved = f'UPDATE {schema}."mirror_AxVec" SET revision = revision + 1'
        connection.execute(sa.text(moved))
    found = read(newer, 1)
    assert found.unknown == {"vecAdded"}
    assert found.values["vecAdded"] is None


@pytest.mark.postgres
def test_status_counts_the_rows_in_which_an_added_column_is_unknown(
    postgres_engine: sa.Engine,
) -> None:
    """Of rows that exist, and until a later snapshot was read."""
    schema = f"sync_{uuid.uuid4().hex[:8]}"
    upgrade(postgres_engine, schema, mirrored=AJERA_TO_PIM.sources)
    before = DatabaseTarget(postgres_engine, AJERA_TO_PIM, Site(), schema)
    write(before, row(1), row(2), row(3), replace(row(4), deleted=True))
    load(before, 1)
    assert unknown_values(postgres_engine, schema) == ()
    upgrade(postgres_engine, schema, mirrored=NEWER.sources)
    newer = DatabaseTarget(postgres_engine, NEWER, Site(), schema)
    write(newer, replace(read(newer, 1), unknown=frozenset()))
    write(newer, replace(read(newer, 2), unknown=frozenset({"vecAdded"})))
    assert unknown_values(postgres_engine, schema) == (
        UnknownColumn("AxVec", "ever_country", 1, 2),
        UnknownColumn("AxVec", "vecAdded", 2, 2),
    )
    load(newer, 2)
    assert unknown_values(postgres_engine, schema) == ()


@pytest.mark.postgres
def test_a_schema_without_an_added_column_is_refused_until_it_is_upgraded(
    postgres_engine: sa.Engine,
) -> None:
    """By name; what a newer release added stops no older one."""
    schema = f"sync_{uuid.uuid4().hex[:8]}"
    upgrade(postgres_engine, schema, mirrored=AJERA_TO_PIM.sources)
    with pytest.raises(SyncSchemaOutdated, match=r"mirror_AxVec\.vecAdded"):
        require_latest(postgres_engine, schema, mirrored=NEWER.sources)
    upgrade(postgres_engine, schema, mirrored=NEWER.sources)
    for route in (NEWER, AJERA_TO_PIM):
        require_latest(postgres_engine, schema, mirrored=route.sources)


def test_a_row_whose_writer_did_not_know_a_column_is_staged_row_by_row(older: Release) -> None:
    """What one statement stages was known whole before; then it is."""
    source = NEWER.source("AxVec")
    with older.target.transaction() as transaction:
        if not transaction.takes_plain:
            pytest.skip("this database takes no rows in bulk")
    write(older.target, row(1))
    newer = older.upgraded(NEWER)
    first, then = (event_of(NEWER, "AxVec", 1, at=at, vecAdded="US") for at in (8, 9))
    plain = [
        PlainEvent(one, tuple(column.of(one.row, SITE) for column in source.remembered))
        for one in (first, then)
    ]
    with newer.transaction() as transaction:
        assert transaction.write_plain("AxVec", plain[:1]) == {}
        held = transaction.lock_rows("AxVec", ["1"])["1"]
        transaction.write_rows([guard.apply(source, SITE, held, first)])
        assert [*transaction.write_plain("AxVec", plain[1:])] == ["1"]
    assert read(newer, 1).unknown == frozenset()
