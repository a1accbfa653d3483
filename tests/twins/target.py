"""The target database in memory (ports `Target` and `Transaction`): transactions, locks,
constraints, and a log of writes.

It behaves as PostgreSQL does at READ COMMITTED;
the contract suite holds both to it (tests/contracts/test_target.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from pipeline.conflicts.rules import Side
from pipeline.database.state.added import WHOLE_TABLE
from pipeline.errors import PipelineError, TargetRefused
from pipeline.mapping.aggregate import Aggregate, AggregateGroups
from pipeline.mapping.observed import PutBackValue, Written
from pipeline.mapping.route import Route
from pipeline.mapping.table import Groups
from pipeline.mapping.target import Adopted, TargetRow
from pipeline.model.event import Row, Value
from pipeline.model.ledger import (
    Incarnation,
    LedgerRow,
    Mark,
    Progress,
    Waiting,
)
from pipeline.model.outcome import RowCounts
from pipeline.model.plain import PlainChange, PlainEvent
from pipeline.model.position import TopicPartition
from tests.twins.adopted import AdoptedRows, OwnedRow
from tests.twins.halts import Halts, HaltTables
from tests.twins.ledger import Ledger, ledger_tables
from tests.twins.linked import LinkedKeys
from tests.twins.links import Links
from tests.twins.locks import Locks
from tests.twins.marks import Due, Marks, Together
from tests.twins.owned import OwnedRows
from tests.twins.pairs import MemoryPairs
from tests.twins.progress import LoadState, PositionTables, ProgressStore
from tests.twins.tables import Change, Session, Table, View
from tests.twins.target_tables import Owned, TargetTables
from tests.twins.turns import FreeTurns, Turns
from tests.twins.written import WrittenRows


class MemoryTarget:
    """A target database in memory. `log` holds every committed change of a target row, in order.

    `folds_case`: keys that differ in case or trailing blanks are one key,
    as under SQL Server's default collation. `beside`: an exchange whose tables and DPS's are in the
    same database.
    """

    def __init__(
        self,
        route: Route,
        *,
        turns: Turns | None = None,
        counts_utf16: bool = False,
        folds_case: bool = False,
        beside: MemoryPairs | None = None,
    ) -> None:
        self.log: list[Change[Row]] = []
        self.route = route
        self.turns = turns or FreeTurns()
        self.locks = Locks(self.turns) if beside is None else beside.dps_database.locks
        self.beside = beside
        self._counts_utf16 = counts_utf16
        fold = _folded if folds_case else None
        self.ledger = ledger_tables(route.sources)
        self.due: Table[Due] = Table("due")
        self.together: Table[Together] = Table("due_together")
        self.positions = PositionTables()
        self.settings: Table[str] = Table("setting")
        self.targets: dict[str, Table[Row]] = {
            table.name: Table(table.name, fold) for table in route.targets
        }
        self.owned: Table[Owned] = Table("owned_row")
        self.adopted: Table[OwnedRow] = Table("owned_row")
        self.written: Table[Written] = Table("written")
        self.halts = HaltTables()

    @property
    def counts_utf16(self) -> bool:
        return self._counts_utf16

    @contextmanager
    def transaction(self) -> Iterator[MemoryTransaction]:
        """Commits at the end, rolls back on an error."""
        session = Session(next(self.locks.owners), self.locks, self.turns)
        try:
            yield MemoryTransaction(self, session)
            self.turns.reached("commit")
            if not session.is_spoiled:
                session.commit()
        finally:
            session.release()
        self.turns.reached("committed")

    def carried_over(self, route: Route) -> MemoryTarget:
        """The same database after the migrations to a release whose route is this one: its mirrors
        have further columns, and there may be further ones.
        """
        other = MemoryTarget(route, turns=self.turns, counts_utf16=self._counts_utf16)
        other.log, other.due, other.owned = self.log, self.due, self.owned
        other.together = self.together
        other.positions, other.settings = self.positions, self.settings
        other.halts, other.adopted = self.halts, self.adopted
        other.written = self.written
        other.targets = {**other.targets, **self.targets}
        before = {source.name: source for source in self.route.sources}
        for source in route.sources:
            if source.name not in before:
                epochs = [load.epoch for load in self.positions.loads.rows.values()]
                self.positions.added[source.name, WHOLE_TABLE] = max(epochs, default=0) + 1
                continue
            other.ledger[source.name] = self.ledger[source.name]
            rows = self.ledger[source.name].rows.values()
            newest = max((row.epoch for row in rows), default=0)
            for column in {*source.mirrored()} - {*before[source.name].mirrored()}:
                self.positions.added[source.name, column.name] = newest + 1
        return other

    def backup(self) -> Callable[[], None]:
        """A copy of what is committed; calling it puts the copy in place."""
        tables = self._tables()
        copies = [dict(table.rows) for table in tables]

        def restore() -> None:
            with self.locks.changed:
                for table, rows in zip(tables, copies, strict=True):
                    table.rows = dict(rows)

        return restore

    def _tables(self) -> list[Table[Any]]:
        positions, halts = self.positions, self.halts
        tables: list[Table[Any]] = [self.due, self.settings, self.owned, self.adopted]
        tables += [self.written]
        tables += [positions.progress, positions.incarnations, positions.loads]
        tables += [halts.halted, halts.skips, halts.skipped]
        return [*tables, *self.ledger.values(), *self.targets.values()]

    def rows(self, table: str) -> list[Row]:
        """The committed rows of a target table, by key."""
        with self.locks.changed:
            rows = self.targets[table].rows
            return [rows[key] for key in sorted(rows)]


class MemoryTransaction:
    """One transaction, told by its parts."""

    def __init__(self, target: MemoryTarget, session: Session) -> None:
        route = target.route
        self._session = session
        self._ledger = Ledger(session, target.ledger, route.sources)
        self._marks = Marks(session, target.due, target.together)
        self._positions = ProgressStore(session, target.positions, route.sources)
        self._settings = View(session, target.settings)
        self.halts = Halts(session, target.halts)
        self._targets = TargetTables(
            session,
            target.targets,
            route.targets,
            target.log.append,
            utf16=target.counts_utf16,
        )
        self._owned = OwnedRows(session, target.owned, self._targets)
        self._adopted = AdoptedRows(session, target.adopted, self._targets)
        self.written = WrittenRows(session, target.written, self._targets)
        self._linked = (
            None
            if target.beside is None
            else LinkedKeys(
                session,
                target.beside.ours.links,
                target.beside.ours.followed,
                route.name,
                Side(route.source_system),
                Links(
                    session,
                    target.beside.ours.links,
                    target.beside.ours.conflicts,
                    target.beside.dps_database.clock,
                ),
            )
        )

    @contextmanager
    def _spoiling(self) -> Iterator[None]:
        try:
            yield
        except PipelineError:
            self._session.is_spoiled = True
            raise

    def lock_rows(
        self, table: str, keys: Sequence[str], *, placed: bool = True
    ) -> dict[str, LedgerRow]:
        with self._spoiling():
            return self._ledger.lock_rows(table, keys, placed=placed)

    def write_rows(self, rows: Sequence[LedgerRow]) -> None:
        with self._spoiling():
            self._ledger.write_rows(rows)

    @property
    def takes_plain(self) -> bool:
        return True

    def write_plain(self, table: str, events: Sequence[PlainEvent]) -> dict[str, PlainChange]:
        with self._spoiling():
            return self._ledger.write_plain(table, events)

    def rows_by_key(
        self, table: str, keys: Sequence[str], *, placed: bool = True
    ) -> list[LedgerRow]:
        with self._spoiling():
            return self._ledger.rows_by_key(table, keys, placed=placed)

    def rows_where(self, table: str, column: str, values: Sequence[Value]) -> list[LedgerRow]:
        with self._spoiling():
            return self._ledger.rows_where(table, column, values)

    def values_where(
        self, table: str, wanted: str, column: str, values: Sequence[Value]
    ) -> list[Value]:
        with self._spoiling():
            return self._ledger.values_where(table, wanted, column, values)

    def distinct_values(
        self, table: str, wanted: str, column: str, values: Sequence[Value]
    ) -> list[Value]:
        with self._spoiling():
            return self._ledger.distinct_values(table, wanted, column, values)

    def aggregated(
        self, lines: Sequence[Aggregate], keys: Sequence[str]
    ) -> dict[str, dict[str, Value]]:
        with self._spoiling():
            return self._ledger.aggregated(lines, keys)

    def grouped(
        self, groups: Sequence[AggregateGroups], keys: Sequence[str]
    ) -> dict[str, dict[str, Groups]]:
        with self._spoiling():
            return self._ledger.grouped(groups, keys)

    def mark(self, marks: Sequence[Mark], now: datetime) -> None:
        with self._spoiling():
            self._marks.mark(marks, now)

    def mark_together(self, marks: Sequence[Mark], now: datetime) -> None:
        with self._spoiling():
            self._marks.mark_together(marks, now)

    def clear_together(self, number: int) -> None:
        with self._spoiling():
            self._marks.clear_together(number)

    def take_together(self, set_before: datetime | None = None) -> set[tuple[str, str]]:
        with self._spoiling():
            return self._marks.take_together(set_before)

    def mark_table(
        self,
        table: str,
        number: int,
        now: datetime,
        *,
        only_if: str | None = None,
        linked: str | None = None,
    ) -> int:
        with self._spoiling():
            keys = self._ledger.keys(table, only_if)
            if linked is not None:
                keys = sorted(self._links().given(linked, keys, is_locked=False))
            self._marks.mark([Mark(table, key, number) for key in keys], now)
            return len(keys)

    def marks_of(self, marks: Iterable[tuple[str, str]]) -> list[Mark]:
        with self._spoiling():
            return self._marks.marks_of(marks)

    def has_marks(self, kind: str) -> bool:
        with self._spoiling():
            return self._marks.has_marks(kind)

    def due(
        self,
        limit: int,
        *,
        set_before: datetime,
        waiting_before: datetime,
        with_refused: bool = True,
    ) -> list[Mark]:
        with self._spoiling():
            return self._marks.due(
                limit,
                set_before=set_before,
                waiting_before=waiting_before,
                with_refused=with_refused,
            )

    def clear(self, marks: Sequence[Mark]) -> None:
        with self._spoiling():
            self._marks.clear(marks)

    def wait(self, waiting: Sequence[Waiting], now: datetime) -> None:
        with self._spoiling():
            self._marks.wait(waiting, now)

    def setting(self, name: str) -> str | None:
        with self._spoiling():
            self._session.statement("setting")
            return self._settings.get((name,))

    def set_setting(self, name: str, value: str) -> None:
        with self._spoiling():
            self._session.statement("set_setting")
            self._settings.claim((name,))
            self._settings.put((name,), value)

    def waiting_count(self) -> int:
        with self._spoiling():
            return self._marks.waiting_count()

    def existing(self, table: str, keys: Sequence[str]) -> set[str]:
        with self._spoiling():
            return self._targets.existing(table, keys)

    def create_missing(self, table: str, rows: Sequence[Row]) -> int:
        with self._spoiling():
            return self._targets.create_missing(table, rows)

    def holders(self, table: str, column: str, values: Sequence[str]) -> dict[str, str]:
        with self._spoiling():
            return self._targets.holders(table, column, values)

    def upsert_plain(
        self, table: str, columns: Sequence[str], prefilled: int, rows: Sequence[Sequence[Value]]
    ) -> RowCounts:
        with self._spoiling():
            return self._targets.upsert_plain(table, columns, prefilled, rows)

    def upsert(self, table: str, rows: Sequence[TargetRow]) -> RowCounts:
        with self._spoiling():
            return self._targets.upsert(table, rows)

    def replace_children(self, table: str, wanted: Mapping[str, Sequence[TargetRow]]) -> RowCounts:
        with self._spoiling():
            return self._owned.replace_children(table, wanted)

    def adopt_children(
        self, table: str, wanted: Mapping[str, Sequence[TargetRow]], left: Row
    ) -> Adopted:
        with self._spoiling():
            return self._adopted.adopt_children(table, wanted, left)

    def remove(self, table: str, *key: str) -> None:
        """As a person deletes a row."""
        with self._spoiling():
            self._session.statement("remove")
            self._targets.delete(table, [key])

    def loaded(self) -> frozenset[str]:
        with self._spoiling():
            return self._positions.loaded()

    def unknown_columns(self) -> frozenset[tuple[str, str]]:
        with self._spoiling():
            return self._positions.unknown_columns()

    def lock_page(self, table: str, after: str, limit: int) -> list[LedgerRow]:
        with self._spoiling():
            return self._ledger.lock_page(table, after, limit)

    def loading(self, epoch: int) -> dict[str, LoadState]:
        with self._spoiling():
            return self._positions.loading(epoch)

    def reloaded(self, table: str, incarnation: int) -> int:
        with self._spoiling():
            return self._positions.reloaded(table, incarnation)

    def set_load_ends(self, topic: str, table: str, epoch: int, ends: Mapping[int, int]) -> None:
        with self._spoiling():
            self._positions.set_load_ends(topic, table, epoch, ends)

    def read_to_end(self) -> dict[str, int]:
        with self._spoiling():
            return self._positions.read_to_end()

    def unseen(self, table: str, epoch: int, limit: int) -> list[LedgerRow]:
        with self._spoiling():
            return self._ledger.unseen(table, epoch, limit)

    def set_loaded(self, table: str, epoch: int) -> bool:
        with self._spoiling():
            return self._positions.set_loaded(table, epoch)

    def progress(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Progress]:
        with self._spoiling():
            return self._positions.progress(partitions)

    def advance(
        self, progress: Mapping[TopicPartition, Progress], now: datetime
    ) -> dict[TopicPartition, int]:
        with self._spoiling():
            return self._positions.advance(progress, now)

    def incarnations(self, topic: str) -> dict[int, Incarnation]:
        with self._spoiling():
            return self._positions.incarnations(topic)

    def incarnation(self, topic: str, topic_id: str, partitions: int) -> int:
        with self._spoiling():
            return self._positions.incarnation(topic, topic_id, partitions)

    def follow_links(self, entities: Collection[str]) -> frozenset[str]:
        with self._spoiling():
            return self._links().follow(entities)

    def take_link_changes(self, limit: int) -> list[tuple[str, str]]:
        with self._spoiling():
            return self._links().take(limit)

    def linked_keys(
        self, entity: str, keys: Sequence[str], *, is_locked: bool = True
    ) -> dict[str, str]:
        with self._spoiling():
            return self._links().given(entity, keys, is_locked=is_locked)

    def log_put_back(self, entity: str, edits: Sequence[PutBackValue], now: datetime) -> None:
        with self._spoiling():
            self._links().log_put_back(entity, edits, now)

    def _links(self) -> LinkedKeys:
        if self._linked is None:
            raise TargetRefused("link: no exchange keeps its tables here")
        return self._linked


def _folded(text: str) -> str:
    return text.rstrip(" ").casefold()
