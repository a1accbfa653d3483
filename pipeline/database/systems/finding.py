"""What looking at a live database found."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `action` where it is not ok, or where something better is advised."""

    name: str
    is_ok: bool
    found: str
    action: str = ""


def one(connection: Connection, query: str) -> object:
    """The one value that a query answers; None for no row."""
    return connection.execute(sa.text(query)).scalar_one_or_none()


def number(connection: Connection, query: str) -> int:
    """The one number that a query answers."""
    return int(str(one(connection, query)))
