"""Many plain events in one statement: exactly those are applied that the guard in Python puts after
their rows, and the rows hold exactly what it makes of them.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.engine.consumer.ports import Target, Transaction
from pipeline.engine.projection import guard
from pipeline.engine.projection.at_once import can_be_staged_at_once
from pipeline.errors import RowRejected
from pipeline.mapping.mirror import MirroredTable
from pipeline.mapping.source import ColumnType
from pipeline.model import applied
from pipeline.model.event import Event, Operation, Value
from pipeline.model.ledger import LedgerRow
from pipeline.model.outcome import RowCounts
from pipeline.model.plain import PlainEvent
from pipeline.model.position import TopicOffset
from tests.support.events import NOON, SITE, event, position
from tests.twins.target import MemoryTarget

TABLES = [table for table in AJERA_TO_PIM.sources if can_be_staged_at_once(table)]
TEXTS = (None, "", " ", "a", "A", 'q"x\\', "tab\tline\n", "Ωμέγα", "株式会社 🏗️", "\x1f", "{NULL}")
ROUNDS, KEYS = 25, 40


def plain_or_skip(transaction: Transaction) -> None:
    if not transaction.takes_plain:
        pytest.skip("this database takes no rows in bulk")


def value_of(rng: random.Random, kind: ColumnType) -> Value:
    match kind:
        case ColumnType.FLAG:
            return rng.choice((True, False, None))
        case ColumnType.INTEGER:
            return rng.choice((None, 0, 1, 2, -(2**63), 2**63 - 1))
        case _:
            return rng.choice(TEXTS)


def random_event(rng: random.Random, table: MirroredTable, key: int) -> Event:
    """Of few positions, offsets, partitions, incarnations and epochs, so that they often meet."""
    epoch, at = rng.choice((1, 1, 2)), rng.randint(1, 6)
    made = event(table.name, key, rng.choice("ccuuuuudr"))
    row = {
        one.name: made.row.get(one.name) if one.name in table.table.key else value_of(rng, one.kind)
        for one in table.columns
    }
    if made.operation is Operation.DELETE:
        row = {}
    elif rng.random() < 0.1:
        row.pop(table.columns[-1].name)
    return replace(
        made,
        row=row,
        position="" if made.operation is Operation.READ else position(at, epoch),
        place=TopicOffset(rng.choice((1, 1, 2)), rng.choice((0, 0, 1)), rng.randint(1, 6)),
        committed_at=NOON + timedelta(seconds=at, microseconds=rng.choice((0, 1))),
        epoch=epoch,
    )


def is_whole(table: MirroredTable, one: Event) -> bool:
    return one.row.keys() == {column.name for column in table.columns}


def is_applied(before: LedgerRow | None, one: Event) -> bool:
    """By the guard in Python; a read over a row that is there is left to the row-wise way."""
    if before is None:
        return True
    is_plain = not (before.unknown or before.retired_at or before.deleted)
    return is_plain and not one.is_snapshot and not applied.is_stale(before, one)


def plain_event(table: MirroredTable, one: Event) -> PlainEvent:
    return PlainEvent(one, tuple(column.of(one.row, SITE) for column in table.remembered))


def checked(table: MirroredTable, before: LedgerRow | None, one: Event) -> LedgerRow:
    after = guard.apply(table, SITE, before, one)
    return replace(after, revision=1 if before is None else before.revision + 1)


def stored(transaction: Transaction, table: MirroredTable) -> dict[str, LedgerRow]:
    keys = [str(key) for key in range(KEYS)]
    return {row.key: row for row in transaction.rows_by_key(table.name, keys)}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: str(table.name))
def test_what_is_applied_is_what_the_guard_says(target: Target, table: MirroredTable) -> None:
    """Random events over random rows: which are applied, what the rows hold then, and what is said
    to have changed.
    """
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    rng, counts = random.Random(seed), {True: 0, False: 0}
    for _ in range(ROUNDS):
        with target.transaction() as transaction:
            plain_or_skip(transaction)
            before = stored(transaction, table)
            others = [random_event(rng, table, key) for key in rng.sample(range(KEYS), 12)]
            rows = transaction.lock_rows(table.name, sorted({one.key for one in others}))
            transaction.write_rows(
                [
                    guard.apply(table, SITE, rows.get(one.key), one)
                    for one in others
                    if one.key not in rows or not applied.is_stale(rows[one.key], one)
                ]
            )
            before = stored(transaction, table)
            given = [random_event(rng, table, key) for key in range(KEYS)]
            given = [one for one in given if is_whole(table, one)]
            changes = transaction.write_plain(table.name, [plain_event(table, e) for e in given])
            after = stored(transaction, table)
        for one in given:
            was, counted = before.get(one.key), is_applied(before.get(one.key), one)
            counts[counted] += 1
            assert (one.key in changes) == counted
            assert after.get(one.key) == (checked(table, was, one) if counted else was)
            if counted:
                found = changes[one.key]
                kinds = {kind for kind, _ in guard.marks(table, was, after[one.key])}
                assert found.is_changed == (table.name in kinds)
                assert found.is_shared_changed == (f"{table.name}.shared" in kinds)
                assert found.remembered == tuple(
                    after[one.key].values[column.name] for column in table.remembered
                )
    assert min(counts.values()) > ROUNDS


def test_a_row_that_is_left_out_is_locked(target: Target) -> None:
    """So what is done about it row by row waits for nobody."""
    table = AJERA_TO_PIM.source("AxVec")
    with target.transaction() as transaction:
        plain_or_skip(transaction)
        newer = event("AxVec", 1, at=5)
        transaction.write_rows([guard.apply(table, SITE, None, newer)])
    with target.transaction() as transaction:
        found = transaction.write_plain("AxVec", [plain_event(table, event("AxVec", 1, at=2))])
        assert found == {}
        assert transaction.lock_rows("AxVec", ["1"])["1"].position == position(5)


@pytest.mark.parametrize("value", ["a\x00b", 5], ids=["NUL", "number"])
def test_a_value_that_cannot_be_copied_is_refused_like_a_row(target: Target, value: Value) -> None:
    """The general way leaves a NUL out, and writes a number as text."""
    table = AJERA_TO_PIM.source("AxVec")
    made = event("AxVec", 1, vecFax=value)

    def write() -> None:
        with target.transaction() as transaction:
            plain_or_skip(transaction)
            if isinstance(target, MemoryTarget):
                raise RowRejected("the twin takes it as the general way does")
            transaction.write_plain("AxVec", [plain_event(table, made)])

    with pytest.raises(RowRejected):
        write()


def test_rows_of_other_columns_get_a_staging_table_of_their_own(target: Target) -> None:
    """On the same connection, where the one before has other types."""
    for columns in (("Surname", "Created Date"), ("Created Date", "Surname")):
        values: dict[str, Value] = {"Surname": "Lee", "Created Date": NOON}
        with target.transaction() as transaction:
            plain_or_skip(transaction)
            rows = [("em-7", *(values[column] for column in columns))]
            transaction.upsert_plain("Contact", columns, 0, rows)
    with target.transaction() as transaction:
        assert transaction.upsert_plain("Contact", columns, 0, rows) == RowCounts(0, 0, 1)


def test_target_rows_in_bulk_are_counted_and_prefilled_as_others_are(target: Target) -> None:
    """One that holds its values is left alone; what is prefilled stays."""
    columns, day = ("Name", "Address", "Post Code"), datetime(2026, 1, 1, tzinfo=UTC)
    with target.transaction() as transaction:
        plain_or_skip(transaction)
        first = [("cl-2", "Two", None, "1"), ("cl-1", 'O"ne', "Ωμέγα", "1")]
        assert transaction.upsert_plain("Organization", columns, 1, first) == RowCounts(2, 0, 0)
        then = [("cl-1", "One", None, "2"), ("cl-2", "Two", None, "2"), ("cl-3", "3", "a", "3")]
        assert transaction.upsert_plain("Organization", columns, 1, then) == RowCounts(1, 1, 1)
        assert transaction.existing("Organization", ["cl-1", "cl-2", "cl-3"]) == {
            "cl-1",
            "cl-2",
            "cl-3",
        }
        people = [("em-1", "cl-1", "Lee", day)]
        named = ("Organization ID", "Surname", "Created Date")
        assert transaction.upsert_plain("Contact", named, 1, people) == RowCounts(1, 0, 0)
        later = [("em-1", "cl-1", "Lee", NOON)]
        assert transaction.upsert_plain("Contact", named, 1, later) == RowCounts(0, 0, 1)
