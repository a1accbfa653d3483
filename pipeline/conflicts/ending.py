"""How a link ends: one of the rows is gone, the other one stays, and the link is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from pipeline.conflicts import guards
from pipeline.conflicts.conflict import (
    Conflict,
    Kind,
    about_line,
    about_row,
)
from pipeline.conflicts.link import Link, State
from pipeline.conflicts.rules import Rules, Side


def end(
    link: Link, side: Side, at: datetime, rules: Rules, now: datetime
) -> tuple[Link, tuple[Conflict, ...]]:
    """The link after the row of `side` was deleted at `at`: by its event,
    or because it was looked for and is not there.

    What was edited on the other side and not carried over is logged with its value.
    An ended link ends only once.
    """
    if guards.is_ended(link):
        return link, ()
    conflicts = (
        about_row(link, Kind.LINK_ENDED, now),
        *_in_flight(link, side.other, rules, now),
    )
    halves = {each: replace(link.side(each), dirty=frozenset(), wanted={}) for each in Side}
    link = replace(link, ajera=halves[Side.AJERA], dps=halves[Side.DPS])
    return replace(
        link,
        state=State.ENDED,
        ended_at=at,
        ended_by=side,
        parked={},
        obstacle=None,
    ), conflicts


def release(link: Link, side: Side, now: datetime) -> tuple[Link, tuple[Conflict, ...]]:
    """The link after another row took the place of that of `side`,
    which is there but not of its kind any more.
    """
    link = replace(link, out=link.out | {side})
    conflicts = (about_row(link, Kind.LINK_ENDED, now),)
    halves = {each: replace(link.side(each), dirty=frozenset(), wanted={}) for each in Side}
    link = replace(link, ajera=halves[Side.AJERA], dps=halves[Side.DPS])
    return replace(
        link,
        state=State.ENDED,
        ended_at=now,
        ended_by=side,
        parked={},
        obstacle=None,
    ), conflicts


def _in_flight(link: Link, survivor: Side, rules: Rules, now: datetime) -> Iterator[Conflict]:
    for pair in rules.pairs:
        if link.side(survivor).has_pending_edit(pair.name) or pair.name in link.parked:
            yield about_line(link, pair, Kind.DELETE_ORIGIN_DIFFERS, None, now)
