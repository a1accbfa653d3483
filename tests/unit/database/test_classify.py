"""What a database's error means: one table a dialect, unknown codes halt,
and no value stands in a text.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote_plus

import pytest
from sqlalchemy.engine import make_url

from pipeline.database.sql.address import Address, Place, address
from pipeline.database.sql.errors import (
    POSTGRES,
    Fault,
    by_prefix,
    postgres_failure,
    sqlserver_failure,
)
from pipeline.errors import (
    ConcurrentWrite,
    ConnectionsExhausted,
    CredentialsRefused,
    DatabaseMissing,
    DriverMissing,
    Remedy,
    RightMissing,
    RowRejected,
    TableMissing,
    TargetBusy,
    TargetRefused,
)

PIM = Address("PIM", "db", 5432, "pim", "clerk")


class PostgresError(Exception):
    """As psycopg raises it, with the parts that are looked at."""

    def __init__(self, state: str | None, text: str = "") -> None:
        super().__init__(text)
        self.sqlstate = state
        self.diag: object = None


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        ("08006", TargetBusy),
        ("40001", TargetBusy),
        ("40P01", TargetBusy),
        ("53200", TargetBusy),
        ("53300", ConnectionsExhausted),
        ("28P01", CredentialsRefused),
        ("28000", CredentialsRefused),
        ("3D000", DatabaseMissing),
        ("3F000", TableMissing),
        ("42501", RightMissing),
        ("42703", TableMissing),
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
        ("42P01", TableMissing),
        ("42P07", TargetRefused),
        ("XX000", TargetRefused),
        (None, TargetBusy),
    ],
)
def test_a_sqlstate_of_postgresql_has_one_meaning(state: str | None, fault: Fault) -> None:
    """Without one no server answered."""
    failure = postgres_failure(PostgresError(state, "Key (name)=(Jane Doe)"), Place("Organization"))
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
        (208, "42S02", TableMissing),
        (207, "42S22", TableMissing),
        (229, "42000", RightMissing),
        (230, "42000", RightMissing),
        (18456, "28000", CredentialsRefused),
        (4060, "42000", DatabaseMissing),
        (10928, "42000", ConnectionsExhausted),
        (2714, "42S01", TargetRefused),
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
    failure = sqlserver_failure(Exception(state, text), Place("Organization"))
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
        (
            "42000",
            (
                "The UPDATE permission was denied on the object 'Organization', database 'PIM', "
                "schema 'dbo'. (229)"
            ),
            "right UPDATE, object Organization, database PIM, schema dbo",
        ),
        (
            "42000",
            (
                "The SELECT permission was denied on the column 'Name' of the object "
                "'Organization', database 'PIM', schema 'dbo'. (230)"
            ),
            "right SELECT, column Name, object Organization, database PIM, schema dbo",
        ),
        ("42S22", "Invalid column name 'Post Code'. (207)", "column Post Code"),
        ("42S02", "Invalid object name 'dbo.Organization'. (208)", "table dbo.Organization"),
        (
            "42000",
            "CREATE TABLE permission denied in database 'PIM'. (262)",
            "right CREATE TABLE, database PIM",
        ),
        (
            "42000",
            'The specified schema name "sync" either does not exist or you do not. (2760)',
            "schema sync",
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
            Place("Organization"),
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
        Place("Project"),
    )
    assert type(failure) is fault
    assert "Jane" not in str(failure)
    assert "1205" not in str(failure)


def test_what_is_in_no_table_halts_and_the_longest_entry_counts() -> None:
    """An unknown fault is never retried for ever, nor skipped."""
    assert by_prefix(POSTGRES, "99999") is TargetRefused
    assert TargetRefused("x").remedy is Remedy.HALT
    assert by_prefix(POSTGRES, "22P04") is TargetRefused


@dataclass
class Diagnosis:
    """psycopg's fields of a report."""

    message_primary: str
    source_function: str = "aclcheck_error"
    table_name: str | None = None
    column_name: str | None = None
    constraint_name: str | None = None


@pytest.mark.parametrize(
    ("state", "diagnosis", "named"),
    [
        ("42501", Diagnosis("permission denied for table Organization"), "table Organization"),
        ("42501", Diagnosis("permission denied for schema sync"), "schema sync"),
        ("42703", Diagnosis('column "Post Code" does not exist'), "column Post Code"),
        ("42703", Diagnosis("column t.name does not exist"), "column t.name"),
        (
            "42703",
            Diagnosis('column "b" of relation "Organization" does not exist'),
            "column b, table Organization",
        ),
        ("42P01", Diagnosis('relation "sync.due" does not exist'), "table sync.due"),
        ("3F000", Diagnosis('schema "sync" does not exist'), "schema sync"),
        (
            "23502",
            Diagnosis('null value in column "x"', table_name="Contact", column_name="Surname"),
            "table Contact, column Surname",
        ),
        # what a function of the database raises may say anything
        (
            "42501",
            Diagnosis("permission denied for table Jane Doe", source_function="exec_stmt_raise"),
            "at Organization",
        ),
        ("42501", Diagnosis("permission denied for Jane Doe"), "at Organization"),
        ("23514", Diagnosis("permission denied for table Jane Doe"), "at Organization"),
        ("P0001", Diagnosis('column "Jane" does not exist'), "at Organization"),
    ],
)
def test_postgresql_names_right_table_and_column(
    state: str, diagnosis: Diagnosis, named: str
) -> None:
    """It has no fields for them; the primary message of these has one form, without values."""
    error = PostgresError(state)
    error.diag = diagnosis
    failure = str(postgres_failure(error, Place("Organization", PIM)))
    assert failure == f"{PIM}: PostgreSQL {state} at Organization" + (
        "" if named == "at Organization" else f", {named}"
    )


@pytest.mark.parametrize(
    "value",
    [
        "(SQLDriverConnect)",
        "x (18456) (SQLDriverConnect)",
        "SSL Provider: certificate (SQLDriverConnect)",
    ],
)
def test_a_rows_value_is_no_failure_to_connect(value: str) -> None:
    """A statement had an answer, so there was a connection."""
    text = f"Conversion failed when converting the nvarchar value '{value}' to data type int. (245)"
    assert type(sqlserver_failure(raised("22018", text), Place("Project", PIM))) is RowRejected
    failure = sqlserver_failure(raised("42000", f"No '{value}'. (50000)"), Place("Project", PIM))
    assert type(failure) is TargetRefused


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://clerk:secret@db:5433/pim", "PIM at db:5433/pim as clerk"),
        ("postgresql://clerk:secret@db/pim", "PIM at db:5432/pim as clerk"),
        ("postgresql:///pim?host=/var/run", "PIM at /var/run/pim"),
        ("mssql+pyodbc://clerk:secret@db/PIM", "PIM at db:1433/PIM as clerk"),
        ("mssql+pyodbc://clerk:secret@db\\INST/PIM", "PIM at db\\INST/PIM as clerk"),
        ("mssql+pyodbc://clerk:secret@a_data_source", "PIM at a_data_source as clerk"),
        (
            "mssql+pyodbc:///?odbc_connect="
            + quote_plus("Server=tcp:db,1444;UID=clerk;PWD=secret;Database=PIM"),
            "PIM at db:1444/PIM as clerk",
        ),
        (
            "mssql+pyodbc:///?odbc_connect=" + quote_plus("PWD={a;UID=secret};Server=db"),
            "PIM at db:1433",
        ),
    ],
)
def test_a_database_is_named_with_its_place_and_without_its_password(url: str, shown: str) -> None:
    """host, port, database and user are what a person compares with the settings."""
    assert str(address(make_url(url), "PIM")) == shown
