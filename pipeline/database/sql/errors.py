"""What a database's error means for us: one table a dialect. Texts name the database, codes,
tables, columns, rights and constraints, never values nor passwords.
"""

from __future__ import annotations

import re

from pipeline.database.sql.address import Place
from pipeline.database.sql.connecting import (
    LOGIN,
    is_connecting,
    postgres_login_state,
    refused_login,
    unreachable,
    wants_tls,
)
from pipeline.database.sql.named import named_by_postgres, named_by_sqlserver
from pipeline.errors import (
    ConcurrentWrite,
    ConnectionsExhausted,
    CredentialsRefused,
    DatabaseMissing,
    DriverMissing,
    PipelineError,
    RightMissing,
    RowRejected,
    ServiceUnreachable,
    TableMissing,
    TargetBusy,
    TargetRefused,
    TlsRefused,
)

Fault = type[PipelineError]
OF_DATA = (RowRejected, ConcurrentWrite, TargetRefused)  # what a row's values can bring about

# SQLSTATE, or its first letters -> fault. The longest that fits counts;
# what is not here is refused.
POSTGRES: dict[str, Fault] = {
    "08": TargetBusy,  # connection
    "22": RowRejected,  # a value: too long, out of range, not in the encoding, no date
    "22P04": TargetRefused,  # a COPY's form, which is ours
    "23502": RowRejected,  # null in a required column
    "23503": RowRejected,  # foreign key
    "23514": RowRejected,  # check constraint
    "23505": ConcurrentWrite,  # unique: somebody inserted the same at the same time
    "28": CredentialsRefused,  # no such user, wrong password, not let in
    "3D000": DatabaseMissing,
    "3F000": TableMissing,  # schema
    "42501": RightMissing,
    "42703": TableMissing,  # column
    "42P01": TableMissing,
    "53300": ConnectionsExhausted,
    "25006": TargetBusy,  # read only: a standby, until the fail-over is through
    "25P03": TargetBusy,  # idle in a transaction for too long
    "25P04": TargetBusy,  # transaction for too long
    "40": TargetBusy,  # serialization, deadlock
    "53": TargetBusy,  # out of disk or memory
    "55P03": TargetBusy,  # lock not available in time
    "57014": TargetBusy,  # cancelled, by a time-out
    "57P0": TargetBusy,  # shutting down, starting up, crashed
}

# SQLSTATE of the ODBC driver, or its first letters, where SQL Server itself gave no number.
ODBC: dict[str, Fault] = {
    "08": TargetBusy,  # connection
    "22": RowRejected,  # a value: too long, out of range
    "28": CredentialsRefused,
    "40001": TargetBusy,  # deadlock, snapshot conflict
    "42S02": TableMissing,
    "42S22": TableMissing,  # column
    "HYT": TargetBusy,  # time-out
    "IM002": DriverMissing,  # no such data source or driver
    "IM003": DriverMissing,  # the driver cannot be loaded
    "IM004": DriverMissing,  # the driver cannot begin
    "IM012": DriverMissing,  # the driver's name is malformed
}

# Error numbers of SQL Server.
SQL_SERVER: dict[int, Fault] = {
    220: RowRejected,  # arithmetic overflow
    232: RowRejected,
    241: RowRejected,  # no date
    242: RowRejected,  # date out of range
    245: RowRejected,  # conversion
    248: RowRejected,
    295: RowRejected,
    296: RowRejected,
    515: RowRejected,  # null in a required column
    547: RowRejected,  # foreign key or check constraint
    2628: RowRejected,  # text too long
    8114: RowRejected,  # conversion
    8115: RowRejected,  # arithmetic overflow
    8152: RowRejected,  # text too long, before 2019
    -2: TargetBusy,  # time-out
    20: TlsRefused,  # the server takes no encryption
    26: TargetBusy,  # connection ended before the login
    64: TargetBusy,  # connection lost during login
    121: TargetBusy,  # semaphore time-out
    207: TableMissing,  # column
    208: TableMissing,
    229: RightMissing,  # on a table
    230: RightMissing,  # on a column
    262: RightMissing,  # in the database: to create a table, say
    297: RightMissing,
    300: RightMissing,  # on the server
    233: TargetBusy,  # no process at the other end
    596: TargetBusy,  # session killed
    615: TargetBusy,  # database is being switched
    701: TargetBusy,  # memory
    802: TargetBusy,  # buffers
    911: DatabaseMissing,
    916: RightMissing,  # to open the database
    921: TargetBusy,  # database is recovering
    922: TargetBusy,
    976: TargetBusy,  # availability group: not the primary now
    978: TargetBusy,
    983: TargetBusy,
    1088: TableMissing,  # or no right to see it
    1105: TargetBusy,  # file group full
    1204: TargetBusy,  # no locks left
    1205: TargetBusy,  # deadlock
    1222: TargetBusy,  # lock not available in time
    2760: TableMissing,  # schema
    2601: ConcurrentWrite,  # unique index
    2627: ConcurrentWrite,  # unique constraint
    3906: TargetBusy,  # read only, during a fail-over
    3935: TargetBusy,
    3960: TargetBusy,  # snapshot conflict
    3961: TargetBusy,
    4060: DatabaseMissing,  # it cannot be opened (also while it is being restored)
    4064: DatabaseMissing,  # the login's own
    4902: TableMissing,  # or no right to see it
    4221: TargetBusy,
    6005: TargetBusy,  # shutting down
    8645: TargetBusy,  # waited too long for memory
    8651: TargetBusy,
    9002: TargetBusy,  # log full
    10053: TargetBusy,  # connection
    10054: TargetBusy,
    10060: TargetBusy,
    10061: TargetBusy,
    10928: ConnectionsExhausted,  # Azure: limits
    10929: TargetBusy,
    17142: TargetBusy,  # paused
    17809: ConnectionsExhausted,
    18452: CredentialsRefused,  # a login of a domain that is not trusted
    18456: CredentialsRefused,
    18470: CredentialsRefused,  # disabled
    18486: CredentialsRefused,  # locked out
    18487: CredentialsRefused,  # the password has expired
    18488: CredentialsRefused,  # the password must be changed
    18401: TargetBusy,  # starting up
    40143: TargetBusy,  # Azure: fail-over and throttling
    40197: TargetBusy,
    40501: TargetBusy,
    40532: DatabaseMissing,  # Azure: no such server for this login
    40540: TargetBusy,
    40613: TargetBusy,
    40615: ServiceUnreachable,  # Azure: its firewall
    49918: TargetBusy,
    49919: TargetBusy,
    49920: TargetBusy,
}

_NOT_LOADED = re.compile(
    r"\[Driver Manager\]Can't open lib '([^']*)'"
)  # unixODBC says so with SQLSTATE 01000
USER_RAISED = (
    50_000  # errors of RAISERROR and THROW, as triggers use them, have this number or a higher one
)
# As pyodbc writes what the driver reports: `[state] text (number) (function)`, further ones as `;
# [state] text (number)`.
_END = re.compile(r" \((-?\d+)\)(?: \(SQL\w+\))?$")
_FURTHER = re.compile(r"; (?=\[[0-9A-Z]{5}\] )")


def postgres_failure(error: BaseException, place: Place) -> PipelineError:
    """An error of psycopg as one of ours. Without a SQLSTATE no server answered, or none any
    more, or it refused the login, which libpq tells in words alone.
    """
    state: str | None = getattr(error, "sqlstate", None)
    if state is None:
        if place.at_statement or not is_connecting(error):
            return TargetBusy(
                f"{place.address}: PostgreSQL ended the connection, at {place.about}."
            )
        if wants_tls(error):
            return refused_login(TlsRefused, "", place.address)
        state = postgres_login_state(error)
        if state is None:
            return unreachable(place.address, "")
        fault = by_prefix(POSTGRES, state)
        return refused_login(fault, f"PostgreSQL {state}", place.address)
    fault = by_prefix(POSTGRES, state)
    if fault in LOGIN:
        return refused_login(fault, f"PostgreSQL {state}", place.address)
    named = named_by_postgres(getattr(error, "diag", None), state)
    return fault(f"{place.address}: PostgreSQL {state} at {place.about}{named}")


def sqlserver_failure(error: BaseException, place: Place) -> PipelineError:
    """An error of pyodbc as one of ours: by SQL Server's number if it gave one,
    else by the driver's SQLSTATE.
    """
    state = str(error.args[0]) if error.args else ""
    message = str(error.args[1]) if len(error.args) > 1 else ""
    if not_loaded := _NOT_LOADED.search(message):
        return DriverMissing(f"the ODBC driver {not_loaded[1]} cannot be loaded")
    number = sqlserver_number(message, state)
    fault = SQL_SERVER.get(number, TargetRefused) if number else TargetRefused
    if fault is TargetRefused:
        fault = by_prefix(ODBC, state)
    code = f"SQL Server {number or '-'} (SQLSTATE {state or '-'})"
    if not place.at_statement and is_connecting(error):
        if wants_tls(error):
            return refused_login(TlsRefused, code, place.address)
        if fault is TargetBusy and state.startswith(("08", "HYT")):
            return unreachable(place.address, code)
    if fault in LOGIN:
        return refused_login(fault, code, place.address)
    return fault(f"{place.address}: {code} at {place.about}{named_by_sqlserver(message, number)}")


def sqlserver_number(message: str, state: str) -> int | None:
    """The native number that ends the first report; None for 0, which is the driver's own.

    A text may show a row's value, and the value may look like numbers and reports. So a number
    counts where a report ends; none but those of data counts among the errors of data (SQLSTATE 22
    and 23); and what a trigger raised (50000 and above) comes first. A database that cannot be
    opened is reported beside the login that failed for it.
    """
    ends = map(_END.search, _FURTHER.split(message))
    numbers = [int(found[1]) for found in ends if found]
    if state.startswith(("22", "23")):
        numbers = [one for one in numbers if SQL_SERVER.get(one, TargetRefused) in OF_DATA]
    numbers = [number for number in numbers if number >= USER_RAISED] or numbers
    if numbers and SQL_SERVER.get(numbers[0]) is CredentialsRefused:
        numbers = [one for one in numbers if SQL_SERVER.get(one) is DatabaseMissing] or numbers
    return (numbers[0] or None) if numbers else None


def by_prefix(table: dict[str, Fault], state: str) -> Fault:
    """The fault of the longest entry that the state begins with."""
    fitting = [entry for entry in table if state.startswith(entry)]
    return table[max(fitting, key=len)] if fitting else TargetRefused
