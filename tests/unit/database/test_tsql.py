"""Every statement for SQL Server, compiled and parsed as T-SQL: what can be known without a server."""

from __future__ import annotations

import re

import pytest
import sqlglot
from sqlalchemy.dialects import mssql
from sqlalchemy.schema import CreateIndex, CreateTable

from pipeline.conflicts.rules import Side
from pipeline.database.live import target_metadata
from pipeline.database.rows import Names
from pipeline.database.schema import sync_metadata
from pipeline.database.schema_links import ajera_metadata, dps_metadata
from pipeline.database.sqlserver import SqlServer
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.mapping.site import Site, TableNames, TargetNames
from tests.support.statements import CANARY, statements

SITE = Site(target={"Organization": TargetNames(name="the org]s", columns={"Name": "na me"})})
SYSTEMS = Names(Site(source={"Clendor": TableNames(name="the firm]s", columns={"Name": "na me"})}), Side.DPS, "dbo")
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
def test_a_statement_is_plain_t_sql_with_parameters_only(statement: str) -> None:
    """No MERGE: it races without HOLDLOCK and deadlocks with it. No value stands in the text."""
    parsed = parsed_as_tsql(re.sub(r":(\w+)", r"@\1", statement))
    assert parsed
    assert None not in parsed
    assert not re.search(r"\bMERGE\b", statement)
    assert CANARY not in statement
    assert set(re.findall(r"(?<!:):(\w+)", statement)) <= {
        *("rows", "after", "epoch", "topic", "topic_id", "partitions", "number", "set_before", "waiting_before"),
        *("entity", "linked", "before", "value", "v0", "v1", "v2", "v3", "v4"),
        *("link", "line", "kind", "rule", "winner", "at", "ajera", "dps", "ajera_at", "dps_at"),
    }


def test_the_sync_schema_and_the_samples_pim_compile_for_sql_server() -> None:
    """Texts that are compared have a binary collation of their own; no index key is too wide."""
    tables = [*dps_metadata("sync").sorted_tables, *ajera_metadata("ajera_cdc").sorted_tables]
    tables += [*sync_metadata("sync").sorted_tables, *target_metadata(AJERA_TO_PIM, Site(), "dbo").sorted_tables]
    for table in tables:
        text = str(CreateTable(table).compile(dialect=mssql.dialect()))  # type: ignore[no-untyped-call]
        assert parsed_as_tsql(text)
        for index in table.indexes:
            assert sqlglot.parse_one(str(CreateIndex(index).compile(dialect=mssql.dialect())), read="tsql")  # type: ignore[no-untyped-call]
    position = str(CreateTable(sync_metadata("sync").tables["sync.mirror_AxVec"]).compile(dialect=mssql.dialect()))  # type: ignore[no-untyped-call]
    assert "position VARCHAR(64) COLLATE Latin1_General_BIN2" in position
