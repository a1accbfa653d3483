"""What a database's error means: one table a dialect, unknown codes halt, and no value stands in a text."""

from __future__ import annotations

import pytest

from pipeline.database.classify import POSTGRES, SQL_SERVER, Fault, by_prefix, postgres_failure, sqlserver_failure
from pipeline.errors import ConcurrentWrite, Remedy, RowRejected, TargetBusy, TargetRefused


class PostgresError(Exception):
    """As psycopg raises it, with the parts that are looked at."""

    def __init__(self, state: str | None, text: str = "") -> None:
        super().__init__(text)
        self.sqlstate = state


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        ("08006", TargetBusy),
        ("40001", TargetBusy),
        ("40P01", TargetBusy),
        ("53300", TargetBusy),
        ("55P03", TargetBusy),
        ("57P01", TargetBusy),
        ("25006", TargetBusy),
        ("23505", ConcurrentWrite),
        ("22001", RowRejected),
        ("22003", RowRejected),
        ("22021", RowRejected),
        ("23502", RowRejected),
        ("23503", RowRejected),
        ("23514", RowRejected),
        ("42P01", TargetRefused),
        ("XX000", TargetRefused),
        (None, TargetBusy),
    ],
)
def test_a_sqlstate_of_postgresql_has_one_meaning(state: str | None, fault: Fault) -> None:
    """Without one no server answered."""
    failure = postgres_failure(PostgresError(state, "Key (name)=(Jane Doe)"), "Organization")
    assert type(failure) is fault
    assert "Jane" not in str(failure)
    assert state is None or state in str(failure)


@pytest.mark.parametrize(
    ("number", "state", "fault"),
    [
        (1205, "40001", TargetBusy),
        (1222, "HYT00", TargetBusy),
        (40613, "42000", TargetBusy),
        (2627, "23000", ConcurrentWrite),
        (2601, "23000", ConcurrentWrite),
        (2628, "22001", RowRejected),
        (8152, "22001", RowRejected),
        (515, "23000", RowRejected),
        (547, "23000", RowRejected),
        (208, "42S02", TargetRefused),
        (0, "08S01", TargetBusy),
        (0, "HYT00", TargetBusy),
        (0, "IM002", TargetRefused),
    ],
)
def test_a_number_of_sql_server_has_one_meaning(number: int, state: str, fault: Fault) -> None:
    """The driver's SQLSTATE stands in where the server gave none."""
    text = f"[{state}] [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]The value is (Jane Doe). ({number}) (SQLExecDirectW)"
    failure = sqlserver_failure(Exception(state, text), "Organization")
    assert type(failure) is fault
    assert "Jane" not in str(failure)


def test_constraint_and_column_are_named() -> None:
    """A person needs them to correct the row or the database."""
    text = (
        "[23000] [SQL Server]Cannot insert the value NULL into column 'Name', table 'PIM.dbo.Organization'. (515) (SQL)"
    )
    assert "column Name" in str(sqlserver_failure(Exception("23000", text), "Organization"))


def test_what_is_in_no_table_halts_and_the_longest_entry_counts() -> None:
    """An unknown fault is never retried for ever, nor skipped."""
    assert by_prefix(POSTGRES, "99999") is TargetRefused
    assert TargetRefused("x").remedy is Remedy.HALT
    assert by_prefix(POSTGRES, "22P04") is TargetRefused
    assert set(SQL_SERVER.values()) == {TargetBusy, ConcurrentWrite, RowRejected}
