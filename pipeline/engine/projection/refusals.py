"""Tables of the target that refuse what is read or written: a right that was revoked, a column that
was renamed. Their rows wait; all other tables continue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pipeline.engine.consumer.ports import Clock
from pipeline.engine.projection.recomputed import RecomputeResult
from pipeline.errors import TABLE_REFUSED, PipelineError, TargetMismatch, TargetRefused
from pipeline.mapping.apply import Built
from pipeline.mapping.table import CreateParent
from pipeline.mapping.target import TargetTable


class TableRefused(Exception):
    """The database refused a statement about one table of the target, for no row's sake."""

    def __init__(self, table: str, error: PipelineError, *, is_reading: bool) -> None:
        super().__init__(table)
        self.table = table
        self.error = error
        self.is_reading = is_reading


@contextmanager
def reading(table: str) -> Iterator[None]:
    """A statement that only looks at a table. Raises TableRefused."""
    try:
        yield
    except TABLE_REFUSED as error:
        raise TableRefused(table, error, is_reading=True) from error


@contextmanager
def writing(table: str) -> Iterator[None]:
    """A statement that writes a table. Raises TableRefused."""
    try:
        yield
    except TABLE_REFUSED as error:
        raise TableRefused(table, error, is_reading=False) from error


@dataclass(frozen=True, slots=True)
class Described:
    """The target's tables as they live. `faults`: those that lack something, with what; they are
    described as the maps have them.
    """

    tables: Mapping[str, TargetTable]
    faults: Mapping[str, TargetMismatch] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """Tables that are left alone in a recompute: those that cannot be written, nor even read."""

    written: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()

    def without_blocked(self, built: Sequence[Built], done: RecomputeResult) -> Sequence[Built]:
        """Without rows that need a table that refuses: these wait for it, and nothing of them is
        written.
        """
        if not self.written and not self.read:
            return built
        kept: list[Built] = []
        for one in built:
            table = self.blocks(one)
            if table is None:
                kept.append(one)
            else:
                key = (one.root.table, one.root.key)
                done.wait(key, TargetRefused.code, f"waits for the table {table}, which refuses it")
        return kept

    def blocks(self, one: Built) -> str | None:
        """A table without which this row cannot be written as a whole, None if there is none."""
        mapping = one.mapping
        unusable = self.written | self.read
        needed = [mapping.target, *(child.target for child in mapping.children)]
        of_children = [parent for child in mapping.children for parent in child.parents]
        named = [parent for parent in mapping.parents if one.row.values.get(parent.column)]
        needed += [
            parent.table
            for parent in (*named, *of_children)
            if isinstance(parent, CreateParent) or parent.table in self.read
        ]
        return next((table for table in needed if table in unusable), None)


class Refusals:
    """Which tables refuse, with why. Each is tried again every `retry_seconds`; `describe` looks at
    the target again where it lacked something.
    """

    def __init__(
        self, clock: Clock, retry_seconds: float, describe: Callable[[], Described]
    ) -> None:
        self._clock = clock
        self._retry_seconds = retry_seconds
        self._describe = describe
        self._errors: dict[str, TableRefused] = {}
        self._read: set[str] = set()
        self._retry_at = 0.0
        self._is_trying = False
        self._described: Described | None = None

    @property
    def errors(self) -> dict[str, PipelineError]:
        """Of each table that refuses, why."""
        return {table: refused.error for table, refused in self._errors.items()}

    @property
    def now(self) -> Refused:
        """What is to be left alone now: nothing while it is tried."""
        if self._is_trying:
            return Refused(frozenset(self._faulty()))
        return Refused(frozenset(self._errors), frozenset(self._read))

    def described(self) -> Described:
        """The target's tables, as they were last looked at."""
        return self._look() if self._described is None else self._described

    def refuse(self, refused: TableRefused) -> None:
        """The table is left alone from now on. Raises its error where it was already."""
        left_alone = self.now.read if refused.is_reading else self.now.written
        if refused.table in left_alone:
            raise refused.error
        self._errors[refused.table] = refused
        if refused.is_reading:
            self._read.add(refused.table)
        self._is_trying = False
        self._retry_at = self._clock.monotonic() + self._retry_seconds

    def may_try(self) -> bool:
        """May rows be tried that wait for a table: there is none that refuses, or its time has
        come.
        """
        if not self._errors:
            return True
        if not self._is_trying and self._clock.monotonic() >= self._retry_at:
            self._is_trying = True
            if self._faulty():
                self._look()
        return self._is_trying

    def worked(self, tables: frozenset[str] | None) -> None:
        """These were written, or None: nothing waits for a table any more."""
        if not self._is_trying:
            return
        for table in self._errors.keys() & (self._errors.keys() if tables is None else tables):
            if table not in self._faulty():
                del self._errors[table]
                self._read.discard(table)
        if tables is None or not self._errors:
            self._is_trying = False
            self._retry_at = self._clock.monotonic() + self._retry_seconds

    def _look(self) -> Described:
        self._described = found = self._describe()
        for table in self._faulty() - found.faults.keys():
            del self._errors[table]
        for table, fault in found.faults.items():
            self._errors[table] = TableRefused(table, fault, is_reading=False)
            self._retry_at = self._clock.monotonic() + self._retry_seconds
        return found

    def _faulty(self) -> set[str]:
        return {
            table
            for table, refused in self._errors.items()
            if isinstance(refused.error, TargetMismatch)
        }
