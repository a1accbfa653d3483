"""The identifiers that a database's error names: rights, tables, columns, constraints. Taken from
the driver's fields, or from a text that has a fixed form for its number, before it shows any value.
"""

from __future__ import annotations

import re

IDENTIFIER = r"[^\"'\n]{1,130}"
_SOURCES = re.compile(
    r"^\[[0-9A-Z]{5}\] (?:\[[^\]]*\])*"
)  # the state and who speaks: [Microsoft][...][SQL Server]
# By number of SQL Server, the text's beginning.
_SQL_SERVER: dict[int, str] = {
    207: r"Invalid column name '(?P<column>ID)'",
    208: r"Invalid object name '(?P<table>ID)'",
    229: (
        r"The (?P<right>[A-Z ]+) permission was denied on the object '(?P<object>ID)', "
        r"database '(?P<database>ID)', schema '(?P<schema>ID)'"
    ),
    230: (
        r"The (?P<right>[A-Z ]+) permission was denied on the column '(?P<column>ID)' of the "
        r"object '(?P<object>ID)', database '(?P<database>ID)', schema '(?P<schema>ID)'"
    ),
    262: r"(?P<right>[A-Z ]+) permission denied in database '(?P<database>ID)'",
    300: r"(?P<right>[A-Z ]+) permission was denied on object '(?P<object>ID)'",
    515: r"Cannot insert the value NULL into column '(?P<column>ID)', table 'ID';",
    547: (r"The \w+ statement conflicted with the [A-Z ]+ constraint \"(?P<constraint>ID)\"\."),
    916: (r"The server principal \"ID\" is not able to access the database \"(?P<database>ID)\""),
    1088: r"Cannot find the object \"(?P<object>ID)\" because it does not exist",
    2601: (
        r"Cannot insert duplicate key row in object 'ID' with unique index "
        r"'(?P<constraint>ID)'\."
    ),
    2627: r"Violation of [A-Z ]+ constraint '(?P<constraint>ID)'\.",
    2628: (r"String or binary data would be truncated in table 'ID', column '(?P<column>ID)'\."),
    2760: r"The specified schema name \"(?P<schema>ID)\"",
    4902: r"Cannot find the object \"(?P<object>ID)\" because it does not exist",
}
# By SQLSTATE of PostgreSQL, which gives these no fields: the whole of the primary message.
_POSTGRES: dict[str, tuple[str, ...]] = {
    "42501": (
        r"permission denied for (?:table|view|relation|materialized view) (?P<table>ID)",
        r"permission denied for schema (?P<schema>ID)",
        r"permission denied for sequence (?P<sequence>ID)",
        r"permission denied for database (?P<database>ID)",
        r"permission denied for function (?P<function>ID)",
        r"must be owner of (?:table|relation) (?P<table>ID)",
    ),
    "42703": (
        r'column "(?P<column>ID)" of relation "(?P<table>ID)" does not exist',
        r'column "?(?P<column>ID)"? does not exist',
    ),
    "42P01": (r'relation "(?P<table>ID)" does not exist',),
    "3F000": (r'schema "(?P<schema>ID)" does not exist',),
}
RAISED_BY_A_FUNCTION = "exec_stmt_raise"  # of PL/pgSQL: its text may say anything


def named_by_sqlserver(message: str, number: int | None) -> str:
    """`, column Name`, and so on."""
    pattern = _SQL_SERVER.get(number or 0)
    if pattern is None:
        return ""
    found = re.match(pattern.replace("ID", IDENTIFIER), _SOURCES.sub("", message, count=1))
    return _listed(found.groupdict()) if found else ""


def named_by_postgres(diagnosis: object, state: str) -> str:
    """`, table Organization`, and so on."""
    details = {
        name: getattr(diagnosis, f"{name}_name", None) for name in ("table", "column", "constraint")
    }
    text = getattr(diagnosis, "message_primary", None) or ""
    raised = getattr(diagnosis, "source_function", None) == RAISED_BY_A_FUNCTION
    for pattern in () if raised or any(details.values()) else _POSTGRES.get(state, ()):
        if found := re.fullmatch(pattern.replace("ID", IDENTIFIER), text):
            return _listed(found.groupdict())
    return _listed(details)


def _listed(details: dict[str, str | None]) -> str:
    return "".join(f", {word} {name}" for word, name in details.items() if name)
