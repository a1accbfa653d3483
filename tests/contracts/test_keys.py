"""Where keys of rows created in Ajera come from, held to PostgreSQL,
to SQL Server where one is given, and to the twin.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from deploy.local.stack import Stack
from pipeline.conflicts.rules import Side
from pipeline.database.pairs import DatabasePairs
from pipeline.database.sql.engine import create_engine
from pipeline.database.state.migrate import upgrade
from pipeline.database.systems.key_sources import generated_keys
from pipeline.database.systems.rows import Names
from pipeline.domain import exchange_tables
from pipeline.domain.ajera import AX_INVOICE_GROUP
from pipeline.errors import KeyTableInvalid
from pipeline.mapping.site import Holds, KeyTable, Site
from pipeline.mapping.source import ColumnType, SourceColumn, SourceTable
from pipeline.model.event import Value
from pipeline.pairing.entity import NewRow
from tests.contracts.test_pairs import (
    KINDS,
    SQL_SERVER,
    TYPES,
    AnyPairs,
    waiting,
)
from tests.contracts.test_twin import beside
from tests.twins.clock import Ticks
from tests.twins.database import MemoryDatabase, SystemTable
from tests.twins.pairs import MemoryPairs
from tests.twins.people import People
from tests.twins.systems import ORDER

COUNTER = KeyTable(
    table="Key Table",
    table_column="Of",
    key_column="Key",
    holds=Holds.NEXT,
    names={"AxProject": "Projects"},
)
COUNTERS = SourceTable(
    COUNTER.table,
    ("row",),
    (
        SourceColumn("row", ColumnType.INTEGER),
        SourceColumn("Of", ColumnType.TEXT),
        SourceColumn("Key", ColumnType.INTEGER),
    ),
)
TABLES = (
    exchange_tables.AX_VEC,
    exchange_tables.AX_PROJECT,
    AX_INVOICE_GROUP,
    exchange_tables.AX_CONTACT,
    COUNTERS,
)
GIVEN = exchange_tables.AX_CONTACT  # the one table whose key is an identity
Insert = Callable[[SourceTable, dict[str, Value]], None]


@dataclass
class Ajera:
    """Ajera with a key table, and somebody who types in it."""

    pairs: AnyPairs
    insert: Insert
    holding: Callable[[Holds], AnyPairs]

    def count(self, **keys: int | None) -> None:
        """Rows of the key table."""
        for number, (name, key) in enumerate(keys.items()):
            self.insert(COUNTERS, {"row": number, "Of": name, "Key": key})

    def counted(self) -> dict[Value, Value]:
        """What the key table holds."""
        with self.pairs.ajera() as ajera:
            rows = ajera.rows.read(COUNTERS, ajera.rows.keys(COUNTERS))
        return {row["Of"]: row["Key"] for row in rows.values()}

    def create(self, table: SourceTable, **columns: Value) -> str | None:
        with self.pairs.ajera() as ajera:
            (key,) = ajera.rows.insert(table, [NewRow(None, columns)])
        return key


@pytest.fixture(params=KINDS)
def ajera(request: pytest.FixtureRequest) -> Iterator[Ajera]:
    """Empty tables; only the contacts' key is an identity."""
    if request.param == "memory":
        yield in_memory()
        return
    with in_database(_url(request)) as made:
        yield made


def in_memory() -> Ajera:
    clock = Ticks(datetime.now(UTC))
    described = [
        SystemTable(
            table,
            (ORDER,) if table is exchange_tables.AX_PROJECT else (),
            1 if table is GIVEN else None,
        )
        for table in TABLES
    ]
    pairs = MemoryPairs(
        MemoryDatabase([], clock),
        MemoryDatabase(described, clock),
        exchange_tables.FILLS,
        site=site(Holds.NEXT),
    )
    people = People(pairs.ajera_database)
    return Ajera(
        pairs,
        lambda table, row: people.insert(pairs.ajera_database.described[table.name].source, **row),
        lambda holds: replace(pairs, site=site(holds)),
    )


def _url(request: pytest.FixtureRequest) -> str:
    if request.param == "postgres":
        stack: Stack = request.getfixturevalue("postgres")
        return stack.create_database(f"keys_{uuid.uuid4().hex[:8]}")
    if not os.environ.get(SQL_SERVER):
        pytest.skip(f"{SQL_SERVER} is not set: nothing was run on SQL Server")
    return os.environ[SQL_SERVER]


@contextmanager
def in_database(url: str) -> Iterator[Ajera]:
    """In schemas made for this test."""
    sync, own, schema = (f"{name}_{uuid.uuid4().hex[:8]}" for name in ("sync", "own", "ajera"))
    engine, metadata = (
        create_engine(url, lock_timeout_seconds=10),
        sa.MetaData(schema=schema),
    )
    upgrade(engine, sync, part="dps")
    upgrade(engine, own, part="ajera")
    for table in TABLES:
        extra = (
            [sa.Column("prjOrder", sa.BigInteger)] if table is exchange_tables.AX_PROJECT else []
        )
        sa.Table(table.name, metadata, *_columns(table), *extra)
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(schema))
        metadata.create_all(connection)
    generated = generated_keys(engine, schema, Site(), TABLES)

    def with_(holds: Holds) -> DatabasePairs:
        names = Names(site(holds), Side.AJERA, schema, exchange_tables.FILLS, generated)
        return DatabasePairs(
            engine,
            engine,
            Names(Site(), Side.DPS, schema),
            names,
            sync,
            own,
        )

    def insert(table: SourceTable, row: dict[str, Value]) -> None:
        with engine.begin() as connection:
            connection.execute(sa.insert(metadata.tables[f"{schema}.{table.name}"]), [row])

    yield Ajera(with_(Holds.NEXT), insert, with_)
    engine.dispose()


def _columns(table: SourceTable) -> Iterator[sa.Column[object]]:
    for column in table.columns:
        is_key = column.name in table.key
        identity = [sa.Identity()] if is_key and table is GIVEN else []
        yield sa.Column(
            column.name,
            TYPES[column.kind],
            *identity,
            primary_key=is_key,
            autoincrement=bool(identity),
        )


def site(holds: Holds) -> Site:
    return Site(keys=COUNTER.model_copy(update={"holds": holds}))


@pytest.mark.parametrize(("holds", "held", "then"), [(Holds.NEXT, 41, 42), (Holds.LAST, 40, 41)])
def test_the_key_table_gives_the_key_and_is_past_it_then(
    ajera: Ajera, holds: Holds, held: int, then: int
) -> None:
    """Whether it holds the next key or the last one, the key is 41; other rows of it stay."""
    ajera.insert(exchange_tables.AX_VEC, {"vecKey": 7})
    ajera.count(AxVec=held, Projects=5)
    counting = replace(ajera, pairs=ajera.holding(holds))
    assert counting.create(exchange_tables.AX_VEC, vecDescription="Hill") == "41"
    assert counting.counted() == {"AxVec": then, "Projects": 5}
    assert counting.create(exchange_tables.AX_VEC, vecDescription="Dale") == "42"


def test_the_rows_that_a_created_row_gets_take_their_keys_there_too(
    ajera: Ajera,
) -> None:
    """The phase, by the name that the profile gives the table, and the invoice group."""
    ajera.count(Projects=100, AxInvoiceGroup=50)
    assert ajera.create(exchange_tables.AX_PROJECT, prjDescription="Library", prjStatus=0) == "100"
    with ajera.pairs.ajera() as transaction:
        assert sorted(transaction.rows.keys(exchange_tables.AX_PROJECT)) == [
            "100",
            "101",
        ]
        assert transaction.rows.keys(AX_INVOICE_GROUP) == ["50"]
    assert ajera.counted() == {"Projects": 102, "AxInvoiceGroup": 51}


def test_an_identity_wins_and_a_table_without_a_row_has_the_highest_plus_one(
    ajera: Ajera,
) -> None:
    """What the key table says of an identity is not even read."""
    ajera.insert(exchange_tables.AX_VEC, {"vecKey": 7})
    ajera.count(AxContact=500)
    assert ajera.create(exchange_tables.AX_CONTACT, cntLastName="Lie") == "1"
    assert ajera.create(exchange_tables.AX_VEC, vecDescription="Hill") == "8"
    assert ajera.counted() == {"AxContact": 500}


def test_who_takes_a_key_waits_for_whoever_took_the_one_before(
    ajera: Ajera,
) -> None:
    """And gets the next one."""
    ajera.count(AxVec=10)
    with ajera.pairs.ajera() as first:
        assert first.rows.insert(
            exchange_tables.AX_VEC, [NewRow(None, {"vecDescription": "one"})]
        ) == ["10"]
        second = waiting(
            lambda: ajera.create(exchange_tables.AX_VEC, vecDescription="two"),
            ajera.pairs,
        )
    assert second() == "11"
    assert ajera.counted() == {"AxVec": 12}


def test_two_that_create_rows_at_once_get_keys_of_their_own(
    ajera: Ajera,
) -> None:
    """Twenty each, one after the other."""
    ajera.count(AxVec=1)

    def create() -> list[str | None]:
        return [
            ajera.create(exchange_tables.AX_VEC, vecDescription=str(number)) for number in range(20)
        ]

    finish, ours = beside(create), create()
    theirs = finish()
    assert isinstance(theirs, list)
    assert sorted(int(str(key)) for key in (*ours, *theirs)) == list(range(1, 41))


def test_a_key_whose_row_was_not_kept_is_given_again(ajera: Ajera) -> None:
    """The key table is in the transaction of the row."""
    ajera.count(AxVec=10)
    with pytest.raises(ZeroDivisionError):
        _fail(ajera)
    assert ajera.counted() == {"AxVec": 10}
    assert ajera.create(exchange_tables.AX_VEC, vecDescription="one") == "10"


def _fail(ajera: Ajera) -> None:
    with ajera.pairs.ajera() as transaction:
        transaction.rows.insert(exchange_tables.AX_VEC, [NewRow(None, {"vecDescription": "one"})])
        raise ZeroDivisionError


@pytest.mark.parametrize("held", [7, 5, None])
def test_a_key_that_was_given_before_is_refused_and_nothing_is_written(
    ajera: Ajera, held: int | None
) -> None:
    """Also a lower one that is free: a deleted row had it. Corrected,
    the key table gives the key.
    """
    for key in (3, 7):
        ajera.insert(exchange_tables.AX_VEC, {"vecKey": key})
    ajera.count(AxVec=held)
    with pytest.raises(KeyTableInvalid):
        ajera.create(exchange_tables.AX_VEC, vecDescription="Hill")
    assert ajera.counted() == {"AxVec": held}
    with ajera.pairs.ajera() as transaction:
        assert sorted(transaction.rows.keys(exchange_tables.AX_VEC)) == ["3", "7"]
        transaction.rows.update(COUNTERS, {"0": {"Key": 8}})
    assert ajera.create(exchange_tables.AX_VEC, vecDescription="Hill") == "8"


def test_two_rows_for_one_table_give_no_key(ajera: Ajera) -> None:
    """Neither is known to be the one that Ajera counts with."""
    ajera.count(AxVec=10)
    ajera.insert(COUNTERS, {"row": 9, "Of": "AxVec", "Key": 10})
    with pytest.raises(KeyTableInvalid):
        ajera.create(exchange_tables.AX_VEC, vecDescription="Hill")
