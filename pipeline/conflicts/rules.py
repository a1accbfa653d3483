"""One line of a two-way mapping: which column meets which, in which direction, by which rule,
in which form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import assert_never

from pipeline.conflicts.fingerprint import fingerprint
from pipeline.conflicts.forms import Convert, as_is
from pipeline.errors import ProfileInvalid
from pipeline.model.event import Row, Value


class Side(StrEnum):
    """One of the two systems. Hashed as its text, by which a link's document names it."""

    AJERA = "ajera"
    DPS = "dps"
    __hash__ = str.__hash__

    @property
    def other(self) -> Side:
        return SIDES[self is SIDES[0]]


SIDES = tuple(Side)  # to find a member of an enumeration takes as long as a call


class Rule(StrEnum):
    """Who wins when both sides were edited."""

    NEWEST = "newest"  # the later commit time of the edit; within the clock tolerance, the owner's
    AJERA = "ajera"  # Ajera owns the column: what DPS types there is put back
    DPS = "dps"  # DPS owns the column
    MANUAL = "manual"  # this column is parked with both values; the others continue
    CREATE_ONLY = "create_only"  # set when the row is created, never after


class Direction(StrEnum):
    """Where values may flow."""

    BOTH = "both"
    TO_DPS = "to_dps"
    TO_AJERA = "to_ajera"
    NEITHER = "neither"  # values are observed on both sides, and never written


NO_ROW: Row = MappingProxyType({})  # of a row that is created
Read = Callable[[Row], Value]


@dataclass(frozen=True, slots=True)
class Field:
    """What a line reads and writes on one side: mostly one column,
    sometimes several (a short and a long name).

    `read` makes one value of a row that has all `columns`,
    in the form in which that side's values are compared;
    `write` makes the columns of a value, to be written over a row,
    which is empty where one is created.
    """

    columns: tuple[str, ...]
    read: Read
    write: Callable[[Value, Row], Row]


def column(name: str, form: Convert = as_is) -> Field:
    """A field of one column. `form` undoes what the database adds by itself: padding,
    trailing zeros.
    """
    return Field((name,), lambda row: form(row[name]), lambda value, _: {name: value})


@dataclass(frozen=True, slots=True)
class ColumnPair:
    """A line of a two-way mapping.

    `to_dps` and `to_ajera` say how a side represents the other's value. `owner` decides NEWEST
    within the tolerance. On a one-way line the receiving side's own edits are put back where the
    rule names the sending side, and left alone, until the sending side is next edited, where it is
    NEWEST. `only_fills`: a value is carried over only where the receiving side is blank; where it
    is filled, the line is parked. `through` names what translates a reference or a code of a
    list (see `translated`); `can_translate` says whether the receiving side has a counterpart
    of a value: one without is not written, and waits. `length`: of the DPS column, to which
    `to_dps` cuts longer text. `samples`: the codes that its conversions know, which its
    fingerprint looks at.
    Raises ProfileInvalid for a rule that contradicts the direction.
    """

    name: str
    ajera: Field
    dps: Field
    rule: Rule
    direction: Direction = Direction.BOTH
    owner: Side = Side.AJERA
    to_dps: Convert = as_is
    to_ajera: Convert = as_is
    through: str = ""
    only_fills: bool = False
    can_translate: Callable[[Value, Side], bool] = lambda value, to: True
    note: str = ""
    length: int | None = None
    samples: tuple[Value, ...] = ()

    def __post_init__(self) -> None:
        if self.sender is None:
            return
        if self.rule is Rule.MANUAL or self.owning_side is self.sender.other:
            raise ProfileInvalid(
                f"line {self.name}: rule {self.rule} contradicts direction {self.direction}"
            )

    def field(self, side: Side) -> Field:
        return self.ajera if side is Side.AJERA else self.dps

    @property
    def sender(self) -> Side | None:
        """The side that values come from on a one-way line, None on any other."""
        match self.direction:
            case Direction.BOTH | Direction.NEITHER:
                return None
            case Direction.TO_DPS:
                return Side.AJERA
            case Direction.TO_AJERA:
                return Side.DPS
            case _:
                assert_never(self.direction)

    @property
    def owning_side(self) -> Side | None:
        """The side that the rule gives the column to, if it names one."""
        match self.rule:
            case Rule.AJERA:
                return Side.AJERA
            case Rule.DPS:
                return Side.DPS
            case Rule.NEWEST | Rule.MANUAL | Rule.CREATE_ONLY:
                return None
            case _:
                assert_never(self.rule)

    def flows_to(self, side: Side) -> bool:
        """May values be written to that side."""
        return self.direction is not Direction.NEITHER and self.sender is not side

    def reacts_to_edits_on(self, side: Side) -> bool:
        """Does an edit on that side ask for anything: to be carried over, decided or put back."""
        if self.rule is Rule.CREATE_ONLY:
            return False
        return self.flows_to(side.other) or self.owning_side is side.other

    @property
    def sides_that_ask(self) -> tuple[Side, ...]:
        """Those an edit on which asks for anything."""
        return tuple(side for side in SIDES if self.reacts_to_edits_on(side))

    def convert(self, value: Value, to: Side) -> Value:
        """How `to` stores a value that the other side holds."""
        return self.to_dps(value) if to is Side.DPS else self.to_ajera(value)

    def is_blank(self, side: Side, value: Value) -> bool:
        """Is a value of `side` none at all, or one that the other side would hold as none."""
        if value is None:
            return True
        return self.can_translate(value, side.other) and self.convert(value, to=side.other) is None

    def agrees(self, ajera: Value, dps: Value) -> bool:
        """Is each side's value what the other's looks like there: the same,
        as far as a side can store it.
        """
        if self.can_translate(ajera, Side.DPS) and self.to_dps(ajera) == dps:
            return True
        return self.can_translate(dps, Side.AJERA) and self.to_ajera(dps) == ajera

    def entry_side(self, wished: Side) -> Side:
        """Where a person's decision is entered so that it flows the normal way: at the owner,
        at the sender, else as wished.
        """
        return self.owning_side or self.sender or wished


@dataclass(frozen=True)
class Rules:
    """The lines of one entity, and how far clocks are trusted.

    Two edits within `clock_tolerance` count as simultaneous. `look_window`: how long after a write
    or a look whose log position is unknown an event's image is checked against the row itself.
    """

    pairs: tuple[ColumnPair, ...]
    clock_tolerance: timedelta = timedelta(seconds=2)
    look_window: timedelta = timedelta(hours=1)

    @cached_property
    def by_name(self) -> Mapping[str, ColumnPair]:
        return {pair.name: pair for pair in self.pairs}

    @cached_property
    def fingerprints(self) -> Mapping[str, str]:
        """By line what a link remembers of it."""
        return {pair.name: fingerprint(pair) for pair in self.pairs}

    def observed(self, side: Side, row: Row) -> dict[str, Value]:
        """Line -> value of a row of that side. Lines whose columns the row lacks are left out:
        unknown is not null.
        """
        held, readers = row.keys(), self._readers[side]
        if self._columns[side] <= held:  # nearly always
            return {name: read(row) for name, (_, read) in readers.items()}
        return {name: read(row) for name, (columns, read) in readers.items() if columns <= held}

    def lines_observed(self, side: Side, row: Row, names: Iterable[str]) -> dict[str, Value]:
        """The same of these lines alone."""
        held, readers = row.keys(), self._readers[side]
        found = [(name, *readers[name]) for name in names if name in readers]
        return {name: read(row) for name, columns, read in found if columns <= held}

    @cached_property
    def _columns(self) -> Mapping[Side, frozenset[str]]:
        return {
            side: frozenset().union(*(c for c, _ in self._readers[side].values())) for side in SIDES
        }

    @cached_property
    def _readers(self) -> Mapping[Side, Mapping[str, tuple[frozenset[str], Read]]]:
        """By side and line its columns there, and how they are read."""
        return {
            side: {
                p.name: (frozenset(p.field(side).columns), p.field(side).read) for p in self.pairs
            }
            for side in SIDES
        }

    def written(
        self, side: Side, values: Mapping[str, Value], over: Row = NO_ROW
    ) -> dict[str, Value]:
        """The columns of that side that hold these line values; `over`: the row that is changed."""
        columns: dict[str, Value] = {}
        for name, value in values.items():
            columns.update(self.by_name[name].field(side).write(value, over))
        return columns

    def side_edited_last(
        self, pair: ColumnPair, ajera: datetime | None, dps: datetime | None
    ) -> Side:
        """The side edited later; within the tolerance the owner.
        A time that is not known is earlier than any.
        """
        if ajera is None or dps is None:
            return pair.owner if ajera is dps else Side.AJERA if dps is None else Side.DPS
        if abs(ajera - dps) <= self.clock_tolerance:
            return pair.owner
        return Side.AJERA if ajera > dps else Side.DPS


# What a reference or a code of a list (by the name of what translates it) is on the other side;
# None if it is not there.
Translate = Callable[[str, Value, Side], Value]


def translated(rules: Rules, find: Translate) -> Rules:
    """The same lines, those with `through` converting by `find`. Null is null on either side."""
    return replace(
        rules,
        pairs=tuple(_translated(pair, find) if pair.through else pair for pair in rules.pairs),
    )


def _translated(pair: ColumnPair, find: Translate) -> ColumnPair:
    def convert(value: Value, to: Side) -> Value:
        return None if value is None else find(pair.through, value, to)

    return replace(
        pair,
        to_dps=lambda value: convert(value, Side.DPS),
        to_ajera=lambda value: convert(value, Side.AJERA),
        can_translate=lambda value, to: value is None or convert(value, to) is not None,
    )


def with_rules(rules: Rules, changed: Mapping[str, Rule]) -> Rules:
    """The same lines with other rules, as a site profile states them.
    Raises ProfileInvalid for a line that is not there.
    """
    unknown = changed.keys() - rules.by_name.keys()
    if unknown:
        raise ProfileInvalid(f"no two-way line is called {', '.join(sorted(unknown))}")
    return replace(
        rules,
        pairs=tuple(replace(pair, rule=changed.get(pair.name, pair.rule)) for pair in rules.pairs),
    )
