"""Audit lines: the twin and the databases keep the same."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest
import sqlalchemy as sa
import sqlglot
from sqlalchemy.dialects import mssql
from sqlalchemy.engine import Dialect

from pipeline.database.state.audit import DatabaseAuditTrail, insertion, selection
from pipeline.database.state.migrate import Part, upgrade
from pipeline.database.state.schema_audit import LENGTHS, audit_table
from pipeline.model.audit import AuditEntry, AuditLine
from tests.contracts.conftest import KINDS, SQL_SERVER
from tests.twins.audit import MemoryAuditTrail

RENDERED = {"render_postcompile": True}
AT = datetime(2026, 11, 27, 15, 30, 1, 250_000, UTC)


class AuditTrail(Protocol):
    def append(self, entry: AuditEntry) -> None: ...

    def newest(self, limit: int) -> list[AuditLine]: ...


def entry(number: int, arguments: str = "--topic ajera.AxVec --yes") -> AuditEntry:
    at = AT + timedelta(seconds=number)
    return AuditEntry(at, "Jürgen@münchen-1", "replay", arguments, "ok")


@pytest.fixture(params=["projection", "dps"])
def part(request: pytest.FixtureRequest) -> Part:
    found: Part = request.param
    return found


@pytest.fixture(params=KINDS)
def trail(request: pytest.FixtureRequest, part: Part) -> AuditTrail:
    """An empty one of each kind, as the migrations of each part make it."""
    kind: str = request.param
    if kind == "memory":
        return MemoryAuditTrail()
    if kind == "sqlserver" and not os.environ.get(SQL_SERVER):
        pytest.skip(f"{SQL_SERVER} is not set: no SQL Server to hold to the contract")
    engine: sa.Engine = request.getfixturevalue(f"{kind}_engine")
    schema = f"audit_{uuid.uuid4().hex[:8]}"
    upgrade(engine, schema, part=part)
    return DatabaseAuditTrail(engine, schema)


def test_the_newest_lines_come_first_as_they_were_given(trail: AuditTrail) -> None:
    """To the fraction of a second, with the user of the database who wrote them."""
    for number in range(3):
        trail.append(entry(number))
    found = trail.newest(2)
    assert [line.entry for line in found] == [entry(2), entry(1)]
    assert found[0].number > found[1].number
    assert all(line.database_user for line in found)


def test_nothing_was_changed_is_an_empty_list(trail: AuditTrail) -> None:
    """Also where more is asked for than there is."""
    assert trail.newest(50) == []
    trail.append(entry(1))
    assert len(trail.newest(50)) == 1


@pytest.mark.postgres
def test_texts_that_are_too_long_are_cut_and_not_refused(sa_engine: sa.Engine) -> None:
    """A line that is kept in part says more than one that is not kept."""
    trail = DatabaseAuditTrail(sa_engine, "audit_cut")
    trail.append(entry(1, "x" * 10_000))
    assert trail.newest(1)[0].entry.arguments == "x" * LENGTHS["arguments"]


@pytest.fixture
def sa_engine(postgres_engine: sa.Engine) -> sa.Engine:
    upgrade(postgres_engine, "audit_cut")
    return postgres_engine


def test_both_statements_are_t_sql_and_no_value_is_in_their_text() -> None:
    """SQL Server numbers the lines and names its user itself."""
    table = audit_table(sa.MetaData(schema="sync"))
    sql_server: Dialect = mssql.dialect()  # type: ignore[no-untyped-call] # it has no types
    for statement in (insertion(table, entry(1, "CANARY")), selection(table, 50)):
        text = str(statement.compile(dialect=sql_server, compile_kwargs=RENDERED))
        assert "CANARY" not in text
        assert None not in sqlglot.parse(text.replace(":", "@"), read="tsql")
    assert "CURRENT_USER" in str(insertion(table, entry(1)).compile(dialect=sql_server))
