"""The judge of the exchange: do Ajera and DPS agree, in plain SQL over both,
or is what differs parked.

It shares no code with the exchange. Of its own tables it reads which rows are a pair, which of them
we made, and what is parked. Of rows it tells table and key, never a value.
"""

from __future__ import annotations

from collections.abc import (
    Collection,
    Iterator,
    Sequence,
)
from dataclasses import dataclass
from typing import Any

import psycopg

from deploy.sample.agreement_map import PAIRINGS, Line, Pairing
from deploy.sample.agreement_rows import SIDES, Found, Link, Row, read
from deploy.sample.naming import Naming


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
    found = read(ajera, dps, naming)
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
