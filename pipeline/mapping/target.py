"""Target tables as data: columns with their lengths, keys, and what they refer to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

from pipeline.mapping.source import ColumnType
from pipeline.model.event import Row
from pipeline.model.frozen import light
from pipeline.model.outcome import RowCounts


@dataclass(frozen=True, slots=True)
class TargetColumn:
    """A column that we write. `length` in characters, None for unlimited;
    the live database's is taken at start-up.

    `encoding` is the Python codec of a column that cannot hold every character,
    None for one that can. `places`: those of a decimal, None for as many as the mirror has.
    """

    name: str
    kind: ColumnType = ColumnType.TEXT
    length: int | None = None
    nullable: bool = True
    encoding: str | None = None
    places: int | None = None


@dataclass(frozen=True)
class TargetTable:
    """A table that we write. `references` maps a column to the table whose key it holds;
    `unique` are further unique columns.

    `rank` orders tables by their references, parents first:
    the order of locks and writes everywhere. `is_others`: its rows are made and deleted by others;
    we change those that are there, and create none. `fixed`: columns that hold one value in every
    row of ours, beside the key: rows with another value there are never touched. `row_id`: the one
    column of the table's own key, where that is not `key`, which several rows may have; rows that
    we make get an id of ours.

    Raises ValueError for a fixed column that the table lacks, or that is in the key; for such an
    id, too.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[TargetColumn, ...]
    rank: int
    references: tuple[tuple[str, str], ...] = ()
    unique: tuple[str, ...] = ()
    is_others: bool = False
    fixed: tuple[tuple[str, str], ...] = ()
    row_id: str = ""

    def __post_init__(self) -> None:
        lacking = {*self.fixed_names} - ({*self.by_name()} - {*self.key})
        if lacking:
            raise ValueError(f"{self.name} has no columns {', '.join(sorted(lacking))} to fix")
        if self.row_id and self.row_id not in {*self.by_name()} - {*self.key, *self.fixed_names}:
            raise ValueError(f"{self.name} has no column {self.row_id} that tells its rows apart")

    @cached_property
    def fixed_names(self) -> tuple[str, ...]:
        """The columns that hold one value in every row of ours."""
        return tuple(name for name, _ in self.fixed)

    @cached_property
    def fixed_values(self) -> tuple[str, ...]:
        """What they hold."""
        return tuple(value for _, value in self.fixed)

    @cached_property
    def required(self) -> frozenset[str]:
        """The columns without which no row can be made, beside those that tell which row it is."""
        found = (column.name for column in self.columns if not column.nullable)
        return frozenset(found) - {*self.key, *self.fixed_names, self.row_id}

    def told(self, row: TargetRow) -> Row:
        """What a row of ours holds in every column that we write: key, fixed ones and values."""
        return {**dict(zip(self.key, row.key, strict=True)), **dict(self.fixed), **row.values}

    def made_id(self, key: Sequence[str]) -> str:
        """The id of the row of this key that we make: 32 hex digits, always the same ones."""
        text = json.dumps([*key, *self.fixed_values])
        return sha256(text.encode()).hexdigest()[:32]

    def column(self, name: str) -> TargetColumn:
        return self.by_name()[name]

    def by_name(self) -> Mapping[str, TargetColumn]:
        return self._by_name

    @cached_property
    def _by_name(self) -> Mapping[str, TargetColumn]:
        return {column.name: column for column in self.columns}


@light(frozen=True, slots=True)
class TargetRow:
    """What a target row must hold: `values` always, `prefill` only when the row is created.

    A column in neither is left as it is. `key` are the key columns' values in the table's order.
    """

    table: str
    key: tuple[str, ...]
    values: Row
    prefill: Row = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Adopted:
    """What became of child rows that are told by an id. `ids`: of each wanted row, by parent and
    key, the id. `held`: by id what rows that were there held before. `left`: the ids of rows that
    are ours no more; `lost`: of rows that were ours and are not there any more.
    """

    counts: RowCounts
    ids: Mapping[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)
    held: Mapping[str, Row] = field(default_factory=dict)
    left: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
