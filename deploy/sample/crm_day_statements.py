"""What every edit of a day in DPS is made of."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Final

import psycopg

from deploy.sample import firm
from deploy.sample.crm_rows import USERS, new_id
from deploy.sample.edits import run
from deploy.sample.naming import Naming
from deploy.sample.people import People

Key = tuple[str, ...]

SHARED_IN_HUNDRED: Final = 95
KEYS: Final = {
    "Clendor": ("ClientID",),
    "CLAddress": ("ClientID", "Address"),
    "Contacts": ("ContactID",),
    "PR": ("WBS1", "WBS2", "WBS3"),
    "PRContactAssoc": ("WBS1", "WBS2", "WBS3", "ContactID"),
    "EMProjectAssoc": ("RecordID",),
}
IS_SHARED: Final = {
    "CLAddress": (
        "{CLAddress.ClientID} IN (SELECT {Clendor.ClientID} FROM {Clendor}"
        " WHERE {Clendor.AjeraSync} = 'Y')"
    )
}


class InDps:
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
        where: str = "true",
    ) -> Key:
        """A key at random, by our own generator: of a shared row but for one time in twenty,
        or where there is none.
        """
        listed = ", ".join(f"{{{table}.{name}}}" for name in KEYS[table])
        shared = IS_SHARED.get(table, f"{{{table}.AjeraSync}} = 'Y'")
        shared = shared if self._rng.randrange(100) < SHARED_IN_HUNDRED else "true"
        select = f"SELECT {listed} FROM {{{table}}} WHERE {where}"
        rows = self._run(connection, f"{select} AND {shared} ORDER BY {listed}")
        return self._rng.choice(rows or self._run(connection, f"{select} ORDER BY {listed}"))

    def _set(
        self,
        connection: psycopg.Connection,
        table: str,
        key: Sequence[str],
        **values: Any,
    ) -> None:
        """What DPS itself does on saving: it writes who changed the row, and when."""
        values["ModUser"] = self._rng.choice(USERS)
        assigned = ", ".join(f"{{{table}.{name}}} = %({name})s" for name in values)
        found = " AND ".join(
            f"{{{table}.{name}}} = %(key{number})s" for number, name in enumerate(KEYS[table])
        )
        text = (
            f"UPDATE {{{table}}} SET {assigned}, {{{table}.ModDate}} = now() AT TIME ZONE 'utc'"
            f" WHERE {found}"
        )
        self._run(
            connection,
            text,
            **values,
            **{f"key{number}": part for number, part in enumerate(key)},
        )

    def _insert(self, connection: psycopg.Connection, table: str, **values: Any) -> None:
        firm.insert(connection, self._naming, table, [values])

    def _new_id(self, connection: psycopg.Connection, table: str) -> str:
        """Of a second day with the same seed, too: it draws again until the key is new."""
        (key,) = KEYS[table]
        while self._run(
            connection,
            f"SELECT 1 FROM {{{table}}} WHERE {{{table}.{key}}} = %(id)s",
            id=(new := new_id(self._rng)),
        ):
            pass
        return new

    def _memo(self) -> str | None:
        return self._rng.choice(
            [
                None,
                f"Called {self._rng.randrange(10_000)}.",
                firm.LONG_NOTE + str(self._rng.random()),
            ]
        )
