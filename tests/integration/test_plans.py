"""No statement's plan multiplies its rows by the table's, whatever the statistics say:
one case a statement.

Autovacuum may analyze a table in the moment in which it is empty. Until the next ANALYZE the
planner then expects one row of it, however many there are since. Or it analyzed a table that has
grown a hundredfold, with other values, since; or has not come to it at all.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from deploy.local.stack import Stack
from pipeline.conflicts.rules import Side
from pipeline.database.sql.dialect import Field, Lock
from pipeline.database.sql.engine import create_engine
from pipeline.database.sql.postgres import Postgres
from pipeline.database.sql.session import ConnectedSession
from pipeline.database.state.added import AddedColumn, AddedColumns
from pipeline.database.state.migrate import upgrade
from pipeline.database.state.schema import sync_metadata
from pipeline.database.state.schema_links import (
    ajera_metadata,
    dps_metadata,
)
from pipeline.database.systems.live import create_target_tables, target_metadata
from pipeline.database.systems.rows import Names
from pipeline.database.transaction import DatabaseTransaction
from pipeline.domain import dps, exchange_tables
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.mapping.site import Site
from pipeline.mapping.source import ColumnType
from pipeline.model.event import Value
from pipeline.model.plain import PlainEvent
from tests.support.events import event
from tests.support.statements import KEY_TABLE, statements
from tests.support.tabs import TABS
from tests.support.totals import TOTALS
from tests.support.tree import TREE

pytestmark = pytest.mark.postgres

ROWS = 2_000
FEW = 20
EMPTY = "of an empty table"
STATISTICS = (EMPTY, "stale", "none")
SYSTEMS = "systems"
VALUES = {
    "text": "'v' || i",
    "character varying": "'v' || i",
    "bigint": "i",
    "integer": "i",
    "boolean": "i % 2 = 0",
    "timestamp with time zone": "now()",
    "date": "current_date",
    "numeric": "i",
}
# Nearly every row of a mirror holds this at any time, so no statistics are old enough to differ:
# where they did, the planner would go through a large table for each of the given rows.
ALWAYS = {"retired_at": "''", "unknown": "''"}
CONSTANTS = {
    "jobStatus": 1,
    "jobStatusNote": "v1",
    "entryVoid": False,
    "invoiceStatus": 3,
    "personName": "v1",
    "partStatus": 9,
    "billStatus": 2,
    "taskKind": 1,
    "workIsVoid": False,
}
# A mirror that a condition on another row looks at is joined with rows that nobody can count before
# they are read: where both were analyzed in the moment in which they were empty, PostgreSQL would
# multiply. No mirror is ever emptied, so this one's count is known then.
CONDITIONED = re.compile(r"LEFT JOIN (\S+) AS w\d")
OVER_ROWS = [
    sql
    for sql in statements(Postgres(), Site(), "sync", None, Names(Site(), Side.DPS, SYSTEMS))
    if ":rows0" in sql
]


@pytest.fixture(scope="module", params=STATISTICS)
def misled(postgres: Stack, request: pytest.FixtureRequest) -> Iterator[sa.Connection]:
    """Every table with statistics that are not its own, then filled."""
    statistics: str = request.param
    name = f"plans-{STATISTICS.index(statistics)}"
    engine = create_engine(postgres.create_database(name))
    with engine.connect() as connection:
        for metadata in (
            sync_metadata("sync", (*AJERA_TO_PIM.sources, *TOTALS.sources, *TREE.sources)),
            dps_metadata("sync"),
            ajera_metadata("ajera_cdc"),
            _systems(),
        ):
            connection.execute(sa.schema.CreateSchema(str(metadata.schema), if_not_exists=True))
            metadata.create_all(connection)
        for route in (AJERA_TO_PIM, TABS, TOTALS):
            target_metadata(route, Site(), None).create_all(connection)
        connection.execute(
            sa.text("SET session_replication_role = replica")
        )  # foreign keys are not looked at
        for table in _tables(connection):
            connection.execute(sa.text(f"ALTER TABLE {table} SET (autovacuum_enabled = off)"))
            if statistics != "none":
                _mislead(connection, table, is_empty=statistics != "stale")
            _fill(connection, table, 1, ROWS)
            connection.commit()
        connection.info["statistics"] = statistics
        yield connection
    engine.dispose()


def _systems() -> sa.MetaData:
    """Tables of Ajera and DPS, indexed by their keys alone."""
    metadata = sa.MetaData(schema=SYSTEMS)
    types: dict[ColumnType, sa.types.TypeEngine[Any]] = {
        ColumnType.INTEGER: sa.BigInteger(),
        ColumnType.FLAG: sa.Boolean(),
    }
    for table in (
        exchange_tables.AX_VEC,
        exchange_tables.AX_PROJECT,
        dps.CLENDOR,
        dps.CL_ADDRESS,
        exchange_tables.PR,
    ):
        keys = {column.name for column in table.key_columns}
        columns = [
            sa.Column(
                one.name,
                types.get(one.kind, sa.Unicode()),
                primary_key=one.name in keys,
                autoincrement=False,
            )
            for one in table.columns
        ]
        sa.Table(table.name, metadata, *columns)
    of, key = (
        sa.Column(KEY_TABLE.table_column, sa.Unicode(), primary_key=True),
        KEY_TABLE.key_column,
    )
    sa.Table(KEY_TABLE.table, metadata, of, sa.Column(key, sa.BigInteger()))
    return metadata


def _tables(connection: sa.Connection) -> list[str]:
    query = sa.text(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    return [str(name) for (name,) in connection.execute(query)]


def _mislead(connection: sa.Connection, table: str, *, is_empty: bool) -> None:
    """Analyze it without a row, or with a few whose values it will not have."""
    _fill(connection, table, 2 * ROWS, 2 * ROWS + FEW)
    if is_empty:
        connection.execute(sa.text(f"DELETE FROM {table}"))
    connection.commit()
    connection.execute(sa.text(f"ANALYZE {table}"))
    connection.execute(sa.text(f"DELETE FROM {table}"))
    connection.commit()


def _fill(connection: sa.Connection, table: str, first: int, last: int) -> None:
    query = sa.text(
        "SELECT attname, format_type(atttypid, NULL), attnotnull FROM pg_attribute"
        " WHERE attrelid = CAST(:table AS regclass) AND attnum > 0 AND NOT attisdropped"
    )
    columns = {
        str(name): ALWAYS.get(str(name), VALUES[str(kind)])
        if is_required
        else f"CASE WHEN i % 2 = 0 THEN {VALUES[str(kind)]} END"
        for name, kind, is_required in connection.execute(query, {"table": table})
    }
    names = ", ".join(f'"{name}"' for name in columns)
    connection.execute(
        sa.text(
            f"INSERT INTO {table} ({names}) SELECT {', '.join(columns.values())}"
            f" FROM generate_series({first}, {last}) AS i"
        )
    )


def _given(sql: str) -> dict[str, str]:
    """As many rows as the table has, for the statement's own columns."""
    kinds = dict(re.findall(r"CAST\(:rows(\d+) AS (\w+)\[\]\)", sql))
    rows = [
        [_cell(kinds[str(column)], number) for column in range(len(kinds))]
        for number in range(1, ROWS + 1)
    ]
    return Postgres().parameters(rows)


def _constants(sql: str) -> dict[str, object]:
    """One for each parameter of a condition, of its column's kind."""
    return {
        name: CONSTANTS[column]
        for column, names in re.findall(r'"(\w+)(?: of w\d)?" IN \(([:v\d, ]+)\)', sql)
        for name in re.findall(r"v\d", names)
    }


def _cell(kind: str, number: int) -> Value:
    match kind:
        case "text":
            return f"v{number}"
        case "bigint" | "numeric":
            return number
        case "date":
            return "2026-11-25"
        case "boolean":
            return number % 2 == 0
        case "timestamptz":
            return "2026-11-25T12:00:00+00:00"
    raise AssertionError(kind)


def multiplied(plan: dict[str, Any]) -> list[str]:
    """Nested loops whose inner side is read whole for each row of the outer side,
    and subqueries run again for each row.
    """
    parts = plan.get("Plans", ())
    found = [
        str(part["Subplan Name"])
        for part in parts
        if part.get("Parent Relationship") == "SubPlan"
        and f"hashed {part['Subplan Name']}" not in plan["Filter"]
    ]
    if plan["Node Type"] == "Nested Loop" and not _is_looked_up(plan["Plans"][1]):
        found.append(
            " x ".join(str(one.get("Relation Name") or one["Node Type"]) for one in plan["Plans"])
        )
    return found + [one for part in parts for one in multiplied(part)]


def _is_looked_up(plan: dict[str, Any]) -> bool:
    return "Index Cond" in plan or any(_is_looked_up(part) for part in plan.get("Plans", ()))


@pytest.mark.parametrize("sql", OVER_ROWS, ids=lambda sql: re.sub(r"\W+", "_", sql)[:70])
def test_a_statement_does_not_multiply_its_rows_by_the_tables(
    misled: sa.Connection, sql: str
) -> None:
    """Planned and run under statistics that mislead: in a moment, not in many seconds."""
    parameters = {**_given(sql), **_constants(sql)}
    with misled.begin() as transaction:
        misled.execute(sa.text("SET LOCAL statement_timeout = '20s'"))
        if misled.info["statistics"] == EMPTY:
            for table in CONDITIONED.findall(sql):
                misled.execute(sa.text(f"ANALYZE {table}"))
        (explained,) = misled.execute(
            sa.text(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}"), parameters
        ).one()
        transaction.rollback()
    assert multiplied(explained[0]["Plan"]) == []


class Planned(ConnectedSession):
    """A session that notes the tables that each statement over staged rows reads."""

    def __init__(self, connection: sa.Connection) -> None:
        super().__init__(connection, Postgres(), Postgres().copying)
        self.read: list[list[str]] = []

    def ask(self, place: str, sql: str, **parameters: Value) -> list[tuple[Value, ...]]:
        if "pg_temp." in sql:
            (explained,) = self.connection.execute(sa.text(f"EXPLAIN (FORMAT JSON) {sql}")).one()
            self.read.append(sorted(_scanned(explained[0]["Plan"])))
        return super().ask(place, sql, **parameters)


def _scanned(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"] != "ModifyTable" and "Relation Name" in plan:
        yield plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from _scanned(part)


@pytest.mark.parametrize("statistics", ["misled", "never analyzed", "known"])
def test_a_statement_over_staged_rows_reads_nothing_but_them(
    postgres: Stack, statistics: str
) -> None:
    """So no statistics can mislead it: it joins nothing."""
    engine = create_engine(postgres.create_database(f"staged-{uuid.uuid4().hex[:8]}"))
    upgrade(engine, "sync", mirrored=AJERA_TO_PIM.sources)
    create_target_tables(engine, AJERA_TO_PIM, Site())
    added = AddedColumns((AddedColumn("AxVec", "vecFax", 1, 2),))
    events = [event("AxVec", key, at=1) for key in range(200)]
    rows = [(f"cl-{key}", "Name") for key in range(200)]
    with engine.connect() as connection:
        session = Planned(connection)
        transaction = DatabaseTransaction(session, AJERA_TO_PIM, Site(), "sync", None, added)
        for _ in range(2):
            if statistics == "misled":
                connection.execute(sa.text("ANALYZE"))
            transaction.write_plain("AxVec", [PlainEvent(one, (False,) * 3) for one in events])
            transaction.upsert_plain("Organization", ("Name",), 0, rows)
            if statistics == "known":
                connection.execute(sa.text("ANALYZE"))
        connection.rollback()
    engine.dispose()
    assert [len(tables) for tables in session.read] == [1] * 4
    assert all(table.startswith("staged ") for tables in session.read for table in tables)


def test_what_refers_to_a_row_is_found_by_an_index_that_holds_no_nulls(postgres: Stack) -> None:
    """PostgreSQL concludes from the comparison that what it looks for is not null."""
    engine = create_engine(postgres.create_database(f"nulls-{uuid.uuid4().hex[:8]}"))
    upgrade(engine, "sync", mirrored=AJERA_TO_PIM.sources)
    select = Postgres().select(
        'sync."mirror_AxProject"',
        (Field("prjProjectManager", ColumnType.INTEGER),),
        ["key"],
        Lock.NONE,
    )
    with engine.connect() as connection:
        _fill(connection, 'sync."mirror_AxProject"', 1, ROWS)
        connection.execute(sa.text("ANALYZE"))
        parameters = Postgres().parameters([(number,) for number in range(1, 20)])
        plan = connection.execute(sa.text(f"EXPLAIN {select}"), parameters).scalars()
        assert "Index Scan using ix_mirror_AxProject_prjProjectManager" in str([*plan]).replace(
            '"', ""
        )
    engine.dispose()


def test_rows_with_a_null_are_left_out_before_the_given_ones_are_looked_through() -> None:
    """A hashed list is compared one by one with a row that has a null in one of several columns."""
    fields = (
        Field("entity", ColumnType.TEXT),
        Field("counts_for", ColumnType.TEXT),
    )
    sql = Postgres().scan("link", fields, ["state"])
    outer, inner = sql.split(" IN (", maxsplit=1)
    assert 't."entity" IS NOT NULL AND t."counts_for" IS NOT NULL AND' in outer
    assert "r.c0 IS NOT NULL AND r.c1 IS NOT NULL" in inner


def test_there_are_statements_over_rows() -> None:
    """Those of the ledger, marks, links and target tables."""
    assert len(OVER_ROWS) > 90
