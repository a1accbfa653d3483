"""What the days of both systems share: an edit is one transaction, drawn by weight,
and sometimes thought better of.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from deploy.sample.naming import Naming


@dataclass(frozen=True, slots=True)
class Edit:
    """What a person did, in a few words, and where."""

    kind: str
    table: str


class Undo(Exception):
    """The transaction is rolled back: none of it may ever be seen."""


Make = Callable[[psycopg.Connection], Edit]


def draw(
    rng: random.Random,
    edits: Sequence[tuple[int, Make]],
    connection: psycopg.Connection,
    undone: str,
) -> Edit:
    """One transaction, committed when this returns;
    `undone` is the table of one that was thought better of.
    """
    edit = rng.choices([edit for _, edit in edits], weights=[weight for weight, _ in edits])[0]
    try:
        with connection.transaction():
            return edit(connection)
    except Undo:
        return Edit("thought better of it", undone)


def run(
    connection: psycopg.Connection,
    naming: Naming,
    text: str,
    values: dict[str, Any],
) -> list[tuple[Any, ...]]:
    """A statement with a site's names put in; what it answers."""
    cursor = connection.execute(sql.SQL(naming.sql(text)), values)
    return list(cursor) if cursor.description else []
