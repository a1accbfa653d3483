"""What a database's error means: one table a dialect, unknown codes halt,
and no value stands in a text.
"""

from __future__ import annotations

import pytest

from pipeline.database.sql.errors import (
    POSTGRES,
    SQL_SERVER,
    Fault,
    by_prefix,
    postgres_failure,
    sqlserver_failure,
)
from pipeline.errors import (
    ConcurrentWrite,
    DriverMissing,
    Remedy,
    RowRejected,
    TargetBusy,
    TargetRefused,
)


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
        (0, "IM002", DriverMissing),
        (0, "IM003", DriverMissing),
    ],
)
def test_a_number_of_sql_server_has_one_meaning(number: int, state: str, fault: Fault) -> None:
    """The driver's SQLSTATE stands in where the server gave none."""
    text = (
        f"[{state}] [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]The value is (Jane "
        f"Doe). ({number}) (SQLExecDirectW)"
    )
    failure = sqlserver_failure(Exception(state, text), "Organization")
    assert type(failure) is fault
    assert "Jane" not in str(failure)


SAYS = "[Microsoft][ODBC Driver 18 for SQL Server][SQL Server]"


def raised(state: str, *reports: str) -> Exception:
    """As pyodbc puts together what the driver reports."""
    first, *others = reports
    text = f"[{state}] {SAYS}{first} (SQLExecDirectW)"
    return Exception(
        state,
        text + "".join(f"; [01000] {SAYS}{other}" for other in others),
    )


@pytest.mark.parametrize(
    ("state", "report", "named"),
    [
        (
            "23000",
            (
                "Cannot insert the value NULL into column 'Name', table 'PIM.dbo.Organization'; "
                "x. (515)"
            ),
            "column Name",
        ),
        (
            "23000",
            (
                'The INSERT statement conflicted with the FOREIGN KEY constraint "FK_org". The '
                'conflict occurred in database "PIM", table "dbo.Organization", column '
                "'Organization ID'. (547)"
            ),
            "constraint FK_org",
        ),
        (
            "23000",
            (
                "Violation of UNIQUE KEY constraint 'UQ_code'. Cannot insert duplicate key in x. "
                "(2627)"
            ),
            "constraint UQ_code",
        ),
        (
            "23000",
            (
                "Cannot insert duplicate key row in object 'dbo.link' with unique index "
                "'uq_link_dps'. The duplicate key value is (firm, Jane). (2601)"
            ),
            "constraint uq_link_dps",
        ),
        (
            "22001",
            (
                "String or binary data would be truncated in table 'tempdb.dbo.#rows__0A', "
                "column 'Name'. Truncated value: 'Jane'. (2628)"
            ),
            "column Name",
        ),
    ],
)
def test_constraint_and_column_are_named(state: str, report: str, named: str) -> None:
    """A person needs them to correct the row or the database;
    a second report of the driver changes nothing.
    """
    failure = str(
        sqlserver_failure(
            raised(state, report, "The statement has been terminated. (3621)"),
            "Organization",
        )
    )
    assert failure.endswith(named)
    assert "Jane" not in failure


@pytest.mark.parametrize(
    "value",
    [
        "Hill (1205); Co",
        "Hill (1205)",
        "(1205) (SQLExecDirectW)",
        "x (1205) (SQLExecDirectW); [40001] [Microsoft] y",
        "column 'Jane Doe'",
        "constraint 'Jane Doe'",
    ],
)
@pytest.mark.parametrize(
    ("state", "text", "fault"),
    [
        (
            "23000",
            "Violation of UNIQUE KEY constraint 'UQ'. The duplicate key value is ({}). (2627)",
            ConcurrentWrite,
        ),
        (
            "22001",
            (
                "String or binary data would be truncated in table 't', column 'c'. Truncated "
                "value: '{}'. (2628)"
            ),
            RowRejected,
        ),
        (
            "22018",
            "Conversion failed when converting the nvarchar value '{}' to data type int. (245)",
            RowRejected,
        ),
        ("42000", "A trigger does not like '{}'. (50000)", TargetRefused),
    ],
)
def test_a_rows_value_in_the_text_is_neither_a_number_nor_a_name(
    value: str, state: str, text: str, fault: Fault
) -> None:
    """A name with (1205) in it was taken for a deadlock, and tried again for ever."""
    failure = sqlserver_failure(
        raised(
            state,
            text.format(value),
            "The statement has been terminated. (3621)",
        ),
        "Project",
    )
    assert type(failure) is fault
    assert "Jane" not in str(failure)
    assert "1205" not in str(failure)


def test_what_is_in_no_table_halts_and_the_longest_entry_counts() -> None:
    """An unknown fault is never retried for ever, nor skipped."""
    assert by_prefix(POSTGRES, "99999") is TargetRefused
    assert TargetRefused("x").remedy is Remedy.HALT
    assert by_prefix(POSTGRES, "22P04") is TargetRefused
    assert set(SQL_SERVER.values()) == {
        TargetBusy,
        ConcurrentWrite,
        RowRejected,
    }
