"""The form of a mapping table: one line of the vendor's page is one line here.

A line says which source columns it reads, which target column it fills, and how.
Lines of the root row alone are
`Column` and `Derived`; a `Related` line reads rows of other tables and names them in `needs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from pipeline.mapping.aggregate import Aggregate, AggregateGroups
from pipeline.mapping.convert import text
from pipeline.mapping.path import Path
from pipeline.mapping.site import Site
from pipeline.mapping.source import SourceTable
from pipeline.mapping.target import TargetRow
from pipeline.model.event import Row, Value
from pipeline.model.ledger import LedgerRow

T = TypeVar("T")


class RowMissing(Exception):
    """A related row has not arrived yet: the line's column stays as it is, and the target waits."""

    def __init__(self, table: str, key: str) -> None:
        super().__init__(f"waits for a row of {table}")
        self.table = table
        self.key = key

    def kept(self) -> Self:
        """Without the frames that it came through: they hold what it is kept in, so that all of it
        would stay until the garbage collector looks.
        """
        self.__context__ = None
        return self.with_traceback(None)


class ChangedSince(Exception):
    """A related row changed after the root was retired: what it held until then is not kept,
    and what hangs on it stays.
    """


@dataclass(frozen=True, slots=True)
class Kept:
    """A value for a row that is created; one that holds it, or one that is there `instead` of it,
    keeps what it holds.
    """

    value: Value


Groups = Mapping[tuple[Value, ...], Row]


class RelatedRows(Protocol):
    """A root row with the rows around it, as read from the mirror; for a retired root,
    as they were when it was retired.
    """

    @property
    def root(self) -> LedgerRow: ...

    @property
    def site(self) -> Site: ...

    @property
    def key(self) -> str:
        """The key of the root's target row."""

    def children(self, table: str) -> Iterator[LedgerRow]:
        """Rows of `table` that belong to the root and exist, by ascending key.
        Raises ChangedSince on reaching such a row.
        """

    def row(self, table: str, *key: Value) -> LedgerRow:
        """The row with that key, deleted or not. Raises RowMissing, ChangedSince."""

    def once(self, of: Callable[[RelatedRows], T]) -> T:
        """What a function gives of this root, worked out once for all lines that ask. Raises what
        it raises.
        """

    def totals(self, name: str) -> Groups:
        """Of the mapping's `grouped` of this name: by what a group's rows hold in the columns `by`
        the values of its lines. Raises ValueUnknown.
        """

    def linked(self, name: str, value: Value) -> str | None:
        """Of the mapping's `grouped` of this name, and of what it groups by in its link's column,
        the key part of the row that is paired with the row of this key; None while there is none.
        """

    def members(self, group: str, value: str) -> Sequence[LedgerRow]:
        """The members of a group of the root's own table, retired ones too, as they are now."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A value computed from columns of one row, with the words that the reference shows."""

    columns: tuple[str, ...]
    words: str
    of: Callable[[Row, Site], Value]


@dataclass(frozen=True, slots=True)
class Column:
    """A source column taken as text, trimmed; blank becomes null."""

    source: str
    target: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Derived:
    """A target column computed from one or more columns of the root row."""

    target: str
    expression: Expression
    note: str = ""


@dataclass(frozen=True, slots=True)
class LinkedKey:
    """The key of the target row is in the key of the row that the exchange paired the root with.

    `entity`: the pair's, as the exchange calls it. `column`: the one of that row's table that is
    meant, a part of its key. A root gives no target row while it has no such
    pair, or while nothing is exchanged between the two: the pair has ended or is suspended, or one
    of its rows is not set to be exchanged. A row that was written until then stays as it is.
    """

    target: str
    entity: str
    table: SourceTable
    column: str
    note: str = ""

    @property
    def words(self) -> str:
        """What the reference shows."""
        return f"{self.column} of the {self.entity} that it is linked with"

    def of(self, key: str) -> str:
        """The target row's key, from the key of the row that the root is linked with."""
        return str(self.table.key_values(key)[self.table.key.index(self.column)])


Key = Derived | LinkedKey


@dataclass(frozen=True, slots=True)
class CreateOnly:
    """A target column filled when the row is created, and never after."""

    target: str
    words: str
    of: Callable[[Site], Value]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Related:
    """A target column computed from rows of other tables.
    Not written before the tables in `needs` were read to their end.
    """

    target: str
    needs: tuple[str, ...]
    words: str
    of: Callable[[RelatedRows], Value | Kept]
    note: str = ""
    instead: Callable[[LedgerRow, Site, str, int | None], str | None] | None = (
        None  # of a value that another keeps
    )


@dataclass(frozen=True, slots=True)
class TextOfRow:
    """The text in a column of another row, which is found once for all lines that read it; null
    where there is none.
    """

    row: Callable[[RelatedRows], LedgerRow | None]
    column: str

    def __call__(self, neighbours: RelatedRows) -> Value:
        found = neighbours.once(self.row)
        return None if found is None else text(found.values[self.column])


Line = Column | Derived | CreateOnly | Related | Aggregate


@dataclass(frozen=True, slots=True)
class CreateParent:
    """The row that a reference names is created when the target lacks it, with these values."""

    column: str
    table: str
    values: Callable[[str, Site], Row]


@dataclass(frozen=True, slots=True)
class AwaitParent:
    """The row that a reference names comes from a row of `source`: without it, the target waits.

    The source row's key is what follows the first "-" of the reference (cl-101 comes from row 101),
    or, where it has no prefix, the reference.
    """

    column: str
    table: str
    source: str
    is_prefixed: bool = True

    def source_key(self, reference: str) -> str:
        """The key of the row that a reference comes from."""
        return reference.partition("-")[2] if self.is_prefixed else reference


Parent = CreateParent | AwaitParent


@dataclass(frozen=True, slots=True)
class ChildRows:
    """Rows of another target table that belong to the root's target row and are replaced as a set,
    ours only: created, changed where a value differs, removed when they are no longer wanted.

    `values` names the columns beside the key, each with what it holds in words. `parents` are
    references of key columns. `adopts`: the target's rows are told by an id (`TargetTable.row_id`),
    and a row that is there already is taken over. When it is not wanted any more it stays, without
    values. `without`: columns that are not written at a site, and stay as they are.
    """

    target: str
    needs: tuple[str, ...]
    words: str
    of: Callable[
        [RelatedRows],
        tuple[Sequence[TargetRow], Sequence[RowMissing]],
    ]
    parents: tuple[Parent, ...]
    values: tuple[tuple[str, str], ...] = ()
    note: str = ""
    adopts: bool = False
    without: Callable[[Site], frozenset[str]] = lambda _: frozenset()


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of the root's table that are decided together,
    by a column that says to which group a row belongs.

    `values`: the groups whose members decide about a root, nearest first; those after the second
    are asked for only as long as the one before has other members. `roots`:
    keys of further roots that a group's members may decide about.
    """

    column: str
    values: Callable[[LedgerRow, Site], Iterator[str]]
    roots: Callable[[str, Site], Iterable[str]]


@dataclass(frozen=True, slots=True)
class TableMapping:
    """A table of the vendor's page. `only_if` names a remembered flag of the root row:
    without it there is no target row.

    `entity` is the switch that turns it on. `parts`: the mappings that it was merged of
    (`merging.py`).
    `paths` say which rows of other tables the related lines and children read, `grouped` which
    values over groups of rows.
    """

    name: str
    entity: str
    source: str
    target: str
    only_if: str | None
    key: Key
    lines: tuple[Line, ...]
    parents: tuple[Parent, ...] = ()
    children: tuple[ChildRows, ...] = ()
    paths: tuple[Path, ...] = ()
    groups: tuple[Group, ...] = ()
    grouped: tuple[AggregateGroups, ...] = ()
    note: str = ""
    parts: tuple[TableMapping, ...] = ()
