"""Every statement for SQL Server, compiled and parsed as T-SQL:
what can be known without a server.
"""

from __future__ import annotations

import re

import pytest
import sqlglot
from sqlalchemy.dialects import mssql
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from pipeline.conflicts.rules import Side
from pipeline.database.sql.dialect import (
    Field,
    Images,
    Lock,
    Merge,
    Update,
    given,
)
from pipeline.database.sql.sqlserver import SqlServer
from pipeline.database.state.marks import Marks
from pipeline.database.state.parked import Parked
from pipeline.database.state.schema import sync_metadata
from pipeline.database.state.schema_links import (
    ajera_metadata,
    dps_metadata,
)
from pipeline.database.systems.capture_health import CAPTURE_JOB, CAPTURED, KEPT
from pipeline.database.systems.live import target_metadata
from pipeline.database.systems.rows import Names
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.mapping.site import Site, TableNames, TargetNames
from pipeline.mapping.source import ColumnType
from pipeline.model.ledger import Mark, Waiting
from pipeline.pairing.entity import ParkedWork
from tests.support.statements import CANARY, NOW, Recorder, statements

SITE = Site(target={"Organization": TargetNames(name="the org]s", columns={"Name": "na me"})})
SYSTEMS = Names(
    Site(source={"Clendor": TableNames(name="the firm]s", columns={"Name": "na me"})}),
    Side.DPS,
    "dbo",
)
STATEMENTS = list(statements(SqlServer(), SITE, "beside.sync", "dbo", SYSTEMS))
# What T-SQL has and sqlglot does not know: hints of a DELETE, and keys that are not clustered.
UNKNOWN_TO_SQLGLOT = re.compile(r" OPTION \(FORCE ORDER\)(?=;)| NONCLUSTERED")


def parsed_as_tsql(statement: str) -> list[object]:
    """The statement's trees. Raises sqlglot.errors.ParseError."""
    return list(sqlglot.parse(UNKNOWN_TO_SQLGLOT.sub("", statement), read="tsql"))


def test_the_engines_calls_were_recorded() -> None:
    """Every method of the port gave at least one statement."""
    assert len(STATEMENTS) > 35


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda text: re.sub(r"\W+", "_", text)[:60])
def test_a_statement_is_plain_t_sql_with_parameters_only(
    statement: str,
) -> None:
    """No MERGE: it races without HOLDLOCK and deadlocks with it. No value stands in the text."""
    parsed = parsed_as_tsql(re.sub(r":(\w+)", r"@\1", statement))
    assert parsed
    assert None not in parsed
    assert not re.search(r"\bMERGE\b", statement)
    assert CANARY not in statement
    assert set(re.findall(r"(?<!:):(\w+)", statement)) <= {
        *(
            "rows",
            "after",
            "entity0",
            "entity1",
            "lines0",
            "lines1",
            "epoch",
            "topic",
            "topic_id",
            "partitions",
            "number",
            "set_before",
            "waiting_before",
        ),
        *(
            "entity",
            "linked",
            "before",
            "reader",
            "value",
            "v0",
            "v1",
            "v2",
            "v3",
            "v4",
        ),
        *(
            "link",
            "line",
            "kind",
            "rule",
            "winner",
            "at",
            "ajera",
            "dps",
            "ajera_at",
            "dps_at",
        ),
    }


def test_a_key_is_taken_under_a_lock_of_its_row_of_the_key_table() -> None:
    """Locked while it is read, then changed: two that read it first would give one key twice."""
    of_keys = [statement for statement in STATEMENTS if "[dbo].[Key Table]" in statement]
    assert len(of_keys) == 2
    assert "[dbo].[Key Table] AS t WITH (UPDLOCK, ROWLOCK)" in of_keys[0]
    assert "SELECT t.[Next Key]" in of_keys[0]
    assert "UPDATE t SET [Next Key] = r.[Next Key]" in of_keys[1]


OVER_ROWS = [statement for statement in STATEMENTS if ":rows" in statement]


@pytest.mark.parametrize("statement", OVER_ROWS, ids=lambda text: re.sub(r"\W+", "_", text)[-60:])
def test_rows_enter_as_nvarchar_max_in_one_place(statement: str) -> None:
    """A driver may send a long text as ntext, which OPENJSON refuses."""
    assert statement.count(":rows") == 1
    assert statement.startswith(
        "SET NOCOUNT ON; DECLARE @rows nvarchar(max) = CAST(:rows AS nvarchar(max));"
    )
    assert "OPENJSON(@rows)" in statement


@pytest.mark.parametrize(
    "statement",
    STATEMENTS,
    ids=lambda text: re.sub(r"\W+", "_", text)[-60:],
)
def test_a_batch_answers_once_and_nothing_follows_the_answer(
    statement: str,
) -> None:
    """Who closes the answer early cancels what still runs,
    and under XACT_ABORT the transaction is rolled back.
    """
    if statement == SqlServer.log_position:  # IF ... SELECT ELSE SELECT, which answers once
        return
    *before, last = parsed_as_tsql(re.sub(r":(\w+)", r"@\1", statement))
    assert isinstance(last, sqlglot.exp.Select | sqlglot.exp.Insert)
    assert [
        one
        for one in before
        if isinstance(one, sqlglot.exp.Select) and one.args.get("into") is None
    ] == []


@pytest.mark.parametrize("statement", OVER_ROWS, ids=lambda text: re.sub(r"\W+", "_", text)[-60:])
def test_a_key_of_any_length_can_be_staged(statement: str) -> None:
    """A clustered key has 900 bytes, a key in a table up to 1,700:
    rows are stored by their number.
    """
    indexed = re.findall(r"INDEX \w+ ON #rows \(([^)]*)\)", statement)
    assert indexed == (["[row number]"] if "#rows" in statement else [])


def test_a_value_that_is_looked_up_is_staged_wider_than_its_column_and_a_written_one_is_not() -> (
    None
):
    """What is longer than the column is in no row; written, it must be refused,
    and under the column's own name.
    """
    sqlserver, key = (
        SqlServer(),
        (
            Field("Project Code", ColumnType.TEXT),
            Field("Order", ColumnType.INTEGER),
        ),
    )
    name, wide = (
        (Field("Name", ColumnType.TEXT),),
        "t.[Project Code] + CAST('' AS varchar(8000)) AS [Project Code]",
    )
    update = Update("t", key, name, (given("Name"),))
    merge = Merge("t", key, name, (given("Name"),))
    lookups = [sqlserver.select("t", key, ["Name"], lock) for lock in Lock]
    lookups += [
        sqlserver.matched("t", key, Lock.NONE),
        sqlserver.delete("t", key),
        sqlserver.update(update),
    ]
    for statement in lookups:
        assert wide in statement
        assert "t.[Order] + CAST(0 AS bigint) AS [Order]" in statement
        assert "WHERE DATALENGTH(j.c0) <= 8000;" in statement
    assert "t.[Name] AS [Name]" in lookups[-1]
    for statement in (
        sqlserver.merge(merge),
        sqlserver.insert_missing("t", key, name),
    ):
        assert (
            "t.[Project Code] AS [Project Code], t.[Order] AS [Order], t.[Name] AS [Name]"
            in statement
        )
        assert "DATALENGTH" not in statement


def test_a_change_of_trailing_blanks_is_a_change() -> None:
    """In comparisons SQL Server pads texts with blanks, in a binary collation too:
    something must stand behind them.
    """
    images = Images(lambda name: f"t.{name}", lambda name: f"r.{name}")
    compared = SqlServer().differs(
        images,
        (
            Field("a", ColumnType.TEXT),
            Field("b", ColumnType.SHORT_TEXT),
            Field("n", ColumnType.INTEGER),
        ),
    )
    for side in ("t", "r"):
        for column in ("a", "b"):
            assert (
                f"(CAST({side}.{column} AS nvarchar(max)) + N'|') COLLATE Latin1_General_BIN2"
                in compared
            )
        assert f"{side}.n" in compared


def test_reasons_hints_and_lists_of_lines_are_cut_by_utf_16_units() -> None:
    """A letter outside the basic plane takes two of the column's places."""
    recorder, long = Recorder(SqlServer()), "🏗" * 300
    Marks(recorder, "sync").wait([Waiting(Mark("AxVec", "1", 1), "row.missing", long)], NOW)
    Parked(recorder, "sync").park([ParkedWork("id", "firm", Side.DPS, "1", "code", long)], NOW)
    texts = [
        cell
        for rows in recorder.rows.values()
        for row in rows
        for cell in row
        if isinstance(cell, str)
    ]
    cut = [text for text in texts if "🏗" in text]
    assert len(cut) == 2
    assert {len(text.encode("utf-16-le")) // 2 for text in cut} == {400}


def compiled(statement: ExecutableDDLElement) -> str:
    """As SQLAlchemy writes it for SQL Server."""
    return str(statement.compile(dialect=mssql.dialect()))  # type: ignore[no-untyped-call]


def test_the_sync_schema_and_the_samples_pim_compile_for_sql_server() -> None:
    """Texts that are compared have a binary collation of their own; no index key is too wide."""
    tables = [
        *dps_metadata("sync").sorted_tables,
        *ajera_metadata("ajera_cdc").sorted_tables,
    ]
    tables += [
        *sync_metadata("sync", AJERA_TO_PIM.sources).sorted_tables,
        *target_metadata(AJERA_TO_PIM, Site(), "dbo").sorted_tables,
    ]
    for table in tables:
        text = compiled(CreateTable(table))
        assert parsed_as_tsql(text)
        for index in table.indexes:
            assert sqlglot.parse_one(
                compiled(CreateIndex(index)),
                read="tsql",
            )
    mirrors = sync_metadata("sync", AJERA_TO_PIM.sources).tables
    position = compiled(CreateTable(mirrors["sync.mirror_AxVec"]))
    assert "position VARCHAR(64) COLLATE Latin1_General_BIN2" in position


@pytest.mark.parametrize("statement", [CAPTURE_JOB, CAPTURED, KEPT])
def test_what_is_asked_of_capture_is_tsql(statement: str) -> None:
    """Of the views and functions of change data capture."""
    (tree,) = parsed_as_tsql(statement)
    assert tree is not None
