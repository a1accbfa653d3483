"""Failures to connect, before any statement: no row has been read yet, so the texts in which libpq
and the ODBC driver tell them hold no value of one.
"""

from __future__ import annotations

import re

from pipeline.database.sql.address import Address
from pipeline.errors import (
    ConnectionsExhausted,
    CredentialsRefused,
    DatabaseMissing,
    HostUnknown,
    PipelineError,
    ServiceUnreachable,
    TlsRefused,
)
from pipeline.network import Reach, reach

# psycopg's own words, and the function that pyodbc names
_CONNECTING = re.compile(
    r"^connection failed|^connection is bad|^connection timeout|^failed to resolve host"
    r"|\(SQLDriverConnect\)"
)
_TLS = re.compile(
    r"SSL Provider:|does not support SSL|SSL error|SSL negotiation|certificate|sslmode"
    r"|Encryption not supported"
)
# What a server refuses at a login: libpq keeps its SQLSTATE to itself. Texts of a server whose
# `lc_messages` is another language are in none of these.
_LOGIN_STATES = (
    (r"authentication failed for user|no password supplied", "28P01"),
    (r"role \"[^\"]*\" (?:does not exist|is not permitted to log in)|pg_hba\.conf", "28000"),
    (r"database \"[^\"]*\" does not exist|database \"[^\"]*\" is not currently", "3D000"),
    (r"permission denied for database", "42501"),
    (r"too many (?:clients|connections)|connection slots are reserved", "53300"),
    (r"the database system is ", "57P03"),
)
_REFUSALS: dict[type[PipelineError], str] = {
    CredentialsRefused: "the user or the password is refused",
    DatabaseMissing: "there is no such database, or this user may not open it",
    TlsRefused: "the server and we do not agree on encryption",
    ConnectionsExhausted: "the server takes no further connection",
}
LOGIN = frozenset(_REFUSALS)  # what no statement is at fault for


def is_connecting(error: BaseException) -> bool:
    """Did the driver fail to connect, rather than lose a connection that it had."""
    return _CONNECTING.search(_text(error)) is not None


def wants_tls(error: BaseException) -> bool:
    """Is it encryption on which the connecting failed."""
    return _TLS.search(_text(error)) is not None


def postgres_login_state(error: BaseException) -> str | None:
    """The SQLSTATE of what a server says at a login. One whose words are not known, said after
    we had sent a password, counts as a refusal of it. None: no server said anything.
    """
    text = _text(error)
    for words, state in _LOGIN_STATES:
        if re.search(words, text):
            return state
    has_sent = getattr(getattr(error, "pgconn", None), "used_password", False)
    return "28000" if has_sent and "FATAL" in text else None


def refused_login(fault: type[PipelineError], code: str, address: Address) -> PipelineError:
    """A server that answers, and does not let us in."""
    said = f" ({code})" if code else ""
    what = _REFUSALS.get(fault)
    if what is None:
        return fault(f"{address}: {code} at the login.")
    return fault(f"{address}: {what}{said}.")


def unreachable(address: Address, code: str) -> PipelineError:
    """Nobody let us in, and nobody refused."""
    said = f" ({code})" if code else ""
    if address.host is None or address.port is None:  # a socket, a named instance
        return ServiceUnreachable(f"{address}: no connection{said}.")
    found = reach(address.host, address.port)
    fault = HostUnknown if found is Reach.HOST_UNKNOWN else ServiceUnreachable
    return fault(f"{address}: {found.value}{said}.")


def _text(error: BaseException) -> str:
    return str(error.args[-1]) if error.args else ""
