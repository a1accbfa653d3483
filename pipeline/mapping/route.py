"""A route that projects rows of one system into another: source tables, target tables, mappings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.mapping.merging import merged
from pipeline.mapping.mirror import MirroredTable, group_kind, shared_kind
from pipeline.mapping.observed import Observed
from pipeline.mapping.site import Assumptions
from pipeline.mapping.source import SourceTable
from pipeline.mapping.table import AwaitParent, CreateOnly, CreateParent, LinkedKey, TableMapping
from pipeline.mapping.target import TargetTable
from pipeline.mapping.watches import followed, link_kinds, watches
from pipeline.mapping.ways import refuse_ways


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """One way. Source tables stand in lock order, mappings in the order of their targets' ranks.

    `name` is the route's in settings and commands, `target_system` what people call the target.
    `rests_on` names the assumptions (`docs/assumptions.md`) under a line, by mapping and target
    column; `assumed` gives the words of a line that is this site's assumption.
    `note` is printed above the mappings in the reference.
    `schemas`: a folder with the contract of columns that `schemas/` does not name.
    `into`: the captured system whose database is the target, "" for one that is not captured.
    `since`: the version of the source from which on there is such a route, "" for any.
    `offered`: the entities that there are at a site, None for all of them.

    Raises ValueError where a link gives the key of rows that others wait for, or that have unique
    columns: which root such a row comes from is not known from its key. Where a mapping would make
    or delete rows of a table that are others'. Where rows that are told by an id are anything else
    than child rows that are taken over. And for an aggregate that `refuse_ways` refuses.
    """

    name: str
    title: str
    source_system: str
    target_system: str
    sources: tuple[MirroredTable, ...]
    targets: tuple[TargetTable, ...]
    mappings: tuple[TableMapping, ...]
    rests_on: Mapping[tuple[str, str], tuple[int, ...]] = field(default_factory=dict)
    assumed: Mapping[tuple[str, str], Callable[[Assumptions], str]] = field(default_factory=dict)
    note: str = ""
    schemas: Path | None = None
    observed: tuple[Observed, ...] = ()
    into: str = ""
    since: str = ""
    offered: Callable[[Assumptions], frozenset[str]] | None = None

    def __post_init__(self) -> None:
        waited_for = {
            parent.table
            for mapping in self.mappings
            for parent in (*mapping.parents, *(p for c in mapping.children for p in c.parents))
            if isinstance(parent, AwaitParent)
        }
        for mapping in self.mappings:
            if isinstance(mapping.key, LinkedKey) and (
                mapping.target in waited_for or self.target(mapping.target).unique
            ):
                raise ValueError(f"{mapping.name}: a link cannot give keys of {mapping.target}")
            for name in _made(mapping):
                if self.target(name).is_others:
                    raise ValueError(f"{mapping.name}: the rows of {name} are others'")
            adopting = {child.target for child in mapping.children if child.adopts}
            for name in {mapping.target, *_made(mapping)}:
                if bool(self.target(name).row_id) != (name in adopting):
                    raise ValueError(f"{mapping.name}: are the rows of {name} taken over by an id")
            refuse_ways(mapping, self.source)
        for one in self.observed:
            self._refuse_unobservable(one)

    def _refuse_unobservable(self, one: Observed) -> None:
        target = self.target(one.target)
        if one.system == self.source_system:
            raise ValueError(f"{one.table.name}: {one.system} is the source of {self.name}")
        key = (target.row_id,) if target.row_id else (*target.key, *target.fixed_names)
        needed = {*key, *written_in(self.mappings, target)}
        lacking = needed - {column.name for column in one.table.columns}
        if lacking or {*one.table.key} != {*key}:
            raise ValueError(
                f"{one.table.name} is captured without {', '.join(sorted(lacking)) or 'its key'}"
            )

    @property
    def followed(self) -> frozenset[str]:
        """The entities of the exchange whose links give keys."""
        return frozenset(entity for mapping in self.mappings for entity in followed(mapping))

    @property
    def entities(self) -> tuple[str, ...]:
        """What can be switched off, in the order of the mappings."""
        parts = (part for one in self.mappings for part in one.parts or (one,))
        return tuple(dict.fromkeys(part.entity for part in parts))

    @property
    def reads(self) -> Mapping[str, tuple[SourceTable, ...]]:
        """The tables that it reads, by source system, with the columns that it picks."""
        found = {self.source_system: tuple(one.table for one in self.sources)}
        for one in self.observed:
            found[one.system] = (*found.get(one.system, ()), one.table)
        return found

    def source(self, name: str) -> MirroredTable:
        return next(table for table in self.sources if table.name == name)

    def target(self, name: str) -> TargetTable:
        return next(table for table in self.targets if table.name == name)

    def kinds(self) -> frozenset[str]:
        """The kinds of mark that lead to a target row; others need not be set."""
        found = {m.source for m in self.mappings}
        for mapping in self.mappings:
            found |= {shared_kind(path.to) for path in mapping.paths if path.to != mapping.source}
            found |= {group_kind(mapping.source, group.column) for group in mapping.groups}
        found |= {watch.kind for watch in watches(self.mappings)}
        found |= {kind for mapping in self.mappings for _, kind in link_kinds(mapping)}
        return frozenset(found)

    def only(self, entities: frozenset[str]) -> Route:
        """The same route with only the mappings of these entities switched on, those of one target
        row as one; of others' tables, and of those that it reads back, with the columns that these
        fill. It reads back all of them: what is captured for it does not hang on a switch.
        """
        parts = (part for one in self.mappings for part in one.parts or (one,))
        mappings = merged([part for part in parts if part.entity in entities])
        filled = {(one.target, line.target) for one in mappings for line in one.lines}
        targets = tuple(_narrowed(table, filled) for table in self.targets)
        observed = tuple(
            replace(
                one,
                table=one.table.pick(
                    *self.target(one.target).fixed_names,
                    *written_in(mappings, self.target(one.target)),
                ),
            )
            for one in self.observed
        )
        return replace(self, mappings=mappings, targets=targets, observed=observed)

    def at(self, assumptions: Assumptions) -> frozenset[str]:
        """The entities that there are at a site with these assumptions."""
        there = frozenset(self.entities)
        return there if self.offered is None else there & self.offered(assumptions)


def _narrowed(table: TargetTable, filled: set[tuple[str, str]]) -> TargetTable:
    """A table of others may lack what nobody fills."""
    if not table.is_others:
        return table
    kept = {*table.key, *table.fixed_names}
    kept |= {column.name for column in table.columns if (table.name, column.name) in filled}
    return replace(table, columns=tuple(one for one in table.columns if one.name in kept))


def _made(mapping: TableMapping) -> set[str]:
    """The tables whose rows a mapping makes beside its own target's: child rows and parents."""
    parents = (*mapping.parents, *(one for child in mapping.children for one in child.parents))
    made = {parent.table for parent in parents if isinstance(parent, CreateParent)}
    return made | {child.target for child in mapping.children}


def written_in(mappings: Iterable[TableMapping], target: TargetTable) -> set[str]:
    """The columns of a target table that these write, beside those that tell which row it is."""
    found: set[str] = set()
    for mapping in mappings:
        if mapping.target == target.name:
            found |= {line.target for line in mapping.lines if not isinstance(line, CreateOnly)}
        for child in mapping.children:
            if child.target == target.name:
                found |= {*target.key, *target.fixed_names, *(name for name, _ in child.values)}
    return found
