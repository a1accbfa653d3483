"""What a database's error means for us: one table a dialect. Texts name codes, tables,
columns and constraints, never values.
"""

from __future__ import annotations

import re

from pipeline.errors import (
    ConcurrentWrite,
    DriverMissing,
    PipelineError,
    RowRejected,
    TargetBusy,
    TargetRefused,
)

# retry | retry | bisect to the offending rows | halt | halt
Fault = (
    type[TargetBusy]
    | type[ConcurrentWrite]
    | type[RowRejected]
    | type[TargetRefused]
    | type[DriverMissing]
)

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
    "25006": TargetBusy,  # read only: a standby, until the fail-over is through
    "25P03": TargetBusy,  # idle in a transaction for too long
    "25P04": TargetBusy,  # transaction for too long
    "40": TargetBusy,  # serialization, deadlock
    "53": TargetBusy,  # out of disk, memory or connections
    "55P03": TargetBusy,  # lock not available in time
    "57014": TargetBusy,  # cancelled, by a time-out
    "57P0": TargetBusy,  # shutting down, starting up, crashed
}

# SQLSTATE of the ODBC driver, or its first letters, where SQL Server itself gave no number.
ODBC: dict[str, Fault] = {
    "08": TargetBusy,  # connection
    "22": RowRejected,  # a value: too long, out of range
    "40001": TargetBusy,  # deadlock, snapshot conflict
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
    20: TargetBusy,  # encryption handshake broken off
    64: TargetBusy,  # connection lost during login
    121: TargetBusy,  # semaphore time-out
    233: TargetBusy,  # no process at the other end
    596: TargetBusy,  # session killed
    615: TargetBusy,  # database is being switched
    701: TargetBusy,  # memory
    802: TargetBusy,  # buffers
    921: TargetBusy,  # database is recovering
    922: TargetBusy,
    976: TargetBusy,  # availability group: not the primary now
    978: TargetBusy,
    983: TargetBusy,
    1105: TargetBusy,  # file group full
    1204: TargetBusy,  # no locks left
    1205: TargetBusy,  # deadlock
    1222: TargetBusy,  # lock not available in time
    2601: ConcurrentWrite,  # unique index
    2627: ConcurrentWrite,  # unique constraint
    3906: TargetBusy,  # read only, during a fail-over
    3935: TargetBusy,
    3960: TargetBusy,  # snapshot conflict
    3961: TargetBusy,
    4060: TargetBusy,  # database cannot be opened (restoring)
    4221: TargetBusy,
    6005: TargetBusy,  # shutting down
    8645: TargetBusy,  # waited too long for memory
    8651: TargetBusy,
    9002: TargetBusy,  # log full
    10053: TargetBusy,  # connection
    10054: TargetBusy,
    10060: TargetBusy,
    10061: TargetBusy,
    10928: TargetBusy,  # Azure: limits
    10929: TargetBusy,
    17142: TargetBusy,  # paused
    18401: TargetBusy,  # starting up
    40143: TargetBusy,  # Azure: fail-over and throttling
    40197: TargetBusy,
    40501: TargetBusy,
    40540: TargetBusy,
    40613: TargetBusy,
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
_SOURCES = re.compile(
    r"^\[[0-9A-Z]{5}\] (?:\[[^\]]*\])*"
)  # the state and who speaks: [Microsoft][...][SQL Server]
# Errors whose text names a constraint or a column before it shows any value,
# with that text's beginning.
_NAMES: dict[int, re.Pattern[str]] = {
    515: re.compile(
        r"Cannot insert the value NULL into column '(?P<column>[^']+)', table '[^']+';"
    ),
    547: re.compile(
        r"The \w+ statement conflicted with the [A-Z ]+ constraint \"(?P<constraint>[^\"]+)\"\."
    ),
    2601: re.compile(
        r"Cannot insert duplicate key row in object '[^']+' with unique index "
        r"'(?P<constraint>[^']+)'\."
    ),
    2627: re.compile(r"Violation of [A-Z ]+ constraint '(?P<constraint>[^']+)'\."),
    2628: re.compile(
        r"String or binary data would be truncated in table '[^']+', column '(?P<column>[^']+)'\."
    ),
}


def postgres_failure(error: BaseException, place: str) -> PipelineError:
    """An error of psycopg as one of ours. Without a SQLSTATE no server answered,
    or none any more.
    """
    state: str | None = getattr(error, "sqlstate", None)
    if state is None:
        return _made(
            TargetBusy,
            f"PostgreSQL ended the connection, or there was none, at {place}",
        )
    diagnosis = getattr(error, "diag", None)
    details = {
        name: getattr(diagnosis, f"{name}_name", None) for name in ("table", "column", "constraint")
    }
    return _made(
        by_prefix(POSTGRES, state),
        f"PostgreSQL {state} at {place}{_named(details)}",
    )


def sqlserver_failure(error: BaseException, place: str) -> PipelineError:
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
    return _made(
        fault,
        (
            f"SQL Server {number or '-'} (SQLSTATE {state or '-'}) at "
            f"{place}{_named(_details(message, number))}"
        ),
    )


def sqlserver_number(message: str, state: str) -> int | None:
    """The native number that ends the first report; None for 0, which is the driver's own.

    A text may show a row's value, and the value may look like numbers and reports. So a number
    counts where a report ends; none is tried again among the errors of data (SQLSTATE 22 and 23);
    and what a trigger raised (50000 and above) comes first.
    """
    ends = map(_END.search, _FURTHER.split(message))
    numbers = [int(found[1]) for found in ends if found]
    if state.startswith(("22", "23")):
        numbers = [number for number in numbers if SQL_SERVER.get(number) is not TargetBusy]
    numbers = [number for number in numbers if number >= USER_RAISED] or numbers
    return (numbers[0] or None) if numbers else None


def _details(message: str, number: int | None) -> dict[str, str | None]:
    pattern = _NAMES.get(number or 0)
    found = pattern.match(_SOURCES.sub("", message, count=1)) if pattern else None
    return found.groupdict() if found else {}


def by_prefix(table: dict[str, Fault], state: str) -> Fault:
    """The fault of the longest entry that the state begins with."""
    fitting = [entry for entry in table if state.startswith(entry)]
    return table[max(fitting, key=len)] if fitting else TargetRefused


def _named(details: dict[str, str | None]) -> str:
    return "".join(f", {word} {name}" for word, name in details.items() if name)


def _made(fault: Fault, message: str) -> PipelineError:
    return fault(message)
