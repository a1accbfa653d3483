"""The judge of the exchange: do Ajera and DPS agree, in plain SQL over both,
or is what differs parked.

It shares no code with the exchange. Of its own tables it reads which rows are a pair, which of them
we made, and what is parked. Of rows it tells table and key, never a value.
"""

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

from deploy.sample.agreement_map import PAIRINGS, End, Line, Pairing
from deploy.sample.naming import Naming

SIDES: Final = ("ajera", "dps")
WAITING: Final = frozenset(
    {"exchange.reference_missing", "exchange.type_missing"}
)  # their hint begins with the lines that wait


@dataclass(frozen=True, slots=True)
class Difference:
    """A pair, or a row without one, that is not as it should be.
    `line` is empty where it is about the whole row.
    """

    entity: str
    ajera: str
    dps: str
    what: str
    line: str = ""

    def __str__(self) -> str:
        place = f"{self.entity}, Ajera {self.ajera or '-'}, DPS {self.dps or '-'}"
        return f"{place}: {self.what}" + (f" in {self.line}" if self.line else "")


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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. A line that is parked though both sides agree is a difference too:
    nobody has anything to decide.
    """

    differences: Sequence[Difference]
    pairs: int
    values: int
    parked_values: int
    parked_rows: int


def compare(ajera: psycopg.Connection, dps: psycopg.Connection, naming: Naming) -> list[Difference]:
    """Every line and row that differs and is not parked; empty if there is none."""
    return list(judged(ajera, dps, naming).differences)


def judged(ajera: psycopg.Connection, dps: psycopg.Connection, naming: Naming) -> Verdict:
    """All of it, with how much was looked at."""
    found = _read(ajera, dps, naming)
    live = [link for link in found.links if link.state != "ended"]
    differences: list[Difference] = []
    for pairing in PAIRINGS:
        for link in live:
            if link.entity == pairing.entity:
                differences += _of_pair(pairing, link, found)
        for side in SIDES:
            differences += _without_pair(pairing, side, found)
    lines = {pairing.entity: len(pairing.lines) for pairing in PAIRINGS}
    values = sum(lines[link.entity] for link in live)
    return Verdict(
        differences,
        len(live),
        values,
        sum(len(link.parked) for link in live),
        len(found.parked),
    )


# -- pairs -----------------------------------------------------------------------------------------


def _of_pair(pairing: Pairing, link: Link, found: Found) -> Iterator[Difference]:
    ajera, dps = (link.keys[side] for side in SIDES)
    waiting = found.parked_lines(link, [line.name for line in pairing.lines])
    if waiting is None:
        return
    if ajera is None or dps is None:
        yield Difference(pairing.entity, ajera or "", dps or "", "has no counterpart yet")
        return
    held = [
        found.rows[pairing.entity, side].get(key) for side, key in (("ajera", ajera), ("dps", dps))
    ]
    if held[0] is None or held[1] is None:
        gone = " and ".join(
            side for side, row in zip(("Ajera", "DPS"), held, strict=True) if row is None
        )
        yield Difference(
            pairing.entity,
            ajera,
            dps,
            f"the pair goes on, but its row is gone in {gone}",
        )
        return
    if not (link.is_off or link.is_suspended):
        yield from _of_lines(pairing, link, (held[0], held[1]), waiting, found)


def _of_lines(
    pairing: Pairing,
    link: Link,
    held: tuple[Row, Row],
    waiting: Collection[str],
    found: Found,
) -> Iterator[Difference]:
    """Of a live pair whose rows are there."""
    ajera, dps = (link.keys[side] or "" for side in SIDES)
    for line in pairing.lines:
        values = held[0].values[line.name], held[1].values[line.name]
        agrees = _agree(line, link, values, found)
        if not agrees and line.name not in waiting:
            yield Difference(pairing.entity, ajera, dps, "differs", line.name)
        waits_for_a_pair = (
            line.refers_to
            and None not in values
            and (line.refers_to, *values) not in found.live_pairs
        )
        if agrees and line.name in waiting and not waits_for_a_pair:
            yield Difference(
                pairing.entity,
                ajera,
                dps,
                "is parked, though both sides agree,",
                line.name,
            )


def _keys(
    links: Iterable[Link],
) -> frozenset[tuple[str, str | None, str | None]]:
    return frozenset((link.entity, link.keys["ajera"], link.keys["dps"]) for link in links)


def _agree(line: Line, link: Link, values: tuple[Any, Any], found: Found) -> bool:
    """Rows that are referred to are the same if they are a pair,
    or were one until one of them was deleted.
    """
    is_reference = line.refers_to and None not in values
    same = (line.refers_to, *values) in found.pairs if is_reference else values[0] == values[1]
    is_unsaid = (
        line.unsaid
        and link.id in found.made
        and not any(line.name in link.edited[side] for side in SIDES)
    )
    sender = "dps" if line.leaves_ajera else "ajera"
    is_kept = line.name in link.kept and line.name not in link.edited[sender]
    return (
        same
        or is_unsaid
        or is_kept
        or (line.leaves_ajera and _typed_last_in_ajera(link, line.name))
    )


def _typed_last_in_ajera(link: Link, name: str) -> bool:
    ajera, dps = (link.edited[side].get(name) for side in SIDES)
    return ajera is not None and (dps is None or ajera > dps)


# -- rows without a pair ---------------------------------------------------------------------------


def _without_pair(pairing: Pairing, side: str, found: Found) -> Iterator[Difference]:
    """A row that is set to be exchanged has a pair, is parked,
    or had one whose other row was deleted.
    """
    of_entity = [link for link in found.links if link.entity == pairing.entity]
    paired = {link.keys[side] for link in of_entity if link.state != "ended"}
    left = {
        link.keys[side] for link in of_entity if link.state == "ended" and link.ended_by != side
    }
    parents = {
        link.keys[side]
        for link in found.links
        if link.entity == pairing.parent and link.state == "linked" and not link.is_suspended
    }
    for key, row in sorted(found.rows[pairing.entity, side].items()):
        is_due = row.is_due and (not pairing.parent or row.parent in parents)
        is_excused = (
            key in paired or key in left or f"row/{pairing.entity}/{side}/{key}" in found.parked
        )
        if is_due and not is_excused:
            keys = (key, "") if side == "ajera" else ("", key)
            yield Difference(
                pairing.entity,
                *keys,
                "is set to be exchanged, and neither paired nor parked",
            )


# -- reading ---------------------------------------------------------------------------------------


def _read(ajera: psycopg.Connection, dps: psycopg.Connection, naming: Naming) -> Found:
    """Each database as it is at one moment."""
    rows: dict[tuple[str, str], dict[str, Row]] = {}
    with _one_moment(dps), _one_moment(ajera):
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
def _one_moment(connection: psycopg.Connection) -> Iterator[None]:
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
        edited={side: _times(known[side]["edited_at"]) for side in SIDES},
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
