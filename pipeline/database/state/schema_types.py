"""The types of columns of our own tables, in either database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import NVARCHAR, VARCHAR, DateTime
from sqlalchemy.types import TypeEngine

BINARY = {"postgresql": "C", "mssql": "Latin1_General_BIN2"}


def code_text(length: int) -> TypeEngine[str]:
    """Text that sorts and compares by its code points in either database."""
    return VARCHAR(length, collation=BINARY["postgresql"]).with_variant(
        NVARCHAR(length, collation=BINARY["mssql"]), "mssql"
    )


def ascii_text(length: int) -> TypeEngine[str]:
    """The same for what we make ourselves: ASCII, one byte a character."""
    return VARCHAR(length, collation=BINARY["postgresql"]).with_variant(
        VARCHAR(length, collation=BINARY["mssql"]), "mssql"
    )


def instant() -> TypeEngine[Any]:
    return DateTime(timezone=True)
