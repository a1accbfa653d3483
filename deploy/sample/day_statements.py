"""What every edit of a day in Ajera is made of."""

from __future__ import annotations

import random
from typing import Any

import psycopg

from deploy.sample import firm
from deploy.sample.edits import Undo, run
from deploy.sample.naming import Naming
from deploy.sample.people import People


class InAjera:
    """Statements over the site's names, and keys at random, by the day's own generator."""

    def __init__(self, rng: random.Random, naming: Naming) -> None:
        self._rng = rng
        self._naming = naming
        self._people = People(rng)

    def _run(
        self, connection: psycopg.Connection, text: str, **values: Any
    ) -> list[tuple[Any, ...]]:
        return run(connection, self._naming, text, values)

    def _pick(
        self,
        connection: psycopg.Connection,
        table: str,
        key: str,
        where: str = "true",
    ) -> int:
        """A key at random, by our own generator: so that a seed gives one day. Raises Undo where
        there is none.
        """
        rows = self._run(
            connection,
            f"SELECT {{{table}.{key}}} FROM {{{table}}} WHERE {where} ORDER BY 1",
        )
        if not rows:
            raise Undo
        return int(self._rng.choice(rows)[0])

    def _next(self, connection: psycopg.Connection, table: str, key: str) -> int:
        """A new key from the table's own sequence, so that it is nobody else's."""
        names = {
            "owner": self._naming.sql(f"{{{table}}}"),
            "column": self._naming.column(table, key),
        }
        ((new,),) = self._run(
            connection,
            "SELECT nextval(pg_get_serial_sequence(%(owner)s, %(column)s))",
            **names,
        )
        return int(new)

    def _above(
        self,
        connection: psycopg.Connection,
        table: str,
        key: str,
        where: str = "true",
    ) -> int:
        """One more than the highest key."""
        ((highest,),) = self._run(
            connection,
            f"SELECT COALESCE(max({{{table}.{key}}}), 0) FROM {{{table}}} WHERE {where}",
        )
        return int(highest) + 1

    def _set(
        self,
        connection: psycopg.Connection,
        table: str,
        key_column: str,
        key: int,
        **values: Any,
    ) -> None:
        assigned = ", ".join(f"{{{table}.{name}}} = %({name})s" for name in values)
        self._run(
            connection,
            f"UPDATE {{{table}}} SET {assigned} WHERE {{{table}.{key_column}}} = %(key)s",
            key=key,
            **values,
        )

    def _insert(
        self,
        connection: psycopg.Connection,
        table: str,
        rows: list[dict[str, Any]],
    ) -> None:
        firm.insert(connection, self._naming, table, rows)

    def _company(self, connection: psycopg.Connection, flag: str = "vecIsClient") -> int:
        return self._pick(connection, "AxVec", "vecKey", f"{{AxVec.{flag}}}")
