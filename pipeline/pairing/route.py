"""The route that keeps rows of two systems alike: the tables that it reads and writes on each side,
and what is paired.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.mapping.source import SourceTable
from pipeline.pairing.entity import CodeList, Entity


@dataclass(frozen=True, slots=True, eq=False)
class ExchangeRoute:
    """Both ways. `ajera` and `dps`: what is captured of each for it.
    `created_in_ajera`: the tables in which rows are created there.
    """

    name: str
    title: str
    ajera: tuple[SourceTable, ...]
    dps: tuple[SourceTable, ...]
    created_in_ajera: tuple[SourceTable, ...]
    entities: tuple[Entity, ...]
    lists: tuple[CodeList, ...]

    @property
    def reads(self) -> Mapping[str, tuple[SourceTable, ...]]:
        """The tables that it reads, by source system, with the columns that it picks."""
        return {"ajera": self.ajera, "dps": self.dps}
