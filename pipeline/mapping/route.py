"""A route that projects rows of one system into another: source tables, target tables, mappings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pipeline.mapping.mirror import MirroredTable, group_kind, shared_kind
from pipeline.mapping.source import SourceTable
from pipeline.mapping.table import TableMapping
from pipeline.mapping.target import TargetTable


@dataclass(frozen=True, slots=True)
class Route:
    """One way. Source tables stand in lock order, mappings in the order of their targets' ranks."""

    name: str
    title: str
    source_system: str
    target_system: str
    sources: tuple[MirroredTable, ...]
    targets: tuple[TargetTable, ...]
    mappings: tuple[TableMapping, ...]

    @property
    def reads(self) -> Mapping[str, tuple[SourceTable, ...]]:
        """The tables that it reads, by source system, with the columns that it picks."""
        return {self.source_system: tuple(one.table for one in self.sources)}

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
        return frozenset(found)

    def only(self, entities: frozenset[str]) -> Route:
        """The same route with only the mappings of these entities switched on."""
        return replace(self, mappings=tuple(m for m in self.mappings if m.entity in entities))
