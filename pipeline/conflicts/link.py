"""The link: everything that is remembered of a pair of rows, one in each system. Frozen;
every change is a new link. Without slots, so that `model.replace` can make it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from pipeline.conflicts.rules import Side
from pipeline.model.event import Value
from pipeline.model.frozen import light
from pipeline.model.position import NOWHERE, TopicOffset
from pipeline.model.replace import replace

Values = Mapping[str, Value]
Times = Mapping[str, datetime]
T = TypeVar("T")


class State(StrEnum):
    """The stage of a link's life."""

    CREATING = "creating"  # one row exists, the other is being created
    LINKED = "linked"
    # one of the rows is gone; kept so that a replay does not bring the pair back to life
    ENDED = "ended"


WITH_PARENT = "with_parent"  # in `Link.out`: the pair that it hangs on is suspended


class Obstacle(StrEnum):
    """Why the last write could not be made at all."""

    KEY_TAKEN = "key_taken"  # the row to be created exists already, and is not ours


@light(frozen=True)
class Seen:
    """The newest event of a side that was reconciled: position ("" before the first streamed one),
    place, epoch.

    `read_at`: when the row was read by the snapshot that ended the last gap in the capture,
    None if there was none.
    `committed_at`: that of the newest streamed event, None before the first.
    """

    position: str = ""
    place: TopicOffset = NOWHERE
    epoch: int = 0
    read_at: datetime | None = None
    committed_at: datetime | None = None


@light(frozen=True)
class Pending:
    """A write of ours that the side's log may not have shown yet,
    or a look at the row that its log may be behind of.

    `values` and `expected` by line: what was written, and what the side held before (empty for a
    created row and for a look). `is_open`: nobody knows yet whether it was carried out. `after`:
    epoch and change part of a position, read inside the writing transaction after the write, None
    if it cannot be known; then `at`, that database's clock at the write, tells what is older, and
    for how long images are checked against the row.
    """

    number: int
    values: Values = field(repr=False)
    expected: Values = field(repr=False)
    at: datetime
    is_open: bool = True
    after: str | None = None
    creates: bool = False

    @property
    def is_look(self) -> bool:
        return self.number == 0


@light(frozen=True)
class Desired:
    """A value that a side ought to hold because somebody typed it,
    though its row does not hold it now.

    Either a person decided so (`is_decided`),
    or a write of ours covered an edit that we learned of later.
    """

    value: Value = field(repr=False)
    at: datetime
    is_decided: bool


@light(frozen=True)
class LinkSide:
    """One side of a link. All maps go by line name.

    `value`: what the side is known to hold, as that side stores it, observed or written by us.
    `observed`: what the side's log showed last. `edited_at`: commit time of the last edit a person
    made. `dirty`: edited since the sides last agreed. A line missing in `value` is unknown.
    `key` is None while the row is being created.
    """

    table: str
    key: str | None
    seen: Seen = Seen()
    value: Values = field(default_factory=dict, repr=False)
    observed: Values = field(default_factory=dict, repr=False)
    edited_at: Times = field(default_factory=dict)
    dirty: frozenset[str] = frozenset()
    pending: tuple[Pending, ...] = ()
    wanted: Mapping[str, Desired] = field(default_factory=dict)

    def user_value(self, name: str) -> Value:
        """What was last typed here, whether the row holds it yet or not."""
        wanted = self.wanted.get(name)
        return self.value[name] if wanted is None else wanted.value

    @property
    def has_pending_edits(self) -> bool:
        """Does this side ask for anything to be carried over."""
        return bool(self.dirty or self.wanted)

    def has_pending_edit(self, name: str) -> bool:
        """Does this side ask for its value to be carried over."""
        return name in self.dirty or name in self.wanted

    def contended_at(self, name: str) -> datetime | None:
        """When that value was typed; None if nobody is known to have typed it."""
        wanted = self.wanted.get(name)
        return self.edited_at.get(name) if wanted is None else wanted.at

    def clean(self, name: str) -> LinkSide:
        """Nothing is asked for in this line any more."""
        if not self.has_pending_edit(name):
            return self
        return replace(
            self,
            dirty=self.dirty - {name},
            wanted=without(self.wanted, name),
        )

    def without_pending(self, names: Collection[str]) -> LinkSide:
        """The same for several lines."""
        if self.dirty.isdisjoint(names) and self.wanted.keys().isdisjoint(names):
            return self
        wanted = {name: value for name, value in self.wanted.items() if name not in names}
        return replace(self, dirty=self.dirty.difference(names), wanted=wanted)

    def mark_pending(self, name: str) -> LinkSide:
        """This side's value is to be carried over."""
        return self if self.has_pending_edit(name) else replace(self, dirty=self.dirty | {name})


@light(frozen=True)
class Parked:
    """A line that a person must decide, with what each side typed, since when,
    and why (a conflict kind).
    """

    ajera: Value = field(repr=False)
    dps: Value = field(repr=False)
    since: datetime
    reason: str


@light(frozen=True)
class Link:
    """A pair of rows. `number` counts our writes,
    `version` the times the link was stored (raised by the store).

    `coincident`: lines that agree because two people typed the same, not because we wrote.
    `ended_by`: the side whose row was deleted, `ended_at` when; `both_gone`: the other row was
    deleted since. `off`: sides whose row is not set to be exchanged: what is typed there is noted,
    and carried over once it is. `kept`: lines whose filled value stayed at the first link though
    the side that sends them was blank. `of`: the link of the pair it hangs on.
    `counts_for`: the firm, as DPS knows it, of which a contact is one of those allowed.
    `out`: sides whose row is not of its kind any more: the pair is suspended, edits are noted,
    nothing is decided. `lines`: by line the fingerprint that it was last looked at with; None in a
    link that an earlier version stored.
    """

    id: str
    entity: str
    ajera: LinkSide
    dps: LinkSide
    state: State
    version: int = 0
    number: int = 0
    parked: Mapping[str, Parked] = field(default_factory=dict)
    coincident: frozenset[str] = frozenset()
    obstacle: Obstacle | None = None
    ended_at: datetime | None = None
    ended_by: Side | None = None
    off: frozenset[Side] = frozenset()
    kept: frozenset[str] = frozenset()
    both_gone: bool = False
    of: str | None = None
    counts_for: str | None = None
    out: frozenset[str] = frozenset()
    lines: Mapping[str, str] | None = None

    def side(self, side: Side) -> LinkSide:
        return self.ajera if side is Side.AJERA else self.dps

    def with_side(self, side: Side, link_side: LinkSide, number: int | None = None) -> Link:
        """The link with another half; `number`: of the newest of our writes,
        if that changes too.
        """
        number = self.number if number is None else number
        is_ajera = side is Side.AJERA
        return replace(
            self,
            number=number,
            ajera=link_side if is_ajera else self.ajera,
            dps=self.dps if is_ajera else link_side,
        )

    def side_of(self, table: str) -> Side:
        """The side whose table that is. Raises ValueError for a table of neither."""
        if table == self.ajera.table:
            return Side.AJERA
        if table == self.dps.table:
            return Side.DPS
        raise ValueError(f"table {table} is on neither side of a link of {self.entity}")

    @property
    def exchanged(self) -> Mapping[Side, str] | None:
        """The keys of both rows while the pair is exchanged; None before, after, while it is
        suspended, and while one of the rows is not set to be.
        """
        if self.state is not State.LINKED or self.out or self.off:
            return None
        ajera, dps = self.ajera.key, self.dps.key
        return None if ajera is None or dps is None else {Side.AJERA: ajera, Side.DPS: dps}

    def is_known(self, name: str) -> bool:
        """Is the value of this line known on both sides."""
        return name in self.ajera.value and name in self.dps.value

    def unparked(self, name: str) -> Link:
        return replace(self, parked=without(self.parked, name)) if name in self.parked else self


def without(mapping: Mapping[str, T], name: str) -> Mapping[str, T]:
    """The mapping less one name."""
    return (
        {key: value for key, value in mapping.items() if key != name}
        if name in mapping
        else mapping
    )
