"""How a link begins: a counterpart is created, or two rows that both exist are linked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from pipeline.conflicts.conflict import Conflict
from pipeline.conflicts.decision import Decision, Reason
from pipeline.conflicts.first import (
    UNKNOWN_TIMES,
    FirstLinkPolicy,
    decide_first,
)
from pipeline.conflicts.known import unknown_lines
from pipeline.conflicts.link import Link, LinkSide, Seen, State
from pipeline.conflicts.plan import plan_writes
from pipeline.conflicts.readings import looked_at
from pipeline.conflicts.reconcile import finish
from pipeline.conflicts.rules import ColumnPair, Rules, Side
from pipeline.model.event import Row
from pipeline.model.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Found:
    """A row as read under lock. `at`: that database's own clock, read in the same transaction.

    `seen`: the event that led to it, or, if none did,
    the newest epoch that is known of that side's capture.
    `modified_at`: the row's own modified date, aware, where it has one.
    """

    table: str
    key: str
    row: Row = field(repr=False)
    at: datetime
    seen: Seen = field(default_factory=Seen)
    modified_at: datetime | None = None


def create(
    link_id: str,
    entity: str,
    side: Side,
    found: Found,
    table: str,
    now: datetime,
    rules: Rules,
) -> Decision:
    """Begin a link for a row of `side` that has no counterpart,
    which is created in `table` of the other side.
    """
    source, target = _link_side(found, rules, side), LinkSide(table, None)
    waits = (
        p.name
        for p in rules.pairs
        if p.name in source.value and not p.can_translate(source.value[p.name], side.other)
    )
    source = replace(
        source,
        dirty=frozenset(name for name in waits if rules.by_name[name].flows_to(side.other)),
    )
    halves = (source, target) if side is Side.AJERA else (target, source)
    link = Link(
        link_id,
        entity,
        *halves,
        state=State.CREATING,
        lines=rules.fingerprints,
    )
    link, writes = plan_writes(link, rules, now)
    return Decision(link, writes, Outcome.WRITTEN, Reason.CREATED)


def first_link(
    link_id: str,
    entity: str,
    ajera: Found,
    dps: Found,
    policy: FirstLinkPolicy,
    now: datetime,
    rules: Rules,
    off: frozenset[Side] = frozenset(),
) -> Decision:
    """Link two filled rows. They agree on nothing yet: what differs is decided line by line
    (`decide_first`), NEWEST by modified dates where both are known, and logged.
    """
    halves = (
        _link_side(ajera, rules, Side.AJERA),
        _link_side(dps, rules, Side.DPS),
    )
    link = Link(
        link_id,
        entity,
        *halves,
        state=State.LINKED,
        off=off,
        lines=rules.fingerprints,
    )
    are_dated = ajera.modified_at is not None and dps.modified_at is not None
    times = (ajera.modified_at, dps.modified_at) if are_dated else UNKNOWN_TIMES
    conflicts: list[Conflict] = []
    for pair in rules.pairs:
        decided = decide_first(link, pair, times, policy, now, rules)
        link = decided.link
        conflicts += [] if decided.conflict is None else [decided.conflict]
    link, writes = plan_writes(link, rules, now)
    outcome = Outcome.WRITTEN if writes else Outcome.PARKED if link.parked else Outcome.SKIPPED
    return Decision(link, writes, outcome, Reason.LINKED, tuple(conflicts))


def succeed(
    link_id: str,
    old: Link,
    side: Side,
    found: Found,
    at: datetime,
    now: datetime,
    rules: Rules,
    off: frozenset[Side],
) -> Decision:
    """Another row of `side` takes a place beside the counterpart of `old`:
    what differs was typed there, at that time.

    What the counterpart's people typed and `old` had not carried over still asks.
    """
    link_side, kept = _link_side(found, rules, side), old.side(side.other)
    halves = (link_side, kept) if side is Side.AJERA else (kept, link_side)
    link = Link(
        link_id,
        old.entity,
        *halves,
        state=State.LINKED,
        number=old.number,
        off=off,
        lines=old.lines,
    )
    unknown = unknown_lines(old, rules)
    differing = [
        p for p in rules.pairs if p not in unknown and link.is_known(p.name) and not _agree(link, p)
    ]
    typed = dict.fromkeys((p.name for p in differing), at)
    dirty = frozenset(p.name for p in differing if p.reacts_to_edits_on(side))
    decision = finish(
        link.with_side(side, replace(link_side, edited_at=typed, dirty=dirty)),
        now,
        rules,
        Reason.LINKED,
    )
    outcome = Outcome.WRITTEN if decision.writes else decision.outcome
    return replace(decision, outcome=outcome)


def _link_side(found: Found, rules: Rules, side: Side) -> LinkSide:
    values = rules.observed(side, found.row)
    return looked_at(
        LinkSide(found.table, found.key, found.seen, values, values),
        values,
        found.at,
    )


def _agree(link: Link, pair: ColumnPair) -> bool:
    return pair.agrees(link.ajera.value[pair.name], link.dps.value[pair.name])
