"""The exchange's work, piece by piece: what is being done, what it came to,
and what every piece needs to know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from pipeline.conflicts.conflict import Conflict
from pipeline.conflicts.decision import Decision, Write
from pipeline.conflicts.first import FirstLinkPolicy, LineOutcome
from pipeline.conflicts.lines import LinesUpdate
from pipeline.conflicts.link import Link, Seen, State
from pipeline.conflicts.rules import Rules, Side
from pipeline.engine.exchange.ports import AjeraTransaction, LinkTransaction
from pipeline.model.event import Event, Value
from pipeline.model.frozen import light
from pipeline.model.outcome import Outcome, RowCounts
from pipeline.pairing.entity import CodeList, Entity, NewRow, ParkedWork
from pipeline.pairing.rows import Rows


@light(frozen=True, slots=True, eq=False)
class WorkItem:
    """A row to look at: because of an event, because it was parked,
    or because the row it belongs to was linked.

    `entity` None: as every entity whose table that is. `link`: a link to continue with, instead of
    a row; `decide`: a person's decision about it, `about`: the line, side and value that it names.
    `is_parked`: nothing but its parked row is left of it. `is_wanted`: a row that is exchanged
    needs it, so that it begins though nobody ticked it. `beside`: a link to be locked too,
    whose place the row may take. `is_outdated`: the link may not know all lines: it is looked at
    for these alone.
    """

    side: Side
    table: str
    key: str
    event: Event | None = None
    entity: str | None = None
    link: str | None = None
    decide: Callable[[Link, Rules, datetime], Decision] | None = None
    is_parked: bool = False
    is_wanted: bool = False
    about: tuple[tuple[str, Side, Value], ...] = ()
    beside: str | None = None
    is_outdated: bool = False


@light(frozen=True, slots=True)
class ItemResult:
    """How an item ended."""

    item: WorkItem
    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class ExchangeConfig:
    """How this installation exchanges. `tables`: those that are read, with their side; below 8.09
    some are of no entity. `numbers`: patterns of numbers that are given where DPS demands one.

    `limits`: how many links of an entity may count towards one firm or project, None for no limit.
    """

    entities: tuple[Entity, ...]
    tables: Mapping[str, Side]
    lists: tuple[CodeList, ...]
    numbers: Mapping[str, str]
    limits: Mapping[str, int | None]
    policy: FirstLinkPolicy
    rewound_tolerance: timedelta = timedelta(seconds=300)

    @property
    def names(self) -> Collection[str]:
        return self._by_name.keys()

    def entity(self, name: str) -> Entity:
        return self._by_name[name]

    def exchanged(self, links: Mapping[str, Link]) -> dict[str, Link]:
        """Those of these links whose kind is exchanged. The others stay as an earlier configuration
        left them.
        """
        return {one: link for one, link in links.items() if link.entity in self._by_name}

    def of(self, item: WorkItem) -> tuple[Entity, ...]:
        """The entities that an item's row may be."""
        found = self._by_table.get((item.side, item.table), ())
        return (
            found
            if item.entity is None
            else tuple(entity for entity in found if entity.name == item.entity)
        )

    @cached_property
    def _by_name(self) -> Mapping[str, Entity]:
        return {entity.name: entity for entity in self.entities}

    @cached_property
    def _by_table(self) -> Mapping[tuple[Side, str], tuple[Entity, ...]]:
        found: dict[tuple[Side, str], tuple[Entity, ...]] = {}
        for entity in self.entities:
            for side in Side:
                of = side, entity.side(side).table.name
                found[of] = (*found.get(of, ()), entity)
        return found

    def children(self, name: str) -> tuple[Entity, ...]:
        return tuple(entity for entity in self.entities if entity.parent == name)

    def is_reference(self, through: str) -> bool:
        """Is that what another entity's rows are called, and no code list."""
        return through in self._by_name

    def place(self, entity: Entity) -> int:
        """Parents and what is referred to come first."""
        return self.entities.index(entity)


@light(frozen=True, slots=True)
class PlannedWrite:
    """A write to be carried out; `new` for a row to be created."""

    write: Write
    entity: Entity
    new: NewRow | None = None


@dataclass
class UnitOfWork:
    """What one transaction works on: both databases, links as they are,
    and what is to be stored at its end.
    """

    links_of: LinkTransaction
    ajera: AjeraTransaction
    epochs: Mapping[Side, int]
    now: datetime
    links: dict[str, Link] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    conflicts: list[Conflict] = field(default_factory=list)
    writes: list[PlannedWrite] = field(default_factory=list)
    parked: dict[str, ParkedWork] = field(default_factory=dict)
    unparked: set[str] = field(default_factory=set)
    linked: list[Link] = field(default_factory=list)  # that have both rows since
    ended: list[Link] = field(default_factory=list)  # that one of the rows has left since
    held: list[WorkItem] = field(
        default_factory=list
    )  # parked work that went on, to be unparked once all of it is done
    unlinked: dict[str, Seen] = field(
        default_factory=dict
    )  # how far the log of rows was read that got no link
    counts: dict[str, RowCounts] = field(default_factory=dict)

    def of(self, side: Side) -> Rows:
        return self.ajera.rows if side is Side.AJERA else self.links_of.rows

    def linked_among(self, entity: str, side: Side, keys: Collection[str]) -> set[str]:
        """Those rows that have a link which has not ended,
        be it one of this transaction that is not stored yet.
        """
        begun = {
            link.side(side).key or ""
            for link in self.links.values()
            if link.entity == entity and link.state is not State.ENDED
        }
        return self.links_of.linked_among(entity, side, list(keys)) | (begun & set(keys))

    def change(self, link: Link, conflicts: tuple[Conflict, ...] = ()) -> None:
        """The link as it is from now on."""
        before = self.links.get(link.id)
        if link.state is State.ENDED and before is not None and before.state is not State.ENDED:
            self.ended.append(link)
        self.links[link.id] = link
        self.changed.add(link.id)
        self.conflicts += conflicts

    def unpark(self, item: WorkItem, work: str, *, is_done: bool = True) -> None:
        """The item waits no longer. Without an event, which would come again after a crash,
        only once all of it is done.
        """
        if item.is_parked:
            self.held.append(item)
        elif item.event is not None or is_done:
            self.unparked.add(work)

    def count(self, table: str, counts: RowCounts) -> None:
        self.counts[table] = self.counts.get(table, RowCounts()) + counts


class Rewound(Exception):
    """An event that shows another log than the one that was read before."""

    def __init__(self, event: Event) -> None:
        super().__init__(event.table)
        self.event = event


@dataclass
class PassResult:
    """What a round came to. `later`: items for the next round. `planned`:
    writes that Ajera is to get now.
    """

    ended: list[ItemResult] = field(default_factory=list)
    later: list[WorkItem] = field(default_factory=list)
    planned: list[PlannedWrite] = field(default_factory=list)
    linked: list[Link] = field(default_factory=list)
    held: list[WorkItem] = field(
        default_factory=list
    )  # parked work to be looked at once more after all that follows
    counts: dict[str, RowCounts] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    edits: int = 0
    copies: int = 0
    new_lines: Counter[tuple[str, str, LineOutcome]] = field(default_factory=Counter)

    def count_lines(self, entity: Entity, known: LinesUpdate) -> None:
        """Of an entity the lines that a link did not know, by what became of them."""
        if known.outcomes:  # of few
            self.new_lines.update(
                (entity.name, line, outcome) for line, outcome in known.outcomes.items()
            )


WANTED = (
    "wanted"  # what a parked row waits for that begins though nobody ticked it: nothing wakes it
)


def link_id(link: str) -> str:
    """Parked work that is a link's, by the link's id."""
    return f"link/{link}"


def wait_key(entity: str, side: Side, key: Value) -> str:
    """What parked work waits for: that this row is linked."""
    return f"{entity}/{side}/{key}"


def row_id(entity: str, side: Side, key: str) -> str:
    """A row that has no link yet, and its parked work."""
    return f"row/{entity}/{side}/{key}"
