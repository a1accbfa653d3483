"""Both databases as the judge of the exchange reads them, each at one moment."""

from __future__ import annotations

import json
from collections.abc import (
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final

import psycopg
from psycopg import sql

from deploy.sample.agreement_map import PAIRINGS, End
from deploy.sample.naming import Naming

SIDES: Final = ("ajera", "dps")
WAITING: Final = frozenset(
    {"exchange.reference_missing", "exchange.type_missing"}
)  # their hint begins with the lines that wait


@dataclass(frozen=True, slots=True)
class Link:
    """A row of `sync.link`. `edited`: by side and line, when a person last typed there.

    `is_suspended`: a row is not of its kind any more. `kept`: lines whose value stayed at the first
    link, since the side that sends them had none.
    """

    id: str
    entity: str
    keys: Mapping[str, str | None]
    state: str
    parked: frozenset[str]
    kept: frozenset[str]
    is_off: bool
    is_suspended: bool
    ended_by: str | None
    edited: Mapping[str, Mapping[str, datetime]]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of one side: its lines in comparable form, whether it must have a counterpart,
    and what it belongs to.
    """

    is_due: bool
    parent: str | None
    values: Mapping[str, Any] = field(repr=False)


Rows = Mapping[tuple[str, str], Mapping[str, Row]]  # by entity and side, then by key


@dataclass(frozen=True)
class Found:
    """Both databases as read. `made`: the links whose row in Ajera is ours."""

    links: Sequence[Link]
    made: frozenset[str]
    parked: Mapping[str, tuple[str, str]]  # id: code and hint
    rows: Rows

    @cached_property
    def pairs(self) -> frozenset[tuple[str, str | None, str | None]]:
        """Entity and both keys, of links that ended too."""
        return _keys(self.links)

    @cached_property
    def live_pairs(self) -> frozenset[tuple[str, str | None, str | None]]:
        return _keys(link for link in self.links if link.state != "ended")

    def parked_lines(self, link: Link, lines: Collection[str]) -> frozenset[str] | None:
        """The lines that wait, None if the whole pair does."""
        if f"link/{link.id}" not in self.parked:
            return link.parked
        code, hint = self.parked[f"link/{link.id}"]
        named = {name.strip() for name in hint.partition(":")[0].split(",")} & set(lines)
        return link.parked | named if code in WAITING and named else None


def read(ajera: psycopg.Connection, dps: psycopg.Connection, naming: Naming) -> Found:
    """Each database as it is at one moment."""
    rows: dict[tuple[str, str], dict[str, Row]] = {}
    with one_moment(dps), one_moment(ajera):
        listed = dps.execute(
            "SELECT id, entity, ajera_key, dps_key, state, parked_lines, document FROM sync.link"
        )
        links = [_link(row) for row in listed]
        parked = {
            str(one): (str(code), str(hint))
            for one, code, hint in dps.execute("SELECT id, code, hint FROM sync.parked")
        }
        numbers = ajera.execute("SELECT number FROM ajera_cdc.intention WHERE key IS NOT NULL")
        made = frozenset(str(number).partition("/")[0] for (number,) in numbers)
        for pairing in PAIRINGS:
            rows[pairing.entity, "ajera"] = _rows(
                ajera,
                naming,
                pairing.ajera,
                {x.name: x.ajera for x in pairing.lines},
            )
            rows[pairing.entity, "dps"] = _rows(
                dps,
                naming,
                pairing.dps,
                {x.name: x.dps for x in pairing.lines},
            )
    return Found(links, made, parked, rows)


@contextmanager
def one_moment(connection: psycopg.Connection) -> Iterator[None]:
    """One snapshot for all that is read; within a transaction of the caller's, as that sees it."""
    is_own = connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
    with connection.transaction():
        if is_own:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def _link(row: Sequence[Any]) -> Link:
    one, entity, ajera, dps, state, parked, document = row
    known = json.loads(document)
    return Link(
        id=one,
        entity=entity,
        keys={"ajera": ajera, "dps": dps},
        state=state,
        parked=frozenset(parked.split(",")) - {""},
        kept=frozenset(known.get("kept", ())),
        is_off=bool(known.get("off")),
        is_suspended=bool(known.get("out")),
        ended_by=known.get("ended_by"),
        edited={side: _times(known[side].get("edited_at", {})) for side in SIDES},
    )


def _times(texts: Mapping[str, str]) -> dict[str, datetime]:
    return {name: datetime.fromisoformat(at) for name, at in texts.items()}


def _rows(
    connection: psycopg.Connection,
    naming: Naming,
    end: End,
    lines: Mapping[str, str],
) -> dict[str, Row]:
    chosen = [
        _key(end, end.key),
        f"({end.due})",
        _key(end, end.parent) if end.parent else "NULL",
        *lines.values(),
    ]
    text = f"SELECT {', '.join(chosen)} FROM {{{end.table}}} {end.joins}"
    cursor = connection.execute(
        sql.SQL(naming.sql(text))
    )  # built from our own names, never from values
    return {
        str(key): Row(bool(is_due), parent, dict(zip(lines, values, strict=True)))
        for key, is_due, parent, *values in cursor
    }


def _key(end: End, columns: Sequence[str]) -> str:
    """A key as `sync` writes it: one value as it is, several with a bar between them."""
    parts = [f"{{{end.table}.{name}}}::text" for name in columns]
    if len(parts) == 1:
        return parts[0]
    return " || '|' || ".join(f"replace(replace({part}, '%', '%25'), '|', '%7C')" for part in parts)


def _keys(
    links: Iterable[Link],
) -> frozenset[tuple[str, str | None, str | None]]:
    return frozenset((link.entity, link.keys["ajera"], link.keys["dps"]) for link in links)
