"""Ann in Ajera and Bob in DPS type into the same fields at once, one field for each rule;
and what came of it.

Bob has the rows open: he locks them, Ann saves, and Bob saves after her, before hers can come over.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import psycopg
from psycopg import sql

from deploy.demo.clashes import CLASHES, NUMBER, Clash
from deploy.sample.dps import BLANK
from deploy.sample.naming import Naming

LATER: Final = 2.6  # seconds from Ann's commit to Bob's: more than the clock tolerance of two
WAIT_SECONDS: Final = 60.0


class NotDecided(RuntimeError):
    """A collision did not come out as its rule says."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one clash, in words; `is_right`: as its rule says."""

    lines: Sequence[str]
    is_right: bool


class Collisions:
    """Ann's and Bob's connections, and the firm and the project that they made for this."""

    def __init__(
        self,
        ajera: psycopg.Connection,
        dps: psycopg.Connection,
        naming: Naming,
    ) -> None:
        self._ajera = ajera
        self._dps = dps
        self._naming = naming
        self._links: dict[str, tuple[str, str, str]] = {}  # entity: link, Ajera's key, DPS's key

    def run(self) -> list[Told]:
        """The whole scene. Raises NotDecided if the exchange does not even make the pair."""
        firm, project = self._begin()
        self._links = {
            "firm": self._linked("firm", firm),
            "project": self._linked("project", project),
        }
        self._collide()
        deadline = time.monotonic() + WAIT_SECONDS
        story = [self._told(clash) for clash in CLASHES]
        while not all(told.is_right for told in story) and time.monotonic() < deadline:
            time.sleep(0.25)
            story = [self._told(clash) for clash in CLASHES]
        return story

    # -- the scene ---------------------------------------------------------------------------------

    def _begin(self) -> tuple[int, int]:
        """Ann sets up a client and a project; both are to be in DPS too."""
        with self._ajera.transaction():
            firm = self._one(
                self._ajera,
                (
                    "INSERT INTO {AxVec} ({AxVec.vecDescription}, {AxVec.vecIsClient},"
                    " {AxVec.vecSyncToCRM}, {AxVec.vecStatus},"
                    " {AxVec.vecClientType}, {AxVec.vecClientNotes}, {AxVec.vecCity})"
                    " VALUES ('Hill & Co', true, true, 1, 1, 'Prefers e-mail.', 'Portland')"
                    " RETURNING {AxVec.vecKey}"
                ),
            )
            project = self._one(
                self._ajera,
                (
                    "INSERT INTO {AxProject} ({AxProject.prjID}, {AxProject.prjDescription},"
                    " {AxProject.prjStatus},"
                    " {AxProject.prjProjectType}, {AxProject.prjSyncToCRM},"
                    " {AxProject.prjCreateInCRM})"
                    " VALUES (%(number)s, 'Hill House', 1, 1, true, true)"
                    " RETURNING {AxProject.prjKey}"
                ),
                number=NUMBER,
            )
        return int(firm), int(project)

    def _linked(self, entity: str, key: int) -> tuple[str, str, str]:
        """Wait until the exchange has made the counterpart."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            found = self._dps.execute(
                (
                    "SELECT id, ajera_key, dps_key FROM sync.link WHERE entity = %s"
                    " AND ajera_key = %s AND state = 'linked'"
                ),
                (entity, str(key)),
            ).fetchone()
            if found is not None:
                return found[0], found[1], found[2].partition("|")[0]
            time.sleep(0.1)
        raise NotDecided(
            f"the {entity} that Ann set up did not come to DPS within {WAIT_SECONDS:.0f} seconds"
        )

    def _collide(self) -> None:
        with self._dps.transaction():
            for clash in CLASHES:
                if clash.bob is not None:
                    self._type(
                        self._dps,
                        clash.in_dps,
                        clash.bob,
                        self._links[clash.entity][2],
                    )
            with self._ajera.transaction():
                for clash in CLASHES:
                    self._type(
                        self._ajera,
                        clash.in_ajera,
                        clash.ann,
                        self._links[clash.entity][1],
                    )
            time.sleep(LATER)

    # -- what came of it ---------------------------------------------------------------------------

    def _told(self, clash: Clash) -> Told:
        link, ajera, dps = self._links[clash.entity]
        held = (
            self._held(self._ajera, clash.in_ajera, ajera),
            self._held(self._dps, clash.in_dps, dps),
        )
        entry = self._dps.execute(
            "SELECT number, kind, rule, winner, ajera, dps, ajera_at, dps_at FROM sync.conflict"
            " WHERE link = %s AND line = %s ORDER BY number DESC",
            (link, clash.line.partition(".")[2]),
        ).fetchone()
        is_right = held == clash.ends and (entry is not None) == clash.is_logged
        if clash.rule == "manual":
            is_right = is_right and self._is_parked(link, clash.line.partition(".")[2])
        bob = (
            f"Bob types {clash.shown(clash.bob)} in DPS"
            if clash.bob
            else f"in DPS {clash.shown(held[1])} is a key"
        )
        return Told(
            (
                (
                    f"{clash.rule:<11} {clash.line}: Ann types {clash.shown(clash.ann)} in Ajera, "
                    f"{bob}"
                ),
                f"{'':<11} -> Ajera holds {clash.shown(held[0])}, DPS holds {clash.shown(held[1])}",
                f"{'':<11}    {_entry(clash, entry)}",
            ),
            is_right,
        )

    def _is_parked(self, link: str, line: str) -> bool:
        row = self._dps.execute(
            "SELECT parked_lines FROM sync.link WHERE id = %s", (link,)
        ).fetchone()
        return row is not None and line in row[0].split(",")

    # -- statements --------------------------------------------------------------------------------

    def _one(self, connection: psycopg.Connection, text: str, **values: Any) -> Any:
        row = connection.execute(sql.SQL(self._naming.sql(text)), values).fetchone()
        return None if row is None else row[0]

    def _type(
        self,
        connection: psycopg.Connection,
        column: str,
        value: Any,
        key: str,
    ) -> None:
        table, where = _where(column)
        set_to = f"UPDATE {{{table}}} SET {{{column}}} = %(value)s WHERE {where}"
        connection.execute(
            sql.SQL(self._naming.sql(set_to)),
            {"value": value, "key": key, "blank": BLANK},
        )

    def _held(self, connection: psycopg.Connection, column: str, key: str) -> Any:
        table, where = _where(column)
        return self._one(
            connection,
            f"SELECT {{{column}}} FROM {{{table}}} WHERE {where}",
            key=key,
            blank=BLANK,
        )


KEYS: Final = {
    "AxVec": "vecKey",
    "AxProject": "prjKey",
    "Clendor": "ClientID",
    "PR": "WBS1",
}


def _where(column: str) -> tuple[str, str]:
    table = column.partition(".")[0]
    where = f"{{{table}.{KEYS[table]}}}::text = %(key)s"
    return table, where + (
        " AND {PR.WBS2} = %(blank)s AND {PR.WBS3} = %(blank)s" if table == "PR" else ""
    )


def _entry(clash: Clash, entry: Sequence[Any] | None) -> str:
    if entry is None:
        return "conflict log: nothing, the number is copied when the row is created and never after"
    number, kind, rule, winner, ajera, dps, ajera_at, dps_at = entry
    return (
        f"conflict {number}: {kind}, rule {rule}, "
        f"{f'{winner} wins' if winner else 'a person decides: parked'};"
        f" Ajera {clash.shown(json.loads(ajera))} at {_clock(ajera_at)}, DPS "
        f"{clash.shown(json.loads(dps))} at {_clock(dps_at)}"
    )


def _clock(at: datetime | None) -> str:
    return "-" if at is None else f"{at.astimezone(UTC):%H:%M:%S.%f}"[:-4]
