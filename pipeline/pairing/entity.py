"""How rows of two systems are paired, as data: what an entity is on each side,
and what is made where one side lacks it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from pipeline.conflicts.rules import Direction, Rules, Side
from pipeline.errors import ParkReason
from pipeline.mapping.source import SourceTable
from pipeline.model.event import Row, Value


@dataclass(frozen=True, slots=True)
class ListTable:
    """A list of one side (types, templates): its table, and the columns of code and description.
    `only_if`: a flag column.
    """

    table: str
    code: str
    description: str
    only_if: str | None = None


@dataclass(frozen=True, slots=True)
class CodeList:
    """A list that both sides have: entries of the same description, case aside, are the same.
    DPS may lack it.
    """

    name: str
    title: str
    ajera: ListTable
    dps: ListTable | None = None

    def table(self, side: Side) -> ListTable | None:
        return self.ajera if side is Side.AJERA else self.dps


@dataclass(frozen=True, slots=True)
class Lists:
    """The entries of the code lists as read: list -> side -> code -> description."""

    entries: Mapping[str, Mapping[Side, Mapping[Value, str]]] = field(default_factory=dict)

    def of(self, name: str, side: Side) -> Mapping[Value, str]:
        return self.entries.get(name, {}).get(side, {})

    def translate(self, name: str, code: Value, to: Side) -> Value:
        """The code of the same description on the other side, None if there is none;
        case and blanks aside.
        """
        description = self.of(name, to.other).get(code)
        if description is None:
            return None
        wished = description.strip().casefold()
        return next(
            (
                other
                for other, text in self.of(name, to).items()
                if text.strip().casefold() == wished
            ),
            None,
        )


@dataclass(frozen=True, slots=True)
class TemplateRows:
    """Rows that a created row of `of` gets:
    those of `source` whose `where` is the value of the made-up column `by`.

    `into`: their table and `key` its key, which the database gives or which follows the highest;
    `owner` its column for the created row's key; `copied` columns of source and table.
    Where that gives none, one row is made with the columns
    `at_least` of the created row and of the table.
    """

    of: str
    into: str
    key: str
    owner: str
    constants: Row
    by: str = ""
    source: str = ""
    where: str = ""
    copied: tuple[tuple[str, str], ...] = ()
    at_least: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class NewRowContext:
    """A row about to be created: the other side's row and key,
    and the key on this side of the row it belongs to.
    """

    row: Row
    key: str
    parent: tuple[Value, ...] = ()
    numbers: Mapping[str, str] = field(default_factory=dict)


NewKey = (
    tuple[Value, ...] | ParkReason | None
)  # its values, why there is none, or None: the database gives it


def given_by_database(_: NewRowContext) -> NewKey:
    return None


def belongs_always(_: Row, __: Lists) -> bool:
    return True


def always(_: Row) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class TimeColumns:
    """Where time entries name a row of this kind, and the flag that such a row has in its own
    table.

    `entries`: the table of time entries, with its columns `person`, `project`, `is_deleted` and
    `is_current`. `projects`: the table that `project` names a row of, `owner` the row above it.
    """

    person: str
    flag: str
    entries: SourceTable
    project: str
    is_deleted: str
    is_current: str
    projects: SourceTable
    owner: str


@dataclass(frozen=True, slots=True)
class EntitySide:
    """One side of an entity.

    `belongs`: is a row of the table of this kind at all. `is_flagged`: is it set to be exchanged.
    `may_begin`: may it be linked at all, by whichever side; once it is, that is not asked again.
    `time`: it begins only once it has time on a linked project.
    `may_create`: is a counterpart made for it. `parent`: the columns that hold the key of the row
    that it belongs to. `new_key` and `constants`: of a row that we create. `follows_parent`: it is
    set to be exchanged only while the row that it belongs to is, whose key is part of its own.
    `is_mixed`: a row that is of another kind too and exchanged as that; one of its name waits,
    and no second row is made.
    """

    table: SourceTable
    is_flagged: Callable[[Row], bool]
    belongs: Callable[[Row, Lists], bool] = belongs_always
    may_begin: Callable[[Row], bool] = always
    time: TimeColumns | None = None
    may_create: Callable[[Row], bool] | None = None
    parent: tuple[str, ...] = ()
    new_key: Callable[[NewRowContext], NewKey] = given_by_database
    constants: Row = field(default_factory=dict)
    follows_parent: bool = False
    is_mixed: Callable[[Row], bool] = lambda _: False

    def is_open(self, row: Row, lists: Lists) -> bool:
        """Is a row of this kind, and one that may be linked."""
        return self.belongs(row, lists) and self.may_begin(row)


@dataclass(frozen=True, slots=True, eq=False)
class Entity:
    """A kind of pair.

    `parent`: the entity whose pair it hangs on; then `within` names the line that tells siblings
    apart, None where there is one a pair at most. `limited_by`: the line that names what counts
    towards the limit of contacts. `needs`: lines without whose counterpart no row is created.
    `brings`: lines whose row is exchanged though nobody ticked it.
    `named_by`: the lines of the name by which rows without a link find each other; none: through
    the row that they belong to. `told_apart_by`: the lines, own or "entity.line" of what belongs to
    a row, that decide between rows of one name. `creates`: the sides on which rows are created.
    """

    name: str
    ajera: EntitySide
    dps: EntitySide
    rules: Rules
    creates: frozenset[Side]
    named_by: tuple[str, ...] = ()
    told_apart_by: tuple[str, ...] = ()
    parent: str | None = None
    within: str | None = None
    limited_by: str | None = None
    needs: tuple[str, ...] = ()
    brings: frozenset[str] = frozenset()
    namesakes_park: bool = False

    def side(self, side: Side) -> EntitySide:
        return self.ajera if side is Side.AJERA else self.dps

    @property
    def found_by(self) -> frozenset[str]:
        """Its own lines by which rows are found, told apart and counted, whatever their rules."""
        apart = (name for name in self.told_apart_by if "." not in name)
        others = (name for name in (self.within, self.limited_by) if name is not None)
        return frozenset((*self.named_by, *apart, *others, *self.needs))

    def is_blank_row(self, side: Side, row: Row) -> bool:
        """Is every line of a row blank: an address without one, a project without a client."""
        return set(self.rules.observed(side, row).values()) <= {None}

    def to_ajera_only(self, rules: Rules) -> Entity | None:
        """What is left of the entity below 8.09, None if nothing is."""
        if Side.AJERA not in self.creates or not rules.pairs:
            return None
        return replace(self, rules=rules, creates=frozenset({Side.AJERA}))


@dataclass(frozen=True, slots=True)
class NewRow:
    """A row to be created: key values, None where the database gives the key,
    and the other columns.
    """

    key: tuple[Value, ...] | None
    columns: Row = field(repr=False)


@dataclass(frozen=True, slots=True)
class ParkedWork:
    """Work that waits: for a row (`waits_for`: "entity/side/key"), or until a person did something.

    `id` names what waits: a link, or a row of `side` that has none yet.
    """

    id: str
    entity: str
    side: Side
    key: str
    code: str
    hint: str
    link: str | None = None
    waits_for: str | None = None


def one_way(direction: Direction) -> frozenset[Side]:
    """The sides on which rows are created."""
    match direction:
        case Direction.BOTH:
            return frozenset(Side)
        case Direction.TO_DPS:
            return frozenset({Side.DPS})
        case Direction.TO_AJERA:
            return frozenset({Side.AJERA})
        case Direction.NEITHER:
            return frozenset()
